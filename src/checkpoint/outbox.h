/* The outbox table: hook deliveries and their states. */
#ifndef CHECKPOINT_OUTBOX_H
#define CHECKPOINT_OUTBOX_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "checkpoint/checkpoint.h"

/* pending → sending → delivered | pending (to retry) | refused (stops) */
enum delivery_state {
    DELIVERY_PENDING,
    DELIVERY_SENDING, /* found after a crash: in doubt */
    DELIVERY_DELIVERED,
    DELIVERY_REFUSED, /* a 4xx that ends retrying */
};

const char *delivery_state_name(enum delivery_state state);
/* False when the name is unknown (a newer build's). */
bool delivery_state_parse(const char *name, enum delivery_state *ret_state);

struct delivery {
    char *event_id;
    char *event;
    char *endpoint;
    GBytes *body;
    enum delivery_state state;
    unsigned attempts;
    int last_status;  /* HTTP status; 0: none was received */
    char *last_error; /* NULL when none */
    int64_t created_us;
    int64_t next_attempt_us; /* real time; 0 now */
    int64_t delivered_us;
};

void delivery_free(struct delivery *delivery);

/* All deliveries of the move, oldest first: struct delivery. On any connection. */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *outbox_list(struct conn *target, const struct config *config,
                                                 GError **error);

/* The same through the runner's store; `undelivered` leaves out what is delivered or refused. */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *outbox_load(struct checkpoint *checkpoint, bool undelivered,
                                                 GError **error);

/* Commits one delivery's new state (attempts, status, error, next attempt) under the lease.
 * `sending` is saved before the request leaves, what came of it after. */
G_GNUC_WARN_UNUSED_RESULT bool outbox_save(struct checkpoint *checkpoint,
                                           const struct delivery *delivery, GError **error);

#endif
