/*
 * The apply writers: threads with a target connection each that run the
 * slices of one phase of a batch in parallel.
 *
 * A slice is one target transaction that begins with the lease check. It is
 * idempotent (state, not change), so a deadlock, a lock wait or a lost
 * connection is answered by doing it again.
 */
#ifndef APPLY_WRITERS_H
#define APPLY_WRITERS_H

#include <glib.h>
#include <stdbool.h>

#include "apply/statement.h"
#include "checkpoint/lease.h"
#include "mysql/conn.h"

struct writers;

/* Statements that run at once take at most bytes_max, but one that is larger runs alone. Starts
 * `count` threads; connections are opened at the first slice. Borrows the lease. */
struct writers *writers_start(const struct server *target, const struct lease *lease,
                              unsigned count, size_t bytes_max);
/* Ends and joins. No phase may be running. */
void writers_stop(struct writers *writers);

/* Runs every slice and waits for all of them (the barrier). The first failure wins; the other
 * slices may or may not have been applied. One caller at a time. */
G_GNUC_WARN_UNUSED_RESULT bool writers_run(struct writers *writers, const struct slice *slices,
                                           size_t count, GError **error);

#endif
