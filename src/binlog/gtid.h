/*
 * GTIDs and GTID sets, tagged ones (MySQL 8.3) included.
 *
 * A set keeps, per (UUID, tag) in sorted order, disjoint ascending half-open
 * intervals [first, last + 1). Not thread-safe: one owner, or a lock of its
 * owner's. Text format: manual, "GTID Sets"; binary format: COM_BINLOG_DUMP_GTID.
 */
#ifndef BINLOG_GTID_H
#define BINLOG_GTID_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

#define GTID_TAG_MAX 32

struct gtid {
    uint8_t uuid[16];
    char tag[GTID_TAG_MAX + 1]; /* "" when untagged; lower case */
    int64_t number;             /* 1 … 2^63 - 2 */
};

/* `uuid:7` or `uuid:tag:7`. Caller frees. */
char *gtid_to_string(const struct gtid *gtid);

struct gtid_set;

struct gtid_set *gtid_set_new(void);
void gtid_set_free(struct gtid_set *set);
STRUCT_AUTOPTR(gtid_set, gtid_set_free)
struct gtid_set *gtid_set_copy(const struct gtid_set *set);

/* Parses what the server prints (newlines, spaces, upper case, overlapping
 * intervals allowed; "" is the empty set). NULL with MT_ERROR_DATA otherwise. */
G_GNUC_WARN_UNUSED_RESULT struct gtid_set *gtid_set_parse(const char *text, GError **error);

/* Canonical text as the server prints it, without newlines. Caller frees. */
char *gtid_set_to_string(const struct gtid_set *set);

/* The body of COM_BINLOG_DUMP_GTID's set, as mysql_binlog_open() takes it. */
GByteArray *gtid_set_encode(const struct gtid_set *set);
/* The reverse (also PREVIOUS_GTIDS_LOG_EVENT). NULL with MT_ERROR_DATA. */
G_GNUC_WARN_UNUSED_RESULT struct gtid_set *gtid_set_decode(const uint8_t *bytes, size_t length,
                                                           GError **error);

/* Adding the next number of a known UUID is O(1) amortised. */
void gtid_set_add(struct gtid_set *set, const struct gtid *gtid);
void gtid_set_union(struct gtid_set *set, const struct gtid_set *other);
/* What is in set and not in other, newly allocated. */
struct gtid_set *gtid_set_subtract(const struct gtid_set *set, const struct gtid_set *other);
bool gtid_set_contains(const struct gtid_set *set, const struct gtid *gtid);
bool gtid_set_contains_set(const struct gtid_set *set, const struct gtid_set *subset);
bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b);
bool gtid_set_is_empty(const struct gtid_set *set);
/* How many transactions it names. */
uint64_t gtid_set_count(const struct gtid_set *set);

#endif
