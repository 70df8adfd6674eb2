/* What the GTID files share: how a set is kept in memory. */
#ifndef BINLOG_GTID_INT_H
#define BINLOG_GTID_INT_H

#include "binlog/gtid.h"

/* The server's GNO_END: one more than the largest number. */
#define GTID_NUMBER_END INT64_MAX

/* [first, end) */
struct gtid_interval {
    int64_t first;
    int64_t end;
};

/* Everything of one UUID and tag: ascending, disjoint, not touching, never empty. */
struct gtid_group {
    uint8_t uuid[16];
    char tag[GTID_TAG_MAX + 1];
    GArray *intervals; /* struct gtid_interval */
};

struct gtid_set {
    GArray *groups; /* struct gtid_group, by UUID bytes, then tag */
    guint last;     /* the group that was added to last: the next one is likely to be it */
};

static inline struct gtid_group *
gtid_set_group(const struct gtid_set *set, guint index)
{
    return &g_array_index(set->groups, struct gtid_group, index);
}

static inline struct gtid_interval *
gtid_group_interval(const struct gtid_group *group, guint index)
{
    return &g_array_index(group->intervals, struct gtid_interval, index);
}

/* Adds [first, end) of a UUID and tag; 1 <= first < end <= GTID_NUMBER_END. */
void gtid_set_add_interval(struct gtid_set *set, const uint8_t uuid[16], const char *tag,
                           struct gtid_interval interval);

/* Appends the UUID in its usual text form. */
void gtid_append_uuid(GString *text, const uint8_t uuid[16]);

/* Checks a tag ([a-z_][a-z0-9_]{0,31}, or empty) and copies it in lower case.
 * False, with ret_tag untouched, when it is none. */
bool gtid_tag_take(const char *bytes, size_t length, char ret_tag[GTID_TAG_MAX + 1]);

#endif
