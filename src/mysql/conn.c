#include "mysql/conn.h"

#include <mysqld_error.h>
#include <errmsg.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "mysql/conn_int.h"
#include "mysql/connect_guard.h"
#include "mysql/retry.h"
#include "mysql/words.h"

#define QUICK_S 20
#define SLOW_TIMES 5
/* Errors that the client headers do not name: the server's own file layer. */
#define EE_WRITE_3 3
#define EE_DISK_FULL_20 20
#define DISK_FULL_1021 1021
/* Not in the headers of 8.0. */
#define VECTOR_OF_WRONG_LENGTH_6136 6136
#define FUNCTIONAL_INDEX_RANGE_3752 3752
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 3000
#define LOCK_WAIT_S 5

/*
 * What a session inherits from the server's global values, or from init_connect, must not count:
 * without autocommit every chunk would be read from the first one's snapshot, sql_select_limit would
 * leave out the rest of a chunk, and so on. By number, not DEFAULT, which is the global value.
 */
#define EVERY_SESSION                                                                        \
    "SET NAMES utf8mb4;"                                                                     \
    "SET SESSION autocommit=1, completion_type=0, transaction_read_only=0,"                  \
    " sql_select_limit=18446744073709551615, max_join_size=18446744073709551615,"            \
    " sql_big_selects=1, sql_safe_updates=0, sql_auto_is_null=0, unique_checks=1,"           \
    " max_execution_time=0, lc_messages='en_US', sql_quote_show_create=1,"                   \
    " show_create_table_verbosity=0, information_schema_stats_expiry=0, time_zone='+00:00'," \
    " character_set_results=NULL, cte_max_recursion_depth=1000;"                             \
    "/*!80030 SET SESSION show_gipk_in_create_table_and_information_schema=ON */;"

/* Values go through as raw bytes, times as UTC; a short, plain, non-locking SELECT is all that
 * runs here, besides the RENAME. */
static const char source_session[] = EVERY_SESSION
    "SET SESSION sql_mode='ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION', foreign_key_checks=1,"
    " transaction_isolation='REPEATABLE-READ', wait_timeout=28800, net_write_timeout=600";

/* Strict, so that nothing is bent to fit; zero and invalid dates and AUTO_INCREMENT 0 are values
 * like others. READ COMMITTED: no gap locks between the writers. No limit on the memory of the
 * range optimizer: a long IN list must not become a table scan. */
static const char target_session[] = EVERY_SESSION
    "SET SESSION foreign_key_checks=0, explicit_defaults_for_timestamp=1,"
    " sql_mode='STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,"
    "NO_ENGINE_SUBSTITUTION',"
    " transaction_isolation='READ-COMMITTED',"
    " lock_wait_timeout=30, range_optimizer_max_mem_size=0,"
    " sql_notes=1," /* every bent value is a warning or a note, and all are looked at */
    /* A runner that is frozen or cut off in a transaction must hold neither the lease's row nor
     * others for long, in the middle of a LOAD DATA or not: what runs next waits for them. */
    " net_read_timeout=60, wait_timeout=60";

const char *
side_name(enum side side)
{
    return side == SIDE_SOURCE ? "source" : "target";
}

static struct server
server_of(const struct config *config, const struct endpoint *endpoint, enum side side)
{
    return (struct server){
        .endpoint = endpoint,
        .side = side,
        .connect_timeout_s = config->connect.timeout_s,
        .retry_s = config->connect.retry_s,
        .read_timeout_s = config->connect.read_timeout_s,
        .lock_wait_s = LOCK_WAIT_S,
    };
}

struct server
server_of_source(const struct config *config)
{
    return server_of(config, &config->source, SIDE_SOURCE);
}

struct server
server_of_reader(const struct config *config)
{
    return server_of(config, config_read_endpoint(config), SIDE_SOURCE);
}

struct server
server_of_target(const struct config *config)
{
    return server_of(config, &config->target, SIDE_TARGET);
}

struct server
server_quick(const struct server *server)
{
    struct server quick = *server;
    quick.read_timeout_s = MIN(server->read_timeout_s, QUICK_S);
    return quick;
}

struct server
server_slow(const struct server *server)
{
    struct server slow = *server;
    slow.read_timeout_s = server->read_timeout_s * SLOW_TIMES;
    return slow;
}

/* --- LOAD DATA LOCAL from memory ------------------------------------------------------- */

static int
local_init(void **pointer, const char *name, void *userdata)
{
    (void)name;
    *pointer = userdata;
    return 0;
}

static int
local_read(void *pointer, char *buffer, unsigned length)
{
    struct local_file *file = pointer;
    size_t take = MIN(file->length - file->position, (size_t)length);
    if (take > 0)
        memcpy(buffer, file->bytes + file->position, take);
    file->position += take;
    return (int)take;
}

static void
local_end(void *pointer)
{
    (void)pointer;
}

static int
local_error(void *pointer, char *message, unsigned length)
{
    (void)pointer;
    g_strlcpy(message, "no local file", length);
    return CR_UNKNOWN_ERROR;
}

/* --- opening ---------------------------------------------------------------------------- */

static void
set_tls(MYSQL *handle, const struct tls_config *tls)
{
    static const enum mysql_ssl_mode modes[] = {
        [TLS_DISABLED] = SSL_MODE_DISABLED,
        [TLS_PREFERRED] = SSL_MODE_PREFERRED,
        [TLS_REQUIRED] = SSL_MODE_REQUIRED,
        [TLS_VERIFY_CA] = SSL_MODE_VERIFY_CA,
        [TLS_VERIFY_IDENTITY] = SSL_MODE_VERIFY_IDENTITY,
    };
    unsigned mode = modes[tls->mode];
    mysql_options(handle, MYSQL_OPT_SSL_MODE, &mode);
    if (tls->ca != NULL)
        mysql_options(handle, MYSQL_OPT_SSL_CA, tls->ca);
    if (tls->cert != NULL)
        mysql_options(handle, MYSQL_OPT_SSL_CERT, tls->cert);
    if (tls->key != NULL)
        mysql_options(handle, MYSQL_OPT_SSL_KEY, tls->key);
}

static void
set_options(struct conn *conn)
{
    MYSQL *handle = conn->handle;
    unsigned connect_s = (unsigned)conn->server.connect_timeout_s;
    unsigned io_s = (unsigned)conn->server.read_timeout_s;
    bool yes = true;
    unsigned local = conn->server.side == SIDE_TARGET ? 1 : 0;
    unsigned long packet = 1024UL * 1024 * 1024;
    /* Or the host "localhost" would mean a socket somewhere, and the port nothing. */
    unsigned protocol = conn->server.endpoint->socket != NULL ? MYSQL_PROTOCOL_SOCKET
                                                              : MYSQL_PROTOCOL_TCP;

    mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &io_s);
    mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &io_s);
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &local);
    mysql_options(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "move-tables");
    mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "purpose", conn->purpose);
    /* Without TLS and with a cold cache on the server, caching_sha2_password needs the key. */
    if (conn->server.endpoint->tls.mode == TLS_DISABLED)
        mysql_options(handle, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &yes);
    set_tls(handle, &conn->server.endpoint->tls);
    if (conn->server.side == SIDE_TARGET)
        mysql_set_local_infile_handler(handle, local_init, local_read, local_end, local_error,
                                       &conn->local_file);
}

static bool
set_session(struct conn *conn, GError **error)
{
    bool source = conn->server.side == SIDE_SOURCE;
    if (!conn_exec(conn, source ? source_session : target_session, error))
        return false;
    if (!source &&
        !conn_execf(conn, error, "SET SESSION innodb_lock_wait_timeout = %" G_GINT64_FORMAT,
                    conn->server.lock_wait_s))
        return false;
    g_autoptr(result) facts = conn_query(conn, "SELECT @@server_uuid AS server_uuid", error);
    if (facts == NULL)
        return false;
    conn->server_uuid = g_strdup(result_get(facts, 0, "server_uuid"));
    return true;
}

/* What was cut off as its time was over looks to the library like a TLS that does not work. */
static void
fail_connecting(struct conn *conn, bool cut_off, GError **error)
{
    if (!cut_off) {
        conn_fail(conn, "connecting", error);
        return;
    }
    conn->last_errno = mysql_errno(conn->handle);
    g_autofree char *late = g_strdup_printf("%s; no connection stood after %" G_GINT64_FORMAT
                                            " s (connect.timeout_s): the server is slow, or gone",
                                            mysql_error(conn->handle),
                                            conn->server.connect_timeout_s);
    conn_fail_with(conn, conn->last_errno, late, "connecting", error);
}

struct conn *
conn_open(const struct server *server, const char *purpose, GError **error)
{
    struct conn *conn = g_new0(struct conn, 1);
    conn->server = *server;
    conn->purpose = purpose;
    conn->handle = mysql_init(NULL);
    g_assert(conn->handle != NULL);
    set_options(conn);

    const struct endpoint *endpoint = server->endpoint;
    conn->asked_us = clock_monotonic_us();
    struct connect_guard guard;
    connect_guard_begin(&guard, conn->handle, server->connect_timeout_s);
    MYSQL *connected = mysql_real_connect(
        conn->handle, endpoint->host, endpoint->user, endpoint->password, NULL,
        endpoint->socket != NULL ? 0 : endpoint->port, endpoint->socket, CLIENT_MULTI_STATEMENTS);
    connect_guard_end(&guard);
    if (connected == NULL) {
        fail_connecting(conn, guard.cut_off, error);
        conn_close(conn);
        return NULL;
    }
    if (!set_session(conn, error)) {
        conn_close(conn);
        return NULL;
    }
    return conn;
}

struct conn *
conn_open_retrying(const struct server *server, const char *purpose, GError **error)
{
    struct retry retry = retry_for(server, BACKOFF_FIRST_MS, BACKOFF_MAX_MS);
    GError *failure = NULL;
    struct conn *conn;
    for (bool first = true; (conn = conn_open(server, purpose, &failure)) == NULL; first = false) {
        if (first && mt_error_is_transient(failure))
            log_warning("mysql", log_msg("server is not reachable, trying again"),
                        log_str("side", side_name(server->side)), log_str("for", purpose),
                        log_str("error", failure->message));
        if (!retry_again(&retry, &failure)) {
            g_propagate_error(error, failure);
            return NULL;
        }
    }
    return conn;
}

/*
 * A host that lost its power is silent, too: then another server may answer by now, or the same one
 * that was restarted, and the number be somebody else's. So only on the same server, and only a
 * session of our own account.
 */
static bool
is_own_session(struct conn *conn, uint64_t session, GError **error)
{
    /* Not from information_schema, which fails while anybody's statement holds raw bytes. */
    g_autoptr(result) all = conn_query(conn, "SHOW PROCESSLIST", error);
    for (size_t i = 0; all != NULL && i < result_rows(all); i++)
        if (result_uint(all, i, "Id") == session)
            return g_strcmp0(result_get(all, i, "User"), conn->server.endpoint->user) == 0;
    return false;
}

static void
end_silent_session(struct conn *conn, const struct conn *silent)
{
    g_autoptr(GError) gone = NULL;
    if (g_strcmp0(conn->server_uuid, silent->server_uuid) == 0 &&
        is_own_session(conn, silent->silent_session, &gone)) {
        log_info("mysql", log_msg("ending a session that the server may not know to be lost"),
                 log_str("side", side_name(conn->server.side)), log_str("for", conn->purpose),
                 log_int("session", (int64_t)silent->silent_session));
        (void)!conn_execf(conn, &gone, "KILL %" G_GUINT64_FORMAT, silent->silent_session);
    }
    if (gone != NULL)
        log_debug("mysql", log_msg("silent session"), log_str("error", gone->message));
}

bool
conn_ensure(struct conn **conn, const struct server *server, const char *purpose, bool patient,
            GError **error)
{
    if (*conn != NULL && !(*conn)->broken)
        return true;
    struct conn *fresh = patient ? conn_open_retrying(server, purpose, error)
                                 : conn_open(server, purpose, error);
    if (fresh == NULL)
        return false;
    if (*conn != NULL && (*conn)->silent_session != 0)
        end_silent_session(fresh, *conn);
    conn_close(*conn);
    *conn = fresh;
    return true;
}

void
conn_break(struct conn *conn)
{
    conn->broken = true;
}

void
conn_close(struct conn *conn)
{
    if (conn == NULL)
        return;
    if (conn->streaming != NULL) {
        /* Do not read a long result away: the connection goes anyhow. */
        conn_interrupt(conn);
        mysql_free_result(conn->streaming);
    }
    mysql_close(conn->handle);
    g_free(conn->server_uuid);
    g_free(conn);
}

/* --- facts ------------------------------------------------------------------------------ */

const struct server *
conn_server(const struct conn *conn)
{
    return &conn->server;
}

MYSQL *
conn_handle(struct conn *conn)
{
    return conn->handle;
}

uint64_t
conn_affected_rows(const struct conn *conn)
{
    return conn->affected_rows;
}

unsigned
conn_warning_count(const struct conn *conn)
{
    return conn->warnings;
}

unsigned
conn_errno(const struct conn *conn)
{
    return conn->last_errno;
}

uint64_t
conn_thread_id(const struct conn *conn)
{
    return mysql_thread_id(conn->handle);
}

void
conn_interrupt(struct conn *conn)
{
    if (conn->handle->net.fd >= 0)
        shutdown(conn->handle->net.fd, SHUT_RDWR);
}

/* --- errors ----------------------------------------------------------------------------- */

static enum mt_error
code_for(enum side side, unsigned number)
{
    enum mt_error lost = side == SIDE_SOURCE ? MT_ERROR_SOURCE_LOST : MT_ERROR_TARGET_LOST;
    switch (number) {
    case CR_SOCKET_CREATE_ERROR:
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_UNKNOWN_HOST:
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_HANDSHAKE_ERR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
    case CR_SSL_CONNECTION_ERROR:
    case CR_MALFORMED_PACKET:
    case ER_CON_COUNT_ERROR:
    case ER_SERVER_SHUTDOWN:
    case ER_SERVER_OFFLINE_MODE:
    case ER_HANDSHAKE_ERROR:
    case ER_ABORTING_CONNECTION:
    case ER_NEW_ABORTING_CONNECTION:
    case ER_NET_READ_ERROR:
    case ER_NET_READ_INTERRUPTED:
    case ER_NET_ERROR_ON_WRITE:
    case ER_NET_WRITE_INTERRUPTED:
    case ER_NET_PACKETS_OUT_OF_ORDER:
    case ER_QUERY_INTERRUPTED:
    case ER_SESSION_WAS_KILLED:
    case ER_CLIENT_INTERACTION_TIMEOUT:
        return lost;
    /* A value that the server does not take as it is. */
    case ER_WARN_DATA_OUT_OF_RANGE:
    case WARN_DATA_TRUNCATED:
    case ER_TRUNCATED_WRONG_VALUE:
    case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
    case ER_DATA_TOO_LONG:
    case ER_BAD_NULL_ERROR:
    case ER_INVALID_CHARACTER_STRING:
    case ER_INVALID_JSON_TEXT:
    case ER_INVALID_JSON_CHARSET:
    case ER_CHECK_CONSTRAINT_VIOLATED:
    case ER_CANT_CREATE_GEOMETRY_OBJECT:
    case ER_NET_PACKET_TOO_LARGE:
    /* Computed by the target: generated columns, functional indexes, partitions. */
    case ER_DATA_OUT_OF_RANGE:
    case ER_DIVISION_BY_ZERO:
    case ER_NO_PARTITION_FOR_GIVEN_VALUE:
    case ER_WRONG_VALUE:
    case VECTOR_OF_WRONG_LENGTH_6136:
    case FUNCTIONAL_INDEX_RANGE_3752:
        return MT_ERROR_DATA;
    /* A table that is not what it was when it was inspected. */
    case ER_NO_SUCH_TABLE:
    case ER_BAD_FIELD_ERROR:
    case ER_KEY_DOES_NOT_EXITS:
        return side == SIDE_SOURCE ? MT_ERROR_DATA : MT_ERROR_TARGET;
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
        return side == SIDE_TARGET ? MT_ERROR_TARGET_BUSY : MT_ERROR_SOURCE;
    default:
        return side == SIDE_SOURCE ? MT_ERROR_SOURCE : MT_ERROR_TARGET;
    }
}

/* What the operator can do about the commonest refusals. */
static const char *
cure_for(unsigned number)
{
    switch (number) {
    case ER_ACCESS_DENIED_ERROR:
        return "; check user, password and the host that the account is for";
    case ER_OPTION_PREVENTS_STATEMENT:
    case ER_READ_ONLY_MODE:
        return "; the server is read-only: SET GLOBAL read_only = OFF, or name the primary";
    case DISK_FULL_1021:
    case EE_WRITE_3:
    case EE_DISK_FULL_20:
    case ER_RECORD_FILE_FULL:
    case ER_ERROR_ON_WRITE:
        return "; free disk space on the server, then run again: the move resumes";
    case ER_NET_PACKET_TOO_LARGE:
        return "; raise max_allowed_packet on the server";
    case CR_CONN_HOST_ERROR:
    case CR_CONNECTION_ERROR:
    case CR_UNKNOWN_HOST:
        return "; check host, port and that the server is up";
    default:
        return "";
    }
}

/* The start of a statement, cut before anything that could be a row's value. */
static char *
statement_start(const char *what)
{
    size_t length = strcspn(what, "(;'=\n");
    return g_strndup(what, MIN(length, (size_t)90));
}

void
conn_fail_with(const struct conn *conn, unsigned number, const char *text, const char *what,
               GError **error)
{
    const struct endpoint *endpoint = conn->server.endpoint;
    g_autofree char *start = statement_start(what);
    g_autofree char *words = server_words_without_values(number, text);
    g_autofree char *place = endpoint->socket != NULL
                                 ? g_strdup(endpoint->socket)
                                 : g_strdup_printf("%s:%u", endpoint->host, endpoint->port);
    g_set_error(error, MT_ERROR, (int)code_for(conn->server.side, number),
                "%s %s (%s), %s: %s (error %u)%s", side_name(conn->server.side), place,
                conn->purpose, g_strchomp(start), words, number, cure_for(number));
}

void
conn_fail(struct conn *conn, const char *what, GError **error)
{
    conn->last_errno = mysql_errno(conn->handle);
    const char *text = mysql_error(conn->handle);
    int64_t silent_s = (clock_monotonic_us() - conn->asked_us) / 1000000;
    bool lost = conn->last_errno == CR_SERVER_LOST || conn->last_errno == CR_SERVER_LOST_EXTENDED;
    if (!lost || conn->streaming != NULL || silent_s < conn->server.read_timeout_s) {
        conn_fail_with(conn, conn->last_errno, text, what, error);
        return;
    }
    conn->silent_session = mysql_thread_id(conn->handle);
    /* The client library says the same of a connection that was closed and of one that is dead. */
    g_autofree char *silence = g_strdup_printf("%s; it was silent for %" G_GINT64_FORMAT " s", text,
                                               silent_s);
    conn_fail_with(conn, conn->last_errno, silence, what, error);
}
