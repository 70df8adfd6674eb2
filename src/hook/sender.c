/* The sender as others see it: start, stop, wake, notify, wait, withdraw. See sender_int.h. */
#include "hook/sender_int.h"

#include <curl/curl.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/thread.h"
#include "base/url.h"

/* How long after a passing failure of the store it is tried again. */
#define PAUSE_US 1000000
#define SPEEDUP_VARIABLE "MOVE_TABLES_HOOK_SPEEDUP"

void
sender_note_free(struct sender_note *note)
{
    if (note == NULL)
        return;
    g_free(note->event_id);
    g_free(note->event);
    g_bytes_unref(note->body);
    g_free(note);
}

static void
sender_row_free(struct sender_row *row)
{
    delivery_free(row->delivery);
    g_free(row);
}

bool
sender_row_is_settled(const struct sender_row *row)
{
    /* While a worker is at it, what memory says is not durable yet. */
    return !row->busy && delivery_state_is_final(row->delivery->state);
}

void
sender_fail(struct hook_sender *sender, GError *failure)
{
    if (sender->failure == NULL)
        sender->failure = failure;
    else
        g_error_free(failure);
    pthread_cond_broadcast(&sender->cond);
}

bool
sender_is_final_failure(struct hook_sender *sender, GError *failure)
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

void
sender_pause(struct hook_sender *sender)
{
    int64_t deadline_us = clock_monotonic_us() + PAUSE_US;
    while (!sender->stopping && sender->failure == NULL &&
           clock_cond_wait_until(&sender->cond, &sender->mutex, deadline_us))
        ;
}

void
sender_adopt(struct sender_row *row, struct delivery *delivery)
{
    log_info("hook", log_msg("decided by hand"), log_str("event", delivery->event),
             log_str("id", delivery->event_id),
             log_str("state", delivery_state_name(delivery->state)),
             log_str("by", delivery->resolved_by));
    delivery_free(row->delivery);
    row->delivery = delivery;
    row->due_us = clock_monotonic_us();
}

/* --- start and stop ------------------------------------------------------------------------ */

static void
wake_waiters(void *argument)
{
    struct hook_sender *sender = argument;
    pthread_mutex_lock(&sender->mutex);
    pthread_cond_broadcast(&sender->cond);
    pthread_mutex_unlock(&sender->mutex);
}

static void
start_workers(struct hook_sender *sender)
{
    GPtrArray *hooks = sender->config->hooks;
    sender->workers_count = hooks != NULL ? hooks->len : 0;
    sender->workers = g_new0(struct sender_worker, MAX(sender->workers_count, 1));
    /* All of them are there before the first begins: they are looked through without the mutex. */
    for (guint i = 0; i < sender->workers_count; i++) {
        struct sender_worker *worker = &sender->workers[i];
        worker->sender = sender;
        worker->endpoint = g_ptr_array_index(hooks, i);
        worker->channel = channel_new(worker->endpoint);
        worker->random = g_rand_new();
        g_queue_init(&worker->notes);
    }
    for (guint i = 0; i < sender->workers_count; i++)
        thread_start(&sender->workers[i].thread, sender_work_thread, &sender->workers[i]);
}

static void
end_workers(struct hook_sender *sender)
{
    pthread_mutex_lock(&sender->mutex);
    sender->stopping = true;
    pthread_cond_broadcast(&sender->cond);
    pthread_mutex_unlock(&sender->mutex);
    for (size_t i = 0; i < sender->workers_count; i++) {
        struct sender_worker *worker = &sender->workers[i];
        pthread_join(worker->thread, NULL);
        channel_free(worker->channel);
        g_rand_free(worker->random);
        g_queue_clear_full(&worker->notes, (GDestroyNotify)sender_note_free);
    }
}

static void
sender_free(struct hook_sender *sender)
{
    g_free(sender->workers);
    g_ptr_array_unref(sender->rows);
    g_clear_error(&sender->failure);
    pthread_cond_destroy(&sender->cond);
    pthread_mutex_destroy(&sender->mutex);
    g_free(sender);
    curl_global_cleanup();
}

/* A receiver that is gone for an hour cannot be waited for in a test. */
static bool
read_speedup(int64_t *ret_speedup, GError **error)
{
    const char *text = g_getenv(SPEEDUP_VARIABLE);
    guint64 speedup = 1;
    if (text != NULL && *text != '\0') {
        if (!g_ascii_string_to_unsigned(text, 10, 1, 1000000, &speedup, NULL)) {
            g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                        SPEEDUP_VARIABLE "=\"%s\" is not allowed; must be a whole number from 1 to "
                                         "1000000, or unset",
                        text);
            return false;
        }
        log_warning("hook", log_msg("for tests: waits between attempts are divided"),
                    log_int("by", (int64_t)speedup));
    }
    *ret_speedup = (int64_t)speedup;
    return true;
}

struct hook_sender *
hook_sender_start(const struct config *config, struct checkpoint *checkpoint, GError **error)
{
    int64_t speedup = 1;
    if (!read_speedup(&speedup, error))
        return NULL;
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) {
        g_set_error(error, MT_ERROR, MT_ERROR_FAILED, "libcurl does not start: %s",
                    curl_easy_strerror(code));
        return NULL;
    }
    struct hook_sender *sender = g_new0(struct hook_sender, 1);
    sender->config = config;
    sender->checkpoint = checkpoint;
    sender->speedup = speedup;
    sender->rows = g_ptr_array_new_with_free_func((GDestroyNotify)sender_row_free);
    /* What an earlier run left undelivered is picked up at once. */
    sender->woken = 1;
    sender->completed_waits = config->cutover.triggers == TRIGGERS_CREATE;
    pthread_mutex_init(&sender->mutex, NULL);
    clock_cond_init(&sender->cond);
    start_workers(sender);
    thread_start(&sender->loader, sender_load_thread, sender);
    stop_on_request(wake_waiters, sender);
    return sender;
}

void
hook_sender_stop(struct hook_sender *sender)
{
    if (sender == NULL)
        return;
    stop_forget(wake_waiters, sender);
    end_workers(sender);
    pthread_join(sender->loader, NULL);
    sender_free(sender);
}

/* --- telling it ---------------------------------------------------------------------------- */

void
hook_sender_wake(struct hook_sender *sender)
{
    pthread_mutex_lock(&sender->mutex);
    sender->woken++;
    pthread_cond_broadcast(&sender->cond);
    pthread_mutex_unlock(&sender->mutex);
}

void
hook_sender_let_completed_go(struct hook_sender *sender)
{
    pthread_mutex_lock(&sender->mutex);
    sender->completed_waits = false;
    pthread_cond_broadcast(&sender->cond);
    pthread_mutex_unlock(&sender->mutex);
}

void
hook_sender_notify(struct hook_sender *sender, const struct hook_facts *facts)
{
    g_autoptr(GBytes) body = NULL;
    g_autofree char *event_id = NULL;
    for (size_t i = 0; i < sender->workers_count; i++) {
        struct sender_worker *worker = &sender->workers[i];
        if ((worker->endpoint->events & (UINT32_C(1) << facts->event)) == 0)
            continue;
        if (body == NULL) {
            body = hook_body(facts);
            event_id = hook_facts_id(facts);
        }
        struct sender_note *note = g_new0(struct sender_note, 1);
        note->event_id = g_strdup(event_id);
        note->event = g_strdup(hook_event_name(facts->event));
        /* Its own bytes: the last of two threads to let go of shared ones would free them behind
         * the race detector's back, which does not see GLib's counting. */
        gsize length = 0;
        gconstpointer bytes = g_bytes_get_data(body, &length);
        note->body = g_bytes_new(bytes, length);
        pthread_mutex_lock(&sender->mutex);
        g_queue_push_tail(&worker->notes, note);
        pthread_cond_broadcast(&sender->cond);
        pthread_mutex_unlock(&sender->mutex);
    }
}

/* --- waiting for an event ------------------------------------------------------------------ */

/* What is known of an event's deliveries. Borrowed rows. */
struct outcome {
    size_t found;
    const struct sender_row *open;    /* the first that is not settled */
    const struct sender_row *stuck;   /* not settled, and not before somebody decides `behind` */
    const struct sender_row *behind;  /* what is in doubt: the same, or an earlier one's */
    const struct sender_row *lost;    /* not settled, and its endpoint is not in the file */
    const struct sender_row *refused; /* the first refused */
};

/* What must be decided by hand before anything happens to the row: the row itself, or an earlier
 * one to the same endpoint. NULL: nothing. */
static const struct sender_row *
blocker_of(const struct hook_sender *sender, const struct sender_row *row)
{
    for (guint i = 0; i < sender->rows->len; i++) {
        const struct sender_row *other = g_ptr_array_index(sender->rows, i);
        if (other->endpoint == row->endpoint && sender_row_is_stuck(other))
            return other;
        if (other == row)
            return NULL;
    }
    return NULL;
}

static void
note_unsettled(const struct hook_sender *sender, const struct sender_row *row,
               struct outcome *outcome)
{
    const struct sender_row *blocker = row->endpoint != NULL ? blocker_of(sender, row) : NULL;
    if (row->endpoint == NULL) {
        outcome->lost = outcome->lost != NULL ? outcome->lost : row;
    } else if (blocker == NULL) {
        outcome->open = outcome->open != NULL ? outcome->open : row;
    } else if (outcome->stuck == NULL) {
        outcome->stuck = row;
        outcome->behind = blocker;
    }
}

static struct outcome
outcome_of(const struct hook_sender *sender, const char *event_id)
{
    struct outcome outcome = {0};
    for (guint i = 0; i < sender->rows->len; i++) {
        const struct sender_row *row = g_ptr_array_index(sender->rows, i);
        if (strcmp(row->delivery->event_id, event_id) != 0)
            continue;
        outcome.found++;
        if (row->delivery->state == DELIVERY_REFUSED && !row->busy) {
            outcome.refused = outcome.refused != NULL ? outcome.refused : row;
        } else if (!sender_row_is_settled(row)) {
            note_unsettled(sender, row, &outcome);
        }
    }
    return outcome;
}

static void
set_hook_error(const struct sender_row *row, const char *problem, const char *advice,
               GError **error)
{
    const struct delivery *delivery = row->delivery;
    g_autofree char *url = url_text(delivery->endpoint);
    g_autofree char *last = delivery->last_error != NULL
                                ? g_strdup_printf("; last: %s", delivery->last_error)
                                : g_strdup("");
    g_set_error(error, MT_ERROR, MT_ERROR_HOOK,
                "hook %s (event %s) %s by %s after %u attempt%s, last status %d%s%s",
                delivery->event, delivery->event_id, problem, url, delivery->attempts,
                delivery->attempts == 1 ? "" : "s", delivery->last_status, last, advice);
}

static bool
is_gate(const struct sender_row *row)
{
    return strcmp(row->delivery->event, hook_event_name(HOOK_BEFORE_CUTOVER)) == 0;
}

/* Nothing happens to `stuck` before somebody decides `behind`. */
static void
set_doubt_error(const struct hook_sender *sender, const struct outcome *outcome, GError **error)
{
    const struct delivery *stuck = outcome->stuck->delivery;
    const struct delivery *doubtful = outcome->behind->delivery;
    g_autofree char *url = url_text(stuck->endpoint);
    g_autofree char *advice = g_strdup_printf(
        "Look there, then `move-tables hooks %s resolve %s delivered` (it arrived) "
        "or `resend` (it did not)",
        sender->config->path, doubtful->event_id);
    const char *last = doubtful->last_error != NULL ? doubtful->last_error : "no answer";
    if (stuck != doubtful)
        g_set_error(error, MT_ERROR, MT_ERROR_HOOK,
                    "hook %s (event %s) cannot be sent to %s: %s before it is in doubt (%s). %s",
                    stuck->event, stuck->event_id, url, doubtful->event, last, advice);
    else if (is_gate(outcome->stuck))
        g_set_error(error, MT_ERROR, MT_ERROR_HOOK,
                    "hook %s (event %s) is in doubt: whether it arrived at %s, and what it was "
                    "answered, is not known (%s)",
                    stuck->event, stuck->event_id, url, last);
    else
        g_set_error(error, MT_ERROR, MT_ERROR_HOOK,
                    "hook %s (event %s) is in doubt: it may have arrived at %s (%s), and is not "
                    "sent again. %s, and run again",
                    stuck->event, stuck->event_id, url, last, advice);
}

/* True when the wait is over: then *ret_ok or the error says how. */
static bool
is_decided(const struct hook_sender *sender, const struct outcome *outcome, bool *ret_ok,
           GError **error)
{
    bool gate = (outcome->refused != NULL && is_gate(outcome->refused)) ||
                (outcome->stuck != NULL && is_gate(outcome->stuck));
    if (outcome->open != NULL && !gate)
        return false;
    if (outcome->refused != NULL)
        set_hook_error(outcome->refused, "was refused", "", error);
    else if (outcome->stuck != NULL)
        set_doubt_error(sender, outcome, error);
    else if (outcome->lost != NULL)
        set_hook_error(outcome->lost, "is not acknowledged",
                       "; the file's hooks no longer name this URL: put it back, or say that it is "
                       "settled with `move-tables hooks FILE resolve ID delivered`, and run again",
                       error);
    *ret_ok = outcome->refused == NULL && outcome->stuck == NULL && outcome->lost == NULL;
    return true;
}

/* Somebody wants the answer: what was held back may go. Mutex held. */
static void
let_go(struct hook_sender *sender, const char *event_id)
{
    for (guint i = 0; i < sender->rows->len; i++) {
        struct sender_row *row = g_ptr_array_index(sender->rows, i);
        if (row->held && strcmp(row->delivery->event_id, event_id) == 0) {
            row->held = false;
            pthread_cond_broadcast(&sender->cond);
        }
    }
}

/* Mutex held. */
static bool
wait_for(struct hook_sender *sender, const char *event_id, int64_t deadline_us, GError **error)
{
    uint64_t needed = sender->woken;
    bool asked_again = false;
    for (;;) {
        if (sender->failure != NULL) {
            g_propagate_error(error, g_error_copy(sender->failure));
            return false;
        }
        let_go(sender, event_id);
        struct outcome outcome = outcome_of(sender, event_id);
        bool known = sender->loaded >= needed;
        if (known && outcome.found == 0 && !asked_again) {
            /* Never take "nobody said that there is something" for "delivered". */
            asked_again = true;
            needed = ++sender->woken;
            pthread_cond_broadcast(&sender->cond);
            continue;
        }
        bool ok = false;
        if (known && is_decided(sender, &outcome, &ok, error))
            return ok;
        if (stop_requested()) {
            g_set_error(error, MT_ERROR, MT_ERROR_STOPPED,
                        "stopped while waiting for the answer to event %s", event_id);
            return false;
        }
        if (deadline_us >= 0 && clock_monotonic_us() >= deadline_us) {
            if (outcome.open != NULL)
                set_hook_error(outcome.open, "is not acknowledged", "", error);
            else
                g_set_error(error, MT_ERROR, MT_ERROR_HOOK,
                            "the deliveries of event %s could not be read in time", event_id);
            return false;
        }
        if (deadline_us >= 0)
            clock_cond_wait_until(&sender->cond, &sender->mutex, deadline_us);
        else
            pthread_cond_wait(&sender->cond, &sender->mutex);
    }
}

bool
hook_sender_wait(struct hook_sender *sender, const char *event_id, int64_t timeout_ms,
                 GError **error)
{
    int64_t deadline_us = timeout_ms >= 0 ? clock_monotonic_us() + timeout_ms * 1000 : -1;
    pthread_mutex_lock(&sender->mutex);
    bool ok = wait_for(sender, event_id, deadline_us, error);
    pthread_mutex_unlock(&sender->mutex);
    return ok;
}

/* --- withdrawing --------------------------------------------------------------------------- */

/* Marks the event's rows, and returns when no worker is at one of them. False: one is, and nothing
 * can be stored any more, so nobody waits for it: the row stays that worker's. Mutex held. */
static bool
seize(struct hook_sender *sender, const char *event_id, GError **error)
{
    for (guint i = 0; i < sender->rows->len; i++) {
        struct sender_row *row = g_ptr_array_index(sender->rows, i);
        if (strcmp(row->delivery->event_id, event_id) == 0)
            row->withdrawn = true;
    }
    for (size_t i = 0; i < sender->workers_count; i++) {
        struct sender_worker *worker = &sender->workers[i];
        while (worker->row != NULL && worker->row->withdrawn) {
            atomic_store(&worker->abandon, true);
            if (sender->failure != NULL) {
                g_propagate_error(error, g_error_copy(sender->failure));
                return false;
            }
            pthread_cond_wait(&sender->cond, &sender->mutex);
        }
        atomic_store(&worker->abandon, false);
    }
    return true;
}

/* The next withdrawn row of the event that is not settled; NULL: none. Mutex held. */
static struct sender_row *
next_seized(const struct hook_sender *sender, const char *event_id)
{
    for (guint i = 0; i < sender->rows->len; i++) {
        struct sender_row *row = g_ptr_array_index(sender->rows, i);
        if (row->withdrawn && !sender_row_is_settled(row) &&
            strcmp(row->delivery->event_id, event_id) == 0)
            return row;
    }
    return NULL;
}

/* Mutex held; released while storing. No worker touches a withdrawn row. If we die before this is
 * stored, the next run finds the delivery as it was, and withdraws it when it undoes the cutover. */
static bool
refuse_row(struct hook_sender *sender, struct sender_row *row, const char *reason, GError **error)
{
    struct delivery *delivery = row->delivery;
    struct delivery *stored = NULL;
    row->busy = true;
    enum delivery_state former = delivery->state;
    char *former_error = delivery->last_error;
    delivery->state = DELIVERY_REFUSED;
    delivery->next_attempt_us = 0;
    bool unknown = former == DELIVERY_IN_DOUBT || former == DELIVERY_SENDING;
    delivery->last_error = g_strdup_printf("withdrawn: %s%s", reason,
                                           unknown ? "; whether it arrived is not known" : "");
    pthread_mutex_unlock(&sender->mutex);
    bool ok = outbox_save(sender->checkpoint, delivery, &stored, error);
    pthread_mutex_lock(&sender->mutex);
    row->busy = false;
    if (!ok) {
        delivery->state = former;
        g_free(delivery->last_error);
        delivery->last_error = former_error;
        return false;
    }
    g_free(former_error);
    if (stored != NULL)
        sender_adopt(row, stored);
    return true;
}

bool
hook_sender_withdraw(struct hook_sender *sender, const char *event_id, const char *reason,
                     GError **error)
{
    pthread_mutex_lock(&sender->mutex);
    uint64_t needed = sender->woken;
    /* Once all is to stop, an outbox that cannot be reached is waited for no longer. */
    while (sender->loaded < needed && sender->failure == NULL &&
           !(stop_requested() && sender->load_failed))
        pthread_cond_wait(&sender->cond, &sender->mutex);
    if (sender->loaded < needed) {
        if (sender->failure != NULL)
            g_propagate_error(error, g_error_copy(sender->failure));
        else
            g_set_error(error, MT_ERROR, MT_ERROR_STOPPED,
                        "stopped before event %s could be withdrawn", event_id);
        pthread_mutex_unlock(&sender->mutex);
        return false;
    }
    bool ok = seize(sender, event_id, error);
    for (struct sender_row *row; ok && (row = next_seized(sender, event_id)) != NULL;)
        ok = refuse_row(sender, row, reason, error);
    pthread_cond_broadcast(&sender->cond);
    pthread_mutex_unlock(&sender->mutex);
    return ok;
}
