/*
 * The copier: readers that walk the source tables by key, and writers that
 * load what they read into the target; rules 1 to 4 of docs/protocol.md.
 *
 * A table is cut into ranges as it is walked. One reader at a time finds a
 * table's next range (an index-only look-ahead); then it reads it, while
 * another finds the one after. So one big table is read in parallel, whatever
 * its key. A chunk is one reading of one range; it is handed to the writers in
 * parts bounded by bytes, each of which is one target transaction.
 */
#ifndef COPY_COPIER_H
#define COPY_COPIER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "apply/inbox.h"
#include "base/progress.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/horizon.h"
#include "checkpoint/lease.h"
#include "config/config.h"
#include "mysql/conn.h"

struct copier_options {
    const struct config *config;
    struct server reader; /* where chunks are read */
    struct server target;
    const struct lease *lease;
    struct horizon *horizon;
    struct inbox *inbox;
    GPtrArray *moved_tables; /* struct moved_table */
    GPtrArray *states;       /* struct table_state: where to go on; may be shorter */
    bool load_local;         /* LOAD DATA LOCAL, else multi-row INSERT */
    struct progress *progress;
    /* Called on one of the copier's threads, once: everything is copied, or it failed. */
    void (*finished)(void *context);
    void (*failed)(void *context, const GError *error);
    void *context;
};

struct copier;

/* Starts the threads. NULL with MT_ERROR_CHECKPOINT when a state's copied_to cannot be read. */
G_GNUC_WARN_UNUSED_RESULT struct copier *copier_start(const struct copier_options *options,
                                                      GError **error);

/* Ends after the statements in hand, and joins. */
void copier_stop(struct copier *copier);
void copier_free(struct copier *copier);

/* Why no new chunk may begin just now ("paused", "lag": literals); NULL: go on. Chunks in flight
 * are finished. Thread-safe. */
void copier_hold(struct copier *copier, const char *why);

/* Fills rows_copied, copied_to (allocated) and copy_done of every table's state: a lower bound of
 * what is durable at the moment of the call. Thread-safe. */
void copier_states(struct copier *copier, struct table_state *states, size_t count);

/* Whether every row of every table is copied. Thread-safe. */
bool copier_is_done(struct copier *copier);

/* Bytes of parts that wait for a writer. Thread-safe. */
size_t copier_waiting_bytes(struct copier *copier);

/* Is LOAD DATA LOCAL allowed on this server? */
G_GNUC_WARN_UNUSED_RESULT bool copier_load_possible(struct conn *target, bool *ret_possible,
                                                    GError **error);

#endif
