#include "apply/writers.h"

#include <pthread.h>

#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"
#include "mysql/retry.h"

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

/* A warning means that the target would keep something other than what it was given. */
static bool
warnings_accept(struct conn *conn, const struct slice *slice, GError **error)
{
    if (!slice->is_put || conn_warning_count(conn) == 0)
        return true;
    g_autoptr(result) warnings = conn_query(conn, "SHOW WARNINGS LIMIT 1", error);
    if (warnings == NULL)
        return false;
    if (result_rows(warnings) == 0)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "target table %s.%s does not take a changed row as it is: %s (%s %s)",
                slice->table->to_schema, slice->table->to_table, result_get(warnings, 0, "Message"),
                result_get(warnings, 0, "Level"), result_get(warnings, 0, "Code"));
    return false;
}

static bool
execute_once(struct writers *writers, struct writer *writer, const struct slice *slice,
             GError **error)
{
    if (writer->conn == NULL) {
        writer->conn = conn_open_retrying(&writers->server, "apply writer", error);
        if (writer->conn == NULL)
            return false;
    }
    return lease_begin(writers->lease, writer->conn, error) &&
           conn_exec_bytes(writer->conn, writer->buffers.sql->str, writer->buffers.sql->len,
                           error) &&
           warnings_accept(writer->conn, slice, error) && conn_exec(writer->conn, "COMMIT", error);
}

/* After a failure the connection starts clean: rolled back, or opened anew. */
static void
clean_up(struct writer *writer, const GError *failure)
{
    if (writer->conn == NULL)
        return;
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST) ||
        !conn_exec(writer->conn, "ROLLBACK", NULL))
        g_clear_pointer(&writer->conn, conn_close);
}

static bool
execute(struct writers *writers, struct writer *writer, const struct slice *slice, GError **error)
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
