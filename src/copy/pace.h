/*
 * How many readers and writers of the copy are at work at a time. Pure; the
 * caller guards it.
 *
 * A chunk that was read and waits is pinned: it holds back every event that is
 * newer than it. So nothing is read before a writer can be expected to be free
 * for it. And more writers than the target has use for make it slower: each
 * then takes longer for a chunk, chunks get smaller to stay within chunk_ms, and
 * commits more. So writers are added as long as the rate grows by that.
 */
#ifndef COPY_PACE_H
#define COPY_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    unsigned writers_max; /* copy.writers */
    unsigned writers;     /* may be at work now */
    unsigned writing;     /* are at work */
    unsigned reading;     /* ranges that are being looked for or read */
    /* The window that is being measured. */
    int64_t began_us; /* monotonic; 0: not begun */
    uint64_t bytes;
    unsigned parts;
    /* What came of the last change. */
    double rate;     /* bytes/s before it */
    bool on_trial;   /* a writer more than before is being tried */
    unsigned resist; /* windows to wait before the next trial */
    unsigned failed; /* trials in a row without a gain */
};

/* Begins with two writers, or one where only one is allowed. */
void pace_init(struct pace *pace, unsigned writers_max);

/* May another range be looked for while this many parts wait for a writer? */
bool pace_may_read(const struct pace *pace, unsigned waiting);

/* May another part be taken by a writer? */
bool pace_may_write(const struct pace *pace);

/* A part of this many bytes is durable, at this monotonic time. */
void pace_note(struct pace *pace, uint64_t bytes, int64_t now_us);

#endif
