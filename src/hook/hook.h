/*
 * Completion hooks: CloudEvents over HTTP, signed as Standard Webhooks 1.0,
 * delivered from the outbox (checkpoint/outbox.h).
 *
 * One logical event is decided once (in the transaction of its phase), never
 * lost, never contradicted; every repeat carries the same id and bytes.
 */
#ifndef HOOK_HOOK_H
#define HOOK_HOOK_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/outbox.h"
#include "config/config.h"

/* What bodies are made of. Borrowed strings. */
struct hook_table {
    const char *from;
    const char *to;
    const char *moved_as;
    uint64_t rows;
};

struct hook_server {
    const char *host; /* or socket path */
    unsigned port;
    const char *server_uuid;
};

struct hook_facts {
    enum hook_event event;
    const char *move;
    const char *move_id;
    unsigned attempt;
    enum phase phase;
    struct hook_server source;
    struct hook_server target;
    const struct hook_table *tables;
    size_t tables_count;
    const char *drain_gtid; /* NULL: left out */
    int64_t fenced_us;      /* 0: left out */
    int64_t drained_us;
    const char *reason; /* cutover_aborted, failed: what happened; NULL: left out */
    int64_t time_us;    /* the event's time */
};

/* UUIDv5 (RFC 9562) of move id, event and attempt: the id of a durable event (before_cutover,
 * cutover_aborted, completed, rolled_back). Pure. Caller frees. */
char *hook_event_id(const char *move_id, enum hook_event event, unsigned attempt);

/* The id that hook_body() writes: hook_event_id() for the durable events; the others can happen
 * again, so their time is part of it. Pure. Caller frees. */
char *hook_facts_id(const struct hook_facts *facts);

/* The CloudEvents 1.0 JSON body. Pure: the same facts give the same bytes. */
GBytes *hook_body(const struct hook_facts *facts);

/* One outbox row per endpoint that wants the event: struct outbox_row; empty when none does. */
GPtrArray *hook_outbox_rows(const struct config *config, const struct hook_facts *facts);

/* `v1,<base64>`: HMAC-SHA256 over "id.timestamp.body" (Standard Webhooks 1.0).
 * A secret that starts with whsec_ is base64 after the prefix. Pure. Caller frees. */
char *hook_signature(const char *secret, const char *id, int64_t timestamp_s, GBytes *body);

enum delivery_verdict {
    VERDICT_DELIVERED, /* 2xx */
    VERDICT_RETRY,     /* 408, 409, 425, 429, 5xx, transport */
    VERDICT_REFUSED,   /* other statuses, 3xx too */
};

struct delivery_result {
    enum delivery_verdict verdict;
    int status;             /* 0: no answer */
    int64_t retry_after_ms; /* -1: not given */
    bool left;              /* the request, or a part of it, may have left; false: provably not */
    char *detail;           /* for people; NULL when none. Never contains a secret. */
};

/* Decides by status alone. Pure. */
enum delivery_verdict hook_verdict(int status);

/*
 * Whether the receiver may have taken a request although it did not say so: no answer came to what
 * may have left, or a 5xx did, which a receiver may give after it committed and a proxy for one that
 * did. Not 503: that is "not now". Asked for in_doubt: probe and hold only. Pure.
 */
bool hook_leaves_doubt(const struct delivery_result *result);

enum probe_verdict {
    PROBE_ARRIVED, /* 2xx */
    PROBE_ABSENT,  /* 404 */
    PROBE_UNKNOWN, /* anything else: ask again */
};

/* What the answer to a probe says. 0: there was none. Pure. */
enum probe_verdict hook_probe_verdict(int status);

/* hooks[].probe_url for one event: every `{id}` in it replaced, or `id=` added to its query. Pure.
 * Caller frees. */
char *hook_probe_url(const char *probe_url, const char *event_id);

/* Back-off before attempt n+1 (n ≥ 1 attempts made): exponential with jitter
 * taken from random01 in [0,1), at least retry_after_ms. Pure. */
int64_t hook_backoff_ms(unsigned attempts, double random01, int64_t retry_after_ms);

/*
 * The sender: threads that deliver what is undelivered in the outbox, in
 * order per endpoint, with the retry rules; and best-effort events from memory.
 * A before_cutover that an earlier run left undelivered is not sent by itself:
 * the run either waits for it (then it is) or withdraws it.
 */
struct hook_sender;

G_GNUC_WARN_UNUSED_RESULT struct hook_sender *hook_sender_start(const struct config *config,
                                                                struct checkpoint *checkpoint,
                                                                GError **error);
/* Stops after the request in flight and joins. */
void hook_sender_stop(struct hook_sender *sender);

/* Tells it that rows were committed to the outbox. Thread-safe. */
void hook_sender_wake(struct hook_sender *sender);

/* Queues an event that is not durable (started, copy_completed, ready, failed): a few tries, then
 * a warning. Does nothing when no endpoint wants it. Thread-safe. */
void hook_sender_notify(struct hook_sender *sender, const struct hook_facts *facts);

/* Lets `completed` go, which waits for this where cutover.triggers is create: whoever gets it may
 * write to the target, and must meet the triggers there. Thread-safe. */
void hook_sender_let_completed_go(struct hook_sender *sender);

/*
 * Waits until every delivery of the event is delivered or refused (for the gate
 * before_cutover: until the first is refused), or the
 * timeout (monotonic ms from now; -1: none) passes, or a stop is requested.
 * True: all delivered. False with MT_ERROR_HOOK (refused or time-out: which
 * endpoint, status, attempts), MT_ERROR_STOPPED, or the store's error.
 */
G_GNUC_WARN_UNUSED_RESULT bool hook_sender_wait(struct hook_sender *sender, const char *event_id,
                                                int64_t timeout_ms, GError **error);

/* Ends a gate's deliveries that were not acknowledged: a request in flight is broken off (or its
 * answer taken, if that is faster), the rest is stored as refused and not sent again. */
G_GNUC_WARN_UNUSED_RESULT bool hook_sender_withdraw(struct hook_sender *sender,
                                                    const char *event_id, const char *reason,
                                                    GError **error);

#endif
