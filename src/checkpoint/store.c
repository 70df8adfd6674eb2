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
    struct conn *conn = conn_open_retrying(target, "checkpoint", error);
    if (conn == NULL)
        return NULL;
    struct checkpoint *checkpoint = g_new0(struct checkpoint, 1);
    checkpoint->server = *target;
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

/* What an attempt does with the connection. Gives *ret_rows when it is a query. */
typedef bool attempt_function(struct checkpoint *checkpoint, const char *sql,
                              struct result **ret_rows, GError **error);

static bool
attempt_write(struct checkpoint *checkpoint, const char *sql, struct result **ret_rows,
              GError **error)
{
    (void)ret_rows;
    if (!lease_begin(checkpoint->lease, checkpoint->conn, error))
        return false;
    if (conn_exec(checkpoint->conn, sql, error))
        return true;
    g_autoptr(GError) ignored = NULL;
    if (!conn_exec(checkpoint->conn, "ROLLBACK", &ignored))
        g_clear_pointer(&checkpoint->conn, conn_close);
    return false;
}

static bool
attempt_query(struct checkpoint *checkpoint, const char *sql, struct result **ret_rows,
              GError **error)
{
    *ret_rows = conn_query(checkpoint->conn, sql, error);
    return *ret_rows != NULL;
}

static bool
attempt(struct checkpoint *checkpoint, attempt_function *function, const char *sql,
        struct result **ret_rows, GError **error)
{
    if (checkpoint->conn == NULL)
        checkpoint->conn = conn_open(&checkpoint->server, "checkpoint", error);
    if (checkpoint->conn == NULL)
        return false;
    g_autoptr(GError) failure = NULL;
    if (function(checkpoint, sql, ret_rows, &failure))
        return true;
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST))
        g_clear_pointer(&checkpoint->conn, conn_close);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* --- until it succeeds --------------------------------------------------------------------- */

static bool
retry(struct checkpoint *checkpoint, attempt_function *function, const char *sql,
      struct result **ret_rows, GError **error)
{
    int64_t begun_us = 0; /* of the first failure: a step may hang for long before it fails */
    int64_t backoff_ms = BACKOFF_FIRST_MS;
    for (bool first = true;; first = false) {
        g_autoptr(GError) failure = NULL;
        if (attempt(checkpoint, function, sql, ret_rows, &failure))
            return true;
        if (first)
            begun_us = clock_monotonic_us();
        int64_t patience_us = checkpoint->server.retry_s * US_PER_S;
        if (stop_requested())
            patience_us = MIN(patience_us, STOPPED_RETRY_US);
        if (!mt_error_is_transient(failure) || clock_monotonic_us() - begun_us >= patience_us) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (first)
            log_warning("checkpoint", log_msg("trying again"), log_str("error", failure->message));
        /* While a stop is pending stop_wait_ms() would return at once. */
        if (stop_requested())
            g_usleep((gulong)BACKOFF_FIRST_MS * 1000);
        else if (!stop_wait_ms(backoff_ms))
            backoff_ms = MIN(backoff_ms * 2, BACKOFF_MAX_MS);
    }
}

bool
store_write_locked(struct checkpoint *checkpoint, const char *statements, GError **error)
{
    g_autofree char *sql = g_strconcat(statements, "; COMMIT", NULL);
    return retry(checkpoint, attempt_write, sql, NULL, error);
}

bool
store_write(struct checkpoint *checkpoint, const char *statements, GError **error)
{
    pthread_mutex_lock(&checkpoint->mutex);
    bool ok = store_write_locked(checkpoint, statements, error);
    pthread_mutex_unlock(&checkpoint->mutex);
    return ok;
}

struct result *
store_query(struct checkpoint *checkpoint, const char *sql, GError **error)
{
    struct result *rows = NULL;
    pthread_mutex_lock(&checkpoint->mutex);
    bool ok = retry(checkpoint, attempt_query, sql, &rows, error);
    pthread_mutex_unlock(&checkpoint->mutex);
    return ok ? rows : NULL;
}
