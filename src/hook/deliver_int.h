/* One request on the wire. */
#ifndef HOOK_DELIVER_INT_H
#define HOOK_DELIVER_INT_H

#include <glib.h>
#include <stdatomic.h>

#include "base/auto.h"
#include "hook/hook.h"

/* An endpoint's HTTP connection, kept open between requests. For one thread. */
struct channel;

/* Borrows the endpoint. curl_global_init() must have been called. */
struct channel *channel_new(const struct hook_endpoint *endpoint);
void channel_free(struct channel *channel);
STRUCT_AUTOPTR(channel, channel_free)

/* What is sent, or asked for. Borrowed. */
struct channel_request {
    const char *event_id;
    GBytes *body;
    const atomic_bool *abandon; /* NULL, or ends the request within a second when it becomes true */
    /* Asked when the connection is made, TLS included, right before the request leaves: false, and
     * it does not. NULL: not asked. */
    bool (*may_leave)(void *context);
    void *context;
};

/*
 * POSTs the body. Takes endpoint->timeout_ms at most, and what may_leave takes. Never fails: what
 * went wrong is in the result (as RETRY with status 0). Free ret_result->detail.
 */
void channel_post(struct channel *channel, const struct channel_request *request,
                  struct delivery_result *ret_result);

/* The same with a GET of the endpoint's probe_url, whether the event arrived; request->body is
 * ignored. Signed like a POST with an empty body. The answer's meaning: hook_probe_verdict(). */
void channel_probe(struct channel *channel, const struct channel_request *request,
                   struct delivery_result *ret_result);

#endif
