/*
 * Deciding a delivery by hand: `hooks FILE resolve`. From any host, beside a
 * living runner or without one; needs no lease.
 *
 * What is decided is a compare-and-set on the stored state under a locking
 * read. A runner never writes over it (outbox_save()), and is told through
 * move_tables.command to read the outbox again.
 */
#ifndef CHECKPOINT_RESOLVE_H
#define CHECKPOINT_RESOLVE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "checkpoint/outbox.h"

enum resolution {
    RESOLUTION_DELIVERED, /* it arrived: never send it again */
    RESOLUTION_RESEND,    /* it did not arrive: send it, now */
};

/* "delivered" or "resend"; false for anything else. */
bool resolution_parse(const char *name, enum resolution *ret_resolution);

/* Borrowed strings. */
struct resolve_request {
    const char *id;       /* the event's, or an unambiguous beginning of it */
    const char *endpoint; /* the delivery's URL, with or without its query; NULL: the only one */
    enum resolution resolution;
};

struct resolve_reply {
    char *event;
    char *event_id;
    char *endpoint; /* without its query */
    bool runner_alive;
    uint64_t command_id; /* what a runner takes up: command_wait() */
};

/* Frees what is in it. */
void resolve_reply_clear(struct resolve_reply *reply);

/* The delivery that is meant, of a move's deliveries (struct delivery, oldest first). Pure.
 * Borrowed. NULL with MT_ERROR_USAGE: none, or several. */
const struct delivery *resolve_choose(const GPtrArray *deliveries,
                                      const struct resolve_request *request, GError **error);

/* What a decision is judged by. */
struct resolve_facts {
    const GPtrArray *deliveries; /* all of the move, oldest first */
    bool runner_alive;
    bool completed; /* the move is: nobody sends any more */
};

/* Whether the decision makes sense. Pure. False with MT_ERROR_FAILED, which says why not. */
G_GNUC_WARN_UNUSED_RESULT bool resolve_allowed(const struct resolve_facts *facts,
                                               const struct delivery *delivery,
                                               enum resolution resolution, GError **error);

/* Decides one delivery, in one transaction. MT_ERROR_CHECKPOINT when there is no such move; the
 * errors of resolve_choose() and resolve_allowed(), and then nothing was changed. */
G_GNUC_WARN_UNUSED_RESULT bool outbox_resolve(struct conn *target, const struct config *config,
                                              const struct resolve_request *request,
                                              struct resolve_reply *ret_reply, GError **error);

#endif
