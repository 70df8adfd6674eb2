/*
 * The binlog stream: a thread that follows one server by GTID.
 *
 * Owns its connection; hands over fragments through the sink (called on the
 * stream's thread). A lost connection is opened again from the last complete
 * transaction; after that the rest of an unfinished one arrives again from its
 * beginning under a new arrival number (its rows are applied as state, so
 * twice is as good as once).
 */
#ifndef BINLOG_STREAM_H
#define BINLOG_STREAM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "binlog/transaction.h"
#include "mysql/conn.h"

struct stream_options {
    struct server server;           /* where to read */
    const struct gtid_set *from;    /* P: everything in it is not sent; copied */
    const struct gtid_set *horizon; /* must be within gtid_executed on every connect; copied */
    struct assembler_options assembler;
    /* Called on the stream's thread when it fails for good; may be NULL. */
    void (*failed)(void *context, const GError *error);
    void *failed_context;
};

struct stream;

/*
 * Checks both ends of P and the horizon on the server (gtid_purged ⊆ P,
 * P ⊆ gtid_executed, horizon ⊆ gtid_executed: MT_ERROR_CHECKPOINT naming what
 * is missing), connects, and starts the thread.
 */
G_GNUC_WARN_UNUSED_RESULT struct stream *stream_start(const struct stream_options *options,
                                                      const struct transaction_sink *sink,
                                                      GError **error);

/*
 * Ends the thread and joins it; a blocked fetch is interrupted at once, an attempt
 * to connect ends with its time-out. A sink that blocks must be let go before.
 */
void stream_stop(struct stream *stream);
void stream_free(struct stream *stream);

/* Raises the horizon that is checked on reconnects. Thread-safe; copies. */
void stream_set_horizon(struct stream *stream, const struct gtid_set *horizon);

/* Monotonic time of the last event or heartbeat received. Thread-safe. */
int64_t stream_last_event_us(struct stream *stream);

/* The checks alone, on any connection to the server: for check and resume. */
G_GNUC_WARN_UNUSED_RESULT bool stream_check_position(struct conn *conn,
                                                     const struct gtid_set *position,
                                                     const struct gtid_set *horizon,
                                                     GError **error);

#endif
