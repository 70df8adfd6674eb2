/* Reading the outbox into the sender's memory. See sender_int.h. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "hook/sender_int.h"

/* A stored time to try again is not believed beyond this: clocks differ. */
#define DUE_MAX_US (INT64_C(3600) * 1000000)

/* The endpoint of the file that a delivery goes to; NULL when the file no longer names it. */
static const struct hook_endpoint *
endpoint_of(const struct hook_sender *sender, const char *url)
{
    for (size_t i = 0; i < sender->workers_count; i++)
        if (strcmp(sender->workers[i].endpoint->url, url) == 0)
            return sender->workers[i].endpoint;
    return NULL;
}

static struct sender_row *
find_row(const struct hook_sender *sender, const struct delivery *delivery)
{
    for (guint i = 0; i < sender->rows->len; i++) {
        struct sender_row *row = g_ptr_array_index(sender->rows, i);
        if (strcmp(row->delivery->event_id, delivery->event_id) == 0 &&
            strcmp(row->delivery->endpoint, delivery->endpoint) == 0)
            return row;
    }
    return NULL;
}

/* A run that begins tries an unreachable receiver at once, but keeps what a receiver asked for. */
static int64_t
due_of(const struct delivery *delivery)
{
    int64_t wait_us = delivery->next_attempt_us - clock_real_us();
    if (delivery->next_attempt_us == 0 || delivery->last_status == 0)
        wait_us = 0;
    return clock_monotonic_us() + CLAMP(wait_us, 0, DUE_MAX_US);
}

/* A `completed` that was refused ends its run; whoever runs again has mended the receiver. */
static void
revive(struct delivery *delivery)
{
    if (delivery->state == DELIVERY_REFUSED &&
        strcmp(delivery->event, hook_event_name(HOOK_COMPLETED)) == 0) {
        delivery->state = DELIVERY_PENDING;
        delivery->next_attempt_us = 0;
    }
}

/* A delivery that this run did not know. Takes it. */
static void
add_row(struct hook_sender *sender, struct delivery *delivery)
{
    bool first_reading = sender->loaded == 0;
    if (first_reading)
        revive(delivery);
    struct sender_row *row = g_new0(struct sender_row, 1);
    row->delivery = delivery;
    row->due_us = due_of(delivery);
    row->endpoint = endpoint_of(sender, delivery->endpoint);
    /* Asking a receiver to get ready for a cutover that nobody attempts any more would be
     * wrong: the run that resumes decides whether it waits for the answer or withdraws. */
    row->held = first_reading && strcmp(delivery->event, hook_event_name(HOOK_BEFORE_CUTOVER)) == 0;
    g_ptr_array_add(sender->rows, row);
}

/* Takes a delivery that was read. What a run itself made of it is newer in memory, or the same;
 * what somebody decided by hand is newer in the outbox. */
static void
merge(struct hook_sender *sender, struct delivery *delivery)
{
    struct sender_row *row = find_row(sender, delivery);
    if (row == NULL)
        add_row(sender, delivery);
    else if (!row->busy && row->delivery->resolved_us != delivery->resolved_us)
        sender_adopt(row, delivery);
    else /* one that is being worked on is compared when that is stored */
        delivery_free(delivery);
}

/* Reads the outbox once. Mutex held; released while reading. */
static bool
load(struct hook_sender *sender, GError **error)
{
    uint64_t covers = sender->woken;
    pthread_mutex_unlock(&sender->mutex);
    GPtrArray *deliveries = outbox_load(sender->checkpoint, error);
    pthread_mutex_lock(&sender->mutex);
    if (deliveries == NULL)
        return false;
    g_ptr_array_set_free_func(deliveries, NULL);
    for (guint i = 0; i < deliveries->len; i++)
        merge(sender, g_ptr_array_index(deliveries, i));
    g_ptr_array_unref(deliveries);
    sender->loaded = covers;
    sender->load_failed = false;
    pthread_cond_broadcast(&sender->cond);
    return true;
}

void *
sender_load_thread(void *argument)
{
    struct hook_sender *sender = argument;
    pthread_mutex_lock(&sender->mutex);
    while (!sender->stopping && sender->failure == NULL) {
        if (sender->loaded == sender->woken) {
            pthread_cond_wait(&sender->cond, &sender->mutex);
            continue;
        }
        GError *failure = NULL;
        if (!load(sender, &failure) && !sender_is_final_failure(sender, failure)) {
            sender->load_failed = true;
            pthread_cond_broadcast(&sender->cond);
            sender_pause(sender);
        }
    }
    pthread_mutex_unlock(&sender->mutex);
    return NULL;
}
