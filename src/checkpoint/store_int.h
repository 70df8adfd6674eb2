/* Inside of struct checkpoint: one connection, one transaction at a time, retried. */
#ifndef CHECKPOINT_STORE_INT_H
#define CHECKPOINT_STORE_INT_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

#include "checkpoint/checkpoint.h"

struct checkpoint {
    struct server server;
    const struct config *config;
    const struct lease *lease;
    pthread_mutex_t mutex; /* guards what follows */
    struct conn *conn;     /* NULL while lost */
    /* What is known to be stored, so that it need not be written again. */
    char *saved_horizon;
    char *saved_position;
    GHashTable *saved_tables; /* source table → digest of its last saved progress */
};

/*
 * One durable transaction: lease_begin(), the statements (separated by ';'),
 * COMMIT; two round trips. Tried again as a whole after a transient error, also
 * when only COMMIT's answer was lost: the statements must be idempotent.
 * Thread-safe. MT_ERROR_FENCED when the move is no longer ours.
 */
G_GNUC_WARN_UNUSED_RESULT bool store_write(struct checkpoint *checkpoint, const char *statements,
                                           GError **error);

/* As store_write() by a caller that holds the mutex. */
G_GNUC_WARN_UNUSED_RESULT bool store_write_locked(struct checkpoint *checkpoint,
                                                  const char *statements, GError **error);

/* Reads, trying again after transient errors. Thread-safe. */
G_GNUC_WARN_UNUSED_RESULT struct result *store_query(struct checkpoint *checkpoint, const char *sql,
                                                     GError **error);

#endif
