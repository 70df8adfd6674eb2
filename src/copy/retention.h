/*
 * Watches whether the source keeps its binlogs for long enough, while changes wait to be applied.
 * Belongs to one thread.
 */
#ifndef COPY_RETENTION_H
#define COPY_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "apply/applier.h"
#include "mysql/conn.h"

struct retention {
    struct server reader;
    struct applier *applier;
    struct conn *conn;
    int64_t due_us; /* when to look again; 0: at once */
    unsigned told;  /* the part of the time that was warned of, in fifths */
    bool told_purged;
};

/* Looks, every ten seconds, and warns when more of the time that binlogs are kept has passed, or when
 * some were purged that are not applied. A source that cannot be asked is the stream's to report. */
void retention_look(struct retention *retention);

/* Closes the connection. */
void retention_clear(struct retention *retention);

/* How many fifths of the time that binlogs are kept the oldest waiting change is old; 0 when they are
 * not purged by age (kept_s 0) or the lag is not known (-1). Pure. */
unsigned retention_fifths(int64_t lag_ms, int64_t kept_s);

#endif
