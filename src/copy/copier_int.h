/* What the copier's scheduler, readers and writers share. */
#ifndef COPY_COPIER_INT_H
#define COPY_COPIER_INT_H

#include <pthread.h>

#include "binlog/gtid.h"
#include "copy/bound.h"
#include "copy/copier.h"
#include "copy/pace.h"
#include "schema/exact_reals.h"
#include "schema/stored_check.h"

/* One table's walk. Guarded by the copier's mutex. */
struct table_walk {
    const struct moved_table *table;
    struct bound *frontier;  /* ranges were handed out up to here; NULL: none yet */
    bool claimed;            /* a reader is finding the next range */
    bool exhausted;          /* the last range was handed out */
    GQueue ranges;           /* struct range: handed out, in key order; the head is the oldest */
    struct bound *copied_to; /* every row up to here is durable; NULL: none */
    uint64_t rows_copied;
    bool done;
    uint64_t chunk_rows; /* how many rows the next range should have */
};

/* A range (lower, upper] of one table, until it and all before it are durable. */
struct range {
    struct table_walk *walk;
    struct bound *lower; /* NULL: from the start */
    struct bound *upper; /* NULL: to the end; then it is the table's last */
    uint64_t rows;
    bool durable;
};

/* One reading of a range. Guarded by the copier's mutex, but for what its reader alone touches. */
struct chunk {
    struct range *range;
    uint64_t pin;
    int64_t pinned_us;
    unsigned open; /* its reader, and its parts that are not durable */
    bool complete; /* read to the end: when `open` is 0 the range is durable */
    bool lost;     /* a part was given up: it never will be */
    uint64_t rows;
    uint64_t bytes;
};

/* Rows ready to be sent: LOAD DATA's file, or a whole INSERT. One target transaction. */
struct part {
    struct chunk *chunk;
    bool is_insert; /* also where rows are loaded: for values that only an expression makes */
    GString *bytes;
    uint64_t rows;
    uint64_t rows_max;          /* is_insert: as many as the server can warn of */
    struct gtid_set *visible;   /* everything whose rows may be in it */
    struct stored_check *check; /* NULL: no column of the table needs it */
    struct exact_reals *reals;  /* NULL: no value needs it */
};

struct copier {
    struct copier_options options;
    size_t part_bytes;  /* a part is handed over when it reaches this */
    size_t queue_bytes; /* parts waiting for a writer: readers wait above this */
    char **loads;       /* per table: the LOAD statement */
    pthread_t *threads;
    unsigned threads_count;

    pthread_mutex_t mutex;
    pthread_cond_t claimable; /* a claim may succeed now: unclaimed, released, wanted, or closed */
    pthread_cond_t readable;  /* a part came, a writer may take one, or closed */
    pthread_cond_t writable;  /* a part went, or closed */
    struct table_walk *walks;
    unsigned tables;
    unsigned first_left; /* all before it are exhausted */
    unsigned tables_done;
    GQueue parts; /* struct part */
    size_t waiting_bytes;
    struct pace pace;
    const char *hold;
    bool closed;
    bool reported; /* finished or failed was called */
    bool joined;

    /* For parts that are handed over while their reader's connection is busy. */
    pthread_mutex_t facts_mutex;
    struct conn *facts;
};

/* Thread bodies; the argument is the copier. */
void *copy_reader_main(void *copier);
void *copy_writer_main(void *copier);

/* The next table to find a range of, or NULL when there is nothing left or the copier was closed.
 * Waits while the copy is on hold, and until its rows will be wanted (pace.h). */
struct table_walk *copier_claim(struct copier *copier, struct bound **ret_lower,
                                uint64_t *ret_rows);
/* Ends a claim: the range up to `upper` (taken over; NULL: to the end) is the caller's to read. */
struct range *copier_publish(struct copier *copier, struct table_walk *walk, struct bound *lower,
                             struct bound *upper);
/* Ends a claim without a range: it failed. */
void copier_unclaim(struct copier *copier, struct table_walk *walk);

/* Rule 1: a new reading of the range, pinned. *ret_arrived: F as text. */
struct chunk *copier_pin(struct copier *copier, struct range *range, char **ret_arrived);
/* The reader is through with it; `complete`: to the end. */
void copier_read_done(struct copier *copier, struct chunk *chunk, bool complete);

/* Hands a part to the writers; waits for room. False when the copier was closed (part freed). */
bool copier_put(struct copier *copier, struct part *part);
/* The next part; NULL: closed. */
struct part *copier_take(struct copier *copier);
/* It is durable (or given up): frees it. */
void copier_part_done(struct copier *copier, struct part *part, bool durable);

/* Reports the first failure and closes the copier. */
void copier_fail(struct copier *copier, const GError *error);

/* Bytes of the first `rows` rows of LOAD DATA's file, or all when there are fewer. Pure. */
size_t load_slice_length(const char *bytes, size_t length, unsigned rows);

/* An empty part: for LOAD DATA, or an INSERT where that is not possible. */
struct part *part_new(struct copier *copier, struct chunk *chunk);
struct part *part_new_insert(struct chunk *chunk);
void part_free(struct part *part);

#endif
