#include "apply/applier.h"

#include <pthread.h>

#include "apply/batch.h"
#include "apply/writers.h"
#include "schema/target_warnings.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/stop.h"
#include "base/thread.h"

#define RECENT_US 1000000
#define SILENCE_US 2500000 /* two heartbeats and a half */
#define SLICE_ROWS_MIN 250 /* a durable commit costs as much as tens of rows */
#define SLICE_ROWS_MAX 1000
#define SLICE_BYTES_MAX (1024 * 1024)

struct applier {
    struct applier_options options;
    struct writers *writers;
    pthread_t thread;
    bool joined;

    /* The thread's own. */
    struct batch *batch;
    GArray *order;  /* uint32_t: entries grouped by operation and table */
    GArray *slices; /* struct slice: deletes first */
    size_t deletes; /* so many of `order` are deleted, the others put */
    size_t delete_slices;

    pthread_mutex_t mutex;
    pthread_cond_t advanced; /* P moved, the thread ended, a stop was requested, holds fell to 0 */
    struct gtid_set *position;
    int64_t linger_ms;
    unsigned holds;          /* of applier_hold() */
    int64_t applied_us;      /* monotonic: when the last batch became durable */
    int64_t applied_lag_ms;  /* how old it was then */
    int64_t batch_commit_us; /* commit time of what is being applied; 0: nothing is */
    uint64_t changes;
    int64_t *row_deltas; /* per table, since applier_between_batches() */
    bool ended;

    pthread_mutex_t batch_mutex; /* held while a batch is applied and counted */
};

/* --- collecting ------------------------------------------------------------------------- */

static int64_t
linger_ms(struct applier *applier)
{
    pthread_mutex_lock(&applier->mutex);
    int64_t ms = applier->linger_ms;
    pthread_mutex_unlock(&applier->mutex);
    return ms;
}

static bool
batch_full(const struct applier *applier)
{
    const struct config *config = applier->options.config;
    return batch_changes(applier->batch) >= (uint64_t)config->apply.batch_rows ||
           batch_bytes(applier->batch) >= (size_t)config->apply.batch_bytes;
}

/* Fills the batch: what is there now, and what comes within the linger time once there is
 * something to apply. False at the end of the stream or on an error. */
static bool
collect(struct applier *applier, GError **error)
{
    struct batch *batch = applier->batch;
    struct fragment *fragment = inbox_take(applier->options.inbox, INT64_MAX);
    int64_t deadline_us = clock_monotonic_us() + linger_ms(applier) * 1000;
    if (fragment == NULL)
        return false;
    while (fragment != NULL) {
        if (!batch_add(batch, fragment, error))
            return false;
        if (batch_full(applier))
            break;
        fragment = inbox_take(applier->options.inbox,
                              linger_ms(applier) == 0 ? INT64_MIN : deadline_us);
    }
    return true;
}

/* --- slicing ---------------------------------------------------------------------------- */

/* Where REPLACE would not do (statement.h), what is put is deleted first. */
static bool
is_deleted(const struct applier *applier, const struct batch_entry *entry)
{
    const struct moved_table *table = g_ptr_array_index(applier->options.moved_tables,
                                                        entry->table);
    return !entry->is_put || table->source->unique_array;
}

/* Sorts entry numbers by (deletes first, table), stable within: counting sort. */
static void
group_entries(struct applier *applier)
{
    const struct batch *batch = applier->batch;
    guint tables = applier->options.moved_tables->len;
    size_t count = batch_entries(batch);
    g_autofree size_t *starts = g_new0(size_t, 2 * (size_t)tables + 1);

    for (size_t i = 0; i < count; i++) {
        const struct batch_entry *entry = batch_entry(batch, i);
        starts[entry->table + 1] += is_deleted(applier, entry) ? 1 : 0;
        starts[tables + entry->table + 1] += entry->is_put ? 1 : 0;
    }
    for (size_t i = 1; i <= 2 * (size_t)tables; i++)
        starts[i] += starts[i - 1];
    applier->deletes = starts[tables];
    g_array_set_size(applier->order, (guint)starts[2 * (size_t)tables]);
    for (size_t i = 0; i < count; i++) {
        const struct batch_entry *entry = batch_entry(batch, i);
        if (is_deleted(applier, entry))
            g_array_index(applier->order, uint32_t, starts[entry->table]++) = (uint32_t)i;
        if (entry->is_put)
            g_array_index(applier->order, uint32_t, starts[tables + entry->table]++) = (uint32_t)i;
    }
}

static const struct batch_entry *
ordered_entry(const struct applier *applier, size_t place)
{
    return batch_entry(applier->batch, g_array_index(applier->order, uint32_t, place));
}

/* Cuts the ordered entries into statements: small enough to run in parallel and to fit a packet.
 */
static void
cut_slices(struct applier *applier)
{
    size_t count = applier->order->len;
    size_t rows_max = CLAMP(count / applier->options.config->apply.writers + 1, SLICE_ROWS_MIN,
                            SLICE_ROWS_MAX);
    g_array_set_size(applier->slices, 0);
    applier->delete_slices = 0;
    for (size_t from = 0; from < count;) {
        const struct batch_entry *first = ordered_entry(applier, from);
        bool is_put = from >= applier->deletes;
        size_t end = is_put ? count : applier->deletes;
        size_t most = MIN(rows_max, target_warnings_rows_max(first->layout->table));
        size_t bytes = first->image.length;
        size_t to = from + 1;
        for (; to < end && to - from < most; to++) {
            const struct batch_entry *entry = ordered_entry(applier, to);
            bytes += entry->image.length;
            if (entry->table != first->table || bytes > SLICE_BYTES_MAX)
                break;
        }
        struct slice slice = {
            .table = g_ptr_array_index(applier->options.moved_tables, first->table),
            .batch = applier->batch,
            .entries = &g_array_index(applier->order, uint32_t, from),
            .count = to - from,
            .is_put = is_put,
        };
        g_array_append_val(applier->slices, slice);
        applier->delete_slices += is_put ? 0 : 1;
        from = to;
    }
}

/* --- applying --------------------------------------------------------------------------- */

static bool
cover_horizon(struct applier *applier, GError **error)
{
    g_autoptr(gtid_set) touched = gtid_set_new();
    batch_add_horizon(applier->batch, touched);
    return horizon_cover(applier->options.horizon, touched, error);
}

static bool
apply(struct applier *applier, GError **error)
{
    group_entries(applier);
    cut_slices(applier);
    const struct slice *slices = &g_array_index(applier->slices, struct slice, 0);
    size_t count = applier->slices->len;
    if (count == 0)
        return true;

    /* Dying before this: the target shows nothing of the batch. */
    if (!cover_horizon(applier, error))
        return false;
    /* Dying from here on: a part of the batch shows, P is still before it: all of it is applied
     * again on resume, as state. */
    failpoint_reach(FAILPOINT_BATCH_HORIZON_SAVED);
    if (!writers_run(applier->writers, slices, applier->delete_slices, error))
        return false;
    failpoint_reach(FAILPOINT_BATCH_DELETES_DONE);
    if (!writers_run(applier->writers, slices + applier->delete_slices,
                     count - applier->delete_slices, error))
        return false;
    /* All of it is durable; P may say so. */
    failpoint_reach(FAILPOINT_BATCH_DONE);
    return true;
}

/* Time since a commit on the source, by the source's clock as it was at the start, carried on by our
 * monotonic one: a jump of this host's clock must look neither like lag nor like none. */
static int64_t
age_ms(const struct applier *applier, int64_t commit_us)
{
    int64_t now_us = clock_monotonic_us() + applier->options.clock_offset_us;
    return MAX(0, (now_us - commit_us) / 1000);
}

static void
advance(struct applier *applier)
{
    uint64_t changes = batch_changes(applier->batch);
    int64_t commit_us = batch_commit_us(applier->batch);
    pthread_mutex_lock(&applier->mutex);
    applier->applied_us = clock_monotonic_us();
    applier->applied_lag_ms = commit_us != 0 ? age_ms(applier, commit_us) : 0;
    batch_add_position(applier->batch, applier->position);
    applier->changes += changes;
    for (guint i = 0; i < applier->options.moved_tables->len; i++)
        applier->row_deltas[i] += batch_row_delta(applier->batch, i);
    applier->batch_commit_us = 0;
    pthread_cond_broadcast(&applier->advanced);
    pthread_mutex_unlock(&applier->mutex);
    progress_applied(applier->options.progress, batch_transactions(applier->batch), changes);
}

static void
note_batch(struct applier *applier)
{
    pthread_mutex_lock(&applier->mutex);
    applier->batch_commit_us = batch_commit_us(applier->batch);
    pthread_mutex_unlock(&applier->mutex);
}

/* Under the mutex. */
static bool
is_held(const struct applier *applier)
{
    return applier->holds > 0 && !stop_requested();
}

/* Takes the batch mutex when nobody holds the applier. */
static void
enter_batch(struct applier *applier)
{
    for (;;) {
        pthread_mutex_lock(&applier->mutex);
        while (is_held(applier))
            pthread_cond_wait(&applier->advanced, &applier->mutex);
        pthread_mutex_unlock(&applier->mutex);
        /* Whoever holds it from here on waits for this batch, or comes first. */
        pthread_mutex_lock(&applier->batch_mutex);
        pthread_mutex_lock(&applier->mutex);
        bool held = is_held(applier);
        pthread_mutex_unlock(&applier->mutex);
        if (!held)
            return;
        pthread_mutex_unlock(&applier->batch_mutex);
    }
}

static void *
applier_main(void *argument)
{
    struct applier *applier = argument;
    g_autoptr(GError) error = NULL;
    while (collect(applier, &error)) {
        note_batch(applier);
        enter_batch(applier);
        bool applied = apply(applier, &error);
        if (applied)
            advance(applier);
        pthread_mutex_unlock(&applier->batch_mutex);
        if (!applied)
            break;
        batch_clear(applier->batch);
    }
    pthread_mutex_lock(&applier->mutex);
    applier->ended = true;
    pthread_cond_broadcast(&applier->advanced);
    pthread_mutex_unlock(&applier->mutex);
    if (error != NULL && applier->options.failed != NULL)
        applier->options.failed(applier->options.failed_context, error);
    return NULL;
}

/* --- life ------------------------------------------------------------------------------- */

static void
wake(void *argument)
{
    struct applier *applier = argument;
    pthread_mutex_lock(&applier->mutex);
    pthread_cond_broadcast(&applier->advanced);
    pthread_mutex_unlock(&applier->mutex);
}

struct applier *
applier_start(const struct applier_options *options)
{
    struct applier *applier = g_new0(struct applier, 1);
    applier->options = *options;
    applier->position = gtid_set_copy(options->position);
    applier->linger_ms = options->config->apply.batch_ms;
    applier->batch = batch_new(options->moved_tables->len);
    applier->order = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    applier->slices = g_array_new(FALSE, FALSE, sizeof(struct slice));
    applier->row_deltas = g_new0(int64_t, options->moved_tables->len);
    pthread_mutex_init(&applier->mutex, NULL);
    pthread_mutex_init(&applier->batch_mutex, NULL);
    clock_cond_init(&applier->advanced);
    applier->writers = writers_start(&options->target, options->lease,
                                     options->config->apply.writers,
                                     (size_t)options->config->memory_bytes / 8);
    stop_on_request(wake, applier);
    thread_start(&applier->thread, applier_main, applier);
    return applier;
}

void
applier_stop(struct applier *applier)
{
    if (applier == NULL || applier->joined)
        return;
    pthread_join(applier->thread, NULL);
    applier->joined = true;
    writers_stop(applier->writers);
    stop_forget(wake, applier);
}

void
applier_free(struct applier *applier)
{
    if (applier == NULL)
        return;
    applier_stop(applier);
    batch_free(applier->batch);
    g_array_unref(applier->order);
    g_array_unref(applier->slices);
    gtid_set_free(applier->position);
    g_free(applier->row_deltas);
    pthread_mutex_destroy(&applier->batch_mutex);
    pthread_cond_destroy(&applier->advanced);
    pthread_mutex_destroy(&applier->mutex);
    g_free(applier);
}

/* --- questions -------------------------------------------------------------------------- */

char *
applier_position_text(struct applier *applier)
{
    pthread_mutex_lock(&applier->mutex);
    char *text = gtid_set_to_string(applier->position);
    pthread_mutex_unlock(&applier->mutex);
    return text;
}

bool
applier_wait_for(struct applier *applier, const struct gtid_set *set, int64_t deadline_us)
{
    pthread_mutex_lock(&applier->mutex);
    bool covered;
    while (!(covered = gtid_set_contains_set(applier->position, set)) && !applier->ended &&
           !stop_requested() &&
           clock_cond_wait_until(&applier->advanced, &applier->mutex, deadline_us))
        ;
    pthread_mutex_unlock(&applier->mutex);
    return covered;
}

void
applier_set_linger_ms(struct applier *applier, int64_t ms)
{
    pthread_mutex_lock(&applier->mutex);
    applier->linger_ms = ms;
    pthread_mutex_unlock(&applier->mutex);
}

void
applier_hold(struct applier *applier)
{
    pthread_mutex_lock(&applier->mutex);
    applier->holds++;
    pthread_mutex_unlock(&applier->mutex);
    /* The batch in hand ends. */
    pthread_mutex_lock(&applier->batch_mutex);
    pthread_mutex_unlock(&applier->batch_mutex);
}

void
applier_release(struct applier *applier)
{
    pthread_mutex_lock(&applier->mutex);
    applier->holds--;
    pthread_cond_broadcast(&applier->advanced);
    pthread_mutex_unlock(&applier->mutex);
}

int64_t
applier_lag_ms(struct applier *applier)
{
    struct inbox_state waiting = inbox_state(applier->options.inbox);
    int64_t now_us = clock_monotonic_us();
    pthread_mutex_lock(&applier->mutex);
    int64_t oldest_us = applier->batch_commit_us;
    /* Between two transactions of a steady stream nothing waits: that is not "no lag". */
    int64_t recent_ms = now_us - applier->applied_us < RECENT_US ? applier->applied_lag_ms : 0;
    pthread_mutex_unlock(&applier->mutex);
    if (oldest_us == 0)
        oldest_us = waiting.oldest_commit_us;
    if (oldest_us != 0)
        return MAX(age_ms(applier, oldest_us), recent_ms);
    bool silent = applier->options.stream != NULL &&
                  now_us - stream_last_event_us(applier->options.stream) > SILENCE_US;
    return waiting.waiting_fragments > 0 || silent ? -1 : recent_ms;
}

uint64_t
applier_changes(struct applier *applier)
{
    pthread_mutex_lock(&applier->mutex);
    uint64_t changes = applier->changes;
    pthread_mutex_unlock(&applier->mutex);
    return changes;
}

bool
applier_between_batches(struct applier *applier, bool (*between)(void *context, GError **),
                        void *context, GError **error)
{
    pthread_mutex_lock(&applier->batch_mutex);
    bool done = between(context, error);
    pthread_mutex_lock(&applier->mutex);
    for (guint i = 0; i < applier->options.moved_tables->len; i++)
        applier->row_deltas[i] = 0;
    pthread_mutex_unlock(&applier->mutex);
    pthread_mutex_unlock(&applier->batch_mutex);
    return done;
}

void
applier_row_deltas(struct applier *applier, int64_t *ret_deltas)
{
    pthread_mutex_lock(&applier->mutex);
    for (guint i = 0; i < applier->options.moved_tables->len; i++)
        ret_deltas[i] = applier->row_deltas[i];
    pthread_mutex_unlock(&applier->mutex);
}
