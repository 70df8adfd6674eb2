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
    struct delivery *delivery; /* its state is changed under the mutex only */
    int64_t due_us;            /* monotonic: not before */
    bool busy;                 /* a worker is at it */
    bool withdrawn;            /* not to be sent any more */
    bool held;                 /* a gate of an earlier run: not sent unless somebody waits for it */
    bool has_endpoint;         /* the file still names its URL */
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
    struct channel *channel; /* its thread's alone */
    GRand *random;           /* its thread's alone */
    pthread_t thread;
    GQueue notes;           /* struct sender_note, oldest first */
    struct sender_row *row; /* being sent, or NULL */
    atomic_bool abandon;    /* break off the request in flight */
};

struct hook_sender {
    const struct config *config;
    struct checkpoint *checkpoint;
    pthread_mutex_t mutex; /* guards what follows, and the workers' queues */
    pthread_cond_t cond;   /* anything changed */
    bool stopping;
    uint64_t woken;   /* how often the outbox was said to have grown */
    uint64_t loaded;  /* the value of `woken` that the last reading covers */
    bool load_failed; /* the last reading of the outbox did not succeed */
    GError *failure;  /* definitive: nothing is sent any more */
    GPtrArray *rows;  /* struct sender_row, oldest first */
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

/* Nothing more will come of this delivery. Mutex held. */
bool sender_row_is_settled(const struct sender_row *row);

/* A URL as it may be shown: without its query, which can carry a token. Caller frees. */
char *sender_url_text(const char *url);

#endif
