/*
 * Failpoints: named places where the process can be made to die.
 *
 * MOVE_TABLES_FAILPOINT=name[:n] ends the process with _exit(99) the nth time
 * that the named point is reached. They are in every build; the log says at
 * the start when one is armed.
 */
#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

#include <glib.h>
#include <stdbool.h>

/* X(enum suffix, name, what is true if the process dies there) */
#define FAILPOINT_LIST(X)                                                                          \
    X(LEASE_TAKEN, "lease-taken", "the epoch is bumped, nothing else was written")                 \
    X(MOVE_CREATED, "move-created", "the move and its tables are in the checkpoint")               \
    X(TARGET_TABLE_CREATED, "target-table-created", "one more target table exists, empty")         \
    X(CHUNK_BEFORE_COMMIT, "chunk-before-commit", "rows written, not committed")                   \
    X(CHUNK_AFTER_COMMIT, "chunk-after-commit", "rows durable, range not yet in the checkpoint")   \
    X(BATCH_HORIZON_SAVED, "batch-horizon-saved", "horizon covers a batch that was not applied")   \
    X(BATCH_DELETES_DONE, "batch-deletes-done", "a batch's deletes are durable, its puts are not") \
    X(BATCH_DONE, "batch-done", "a batch is durable, the position does not cover it yet")          \
    X(CHECKPOINT_BEFORE_SAVE, "checkpoint-before-save", "position and ranges older than the data") \
    X(CHECKPOINT_AFTER_SAVE, "checkpoint-after-save", "position and ranges saved")                 \
    X(PHASE_SAVED, "phase-saved", "a phase was stored, its step has not begun")                    \
    X(GATE_ANSWERED, "gate-answered", "before_cutover was answered, nothing else done")            \
    X(INTENT_SAVED, "intent-saved", "the intent is durable, RENAME was not sent")                  \
    X(RENAME_DONE, "rename-done", "RENAME succeeded, the phase still says fencing")                \
    X(DRAIN_REACHED, "drain-reached", "everything is applied, drained is not committed")           \
    X(DRAINED_COMMITTED, "drained-committed", "point of no return passed, nothing was sent")       \
    X(HOOK_SENDING, "hook-sending", "the delivery is marked sending, the request did not leave")   \
    X(HOOK_SENT, "hook-sent", "the request was answered, the answer is not stored")                \
    X(HOOK_STORED, "hook-stored", "the answer is stored")                                          \
    X(UNDO_BEFORE_RENAME, "undo-before-rename", "an undo is decided, nothing was renamed back")    \
    X(UNDO_AFTER_RENAME, "undo-after-rename", "renamed back, the phase does not say so yet")

enum failpoint {
#define FAILPOINT_ENUM(suffix, name, text) FAILPOINT_##suffix,
    FAILPOINT_LIST(FAILPOINT_ENUM)
#undef FAILPOINT_ENUM
        FAILPOINT_COUNT
};

/* Reads MOVE_TABLES_FAILPOINT. False with MT_ERROR_USAGE when the name is unknown. */
G_GNUC_WARN_UNUSED_RESULT bool failpoint_arm_from_environment(GError **error);

/* Dies here when this point is armed and its count is reached; cheap otherwise. */
void failpoint_reach(enum failpoint point);

/* The point's name, and what is true if the process dies there. Literals. */
const char *failpoint_name(enum failpoint point);
/* See failpoint_name(). */
const char *failpoint_description(enum failpoint point);

#endif
