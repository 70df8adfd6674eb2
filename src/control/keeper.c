#include "control/keeper.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/thread.h"
#include "checkpoint/command.h"

#define TICK_MS 200
#define LOCKS_EVERY_US 1000000

struct keeper {
    struct keeper_options options;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool closed;
    bool paused;
    const char *held; /* why the copy is held, as told to the copier */
    int64_t locks_due_us;
    int64_t save_due_us;
};

/* --- saving ----------------------------------------------------------------------------- */

bool
keeper_save(const struct keeper_options *options, GError **error)
{
    guint tables = options->states->len;
    g_autofree struct table_state *states = g_new0(struct table_state, tables);
    /* Both are read before the write: what is saved is a lower bound of what is durable. Ranges
     * and position may be of different moments; each is true of itself (docs/protocol.md). */
    g_autofree char *position = options->applier != NULL ? applier_position_text(options->applier)
                                                         : NULL;
    if (options->copier != NULL)
        copier_states(options->copier, states, tables);
    for (guint i = 0; i < tables; i++)
        states[i].source_table =
            ((const struct table_state *)g_ptr_array_index(options->states, i))->source_table;
    g_autoptr(progress_snapshot)
        snapshot = options->progress != NULL ? progress_snapshot(options->progress) : NULL;
    struct checkpoint_progress progress = {
        .position = position,
        .tables = states,
        .tables_count = options->copier != NULL ? tables : 0,
        .lag_ms = options->applier != NULL ? applier_lag_ms(options->applier) : -1,
        .changes_applied = options->applier != NULL ? applier_changes(options->applier) : 0,
        .copy_rows_per_s = snapshot != NULL ? (uint64_t)snapshot->rows_per_s : 0,
    };
    bool saved = checkpoint_save_progress(options->checkpoint, &progress, error);
    for (guint i = 0; i < tables; i++)
        g_free(states[i].copied_to);
    return saved;
}

/* --- commands --------------------------------------------------------------------------- */

static bool
set_paused(struct keeper *keeper, bool paused, GError **error)
{
    keeper->paused = paused;
    return checkpoint_set_paused(keeper->options.checkpoint, paused, error);
}

static bool
obey(struct keeper *keeper, const struct command *command, const char **ret_outcome, GError **error)
{
    const struct keeper_options *options = &keeper->options;
    switch (command->verb) {
    case VERB_PAUSE:
        *ret_outcome = options->copier != NULL ? "copying is paused; applying goes on"
                                               : "nothing is copied any more; applying goes on";
        return set_paused(keeper, true, error);
    case VERB_RESUME:
        *ret_outcome = "copying goes on";
        return set_paused(keeper, false, error);
    case VERB_CUTOVER:
        /* Stored first: an attempt that begins because of it clears what is stored. */
        if (!checkpoint_set_cutover_requested(options->checkpoint, true, error))
            return false;
        *ret_outcome = options->cutover_requested(options->context);
        return true;
    case VERB_ABORT:
        *ret_outcome = "the runner is stopping";
        return true;
    }
    g_assert_not_reached();
}

static bool
take_commands(struct keeper *keeper, GError **error)
{
    for (;;) {
        struct command *command = NULL;
        const char *outcome = NULL;
        if (!command_take(keeper->options.checkpoint, &command, error))
            return false;
        if (command == NULL)
            return true;
        log_info("control", log_msg("command"), log_str("verb", verb_name(command->verb)),
                 log_str("by", command->issued_by));
        bool abort = command->verb == VERB_ABORT;
        bool done = obey(keeper, command, &outcome, error) &&
                    command_finish(keeper->options.checkpoint, command, outcome, error);
        command_free(command);
        if (!done)
            return false;
        if (abort)
            stop_request();
    }
}

/* --- throttling ------------------------------------------------------------------------- */

/* New chunks wait while the operator paused, or while what they would delay is behind already. */
static void
hold_or_release(struct keeper *keeper)
{
    const struct keeper_options *options = &keeper->options;
    if (options->copier == NULL)
        return;
    const char *why = NULL;
    if (keeper->paused)
        why = "paused";
    else if (applier_lag_ms(options->applier) > options->config->throttle.max_lag_ms)
        why = "lag";
    if (why != keeper->held)
        copier_hold(options->copier, why);
    keeper->held = why;
}

static void
show(const struct keeper_options *options)
{
    if (options->applier == NULL)
        return;
    size_t bytes = inbox_state(options->inbox).waiting_bytes;
    if (options->copier != NULL)
        bytes += copier_waiting_bytes(options->copier);
    progress_set_lag_ms(options->progress, applier_lag_ms(options->applier));
    progress_set_buffered_bytes(options->progress, bytes);
}

/* --- the thread ------------------------------------------------------------------------- */

static bool
tick(struct keeper *keeper, GError **error)
{
    const struct keeper_options *options = &keeper->options;
    int64_t now_us = clock_monotonic_us();
    if (now_us >= keeper->locks_due_us) {
        keeper->locks_due_us = now_us + LOCKS_EVERY_US;
        g_autoptr(GError) trouble = NULL;
        if (!lease_keep(options->lease, error))
            return false;
        /* A lost source is the readers' and the stream's to report; another owner is ours. */
        if (!renamer_keep(options->renamer, &trouble) && !mt_error_is_transient(trouble)) {
            g_propagate_error(error, g_steal_pointer(&trouble));
            return false;
        }
    }
    if (!take_commands(keeper, error))
        return false;
    hold_or_release(keeper);
    show(options);
    if (now_us >= keeper->save_due_us && options->applier != NULL) {
        keeper->save_due_us = now_us + options->config->checkpoint.interval_ms * 1000;
        return keeper_save(options, error);
    }
    return true;
}

/* Waits for the next tick. False when the keeper was closed. */
static bool
wait_tick(struct keeper *keeper)
{
    int64_t deadline_us = clock_monotonic_us() + TICK_MS * 1000;
    pthread_mutex_lock(&keeper->mutex);
    while (!keeper->closed && clock_cond_wait_until(&keeper->cond, &keeper->mutex, deadline_us))
        ;
    bool open = !keeper->closed;
    pthread_mutex_unlock(&keeper->mutex);
    return open;
}

static void *
keeper_main(void *argument)
{
    struct keeper *keeper = argument;
    g_autoptr(GError) error = NULL;
    do {
        if (!tick(keeper, &error)) {
            keeper->options.failed(keeper->options.context, error);
            break;
        }
    } while (wait_tick(keeper));
    return NULL;
}

struct keeper *
keeper_start(const struct keeper_options *options)
{
    struct keeper *keeper = g_new0(struct keeper, 1);
    keeper->options = *options;
    keeper->paused = options->paused;
    pthread_mutex_init(&keeper->mutex, NULL);
    clock_cond_init(&keeper->cond);
    thread_start(&keeper->thread, keeper_main, keeper);
    return keeper;
}

void
keeper_stop(struct keeper *keeper)
{
    if (keeper == NULL)
        return;
    pthread_mutex_lock(&keeper->mutex);
    keeper->closed = true;
    pthread_cond_signal(&keeper->cond);
    pthread_mutex_unlock(&keeper->mutex);
    pthread_join(keeper->thread, NULL);
    pthread_cond_destroy(&keeper->cond);
    pthread_mutex_destroy(&keeper->mutex);
    g_free(keeper);
}
