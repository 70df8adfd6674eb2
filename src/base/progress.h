/*
 * Progress of a run: written by the engine, read by the display, the log and
 * the checkpoint.
 *
 * One short mutex inside: call it per chunk or per batch, never per row. Every
 * function is thread-safe. NULL as `progress` is allowed in the writing
 * functions and does nothing, so that the engine works without a display.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"

struct progress;

/* `names` are what is shown for the tables, in the move's order (their index is
 * the table number everywhere); copied. Free with progress_free(). */
struct progress *progress_new(const char *const *names, unsigned tables);
void progress_free(struct progress *progress);
STRUCT_AUTOPTR(progress, progress_free)

/* What is known of a table before its copy begins or goes on: the server's
 * estimate, and the rows that an earlier run copied (they do not count for the rate). */
void progress_table_begin(struct progress *progress, unsigned table, uint64_t estimated_rows,
                          uint64_t rows_copied);

/* One more chunk is durable on the target. */
void progress_chunk_copied(struct progress *progress, unsigned table, uint64_t rows,
                           uint64_t bytes);

/* The table's last chunk is durable. */
void progress_table_finished(struct progress *progress, unsigned table);

/* A batch of the stream is durable: transactions and row changes in it (before folding). */
void progress_applied(struct progress *progress, uint64_t transactions, uint64_t changes);

/* How far the target's state is behind the source's; -1: not known. */
void progress_set_lag_ms(struct progress *progress, int64_t lag_ms);

/* Bytes in all buffers (bounded by `memory:`). */
void progress_set_buffered_bytes(struct progress *progress, uint64_t bytes);

/* "copying" and the like: a literal, or a string that lives as long as the progress. */
void progress_set_phase(struct progress *progress, const char *phase);

/* Why nothing is copied just now ("paused", "lag"), as progress_set_phase; NULL: it is. */
void progress_set_waiting(struct progress *progress, const char *why);

/* Tables whose deferred indexes are built, of how many; `of` 0: nothing is being built. */
void progress_set_indexes(struct progress *progress, unsigned built, unsigned of);

struct progress_table {
    char *name;
    uint64_t rows_copied;    /* by earlier runs too */
    uint64_t estimated_rows; /* never below rows_copied; exact when finished */
    uint64_t bytes_copied;   /* by this run */
    double rows_per_s;       /* over the last seconds */
    int64_t eta_ms;          /* -1: not known; 0: finished */
    bool started;
    bool finished;
};

struct progress_snapshot {
    const char *phase;             /* "starting" until the engine says otherwise */
    bool begun;                    /* it has said otherwise */
    const char *waiting;           /* NULL: it is not */
    unsigned indexes_built;        /* tables */
    unsigned indexes_of;           /* 0: no index is being built */
    int64_t lag_ms;                /* -1: not known */
    uint64_t transactions_applied; /* by this run */
    uint64_t changes_applied;
    double changes_per_s;
    uint64_t buffered_bytes;
    int64_t elapsed_ms; /* since progress_new() */
    uint64_t rows_copied;
    uint64_t estimated_rows;
    double rows_per_s;
    int64_t eta_ms; /* of the copy; -1: not known */
    unsigned tables_finished;
    unsigned table_count;
    struct progress_table *tables; /* table_count */
};

/* A consistent picture of this moment. Free with progress_snapshot_free(). */
struct progress_snapshot *progress_snapshot(struct progress *progress);
void progress_snapshot_free(struct progress_snapshot *snapshot);
STRUCT_AUTOPTR(progress_snapshot, progress_snapshot_free)

/* Milliseconds that `remaining` rows take at a rate; -1 when the rate is (nearly) none. Pure. */
int64_t progress_eta_ms(uint64_t remaining, double rows_per_s);

#endif
