#include "apply/writers.h"

#include <pthread.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/thread.h"
#include "mysql/retry.h"
#include "schema/row_name.h"
#include "schema/target_warnings.h"

#define RETRY_FIRST_MS 2
#define RETRY_MAX_MS 500

struct writers {
    struct server server;
    const struct lease *lease;
    unsigned count;
    pthread_t *threads;

    pthread_mutex_t mutex;
    pthread_cond_t work;     /* slices came, or closed */
    pthread_cond_t finished; /* the last slice of the phase is done */
    const struct slice *slices;
    size_t slices_count;
    size_t next; /* the next slice that nobody took */
    size_t running;
    size_t bytes_max; /* of the statements that run at once; one always may */
    size_t statement_bytes;
    pthread_cond_t room; /* statement_bytes went down */
    GError *failure;
    bool closed;
};

/* What one thread owns. */
struct writer {
    struct conn *conn;
    struct statement_buffers buffers;
};

/* DELETEs store nothing. */
static bool
warnings_accept(struct conn *conn, const struct slice *slice, GError **error)
{
    bool all_seen = true;
    if (!slice->is_put)
        return true;
    return target_warnings_accept(conn, slice->table, &all_seen, error) &&
           (all_seen || target_warnings_unseen(slice->table, error));
}

static bool
execute_once(struct writers *writers, struct writer *writer, const struct slice *slice,
             GError **error)
{
    if (!conn_ensure(&writer->conn, &writers->server, "apply writer", true, error))
        return false;
    if (!lease_begin(writers->lease, writer->conn, error) ||
        !conn_exec_bytes(writer->conn, writer->buffers.sql->str, writer->buffers.sql->len, error) ||
        !warnings_accept(writer->conn, slice, error) ||
        (writer->buffers.reals != NULL &&
         !exact_reals_run(writer->buffers.reals, writer->conn, error)) ||
        (writer->buffers.check != NULL &&
         !stored_check_run(writer->buffers.check, writer->conn, error)))
        return false;
    failpoint_reach(FAILPOINT_BATCH_PART_BEFORE_COMMIT);
    if (!conn_exec_at(writer->conn, "COMMIT", FAILPOINT_BATCH_PART_COMMIT_SENT, error))
        return false;
    /* Dying here: other parts of the phase may be missing, P is still before the batch. */
    failpoint_reach(FAILPOINT_BATCH_PART_COMMITTED);
    return true;
}

/* After a failure the connection starts clean: rolled back, or opened anew. */
static void
clean_up(struct writer *writer, const GError *failure)
{
    if (writer->conn == NULL)
        return;
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST) ||
        !conn_exec(writer->conn, "ROLLBACK", NULL))
        conn_break(writer->conn);
}

/* Until it is done or refused for good. */
static bool
execute_slice(struct writers *writers, struct writer *writer, const struct slice *slice,
              GError **error)
{
    statement_buffers_trim(&writer->buffers);
    if (!statement_build(&writer->buffers, slice, error))
        return false;
    struct retry retry = retry_for(&writers->server, RETRY_FIRST_MS, RETRY_MAX_MS);
    GError *failure = NULL;
    while (!execute_once(writers, writer, slice, &failure)) {
        clean_up(writer, failure);
        log_debug("apply", log_msg("a statement failed"), log_str("table", slice->table->to_table),
                  log_str("error", failure->message));
        if (!retry_again(&retry, &failure)) {
            g_propagate_error(error, failure);
            return false;
        }
    }
    return true;
}

/* A transaction each: the parts of a phase are not one either, and what was applied of them is the
 * rows' state. */
static bool
execute_rows(struct writers *writers, struct writer *writer, const struct slice *slice,
             GError **error)
{
    for (size_t i = 0; i < slice->count; i++) {
        struct slice row = *slice;
        row.entries = slice->entries + i;
        row.count = 1;
        if (!execute_slice(writers, writer, &row, error)) {
            statement_name_row(&writer->buffers, &row, error);
            return false;
        }
    }
    return true;
}

static bool
execute(struct writers *writers, struct writer *writer, const struct slice *slice, GError **error)
{
    GError *failure = NULL;
    if (execute_slice(writers, writer, slice, &failure))
        return true;
    /* Of many rows the server refuses one, or all of them together are too large for it: one by one, all
     * that it takes arrive, and the one that it does not take is known. */
    if (slice->count > 1 && g_error_matches(failure, MT_ERROR, MT_ERROR_DATA) &&
        !row_is_named(failure)) {
        g_error_free(failure);
        return execute_rows(writers, writer, slice, error);
    }
    g_propagate_error(error, failure);
    statement_name_row(&writer->buffers, slice, error);
    return false;
}

/* What the slice's statement may take: a literal is up to twice its value. */
static size_t
slice_bytes(const struct slice *slice)
{
    size_t bytes = 0;
    for (size_t i = 0; i < slice->count; i++)
        bytes += 2 * (size_t)batch_entry(slice->batch, slice->entries[i])->image.length;
    return bytes;
}

/* Takes slices until the phase has none left. Called and returns with the mutex held. */
static void
work_off(struct writers *writers, struct writer *writer)
{
    while (writers->next < writers->slices_count && writers->failure == NULL) {
        const struct slice *slice = &writers->slices[writers->next++];
        size_t bytes = slice_bytes(slice);
        writers->running++;
        while (writers->statement_bytes > 0 &&
               writers->statement_bytes + bytes > writers->bytes_max)
            pthread_cond_wait(&writers->room, &writers->mutex);
        writers->statement_bytes += bytes;
        pthread_mutex_unlock(&writers->mutex);
        GError *failure = NULL;
        bool done = execute(writers, writer, slice, &failure);
        pthread_mutex_lock(&writers->mutex);
        writers->running--;
        writers->statement_bytes -= bytes;
        pthread_cond_broadcast(&writers->room);
        if (!done) {
            if (writers->failure == NULL)
                writers->failure = failure;
            else
                g_error_free(failure);
        }
        if (writers->running == 0)
            pthread_cond_signal(&writers->finished);
    }
}

static void *
writer_main(void *argument)
{
    struct writers *writers = argument;
    struct writer writer = {0};
    statement_buffers_init(&writer.buffers);
    pthread_mutex_lock(&writers->mutex);
    while (!writers->closed) {
        work_off(writers, &writer);
        if (!writers->closed)
            pthread_cond_wait(&writers->work, &writers->mutex);
    }
    pthread_mutex_unlock(&writers->mutex);
    conn_close(writer.conn);
    statement_buffers_clear(&writer.buffers);
    return NULL;
}

struct writers *
writers_start(const struct server *target, const struct lease *lease, unsigned count,
              size_t bytes_max)
{
    struct writers *writers = g_new0(struct writers, 1);
    writers->server = *target;
    writers->lease = lease;
    writers->count = count;
    writers->bytes_max = bytes_max;
    writers->threads = g_new0(pthread_t, count);
    pthread_mutex_init(&writers->mutex, NULL);
    pthread_cond_init(&writers->work, NULL);
    pthread_cond_init(&writers->finished, NULL);
    pthread_cond_init(&writers->room, NULL);
    for (unsigned i = 0; i < count; i++)
        thread_start(&writers->threads[i], writer_main, writers);
    return writers;
}

void
writers_stop(struct writers *writers)
{
    if (writers == NULL)
        return;
    pthread_mutex_lock(&writers->mutex);
    writers->closed = true;
    pthread_cond_broadcast(&writers->work);
    pthread_mutex_unlock(&writers->mutex);
    for (unsigned i = 0; i < writers->count; i++)
        pthread_join(writers->threads[i], NULL);
    g_clear_error(&writers->failure);
    pthread_cond_destroy(&writers->work);
    pthread_cond_destroy(&writers->finished);
    pthread_cond_destroy(&writers->room);
    pthread_mutex_destroy(&writers->mutex);
    g_free(writers->threads);
    g_free(writers);
}

bool
writers_run(struct writers *writers, const struct slice *slices, size_t count, GError **error)
{
    if (count == 0)
        return true;
    pthread_mutex_lock(&writers->mutex);
    writers->slices = slices;
    writers->slices_count = count;
    writers->next = 0;
    pthread_cond_broadcast(&writers->work);
    while (writers->running > 0 ||
           (writers->next < writers->slices_count && writers->failure == NULL))
        pthread_cond_wait(&writers->finished, &writers->mutex);
    writers->slices = NULL;
    writers->slices_count = 0;
    GError *failure = g_steal_pointer(&writers->failure);
    pthread_mutex_unlock(&writers->mutex);
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}
