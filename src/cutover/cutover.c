/* The state machine: a table of steps, storing of phases, undo and recovery. */
#include "cutover/cutover.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "cutover/steps_int.h"

#define UNDO_ATTEMPTS 20
#define UNDO_PAUSE_MS 500
#define ABORTED_WAIT_MS 5000

struct step {
    enum phase phase;
    bool (*act)(struct cutover *, GError **);
    bool undone_on_failure;
};

static const struct step steps[] = {
    {PHASE_READY, cutover_step_gate, true},           {PHASE_FENCING, cutover_step_fence, true},
    {PHASE_DRAINING, cutover_step_drain, true},       {PHASE_DRAINED, cutover_step_announce, false},
    {PHASE_COMPLETING, cutover_step_complete, false},
};

/* --- storing ---------------------------------------------------------------------------- */

/* `text` may be the very text that is replaced. */
static void
replace_text(char **place, const char *text)
{
    if (text == NULL || text == *place)
        return;
    g_free(*place);
    *place = g_strdup(text);
}

bool
cutover_store(struct cutover *cutover, struct phase_change *change, GError **error)
{
    struct move_state *state = cutover->state;
    if (!checkpoint_change_phase(cutover->checkpoint, change, error))
        return false;
    enum phase before = state->phase;
    state->phase = change->phase;
    if (state->phase != before || change->attempt > 0)
        log_info("cutover", log_msg("phase"), log_str("phase", phase_name(state->phase)),
                 log_int("attempt", state->attempt));
    replace_text(&state->drain_gtid, change->drain_gtid);
    replace_text(&state->rename_token, change->rename_token);
    if (change->clear_rename_token)
        g_clear_pointer(&state->rename_token, g_free);
    if (change->attempt > 0)
        state->attempt = change->attempt;
    state->fenced_us = change->fenced_us > 0 ? change->fenced_us : state->fenced_us;
    state->drained_us = change->drained_us > 0 ? change->drained_us : state->drained_us;
    state->completed_us = change->completed_us > 0 ? change->completed_us : state->completed_us;
    if (change->clear_cutover_requested)
        state->cutover_requested = false;
    progress_set_phase(cutover->progress, phase_name(state->phase));
    return true;
}

/* --- hooks ------------------------------------------------------------------------------ */

static struct hook_server
hook_server_of(const struct endpoint *endpoint, const char *server_uuid)
{
    return (struct hook_server){
        .host = endpoint->socket != NULL ? endpoint->socket : endpoint->host,
        .port = endpoint->socket != NULL ? 0 : endpoint->port,
        .server_uuid = server_uuid,
    };
}

void
cutover_hook_facts(const struct cutover *cutover, enum hook_event event, struct hook_table *tables,
                   struct hook_facts *ret_facts)
{
    const struct move_state *state = cutover->state;
    for (guint i = 0; i < state->tables->len; i++) {
        const struct table_state *table = g_ptr_array_index(state->tables, i);
        tables[i] = (struct hook_table){
            .from = table->source_table,
            .to = table->target_table,
            .moved_as = table->moved_as,
            .rows = table->rows_final > 0 ? table->rows_final : table->rows_copied,
        };
    }
    *ret_facts = (struct hook_facts){
        .event = event,
        .move = state->move,
        .move_id = state->move_id,
        .attempt = state->attempt,
        .phase = state->phase,
        .source = hook_server_of(&cutover->config->source, state->source_uuid),
        .target = hook_server_of(&cutover->config->target, state->target_uuid),
        .tables = tables,
        .tables_count = state->tables->len,
        .time_us = clock_real_us(),
    };
}

GPtrArray *
cutover_outbox(const struct cutover *cutover, enum hook_event event, const char *reason)
{
    g_autofree struct hook_table *tables = g_new0(struct hook_table, cutover->state->tables->len);
    struct hook_facts facts;
    cutover_hook_facts(cutover, event, tables, &facts);
    facts.reason = reason;
    if (event == HOOK_COMPLETED) {
        facts.phase = PHASE_DRAINED;
        facts.drain_gtid = cutover->state->drain_gtid;
        facts.fenced_us = cutover->state->fenced_us;
        facts.drained_us = facts.time_us;
    }
    return hook_outbox_rows(cutover->config, &facts);
}

/* --- undo ------------------------------------------------------------------------------- */

/* One look at the source, and one RENAME back if it is needed. *ret_original: it is done. */
static bool
rename_back_once(struct cutover *cutover, bool *ret_original, GError **error)
{
    enum source_tables where;
    g_autofree char *detail = NULL;
    struct rename_outcome outcome;
    struct rename_request request = {
        .moved_tables = cutover->moved_tables,
        .token = cutover->state->rename_token,
        .back = true,
    };
    *ret_original = false;
    if (!renamer_hold(cutover->renamer, &request.tenure, error) ||
        !renamer_look(cutover->renamer, cutover->moved_tables, &where, &detail, error))
        return false;
    if (where == SOURCE_OTHER) {
        g_set_error(error, MT_ERROR, MT_ERROR_CUTOVER,
                    "the cutover cannot be undone: the source's tables are not as this move left "
                    "them (%s); put all of them under one of the two names, then run again",
                    detail);
        return false;
    }
    *ret_original = where == SOURCE_ORIGINAL;
    if (*ret_original)
        return true;
    /* Under the tenure of the RENAME nobody else can have begun to run, so that the target need
     * not be asked, which may be what is down. Under another one somebody may have completed. */
    if (request.tenure != cutover->fence_tenure &&
        !checkpoint_check_lease(cutover->checkpoint, error))
        return false;
    /* Dying before this RENAME or after it: phase and intent are stored, the next run looks at
     * the source and decides. */
    if (!renamer_rename(cutover->renamer, &request, &outcome, error))
        return false;
    g_free(outcome.gtid_executed);
    *ret_original = outcome.renamed;
    return true;
}

/*
 * Whether to try again after an attempt that failed, or that did not get its lock (NULL). A stop
 * ends the waiting for a server that is away, but not this: the application would be left without
 * its tables. Every attempt may itself have waited for the server until then.
 */
static bool
is_worth_another(const GError *failure, int64_t give_up_us)
{
    if (failure == NULL)
        return true;
    bool away = g_error_matches(failure, MT_ERROR, MT_ERROR_STOPPED) ||
                g_error_matches(failure, MT_ERROR, MT_ERROR_SOURCE_LOST);
    return away ? clock_monotonic_us() < give_up_us : mt_error_is_transient(failure);
}

static bool
rename_back(struct cutover *cutover, GError **error)
{
    int64_t give_up_us = clock_monotonic_us() + cutover->config->connect.retry_s * 1000000;
    for (int attempt = 1;; attempt++) {
        g_autoptr(GError) failure = NULL;
        bool original = false;
        if (rename_back_once(cutover, &original, &failure) && original)
            return true;
        /* Somebody else has the source's lock: nobody who keeps trying may overlook a new owner. */
        g_autoptr(GError) fenced = NULL;
        if (g_error_matches(failure, MT_ERROR, MT_ERROR_SOURCE_BUSY) &&
            !checkpoint_check_lease(cutover->checkpoint, &fenced) &&
            g_error_matches(fenced, MT_ERROR, MT_ERROR_FENCED)) {
            g_propagate_error(error, g_steal_pointer(&fenced));
            return false;
        }
        if (!is_worth_another(failure, give_up_us) || attempt == UNDO_ATTEMPTS) {
            if (failure == NULL)
                g_set_error(&failure, MT_ERROR, MT_ERROR_CUTOVER,
                            "the renamed tables are in use; the RENAME back did not get its lock");
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (!stop_requested())
            (void)stop_wait_ms(UNDO_PAUSE_MS);
        else
            g_usleep(UNDO_PAUSE_MS * 1000);
    }
}

bool
cutover_undo(struct cutover *cutover, const char *reason, GError **error)
{
    if (cutover->state->phase == PHASE_READY)
        return true;
    log_warning("cutover", log_msg("undoing"), log_str("reason", reason));
    if (cutover->state->phase == PHASE_DRAINING ||
        (cutover->state->phase == PHASE_FENCING && cutover->state->rename_token != NULL &&
         cutover->maybe_renamed)) {
        if (!rename_back(cutover, error))
            return false;
        failpoint_reach(FAILPOINT_UNDO_AFTER_RENAME);
    }
    /* A gate that nobody answered must not be asked after it no longer matters. */
    g_autofree char *gate = hook_event_id(cutover->state->move_id, HOOK_BEFORE_CUTOVER,
                                          cutover->state->attempt);
    if (!hook_sender_withdraw(cutover->sender, gate, "the cutover was undone", error))
        return false;
    /* Dying here: the phase is still that of an open cutover, the next run undoes it again. */
    failpoint_reach(FAILPOINT_UNDO_GATE_WITHDRAWN);
    g_autoptr(GPtrArray) outbox = cutover_outbox(cutover, HOOK_CUTOVER_ABORTED, reason);
    struct phase_change change = {
        .phase = PHASE_READY,
        .clear_rename_token = true,
        .clear_cutover_requested = true,
        .last_error = reason,
        .outbox = outbox,
    };
    if (!cutover_store(cutover, &change, error))
        return false;
    failpoint_reach(FAILPOINT_UNDO_SAVED);
    /* It is in the outbox: what is not delivered now, the next run delivers. */
    g_autofree char *event_id = hook_event_id(cutover->state->move_id, HOOK_CUTOVER_ABORTED,
                                              cutover->state->attempt);
    g_autoptr(GError) later = NULL;
    hook_sender_wake(cutover->sender);
    if (!hook_sender_wait(cutover->sender, event_id, ABORTED_WAIT_MS, &later))
        log_info("cutover", log_msg("cutover_aborted is not delivered yet"),
                 log_str("why", later->message));
    return true;
}

/* Undoes after `failure`, and makes *error what the caller should see. */
static void
undo_after(struct cutover *cutover, GError *failure, GError **error)
{
    GError *trouble = NULL;
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_FENCED) ||
        cutover_undo(cutover, failure->message, &trouble)) {
        g_propagate_error(error, failure);
        return;
    }
    g_prefix_error(&trouble,
                   "the cutover failed (%s) and could not be undone yet: ", failure->message);
    g_error_free(failure);
    g_propagate_error(error, trouble);
}

/* --- recovery --------------------------------------------------------------------------- */

static bool
recover_renamed(struct cutover *cutover, GError **error)
{
    struct move_state *state = cutover->state;
    if (state->phase == PHASE_DRAINING && state->drain_gtid != NULL)
        return true;
    /* The RENAME happened, its consequence was not stored. A later gtid_executed is a superset,
     * and nothing writes to the renamed tables. */
    g_autofree char *executed = NULL;
    if (!renamer_gtid_executed(cutover->renamer, &executed, error))
        return false;
    struct phase_change change = {
        .phase = PHASE_DRAINING,
        .drain_gtid = executed,
        .fenced_us = clock_real_us(),
    };
    return cutover_store(cutover, &change, error);
}

bool
cutover_recover(struct cutover *cutover, GError **error)
{
    enum phase phase = cutover->state->phase;
    if (phase != PHASE_FENCING && phase != PHASE_DRAINING)
        return true;

    enum source_tables where;
    g_autofree char *detail = NULL;
    if (!renamer_look(cutover->renamer, cutover->moved_tables, &where, &detail, error))
        return false;
    log_info("cutover", log_msg("an earlier run ended in the middle of a cutover"),
             log_str("phase", phase_name(phase)),
             log_str("source", where == SOURCE_ORIGINAL  ? "original names"
                               : where == SOURCE_RENAMED ? "renamed"
                                                         : detail));
    /* Dying here: nothing was decided, the next run looks again. */
    failpoint_reach(FAILPOINT_CUTOVER_FOUND);
    if (where == SOURCE_RENAMED && cutover->state->rename_token != NULL)
        return recover_renamed(cutover, error);
    if (where == SOURCE_ORIGINAL)
        return cutover_undo(cutover, "an earlier run ended before the tables were renamed", error);
    /* Our connection may have been lost and opened again: then another run may have come and gone,
     * and renamed them since the checkpoint was read. Nobody must be told to rename those back. */
    if (!checkpoint_check_lease(cutover->checkpoint, error))
        return false;
    g_set_error(error, MT_ERROR, MT_ERROR_CUTOVER,
                "the source's tables are not as this move left them (%s): somebody else renamed "
                "them; put all of them under their original or all under their moved names, then "
                "run again",
                detail != NULL ? detail : "renamed, but not by this move");
    return false;
}

void
cutover_clear(struct cutover *cutover)
{
    g_clear_pointer(&cutover->target_conn, conn_close);
}

bool
cutover_open_connections(struct cutover *cutover, int64_t deadline_us, GError **error)
{
    struct server target = server_quick(&cutover->target);
    if (deadline_us != 0)
        target.retry_s = MAX(deadline_us - clock_monotonic_us(), 0) / 1000000;
    return conn_ensure(&cutover->target_conn, &target, "cutover", true, error);
}

/* --- running ---------------------------------------------------------------------------- */

bool
cutover_run(struct cutover *cutover, GError **error)
{
    while (cutover->state->phase != PHASE_COMPLETED) {
        const struct step *step = NULL;
        for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
            if (steps[i].phase == cutover->state->phase)
                step = &steps[i];
        g_assert(step != NULL);

        GError *failure = NULL;
        if (step->act(cutover, &failure))
            continue;
        /* The step itself may have passed the point of no return, or not know whether it did. */
        if (step->undone_on_failure && cutover->state->phase <= PHASE_DRAINING &&
            !cutover->outcome_unknown)
            undo_after(cutover, failure, error);
        else
            g_propagate_error(error, failure);
        return false;
    }
    return true;
}
