/* The engine of a move: starting, stopping and hearing from its threads. */
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "move_int.h"

#define WAIT_MS 100

/* --- hearing ---------------------------------------------------------------------------- */

void
move_fail(void *context, const GError *error)
{
    struct move *move = context;
    pthread_mutex_lock(&move->mutex);
    /* A part that was stopped because another one failed is not a failure. */
    if (move->failure == NULL && !g_error_matches(error, MT_ERROR, MT_ERROR_STOPPED))
        move->failure = g_error_copy(error);
    pthread_cond_broadcast(&move->cond);
    pthread_mutex_unlock(&move->mutex);
    stop_request();
}

static void
copy_finished(void *context)
{
    struct move *move = context;
    pthread_mutex_lock(&move->mutex);
    move->copy_finished = true;
    pthread_cond_broadcast(&move->cond);
    pthread_mutex_unlock(&move->mutex);
}

static void
cutover_requested(void *context)
{
    struct move *move = context;
    pthread_mutex_lock(&move->mutex);
    move->cutover_requested = true;
    pthread_cond_broadcast(&move->cond);
    pthread_mutex_unlock(&move->mutex);
}

static void
wake(void *context)
{
    struct move *move = context;
    pthread_mutex_lock(&move->mutex);
    pthread_cond_broadcast(&move->cond);
    pthread_mutex_unlock(&move->mutex);
}

void
move_why_stopped(struct move *move, GError **error)
{
    pthread_mutex_lock(&move->mutex);
    if (move->failure != NULL)
        g_propagate_error(error, g_error_copy(move->failure));
    else
        g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED,
                            "stopped; run again to go on from the checkpoint");
    pthread_mutex_unlock(&move->mutex);
}

bool
move_wait(struct move *move, bool (*ready)(struct move *), GError **error)
{
    bool is_ready = false;
    pthread_mutex_lock(&move->mutex);
    while (!stop_requested() && !(is_ready = ready(move)))
        (void)clock_cond_wait_until(&move->cond, &move->mutex,
                                    clock_monotonic_us() + WAIT_MS * 1000);
    pthread_mutex_unlock(&move->mutex);
    if (!is_ready)
        move_why_stopped(move, error);
    return is_ready;
}

/* --- starting --------------------------------------------------------------------------- */

static bool
start_stream(struct move *move, const struct gtid_set *position, const struct gtid_set *horizon,
             GError **error)
{
    struct transaction_sink sink = {
        .context = move->inbox,
        .arrived = inbox_arrived,
        .fragment = inbox_put,
        .unknown_xa_commit = move->state->xa_clean ? move_xa_unknown_accept
                                                   : move_xa_unknown_refuse,
    };
    struct stream_options options = {
        .server = move->reader,
        .from = position,
        .horizon = horizon,
        .assembler =
            {
                .moved_tables = move->moved_tables,
                .fragment_bytes = MIN((size_t)move->config->apply.batch_bytes / 4,
                                      (size_t)move->config->memory_bytes / 32),
                .rename_token = move->token,
            },
        .failed = move_fail,
        .failed_context = move,
    };
    move->stream = stream_start(&options, &sink, error);
    if (move->stream != NULL)
        horizon_set_stream(move->horizon, move->stream);
    return move->stream != NULL;
}

/* How far the source's clock is ahead of our monotonic one, give or take half a round trip. */
static bool
clock_offset(struct move *move, int64_t *ret_us, GError **error)
{
    int64_t before_us = clock_monotonic_us();
    g_autoptr(result) now = conn_query(
        move->reader_conn, "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED) AS us", error);
    if (now == NULL)
        return false;
    *ret_us = result_int(now, 0, "us") - (before_us + clock_monotonic_us()) / 2;
    return true;
}

static bool
start_applier(struct move *move, const struct gtid_set *position, GError **error)
{
    struct applier_options options = {
        .config = move->config,
        .target = move->target,
        .lease = move->lease,
        .horizon = move->horizon,
        .inbox = move->inbox,
        .stream = move->stream,
        .moved_tables = move->moved_tables,
        .position = position,
        .progress = move->options->progress,
        .failed = move_fail,
        .failed_context = move,
    };
    if (!clock_offset(move, &options.clock_offset_us, error))
        return false;
    move->applier = applier_start(&options);
    if (move->state->phase != PHASE_COPYING)
        applier_set_linger_ms(move->applier, MOVE_LINGER_FOLLOWING_MS);
    return true;
}

/* Nothing is left to copy: what earlier runs copied is what there is to show. */
static void
show_copied(struct move *move)
{
    for (guint i = 0; i < move->state->tables->len; i++) {
        const struct table_state *table = g_ptr_array_index(move->state->tables, i);
        progress_table_begin(move->options->progress, i, table->rows_estimated, table->rows_copied);
        progress_table_finished(move->options->progress, i);
    }
}

static bool
start_copier(struct move *move, GError **error)
{
    struct copier_options options = {
        .config = move->config,
        .reader = move->reader,
        .target = move->target,
        .lease = move->lease,
        .horizon = move->horizon,
        .inbox = move->inbox,
        .moved_tables = move->moved_tables,
        .states = move->state->tables,
        .progress = move->options->progress,
        .finished = copy_finished,
        .failed = move_fail,
        .context = move,
    };
    if (!copier_load_possible(move->target_conn, &options.load_local, error))
        return false;
    log_info("copy", log_msg("loading the target"),
             log_str("method", options.load_local ? "LOAD DATA LOCAL"
                                                  : "INSERT (local_infile is OFF on the target)"));
    move->copier = copier_start(&options, error);
    return move->copier != NULL;
}

static bool
start_flow(struct move *move, GError **error)
{
    g_autoptr(gtid_set) position = gtid_set_parse(move->state->position, error);
    if (position == NULL)
        return false;
    g_autoptr(gtid_set)
        horizon = gtid_set_parse(move->state->horizon != NULL ? move->state->horizon : "", error);
    if (horizon == NULL)
        return false;
    move->horizon = horizon_new(move->checkpoint, horizon);
    move->inbox = inbox_new(position, (size_t)move->config->memory_bytes / 4);
    if (!start_stream(move, position, horizon, error) || !start_applier(move, position, error))
        return false;
    return move->state->phase != PHASE_COPYING || start_copier(move, error);
}

static void
start_keeper(struct move *move)
{
    move->keeper_options = (struct keeper_options){
        .config = move->config,
        .checkpoint = move->checkpoint,
        .lease = move->lease,
        .renamer = move->renamer,
        .sender = move->sender,
        .inbox = move->inbox,
        .applier = move->applier,
        .copier = move->copier,
        .progress = move->options->progress,
        .states = move->state->tables,
        .paused = move->state->paused,
        .cutover_requested = cutover_requested,
        .failed = move_fail,
        .context = move,
    };
    move->keeper = keeper_start(&move->keeper_options);
}

bool
move_engine_start(struct move *move, GError **error)
{
    stop_on_request(wake, move);
    progress_set_phase(move->options->progress, phase_name(move->state->phase));
    move->cutover_requested = move->state->cutover_requested;
    if (move->state->phase != PHASE_COPYING)
        show_copied(move);
    if (move->state->phase < PHASE_DRAINED && !start_flow(move, error))
        return false;
    start_keeper(move);
    return true;
}

/* --- stopping --------------------------------------------------------------------------- */

void
move_flow_stop(struct move *move)
{
    copier_stop(move->copier);
    if (move->inbox != NULL)
        inbox_close(move->inbox);
    if (move->stream != NULL)
        stream_stop(move->stream);
    applier_stop(move->applier);
}

void
move_engine_stop(struct move *move, bool save)
{
    keeper_stop(move->keeper);
    g_clear_pointer(&move->row_count, row_count_free);
    move_flow_stop(move);
    /* Everything in hand is durable or given up: what is saved now is the last word. */
    if (save && move->keeper != NULL && move->applier != NULL &&
        move->state->phase < PHASE_DRAINED) {
        g_autoptr(GError) trouble = NULL;
        if (!keeper_save(&move->keeper_options, &trouble))
            log_warning("move", log_msg("the last checkpoint was not saved; an older one is"),
                        log_str("error", trouble->message));
    }
    if (move->sender != NULL)
        hook_sender_stop(move->sender);
    stop_forget(wake, move);
    g_clear_pointer(&move->copier, copier_free);
    g_clear_pointer(&move->stream, stream_free);
    g_clear_pointer(&move->applier, applier_free);
    g_clear_pointer(&move->inbox, inbox_free);
    g_clear_pointer(&move->horizon, horizon_free);
}

static void
flow_no_longer_needed(void *context)
{
    struct move *move = context;
    move_flow_stop(move);
    /* A count that has not ended would keep its tables from getting triggers. */
    if (move->config->cutover.triggers == TRIGGERS_CREATE)
        g_clear_pointer(&move->row_count, row_count_free);
}

/* --- views ------------------------------------------------------------------------------ */

struct cutover
move_cutover(struct move *move)
{
    return (struct cutover){
        .config = move->config,
        .state = move->state,
        .moved_tables = move->moved_tables,
        .checkpoint = move->checkpoint,
        .lease = move->lease,
        .renamer = move->renamer,
        .applier = move->applier,
        .row_count = move->row_count,
        .sender = move->sender,
        .target = move->target,
        .progress = move->options->progress,
        .token = move->token,
        .drained = flow_no_longer_needed,
        .context = move,
        .maybe_renamed = true,
    };
}

void
move_notify(struct move *move, enum hook_event event, const char *reason)
{
    g_autofree struct hook_table *tables = g_new0(struct hook_table, move->state->tables->len);
    struct cutover cutover = move_cutover(move);
    struct hook_facts facts;
    cutover_note_rows(&cutover);
    cutover_hook_facts(&cutover, event, tables, &facts);
    facts.reason = reason;
    hook_sender_notify(move->sender, &facts);
}
