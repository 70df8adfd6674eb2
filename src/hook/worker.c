/* The sender's threads. See sender_int.h. */
#include "hook/sender_int.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/url.h"

/* How often an event that is not durable is tried. */
#define NOTE_ATTEMPTS 3
/* The lease is read again before a request leaves when this much time has passed since. */
#define LEASE_FRESH_US 20000

/* --- the lease ----------------------------------------------------------------------------- */

/* False when the move is somebody else's by now: a fenced runner says nothing more. `unknown` when
 * it cannot be asked. No mutex held. */
static bool
is_ours(struct sender_worker *worker, bool unknown)
{
    struct hook_sender *sender = worker->sender;
    GError *failure = NULL;
    int64_t now_us = clock_monotonic_us();
    if (checkpoint_check_lease(sender->checkpoint, &failure)) {
        worker->lease_checked_us = now_us;
        return true;
    }
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_FENCED)) {
        pthread_mutex_lock(&sender->mutex);
        sender_fail(sender, failure);
        pthread_mutex_unlock(&sender->mutex);
        return false;
    }
    log_warning("hook", log_msg("whether the move is still ours cannot be asked"),
                log_str("error", failure->message));
    g_error_free(failure);
    worker->lease_checked_us = clock_monotonic_us();
    return unknown;
}

/*
 * For channel_request.may_leave. A delivery was marked under the lease just now; but connecting may
 * have taken long, and so may have been standing still: then another runner may own the move, and
 * has undone or completed what this request announces. What cannot be asked is not sent: it is in
 * the outbox, and its answer could not be stored either.
 */
bool
sender_delivery_may_leave(void *argument)
{
    struct sender_worker *worker = argument;
    return clock_monotonic_us() - worker->lease_checked_us <= LEASE_FRESH_US ||
           is_ours(worker, false);
}

/* The same for what is not in the outbox: a target that cannot be reached is no reason to be
 * silent, it is often what `failed` is about. */
static bool
note_may_leave(void *argument)
{
    struct sender_worker *worker = argument;
    return clock_monotonic_us() - worker->lease_checked_us <= LEASE_FRESH_US ||
           is_ours(worker, true);
}

/* --- one delivery -------------------------------------------------------------------------- */

static void
log_result(const struct sender_worker *worker, const char *event, unsigned attempt,
           const struct delivery_result *result)
{
    g_autofree char *url = url_text(worker->endpoint->url);
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

/* What somebody decided by hand meanwhile: an acknowledgement is the truth all the same, anything
 * else gives way to it. True when it is to be stored once more. Takes `stored`. */
static bool
give_way(struct sender_row *row, struct delivery *stored)
{
    struct delivery *mine = row->delivery;
    if (mine->state == DELIVERY_DELIVERED && !delivery_state_is_final(stored->state)) {
        mine->resolved_us = stored->resolved_us;
        delivery_free(stored);
        return true;
    }
    sender_adopt(row, stored);
    return false;
}

bool
sender_store(struct sender_worker *worker, struct sender_row *row)
{
    struct hook_sender *sender = worker->sender;
    for (;;) {
        GError *failure = NULL;
        struct delivery *stored = NULL;
        pthread_mutex_unlock(&sender->mutex);
        bool ok = outbox_save(sender->checkpoint, row->delivery, &stored, &failure);
        pthread_mutex_lock(&sender->mutex);
        if (ok && stored == NULL)
            return true;
        if (ok && give_way(row, stored))
            continue;
        if (ok)
            return false;
        /* Who waits for this row to be put down must not wait for the store once all is to stop:
         * the row stays as it is stored, in doubt. */
        if (sender_is_final_failure(sender, failure) || sender->stopping || stop_requested())
            return false;
        sender_pause(sender);
    }
}

void
sender_defer(struct sender_worker *worker, struct sender_row *row, unsigned attempts,
             int64_t retry_after_ms)
{
    int64_t wait_us = 1000 *
                      hook_backoff_ms(attempts, g_rand_double(worker->random), retry_after_ms) /
                      worker->sender->speedup;
    row->delivery->next_attempt_us = clock_real_us() + wait_us;
    row->due_us = clock_monotonic_us() + wait_us;
}

/* The answer's consequences for the row. Takes result->detail. Mutex held. */
static void
note_result(struct sender_worker *worker, struct sender_row *row, struct delivery_result *result)
{
    struct delivery *delivery = row->delivery;
    g_autofree char *detail = g_steal_pointer(&result->detail);
    delivery->last_status = result->status;
    if (worker->endpoint->in_doubt != IN_DOUBT_RETRY && hook_leaves_doubt(result)) {
        sender_doubt(row, detail);
        sender_defer(worker, row, 1, result->retry_after_ms);
        return;
    }
    g_free(delivery->last_error);
    delivery->last_error = g_steal_pointer(&detail);
    switch (result->verdict) {
    case VERDICT_DELIVERED:
        delivery->state = DELIVERY_DELIVERED;
        delivery->delivered_us = clock_real_us();
        break;
    case VERDICT_REFUSED:
        delivery->state = DELIVERY_REFUSED;
        break;
    case VERDICT_RETRY:
        delivery->state = DELIVERY_PENDING;
        sender_defer(worker, row, delivery->attempts, result->retry_after_ms);
        break;
    }
}

/* Stores that the request is about to leave. False: it must not. Mutex held; released meanwhile. */
static bool
mark(struct sender_worker *worker, struct sender_row *row)
{
    struct delivery *delivery = row->delivery;
    enum delivery_state former = delivery->state;
    int64_t former_next_us = delivery->next_attempt_us;
    delivery->state = DELIVERY_SENDING;
    delivery->attempts++;
    delivery->next_attempt_us = 0;
    /* The mark is stored under the lease, which is read after this moment. */
    worker->lease_checked_us = clock_monotonic_us();
    failpoint_reach(FAILPOINT_HOOK_BEFORE_MARK);
    if (sender_store(worker, row))
        return true;
    if (row->delivery == delivery) {
        delivery->state = former;
        delivery->attempts--;
        delivery->next_attempt_us = former_next_us;
    }
    return false;
}

/* Mutex held; released while storing and sending. */
static void
send_row(struct sender_worker *worker, struct sender_row *row)
{
    struct hook_sender *sender = worker->sender;
    row->busy = true;
    worker->row = row;
    /* First the mark, then the request: a delivery that is found `sending` may have arrived. Dying
     * before the mark is durable means that nothing was sent. */
    if (mark(worker, row)) {
        struct delivery *delivery = row->delivery;
        struct delivery_result result;
        struct channel_request request = {
            .event_id = delivery->event_id,
            .body = delivery->body,
            .abandon = &worker->abandon,
            .may_leave = sender_delivery_may_leave,
            .context = worker,
        };
        pthread_mutex_unlock(&sender->mutex);
        failpoint_reach(FAILPOINT_HOOK_SENDING);
        channel_post(worker->channel, &request, &result);
        /* Dying here leaves it `sending`: in doubt, and the next run does as the endpoint says. */
        failpoint_reach(FAILPOINT_HOOK_SENT);
        pthread_mutex_lock(&sender->mutex);
        bool doubtful = worker->endpoint->in_doubt != IN_DOUBT_RETRY && hook_leaves_doubt(&result);
        if (sender->failure == NULL && !doubtful)
            log_result(worker, delivery->event, delivery->attempts, &result);
        note_result(worker, row, &result);
        if (sender_store(worker, row))
            failpoint_reach(FAILPOINT_HOOK_STORED);
        else if (row->delivery == delivery)
            delivery->state = DELIVERY_SENDING; /* as it is stored: in doubt */
    }
    row->busy = false;
    worker->row = NULL;
    pthread_cond_broadcast(&sender->cond);
}

/* Sends the note and keeps or frees it. Mutex held; released while sending. */
static void
send_note(struct sender_worker *worker, struct sender_note *note)
{
    struct hook_sender *sender = worker->sender;
    struct delivery_result result = {0};
    g_queue_remove(&worker->notes, note);
    note->attempts++;
    struct channel_request request = {
        .event_id = note->event_id,
        .body = note->body,
        .may_leave = note_may_leave,
        .context = worker,
    };
    pthread_mutex_unlock(&sender->mutex);
    /* Asked before connecting as well: it may take longer than a request is given. */
    bool sent = note_may_leave(worker);
    if (sent)
        channel_post(worker->channel, &request, &result);
    pthread_mutex_lock(&sender->mutex);
    if (!sent || sender->failure != NULL) {
        g_free(result.detail);
        sender_note_free(note);
        return;
    }
    /* Best effort has no state to ask about or to hold: what may have arrived is left at that. */
    bool doubtful = worker->endpoint->in_doubt != IN_DOUBT_RETRY && hook_leaves_doubt(&result);
    bool again = result.verdict == VERDICT_RETRY && note->attempts < NOTE_ATTEMPTS &&
                 !sender->stopping && !doubtful;
    if (result.verdict == VERDICT_RETRY && !again)
        result.verdict = VERDICT_REFUSED; /* for the log: it is given up */
    log_result(worker, note->event, note->attempts, &result);
    if (again) {
        note->due_us = clock_monotonic_us() + 1000 *
                                                  hook_backoff_ms(note->attempts,
                                                                  g_rand_double(worker->random),
                                                                  result.retry_after_ms) /
                                                  sender->speedup;
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

static bool
waits(const struct hook_sender *sender, const struct sender_row *row)
{
    return sender->completed_waits &&
           strcmp(row->delivery->event, hook_event_name(HOOK_COMPLETED)) == 0;
}

/* The endpoint's oldest delivery that is not settled: one at a time, in order. */
static struct sender_row *
first_row(const struct sender_worker *worker)
{
    const struct hook_sender *sender = worker->sender;
    for (guint i = 0; i < sender->rows->len; i++) {
        struct sender_row *row = g_ptr_array_index(sender->rows, i);
        if (!row->withdrawn && !row->held && !waits(sender, row) && !sender_row_is_settled(row) &&
            strcmp(row->delivery->endpoint, worker->endpoint->url) == 0)
            return sender_row_is_stuck(row) ? NULL : row;
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

/* Sends it, or, when it may have arrived, does what the endpoint's policy says. Mutex held;
 * released meanwhile. */
static void
advance(struct sender_worker *worker, struct sender_row *row)
{
    struct delivery *delivery = row->delivery;
    if (delivery->state != DELIVERY_SENDING && delivery->state != DELIVERY_IN_DOUBT) {
        send_row(worker, row);
    } else if (worker->endpoint->in_doubt != IN_DOUBT_RETRY) {
        sender_clear_doubt(worker, row);
    } else {
        log_info("hook", log_msg("delivery is in doubt, sending it again under its id"),
                 log_str("event", delivery->event), log_str("id", delivery->event_id),
                 log_int("attempts", delivery->attempts));
        send_row(worker, row);
    }
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
        advance(worker, row);
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
