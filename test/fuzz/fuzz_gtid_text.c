/* GTID sets as text. What is taken must survive printing, coding and arithmetic. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "binlog/gtid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(gtid_set) set = gtid_set_parse(text, &error);
    check((set == NULL) == (error != NULL));
    if (set == NULL)
        return 0;
    g_autofree char *printed = gtid_set_to_string(set);
    g_autoptr(gtid_set) parsed = gtid_set_parse(printed, NULL);
    check(parsed != NULL && gtid_set_equal(set, parsed));
    g_autoptr(GByteArray) bytes = gtid_set_encode(set);
    g_autoptr(gtid_set) decoded = gtid_set_decode(bytes->data, bytes->len, NULL);
    check(decoded != NULL && gtid_set_equal(set, decoded));
    check(gtid_set_count(decoded) == gtid_set_count(set));
    g_autoptr(gtid_set) nothing = gtid_set_subtract(set, decoded);
    check(gtid_set_is_empty(nothing));
    gtid_set_union(decoded, set);
    check(gtid_set_equal(set, decoded));
    return 0;
}
