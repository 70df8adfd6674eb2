/* GTID sets: the arithmetic. */
#include "binlog/gtid.h"

#include <string.h>

#include "binlog/gtid_int.h"

static void
group_clear(void *pointer)
{
    struct gtid_group *group = pointer;
    g_array_unref(group->intervals);
}

struct gtid_set *
gtid_set_new(void)
{
    struct gtid_set *set = g_new0(struct gtid_set, 1);
    set->groups = g_array_new(FALSE, FALSE, sizeof(struct gtid_group));
    g_array_set_clear_func(set->groups, group_clear);
    return set;
}

void
gtid_set_free(struct gtid_set *set)
{
    if (set == NULL)
        return;
    g_array_unref(set->groups);
    g_free(set);
}

struct gtid_set *
gtid_set_copy(const struct gtid_set *set)
{
    struct gtid_set *copy = gtid_set_new();
    for (guint i = 0; i < set->groups->len; i++) {
        struct gtid_group group = *gtid_set_group(set, i);
        group.intervals = g_array_copy(group.intervals);
        g_array_append_val(copy->groups, group);
    }
    return copy;
}

static int
group_compare(const struct gtid_group *group, const uint8_t uuid[16], const char *tag)
{
    int order = memcmp(group->uuid, uuid, 16);
    return order != 0 ? order : strcmp(group->tag, tag);
}

/* True when the group exists; *ret_index is its place, or where it belongs. */
static bool
group_find(const struct gtid_set *set, const uint8_t uuid[16], const char *tag, guint *ret_index)
{
    guint low = 0;
    guint high = set->groups->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        int order = group_compare(gtid_set_group(set, middle), uuid, tag);
        if (order == 0) {
            *ret_index = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_index = low;
    return false;
}

static struct gtid_group *
group_get(struct gtid_set *set, const uint8_t uuid[16], const char *tag)
{
    if (set->last < set->groups->len) {
        struct gtid_group *last = gtid_set_group(set, set->last);
        if (group_compare(last, uuid, tag) == 0)
            return last;
    }
    guint index = 0;
    if (!group_find(set, uuid, tag, &index)) {
        struct gtid_group group = {.intervals = NULL};
        memcpy(group.uuid, uuid, 16);
        g_strlcpy(group.tag, tag, sizeof group.tag);
        group.intervals = g_array_new(FALSE, FALSE, sizeof(struct gtid_interval));
        g_array_insert_val(set->groups, index, group);
    }
    set->last = index;
    return gtid_set_group(set, index);
}

/* The first interval whose end is not below number: the only one that can hold or touch it. */
static guint
interval_find(const struct gtid_group *group, int64_t number)
{
    guint low = 0;
    guint high = group->intervals->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (gtid_group_interval(group, middle)->end < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
group_add(struct gtid_group *group, struct gtid_interval added)
{
    guint count = group->intervals->len;
    /* What happens nearly always: the next number. */
    if (count > 0 && gtid_group_interval(group, count - 1)->end == added.first) {
        gtid_group_interval(group, count - 1)->end = added.end;
        return;
    }
    guint from = interval_find(group, added.first);
    guint to = from;
    while (to < count && gtid_group_interval(group, to)->first <= added.end) {
        added.first = MIN(added.first, gtid_group_interval(group, to)->first);
        added.end = MAX(added.end, gtid_group_interval(group, to)->end);
        to++;
    }
    if (to == from) {
        g_array_insert_val(group->intervals, from, added);
        return;
    }
    *gtid_group_interval(group, from) = added;
    if (to - from > 1)
        g_array_remove_range(group->intervals, from + 1, to - from - 1);
}

void
gtid_set_add_interval(struct gtid_set *set, const uint8_t uuid[16], const char *tag,
                      struct gtid_interval interval)
{
    group_add(group_get(set, uuid, tag), interval);
}

void
gtid_set_add(struct gtid_set *set, const struct gtid *gtid)
{
    struct gtid_interval one = {.first = gtid->number, .end = gtid->number + 1};
    gtid_set_add_interval(set, gtid->uuid, gtid->tag, one);
}

void
gtid_set_union(struct gtid_set *set, const struct gtid_set *other)
{
    for (guint i = 0; i < other->groups->len; i++) {
        const struct gtid_group *group = gtid_set_group(other, i);
        struct gtid_group *into = group_get(set, group->uuid, group->tag);
        for (guint j = 0; j < group->intervals->len; j++)
            group_add(into, *gtid_group_interval(group, j));
    }
}

/* Appends what of `from` is not in `cut` (may be NULL) to the set. */
static void
subtract_group(struct gtid_set *set, const struct gtid_group *from, const struct gtid_group *cut)
{
    guint at = 0;
    guint cuts = cut != NULL ? cut->intervals->len : 0;
    for (guint i = 0; i < from->intervals->len; i++) {
        struct gtid_interval rest = *gtid_group_interval(from, i);
        while (at < cuts && gtid_group_interval(cut, at)->end <= rest.first)
            at++;
        for (guint j = at; j < cuts && rest.first < rest.end; j++) {
            const struct gtid_interval *hole = gtid_group_interval(cut, j);
            if (hole->first >= rest.end)
                break;
            if (hole->first > rest.first)
                gtid_set_add_interval(set, from->uuid, from->tag,
                                      (struct gtid_interval){rest.first, hole->first});
            rest.first = hole->end;
        }
        if (rest.first < rest.end)
            gtid_set_add_interval(set, from->uuid, from->tag, rest);
    }
}

struct gtid_set *
gtid_set_subtract(const struct gtid_set *set, const struct gtid_set *other)
{
    struct gtid_set *difference = gtid_set_new();
    for (guint i = 0; i < set->groups->len; i++) {
        const struct gtid_group *group = gtid_set_group(set, i);
        guint index = 0;
        bool found = group_find(other, group->uuid, group->tag, &index);
        subtract_group(difference, group, found ? gtid_set_group(other, index) : NULL);
    }
    return difference;
}

static bool
group_contains(const struct gtid_group *group, const struct gtid_interval *wanted)
{
    /* Ends are exclusive: an interval that ends at wanted->first only touches it. */
    guint index = interval_find(group, wanted->first + 1);
    if (index == group->intervals->len)
        return false;
    const struct gtid_interval *interval = gtid_group_interval(group, index);
    return interval->first <= wanted->first && wanted->end <= interval->end;
}

bool
gtid_set_contains(const struct gtid_set *set, const struct gtid *gtid)
{
    guint index = 0;
    struct gtid_interval one = {.first = gtid->number, .end = gtid->number + 1};
    return group_find(set, gtid->uuid, gtid->tag, &index) &&
           group_contains(gtid_set_group(set, index), &one);
}

bool
gtid_set_contains_set(const struct gtid_set *set, const struct gtid_set *subset)
{
    for (guint i = 0; i < subset->groups->len; i++) {
        const struct gtid_group *wanted = gtid_set_group(subset, i);
        guint index = 0;
        if (!group_find(set, wanted->uuid, wanted->tag, &index))
            return false;
        for (guint j = 0; j < wanted->intervals->len; j++)
            if (!group_contains(gtid_set_group(set, index), gtid_group_interval(wanted, j)))
                return false;
    }
    return true;
}

bool
gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b)
{
    return gtid_set_contains_set(a, b) && gtid_set_contains_set(b, a);
}

bool
gtid_set_is_empty(const struct gtid_set *set)
{
    /* A group is never without an interval. */
    return set->groups->len == 0;
}

uint64_t
gtid_set_count(const struct gtid_set *set)
{
    uint64_t count = 0;
    for (guint i = 0; i < set->groups->len; i++) {
        const struct gtid_group *group = gtid_set_group(set, i);
        for (guint j = 0; j < group->intervals->len; j++) {
            const struct gtid_interval *interval = gtid_group_interval(group, j);
            count += (uint64_t)(interval->end - interval->first);
        }
    }
    return count;
}
