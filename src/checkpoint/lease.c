#include "checkpoint/lease.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/version.h"
#include "checkpoint/lease_int.h"
#include "checkpoint/schema_int.h"
#include "checkpoint/sql_int.h"
#include "mysql/retry.h"
#include "mysql/quote.h"

/* A lock whose host went away is freed by the server after this silence. The
 * keeper asks every second, so only a dead or frozen runner is ever silent that long. */
#define LOCK_IDLE_S 60
#define LOCK_NAME_MAX 64
#define RETRY_PAUSE_MS 200
/* Nobody holds the DDL lock for long but a runner that was overtaken. */
#define DDL_WAIT_S 5

struct lease {
    struct server server;
    struct server ddl_server; /* DDL takes its time */
    const struct config *config;
    struct conn *conn; /* holds the lock; used by lease_keep()'s thread only; NULL while lost */
    uint64_t session;  /* the server's id of the session that last held the lock */
    char *lock_name;
    char *ddl_lock_name;
    char *owner;
    char *begin_sql;           /* read-only after lease_take(): shared by all threads */
    char *begin_exclusive_sql; /* the same */
    char *epoch_sql;           /* the same */
    uint64_t epoch;
};

static char *
lock_name(const char *prefix, const char *database, const char *move)
{
    char *plain = g_strdup_printf("%s:%s:%s", prefix, database, move);
    if (g_utf8_strlen(plain, -1) <= LOCK_NAME_MAX)
        return plain;
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, plain, -1);
    int room = (int)(LOCK_NAME_MAX - strlen(prefix) - 1);
    g_free(plain);
    return g_strdup_printf("%s:%.*s", prefix, MIN(room, 50), digest);
}

char *
lease_lock_name(const char *database, const char *move)
{
    return lock_name("move-tables", database, move);
}

/* --- GET_LOCK ------------------------------------------------------------------------------ */

bool
lock_take(struct conn *target, const char *name, unsigned wait_s, bool *ret_taken, GError **error)
{
    g_autofree char *quoted = quoted_string(name);
    for (unsigned waited_s = 0;; waited_s++) {
        /* In steps of a second, so that a stop request is noticed. */
        g_autofree char *sql = g_strdup_printf("SELECT GET_LOCK(%s, %d)", quoted,
                                               wait_s > waited_s ? 1 : 0);
        g_autofree char *got = NULL;
        if (!conn_query_value(target, sql, &got, error))
            return false;
        if (g_strcmp0(got, "1") == 0 || waited_s >= wait_s) {
            *ret_taken = g_strcmp0(got, "1") == 0;
            return true;
        }
        if (stop_requested()) {
            g_set_error(error, MT_ERROR, MT_ERROR_STOPPED, "stopped while waiting for the lock %s",
                        name);
            return false;
        }
    }
}

void
lock_drop(struct conn *target, const char *name)
{
    g_autofree char *quoted = quoted_string(name);
    g_autofree char *sql = g_strdup_printf("DO RELEASE_LOCK(%s)", quoted);
    g_autoptr(GError) ignored = NULL;
    if (!conn_exec(target, sql, &ignored))
        log_debug("lease", log_msg("lock was not released, it ends with its connection"),
                  log_str("error", ignored->message));
}

bool
lease_is_held(struct conn *target, const struct config *config, bool *ret_held, GError **error)
{
    g_autofree char *name = lease_lock_name(config->checkpoint.database, config->move);
    g_autofree char *quoted = quoted_string(name);
    g_autofree char *sql = g_strdup_printf("SELECT IS_USED_LOCK(%s)", quoted);
    g_autofree char *holder = NULL;
    if (!conn_query_value(target, sql, &holder, error))
        return false;
    *ret_held = holder != NULL;
    return true;
}

void
lease_set_owned_error(struct conn *target, const struct config *config, GError **error)
{
    g_autofree char *sql = sql_of(config, "SELECT * FROM {db}.`lease` WHERE `move` = {move}");
    g_autoptr(GError) ignored = NULL;
    g_autoptr(result) row = conn_query(target, sql, &ignored);
    bool known = row != NULL && result_rows(row) > 0;
    g_set_error(error, MT_ERROR, MT_ERROR_FENCED,
                "move '%s' is being run by %s since %s UTC; end it there (move-tables abort) or "
                "let it finish. If that host is gone, the target frees its lock within %d s",
                config->move, known ? result_get(row, 0, "owner") : "another runner",
                known ? result_get(row, 0, "taken_at") : "a moment ago", LOCK_IDLE_S);
}

/* --- taking -------------------------------------------------------------------------------- */

static struct conn *
open_lock_conn(const struct lease *lease, bool retrying, GError **error)
{
    struct conn *conn = retrying ? conn_open_retrying(&lease->server, "lease", error)
                                 : conn_open(&lease->server, "lease", error);
    if (conn != NULL && !conn_execf(conn, error, "SET SESSION wait_timeout = %d", LOCK_IDLE_S))
        g_clear_pointer(&conn, conn_close);
    return conn;
}

/*
 * A new epoch. The row is locked until COMMIT, which therefore waits for every
 * write transaction of the older runner; all that it begins later stops.
 *
 * An epoch is the time, or one more than the last where that is later: it grows
 * whatever the server's clock does, and a move that is cleaned away and begun
 * again, or a target that is restored from a backup, does not count through the
 * epochs that a frozen runner may still believe in.
 */
static bool
bump_epoch(struct lease *lease, GError **error)
{
    g_autoptr(GString) sql = g_string_new("START TRANSACTION; ");
    sql_add(sql, lease->config,
            "INSERT INTO {db}.`lease` (`move`, `epoch`, `owner`, `taken_at`)"
            " VALUES ({move}, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED), ");
    quote_string(sql, lease->owner);
    g_string_append(sql, ", NOW(6)) ON DUPLICATE KEY UPDATE `epoch` = GREATEST(`epoch` + 1,"
                         " CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED)), `owner` = ");
    quote_string(sql, lease->owner);
    /* Who had a turn, and with which build: a later build can tell by it what an older one has done
     * without knowing of the later one's tables. */
    sql_add(sql, lease->config,
            ", `taken_at` = NOW(6);"
            " INSERT INTO {db}.`run` (`move`, `epoch`, `owner`, `began_at`, `build`)"
            " SELECT `move`, `epoch`, `owner`, `taken_at`, ");
    quote_string(sql, build_identity());
    sql_add(sql, lease->config,
            " FROM {db}.`lease` WHERE `move` = {move};"
            " SELECT `epoch` FROM {db}.`lease` WHERE `move` = {move} FOR UPDATE");
    g_autoptr(result) row = conn_query(lease->conn, sql->str, error);
    if (row == NULL)
        return false;
    lease->epoch = result_uint(row, 0, "epoch");
    failpoint_reach(FAILPOINT_LEASE_BEFORE_COMMIT);
    return conn_exec(lease->conn, "COMMIT", error);
}

/* After the epoch is bumped nobody can begin DDL under an older one; what was begun before is waited
 * for. */
static bool
outlast_ddl(struct lease *lease, GError **error)
{
    bool taken = false;
    if (!lock_take(lease->conn, lease->ddl_lock_name, DDL_WAIT_S, &taken, error))
        return false;
    if (!taken) {
        g_set_error(error, MT_ERROR, MT_ERROR_TARGET_BUSY,
                    "an older runner of move '%s' is still in the middle of a CREATE, ALTER or "
                    "DROP on the target (lock %s)",
                    lease->config->move, lease->ddl_lock_name);
        return false;
    }
    lock_drop(lease->conn, lease->ddl_lock_name);
    return true;
}

static bool
take_once(struct lease *lease, unsigned wait_s, GError **error)
{
    if (lease->conn == NULL) {
        lease->conn = open_lock_conn(lease, true, error);
        if (lease->conn == NULL)
            return false;
    }
    lease->session = conn_thread_id(lease->conn);
    bool taken = false;
    if (!lock_take(lease->conn, lease->lock_name, wait_s, &taken, error))
        return false;
    if (!taken) {
        lease_set_owned_error(lease->conn, lease->config, error);
        return false;
    }
    /* The list of migrations last: another build that changes the meaning of something records it
     * before it looks for leases, so one of the two finds the other. */
    return bump_epoch(lease, error) && outlast_ddl(lease, error) &&
           schema_allows(lease->conn, lease->config, error);
}

struct lease *
lease_take(const struct server *target, const struct config *config, unsigned wait_s,
           GError **error)
{
    struct lease *lease = g_new0(struct lease, 1);
    /* Nothing that runs on the lock's connection takes longer than a lock wait. */
    lease->server = server_quick(target);
    lease->ddl_server = server_slow(target);
    lease->config = config;
    lease->lock_name = lease_lock_name(config->checkpoint.database, config->move);
    lease->owner = g_strdup_printf("%.200s:%ld", g_get_host_name(), (long)getpid());
    lease->ddl_lock_name = lock_name("move-tables-ddl", config->checkpoint.database, config->move);
    lease->epoch_sql = sql_of(config, "SELECT `epoch`, `owner`, `taken_at`"
                                      " FROM {db}.`lease` WHERE `move` = {move}");
    lease->begin_sql = g_strdup_printf("START TRANSACTION; %s FOR SHARE", lease->epoch_sql);
    lease->begin_exclusive_sql = sql_of(
        config, "START TRANSACTION; SELECT l.`epoch`, l.`owner`, l.`taken_at` FROM {db}.`lease` l"
                " LEFT JOIN {db}.`move` m ON m.`name` = l.`move` WHERE l.`move` = {move}"
                " FOR SHARE OF l FOR UPDATE OF m");

    struct retry retry = retry_for(target, RETRY_PAUSE_MS, RETRY_PAUSE_MS);
    GError *failure = NULL;
    while (!take_once(lease, wait_s, &failure)) {
        /* A lock wait: a transaction or a DDL of the older runner is still open. The server ends it
         * when its runner has been silent for a minute (time-outs of every target session). */
        if (g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_BUSY))
            log_info("lease",
                     log_msg("an older runner is still in the middle of a write; the server ends "
                             "it after 60 s of silence"),
                     log_str("error", failure->message));
        g_clear_pointer(&lease->conn, conn_close);
        if (!retry_again(&retry, &failure)) {
            g_propagate_error(error, failure);
            lease_release(lease);
            return NULL;
        }
    }
    /* The epoch is durable. If we die here, nothing else was written and the next run bumps it
     * again. */
    failpoint_reach(FAILPOINT_LEASE_TAKEN);
    return lease;
}

void
lease_let_go(struct lease *lease)
{
    if (lease->conn != NULL)
        lock_drop(lease->conn, lease->lock_name);
    g_clear_pointer(&lease->conn, conn_close);
}

void
lease_release(struct lease *lease)
{
    if (lease == NULL)
        return;
    lease_let_go(lease);
    g_free(lease->lock_name);
    g_free(lease->ddl_lock_name);
    g_free(lease->owner);
    g_free(lease->begin_sql);
    g_free(lease->begin_exclusive_sql);
    g_free(lease->epoch_sql);
    g_free(lease);
}

uint64_t
lease_epoch(const struct lease *lease)
{
    return lease->epoch;
}

const char *
lease_owner(const struct lease *lease)
{
    return lease->owner;
}

/* --- checking ------------------------------------------------------------------------------ */

/* The epoch that was read against ours. */
static bool
judge_epoch(const struct lease *lease, const struct result *row, GError **error)
{
    if (result_rows(row) == 0) {
        g_set_error(error, MT_ERROR, MT_ERROR_FENCED,
                    "move '%s' is no longer in the checkpoint: somebody discarded it; this runner "
                    "(%s) touches nothing more",
                    lease->config->move, lease->owner);
        return false;
    }
    uint64_t epoch = result_uint(row, 0, "epoch");
    if (epoch == lease->epoch)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_FENCED,
                "move '%s' was taken over by %s at %s UTC (epoch %" G_GUINT64_FORMAT
                ", ours was %" G_GUINT64_FORMAT "); this runner (%s) touches nothing more",
                lease->config->move, result_get(row, 0, "owner"), result_get(row, 0, "taken_at"),
                epoch, lease->epoch, lease->owner);
    return false;
}

static void
rollback(struct conn *conn)
{
    g_autoptr(GError) ignored = NULL;
    if (!conn_exec(conn, "ROLLBACK", &ignored))
        log_debug("lease", log_msg("rollback"), log_str("error", ignored->message));
}

static bool
begin_with(const struct lease *lease, struct conn *conn, const char *sql, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(result) row = conn_query(conn, sql, &failure);
    if (row != NULL && judge_epoch(lease, row, &failure))
        return true;
    bool lost = g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST);
    g_propagate_error(error, g_steal_pointer(&failure));
    if (!lost)
        rollback(conn);
    return false;
}

bool
lease_begin(const struct lease *lease, struct conn *conn, GError **error)
{
    return begin_with(lease, conn, lease->begin_sql, error);
}

bool
lease_begin_exclusive(const struct lease *lease, struct conn *conn, GError **error)
{
    return begin_with(lease, conn, lease->begin_exclusive_sql, error);
}

bool
lease_check(const struct lease *lease, struct conn *conn, GError **error)
{
    g_autoptr(result) row = conn_query(conn, lease->epoch_sql, error);
    return row != NULL && judge_epoch(lease, row, error);
}

static bool
ddl_begin_once(const struct lease *lease, const struct server *server, struct conn **conn,
               GError **error)
{
    bool taken = false;
    if (!conn_ensure(conn, server, "tables", false, error) ||
        !lock_take(*conn, lease->ddl_lock_name, DDL_WAIT_S, &taken, error))
        return false;
    if (!taken) {
        g_set_error(error, MT_ERROR, MT_ERROR_TARGET_BUSY,
                    "another session holds the lock %s: move '%s' is being taken over",
                    lease->ddl_lock_name, lease->config->move);
        return false;
    }
    /* Under the lock, not before it. */
    if (lease_check(lease, *conn, error))
        return true;
    lock_drop(*conn, lease->ddl_lock_name);
    return false;
}

bool
lease_ddl_begin(const struct lease *lease, struct conn **conn, GError **error)
{
    g_autoptr(GError) failure = NULL;
    bool was_open = *conn != NULL;
    /* The caller's time-out stays: a drain has less patience than the making of tables. */
    struct server server = was_open ? *conn_server(*conn) : lease->ddl_server;
    if (ddl_begin_once(lease, &server, conn, &failure))
        return true;
    if (was_open && g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST)) {
        /* It was silent for too long. */
        conn_break(*conn);
        return ddl_begin_once(lease, &server, conn, error);
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

void
lease_ddl_end(const struct lease *lease, struct conn *conn)
{
    if (conn != NULL)
        lock_drop(conn, lease->ddl_lock_name);
}

/* --- building indexes ---------------------------------------------------------------------- */

static char *
build_lock_name(const struct config *config, unsigned place)
{
    g_autofree char *prefix = g_strdup_printf("move-tables-index-%u", place);
    return lock_name(prefix, config->checkpoint.database, config->move);
}

bool
lease_build_begin(const struct lease *lease, unsigned place, struct conn *conn, bool *ret_taken,
                  GError **error)
{
    g_autofree char *name = build_lock_name(lease->config, place);
    if (!lock_take(conn, name, 1, ret_taken, error))
        return false;
    /* Under the lock, not before it. */
    if (!*ret_taken || lease_check(lease, conn, error))
        return true;
    lock_drop(conn, name);
    return false;
}

void
lease_build_end(const struct lease *lease, unsigned place, struct conn *conn)
{
    g_autofree char *name = build_lock_name(lease->config, place);
    lock_drop(conn, name);
}

bool
lease_build_session(struct conn *target, const struct config *config, unsigned place,
                    uint64_t *ret_session, GError **error)
{
    g_autofree char *name = build_lock_name(config, place);
    g_autofree char *quoted = quoted_string(name);
    g_autoptr(result)
        holder = conn_queryf(target, error, "SELECT IS_USED_LOCK(%s) AS `holder`", quoted);
    if (holder == NULL)
        return false;
    *ret_session = result_uint(holder, 0, "holder");
    return true;
}

bool
lease_builds_outlast(const struct lease *lease, struct conn *conn, GError **error)
{
    for (unsigned place = 0; place < LEASE_BUILD_PLACES; place++) {
        g_autofree char *name = build_lock_name(lease->config, place);
        bool taken = false;
        uint64_t session = 0;
        if (!lock_take(conn, name, DDL_WAIT_S, &taken, error) ||
            (!taken && !lease_build_session(conn, lease->config, place, &session, error)))
            return false;
        if (!taken) {
            g_set_error(error, MT_ERROR, MT_ERROR_TARGET_BUSY,
                        "an earlier runner's ALTER TABLE still builds indexes on the target "
                        "(session %" G_GUINT64_FORMAT
                        "); wait for its end, or KILL %" G_GUINT64_FORMAT ", then run again",
                        session, session);
            return false;
        }
        lock_drop(conn, name);
    }
    return true;
}

/* --- keeping ------------------------------------------------------------------------------- */

/* Is the lock ours, and is the epoch? Two answers in one row. */
static bool
look(struct lease *lease, bool *ret_held, uint64_t *ret_holder, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT COALESCE(IS_USED_LOCK(");
    quote_string(sql, lease->lock_name);
    sql_add(sql, lease->config,
            "), 0) AS `holder`, CONNECTION_ID() AS `self`, `epoch`, `owner`, `taken_at`"
            " FROM {db}.`lease` WHERE `move` = {move}");
    g_autoptr(result) row = conn_query(lease->conn, sql->str, error);
    if (row == NULL || !judge_epoch(lease, row, error))
        return false;
    *ret_holder = result_uint(row, 0, "holder");
    *ret_held = *ret_holder == result_uint(row, 0, "self");
    return true;
}

/* On a new connection: ends our own earlier session if the server still believes in it. */
static bool
retake(struct lease *lease, uint64_t holder, GError **error)
{
    if (holder != 0 && holder == lease->session) {
        /* Our former session, which the server has not noticed to be dead. */
        g_autoptr(GError) ignored = NULL;
        if (!conn_execf(lease->conn, &ignored, "KILL %" G_GUINT64_FORMAT, holder))
            log_debug("lease", log_msg("former session"), log_str("error", ignored->message));
    }
    bool taken = false;
    if (!lock_take(lease->conn, lease->lock_name, 1, &taken, error))
        return false;
    if (taken) {
        lease->session = conn_thread_id(lease->conn);
        log_info("lease", log_msg("lock taken again after a lost connection"),
                 log_str("move", lease->config->move));
    } else {
        /* Another run holds it and will bump the epoch: until then no write of ours can go
         * wrong, and at once after it every one is refused. */
        log_warning("lease", log_msg("lock is held by another session, epoch still ours"),
                    log_str("move", lease->config->move), log_int("session", (int64_t)holder));
    }
    return true;
}

static bool
keep_once(struct lease *lease, GError **error)
{
    if (lease->conn == NULL) {
        lease->conn = open_lock_conn(lease, false, error);
        if (lease->conn == NULL)
            return false;
    }
    bool held = false;
    uint64_t holder = 0;
    if (!look(lease, &held, &holder, error))
        return false;
    return held || retake(lease, holder, error);
}

bool
lease_keep(struct lease *lease, GError **error)
{
    struct retry retry = retry_for(&lease->server, RETRY_PAUSE_MS, RETRY_PAUSE_MS);
    GError *failure = NULL;
    while (!keep_once(lease, &failure)) {
        if (!retry_again(&retry, &failure)) {
            g_propagate_error(error, failure);
            return false;
        }
        g_clear_pointer(&lease->conn, conn_close);
    }
    return true;
}
