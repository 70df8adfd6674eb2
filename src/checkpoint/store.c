#include "checkpoint/store_int.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "checkpoint/sql_int.h"

#define BACKOFF_FIRST_MS 20
#define BACKOFF_MAX_MS 2000
/* A stop must still be able to write the checkpoint, but not wait for a dead server. */
#define STOPPED_RETRY_US (2 * US_PER_S)

struct checkpoint *
checkpoint_open(const struct server *target, const struct config *config, const struct lease *lease,
                GError **error)
{
    struct server server = server_quick(target);
    server.lock_wait_s = STORE_LOCK_WAIT_S;
    struct conn *conn = conn_open_retrying(&server, "checkpoint", error);
    if (conn == NULL)
        return NULL;
    struct checkpoint *checkpoint = g_new0(struct checkpoint, 1);
    checkpoint->server = server;
    checkpoint->config = config;
    checkpoint->lease = lease;
    checkpoint->conn = conn;
    checkpoint->saved_tables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    pthread_mutex_init(&checkpoint->mutex, NULL);
    return checkpoint;
}

void
checkpoint_close(struct checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    conn_close(checkpoint->conn);
    pthread_mutex_destroy(&checkpoint->mutex);
    g_hash_table_unref(checkpoint->saved_tables);
    g_free(checkpoint->saved_horizon);
    g_free(checkpoint->saved_position);
    g_free(checkpoint);
}

/* --- one attempt --------------------------------------------------------------------------- */

/* What an attempt does with the connection. Gives *ret_rows, which is NULL for a write that has
 * none; `options` are for a write. */
struct task {
    bool (*attempt)(struct checkpoint *checkpoint, const struct task *task, GError **error);
    const char *sql;
    struct store_options options;
    struct result **ret_rows;
};

static bool
attempt_write(struct checkpoint *checkpoint, const struct task *task, GError **error)
{
    if (!lease_begin_exclusive(checkpoint->lease, checkpoint->conn, error))
        return false;
    if (task->ret_rows == NULL
            ? conn_exec_at(checkpoint->conn, task->sql, task->options.sent, error)
            : (*task->ret_rows = conn_query_at(checkpoint->conn, task->sql, task->options.sent,
                                               error)) != NULL)
        return true;
    g_autoptr(GError) ignored = NULL;
    if (!conn_exec(checkpoint->conn, "ROLLBACK", &ignored))
        conn_break(checkpoint->conn);
    return false;
}

static bool
attempt_query(struct checkpoint *checkpoint, const struct task *task, GError **error)
{
    *task->ret_rows = conn_query(checkpoint->conn, task->sql, error);
    return *task->ret_rows != NULL;
}

static bool
attempt(struct checkpoint *checkpoint, const struct task *task, GError **error)
{
    if (!conn_ensure(&checkpoint->conn, &checkpoint->server, "checkpoint", false, error))
        return false;
    g_autoptr(GError) failure = NULL;
    if (task->attempt(checkpoint, task, &failure))
        return true;
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST))
        conn_break(checkpoint->conn);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* --- until it succeeds --------------------------------------------------------------------- */

/* Others may use the store in the pause: what must not wait for this one's patience has its own. */
static void
pause_between(struct checkpoint *checkpoint, int64_t *backoff_ms)
{
    pthread_mutex_unlock(&checkpoint->mutex);
    /* While a stop is pending stop_wait_ms() would return at once. */
    if (stop_requested())
        g_usleep((gulong)BACKOFF_FIRST_MS * 1000);
    else if (!stop_wait_ms(*backoff_ms))
        *backoff_ms = MIN(*backoff_ms * 2, BACKOFF_MAX_MS);
    pthread_mutex_lock(&checkpoint->mutex);
}

/* Whether a step that first failed at begun_us is to be given up. */
static bool
patience_is_over(const struct checkpoint *checkpoint, const struct task *task, int64_t begun_us)
{
    int64_t now_us = clock_monotonic_us();
    int64_t retry_us = checkpoint->server.retry_s * US_PER_S;
    if (stop_requested())
        retry_us = MIN(retry_us, STOPPED_RETRY_US);
    return now_us - begun_us >= retry_us ||
           (task->options.until_us != 0 && now_us >= task->options.until_us);
}

/* Called and returns with the mutex held; it is free during the pauses. */
static bool
retry(struct checkpoint *checkpoint, const struct task *task, GError **error)
{
    int64_t begun_us = 0; /* of the first failure: a step may hang for long before it fails */
    int64_t backoff_ms = BACKOFF_FIRST_MS;
    for (bool first = true;; first = false) {
        g_autoptr(GError) failure = NULL;
        if (attempt(checkpoint, task, &failure))
            return true;
        if (first)
            begun_us = clock_monotonic_us();
        if (!mt_error_is_transient(failure) || patience_is_over(checkpoint, task, begun_us)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (first)
            log_warning("checkpoint", log_msg("trying again"), log_str("error", failure->message));
        pause_between(checkpoint, &backoff_ms);
        if (task->options.snapshot != 0 && task->options.snapshot < checkpoint->stored_snapshot)
            return true;
    }
}

bool
store_write_locked(struct checkpoint *checkpoint, const char *statements,
                   const struct store_options *options, GError **error)
{
    g_autofree char *sql = g_strconcat(statements, "; COMMIT", NULL);
    const struct task task = {.attempt = attempt_write, .sql = sql, .options = *options};
    return retry(checkpoint, &task, error);
}

bool
store_write(struct checkpoint *checkpoint, const char *statements, GError **error)
{
    const struct store_options options = {.sent = FAILPOINT_NONE};
    pthread_mutex_lock(&checkpoint->mutex);
    bool ok = store_write_locked(checkpoint, statements, &options, error);
    pthread_mutex_unlock(&checkpoint->mutex);
    return ok;
}

struct result *
store_write_reading(struct checkpoint *checkpoint, const char *statements, GError **error)
{
    struct result *rows = NULL;
    g_autofree char *sql = g_strconcat(statements, "; COMMIT", NULL);
    const struct task task = {.attempt = attempt_write,
                              .sql = sql,
                              .options = {.sent = FAILPOINT_NONE},
                              .ret_rows = &rows};
    pthread_mutex_lock(&checkpoint->mutex);
    bool ok = retry(checkpoint, &task, error);
    pthread_mutex_unlock(&checkpoint->mutex);
    return ok ? rows : NULL;
}

struct result *
store_query(struct checkpoint *checkpoint, const char *sql, GError **error)
{
    struct result *rows = NULL;
    const struct task task = {.attempt = attempt_query, .sql = sql, .ret_rows = &rows};
    pthread_mutex_lock(&checkpoint->mutex);
    bool ok = retry(checkpoint, &task, error);
    pthread_mutex_unlock(&checkpoint->mutex);
    return ok ? rows : NULL;
}
