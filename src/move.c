/* The outline of a move: its stages in order. */
#include "move.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "checkpoint/command.h"
#include "copy/index_build.h"
#include "move_int.h"

/* How long `ready` waits for the exact number of rows, which hooks tell. */
#define ROW_COUNT_WAIT_MS 10000

/* --- copying → following ---------------------------------------------------------------- */

static bool
copy_is_finished(struct move *move)
{
    return move->copy_finished;
}

static bool
store_phase(struct move *move, enum phase phase, GError **error)
{
    g_autofree char *position = applier_position_text(move->applier);
    struct phase_change change = {.phase = phase, .position = position};
    if (!checkpoint_change_phase(move->checkpoint, &change, error))
        return false;
    move->state->phase = phase;
    progress_set_phase(move->options->progress, phase_name(phase));
    log_info("move", log_msg("phase"), log_str("phase", phase_name(phase)));
    return true;
}

/* Hooks tell how many rows were copied until they are counted. */
static void
note_copied(struct move *move)
{
    guint tables = move->state->tables->len;
    g_autofree struct table_state *copied = g_new0(struct table_state, tables);
    copier_states(move->copier, copied, tables);
    for (guint i = 0; i < tables; i++) {
        struct table_state *state = g_ptr_array_index(move->state->tables, i);
        state->rows_copied = copied[i].rows_copied;
        g_free(copied[i].copied_to);
    }
}

static bool
copy(struct move *move, GError **error)
{
    if (move->state->phase != PHASE_COPYING)
        return true;
    if (!move_wait(move, copy_is_finished, error))
        return false;
    /* The ranges before the phase: `following` must never be stored over an unfinished copy. */
    if (!keeper_save(&move->keeper_options, error) || !store_phase(move, PHASE_FOLLOWING, error))
        return false;
    applier_set_linger_ms(move->applier, MOVE_LINGER_FOLLOWING_MS);
    note_copied(move);
    move_notify(move, HOOK_COPY_COMPLETED, NULL);
    return true;
}

/* --- following → ready ------------------------------------------------------------------ */

static bool
lag_is_small(struct move *move)
{
    int64_t lag_ms = applier_lag_ms(move->applier);
    return lag_ms >= 0 && lag_ms <= move->config->cutover.max_lag_ms;
}

/* What the target was made without. Before the lag is looked at: it may grow meanwhile. */
static bool
build_indexes(struct move *move, GError **error)
{
    struct index_build_options options = {
        .config = move->config,
        .reader = move->reader,
        .target = move->target,
        .lease = move->lease,
        .applier = move->applier,
        .moved_tables = move->moved_tables,
        .progress = move->options->progress,
        .outlast = move->resuming,
    };
    return index_build_run(&options, error);
}

/* Everything that any chunk may have shown must be applied before the target can be counted. */
static bool
catch_up(struct move *move, GError **error)
{
    g_autofree char *text = NULL;
    if (!conn_query_value(move->reader_conn, "SELECT @@GLOBAL.gtid_executed", &text, error))
        return false;
    g_autoptr(gtid_set) executed = gtid_set_parse(text, error);
    if (executed == NULL)
        return false;
    while (!applier_wait_for(move->applier, executed, INT64_MAX / 2)) {
        if (stop_requested()) {
            move_why_stopped(move, error);
            return false;
        }
    }
    return true;
}

static bool
follow(struct move *move, GError **error)
{
    if (move->state->phase > PHASE_READY)
        return true;
    /* The connections of the start may have been idle for days. */
    g_clear_pointer(&move->target_conn, conn_close);
    if (move->reader_conn != move->source_conn)
        g_clear_pointer(&move->source_conn, conn_close);
    move->source_conn = NULL;
    g_clear_pointer(&move->reader_conn, conn_close);
    if (!build_indexes(move, error))
        return false;
    move->reader_conn = conn_open_retrying(&move->reader, "catching up", error);
    if (move->reader_conn == NULL || !catch_up(move, error))
        return false;
    move->row_count = row_count_start(&move->target, move->applier, move->moved_tables);
    row_count_wait(move->row_count, ROW_COUNT_WAIT_MS);
    if (!move_wait(move, lag_is_small, error))
        return false;
    if (move->state->phase == PHASE_FOLLOWING && !store_phase(move, PHASE_READY, error))
        return false;
    move_notify(move, HOOK_READY, NULL);
    return true;
}

/* --- cutover ---------------------------------------------------------------------------- */

static bool
cutover_may_begin(struct move *move)
{
    const struct config *config = move->config;
    if (config->cutover.flag_file != NULL &&
        g_file_test(config->cutover.flag_file, G_FILE_TEST_EXISTS))
        return false;
    return config->cutover.mode == CUTOVER_AUTO || move->cutover_requested;
}

/* What is stored decides: an undo clears what was asked for during the attempt, of which this run may
 * have been told since. */
static bool
wait_for_cutover(struct move *move, GError **error)
{
    for (;;) {
        if (!move_wait(move, cutover_may_begin, error))
            return false;
        if (move->config->cutover.mode == CUTOVER_AUTO)
            return true;
        pthread_mutex_lock(&move->mutex);
        move->cutover_requested = false;
        pthread_mutex_unlock(&move->mutex);
        bool requested = false;
        if (!command_cutover_requested(move->checkpoint, &requested, error))
            return false;
        if (requested)
            return true;
    }
}

/* In manual mode an undone cutover leaves the move `ready`, following, and waiting for the next
 * command; in auto mode nobody would give one. */
static bool
waits_for_next_command(const struct move *move, const GError *failure)
{
    return g_error_matches(failure, MT_ERROR, MT_ERROR_CUTOVER) &&
           move->config->cutover.mode == CUTOVER_MANUAL && move->state->phase == PHASE_READY &&
           !stop_requested();
}

static bool
cut_over(struct move *move, GError **error)
{
    for (;;) {
        if (move->state->phase == PHASE_READY) {
            log_info("move", log_msg(move->config->cutover.mode == CUTOVER_AUTO
                                         ? "ready: cutting over"
                                         : "ready: waiting for `move-tables cutover`"));
            if (!wait_for_cutover(move, error))
                return false;
        }
        struct cutover cutover = move_cutover(move);
        g_autoptr(GError) failure = NULL;
        bool done = cutover_run(&cutover, &failure);
        cutover_clear(&cutover);
        if (done)
            return true;
        if (!waits_for_next_command(move, failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        log_warning("move", log_msg("cutover undone; waiting for the next command"),
                    log_str("why", failure->message));
        applier_set_linger_ms(move->applier, MOVE_LINGER_FOLLOWING_MS);
    }
}

/* --- the move --------------------------------------------------------------------------- */

/* A run that resumes in the middle of a drain and cannot go on must not leave the application
 * without its tables: takes the RENAME back. Adds to *error when that fails, too. */
static void
undo_open_cutover(struct move *move, GError **error)
{
    if (move->state == NULL || move->state->phase != PHASE_DRAINING || move->sender == NULL ||
        move->moved_tables == NULL || g_error_matches(*error, MT_ERROR, MT_ERROR_FENCED))
        return;
    struct cutover cutover = move_cutover(move);
    g_autoptr(GError) trouble = NULL;
    if (!cutover_undo(&cutover, (*error)->message, &trouble))
        g_prefix_error(error, "the cutover could not be undone either (%s): ", trouble->message);
}

static bool
open_and_start(struct move *move, GError **error)
{
    GError *failure = NULL;
    if (!move_open(move, &failure) ||
        (move->state->phase != PHASE_COMPLETED && !move_engine_start(move, &failure))) {
        undo_open_cutover(move, &failure);
        g_propagate_error(error, failure);
        return false;
    }
    return true;
}

static bool
run_stages(struct move *move, GError **error)
{
    if (!open_and_start(move, error))
        return false;
    if (move->state->phase == PHASE_COMPLETED) {
        log_info("move", log_msg("this move is completed; nothing to do"));
        return true;
    }
    move_notify(move, HOOK_STARTED, NULL);
    if (!copy(move, error) || !follow(move, error))
        return false;
    if (move->options->until_ready && move->state->phase == PHASE_READY)
        return true;
    return cut_over(move, error);
}

/* Another runner that took over changes the world under this one: a table is gone, a row is there.
 * Whatever was met then, the cause is that the move is not ours any more. NULL: it is, or the target
 * does not tell. */
static GError *
why_fenced(const struct move *move)
{
    if (move->lease == NULL)
        return NULL;
    GError *failure = NULL;
    g_autoptr(conn) conn = conn_open(&move->target, "lease check", &failure);
    if (conn == NULL || lease_check(move->lease, conn, &failure) ||
        !g_error_matches(failure, MT_ERROR, MT_ERROR_FENCED))
        g_clear_error(&failure);
    return failure;
}

/* What another thread reported is the cause; what the main thread met after it is a consequence.
 * Takes `met`, gives what the run ends with. */
static GError *
choose_error(struct move *move, GError *met)
{
    pthread_mutex_lock(&move->mutex);
    GError *cause = g_steal_pointer(&move->failure);
    pthread_mutex_unlock(&move->mutex);
    if (cause == NULL || (g_error_matches(met, MT_ERROR, MT_ERROR_CUTOVER) &&
                          !g_error_matches(cause, MT_ERROR, MT_ERROR_FENCED)))
        g_clear_error(&cause);
    if (cause != NULL) {
        g_error_free(met);
        met = cause;
    }
    bool told = g_error_matches(met, MT_ERROR, MT_ERROR_FENCED) ||
                g_error_matches(met, MT_ERROR, MT_ERROR_STOPPED);
    GError *fenced = told ? NULL : why_fenced(move);
    if (fenced == NULL)
        return met;
    log_info("move", log_msg("the move is another runner's by now"), log_str("met", met->message));
    g_error_free(met);
    return fenced;
}

/* The next run would not meet it again. Dying before this is stored is as if nobody had looked. */
static void
store_gap(struct move *move, const GError *met)
{
    g_autoptr(GError) failure = NULL;
    if (!checkpoint_mark_gap(move->checkpoint, met->message, &failure))
        log_warning("move",
                    log_msg("changes are missing, and that could not be stored: do not run this "
                            "move again without --fresh"),
                    log_str("error", failure->message));
}

static void
move_clear(struct move *move)
{
    g_clear_pointer(&move->checkpoint, checkpoint_close);
    g_clear_pointer(&move->lease, lease_release);
    g_clear_pointer(&move->renamer, renamer_close);
    if (move->reader_conn != move->source_conn)
        conn_close(move->reader_conn);
    conn_close(move->source_conn);
    conn_close(move->target_conn);
    g_clear_pointer(&move->state, move_state_free);
    g_clear_pointer(&move->moved_tables, g_ptr_array_unref);
    g_clear_error(&move->failure);
    g_free(move->token);
    pthread_cond_destroy(&move->cond);
    pthread_mutex_destroy(&move->mutex);
}

bool
move_run(const struct config *config, const struct move_options *options, GError **error)
{
    struct move move = {
        .config = config,
        .options = options,
        .reader = server_of_reader(config),
        .target = server_of_target(config),
    };
    pthread_mutex_init(&move.mutex, NULL);
    clock_cond_init(&move.cond);

    GError *met = NULL;
    bool done = run_stages(&move, &met);
    if (!done)
        met = choose_error(&move, met);
    if (!done && move.checkpoint != NULL && g_error_matches(met, MT_ERROR, MT_ERROR_GAP))
        store_gap(&move, met);
    /* Of a move that could not even be begun there is nothing to tell: what it moves is known
     * last. */
    bool known = move.sender != NULL && move.state != NULL && move.state->tables->len > 0;
    if (!done && known && !g_error_matches(met, MT_ERROR, MT_ERROR_STOPPED) &&
        !g_error_matches(met, MT_ERROR, MT_ERROR_FENCED))
        move_notify(&move, HOOK_FAILED, met->message);
    /* A writer that waits for somebody's row lock must not hold up the end of a run that failed. */
    if (!done)
        stop_request();
    move_engine_stop(&move, !g_error_matches(met, MT_ERROR, MT_ERROR_FENCED));
    move_clear(&move);
    if (!done)
        g_propagate_error(error, met);
    return done;
}
