/* What each phase of a cutover does. */
#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "cutover/steps_int.h"

#define LAG_POLL_MS 20
#define RENAME_PAUSE_FIRST_MS 500
#define RENAME_PAUSE_MAX_MS 10000

/* drain_timeout_s from now, on the monotonic clock. */
static int64_t
drain_deadline(const struct cutover *cutover)
{
    return clock_monotonic_us() + cutover->config->cutover.drain_timeout_s * 1000000;
}

static bool
stopped(GError **error)
{
    if (!stop_requested())
        return false;
    g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED, "stopped during the cutover");
    return true;
}

void
cutover_note_rows(struct cutover *cutover)
{
    guint tables = cutover->state->tables->len;
    g_autofree uint64_t *rows = g_new0(uint64_t, tables);
    /* Resumed in the middle of a drain, or the count has not ended: counting now would keep the
     * application waiting. What was noted before stays, off by what was applied since. */
    if (cutover->row_count == NULL || !row_count_now(cutover->row_count, rows))
        return;
    for (guint i = 0; i < tables; i++)
        ((struct table_state *)g_ptr_array_index(cutover->state->tables, i))->rows_final = rows[i];
}

/* The noted numbers, newly allocated, for storing. */
static uint64_t *
noted_rows(const struct cutover *cutover)
{
    guint tables = cutover->state->tables->len;
    uint64_t *rows = g_new0(uint64_t, tables);
    for (guint i = 0; i < tables; i++)
        rows[i] =
            ((const struct table_state *)g_ptr_array_index(cutover->state->tables, i))->rows_final;
    return rows;
}

/* --- ready → fencing -------------------------------------------------------------------- */

static bool
wait_for_little_lag(struct cutover *cutover, GError **error)
{
    for (;;) {
        int64_t lag_ms = applier_lag_ms(cutover->applier);
        if (lag_ms >= 0 && lag_ms <= cutover->config->cutover.max_lag_ms)
            return true;
        if (stop_wait_ms(LAG_POLL_MS))
            return !stopped(error);
    }
}

/* before_cutover: every endpoint must answer 2xx. A `no` withdraws what was not answered. */
static bool
ask_gate(struct cutover *cutover, GError **error)
{
    const struct move_state *state = cutover->state;
    g_autofree char *event_id = hook_event_id(state->move_id, HOOK_BEFORE_CUTOVER, state->attempt);
    g_autoptr(GError) failure = NULL;
    hook_sender_wake(cutover->sender);
    bool allowed = hook_sender_wait(cutover->sender, event_id,
                                    cutover->config->cutover.hook_timeout_s * 1000, &failure);
    failpoint_reach(FAILPOINT_GATE_ANSWERED);
    if (allowed)
        return true;
    if (!g_error_matches(failure, MT_ERROR, MT_ERROR_HOOK)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (!hook_sender_withdraw(cutover->sender, event_id, "cutover not allowed", error))
        return false;
    g_set_error(error, MT_ERROR, MT_ERROR_CUTOVER, "before_cutover was not allowed: %s",
                failure->message);
    return false;
}

bool
cutover_step_gate(struct cutover *cutover, GError **error)
{
    /* From here on nothing waits for company in a batch. */
    applier_set_linger_ms(cutover->applier, 0);
    if (!wait_for_little_lag(cutover, error) || !cutover_check_definitions(cutover, error) ||
        !cutover_check_triggers(cutover, error))
        return false;

    /* The attempt begins with its gate in the outbox: whatever happens next, before_cutover will
     * be followed by completed or cutover_aborted. */
    cutover->state->attempt++;
    cutover_note_rows(cutover);
    g_autoptr(GPtrArray) outbox = cutover_outbox(cutover, HOOK_BEFORE_CUTOVER, NULL);
    struct phase_change change = {
        .phase = PHASE_FENCING,
        .attempt = cutover->state->attempt,
        .clear_rename_token = true,
        .clear_cutover_requested = true,
        .outbox = outbox,
    };
    if (!cutover_store(cutover, &change, error))
        return false;
    cutover->maybe_renamed = false;
    failpoint_reach(FAILPOINT_GATE_STORED);
    return ask_gate(cutover, error);
}

/* --- fencing → draining ----------------------------------------------------------------- */

/* Persists the intent; with it the lease is checked, under the tenure of the source lock that the
 * RENAME will be sent under. */
static bool
persist_intent(struct cutover *cutover, uint64_t *ret_tenure, GError **error)
{
    if (!renamer_hold(cutover->renamer, ret_tenure, error))
        return false;
    struct phase_change change = {.phase = PHASE_FENCING, .rename_token = cutover->token};
    if (!cutover_store(cutover, &change, error))
        return false;
    failpoint_reach(FAILPOINT_INTENT_SAVED);
    return true;
}

/* Just before the RENAME the stream must be where the source is: the gate may have taken minutes,
 * and what is not applied yet is what the application would wait for. */
static bool
wait_caught_up(struct cutover *cutover, GError **error)
{
    g_autofree char *text = NULL;
    if (!renamer_gtid_executed(cutover->renamer, &text, error))
        return false;
    g_autoptr(gtid_set) executed = gtid_set_parse(text, error);
    if (executed == NULL)
        return false;
    if (applier_wait_for(cutover->applier, executed, drain_deadline(cutover)))
        return true;
    if (!stopped(error))
        g_set_error(error, MT_ERROR, MT_ERROR_CUTOVER,
                    "the target was not level with the source within %" G_GINT64_FORMAT
                    " s; nothing was renamed. An XA transaction that is prepared but not ended on "
                    "a moved table also keeps it so: see XA RECOVER on the source",
                    cutover->config->cutover.drain_timeout_s);
    return false;
}

/* One attempt; *ret_renamed tells whether the tables are renamed now. */
static bool
rename_once(struct cutover *cutover, bool *ret_renamed, char **ret_executed, GError **error)
{
    enum source_tables where;
    g_autofree char *detail = NULL;
    struct rename_outcome outcome;
    struct rename_request request = {.moved_tables = cutover->moved_tables};
    *ret_renamed = false;
    if (!persist_intent(cutover, &request.tenure, error) ||
        !renamer_look(cutover->renamer, cutover->moved_tables, &where, &detail, error))
        return false;
    if (where == SOURCE_OTHER) {
        g_set_error(error, MT_ERROR, MT_ERROR_CUTOVER, "the source's tables cannot be renamed: %s",
                    detail);
        return false;
    }
    if (where == SOURCE_RENAMED) {
        /* An earlier attempt's reply was lost: it did happen. */
        *ret_renamed = true;
        return renamer_gtid_executed(cutover->renamer, ret_executed, error);
    }
    request.token = cutover->state->rename_token;
    if (!wait_caught_up(cutover, error) || !cutover_check_definitions(cutover, error))
        return false;
    bool before = cutover->maybe_renamed;
    cutover->maybe_renamed = true;
    bool done = renamer_rename(cutover->renamer, &request, &outcome, error);
    if (outcome.refused)
        cutover->maybe_renamed = before;
    if (!done)
        return false;
    *ret_renamed = outcome.renamed;
    cutover->fence_tenure = outcome.renamed ? request.tenure : 0;
    *ret_executed = outcome.gtid_executed;
    return true;
}

/* Tries up to `attempts` times: a lock wait is short, so that traffic does not pile up behind it,
 * and is followed by a pause. */
static bool
rename_tables(struct cutover *cutover, char **ret_executed, GError **error)
{
    int64_t pause_ms = RENAME_PAUSE_FIRST_MS;
    for (int64_t attempt = 1;; attempt++) {
        g_autoptr(GError) failure = NULL;
        bool renamed = false;
        if (rename_once(cutover, &renamed, ret_executed, &failure) && renamed)
            return true;
        if (failure != NULL && !mt_error_is_transient(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        log_info("cutover", log_msg("RENAME did not succeed"), log_int("attempt", attempt),
                 log_int("of", cutover->config->cutover.attempts),
                 log_str("why", failure != NULL ? failure->message
                                                : "a transaction holds one of the tables"));
        if (attempt >= cutover->config->cutover.attempts) {
            g_set_error(error, MT_ERROR, MT_ERROR_CUTOVER,
                        "RENAME did not succeed in %" G_GINT64_FORMAT " attempts: %s", attempt,
                        failure != NULL ? failure->message
                                        : "long transactions hold the tables; end them, or "
                                          "raise cutover.lock_wait_timeout_s or attempts");
            return false;
        }
        if (stop_wait_ms(pause_ms))
            return !stopped(error);
        pause_ms = MIN(pause_ms * 2, RENAME_PAUSE_MAX_MS);
    }
}

bool
cutover_step_fence(struct cutover *cutover, GError **error)
{
    g_autofree char *executed = NULL;
    /* What is needed after the RENAME is got ready before it. */
    if (!cutover_open_connections(cutover, 0, error) || stopped(error) ||
        !rename_tables(cutover, &executed, error))
        return false;
    /* From here on the application has no tables: nothing may wait longer than this. */
    cutover->drain_until_us = drain_deadline(cutover);
    /* Dying here: the phase says fencing and the intent is stored; the next run finds the whole
     * set renamed and goes on to draining. */
    failpoint_reach(FAILPOINT_RENAME_DONE);
    cutover_note_rows(cutover);
    g_autofree uint64_t *rows = noted_rows(cutover);
    struct phase_change change = {
        .phase = PHASE_DRAINING,
        .drain_gtid = executed,
        .fenced_us = clock_real_us(),
        .rows_final = rows,
        .retry_until_us = cutover->drain_until_us,
    };
    return cutover_store(cutover, &change, error);
}

/* --- draining → drained ----------------------------------------------------------------- */

static bool
wait_drained(struct cutover *cutover, int64_t deadline_us, GError **error)
{
    g_autoptr(gtid_set) drain = gtid_set_parse(cutover->state->drain_gtid, error);
    if (drain == NULL)
        return false;
    if (applier_wait_for(cutover->applier, drain, deadline_us))
        return true;
    if (stopped(error))
        return false;
    g_set_error(error, MT_ERROR, MT_ERROR_CUTOVER,
                "the stream was not drained within %" G_GINT64_FORMAT
                " s (cutover.drain_timeout_s)",
                cutover->config->cutover.drain_timeout_s);
    return false;
}

/*
 * Everything that was drained came from the server that was the source's primary then. If a replica
 * took over that never got the RENAME, the tables are there under their own names, the application
 * writes to them, and `completed` would split it between two places. So the last word before the
 * point of no return is the primary's: it has the drain set, the RENAME included.
 */
static bool
confirm_renamed(struct cutover *cutover, int64_t deadline_us, GError **error)
{
    bool has = false;
    if (!renamer_has_executed(cutover->renamer, cutover->state->drain_gtid, deadline_us, &has,
                              error))
        return false;
    if (has)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_CUTOVER,
                "the source's primary is another server now, and does not have all that was "
                "drained (%s), the RENAME perhaps; bring the old primary back, or, where that is "
                "lost, begin again with `run --fresh`",
                cutover->state->drain_gtid);
    return false;
}

/*
 * The commit of `drained` failed, or got no answer: then it may have happened, `completed` will be
 * sent, and an undo would contradict it. Finds out. True when it did happen. Takes `failure`.
 */
static bool
settle(struct cutover *cutover, const struct phase_change *change, GError *failure, GError **error)
{
    enum phase stored = PHASE_DRAINING;
    g_autoptr(GError) trouble = NULL;
    if (!checkpoint_settle_phase(&cutover->target, cutover->config, cutover->lease, &stored,
                                 &trouble)) {
        /* Not even that is known: the next run reads what is stored. */
        cutover->outcome_unknown = true;
        log_warning("cutover", log_msg("it is not known whether `drained` was stored"),
                    log_str("error", trouble->message));
    }
    if (stored < change->phase) {
        g_propagate_error(error, failure);
        return false;
    }
    g_error_free(failure);
    cutover->state->phase = change->phase;
    cutover->state->drained_us = change->drained_us;
    return true;
}

/* The point of no return: phase, drain set, position and the outbox rows of `completed` become
 * true together. */
static bool
commit_drained(struct cutover *cutover, GError **error)
{
    g_autofree char *position = applier_position_text(cutover->applier);
    cutover_note_rows(cutover);
    g_autofree uint64_t *rows = noted_rows(cutover);
    g_autoptr(GPtrArray) outbox = cutover_outbox(cutover, HOOK_COMPLETED, NULL);
    struct phase_change change = {
        .phase = PHASE_DRAINED,
        .position = position,
        .drain_gtid = cutover->state->drain_gtid,
        .drained_us = clock_real_us(),
        .rows_final = rows,
        .outbox = outbox,
    };
    failpoint_reach(FAILPOINT_DRAIN_REACHED);
    GError *failure = NULL;
    if (!cutover_store(cutover, &change, &failure) && !settle(cutover, &change, failure, error))
        return false;
    failpoint_reach(FAILPOINT_DRAINED_COMMITTED);
    hook_sender_wake(cutover->sender);
    return true;
}

bool
cutover_step_drain(struct cutover *cutover, GError **error)
{
    int64_t begun_us = clock_monotonic_us();
    /* Going on for an earlier run: from now, with the full time. */
    int64_t deadline_us = cutover->drain_until_us != 0 ? cutover->drain_until_us
                                                       : drain_deadline(cutover);
    if (stopped(error) || !cutover_carry_auto_increment(cutover, deadline_us, error))
        return false;
    /* Dying here: it is carried over once more, which changes nothing. */
    failpoint_reach(FAILPOINT_AUTO_INCREMENT_CARRIED);
    if (!wait_drained(cutover, deadline_us, error) ||
        !confirm_renamed(cutover, deadline_us, error) || !commit_drained(cutover, error))
        return false;
    log_info("cutover", log_msg("drained"),
             log_int("after_ms", (clock_monotonic_us() - begun_us) / 1000));
    return true;
}

/* --- drained → completing → completed --------------------------------------------------- */

bool
cutover_step_announce(struct cutover *cutover, GError **error)
{
    struct phase_change change = {.phase = PHASE_COMPLETING};
    hook_sender_wake(cutover->sender);
    cutover->row_count = NULL; /* it may end with the flow */
    cutover->drained(cutover->context);
    if (cutover->config->cutover.triggers == TRIGGERS_CREATE) {
        if (!cutover_create_triggers(cutover, error))
            return false;
        change.last_error = "";
    }
    /* Dying from here on: `completed` may have left while the phase is `drained`. Its row in the outbox
     * tells; the next run finds the triggers there, and delivers what is not acknowledged. */
    hook_sender_let_completed_go(cutover->sender);
    return cutover_store(cutover, &change, error);
}

bool
cutover_step_complete(struct cutover *cutover, GError **error)
{
    const struct move_state *state = cutover->state;
    g_autofree char *event_id = hook_event_id(state->move_id, HOOK_COMPLETED, state->attempt);
    hook_sender_let_completed_go(cutover->sender); /* an earlier run's triggers are there */
    if (!hook_sender_wait(cutover->sender, event_id, cutover->config->cutover.hook_timeout_s * 1000,
                          error)) {
        g_prefix_error(error, "the data is moved, but `completed` is not acknowledged: ");
        return false;
    }
    struct phase_change change = {
        .phase = PHASE_COMPLETED,
        .completed_us = clock_real_us(),
        .clear_rename_token = true,
    };
    /* Dying here: the next run finds `completed` acknowledged, and stores what is not stored. */
    failpoint_reach(FAILPOINT_COMPLETED_BEFORE_SAVE);
    if (!cutover_store(cutover, &change, error))
        return false;
    failpoint_reach(FAILPOINT_COMPLETED_SAVED);
    return true;
}
