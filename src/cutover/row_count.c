#include "cutover/row_count.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/thread.h"
#include "mysql/quote.h"

struct row_count {
    struct server server;
    struct applier *applier;
    GPtrArray *moved_tables;
    uint64_t *base; /* written by the thread before `counted` */
    pthread_t thread;

    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct conn *conn; /* the thread's, while it may be interrupted */
    bool interrupted;
    bool ended;
    bool counted;
};

static bool
begin_snapshot(void *context, GError **error)
{
    return conn_exec(context,
                     "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
                     "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
                     error);
}

static bool
count_tables(struct row_count *count, struct conn *conn, GError **error)
{
    if (!applier_between_batches(count->applier, begin_snapshot, conn, error))
        return false;
    for (guint i = 0; i < count->moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(count->moved_tables, i);
        g_autofree char *name = quoted_table(table->to_schema, table->to_table);
        g_autoptr(result) rows = conn_queryf(conn, error, "SELECT COUNT(*) AS n FROM %s", name);
        if (rows == NULL)
            return false;
        count->base[i] = result_uint(rows, 0, "n");
    }
    return conn_exec(conn, "COMMIT", error);
}

/* Makes the connection one that row_count_free() can interrupt; false when it came first. */
static bool
offer(struct row_count *count, struct conn *conn)
{
    pthread_mutex_lock(&count->mutex);
    bool wanted = !count->interrupted;
    count->conn = wanted ? conn : NULL;
    pthread_mutex_unlock(&count->mutex);
    return wanted;
}

static void *
row_count_main(void *argument)
{
    struct row_count *count = argument;
    g_autoptr(GError) error = NULL;
    struct conn *conn = conn_open_retrying(&count->server, "row count", &error);
    bool counted = conn != NULL && offer(count, conn) && count_tables(count, conn, &error);
    pthread_mutex_lock(&count->mutex);
    count->conn = NULL;
    count->ended = true;
    count->counted = counted;
    bool wanted = !count->interrupted;
    pthread_cond_broadcast(&count->cond);
    pthread_mutex_unlock(&count->mutex);
    if (error != NULL && wanted)
        log_warning("cutover", log_msg("rows were not counted; hooks will tell an estimate"),
                    log_str("error", error->message));
    conn_close(conn);
    return NULL;
}

static void
wake(void *argument)
{
    struct row_count *count = argument;
    pthread_mutex_lock(&count->mutex);
    pthread_cond_broadcast(&count->cond);
    pthread_mutex_unlock(&count->mutex);
}

struct row_count *
row_count_start(const struct server *target, struct applier *applier, GPtrArray *moved_tables)
{
    struct row_count *count = g_new0(struct row_count, 1);
    /* Not without a limit: the snapshot is begun while the applier waits. A COUNT(*) that takes
     * longer than that is not told. */
    count->server = server_slow(target);
    count->applier = applier;
    count->moved_tables = moved_tables;
    count->base = g_new0(uint64_t, moved_tables->len);
    pthread_mutex_init(&count->mutex, NULL);
    clock_cond_init(&count->cond);
    stop_on_request(wake, count);
    thread_start(&count->thread, row_count_main, count);
    return count;
}

void
row_count_free(struct row_count *count)
{
    if (count == NULL)
        return;
    pthread_mutex_lock(&count->mutex);
    count->interrupted = true;
    if (count->conn != NULL)
        conn_interrupt(count->conn);
    pthread_mutex_unlock(&count->mutex);
    pthread_join(count->thread, NULL);
    stop_forget(wake, count);
    pthread_cond_destroy(&count->cond);
    pthread_mutex_destroy(&count->mutex);
    g_free(count->base);
    g_free(count);
}

void
row_count_wait(struct row_count *count, int64_t timeout_ms)
{
    int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;
    pthread_mutex_lock(&count->mutex);
    while (!count->ended && !stop_requested() &&
           clock_cond_wait_until(&count->cond, &count->mutex, deadline_us))
        ;
    pthread_mutex_unlock(&count->mutex);
}

bool
row_count_now(struct row_count *count, uint64_t *ret_rows)
{
    pthread_mutex_lock(&count->mutex);
    bool counted = count->counted;
    pthread_mutex_unlock(&count->mutex);
    if (!counted)
        return false;
    guint tables = count->moved_tables->len;
    g_autofree int64_t *deltas = g_new0(int64_t, tables);
    applier_row_deltas(count->applier, deltas);
    for (guint i = 0; i < tables; i++)
        ret_rows[i] = (uint64_t)((int64_t)count->base[i] + deltas[i]);
    return true;
}
