#include "binlog/stream.h"

#include <mysqld_error.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"
#include "mysql/conn_int.h"

/* The server says something at least this often. */
#define HEARTBEAT_NS "1000000000"
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 3000

struct stream {
    struct stream_options options;
    struct transaction_sink sink; /* the caller's */
    struct assembler *assembler;
    uint32_t server_id;
    char replica_uuid[37];
    pthread_t thread;
    bool started;

    /* Of the stream's thread alone (of stream_start() before it). */
    struct conn *conn;
    MYSQL_RPL dump;
    GByteArray *dump_set;      /* what the dump was opened with */
    struct gtid_set *received; /* P and every transaction that came whole */
    uint64_t transactions;     /* that came whole */
    uint64_t retried_at;       /* transactions when damaged bytes made us connect again, plus 1 */
    bool alive;                /* more came over this connection than its opening */

    atomic_int_fast64_t last_event_us;
    atomic_bool stopping;

    pthread_mutex_t mutex;
    pthread_cond_t wake; /* stopping was set */
    int socket;          /* a duplicate of the connection's, so that it can be shut down from
                            another thread whatever becomes of the connection; -1: none */
    struct gtid_set *horizon;
};

/* --- the sink in between: knows what came whole ---------------------------------------------- */

static bool
on_arrived(void *context, const struct gtid *gtid, uint64_t *ret_seq, GError **error)
{
    struct stream *stream = context;
    return stream->sink.arrived(stream->sink.context, gtid, ret_seq, error);
}

static bool
on_fragment(void *context, struct fragment *fragment, GError **error)
{
    struct stream *stream = context;
    /* The fragment is the sink's once it is handed over. */
    struct fragment ends = {
        .last = fragment->last,
        .gtid = fragment->gtid,
        .prepared = fragment->prepared,
    };
    if (!stream->sink.fragment(stream->sink.context, fragment, error))
        return false;
    fragment_add_completed(&ends, stream->received);
    stream->transactions += ends.last ? 1 : 0;
    return true;
}

static bool
on_unknown_xa_commit(void *context, uint64_t seq, const char *xid, GError **error)
{
    struct stream *stream = context;
    return stream->sink.unknown_xa_commit(stream->sink.context, seq, xid, error);
}

/* --- connecting ------------------------------------------------------------------------------- */

/* From here on stream_stop() can interrupt the connection. */
static bool
publish_socket(struct stream *stream, GError **error)
{
    pthread_mutex_lock(&stream->mutex);
    bool stopping = atomic_load(&stream->stopping);
    if (!stopping)
        stream->socket = dup(conn_handle(stream->conn)->net.fd);
    pthread_mutex_unlock(&stream->mutex);
    if (stopping)
        g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED, "stopped");
    return !stopping;
}

static void
disconnect(struct stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    if (stream->socket >= 0)
        close(stream->socket);
    stream->socket = -1;
    pthread_mutex_unlock(&stream->mutex);
    /* Not mysql_binlog_close(): it would read a dump that does not end. */
    conn_close(g_steal_pointer(&stream->conn));
}

static struct gtid_set *
copy_horizon(struct stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    struct gtid_set *horizon = stream->horizon != NULL ? gtid_set_copy(stream->horizon)
                                                       : gtid_set_new();
    pthread_mutex_unlock(&stream->mutex);
    return horizon;
}

/* COM_BINLOG_DUMP_GTID for everything that is not in `received`. */
static bool
open_dump(struct stream *stream, GError **error)
{
    /* Both names of each: the second ones are those of before 8.0.26. The UUID is always ours: the
     * source ends a dump of ours that it did not notice we lost. */
    if (!conn_execf(stream->conn, error,
                    "SET @source_binlog_checksum='CRC32', @master_binlog_checksum='CRC32',"
                    " @source_heartbeat_period=" HEARTBEAT_NS
                    ", @master_heartbeat_period=" HEARTBEAT_NS
                    ", @replica_uuid='%s', @slave_uuid='%s'",
                    stream->replica_uuid, stream->replica_uuid))
        return false;
    g_clear_pointer(&stream->dump_set, g_byte_array_unref);
    stream->dump_set = gtid_set_encode(stream->received);
    stream->dump = (MYSQL_RPL){
        .start_position = 4,
        .server_id = stream->server_id,
        .flags = MYSQL_RPL_GTID,
        .gtid_set_encoded_size = stream->dump_set->len,
        .gtid_set_arg = stream->dump_set->data,
    };
    if (mysql_binlog_open(conn_handle(stream->conn), &stream->dump) == 0)
        return true;
    conn_fail(stream->conn, "opening the binlog stream", error);
    return false;
}

/* The checks on a connection that was just opened, and the dump. */
static bool
begin(struct stream *stream, GError **error)
{
    if (!publish_socket(stream, error))
        return false;
    g_autoptr(gtid_set) horizon = copy_horizon(stream);
    stream->alive = false;
    return stream_check_position(stream->conn, stream->received, horizon, error) &&
           open_dump(stream, error);
}

/* --- receiving -------------------------------------------------------------------------------- */

/* ER_SOURCE_FATAL_ERROR_READING_BINLOG has several meanings that only its text tells. */
static void
fail_fetch(struct stream *stream, GError **error)
{
    MYSQL *handle = conn_handle(stream->conn);
    const char *text = mysql_error(handle);
    g_autoptr(GError) failure = NULL;
    conn_fail(stream->conn, "reading the binlog stream", &failure);
    bool position_gone = mysql_errno(handle) == ER_SOURCE_FATAL_ERROR_READING_BINLOG &&
                         (strstr(text, "purged") != NULL || strstr(text, "more GTIDs") != NULL);
    if (position_gone)
        failure->code = MT_ERROR_CHECKPOINT;
    /* The source does not send it: it ends the stream in its place, now and on every connection. */
    if (strstr(text, "anonymous transaction") != NULL) {
        failure->code = MT_ERROR_GAP;
        g_prefix_error_literal(&failure, "the source wrote a transaction without a GTID: keep "
                                         "gtid_mode=ON and start again with --fresh; ");
    }
    g_propagate_error(error, g_steal_pointer(&failure));
}

/* What opens a dump, as opposed to what a working one sends. */
static bool
is_preamble(uint8_t type)
{
    return type == 4 || type == 15 || type == 35; /* ROTATE, FORMAT_DESCRIPTION, PREVIOUS_GTIDS */
}

/* Reads until the connection, the bytes or the sink fail, or it is stopped: always an error. */
static void
follow(struct stream *stream, GError **error)
{
    while (!atomic_load_explicit(&stream->stopping, memory_order_relaxed)) {
        if (mysql_binlog_fetch(conn_handle(stream->conn), &stream->dump) != 0) {
            fail_fetch(stream, error);
            return;
        }
        if (stream->dump.size == 0) {
            g_set_error(error, MT_ERROR, MT_ERROR_SOURCE_LOST,
                        "the source ended the binlog stream: it is shutting down");
            return;
        }
        stream->conn->asked_us = clock_monotonic_us();
        atomic_store_explicit(&stream->last_event_us, stream->conn->asked_us, memory_order_relaxed);
        /* The first byte says OK; the event follows. */
        const uint8_t *event = stream->dump.buffer + 1;
        size_t length = stream->dump.size - 1;
        if (!assembler_feed(stream->assembler, event, length, error))
            return;
        stream->alive = stream->alive || !is_preamble(event[4]);
    }
    g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED, "stopped");
}

/*
 * Can a new connection help? A lost one always; bytes that were damaged or cut
 * off once: when it happens again before a further transaction came whole, they
 * are so on the source's disk.
 */
static bool
may_retry(struct stream *stream, const GError *failure)
{
    if (atomic_load(&stream->stopping))
        return false;
    if (mt_error_is_transient(failure))
        return true;
    if (!g_error_matches(failure, MT_ERROR, MT_ERROR_SOURCE) || !stream->alive ||
        stream->retried_at == stream->transactions + 1)
        return false;
    stream->retried_at = stream->transactions + 1;
    return true;
}

/* False when it was stopped meanwhile. */
static bool
wait_ms(struct stream *stream, int64_t ms)
{
    int64_t deadline_us = clock_monotonic_us() + ms * 1000;
    pthread_mutex_lock(&stream->mutex);
    while (!atomic_load(&stream->stopping) &&
           clock_cond_wait_until(&stream->wake, &stream->mutex, deadline_us))
        ;
    bool stopping = atomic_load(&stream->stopping);
    pthread_mutex_unlock(&stream->mutex);
    return !stopping;
}

static bool
connect_once(struct stream *stream, GError **error)
{
    struct server server = stream->options.server;
    stream->conn = conn_open(&server, "binlog stream", error);
    if (stream->conn != NULL && begin(stream, error))
        return true;
    disconnect(stream);
    return false;
}

/* Opens the stream again behind the last transaction that came whole. */
static bool
reconnect(struct stream *stream, int64_t give_up_us, GError **error)
{
    for (int64_t backoff_ms = BACKOFF_FIRST_MS;; backoff_ms = MIN(backoff_ms * 2, BACKOFF_MAX_MS)) {
        g_autoptr(GError) failure = NULL;
        if (!wait_ms(stream, backoff_ms)) {
            g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED, "stopped");
            return false;
        }
        if (connect_once(stream, &failure))
            return true;
        if (!mt_error_is_transient(failure) || clock_monotonic_us() >= give_up_us) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    }
}

static void
end(struct stream *stream, GError *failure)
{
    disconnect(stream);
    bool stopped = atomic_load(&stream->stopping);
    if (!stopped && stream->options.failed != NULL)
        stream->options.failed(stream->options.failed_context, failure);
    g_error_free(failure);
}

static void *
run(void *argument)
{
    struct stream *stream = argument;
    mysql_thread_init();
    int64_t retry_us = stream->options.server.retry_s * 1000000;
    int64_t give_up_us = 0;
    GError *failure = NULL;
    for (;;) {
        follow(stream, &failure);
        if (!may_retry(stream, failure))
            break;
        /* The clock runs on until the source has sent something again. */
        if (stream->alive || give_up_us == 0)
            give_up_us = clock_monotonic_us() + retry_us;
        else if (clock_monotonic_us() >= give_up_us)
            break;
        log_warning("stream", log_msg("lost the binlog stream, connecting again"),
                    log_str("error", failure->message));
        g_clear_error(&failure);
        assembler_reset(stream->assembler);
        disconnect(stream);
        if (!reconnect(stream, give_up_us, &failure))
            break;
        log_info("stream", log_msg("binlog stream goes on"));
    }
    end(stream, failure);
    mysql_thread_end();
    return NULL;
}

/* --- the stream as a whole ---------------------------------------------------------------------- */

/* Anything but 0, and above what people number their servers with. */
static uint32_t
random_server_id(void)
{
    return g_random_int() | 0x80000000;
}

static struct stream *
stream_new(const struct stream_options *options, const struct transaction_sink *sink)
{
    struct stream *stream = g_new0(struct stream, 1);
    stream->options = *options;
    /* With a heartbeat a second, silence is a dead connection, whatever TCP thinks of it. */
    stream->options.server = server_quick(&options->server);
    stream->options.from = NULL; /* not ours; see received */
    stream->options.horizon = NULL;
    stream->sink = *sink;
    stream->received = gtid_set_copy(options->from);
    if (options->horizon != NULL)
        stream->horizon = gtid_set_copy(options->horizon);
    stream->server_id = random_server_id();
    uuid_t uuid;
    uuid_generate_random(uuid);
    uuid_unparse_lower(uuid, stream->replica_uuid);
    atomic_init(&stream->last_event_us, clock_monotonic_us());
    atomic_init(&stream->stopping, false);
    pthread_mutex_init(&stream->mutex, NULL);
    clock_cond_init(&stream->wake);
    stream->socket = -1;
    return stream;
}

static bool
make_assembler(struct stream *stream, GError **error)
{
    g_autofree char *lower_case = NULL;
    if (!conn_query_value(stream->conn, "SELECT @@GLOBAL.lower_case_table_names", &lower_case,
                          error))
        return false;
    struct assembler_options options = stream->options.assembler;
    options.fold_case = g_strcmp0(lower_case, "0") != 0;
    struct transaction_sink between = {
        .context = stream,
        .arrived = on_arrived,
        .fragment = on_fragment,
        .unknown_xa_commit = stream->sink.unknown_xa_commit != NULL ? on_unknown_xa_commit : NULL,
    };
    stream->assembler = assembler_new(&options, &between);
    return true;
}

struct stream *
stream_start(const struct stream_options *options, const struct transaction_sink *sink,
             GError **error)
{
    struct stream *stream = stream_new(options, sink);
    stream->conn = conn_open_retrying(&stream->options.server, "binlog stream", error);
    if (stream->conn == NULL || !make_assembler(stream, error) || !begin(stream, error)) {
        stream_free(stream);
        return NULL;
    }
    thread_start(&stream->thread, run, stream);
    stream->started = true;
    return stream;
}

void
stream_stop(struct stream *stream)
{
    if (!stream->started)
        return;
    pthread_mutex_lock(&stream->mutex);
    atomic_store(&stream->stopping, true);
    if (stream->socket >= 0)
        shutdown(stream->socket, SHUT_RDWR);
    pthread_cond_broadcast(&stream->wake);
    pthread_mutex_unlock(&stream->mutex);
    pthread_join(stream->thread, NULL);
    stream->started = false;
}

void
stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    stream_stop(stream);
    disconnect(stream);
    assembler_free(stream->assembler);
    g_clear_pointer(&stream->dump_set, g_byte_array_unref);
    gtid_set_free(stream->received);
    gtid_set_free(stream->horizon);
    pthread_cond_destroy(&stream->wake);
    pthread_mutex_destroy(&stream->mutex);
    g_free(stream);
}

void
stream_set_horizon(struct stream *stream, const struct gtid_set *horizon)
{
    struct gtid_set *copy = gtid_set_copy(horizon);
    pthread_mutex_lock(&stream->mutex);
    struct gtid_set *old = stream->horizon;
    stream->horizon = copy;
    pthread_mutex_unlock(&stream->mutex);
    gtid_set_free(old);
}

int64_t
stream_last_event_us(struct stream *stream)
{
    return atomic_load(&stream->last_event_us);
}
