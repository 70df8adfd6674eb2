/* The scheduler: ranges, chunks and parts. No SQL here. */
#include "copy/copier.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/stop.h"
#include "base/thread.h"
#include "copy/copier_int.h"
#include "copy/select.h"
#include "schema/target_warnings.h"

#define CHUNK_ROWS_MAX 1000000

/* --- walking ---------------------------------------------------------------------------- */

/* The unfinished walk with the fewest ranges in flight: tables go side by side, and a big one
 * gets every reader that is left. Called with the mutex held. */
static struct table_walk *
pick(struct copier *copier, bool *ret_nothing_left)
{
    struct table_walk *best = NULL;
    *ret_nothing_left = true;
    /* Of thousands of small tables only the first that are left are looked at. */
    while (copier->first_left < copier->tables && copier->walks[copier->first_left].exhausted)
        copier->first_left++;
    for (unsigned i = copier->first_left; i < copier->tables; i++) {
        if (best != NULL && best->ranges.length == 0)
            break;
        struct table_walk *walk = &copier->walks[i];
        if (walk->exhausted)
            continue;
        *ret_nothing_left = false;
        if (!walk->claimed && (best == NULL || walk->ranges.length < best->ranges.length))
            best = walk;
    }
    return best;
}

struct table_walk *
copier_claim(struct copier *copier, struct bound **ret_lower, uint64_t *ret_rows)
{
    struct table_walk *walk = NULL;
    bool nothing_left = false;
    pthread_mutex_lock(&copier->mutex);
    while (!copier->closed) {
        bool wanted = copier->hold == NULL && pace_may_read(&copier->pace, copier->parts.length);
        walk = wanted ? pick(copier, &nothing_left) : NULL;
        if (walk != NULL || (nothing_left && wanted))
            break;
        pthread_cond_wait(&copier->claimable, &copier->mutex);
    }
    if (copier->closed)
        walk = NULL;
    if (walk != NULL) {
        walk->claimed = true;
        copier->pace.reading++;
        *ret_lower = bound_ref(walk->frontier);
        *ret_rows = walk->chunk_rows;
    }
    pthread_mutex_unlock(&copier->mutex);
    return walk;
}

struct range *
copier_publish(struct copier *copier, struct table_walk *walk, struct bound *lower,
               struct bound *upper)
{
    struct range *range = g_new0(struct range, 1);
    range->walk = walk;
    range->lower = lower;
    range->upper = upper;
    pthread_mutex_lock(&copier->mutex);
    bound_unref(walk->frontier);
    walk->frontier = bound_ref(upper);
    walk->exhausted = upper == NULL;
    walk->claimed = false;
    g_queue_push_tail(&walk->ranges, range);
    pthread_cond_broadcast(&copier->claimable);
    pthread_mutex_unlock(&copier->mutex);
    return range;
}

void
copier_unclaim(struct copier *copier, struct table_walk *walk)
{
    pthread_mutex_lock(&copier->mutex);
    walk->claimed = false;
    copier->pace.reading--;
    pthread_cond_broadcast(&copier->claimable);
    pthread_mutex_unlock(&copier->mutex);
}

static void
range_free(struct range *range)
{
    bound_unref(range->lower);
    bound_unref(range->upper);
    g_free(range);
}

/* Moves copied_to over the ranges that are durable without a gap. Mutex held. True when the whole
 * copy is done with it. */
static bool
retire_ranges(struct copier *copier, struct table_walk *walk)
{
    struct range *head;
    while ((head = g_queue_peek_head(&walk->ranges)) != NULL && head->durable) {
        g_queue_pop_head(&walk->ranges);
        walk->rows_copied += head->rows;
        if (head->upper != NULL) {
            bound_unref(walk->copied_to);
            walk->copied_to = bound_ref(head->upper);
        }
        range_free(head);
    }
    if (walk->exhausted && walk->ranges.length == 0 && !walk->done) {
        walk->done = true;
        copier->tables_done++;
        progress_table_finished(copier->options.progress, walk->table->index);
    }
    return copier->tables_done == copier->tables;
}

/* --- chunks ----------------------------------------------------------------------------- */

struct chunk *
copier_pin(struct copier *copier, struct range *range, char **ret_arrived)
{
    struct chunk *chunk = g_new0(struct chunk, 1);
    chunk->range = range;
    chunk->open = 1;
    chunk->pinned_us = clock_monotonic_us();
    chunk->pin = inbox_pin(copier->options.inbox, ret_arrived);
    return chunk;
}

/* Aims the next range at chunk_ms and chunk_bytes, at most doubling or halving. Mutex held. */
static void
adapt(struct copier *copier, struct table_walk *walk, const struct chunk *chunk)
{
    const struct config *config = copier->options.config;
    int64_t age_ms = MAX(1, (clock_monotonic_us() - chunk->pinned_us) / 1000);
    if (chunk->rows == 0)
        return;
    double factor = CLAMP((double)config->copy.chunk_ms / (double)age_ms, 0.5, 2.0);
    double by_time = (double)chunk->rows * factor;
    double by_bytes = (double)copier->part_bytes * (double)chunk->rows / (double)(chunk->bytes + 1);
    /* Below chunk_rows a chunk costs more for its own round trips than for its rows: smaller only
     * by bytes. */
    double least = (double)config->copy.chunk_rows;
    double rows = MIN(CLAMP(by_time, least, CHUNK_ROWS_MAX), MAX(by_bytes * 0.9, 1));
    /* A short last range says nothing about the size of a good one. */
    if (chunk->range->upper != NULL || rows < (double)walk->chunk_rows)
        walk->chunk_rows = (uint64_t)rows;
}

/* One of the chunk's parts, or its reader, is through. Mutex held. */
static void
close_one(struct copier *copier, struct chunk *chunk, bool *ret_all_done)
{
    if (--chunk->open > 0)
        return;
    struct range *range = chunk->range;
    /* A part that was given up keeps its pin: what it may have written late must stay older than
     * every event. The run is ending. */
    if (!chunk->lost)
        inbox_unpin(copier->options.inbox, chunk->pin);
    if (chunk->complete && !chunk->lost) {
        adapt(copier, range->walk, chunk);
        range->rows = chunk->rows;
        range->durable = true;
        progress_chunk_copied(copier->options.progress, range->walk->table->index, chunk->rows,
                              chunk->bytes);
        *ret_all_done = retire_ranges(copier, range->walk);
    }
    g_free(chunk);
}

static void
report_finished(struct copier *copier)
{
    pthread_mutex_lock(&copier->mutex);
    bool first = !copier->reported;
    copier->reported = true;
    copier->closed = true;
    pthread_cond_broadcast(&copier->claimable);
    pthread_cond_broadcast(&copier->readable);
    pthread_mutex_unlock(&copier->mutex);
    if (first)
        copier->options.finished(copier->options.context);
}

void
copier_read_done(struct copier *copier, struct chunk *chunk, bool complete)
{
    bool all_done = false;
    pthread_mutex_lock(&copier->mutex);
    chunk->complete = complete;
    /* Otherwise the range is read again, or the run ends. */
    copier->pace.reading -= complete ? 1 : 0;
    pthread_cond_broadcast(&copier->claimable);
    close_one(copier, chunk, &all_done);
    pthread_mutex_unlock(&copier->mutex);
    if (all_done)
        report_finished(copier);
}

/* --- parts ------------------------------------------------------------------------------ */

static struct part *
part_empty(struct chunk *chunk)
{
    const struct moved_table *table = chunk->range->walk->table;
    struct part *part = g_new0(struct part, 1);
    part->chunk = chunk;
    part->bytes = g_string_sized_new(1 << 16);
    if (stored_check_wanted(table->source))
        part->check = stored_check_new(table, true);
    return part;
}

struct part *
part_new(struct copier *copier, struct chunk *chunk)
{
    if (!copier->options.load_local)
        return part_new_insert(chunk);
    return part_empty(chunk);
}

struct part *
part_new_insert(struct chunk *chunk)
{
    struct part *part = part_empty(chunk);
    part->is_insert = true;
    part->rows_max = target_warnings_rows_max(chunk->range->walk->table->source);
    insert_head_append(part->bytes, chunk->range->walk->table);
    return part;
}

void
part_free(struct part *part)
{
    g_string_free(part->bytes, TRUE);
    gtid_set_free(part->visible);
    stored_check_free(part->check);
    exact_reals_free(part->reals);
    g_free(part);
}

bool
copier_put(struct copier *copier, struct part *part)
{
    pthread_mutex_lock(&copier->mutex);
    /* Few parts, not only few bytes: what waits here is pinned, and holds every event back. */
    while (!copier->closed && copier->parts.length > 0 &&
           (copier->parts.length >= copier->options.config->copy.writers ||
            copier->waiting_bytes + part->bytes->allocated_len > copier->queue_bytes))
        pthread_cond_wait(&copier->writable, &copier->mutex);
    bool open = !copier->closed;
    if (open) {
        part->chunk->open++;
        copier->waiting_bytes += part->bytes->allocated_len;
        g_queue_push_tail(&copier->parts, part);
        pthread_cond_signal(&copier->readable);
    }
    pthread_mutex_unlock(&copier->mutex);
    if (!open)
        part_free(part);
    return open;
}

struct part *
copier_take(struct copier *copier)
{
    struct part *part = NULL;
    pthread_mutex_lock(&copier->mutex);
    while (!copier->closed &&
           (!pace_may_write(&copier->pace) || (part = g_queue_pop_head(&copier->parts)) == NULL))
        pthread_cond_wait(&copier->readable, &copier->mutex);
    if (part != NULL) {
        copier->waiting_bytes -= part->bytes->allocated_len;
        copier->pace.writing++;
        pthread_cond_broadcast(&copier->writable);
        pthread_cond_broadcast(&copier->claimable);
    }
    pthread_mutex_unlock(&copier->mutex);
    return part;
}

void
copier_part_done(struct copier *copier, struct part *part, bool durable)
{
    bool all_done = false;
    pthread_mutex_lock(&copier->mutex);
    part->chunk->lost = part->chunk->lost || !durable;
    copier->pace.writing -= copier->pace.writing > 0 ? 1 : 0; /* not one that nobody took */
    pace_note(&copier->pace, part->bytes->len, clock_monotonic_us());
    pthread_cond_broadcast(&copier->readable);
    pthread_cond_broadcast(&copier->claimable);
    close_one(copier, part->chunk, &all_done);
    pthread_mutex_unlock(&copier->mutex);
    part_free(part);
    if (all_done)
        report_finished(copier);
}

/* --- failing and holding ---------------------------------------------------------------- */

static void
close_all(struct copier *copier)
{
    copier->closed = true;
    pthread_cond_broadcast(&copier->claimable);
    pthread_cond_broadcast(&copier->readable);
    pthread_cond_broadcast(&copier->writable);
}

void
copier_fail(struct copier *copier, const GError *error)
{
    pthread_mutex_lock(&copier->mutex);
    bool first = !copier->reported;
    copier->reported = true;
    close_all(copier);
    pthread_mutex_unlock(&copier->mutex);
    if (first)
        copier->options.failed(copier->options.context, error);
}

void
copier_hold(struct copier *copier, const char *why)
{
    pthread_mutex_lock(&copier->mutex);
    copier->hold = why;
    pthread_cond_broadcast(&copier->claimable);
    pthread_mutex_unlock(&copier->mutex);
    progress_set_waiting(copier->options.progress, why);
}

void
copier_states(struct copier *copier, struct table_state *states, size_t count)
{
    pthread_mutex_lock(&copier->mutex);
    for (size_t i = 0; i < count && i < copier->tables; i++) {
        const struct table_walk *walk = &copier->walks[i];
        states[i].rows_copied = walk->rows_copied;
        states[i].copied_to = walk->copied_to != NULL ? bound_to_json(walk->copied_to) : NULL;
        states[i].copy_done = walk->done;
    }
    pthread_mutex_unlock(&copier->mutex);
}

bool
copier_is_done(struct copier *copier)
{
    pthread_mutex_lock(&copier->mutex);
    bool done = copier->tables_done == copier->tables;
    pthread_mutex_unlock(&copier->mutex);
    return done;
}

size_t
copier_waiting_bytes(struct copier *copier)
{
    pthread_mutex_lock(&copier->mutex);
    size_t bytes = copier->waiting_bytes;
    pthread_mutex_unlock(&copier->mutex);
    return bytes;
}

/* --- life ------------------------------------------------------------------------------- */

static void
wake(void *argument)
{
    struct copier *copier = argument;
    pthread_mutex_lock(&copier->mutex);
    close_all(copier);
    pthread_mutex_unlock(&copier->mutex);
}

static bool
restore_walk(struct copier *copier, unsigned index, GError **error)
{
    const struct copier_options *options = &copier->options;
    struct table_walk *walk = &copier->walks[index];
    walk->table = g_ptr_array_index(options->moved_tables, index);
    walk->chunk_rows = (uint64_t)options->config->copy.chunk_rows;
    g_queue_init(&walk->ranges);
    const struct table_state *state = options->states != NULL && index < options->states->len
                                          ? g_ptr_array_index(options->states, index)
                                          : NULL;
    if (state != NULL) {
        walk->rows_copied = state->rows_copied;
        walk->done = state->copy_done;
        walk->exhausted = state->copy_done;
        if (state->copied_to != NULL) {
            walk->copied_to = bound_from_json(state->copied_to,
                                              walk->table->source->key_columns->len, error);
            if (walk->copied_to == NULL)
                return false;
            walk->frontier = bound_ref(walk->copied_to);
        }
    }
    copier->tables_done += walk->done ? 1 : 0;
    progress_table_begin(options->progress, index, walk->table->source->estimated_rows,
                         walk->rows_copied);
    if (walk->done)
        progress_table_finished(options->progress, index);
    return true;
}

static void
prepare_statements(struct copier *copier)
{
    copier->loads = g_new0(char *, copier->tables);
    for (unsigned i = 0; i < copier->tables; i++) {
        GString *load = g_string_new(NULL);
        load_statement_append(load, copier->walks[i].table);
        copier->loads[i] = g_string_free(load, FALSE);
    }
}

/* Half of `memory:` is the copy's: a part per reader and per writer, and the queue between. */
static void
share_memory(struct copier *copier)
{
    const struct config *config = copier->options.config;
    size_t budget = (size_t)config->memory_bytes / 2;
    size_t holders = config->copy.readers + config->copy.writers;
    copier->queue_bytes = budget / 3;
    copier->part_bytes = MIN((size_t)config->copy.chunk_bytes, budget * 2 / 3 / holders / 2);
    if (!copier->options.load_local)
        copier->part_bytes = MIN(copier->part_bytes, (size_t)1 << 20);
}

static void
start_threads(struct copier *copier)
{
    const struct config *config = copier->options.config;
    copier->threads_count = config->copy.readers + config->copy.writers;
    copier->threads = g_new0(pthread_t, copier->threads_count);
    for (unsigned i = 0; i < copier->threads_count; i++)
        thread_start(&copier->threads[i],
                     i < config->copy.readers ? copy_reader_main : copy_writer_main, copier);
}

struct copier *
copier_start(const struct copier_options *options, GError **error)
{
    struct copier *copier = g_new0(struct copier, 1);
    copier->options = *options;
    copier->tables = options->moved_tables->len;
    copier->walks = g_new0(struct table_walk, copier->tables);
    pthread_mutex_init(&copier->mutex, NULL);
    pthread_mutex_init(&copier->facts_mutex, NULL);
    pthread_cond_init(&copier->claimable, NULL);
    pthread_cond_init(&copier->readable, NULL);
    pthread_cond_init(&copier->writable, NULL);
    g_queue_init(&copier->parts);
    pace_init(&copier->pace, (unsigned)options->config->copy.writers);
    for (unsigned i = 0; i < copier->tables; i++) {
        if (!restore_walk(copier, i, error)) {
            copier->joined = true;
            copier_free(copier);
            return NULL;
        }
    }
    share_memory(copier);
    prepare_statements(copier);
    stop_on_request(wake, copier);
    start_threads(copier);
    if (copier->tables_done == copier->tables)
        report_finished(copier);
    return copier;
}

void
copier_stop(struct copier *copier)
{
    if (copier == NULL || copier->joined)
        return;
    wake(copier);
    for (unsigned i = 0; i < copier->threads_count; i++)
        pthread_join(copier->threads[i], NULL);
    copier->joined = true;
    stop_forget(wake, copier);
    g_clear_pointer(&copier->facts, conn_close);
}

void
copier_free(struct copier *copier)
{
    if (copier == NULL)
        return;
    copier_stop(copier);
    struct part *part;
    while ((part = g_queue_pop_head(&copier->parts)) != NULL)
        copier_part_done(copier, part, false);
    for (unsigned i = 0; i < copier->tables; i++) {
        struct table_walk *walk = &copier->walks[i];
        struct range *range;
        while ((range = g_queue_pop_head(&walk->ranges)) != NULL)
            range_free(range);
        bound_unref(walk->frontier);
        bound_unref(walk->copied_to);
        if (copier->loads != NULL)
            g_free(copier->loads[i]);
    }
    g_free(copier->loads);
    g_free(copier->walks);
    g_free(copier->threads);
    pthread_cond_destroy(&copier->claimable);
    pthread_cond_destroy(&copier->readable);
    pthread_cond_destroy(&copier->writable);
    pthread_mutex_destroy(&copier->facts_mutex);
    pthread_mutex_destroy(&copier->mutex);
    g_free(copier);
}
