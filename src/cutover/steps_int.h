/* The steps of the state machine in cutover.c. */
#ifndef CUTOVER_STEPS_INT_H
#define CUTOVER_STEPS_INT_H

#include "cutover/cutover.h"

/* ready: waits for little lag, asks the gate, stores `fencing`. */
G_GNUC_WARN_UNUSED_RESULT bool cutover_step_gate(struct cutover *cutover, GError **error);
/* fencing: persists the intent, renames, stores `draining`. */
G_GNUC_WARN_UNUSED_RESULT bool cutover_step_fence(struct cutover *cutover, GError **error);
/* draining: AUTO_INCREMENT, waits for the drain set, stores `drained` with the outbox. */
G_GNUC_WARN_UNUSED_RESULT bool cutover_step_drain(struct cutover *cutover, GError **error);
/* drained: creates the triggers, stores `completing`; the sender was woken already. */
G_GNUC_WARN_UNUSED_RESULT bool cutover_step_announce(struct cutover *cutover, GError **error);
/* completing: waits for the acknowledgement, stores `completed`. */
G_GNUC_WARN_UNUSED_RESULT bool cutover_step_complete(struct cutover *cutover, GError **error);

/* Before the gate, with cutover.triggers: create: that the target will take the source's triggers.
 * MT_ERROR_CUTOVER when not, and the request for the cutover is done with. */
G_GNUC_WARN_UNUSED_RESULT bool cutover_check_triggers(struct cutover *cutover, GError **error);

/* Before the gate and before each RENAME: MT_ERROR_DATA when a source table's definition is not the one
 * that the checkpoint has. */
G_GNUC_WARN_UNUSED_RESULT bool cutover_check_definitions(struct cutover *cutover, GError **error);

/* In `drained`, with cutover.triggers: create: creates them. MT_ERROR_TARGET or MT_ERROR_SOURCE when that
 * is not possible: nothing is undone, and the next run goes on with it. */
G_GNUC_WARN_UNUSED_RESULT bool cutover_create_triggers(struct cutover *cutover, GError **error);

/* Stores a phase change and keeps `state` in step. */
G_GNUC_WARN_UNUSED_RESULT bool cutover_store(struct cutover *cutover, struct phase_change *change,
                                             GError **error);

/* The outbox rows of an event of this attempt. Free with g_ptr_array_unref(). */
GPtrArray *cutover_outbox(const struct cutover *cutover, enum hook_event event, const char *reason);

/* Opens the connections that are needed after the RENAME, unless they are. A target that is away is
 * waited for until the deadline (monotonic); 0: for connect.retry_s. */
G_GNUC_WARN_UNUSED_RESULT bool cutover_open_connections(struct cutover *cutover,
                                                        int64_t deadline_us, GError **error);

/* Raises the target's AUTO_INCREMENT to the source's where it is behind. MT_ERROR_CUTOVER when a
 * target table stays in use until the deadline (monotonic). */
G_GNUC_WARN_UNUSED_RESULT bool cutover_carry_auto_increment(struct cutover *cutover,
                                                            int64_t deadline_us, GError **error);

#endif
