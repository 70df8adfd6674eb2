/* Inside of struct checkpoint: one connection, one transaction at a time, retried. */
#ifndef CHECKPOINT_STORE_INT_H
#define CHECKPOINT_STORE_INT_H

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/failpoint.h"
#include "checkpoint/checkpoint.h"

/* What waits for the move's row holds up every other write of the checkpoint. */
#define STORE_LOCK_WAIT_S 1

struct checkpoint {
    atomic_uint_fast64_t snapshots; /* given out by checkpoint_snapshot() */
    struct server server;
    const struct config *config;
    const struct lease *lease;
    pthread_mutex_t mutex;    /* guards what follows */
    struct conn *conn;        /* broken while lost */
    uint64_t stored_snapshot; /* the newest whose progress, or a phase after it, is stored */
    /* What is known to be stored, so that it need not be written again. */
    char *saved_horizon;
    char *saved_position;
    GHashTable *saved_tables; /* source table → digest of its last saved progress */
};

/*
 * One durable transaction: lease_begin_exclusive(), the statements (separated by ';'),
 * COMMIT; two round trips. Tried again as a whole after a transient error, also
 * when only COMMIT's answer was lost: the statements must be idempotent.
 * Thread-safe. MT_ERROR_FENCED when the move is no longer ours.
 */
G_GNUC_WARN_UNUSED_RESULT bool store_write(struct checkpoint *checkpoint, const char *statements,
                                           GError **error);

/* As store_write(), giving the rows of the last statement that has some. */
G_GNUC_WARN_UNUSED_RESULT struct result *store_write_reading(struct checkpoint *checkpoint,
                                                             const char *statements,
                                                             GError **error);

/* What a write may be told. */
struct store_options {
    enum failpoint sent; /* reached each time that the statements were sent and not answered */
    int64_t until_us;    /* monotonic; no attempt begins later; 0: connect.retry_s */
    uint64_t snapshot;   /* succeeds without writing when a newer one was stored; 0: never */
};

/* As store_write() by a caller that holds the mutex, which is free between two attempts. */
G_GNUC_WARN_UNUSED_RESULT bool store_write_locked(struct checkpoint *checkpoint,
                                                  const char *statements,
                                                  const struct store_options *options,
                                                  GError **error);

/* Reads, trying again after transient errors. Thread-safe. */
G_GNUC_WARN_UNUSED_RESULT struct result *store_query(struct checkpoint *checkpoint, const char *sql,
                                                     GError **error);

#endif
