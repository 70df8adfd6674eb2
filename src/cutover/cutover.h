/*
 * Cutover: from `ready` to `completed`, one step a phase, every phase stored
 * before its step acts (docs/protocol.md, "Cutover").
 *
 * Runs on one thread, the move's own. Everything up to `drained` is undone when
 * it fails; nothing after it is.
 */
#ifndef CUTOVER_CUTOVER_H
#define CUTOVER_CUTOVER_H

#include <glib.h>
#include <stdbool.h>

#include "apply/applier.h"
#include "base/progress.h"
#include "checkpoint/checkpoint.h"
#include "config/config.h"
#include "cutover/renamer.h"
#include "cutover/row_count.h"
#include "hook/hook.h"

/* What a cutover works with; all borrowed but for what `state` holds. */
struct cutover {
    const struct config *config;
    struct move_state *state; /* phase, attempt, token, times: kept in step with what is stored */
    GPtrArray *moved_tables;
    struct checkpoint *checkpoint;
    const struct lease *lease;
    struct renamer *renamer;
    struct applier *applier; /* NULL after drained: nothing flows any more */
    struct row_count *row_count;
    struct hook_sender *sender;
    struct server target;
    struct progress *progress;
    int64_t drain_until_us;   /* monotonic: when the tables are renamed back; 0: an earlier run's */
    uint64_t fence_tenure;    /* the source lock's tenure of our RENAME; 0: an earlier run's */
    struct conn *target_conn; /* owned: opened before the RENAME for what comes after it */
    const char *token;        /* the comment of our RENAMEs: the stream knows it */
    /* Called once `drained` is stored: nothing needs to be read or applied any more. */
    void (*drained)(void *context);
    void *context;
    /* A RENAME of this attempt may have happened: an earlier run's, or one that succeeded or was not
     * answered. False: nothing is to be renamed back, whatever others did to the names. */
    bool maybe_renamed;
    bool outcome_unknown; /* the commit of `drained` got no answer: it must not be undone */
};

/*
 * Decides what a dead run left in `fencing` or `draining`: looks at the source
 * and stores `ready` (with cutover_aborted) or `draining`. Does nothing in other
 * phases. MT_ERROR_CUTOVER when the source is in a state that is not ours.
 */
G_GNUC_WARN_UNUSED_RESULT bool cutover_recover(struct cutover *cutover, GError **error);

/*
 * Runs the state machine from the present phase (ready or later) to completed.
 *   MT_ERROR_CUTOVER  undone; the phase is ready again
 *   MT_ERROR_HOOK     drained; a `completed` is not acknowledged: run again
 *   MT_ERROR_STOPPED  undone if it was not drained
 *   MT_ERROR_FENCED   nothing more was touched
 */
G_GNUC_WARN_UNUSED_RESULT bool cutover_run(struct cutover *cutover, GError **error);

/*
 * Takes an open cutover (fencing, draining) back: renames back what is renamed, withdraws the
 * gate, and stores `ready` with cutover_aborted. Does nothing in `ready`. Only before drained.
 * MT_ERROR_FENCED, and nothing renamed, when the move is another runner's by now.
 */
G_GNUC_WARN_UNUSED_RESULT bool cutover_undo(struct cutover *cutover, const char *reason,
                                            GError **error);

/* Closes what a cutover opened. */
void cutover_clear(struct cutover *cutover);

/* Notes in `state` how many rows the target has now, as far as they are counted: what hooks tell. */
void cutover_note_rows(struct cutover *cutover);

/* The facts of a hook about this move; `tables` has room for every moved table. */
void cutover_hook_facts(const struct cutover *cutover, enum hook_event event,
                        struct hook_table *tables, struct hook_facts *ret_facts);

#endif
