/*
 * Feeds the binlog files of test/data/stream to an assembler, and writes down
 * what its sink is told.
 */
#ifndef TEST_UNIT_BINLOG_RECORDER_H
#define TEST_UNIT_BINLOG_RECORDER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "binlog/transaction.h"

/* The moved tables are shop.orders (0) and shop.items (1) of setup.sql. */
struct recorder {
    GPtrArray *moved_tables;
    struct assembler *assembler;
    uint64_t seq;
    /*
     * Lines: "arrived 1 :5" (arrival number, GTID without the UUID), and a
     * fragment as "1 :5 +0.17 0.17>0.18 -1.9 last :4" (table.id, the prepared
     * GTID at the end), "rename 2 …", "xa 3 …".
     */
    GString *lines;
    struct gtid_set *complete; /* P, if all of it were applied */
    size_t largest_fragment_bytes;
    bool accepts_unknown_xa;
    unsigned fragments_left; /* the sink fails after so many; default: plenty */
};

struct recorder *recorder_new(size_t fragment_bytes);
void recorder_free(struct recorder *recorder);

/* All events of a file, from behind its magic number. False: as assembler_feed(). */
bool recorder_feed_file(struct recorder *recorder, const char *name, GError **error);

/* One event. */
bool recorder_feed(struct recorder *recorder, const uint8_t *event, size_t length, GError **error);

/* The events of a file as (offset, length) pairs: guint32, alternating. */
GArray *recorder_events(GBytes *file);
GBytes *recorder_file(const char *name);

/* A common header, the body, and a right checksum. */
GBytes *recorder_event(uint8_t type, uint16_t flags, const uint8_t *body, size_t length);

/* Writes the right checksum to the last four bytes of an event. */
void recorder_seal(uint8_t *event, size_t length);

#endif
