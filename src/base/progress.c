#include "base/progress.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"

/* Rates are taken over the last whole seconds and the one that runs. */
enum { RATE_SECONDS = 10, RATE_SLOTS = RATE_SECONDS + 1 };

struct rate {
    uint64_t amount[RATE_SLOTS];
    int64_t second[RATE_SLOTS]; /* that the slot counts; another one: it is empty */
    int64_t first_us;           /* when counting began; 0: not yet */
};

struct table_progress {
    char *name;
    uint64_t rows_copied;
    uint64_t estimated_rows;
    uint64_t bytes_copied;
    struct rate rows;
    bool started;
    bool finished;
};

struct progress {
    pthread_mutex_t mutex; /* guards everything below */
    int64_t started_us;
    const char *phase; /* NULL: the engine has not begun */
    const char *waiting;
    unsigned indexes_built;
    unsigned indexes_of;
    int64_t lag_ms;
    uint64_t buffered_bytes;
    uint64_t transactions;
    uint64_t changes;
    struct rate change_rate;
    struct rate row_rate;
    unsigned table_count;
    struct table_progress *tables;
};

static void
rate_add(struct rate *rate, int64_t now_us, uint64_t amount)
{
    int64_t second = now_us / G_USEC_PER_SEC;
    size_t slot = (size_t)(second % RATE_SLOTS);
    if (rate->first_us == 0)
        rate->first_us = now_us;
    if (rate->second[slot] != second) {
        rate->second[slot] = second;
        rate->amount[slot] = 0;
    }
    rate->amount[slot] += amount;
}

static double
rate_per_s(const struct rate *rate, int64_t now_us)
{
    int64_t second = now_us / G_USEC_PER_SEC;
    uint64_t amount = 0;
    if (rate->first_us == 0)
        return 0;
    for (size_t i = 0; i < RATE_SLOTS; i++) {
        if (second - rate->second[i] <= RATE_SECONDS)
            amount += rate->amount[i];
    }
    int64_t window_start_us = (second - RATE_SECONDS) * G_USEC_PER_SEC;
    int64_t covered_us = now_us - MAX(window_start_us, rate->first_us);
    /* The first chunk alone says nothing of the time it took. */
    return (double)amount / ((double)MAX(covered_us, G_USEC_PER_SEC) / G_USEC_PER_SEC);
}

struct progress *
progress_new(const char *const *names, unsigned tables)
{
    struct progress *progress = g_new0(struct progress, 1);
    pthread_mutex_init(&progress->mutex, NULL);
    progress->started_us = clock_monotonic_us();
    progress->lag_ms = -1;
    progress->table_count = tables;
    progress->tables = g_new0(struct table_progress, tables);
    for (unsigned i = 0; i < tables; i++)
        progress->tables[i].name = g_strdup(names[i]);
    return progress;
}

void
progress_free(struct progress *progress)
{
    if (progress == NULL)
        return;
    for (unsigned i = 0; i < progress->table_count; i++)
        g_free(progress->tables[i].name);
    g_free(progress->tables);
    pthread_mutex_destroy(&progress->mutex);
    g_free(progress);
}

/* NULL when there is no such table: nothing is to be done. Locks on success. */
static struct table_progress *
lock_table(struct progress *progress, unsigned table)
{
    if (progress == NULL || table >= progress->table_count)
        return NULL;
    pthread_mutex_lock(&progress->mutex);
    return &progress->tables[table];
}

void
progress_table_begin(struct progress *progress, unsigned table, uint64_t estimated_rows,
                     uint64_t rows_copied)
{
    struct table_progress *state = lock_table(progress, table);
    if (state == NULL)
        return;
    state->estimated_rows = estimated_rows;
    state->rows_copied = rows_copied;
    state->started = true;
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_chunk_copied(struct progress *progress, unsigned table, uint64_t rows, uint64_t bytes)
{
    int64_t now_us = clock_monotonic_us();
    struct table_progress *state = lock_table(progress, table);
    if (state == NULL)
        return;
    state->started = true;
    state->rows_copied += rows;
    state->bytes_copied += bytes;
    rate_add(&state->rows, now_us, rows);
    rate_add(&progress->row_rate, now_us, rows);
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_table_finished(struct progress *progress, unsigned table)
{
    struct table_progress *state = lock_table(progress, table);
    if (state == NULL)
        return;
    state->started = true;
    state->finished = true;
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_applied(struct progress *progress, uint64_t transactions, uint64_t changes)
{
    if (progress == NULL)
        return;
    int64_t now_us = clock_monotonic_us();
    pthread_mutex_lock(&progress->mutex);
    progress->transactions += transactions;
    progress->changes += changes;
    rate_add(&progress->change_rate, now_us, changes);
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_set_lag_ms(struct progress *progress, int64_t lag_ms)
{
    if (progress == NULL)
        return;
    pthread_mutex_lock(&progress->mutex);
    progress->lag_ms = lag_ms;
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_set_buffered_bytes(struct progress *progress, uint64_t bytes)
{
    if (progress == NULL)
        return;
    pthread_mutex_lock(&progress->mutex);
    progress->buffered_bytes = bytes;
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_set_phase(struct progress *progress, const char *phase)
{
    if (progress == NULL)
        return;
    pthread_mutex_lock(&progress->mutex);
    progress->phase = phase;
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_set_waiting(struct progress *progress, const char *why)
{
    if (progress == NULL)
        return;
    pthread_mutex_lock(&progress->mutex);
    progress->waiting = why;
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_set_indexes(struct progress *progress, unsigned built, unsigned of)
{
    if (progress == NULL)
        return;
    pthread_mutex_lock(&progress->mutex);
    progress->indexes_built = built;
    progress->indexes_of = of;
    pthread_mutex_unlock(&progress->mutex);
}

int64_t
progress_eta_ms(uint64_t remaining, double rows_per_s)
{
    static const double forever_s = 365.0 * 86400;
    if (remaining == 0)
        return 0;
    if (rows_per_s < 0.01)
        return -1;
    double seconds = (double)remaining / rows_per_s;
    return seconds > forever_s ? -1 : (int64_t)(seconds * 1000);
}

/* An estimate that was reached says nothing of what is left. */
static int64_t
unfinished_eta_ms(uint64_t estimated_rows, uint64_t rows_copied, double rows_per_s)
{
    return estimated_rows > rows_copied ? progress_eta_ms(estimated_rows - rows_copied, rows_per_s)
                                        : -1;
}

static struct progress_table
table_snapshot(const struct table_progress *state, int64_t now_us)
{
    struct progress_table table = {.name = g_strdup(state->name),
                                   .rows_copied = state->rows_copied,
                                   .bytes_copied = state->bytes_copied,
                                   .rows_per_s = rate_per_s(&state->rows, now_us),
                                   .started = state->started,
                                   .finished = state->finished};
    table.estimated_rows = state->finished ? state->rows_copied
                                           : MAX(state->estimated_rows, state->rows_copied);
    table.eta_ms = state->finished ? 0
                                   : unfinished_eta_ms(table.estimated_rows, table.rows_copied,
                                                       table.rows_per_s);
    return table;
}

struct progress_snapshot *
progress_snapshot(struct progress *progress)
{
    struct progress_snapshot *snapshot = g_new0(struct progress_snapshot, 1);
    int64_t now_us = clock_monotonic_us();
    snapshot->table_count = progress->table_count;
    snapshot->tables = g_new0(struct progress_table, progress->table_count);
    pthread_mutex_lock(&progress->mutex);
    snapshot->begun = progress->phase != NULL;
    snapshot->phase = progress->phase != NULL ? progress->phase : "starting";
    snapshot->waiting = progress->waiting;
    snapshot->indexes_built = progress->indexes_built;
    snapshot->indexes_of = progress->indexes_of;
    snapshot->lag_ms = progress->lag_ms;
    snapshot->transactions_applied = progress->transactions;
    snapshot->changes_applied = progress->changes;
    snapshot->changes_per_s = rate_per_s(&progress->change_rate, now_us);
    snapshot->rows_per_s = rate_per_s(&progress->row_rate, now_us);
    snapshot->buffered_bytes = progress->buffered_bytes;
    snapshot->elapsed_ms = (now_us - progress->started_us) / 1000;
    for (unsigned i = 0; i < progress->table_count; i++)
        snapshot->tables[i] = table_snapshot(&progress->tables[i], now_us);
    pthread_mutex_unlock(&progress->mutex);
    for (unsigned i = 0; i < snapshot->table_count; i++) {
        const struct progress_table *table = &snapshot->tables[i];
        snapshot->rows_copied += table->rows_copied;
        snapshot->estimated_rows += table->estimated_rows;
        snapshot->tables_finished += table->finished;
    }
    snapshot->eta_ms = snapshot->tables_finished == snapshot->table_count
                           ? 0
                           : unfinished_eta_ms(snapshot->estimated_rows, snapshot->rows_copied,
                                               snapshot->rows_per_s);
    return snapshot;
}

void
progress_snapshot_free(struct progress_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    for (unsigned i = 0; i < snapshot->table_count; i++)
        g_free(snapshot->tables[i].name);
    g_free(snapshot->tables);
    g_free(snapshot);
}
