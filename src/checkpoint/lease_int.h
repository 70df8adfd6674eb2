/* GET_LOCK as the checkpoint uses it. */
#ifndef CHECKPOINT_LEASE_INT_H
#define CHECKPOINT_LEASE_INT_H

#include <glib.h>
#include <stdbool.h>

#include "checkpoint/lease.h"

/* GET_LOCK(name) on the connection, waiting at most wait_s (a stop request ends
 * the wait with MT_ERROR_STOPPED). *ret_taken says whether it is ours now. */
G_GNUC_WARN_UNUSED_RESULT bool lock_take(struct conn *target, const char *name, unsigned wait_s,
                                         bool *ret_taken, GError **error);

/* RELEASE_LOCK(name). Failures are ignored: the lock ends with its connection. */
void lock_drop(struct conn *target, const char *name);

/* MT_ERROR_FENCED: who owns the move now, read from the lease row on any connection. */
void lease_set_owned_error(struct conn *target, const struct config *config, GError **error);

#endif
