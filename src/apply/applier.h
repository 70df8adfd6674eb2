/*
 * The applier: takes fragments from the inbox, folds them into batches, and
 * makes the batches durable on the target; keeps P, the position.
 *
 * One thread that folds and leads, and a pool of writers. Per batch:
 *   horizon durable → all deletes → barrier → all puts → barrier → P advances.
 */
#ifndef APPLY_APPLIER_H
#define APPLY_APPLIER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "apply/inbox.h"
#include "base/progress.h"
#include "binlog/stream.h"
#include "checkpoint/horizon.h"
#include "checkpoint/lease.h"
#include "config/config.h"
#include "mysql/conn.h"

struct applier_options {
    const struct config *config;
    struct server target;
    const struct lease *lease;
    struct horizon *horizon;
    struct inbox *inbox;
    struct stream *stream;           /* whose silence makes the lag unknown; NULL: never */
    int64_t clock_offset_us;         /* the source's clock less our monotonic one */
    GPtrArray *moved_tables;         /* struct moved_table */
    const struct gtid_set *position; /* P at the start; copied */
    struct progress *progress;
    /* Called on the applier's thread when it ends by a failure. */
    void (*failed)(void *context, const GError *error);
    void *failed_context;
};

struct applier;

/* Starts the thread and the writers. Never fails: connections are opened when they are needed. */
struct applier *applier_start(const struct applier_options *options);

/* Ends after the batch in hand, and joins. Close the inbox first. */
void applier_stop(struct applier *applier);
void applier_free(struct applier *applier);

/* P as text: everything in it is durable on the target. Thread-safe. Caller frees. */
char *applier_position_text(struct applier *applier);

/* Waits until P covers the set. False when deadline_us (monotonic) passed, or the applier or the
 * process stops first. Woken by the batch that gets there: no polling. */
bool applier_wait_for(struct applier *applier, const struct gtid_set *set, int64_t deadline_us);

/* How long a batch may wait for more before it is applied. 0: never (draining). */
void applier_set_linger_ms(struct applier *applier, int64_t linger_ms);

/* Waits for the batch in hand; then nothing more is applied until every applier_hold() was taken back
 * with an applier_release(). What arrives waits, at first in memory, then on the source.
 * Thread-safe. */
void applier_hold(struct applier *applier);
void applier_release(struct applier *applier);

/* How far the target's state is behind: what waits, or what was applied within the last second,
 * was committed this long ago. -1: not known, because nothing was heard of the source lately. */
int64_t applier_lag_ms(struct applier *applier);

/* Row changes applied by this run, before folding. Thread-safe. */
uint64_t applier_changes(struct applier *applier);

/*
 * Calls `between` while no batch is being applied: the target shows exactly P
 * (and the parts of one large transaction). At the same instant the row
 * counts that applier_row_deltas() tells begin at 0.
 */
G_GNUC_WARN_UNUSED_RESULT bool applier_between_batches(struct applier *applier,
                                                       bool (*between)(void *context, GError **),
                                                       void *context, GError **error);

/* Rows inserted less rows deleted by what was applied since then, per table. */
void applier_row_deltas(struct applier *applier, int64_t *ret_deltas);

#endif
