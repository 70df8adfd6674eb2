/* Where a part of LOAD DATA's file may be cut. */
#include <criterion/criterion.h>
#include <string.h>

#include "copy/copier_int.h"

Test(writer, a_slice_ends_after_so_many_rows)
{
    static const char file[] = "1\ta\n2\tb\n3\tc\n";
    cr_expect_eq(load_slice_length(file, 12, 1), 4);
    cr_expect_eq(load_slice_length(file, 12, 2), 8);
    cr_expect_eq(load_slice_length(file, 12, 3), 12);
    cr_expect_eq(load_slice_length(file, 12, 4), 12);
    cr_expect_eq(load_slice_length(file, 0, 1), 0);
}

Test(writer, an_escape_ends_no_row)
{
    /* Backslash n is two bytes; a backslash before a real newline belongs to a value; two
     * backslashes are one, and the newline after them ends the row. */
    static const char file[] = "1\ta\\nb\n2\ta\\\nb\n3\t\\\\\n4\n";
    size_t length = sizeof file - 1;
    size_t first = load_slice_length(file, length, 1);
    cr_expect_eq(first, 7);
    size_t second = load_slice_length(file + first, length - first, 1);
    cr_expect_eq(second, 7);
    size_t third = load_slice_length(file + first + second, length - first - second, 1);
    cr_expect_eq(third, 5);
    cr_expect_eq(load_slice_length(file, length, 3), 19);
    cr_expect_eq(load_slice_length("a\\", 2, 1), 2);
}

Test(writer, slices_make_the_whole)
{
    g_autoptr(GString) file = g_string_new(NULL);
    for (unsigned i = 0; i < 2500; i++)
        g_string_append_printf(file, "%u\tv\\\n\\\\\n", i);
    size_t from = 0;
    unsigned slices = 0;
    while (from < file->len) {
        size_t length = load_slice_length(file->str + from, file->len - from, 1000);
        cr_assert_gt(length, 0);
        cr_expect_eq(file->str[from + length - 1], '\n');
        from += length;
        slices++;
    }
    cr_expect_eq(slices, 3);
}
