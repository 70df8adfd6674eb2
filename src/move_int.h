/* The running move: what its stages share. */
#ifndef MOVE_INT_H
#define MOVE_INT_H

#include <pthread.h>

#include "apply/applier.h"
#include "apply/inbox.h"
#include "binlog/stream.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/horizon.h"
#include "control/keeper.h"
#include "copy/copier.h"
#include "cutover/cutover.h"
#include "move.h"

/* While following, a batch waits this long for company: a commit saved is worth more than 10 ms. */
#define MOVE_LINGER_FOLLOWING_MS 10

struct move {
    const struct config *config;
    const struct move_options *options;
    struct server reader;
    struct server target;

    /* The main thread's own connections, for metadata. */
    struct conn *source_conn; /* the primary */
    struct conn *reader_conn; /* the same pointer without read_from */
    struct conn *target_conn;

    /* Ownership: the source's lock first, then the lease. */
    struct renamer *renamer;
    struct lease *lease;
    struct checkpoint *checkpoint;

    struct move_state *state;
    bool resuming;
    GPtrArray *moved_tables; /* struct moved_table; read-only once the engine runs */
    char *token;             /* the comment of our RENAMEs */

    /* The engine. */
    struct horizon *horizon;
    struct inbox *inbox;
    struct stream *stream;
    struct applier *applier;
    struct copier *copier;      /* NULL when everything had been copied before */
    struct hook_sender *sender; /* from the moment that the move is ours */
    struct keeper *keeper;
    struct keeper_options keeper_options;
    struct row_count *row_count;

    /* What other threads tell the main thread. */
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool copy_finished;
    bool cutover_requested;
    GError *failure; /* the first one */
};

/* --- move_open.c: from nothing to a move that is ours and known ------------------------- */

/* Connects, reads what is stored, checks everything, takes the locks, creates or resumes. */
G_GNUC_WARN_UNUSED_RESULT bool move_open(struct move *move, GError **error);

/* --- move_xa.c: what was prepared before the move ------------------------------------------ */

/*
 * Of a new move whose first position is known, before anything is read: waits until what XA RECOVER
 * shows on the server that is read has ended, and sets state->xa_clean and the horizon. When the
 * user may not ask, warns, and leaves xa_clean false. MT_ERROR_PREFLIGHT names what does not end.
 */
G_GNUC_WARN_UNUSED_RESULT bool move_xa_settle(struct move *move, GError **error);

/* The stream's unknown_xa_commit, with xa_clean and without. */
bool move_xa_unknown_accept(void *inbox, uint64_t seq, const char *xid, GError **error);
bool move_xa_unknown_refuse(void *inbox, uint64_t seq, const char *xid, GError **error);

/* --- move_engine.c: threads --------------------------------------------------------------- */

/* Starts stream, applier, copier, sender and keeper, as the phase needs them. */
G_GNUC_WARN_UNUSED_RESULT bool move_engine_start(struct move *move, GError **error);

/* Ends them in order, saves the checkpoint when `save`, and frees everything. */
void move_engine_stop(struct move *move, bool save);

/* Stops reading, copying and applying, when nothing of it is needed any more (drained). */
void move_flow_stop(struct move *move);

/* Records the first failure of the run and asks everybody to stop. `move` is a struct move. */
void move_fail(void *move, const GError *error);

/* Waits until a condition that `ready` looks at (under the mutex) holds: true; or a failure or a
 * stop: false with the error. Woken by every change, and every 100 ms for what changes silently. */
G_GNUC_WARN_UNUSED_RESULT bool move_wait(struct move *move, bool (*ready)(struct move *),
                                         GError **error);

/* The failure of another thread, or MT_ERROR_STOPPED. */
void move_why_stopped(struct move *move, GError **error);

/* The cutover's view of the move. */
struct cutover move_cutover(struct move *move);

/* Tells the best-effort hooks. */
void move_notify(struct move *move, enum hook_event event, const char *reason);

#endif
