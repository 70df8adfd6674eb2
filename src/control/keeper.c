#include "control/keeper.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/thread.h"
#include "checkpoint/command.h"

#define TICK_MS 200
#define LOCKS_EVERY_MS 1000

struct keeper {
    struct keeper_options options;
    pthread_t thread;
    pthread_t source_thread; /* keeps the source's lock */
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool closed; /* guarded by the mutex */

    /* The thread's own. */
    bool paused;
    const char *held; /* why the copy is held, as told to the copier */
    int64_t lease_due_us;
    int64_t save_due_us;
};

/* --- saving ----------------------------------------------------------------------------- */

bool
keeper_save(const struct keeper_options *options, GError **error)
{
    guint tables = options->states->len;
    uint64_t number = checkpoint_snapshot(options->checkpoint);
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
        .snapshot = number,
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
is_copying(const struct keeper *keeper)
{
    return keeper->options.copier != NULL && !copier_is_done(keeper->options.copier);
}

/* What the operator reads. */
static const char *
outcome_of(const struct keeper *keeper, const struct command *command)
{
    switch (command->verb) {
    case VERB_PAUSE:
        return is_copying(keeper) ? "copying is paused; applying goes on"
                                  : "nothing is copied any more; applying goes on";
    case VERB_RESUME:
        return is_copying(keeper) ? "copying goes on"
                                  : "nothing is copied any more; applying goes on";
    case VERB_CUTOVER:
        return command->during_cutover
                   ? "a cutover is under way; if it is undone, give the command again"
                   : "the cutover will begin as soon as the move is ready";
    case VERB_ABORT:
        return "the runner is stopping";
    case VERB_RESOLVE:
        return "the runner reads the outbox again";
    }
    g_assert_not_reached();
}

/* Its effect is stored already: an attempt that begins because of it clears what is stored. */
static void
obey(struct keeper *keeper, enum verb verb)
{
    switch (verb) {
    case VERB_PAUSE:
        keeper->paused = true;
        break;
    case VERB_RESUME:
        keeper->paused = false;
        break;
    case VERB_CUTOVER:
        keeper->options.cutover_requested(keeper->options.context);
        break;
    case VERB_ABORT:
        stop_request();
        break;
    case VERB_RESOLVE:
        hook_sender_wake(keeper->options.sender);
        break;
    }
}

static bool
take_commands(struct keeper *keeper, GError **error)
{
    for (;;) {
        struct command *command = NULL;
        if (!command_take(keeper->options.checkpoint, &command, error))
            return false;
        if (command == NULL)
            return true;
        log_info("control", log_msg("command"), log_str("verb", verb_name(command->verb)),
                 log_str("by", command->issued_by));
        bool done = command_finish(keeper->options.checkpoint, command, outcome_of(keeper, command),
                                   error);
        if (done)
            obey(keeper, command->verb);
        command_free(command);
        if (!done)
            return false;
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
    bool copying = is_copying(keeper);
    if (copying && keeper->paused)
        why = "paused";
    else if (copying && applier_lag_ms(options->applier) > options->config->throttle.max_lag_ms)
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

/* --- the threads ------------------------------------------------------------------------ */

static bool
tick(struct keeper *keeper, GError **error)
{
    const struct keeper_options *options = &keeper->options;
    int64_t now_us = clock_monotonic_us();
    if (now_us >= keeper->lease_due_us) {
        keeper->lease_due_us = now_us + LOCKS_EVERY_MS * 1000;
        if (!lease_keep(options->lease, error))
            return false;
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

/* False when the keeper was closed meanwhile. */
static bool
wait_ms(struct keeper *keeper, int64_t ms)
{
    int64_t deadline_us = clock_monotonic_us() + ms * 1000;
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
    } while (wait_ms(keeper, TICK_MS));
    return NULL;
}

/*
 * A thread of its own: what waits for one side must not keep the other from being kept. A RENAME that
 * waits for its locks has the source's connection for as long; a target that is away is waited for,
 * and the tables can only be renamed back without it under the tenure that they were renamed under.
 */
static void *
source_main(void *argument)
{
    struct keeper *keeper = argument;
    const struct keeper_options *options = &keeper->options;
    bool was_busy = false; /* said once: another session has the lock on the source */
    do {
        /* A lost source is the readers' and the stream's to report. Another session with our lock
         * there is a run that has begun: either it raises the epoch, or it is refused and ends. */
        g_autoptr(GError) trouble = NULL;
        if (!renamer_keep(options->renamer, &trouble) && !mt_error_is_transient(trouble)) {
            options->failed(options->context, trouble);
            break;
        }
        bool busy = g_error_matches(trouble, MT_ERROR, MT_ERROR_SOURCE_BUSY);
        if (busy && !was_busy)
            log_warning("cutover", log_msg("another session has the source's lock; trying again"),
                        log_str("error", trouble->message));
        was_busy = busy;
    } while (wait_ms(keeper, LOCKS_EVERY_MS));
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
    thread_start(&keeper->source_thread, source_main, keeper);
    return keeper;
}

void
keeper_stop(struct keeper *keeper)
{
    if (keeper == NULL)
        return;
    pthread_mutex_lock(&keeper->mutex);
    keeper->closed = true;
    pthread_cond_broadcast(&keeper->cond);
    pthread_mutex_unlock(&keeper->mutex);
    pthread_join(keeper->thread, NULL);
    pthread_join(keeper->source_thread, NULL);
    pthread_cond_destroy(&keeper->cond);
    pthread_mutex_destroy(&keeper->mutex);
    g_free(keeper);
}
