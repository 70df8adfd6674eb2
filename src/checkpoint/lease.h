/*
 * Who owns a move: GET_LOCK on a dedicated target connection, plus an epoch in
 * move_tables.lease that every write transaction on the target reads FOR SHARE.
 *
 * Taking over bumps the epoch, which waits for write transactions in flight;
 * from then on every transaction of the older runner stops at its first
 * statement with MT_ERROR_FENCED.
 */
#ifndef CHECKPOINT_LEASE_H
#define CHECKPOINT_LEASE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "config/config.h"
#include "mysql/conn.h"

struct lease;

/*
 * Takes the lock (waiting at most wait_s) and bumps the epoch. Opens and owns
 * its connection. MT_ERROR_FENCED naming the present owner (host, pid, since
 * when) when another runner holds it. The checkpoint schema must exist.
 */
G_GNUC_WARN_UNUSED_RESULT struct lease *lease_take(const struct server *target,
                                                   const struct config *config, unsigned wait_s,
                                                   GError **error);

/* Releases the lock and closes. NULL is allowed. */
void lease_release(struct lease *lease);
STRUCT_AUTOPTR(lease, lease_release)

/* The number that every write transaction compares. */
uint64_t lease_epoch(const struct lease *lease);
/* "host:pid", as in lease.owner. */
const char *lease_owner(const struct lease *lease);

/*
 * Begins a transaction on any target connection and checks the epoch in the
 * same round trip. MT_ERROR_FENCED (after ROLLBACK) when it is not ours.
 * Thread-safe: only reads the lease.
 */
G_GNUC_WARN_UNUSED_RESULT bool lease_begin(const struct lease *lease, struct conn *conn,
                                           GError **error);

/*
 * Checks that the lock connection still holds the lock, and takes it again after a lost
 * connection if nobody else took the move meanwhile (epoch unchanged). Called every second by
 * one thread. MT_ERROR_FENCED when the move is lost; MT_ERROR_TARGET_LOST when the target
 * could not be reached for connect.retry_s; MT_ERROR_STOPPED when a stop ended the waiting.
 */
G_GNUC_WARN_UNUSED_RESULT bool lease_keep(struct lease *lease, GError **error);

/* True in *ret_held when a runner holds the move's lock at this moment. Any
 * connection to the target; needs no lease: for status and for commands. */
G_GNUC_WARN_UNUSED_RESULT bool lease_is_held(struct conn *target, const struct config *config,
                                             bool *ret_held, GError **error);

/*
 * The name that GET_LOCK knows a move under: `move-tables:DATABASE:MOVE`, or a
 * digest of it where that is longer than the 64 characters that a server
 * allows. Pure. Caller frees.
 */
char *lease_lock_name(const char *database, const char *move);

#endif
