/* Deliveries that may have arrived, at endpoints that say probe or hold. See sender_int.h. */
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/url.h"
#include "hook/sender_int.h"

bool
sender_row_is_stuck(const struct sender_row *row)
{
    return !row->busy && !row->withdrawn && row->delivery->state == DELIVERY_IN_DOUBT &&
           row->endpoint != NULL && row->endpoint->in_doubt == IN_DOUBT_HOLD;
}

static void
set_last_error(struct delivery *delivery, char *text)
{
    g_free(delivery->last_error);
    delivery->last_error = text;
}

void
sender_doubt(struct sender_row *row, const char *why)
{
    struct delivery *delivery = row->delivery;
    g_autofree char *url = url_text(delivery->endpoint);
    delivery->state = DELIVERY_IN_DOUBT;
    set_last_error(delivery, g_strdup(why));
    row->probes = 0;
    log_warning("hook",
                log_msg(row->endpoint->in_doubt == IN_DOUBT_HOLD
                            ? "in doubt, and not sent again: `move-tables hooks` decides it"
                            : "in doubt: asking its probe_url whether it arrived"),
                log_str("event", delivery->event), log_str("id", delivery->event_id),
                log_str("to", url), log_int("attempt", delivery->attempts), log_str("error", why));
}

/* What the probe said, for memory. Mutex held. */
static void
note_probe(struct sender_worker *worker, struct sender_row *row, struct delivery_result *result)
{
    struct delivery *delivery = row->delivery;
    g_autofree char *detail = g_steal_pointer(&result->detail);
    enum probe_verdict verdict = hook_probe_verdict(result->status);
    row->probes++;
    if (verdict == PROBE_UNKNOWN) {
        log_info("hook", log_msg("the probe does not tell yet"), log_str("event", delivery->event),
                 log_int("probe", row->probes), log_str("error", detail));
        set_last_error(delivery, g_strdup_printf("probe: %s", detail));
        sender_defer(worker, row, row->probes, result->retry_after_ms);
        return;
    }
    bool arrived = verdict == PROBE_ARRIVED;
    log_info("hook",
             log_msg(arrived ? "delivered: the probe says that it had arrived"
                             : "the probe says that it did not arrive: sending it again"),
             log_str("event", delivery->event), log_str("id", delivery->event_id),
             log_int("status", result->status));
    set_last_error(delivery, g_strdup_printf("probe: HTTP %d", result->status));
    delivery->next_attempt_us = 0;
    row->due_us = clock_monotonic_us();
    delivery->state = arrived ? DELIVERY_DELIVERED : DELIVERY_PENDING;
    if (arrived) {
        delivery->last_status = result->status;
        delivery->delivered_us = clock_real_us();
    }
}

/* Asks whether it arrived. Mutex held; released meanwhile. Nothing has to be stored before: asking
 * twice is harmless. */
static void
probe(struct sender_worker *worker, struct sender_row *row)
{
    struct hook_sender *sender = worker->sender;
    struct delivery_result result;
    struct channel_request request = {
        .event_id = row->delivery->event_id,
        .abandon = &worker->abandon,
        .may_leave = sender_delivery_may_leave,
        .context = worker,
    };
    pthread_mutex_unlock(&sender->mutex);
    channel_probe(worker->channel, &request, &result);
    pthread_mutex_lock(&sender->mutex);
    note_probe(worker, row, &result);
}

void
sender_clear_doubt(struct sender_worker *worker, struct sender_row *row)
{
    struct delivery *delivery = row->delivery;
    row->busy = true;
    worker->row = row;
    if (delivery->state == DELIVERY_SENDING)
        /* An earlier run was sending it, and ended; or ours could not store the answer. */
        sender_doubt(row, "its runner ended before the answer was stored");
    else
        probe(worker, row);
    if (!sender_store(worker, row) && row->delivery == delivery)
        delivery->state = DELIVERY_IN_DOUBT; /* or `sending`, as it is stored: the same */
    row->busy = false;
    worker->row = NULL;
    pthread_cond_broadcast(&worker->sender->cond);
}
