/*
 * Commands: how `cutover`, `pause`, `resume`, `abort` and `hooks resolve` reach the
 * runner, through move_tables.command on the target, from any host.
 */
#ifndef CHECKPOINT_COMMAND_H
#define CHECKPOINT_COMMAND_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "checkpoint/checkpoint.h"

enum verb {
    VERB_CUTOVER,
    VERB_PAUSE,
    VERB_RESUME,
    VERB_ABORT,
    VERB_RESOLVE, /* a delivery was decided by hand: read the outbox again */
};

const char *verb_name(enum verb verb);
/* False when the name is unknown (a newer build's). */
bool verb_parse(const char *name, enum verb *ret_verb);

struct command {
    uint64_t id;
    enum verb verb;
    char *issued_by;
    bool during_cutover; /* an attempt was under way when it was taken */
};

void command_free(struct command *command);

/* Operator's side: inserts a command (needs no lease). MT_ERROR_CHECKPOINT when there is no such
 * move. */
G_GNUC_WARN_UNUSED_RESULT bool command_issue(struct conn *target, const struct config *config,
                                             enum verb verb, uint64_t *ret_id, GError **error);

/* What a command's row says. Both NULL before a runner took it up; outcome NULL while it works. */
struct command_reply {
    char *taken_by;
    char *outcome;
};

/* Frees what is in it. */
void command_reply_clear(struct command_reply *reply);

/* Waits until a runner took the command up and said what came of it, or the timeout passed: then
 * the reply is what is known by then. Clear it with command_reply_clear(). */
G_GNUC_WARN_UNUSED_RESULT bool command_wait(struct conn *target, const struct config *config,
                                            uint64_t id, int64_t timeout_ms,
                                            struct command_reply *ret_reply, GError **error);

/* Runner's side: marks the oldest command that nobody took as ours and returns
 * it; *ret_command is NULL when there is none. Unknown verbs, and arguments (both of a newer
 * build), are finished as "unknown to this build". */
G_GNUC_WARN_UNUSED_RESULT bool command_take(struct checkpoint *checkpoint,
                                            struct command **ret_command, GError **error);

/* Stores its effect on the move (paused, cutover requested) and what came of it, one short sentence,
 * in one transaction: whoever reads the outcome finds the effect, and a crash leaves both or none.
 * The caller acts on it afterwards. A cutover that is given while an attempt is under way has no
 * effect: it is not kept for after its undo. */
G_GNUC_WARN_UNUSED_RESULT bool command_finish(struct checkpoint *checkpoint,
                                              const struct command *command, const char *outcome,
                                              GError **error);

/* Whether a cutover is asked for that no attempt took yet: what is stored, which beginning and
 * undoing an attempt clear. */
G_GNUC_WARN_UNUSED_RESULT bool command_cutover_requested(struct checkpoint *checkpoint,
                                                         bool *ret_requested, GError **error);

/* A new run begins: commands issued before it that nothing came of are finished as "no runner".
 * Kept, to be taken again, are cutover, which is meant for a move that will be ready, and resolve,
 * which may have come after the outbox was read. */
G_GNUC_WARN_UNUSED_RESULT bool command_discard_stale(struct checkpoint *checkpoint, GError **error);

#endif
