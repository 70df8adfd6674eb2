/* The outbox table: hook deliveries and their states. */
#ifndef CHECKPOINT_OUTBOX_H
#define CHECKPOINT_OUTBOX_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "checkpoint/checkpoint.h"

/* pending → sending → delivered | pending (to retry) | refused (stops) | in_doubt (to be decided) */
enum delivery_state {
    DELIVERY_PENDING,
    DELIVERY_SENDING, /* found after a crash: in doubt */
    DELIVERY_DELIVERED,
    DELIVERY_REFUSED,  /* a 4xx that ends retrying, or withdrawn */
    DELIVERY_IN_DOUBT, /* it may have arrived, and is not sent again before that is known */
};

const char *delivery_state_name(enum delivery_state state);
/* False when the name is unknown (a newer build's). */
bool delivery_state_parse(const char *name, enum delivery_state *ret_state);
/* Delivered or refused: nothing more is done about it. */
bool delivery_state_is_final(enum delivery_state state);

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
    int64_t sent_us;         /* the last attempt's begin; 0: none */
    int64_t next_attempt_us; /* real time; 0 now */
    int64_t delivered_us;
    char *resolved_by;   /* who decided it by hand; NULL: nobody */
    int64_t resolved_us; /* when; changes with each decision, and with nothing else */
};

void delivery_free(struct delivery *delivery);

/* All deliveries of the move, oldest first: struct delivery. On any connection. */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *outbox_list(struct conn *target, const struct config *config,
                                                 GError **error);

/* The same through the runner's store. */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *outbox_load(struct checkpoint *checkpoint, GError **error);

/*
 * Commits one delivery's new state (attempts, status, error, next attempt) under the lease.
 * `sending` is saved before the request leaves, what came of it after. Writes nothing when somebody
 * decided the delivery by hand since it was read (another resolved_us): then *ret_stored is what is
 * stored instead, to be freed with delivery_free(); else it is NULL.
 */
G_GNUC_WARN_UNUSED_RESULT bool outbox_save(struct checkpoint *checkpoint,
                                           const struct delivery *delivery,
                                           struct delivery **ret_stored, GError **error);

#endif
