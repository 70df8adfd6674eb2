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

/*
 * POSTs the body. Takes endpoint->timeout_ms at most, less when *abandon
 * becomes true (within a second). Never fails: what went wrong is in the result
 * (as RETRY with status 0). Free ret_result->detail.
 */
void channel_post(struct channel *channel, const char *event_id, GBytes *body,
                  const atomic_bool *abandon, struct delivery_result *ret_result);

#endif
