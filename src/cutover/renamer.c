#include "cutover/renamer.h"

#include <mysqld_error.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "mysql/quote.h"

#define AWAY_PAUSE_MS 200
/* For the lock beyond cutover.lock_wait_timeout_s: until a dead client's statement has ended. */
#define LOCK_EXTRA_S 5

struct renamer {
    const struct config *config;
    struct server server;
    char *lock_name;
    char *runner_name; /* of a second lock, which only this renamer ever takes */
    pthread_mutex_t mutex;
    struct conn *conn; /* NULL after it was lost */
    uint64_t tenure;   /* how often the lock was taken */
};

/* GET_LOCK's names are at most 64 characters. */
static char *
lock_name_of(const char *move)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA1, move, -1);
    return g_strdup_printf("move-tables:rename:%s", digest);
}

/*
 * A connection that was cut off without the server noticing still holds the lock: our own earlier
 * one must not be taken for another runner. The second lock tells them apart, as only this renamer
 * takes it; a connection's number would not, since they begin anew when the server is restarted.
 * The lock is given back when the killed session's statement has ended, so that whoever gets it
 * still knows that no RENAME of ours is waiting.
 */
static bool
end_former_session(struct renamer *renamer, struct conn *conn, GError **error)
{
    g_autoptr(result) former = conn_queryf(conn, error, "SELECT IS_USED_LOCK('%s') AS session",
                                           renamer->runner_name);
    if (former == NULL)
        return false;
    if (result_get(former, 0, "session") == NULL)
        return true;
    log_info("cutover", log_msg("ending our former session on the source, which lost its client"),
             log_str("session", result_get(former, 0, "session")));
    g_autoptr(GError) gone = NULL;
    if (!conn_execf(conn, &gone, "KILL %s", result_get(former, 0, "session")))
        log_debug("cutover", log_msg("former session"), log_str("error", gone->message));
    return true;
}

/*
 * Who never had the lock gives way. Who had it and lost its connection does not: a run that has just
 * begun may hold the lock for a moment and then be refused by the lease. Whether the move is still
 * ours, the epoch on the target tells.
 */
static void
set_lost_error(const struct renamer *renamer, const char *holder, GError **error)
{
    if (renamer->tenure == 0)
        g_set_error(error, MT_ERROR, MT_ERROR_FENCED,
                    "another runner of move \"%s\" holds its lock on the source (connection %s); "
                    "stop it with `move-tables abort`, or wait until it has ended",
                    renamer->config->move, holder != NULL ? holder : "?");
    else
        g_set_error(error, MT_ERROR, MT_ERROR_SOURCE_BUSY,
                    "the lock of move \"%s\" on the source was lost with its connection and is "
                    "held by another runner's connection %s",
                    renamer->config->move, holder != NULL ? holder : "?");
}

/* Takes both locks within wait_s, or gives set_lost_error(). Asks anew every second, so that a connection
 * that dies meanwhile is noticed. */
static bool
take_locks(struct renamer *renamer, struct conn *conn, unsigned wait_s, GError **error)
{
    for (unsigned waited_s = 0;; waited_s++) {
        unsigned step_s = waited_s < wait_s ? 1 : 0;
        g_autoptr(result) lock = conn_queryf(conn, error,
                                             "SELECT GET_LOCK('%s', %u) AS got,"
                                             " IS_USED_LOCK('%s') AS holder,"
                                             " GET_LOCK('%s', %u) AS marked",
                                             renamer->lock_name, step_s, renamer->lock_name,
                                             renamer->runner_name, step_s);
        if (lock == NULL)
            return false;
        if (result_int(lock, 0, "got") == 1 && result_int(lock, 0, "marked") == 1)
            return true;
        if (waited_s < wait_s)
            continue;
        set_lost_error(renamer, result_get(lock, 0, "holder"), error);
        return false;
    }
}

/* Connects and takes the lock. `patient`: waits for a server that is away. */
static bool
connect_locked(struct renamer *renamer, unsigned wait_s, bool patient, GError **error)
{
    g_autoptr(conn) conn = patient ? conn_open_retrying(&renamer->server, "rename", error)
                                   : conn_open(&renamer->server, "rename", error);
    if (conn == NULL || !end_former_session(renamer, conn, error))
        return false;
    /* Before the lock: a runner that is frozen right after GET_LOCK must lose it in a minute, too. */
    if (!conn_execf(conn, error,
                    "SET SESSION lock_wait_timeout=%" G_GINT64_FORMAT
                    ", wait_timeout=60, information_schema_stats_expiry=0",
                    renamer->config->cutover.lock_wait_timeout_s) ||
        !take_locks(renamer, conn, wait_s, error))
        return false;
    renamer->conn = g_steal_pointer(&conn);
    renamer->tenure++;
    return true;
}

bool
renamer_lock_connection(struct conn *conn, const struct config *config, GError **error)
{
    g_autofree char *lock_name = lock_name_of(config->move);
    /* A command that is frozen loses the lock, and with it the connection that could use it. */
    if (!conn_exec(conn, "SET SESSION wait_timeout = 60", error))
        return false;
    g_autoptr(result) lock = conn_queryf(
        conn, error,
        "SELECT GET_LOCK('%s', %" G_GINT64_FORMAT ") AS got, IS_USED_LOCK('%s') AS holder",
        lock_name, config->cutover.lock_wait_timeout_s + LOCK_EXTRA_S, lock_name);
    if (lock == NULL)
        return false;
    if (result_int(lock, 0, "got") == 1)
        return true;
    const char *holder = result_get(lock, 0, "holder");
    g_set_error(error, MT_ERROR, MT_ERROR_FENCED,
                "the lock of move \"%s\" on the source is held by connection %s: a runner or a "
                "command works on the move, wait until it has ended",
                config->move, holder != NULL ? holder : "?");
    return false;
}

struct renamer *
renamer_open(const struct config *config, unsigned wait_s, GError **error)
{
    struct renamer *renamer = g_new0(struct renamer, 1);
    renamer->config = config;
    /* RENAME waits for its locks without a word. */
    struct server source = server_of_source(config);
    renamer->server = server_quick(&source);
    renamer->server.read_timeout_s += config->cutover.lock_wait_timeout_s;
    g_autofree char *self = g_uuid_string_random();
    renamer->runner_name = g_strdup_printf("move-tables:runner:%s", self);
    renamer->lock_name = lock_name_of(config->move);
    pthread_mutex_init(&renamer->mutex, NULL);
    if (!connect_locked(renamer, wait_s, true, error)) {
        renamer_close(renamer);
        return NULL;
    }
    return renamer;
}

void
renamer_close(struct renamer *renamer)
{
    if (renamer == NULL)
        return;
    conn_close(renamer->conn);
    pthread_mutex_destroy(&renamer->mutex);
    g_free(renamer->lock_name);
    g_free(renamer->runner_name);
    g_free(renamer);
}

/* Runs under the mutex: the connection, opened and locked again when it was lost. The caller
 * checks the lease after that and before it renames. */
static struct conn *
connection(struct renamer *renamer, bool patient, GError **error)
{
    if (renamer->conn == NULL)
        (void)connect_locked(
            renamer,
            patient ? (unsigned)renamer->config->cutover.lock_wait_timeout_s + LOCK_EXTRA_S : 0,
            patient, error);
    return renamer->conn;
}

static void
drop_if_lost(struct renamer *renamer, const GError *failure)
{
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_SOURCE_LOST))
        g_clear_pointer(&renamer->conn, conn_close);
}

/* One query on the connection; NULL with the error. Caller holds the mutex. */
static struct result *
query(struct renamer *renamer, const char *sql, bool patient, GError **error)
{
    GError *failure = NULL;
    struct conn *conn = connection(renamer, patient, &failure);
    struct result *result = conn != NULL ? conn_query(conn, sql, &failure) : NULL;
    if (result == NULL) {
        drop_if_lost(renamer, failure);
        g_propagate_error(error, failure);
    }
    return result;
}

/* A query that changes nothing: done again, once, when the connection turns out to be lost. Caller
 * holds the mutex. */
static struct result *
query_again(struct renamer *renamer, const char *sql, GError **error)
{
    g_autoptr(GError) lost = NULL;
    struct result *result = query(renamer, sql, true, &lost);
    if (result == NULL && g_error_matches(lost, MT_ERROR, MT_ERROR_SOURCE_LOST))
        return query(renamer, sql, true, error);
    if (result == NULL)
        g_propagate_error(error, g_steal_pointer(&lost));
    return result;
}

static struct result *
query_locked(struct renamer *renamer, const char *sql, GError **error)
{
    pthread_mutex_lock(&renamer->mutex);
    struct result *result = query_again(renamer, sql, error);
    pthread_mutex_unlock(&renamer->mutex);
    return result;
}

bool
renamer_keep(struct renamer *renamer, GError **error)
{
    pthread_mutex_lock(&renamer->mutex);
    g_autoptr(result) alive = query(renamer, "SELECT 1", false, error);
    pthread_mutex_unlock(&renamer->mutex);
    return alive != NULL;
}

bool
renamer_hold(struct renamer *renamer, uint64_t *ret_tenure, GError **error)
{
    pthread_mutex_lock(&renamer->mutex);
    g_autoptr(result) alive = query_again(renamer, "SELECT 1", error);
    *ret_tenure = renamer->tenure;
    pthread_mutex_unlock(&renamer->mutex);
    return alive != NULL;
}

bool
renamer_gtid_executed(struct renamer *renamer, char **ret_text, GError **error)
{
    g_autoptr(result) result = query_locked(renamer, "SELECT @@GLOBAL.gtid_executed", error);
    if (result == NULL)
        return false;
    *ret_text = g_strdup(result_at(result, 0, 0));
    return true;
}

bool
renamer_has_executed(struct renamer *renamer, const char *gtids, int64_t until_us, bool *ret_has,
                     GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT GTID_SUBSET('%s', @@GLOBAL.gtid_executed) AS has", gtids);
    for (;;) {
        g_autoptr(GError) failure = NULL;
        pthread_mutex_lock(&renamer->mutex);
        g_autoptr(result) answer = query(renamer, sql, false, &failure);
        pthread_mutex_unlock(&renamer->mutex);
        if (answer != NULL) {
            *ret_has = result_int(answer, 0, "has") == 1;
            return true;
        }
        if (!mt_error_is_transient(failure) || clock_monotonic_us() >= until_us ||
            stop_wait_ms(AWAY_PAUSE_MS)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    }
}

/* --- looking ---------------------------------------------------------------------------- */

/* (TABLE_SCHEMA, TABLE_NAME) IN (…): the original and the moved names. */
static void
append_names(GString *sql, GPtrArray *moved_tables, bool originals, bool moved)
{
    const char *separator = "(";
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(moved_tables, i);
        const char *names[] = {originals ? table->source->name : NULL,
                               moved ? table->moved_as : NULL};
        for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
            if (names[n] == NULL)
                continue;
            g_string_append(sql, separator);
            g_string_append_c(sql, '(');
            quote_string(sql, table->source->schema);
            g_string_append_c(sql, ',');
            quote_string(sql, names[n]);
            g_string_append_c(sql, ')');
            separator = ",";
        }
    }
    g_string_append_c(sql, ')');
}

static bool
is_listed(const struct result *result, const char *schema, const char *name)
{
    for (size_t row = 0; row < result_rows(result); row++)
        if (g_strcmp0(result_get(result, row, "s"), schema) == 0 &&
            g_strcmp0(result_get(result, row, "t"), name) == 0)
            return true;
    return false;
}

bool
renamer_look(struct renamer *renamer, GPtrArray *moved_tables, enum source_tables *ret_where,
             char **ret_detail, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM "
                                          "information_schema.TABLES WHERE "
                                          "(TABLE_SCHEMA, TABLE_NAME) IN ");
    append_names(sql, moved_tables, true, true);
    g_autoptr(result) found = query_locked(renamer, sql->str, error);
    if (found == NULL)
        return false;

    guint originals = 0;
    guint renamed = 0;
    g_autoptr(GString) detail = g_string_new(NULL);
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(moved_tables, i);
        bool original = is_listed(found, table->source->schema, table->source->name);
        bool moved = is_listed(found, table->source->schema, table->moved_as);
        originals += original && !moved ? 1 : 0;
        renamed += moved && !original ? 1 : 0;
        g_string_append_printf(detail, "%s%s.%s: ", i > 0 ? "; " : "", table->source->schema,
                               table->source->name);
        if (original && moved)
            g_string_append_printf(detail, "exists, and its moved name %s too", table->moved_as);
        else
            g_string_append(detail, original ? "not renamed"
                                    : moved  ? "renamed"
                                             : "gone under both names");
    }
    *ret_where = originals == moved_tables->len ? SOURCE_ORIGINAL
                 : renamed == moved_tables->len ? SOURCE_RENAMED
                                                : SOURCE_OTHER;
    *ret_detail = *ret_where == SOURCE_OTHER ? g_strdup(detail->str) : NULL;
    return true;
}

/* --- renaming --------------------------------------------------------------------------- */

char *
rename_statement(GPtrArray *moved_tables, const char *token, bool back)
{
    GString *sql = g_string_new("RENAME /* ");
    g_string_append_printf(sql, "%s */ TABLE ", token);
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(moved_tables, i);
        const char *original = table->source->name;
        g_string_append(sql, i > 0 ? ", " : "");
        quote_table(sql, table->source->schema, back ? table->moved_as : original);
        g_string_append(sql, " TO ");
        quote_table(sql, table->source->schema, back ? original : table->moved_as);
    }
    return g_string_free(sql, FALSE);
}

bool
renamer_rename(struct renamer *renamer, const struct rename_request *request,
               struct rename_outcome *ret_outcome, GError **error)
{
    g_autofree char *rename = rename_statement(request->moved_tables, request->token,
                                               request->back);
    g_autofree char *sql = g_strconcat(rename, "; SELECT @@GLOBAL.gtid_executed", NULL);
    GError *failure = NULL;
    g_autoptr(result) result = NULL;

    *ret_outcome = (struct rename_outcome){0};
    pthread_mutex_lock(&renamer->mutex);
    /* Never under another tenure than the one that the caller decided under: between the two,
     * another runner may have come and gone. */
    if (renamer->conn == NULL || renamer->tenure != request->tenure) {
        g_set_error(&failure, MT_ERROR, MT_ERROR_SOURCE_LOST,
                    "source (rename): the connection was lost before the RENAME");
    } else {
        failpoint_reach(request->back ? FAILPOINT_UNDO_BEFORE_RENAME
                                      : FAILPOINT_RENAME_BEFORE_SEND);
        /* Dying after it is sent: it happens, or waits for its locks on a connection that keeps the
         * source's lock until it has ended. The next run gets that lock after it. */
        result = conn_query_at(renamer->conn, sql,
                               request->back ? FAILPOINT_UNDO_RENAME_SENT : FAILPOINT_RENAME_SENT,
                               &failure);
        unsigned number = result == NULL ? conn_errno(renamer->conn) : 0;
        ret_outcome->lock_timeout = number == ER_LOCK_WAIT_TIMEOUT;
        /* What only RENAME says, not the question behind it. */
        ret_outcome->refused = number == ER_LOCK_WAIT_TIMEOUT || number == ER_LOCK_DEADLOCK ||
                               number == ER_TABLE_EXISTS_ERROR || number == ER_NO_SUCH_TABLE ||
                               number == ER_TABLEACCESS_DENIED_ERROR;
        drop_if_lost(renamer, failure);
    }
    pthread_mutex_unlock(&renamer->mutex);

    if (result != NULL) {
        ret_outcome->renamed = true;
        ret_outcome->gtid_executed = g_strdup(result_at(result, 0, 0));
        return true;
    }
    if (ret_outcome->lock_timeout) {
        g_error_free(failure);
        return true;
    }
    g_propagate_error(error, failure);
    return false;
}

bool
renamer_auto_increments(struct renamer *renamer, GPtrArray *moved_tables, uint64_t *ret_values,
                        GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t, "
                                          "AUTO_INCREMENT AS n FROM information_schema.TABLES "
                                          "WHERE (TABLE_SCHEMA, TABLE_NAME) IN ");
    append_names(sql, moved_tables, false, true);
    g_autoptr(result) found = query_locked(renamer, sql->str, error);
    if (found == NULL)
        return false;
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(moved_tables, i);
        ret_values[i] = 0;
        for (size_t row = 0; row < result_rows(found); row++)
            if (g_strcmp0(result_get(found, row, "s"), table->source->schema) == 0 &&
                g_strcmp0(result_get(found, row, "t"), table->moved_as) == 0)
                ret_values[i] = result_uint(found, row, "n");
    }
    return true;
}
