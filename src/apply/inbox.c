#include "apply/inbox.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/error.h"

struct inbox {
    pthread_mutex_t mutex;
    pthread_cond_t readable;  /* a fragment came, a pin went, or closed */
    pthread_cond_t writable;  /* bytes were taken, or closed */
    struct gtid_set *arrived; /* F */
    uint64_t last_seq;
    GArray *pins; /* uint64_t, unordered: as many as chunks are in flight */
    GQueue fragments;
    size_t waiting_bytes;
    size_t max_bytes;
    bool closed;
};

struct inbox *
inbox_new(const struct gtid_set *from, size_t max_bytes)
{
    struct inbox *inbox = g_new0(struct inbox, 1);
    pthread_mutex_init(&inbox->mutex, NULL);
    clock_cond_init(&inbox->readable);
    clock_cond_init(&inbox->writable);
    inbox->arrived = gtid_set_copy(from);
    inbox->pins = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_queue_init(&inbox->fragments);
    inbox->max_bytes = max_bytes;
    return inbox;
}

void
inbox_free(struct inbox *inbox)
{
    if (inbox == NULL)
        return;
    struct fragment *fragment;
    while ((fragment = g_queue_pop_head(&inbox->fragments)) != NULL)
        fragment_free(fragment);
    g_array_unref(inbox->pins);
    gtid_set_free(inbox->arrived);
    pthread_cond_destroy(&inbox->readable);
    pthread_cond_destroy(&inbox->writable);
    pthread_mutex_destroy(&inbox->mutex);
    g_free(inbox);
}

bool
inbox_arrived(void *context, const struct gtid *gtid, uint64_t *ret_seq, GError **error)
{
    (void)error;
    struct inbox *inbox = context;
    pthread_mutex_lock(&inbox->mutex);
    gtid_set_add(inbox->arrived, gtid);
    *ret_seq = ++inbox->last_seq;
    pthread_mutex_unlock(&inbox->mutex);
    return true;
}

bool
inbox_put(void *context, struct fragment *fragment, GError **error)
{
    struct inbox *inbox = context;
    size_t bytes = fragment_memory_bytes(fragment);
    pthread_mutex_lock(&inbox->mutex);
    /* One fragment always fits, however large: else it would never be applied. */
    while (!inbox->closed && inbox->waiting_bytes > 0 &&
           inbox->waiting_bytes + bytes > inbox->max_bytes)
        pthread_cond_wait(&inbox->writable, &inbox->mutex);
    bool closed = inbox->closed;
    if (!closed) {
        g_queue_push_tail(&inbox->fragments, fragment);
        inbox->waiting_bytes += bytes;
        pthread_cond_signal(&inbox->readable);
    }
    pthread_mutex_unlock(&inbox->mutex);
    if (closed) {
        fragment_free(fragment);
        g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED, "stopped");
    }
    return !closed;
}

uint64_t
inbox_pin(struct inbox *inbox, char **ret_arrived)
{
    pthread_mutex_lock(&inbox->mutex);
    uint64_t pin = inbox->last_seq;
    g_array_append_val(inbox->pins, pin);
    *ret_arrived = gtid_set_to_string(inbox->arrived);
    pthread_mutex_unlock(&inbox->mutex);
    return pin;
}

void
inbox_unpin(struct inbox *inbox, uint64_t pin)
{
    pthread_mutex_lock(&inbox->mutex);
    for (guint i = 0; i < inbox->pins->len; i++) {
        if (g_array_index(inbox->pins, uint64_t, i) == pin) {
            g_array_remove_index_fast(inbox->pins, i);
            break;
        }
    }
    pthread_cond_signal(&inbox->readable);
    pthread_mutex_unlock(&inbox->mutex);
}

/* The highest arrival number that may be applied. Called with the mutex held. */
static uint64_t
apply_limit(const struct inbox *inbox)
{
    uint64_t limit = UINT64_MAX;
    for (guint i = 0; i < inbox->pins->len; i++)
        limit = MIN(limit, g_array_index(inbox->pins, uint64_t, i));
    return limit;
}

static bool
head_may_go(struct inbox *inbox)
{
    const struct fragment *head = g_queue_peek_head(&inbox->fragments);
    return head != NULL && head->seq <= apply_limit(inbox);
}

struct fragment *
inbox_take(struct inbox *inbox, int64_t deadline_us)
{
    struct fragment *fragment = NULL;
    pthread_mutex_lock(&inbox->mutex);
    while (!inbox->closed && !head_may_go(inbox)) {
        if (deadline_us == INT64_MIN)
            break;
        if (deadline_us == INT64_MAX)
            pthread_cond_wait(&inbox->readable, &inbox->mutex);
        else if (!clock_cond_wait_until(&inbox->readable, &inbox->mutex, deadline_us))
            break;
    }
    if (!inbox->closed && head_may_go(inbox)) {
        fragment = g_queue_pop_head(&inbox->fragments);
        inbox->waiting_bytes -= fragment_memory_bytes(fragment);
        pthread_cond_signal(&inbox->writable);
    }
    pthread_mutex_unlock(&inbox->mutex);
    return fragment;
}

void
inbox_close(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    inbox->closed = true;
    pthread_cond_broadcast(&inbox->readable);
    pthread_cond_broadcast(&inbox->writable);
    pthread_mutex_unlock(&inbox->mutex);
}

char *
inbox_arrived_text(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    char *text = gtid_set_to_string(inbox->arrived);
    pthread_mutex_unlock(&inbox->mutex);
    return text;
}

struct inbox_state
inbox_state(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->mutex);
    const struct fragment *head = g_queue_peek_head(&inbox->fragments);
    struct inbox_state state = {
        .waiting_bytes = inbox->waiting_bytes,
        .waiting_fragments = inbox->fragments.length,
        .oldest_commit_us = head != NULL ? head->commit_us : 0,
    };
    pthread_mutex_unlock(&inbox->mutex);
    return state;
}
