/* The sender's threads. See sender_int.h. */
#include "hook/sender_int.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"

/* How often an event that is not durable is tried. */
#define NOTE_ATTEMPTS 3
/* How long after a passing failure of the store it is read again. */
#define RELOAD_US 1000000
/* A stored time to try again is not believed beyond this: clocks differ. */
#define DUE_MAX_US (INT64_C(3600) * 1000000)

/* --- reading the outbox -------------------------------------------------------------------- */

static bool
is_in_file(const struct hook_sender *sender, const char *endpoint)
{
    for (size_t i = 0; i < sender->workers_count; i++)
        if (strcmp(sender->workers[i].endpoint->url, endpoint) == 0)
            return true;
    return false;
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

/* Takes a delivery that was read. A run's own knowledge is newer, except of what an operator
 * has settled meanwhile. */
static void
merge(struct hook_sender *sender, struct delivery *delivery)
{
    struct sender_row *row = find_row(sender, delivery);
    if (row == NULL) {
        if (sender->loaded == 0)
            revive(delivery);
        row = g_new0(struct sender_row, 1);
        row->delivery = delivery;
        row->due_us = due_of(delivery);
        row->has_endpoint = is_in_file(sender, delivery->endpoint);
        /* Asking a receiver to get ready for a cutover that nobody attempts any more would be
         * wrong: the run that resumes decides whether it waits for the answer or withdraws. */
        row->held = sender->loaded == 0 &&
                    strcmp(delivery->event, hook_event_name(HOOK_BEFORE_CUTOVER)) == 0;
        if (delivery->state == DELIVERY_SENDING && !row->held)
            log_info("hook", log_msg("delivery is in doubt, sending it again under its id"),
                     log_str("event", delivery->event), log_str("id", delivery->event_id),
                     log_int("attempts", delivery->attempts));
        g_ptr_array_add(sender->rows, row);
        return;
    }
    bool settled = delivery->state == DELIVERY_DELIVERED || delivery->state == DELIVERY_REFUSED;
    if (settled && !row->busy && !sender_row_is_settled(row)) {
        delivery_free(row->delivery);
        row->delivery = delivery;
    } else {
        delivery_free(delivery);
    }
}

/* Reads the outbox once. Mutex held; released while reading. */
static bool
load(struct hook_sender *sender, GError **error)
{
    uint64_t covers = sender->woken;
    pthread_mutex_unlock(&sender->mutex);
    GPtrArray *deliveries = outbox_load(sender->checkpoint, false, error);
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

/* The store failed: for good (nothing is sent any more), or for now. Takes the
 * error. Mutex held. */
static bool
is_final_failure(struct hook_sender *sender, GError *failure)
{
    if (!mt_error_is_transient(failure)) {
        sender_fail(sender, failure);
        return true;
    }
    log_warning("hook", log_msg("the outbox cannot be reached, trying again"),
                log_str("error", failure->message));
    g_error_free(failure);
    return false;
}

static void
pause_until(struct hook_sender *sender, int64_t deadline_us)
{
    while (!sender->stopping && sender->failure == NULL &&
           clock_cond_wait_until(&sender->cond, &sender->mutex, deadline_us))
        ;
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
        if (!load(sender, &failure) && !is_final_failure(sender, failure)) {
            sender->load_failed = true;
            pthread_cond_broadcast(&sender->cond);
            pause_until(sender, clock_monotonic_us() + RELOAD_US);
        }
    }
    pthread_mutex_unlock(&sender->mutex);
    return NULL;
}

/* --- one delivery -------------------------------------------------------------------------- */

static void
log_result(const struct sender_worker *worker, const char *event, unsigned attempt,
           const struct delivery_result *result)
{
    g_autofree char *url = sender_url_text(worker->endpoint->url);
    if (result->verdict == VERDICT_DELIVERED)
        log_info("hook", log_msg("delivered"), log_str("event", event), log_str("to", url),
                 log_int("status", result->status), log_int("attempt", attempt));
    else
        log_warning("hook",
                    log_msg(result->verdict == VERDICT_RETRY ? "not delivered, trying again"
                                                             : "not delivered, not tried again"),
                    log_str("event", event), log_str("to", url), log_int("attempt", attempt),
                    log_str("error", result->detail));
}

/* Stores what the memory says of a row. Mutex held; released meanwhile. The row is busy, so
 * that nobody else changes it. */
static bool
store(struct sender_worker *worker, const struct sender_row *row)
{
    struct hook_sender *sender = worker->sender;
    for (;;) {
        GError *failure = NULL;
        pthread_mutex_unlock(&sender->mutex);
        bool ok = outbox_save(sender->checkpoint, row->delivery, &failure);
        pthread_mutex_lock(&sender->mutex);
        if (ok)
            return true;
        /* Who waits for this row to be put down must not wait for the store once all is to stop:
         * the row stays as it is stored, in doubt. */
        if (is_final_failure(sender, failure) || sender->stopping || stop_requested())
            return false;
        pause_until(sender, clock_monotonic_us() + RELOAD_US);
    }
}

/* The answer's consequences for the row. Takes result->detail. Mutex held. */
static void
note_result(struct sender_worker *worker, struct sender_row *row, struct delivery_result *result)
{
    struct delivery *delivery = row->delivery;
    g_free(delivery->last_error);
    delivery->last_error = g_steal_pointer(&result->detail);
    delivery->last_status = result->status;
    switch (result->verdict) {
    case VERDICT_DELIVERED:
        delivery->state = DELIVERY_DELIVERED;
        delivery->delivered_us = clock_real_us();
        break;
    case VERDICT_REFUSED:
        delivery->state = DELIVERY_REFUSED;
        break;
    case VERDICT_RETRY: {
        int64_t wait_ms = hook_backoff_ms(delivery->attempts, g_rand_double(worker->random),
                                          result->retry_after_ms);
        delivery->state = DELIVERY_PENDING;
        delivery->next_attempt_us = clock_real_us() + wait_ms * 1000;
        row->due_us = clock_monotonic_us() + wait_ms * 1000;
        break;
    }
    }
}

/* Mutex held; released while storing and sending. */
static void
send_row(struct sender_worker *worker, struct sender_row *row)
{
    struct hook_sender *sender = worker->sender;
    struct delivery *delivery = row->delivery;
    row->busy = true;
    worker->row = row;
    delivery->state = DELIVERY_SENDING;
    delivery->attempts++;
    delivery->next_attempt_us = 0;
    /* First the mark, then the request: a delivery that is found `sending` may have arrived. Dying
     * before the mark is durable means that nothing was sent. */
    if (store(worker, row)) {
        struct delivery_result result;
        pthread_mutex_unlock(&sender->mutex);
        failpoint_reach(FAILPOINT_HOOK_SENDING);
        channel_post(worker->channel, delivery->event_id, delivery->body, &worker->abandon,
                     &result);
        /* Dying here leaves it `sending`: the same id and bytes are sent once more. */
        failpoint_reach(FAILPOINT_HOOK_SENT);
        pthread_mutex_lock(&sender->mutex);
        log_result(worker, delivery->event, delivery->attempts, &result);
        note_result(worker, row, &result);
        if (store(worker, row))
            failpoint_reach(FAILPOINT_HOOK_STORED);
        else
            delivery->state = DELIVERY_SENDING; /* as it is stored: in doubt */
    }
    row->busy = false;
    worker->row = NULL;
    pthread_cond_broadcast(&sender->cond);
}

/* False when the move is somebody else's by now: a fenced runner says nothing more. A target that
 * cannot be reached is no reason to be silent. Mutex held; released meanwhile. */
static bool
may_speak(struct hook_sender *sender)
{
    g_autoptr(GError) failure = NULL;
    pthread_mutex_unlock(&sender->mutex);
    bool ours = checkpoint_check_lease(sender->checkpoint, &failure);
    pthread_mutex_lock(&sender->mutex);
    if (ours || !g_error_matches(failure, MT_ERROR, MT_ERROR_FENCED))
        return true;
    sender_fail(sender, g_steal_pointer(&failure));
    return false;
}

/* Sends the note and keeps or frees it. Mutex held; released while sending. */
static void
send_note(struct sender_worker *worker, struct sender_note *note)
{
    struct hook_sender *sender = worker->sender;
    struct delivery_result result;
    g_queue_remove(&worker->notes, note);
    note->attempts++;
    if (!may_speak(sender)) {
        sender_note_free(note);
        return;
    }
    pthread_mutex_unlock(&sender->mutex);
    channel_post(worker->channel, note->event_id, note->body, NULL, &result);
    pthread_mutex_lock(&sender->mutex);
    bool again = result.verdict == VERDICT_RETRY && note->attempts < NOTE_ATTEMPTS &&
                 !sender->stopping;
    if (result.verdict == VERDICT_RETRY && !again)
        result.verdict = VERDICT_REFUSED; /* for the log: it is given up */
    log_result(worker, note->event, note->attempts, &result);
    if (again) {
        note->due_us = clock_monotonic_us() + 1000 * hook_backoff_ms(note->attempts,
                                                                     g_rand_double(worker->random),
                                                                     result.retry_after_ms);
        g_queue_push_tail(&worker->notes, note);
    } else {
        /* A receiver that does not take one will not take the others while we stop. */
        if (sender->stopping && result.verdict != VERDICT_DELIVERED)
            g_queue_clear_full(&worker->notes, (GDestroyNotify)sender_note_free);
        sender_note_free(note);
    }
    g_free(result.detail);
}

/* --- what to do next ----------------------------------------------------------------------- */

/* The endpoint's oldest delivery that is not settled: one at a time, in order. */
static struct sender_row *
first_row(const struct sender_worker *worker)
{
    const struct hook_sender *sender = worker->sender;
    for (guint i = 0; i < sender->rows->len; i++) {
        struct sender_row *row = g_ptr_array_index(sender->rows, i);
        if (!row->withdrawn && !row->held && !sender_row_is_settled(row) &&
            strcmp(row->delivery->endpoint, worker->endpoint->url) == 0)
            return row->busy ? NULL : row; /* two hooks of one URL: the other one is at it */
    }
    return NULL;
}

static struct sender_note *
earliest_note(const struct sender_worker *worker)
{
    struct sender_note *earliest = NULL;
    for (GList *link = worker->notes.head; link != NULL; link = link->next) {
        struct sender_note *note = link->data;
        if (earliest == NULL || note->due_us < earliest->due_us)
            earliest = note;
    }
    return earliest;
}

/* One step: a note that was never tried, else a due delivery, else a due note, else waiting.
 * (Notes that failed before must not hold up a gate.) Mutex held. */
static void
work(struct sender_worker *worker)
{
    struct hook_sender *sender = worker->sender;
    int64_t now_us = clock_monotonic_us();
    struct sender_note *note = earliest_note(worker);
    struct sender_row *row = first_row(worker);
    if (note != NULL && note->attempts == 0) {
        send_note(worker, note);
    } else if (row != NULL && row->due_us <= now_us) {
        send_row(worker, row);
    } else if (note != NULL && note->due_us <= now_us) {
        send_note(worker, note);
    } else if (row != NULL || note != NULL) {
        int64_t due_us = row != NULL ? row->due_us : note->due_us;
        if (row != NULL && note != NULL)
            due_us = MIN(row->due_us, note->due_us);
        clock_cond_wait_until(&sender->cond, &sender->mutex, due_us);
    } else {
        pthread_cond_wait(&sender->cond, &sender->mutex);
    }
}

void *
sender_work_thread(void *argument)
{
    struct sender_worker *worker = argument;
    struct hook_sender *sender = worker->sender;
    pthread_mutex_lock(&sender->mutex);
    while (!sender->stopping && sender->failure == NULL)
        work(worker);
    /* `failed` is said right before the end: what was never tried is tried once. */
    for (struct sender_note *note;
         sender->failure == NULL && (note = earliest_note(worker)) != NULL && note->attempts == 0;)
        send_note(worker, note);
    pthread_mutex_unlock(&sender->mutex);
    return NULL;
}
