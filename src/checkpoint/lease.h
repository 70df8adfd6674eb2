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
 * when) when another runner holds it. The checkpoint schema must exist; MT_ERROR_CHECKPOINT when
 * another build has changed it meanwhile.
 */
G_GNUC_WARN_UNUSED_RESULT struct lease *lease_take(const struct server *target,
                                                   const struct config *config, unsigned wait_s,
                                                   GError **error);

/* Gives the lock back; what is left can still tell whether the move was taken over since. */
void lease_let_go(struct lease *lease);

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
 * As lease_begin(), and takes the move's row for writing, before any statement of the transaction is
 * sent: of two sessions of this runner, one of which it believes to be lost, the later begins only
 * when the earlier has ended. Else what the network delivers late could undo what was repeated. The
 * lease is locked first, here and wherever both are locked.
 */
G_GNUC_WARN_UNUSED_RESULT bool lease_begin_exclusive(const struct lease *lease, struct conn *conn,
                                                     GError **error);

/* Reads the epoch and nothing more: MT_ERROR_FENCED when it is not ours. What is written after it is
 * safe only under a lock that keeps others from taking over. */
G_GNUC_WARN_UNUSED_RESULT bool lease_check(const struct lease *lease, struct conn *conn,
                                           GError **error);

/*
 * DDL commits, so it cannot be part of a transaction that checks the lease. Instead its connection
 * takes the move's DDL lock, which no implicit commit gives back, and then looks at the epoch; and
 * lease_take() waits for that lock once, after its bump. So between begin and end nobody can have
 * taken the move over and begun to work, however long the DDL or a freeze lasts: when the server
 * ends a silent session, the lock and the possibility to send another DDL go together.
 *
 * *conn is opened when it is NULL, and opened anew when it turns out to be lost. MT_ERROR_FENCED
 * when the move is another runner's; MT_ERROR_TARGET_BUSY when one takes it over just now.
 */
G_GNUC_WARN_UNUSED_RESULT bool lease_ddl_begin(const struct lease *lease, struct conn **conn,
                                               GError **error);
/* Gives the DDL lock back. NULL is allowed. */
void lease_ddl_end(const struct lease *lease, struct conn *conn);

/*
 * Secondary indexes are built under locks of their own, one for each of the connections that build
 * at the same time. lease_take() does not wait for these: an ALTER that only adds what the present
 * runner would add, too, may go on for hours after its runner died, and the changes must not wait
 * for it. Instead whoever builds, or is about to drop the tables, has each of these locks once: what
 * an older runner had begun is over then, and it begins nothing later, as under the DDL lock.
 *
 * `place` is below LEASE_BUILD_PLACES. *ret_taken is false, without error, when another session has
 * the lock after a second. MT_ERROR_FENCED when the move is another runner's. Thread-safe.
 */
#define LEASE_BUILD_PLACES 4
G_GNUC_WARN_UNUSED_RESULT bool lease_build_begin(const struct lease *lease, unsigned place,
                                                 struct conn *conn, bool *ret_taken,
                                                 GError **error);
/* Gives the place's lock back. */
void lease_build_end(const struct lease *lease, unsigned place, struct conn *conn);

/* Waits a few seconds for every place to be free: MT_ERROR_TARGET_BUSY, which names the session, when
 * one is not. */
G_GNUC_WARN_UNUSED_RESULT bool lease_builds_outlast(const struct lease *lease, struct conn *conn,
                                                    GError **error);

/* The session that has the place's lock; 0: none. Any connection to the target; needs no lease. */
G_GNUC_WARN_UNUSED_RESULT bool lease_build_session(struct conn *target, const struct config *config,
                                                   unsigned place, uint64_t *ret_session,
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
