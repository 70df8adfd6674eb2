#include <criterion/criterion.h>
#include <string.h>

#include "schema/column_text.h"

/* Byte by byte, the plain way: what column_load_append() must give. */
static GString *
escaped_plainly(const GString *bytes)
{
    GString *expected = g_string_new(NULL);
    for (gsize i = 0; i < bytes->len; i++) {
        char byte = bytes->str[i];
        if (byte == '\t')
            g_string_append(expected, "\\t");
        else if (byte == '\n')
            g_string_append(expected, "\\n");
        else if (byte == '\\')
            g_string_append(expected, "\\\\");
        else
            g_string_append_c(expected, byte);
    }
    return expected;
}

static void
expect_field(enum column_type type, const GString *bytes)
{
    struct column column = {.type = type};
    g_autoptr(GString) file = g_string_new("before");
    g_autoptr(GString) expected = escaped_plainly(bytes);
    cr_assert(column_load_append(file, &column,
                                 (struct column_text){.data = bytes->str, .length = bytes->len}));
    g_string_prepend(expected, "before");
    cr_expect(g_string_equal(file, expected), "length %zu", (size_t)bytes->len);
}

Test(column_load, every_byte_at_every_place_of_a_block)
{
    for (gsize length = 0; length <= 70; length++)
        for (gsize place = 0; place < length; place++) {
            static const char special[] = {'\t', '\n', '\\', '\0', '\r', '\'', (char)0xff};
            g_autoptr(GString) bytes = g_string_new(NULL);
            for (gsize i = 0; i < length; i++)
                g_string_append_c(bytes, 'a');
            bytes->str[place] = special[place % sizeof special];
            bytes->str[length / 2] = '\\';
            expect_field(COLUMN_BLOB, bytes);
        }
    g_autoptr(GString) empty = g_string_new(NULL);
    expect_field(COLUMN_VARCHAR, empty);
}

Test(column_load, all_bytes)
{
    g_autoptr(GString) bytes = g_string_new(NULL);
    for (unsigned i = 0; i < 512; i++)
        g_string_append_c(bytes, (char)(i & 0xff));
    expect_field(COLUMN_VARBINARY, bytes);
}

Test(column_load, null_is_not_a_text)
{
    struct column column = {.type = COLUMN_VARCHAR};
    g_autoptr(GString) file = g_string_new(NULL);
    cr_assert(column_load_append(file, &column, (struct column_text){0}));
    g_string_append_c(file, '\t');
    cr_assert(column_load_append(file, &column, (struct column_text){.data = "\\N", .length = 2}));
    cr_expect_str_eq(file->str, "\\N\t\\\\N");
}

Test(column_load, target_list)
{
    static char a[] = "a", b[] = "b`", e[] = "e", j[] = "j";
    const struct column columns[] = {
        {.name = a, .type = COLUMN_INT},
        {.name = b, .type = COLUMN_BIT},
        {.name = e, .type = COLUMN_ENUM},
        {.name = j, .type = COLUMN_JSON},
    };
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(GString) assignments = g_string_new(NULL);
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            g_string_append_c(list, ',');
        column_load_target_append(list, assignments, &columns[i], i);
    }
    cr_expect_str_eq(list->str, "`a`,@v1,@v2,@v3");
    cr_expect_str_eq(assignments->str, "`b``` = CAST(@v1 AS UNSIGNED), `e` = CAST(@v2 AS UNSIGNED),"
                                       " `j` = CONVERT(@v3 USING utf8mb4)");
}
