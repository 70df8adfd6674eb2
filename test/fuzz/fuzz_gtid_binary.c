/*
 * GTID sets in binary form: [2 length of the first][first][second]. What is
 * taken must be printed and read again, and the arithmetic of two sets must agree
 * with itself.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "binlog/gtid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static struct gtid_set *
decode(const uint8_t *bytes, size_t length)
{
    g_autoptr(GError) error = NULL;
    struct gtid_set *set = gtid_set_decode(bytes, length, &error);
    check((set == NULL) == (error != NULL));
    if (set == NULL)
        return gtid_set_new();
    g_autofree char *text = gtid_set_to_string(set);
    g_autoptr(gtid_set) parsed = gtid_set_parse(text, NULL);
    check(parsed != NULL && gtid_set_equal(set, parsed));
    return set;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor = cursor_of(data, size);
    size_t length = (size_t)cursor_uint(&cursor, 2);
    length = MIN(length, cursor_left(&cursor));
    g_autoptr(gtid_set) a = decode(cursor.position, length);
    g_autoptr(gtid_set) b = decode(cursor.position + length, cursor_left(&cursor) - length);
    g_autoptr(gtid_set) all = gtid_set_copy(a);
    gtid_set_union(all, b);
    check(gtid_set_contains_set(all, a) && gtid_set_contains_set(all, b));
    /* a and b apart from each other, and together */
    g_autoptr(gtid_set) only_a = gtid_set_subtract(a, b);
    g_autoptr(gtid_set) only_b = gtid_set_subtract(b, a);
    g_autoptr(gtid_set) both = gtid_set_subtract(a, only_a);
    check(gtid_set_contains_set(b, both));
    check(gtid_set_count(only_a) + gtid_set_count(only_b) + gtid_set_count(both) ==
          gtid_set_count(all));
    gtid_set_union(both, only_a);
    check(gtid_set_equal(both, a));
    check(gtid_set_is_empty(only_a) == gtid_set_contains_set(b, a));
    return 0;
}
