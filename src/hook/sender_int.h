/*
 * Threads of the sender: one that reads the outbox, and one per endpoint that
 * delivers. All share what is below under one mutex and one condition variable;
 * nobody polls.
 */
#ifndef HOOK_SENDER_INT_H
#define HOOK_SENDER_INT_H

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hook/deliver_int.h"
#include "hook/hook.h"

/* A delivery of the outbox as this run knows it. Never removed before the end. */
struct sender_row {
    struct delivery *delivery;            /* its state is changed under the mutex only */
    const struct hook_endpoint *endpoint; /* NULL: the file no longer names its URL */
    int64_t due_us;                       /* monotonic: not before */
    unsigned probes;                      /* by this run, since it is in doubt */
    bool busy;                            /* a worker is at it */
    bool withdrawn;                       /* not to be sent any more */
    bool held; /* a gate of an earlier run: not sent unless somebody waits for it */
};

/* An event that is not durable. Owned by its worker's queue. */
struct sender_note {
    char *event_id;
    char *event;
    GBytes *body;
    unsigned attempts;
    int64_t due_us;
};

struct sender_worker {
    struct hook_sender *sender;
    const struct hook_endpoint *endpoint;
    struct channel *channel;  /* its thread's alone */
    GRand *random;            /* its thread's alone */
    int64_t lease_checked_us; /* its thread's alone; monotonic: the move was ours then */
    pthread_t thread;
    GQueue notes;           /* struct sender_note, oldest first */
    struct sender_row *row; /* being sent, or NULL */
    atomic_bool abandon;    /* break off the request in flight */
};

struct hook_sender {
    const struct config *config;
    struct checkpoint *checkpoint;
    int64_t speedup;       /* of waits between attempts, for tests; 1 */
    pthread_mutex_t mutex; /* guards what follows, and the workers' queues */
    pthread_cond_t cond;   /* anything changed */
    bool stopping;
    uint64_t woken;       /* how often the outbox was said to have grown */
    uint64_t loaded;      /* the value of `woken` that the last reading covers */
    bool load_failed;     /* the last reading of the outbox did not succeed */
    bool completed_waits; /* `completed` must not be sent yet */
    GError *failure;      /* definitive: nothing is sent any more */
    GPtrArray *rows;      /* struct sender_row, oldest first */
    pthread_t loader;
    struct sender_worker *workers;
    size_t workers_count;
};

void sender_note_free(struct sender_note *note);

/* The threads' functions. */
void *sender_load_thread(void *sender);
void *sender_work_thread(void *worker);

/* Ends all sending. Takes the error. Mutex held. */
void sender_fail(struct hook_sender *sender, GError *failure);

/* The store failed: for good (true: nothing is sent any more), or for now. Takes the error. Mutex
 * held. */
bool sender_is_final_failure(struct hook_sender *sender, GError *failure);

/* Waits a second, less when the sending ends. Mutex held; released meanwhile. */
void sender_pause(struct hook_sender *sender);

/* The row is now what somebody decided by hand. Takes the delivery. Mutex held. */
void sender_adopt(struct sender_row *row, struct delivery *delivery);

/* Nothing more will come of this delivery. Mutex held. */
bool sender_row_is_settled(const struct sender_row *row);

/* In doubt, and its endpoint says `hold`: nothing is done about it, nor about what comes after it
 * to the same endpoint, before somebody decides it. Mutex held. */
bool sender_row_is_stuck(const struct sender_row *row);

/* --- worker.c and in_doubt.c ---------------------------------------------------------------- */

/* For channel_request.may_leave of a delivery; the context is the worker. */
bool sender_delivery_may_leave(void *worker);

/* Stores what the memory says of a row, and is true then. False: it is not stored, or the row is
 * now what somebody decided by hand. Mutex held; released meanwhile. The row is busy, so that
 * nobody else changes it. */
bool sender_store(struct sender_worker *worker, struct sender_row *row);

/* The row is not to be tried before its back-off has passed. Mutex held. */
void sender_defer(struct sender_worker *worker, struct sender_row *row, unsigned attempts,
                  int64_t retry_after_ms);

/* The row is in doubt now, for memory; says so. `why` is for people. Mutex held. */
void sender_doubt(struct sender_row *row, const char *why);

/* A step on a row that may have arrived, at an endpoint that says probe or hold. Mutex held;
 * released while storing and asking. */
void sender_clear_doubt(struct sender_worker *worker, struct sender_row *row);

#endif
