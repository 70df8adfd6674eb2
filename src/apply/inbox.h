/*
 * The inbox: where the stream hands over, the applier takes, and chunks pin.
 *
 * It gives every transaction its arrival number, keeps the set F of everything
 * that has arrived, holds the fragments that wait to be applied (bounded by
 * bytes), and keeps the pins of the chunks in flight. All of that is behind one
 * mutex because rule 1 of the protocol needs F and the arrival number at the
 * same instant, and rule 5 needs pins and fragments together (docs/protocol.md).
 *
 * Threads: one stream, one applier, any number of chunk readers and writers.
 */
#ifndef APPLY_INBOX_H
#define APPLY_INBOX_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "binlog/gtid.h"
#include "binlog/transaction.h"

struct inbox;

/* `from`: what counts as arrived from the start (P); copied. The stream blocks
 * while more than max_bytes of fragments wait. */
struct inbox *inbox_new(const struct gtid_set *from, size_t max_bytes);
void inbox_free(struct inbox *inbox);
STRUCT_AUTOPTR(inbox, inbox_free)

/* The stream's sink (binlog/transaction.h): context is the inbox. */
bool inbox_arrived(void *inbox, const struct gtid *gtid, uint64_t *ret_seq, GError **error);
bool inbox_put(void *inbox, struct fragment *fragment, GError **error);

/*
 * Rule 1: registers a chunk. Returns the pin, and in *ret_arrived the text of
 * the set F of everything that has arrived (caller frees). Nothing with a
 * higher arrival number is given to the applier until inbox_unpin().
 */
uint64_t inbox_pin(struct inbox *inbox, char **ret_arrived);
void inbox_unpin(struct inbox *inbox, uint64_t pin);

/*
 * Rule 5: the next fragment that may be applied; NULL when none is there before
 * deadline_us (monotonic; INT64_MIN: do not wait, INT64_MAX: for ever) or the
 * inbox was closed. Ownership passes to the caller.
 */
struct fragment *inbox_take(struct inbox *inbox, int64_t deadline_us);

/* Wakes everybody; from then on takes return NULL and puts fail with MT_ERROR_STOPPED. */
void inbox_close(struct inbox *inbox);

/* Everything that has arrived, as text. Caller frees. */
char *inbox_arrived_text(struct inbox *inbox);

struct inbox_state {
    size_t waiting_bytes;
    size_t waiting_fragments;
    int64_t oldest_commit_us; /* commit time of the first fragment that waits; 0: none or unknown */
};
/* A consistent picture of this moment. Thread-safe. */
struct inbox_state inbox_state(struct inbox *inbox);

#endif
