/*
 * Failpoints: named places where the process can be made to die.
 *
 * MOVE_TABLES_FAILPOINT=name[:n] ends the process with _exit(99) the nth time
 * that the named point is reached; with MOVE_TABLES_FAILPOINT_ACTION=stop it
 * stops there (SIGSTOP) and goes on when it is continued, so that a test can
 * take the move over, or cut its connections, at an exact instruction. They are
 * in every build; the log says at the start when one is armed.
 *
 * MOVE_TABLES_FAILPOINT_TRACE=FILE appends the name of every point that is
 * reached to the file, a line each: which points a command passes, and how often.
 * docs/crash-safety.md tells what is where at each of them.
 */
#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

#include <glib.h>
#include <stdbool.h>

/* X(enum suffix, name, what is true if the process dies there) */
#define FAILPOINT_LIST(X)                                                                          \
    X(MIGRATIONS_TABLE_MADE, "migrations-table-made",                                              \
      "the checkpoint database has an empty list of migrations")                                   \
    X(MIGRATION_RECORDED, "migration-recorded",                                                    \
      "a migration is recorded as begun, none of its steps is done")                               \
    X(MIGRATION_STEP_DONE, "migration-step-done",                                                  \
      "a step of a migration is done, others may not be")                                          \
    X(MIGRATION_FINISHED, "migration-finished", "a migration is recorded as applied")              \
    X(SOURCE_LOCKED, "source-locked",                                                              \
      "the move's lock on the source is held, nothing was written")                                \
    X(SCHEMA_READY, "schema-ready",                                                                \
      "the checkpoint's schema is this build's, the move is nobody's yet")                         \
    X(LEASE_BEFORE_COMMIT, "lease-before-commit", "the new epoch is written, not committed")       \
    X(LEASE_TAKEN, "lease-taken", "the epoch is bumped, nothing else was written")                 \
    X(FRESH_CONFIRMED, "fresh-confirmed", "--fresh was confirmed, nothing was dropped")            \
    X(FRESH_DROP_SENT, "fresh-drop-sent", "the DROP of the target tables was sent, not answered")  \
    X(FRESH_DROPPED, "fresh-dropped",                                                              \
      "the target tables are dropped, the checkpoint is still there")                              \
    X(FRESH_FORGOTTEN, "fresh-forgotten", "the checkpoint is deleted, the new move is not begun")  \
    X(XA_SETTLED, "xa-settled",                                                                    \
      "the first position is known, what was prepared has ended, nothing is stored")               \
    X(MOVE_BEFORE_CREATE, "move-before-create",                                                    \
      "everything of the new move is known, nothing is stored")                                    \
    X(MOVE_CREATED, "move-created", "the move and its tables are in the checkpoint")               \
    X(TARGET_TABLE_CREATED, "target-table-created", "one more target table exists, empty")         \
    X(TARGET_TABLES_READY, "target-tables-ready",                                                  \
      "all target tables exist, nothing is copied by this run")                                    \
    X(CUTOVER_FOUND, "cutover-found",                                                              \
      "the source was looked at after a crash in a cutover, nothing is decided")                   \
    X(HORIZON_BEFORE_SAVE, "horizon-before-save",                                                  \
      "what is about to be written is not covered by the horizon")                                 \
    X(HORIZON_SAVED, "horizon-saved", "the horizon covers what is not written yet")                \
    X(CHUNK_BEFORE_COMMIT, "chunk-before-commit", "a chunk's rows are written, not committed")     \
    X(CHUNK_COMMIT_SENT, "chunk-commit-sent", "a chunk's COMMIT was sent, not answered")           \
    X(CHUNK_AFTER_COMMIT, "chunk-after-commit",                                                    \
      "a chunk's rows are durable, its range is not in the checkpoint")                            \
    X(BATCH_HORIZON_SAVED, "batch-horizon-saved",                                                  \
      "the horizon covers a batch of which nothing is applied")                                    \
    X(BATCH_PART_BEFORE_COMMIT, "batch-part-before-commit",                                        \
      "a part of a batch is written, not committed")                                               \
    X(BATCH_PART_COMMIT_SENT, "batch-part-commit-sent",                                            \
      "the COMMIT of a part of a batch was sent, not answered")                                    \
    X(BATCH_PART_COMMITTED, "batch-part-committed",                                                \
      "a part of a batch is durable, others may not be")                                           \
    X(BATCH_DELETES_DONE, "batch-deletes-done", "a batch's deletes are durable, its puts are not") \
    X(BATCH_DONE, "batch-done", "a batch is durable, the position does not cover it yet")          \
    X(CHECKPOINT_BEFORE_SAVE, "checkpoint-before-save",                                            \
      "position and ranges in the checkpoint are older than the data")                             \
    X(CHECKPOINT_SENT, "checkpoint-sent", "position and ranges were sent, not answered")           \
    X(CHECKPOINT_AFTER_SAVE, "checkpoint-after-save", "position and ranges are saved")             \
    X(INDEX_BUILD_BEGUN, "index-build-begun",                                                      \
      "a table's rows are copied and its deferred indexes missing, no ALTER was sent")             \
    X(INDEX_BUILD_SENT, "index-build-sent",                                                        \
      "the ALTER that adds a table's deferred indexes was sent, not answered")                     \
    X(INDEX_BUILD_DONE, "index-build-done", "a table has all its indexes, ready is not stored")    \
    X(PHASE_BEFORE_SAVE, "phase-before-save",                                                      \
      "a phase is reached, the checkpoint has the one before")                                     \
    X(PHASE_SENT, "phase-sent", "a phase was sent to the checkpoint, not answered")                \
    X(PHASE_SAVED, "phase-saved",                                                                  \
      "a phase is stored with what announces it, its step has not begun")                          \
    X(COMMAND_TAKEN, "command-taken", "a command is marked as taken, nothing was done about it")   \
    X(COMMAND_FINISHED, "command-finished",                                                        \
      "a command's effect and outcome are stored, the runner has not acted")                       \
    X(GATE_STORED, "gate-stored", "fencing and before_cutover are stored, nobody was asked")       \
    X(GATE_ANSWERED, "gate-answered", "before_cutover was answered, nothing else is done")         \
    X(INTENT_SAVED, "intent-saved", "the intent is stored, nothing is renamed")                    \
    X(RENAME_BEFORE_SEND, "rename-before-send",                                                    \
      "the source is caught up with and locked, RENAME was not sent")                              \
    X(RENAME_SENT, "rename-sent",                                                                  \
      "RENAME was sent, not answered: it happens or waits for its locks")                          \
    X(RENAME_DONE, "rename-done", "RENAME succeeded, the phase still says fencing")                \
    X(AUTO_INCREMENT_SENT, "auto-increment-sent",                                                  \
      "an ALTER of AUTO_INCREMENT was sent, not answered")                                         \
    X(AUTO_INCREMENT_CARRIED, "auto-increment-carried",                                            \
      "the target counts on from the source's AUTO_INCREMENT")                                     \
    X(DRAIN_REACHED, "drain-reached", "everything is applied, drained is not committed")           \
    X(DRAINED_SENT, "drained-sent", "the commit of drained was sent, not answered")                \
    X(DRAINED_COMMITTED, "drained-committed", "the point of no return is passed, nobody was told") \
    X(TRIGGERS_READ, "triggers-read",                                                              \
      "the source's triggers are read, none is created on the target by this run")                 \
    X(TRIGGER_SENT, "trigger-sent", "a CREATE TRIGGER was sent to the target, not answered")       \
    X(TRIGGER_CREATED, "trigger-created", "one more trigger is on the target")                     \
    X(TRIGGERS_DONE, "triggers-done",                                                              \
      "all triggers are on the target, nobody was told that the move is done")                     \
    X(COMPLETED_BEFORE_SAVE, "completed-before-save",                                              \
      "completed is acknowledged, the phase says completing")                                      \
    X(COMPLETED_SAVED, "completed-saved", "the phase is completed")                                \
    X(HOOK_BEFORE_MARK, "hook-before-mark",                                                        \
      "a delivery is due, its mark is not stored, the request did not leave")                      \
    X(HOOK_SENDING, "hook-sending", "the delivery is marked sending, the request did not leave")   \
    X(HOOK_SENT, "hook-sent", "the request was answered, the answer is not stored")                \
    X(HOOK_STORED, "hook-stored", "the answer is stored")                                          \
    X(UNDO_BEFORE_RENAME, "undo-before-rename", "an undo is decided, nothing was renamed back")    \
    X(UNDO_RENAME_SENT, "undo-rename-sent", "the RENAME back was sent, not answered")              \
    X(UNDO_AFTER_RENAME, "undo-after-rename", "renamed back, the phase does not say so yet")       \
    X(UNDO_GATE_WITHDRAWN, "undo-gate-withdrawn",                                                  \
      "an unanswered gate is withdrawn, the phase is still fencing or draining")                   \
    X(UNDO_SAVED, "undo-saved", "ready and cutover_aborted are stored, nobody was told")           \
    X(CLEAN_CONFIRMED, "clean-confirmed", "clean was confirmed, nothing was dropped")              \
    X(CLEAN_DROP_SENT, "clean-drop-sent", "the DROP of a renamed table was sent, not answered")    \
    X(CLEAN_TABLE_DROPPED, "clean-table-dropped",                                                  \
      "one more renamed table is dropped on the source")                                           \
    X(CLEAN_BEFORE_FORGET, "clean-before-forget",                                                  \
      "all renamed tables are dropped, the checkpoint is still there")                             \
    X(CLEAN_FORGOTTEN, "clean-forgotten", "the checkpoint is deleted, too")

enum failpoint {
    FAILPOINT_NONE = -1, /* where a point may be given: none */
#define FAILPOINT_ENUM(suffix, name, text) FAILPOINT_##suffix,
    FAILPOINT_LIST(FAILPOINT_ENUM)
#undef FAILPOINT_ENUM
        FAILPOINT_COUNT
};

/* Reads MOVE_TABLES_FAILPOINT, its _ACTION and its _TRACE. False with MT_ERROR_USAGE when the name
 * or the action is unknown, or the file cannot be written to. */
G_GNUC_WARN_UNUSED_RESULT bool failpoint_arm_from_environment(GError **error);

/* Dies or stops here when this point is armed and its count is reached; cheap otherwise. Thread-safe.
 */
void failpoint_reach(enum failpoint point);

/* The point's name, and what is true if the process dies there. Literals. */
const char *failpoint_name(enum failpoint point);
/* See failpoint_name(). */
const char *failpoint_description(enum failpoint point);

#endif
