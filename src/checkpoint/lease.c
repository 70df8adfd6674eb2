#include "checkpoint/lease.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "checkpoint/lease_int.h"
#include "mysql/retry.h"
#include "checkpoint/sql_int.h"
#include "mysql/quote.h"

/* A lock whose host went away is freed by the server after this silence. The
 * keeper asks every second, so only a dead or frozen runner is ever silent that long. */
#define LOCK_IDLE_S 60
#define LOCK_NAME_MAX 64
/* Nothing that runs on the lock's connection takes longer than a lock wait. */
#define READ_TIMEOUT_S 20
#define RETRY_PAUSE_MS 200

struct lease {
    struct server server;
    const struct config *config;
    struct conn *conn; /* holds the lock; used by lease_keep()'s thread only; NULL while lost */
    uint64_t session;  /* the server's id of the session that last held the lock */
    char *lock_name;
    char *owner;
    char *begin_sql; /* read-only after lease_take(): shared by all threads */
    uint64_t epoch;
};

char *
lease_lock_name(const char *database, const char *move)
{
    char *plain = g_strdup_printf("move-tables:%s:%s", database, move);
    if (g_utf8_strlen(plain, -1) <= LOCK_NAME_MAX)
        return plain;
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, plain, -1);
    g_free(plain);
    return g_strdup_printf("move-tables:%.50s", digest);
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
 * A row is born with the time as its epoch, not with 1: a move that is cleaned
 * away and begun again must not count through the epochs that a frozen runner
 * of the old one may still believe in.
 */
static bool
bump_epoch(struct lease *lease, GError **error)
{
    g_autoptr(GString) sql = g_string_new("START TRANSACTION; ");
    sql_add(sql, lease->config,
            "INSERT INTO {db}.`lease` (`move`, `epoch`, `owner`, `taken_at`)"
            " VALUES ({move}, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED), ");
    quote_string(sql, lease->owner);
    g_string_append(sql, ", NOW(6)) ON DUPLICATE KEY UPDATE `epoch` = `epoch` + 1, `owner` = ");
    quote_string(sql, lease->owner);
    sql_add(sql, lease->config,
            ", `taken_at` = NOW(6);"
            " SELECT `epoch` FROM {db}.`lease` WHERE `move` = {move} FOR UPDATE");
    g_autoptr(result) row = conn_query(lease->conn, sql->str, error);
    if (row == NULL)
        return false;
    lease->epoch = result_uint(row, 0, "epoch");
    return conn_exec(lease->conn, "COMMIT", error);
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
    return bump_epoch(lease, error);
}

struct lease *
lease_take(const struct server *target, const struct config *config, unsigned wait_s,
           GError **error)
{
    struct lease *lease = g_new0(struct lease, 1);
    lease->server = *target;
    lease->server.read_timeout_s = READ_TIMEOUT_S;
    lease->config = config;
    lease->lock_name = lease_lock_name(config->checkpoint.database, config->move);
    lease->owner = g_strdup_printf("%.200s:%ld", g_get_host_name(), (long)getpid());
    lease->begin_sql = sql_of(config, "START TRANSACTION; SELECT `epoch`, `owner`, `taken_at`"
                                      " FROM {db}.`lease` WHERE `move` = {move} FOR SHARE");

    struct retry retry = retry_for(target, RETRY_PAUSE_MS, RETRY_PAUSE_MS);
    GError *failure = NULL;
    while (!take_once(lease, wait_s, &failure)) {
        /* A lock wait: a transaction of the older runner is still open. The server ends it when its
         * runner has been silent for a minute (wait_timeout of every target session). */
        if (g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_BUSY))
            log_info("lease",
                     log_msg("an older runner's transaction is still open; the server ends "
                             "it after 60 s of silence"));
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
lease_release(struct lease *lease)
{
    if (lease == NULL)
        return;
    if (lease->conn != NULL) {
        lock_drop(lease->conn, lease->lock_name);
        conn_close(lease->conn);
    }
    g_free(lease->lock_name);
    g_free(lease->owner);
    g_free(lease->begin_sql);
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

bool
lease_begin(const struct lease *lease, struct conn *conn, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(result) row = conn_query(conn, lease->begin_sql, &failure);
    if (row != NULL && judge_epoch(lease, row, &failure))
        return true;
    bool lost = g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST);
    g_propagate_error(error, g_steal_pointer(&failure));
    if (!lost)
        rollback(conn);
    return false;
}

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
