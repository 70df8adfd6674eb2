/* Rows events: heads, images, keys. */
#include "binlog/rows.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"
#include "binlog/event.h"
#include "binlog/value.h"
#include "captured.h"

/* (a INT, b VARCHAR(10) NULL, c INT), key (c, b). */
static struct row_layout *
small_layout(struct table *table)
{
    column_made(table, "a", "int");
    column_made(table, "b", "varchar")->octet_length = 10;
    column_made(table, "c", "int");
    static const unsigned key[] = {2, 1};
    g_array_append_vals(table->key_columns, key, 2);
    static const uint8_t types[] = {3, 15, 3};
    static const uint8_t metadata[] = {10, 0};
    struct table_map map = {
        .columns_count = 3,
        .types = types,
        .metadata = cursor_of(metadata, sizeof metadata),
        .optional = cursor_of(metadata, 0),
    };
    g_autoptr(GError) error = NULL;
    struct row_layout *layout = row_layout_new(&map, table, &error);
    cr_assert_neq(layout, NULL, "%s", error == NULL ? "" : error->message);
    return layout;
}

/* -1: the head was refused; else what the reader gives until it ends. */
static int
count_rows(const struct row_layout *layout, uint8_t type, const uint8_t *bytes, size_t length,
           GError **error)
{
    struct rows_reader reader;
    uint64_t table_id;
    bool end;
    if (!rows_reader_begin(&reader, type, cursor_of(bytes, length), &table_id, &end, error))
        return -1;
    cr_expect_eq(table_id, 0x0605040302);
    reader.layout = layout;
    struct row_image before;
    struct row_image after;
    int rows = 0;
    int found;
    while ((found = rows_next(&reader, &before, &after, error)) == 1)
        rows++;
    return found == 0 ? rows : -2;
}

#define TABLE_ID 0x02, 0x03, 0x04, 0x05, 0x06, 0x00
#define ROW_ONE 0x00, 1, 0, 0, 0, 2, 'h', 'i', 3, 0, 0, 0
#define ROW_NULL 0xfa, 1, 0, 0, 0, 3, 0, 0, 0

Test(rows, versions_and_extra_data)
{
    g_autoptr(table) table = table_made("s", "t");
    g_autoptr(row_layout) layout = small_layout(table);
    static const uint8_t v1[] = {TABLE_ID, 1, 0, 3, 0xff, ROW_ONE, ROW_NULL};
    static const uint8_t v2[] = {TABLE_ID, 1, 0, 2, 0, 3, 0x07, ROW_ONE, ROW_NULL};
    static const uint8_t extra[] = {TABLE_ID, 1, 0, 7, 0, 1, 1, 5, 0, 0, 3, 0xff, ROW_ONE};
    static const uint8_t update[] = {TABLE_ID, 0, 0, 2, 0, 3, 0xff, 0xff, ROW_ONE, ROW_NULL};
    cr_expect_eq(count_rows(layout, EVENT_WRITE_ROWS_V1, v1, sizeof v1, NULL), 2);
    cr_expect_eq(count_rows(layout, EVENT_DELETE_ROWS_V1, v1, sizeof v1, NULL), 2);
    cr_expect_eq(count_rows(layout, EVENT_WRITE_ROWS, v2, sizeof v2, NULL), 2);
    cr_expect_eq(count_rows(layout, EVENT_WRITE_ROWS, extra, sizeof extra, NULL), 1);
    cr_expect_eq(count_rows(layout, EVENT_UPDATE_ROWS, update, sizeof update, NULL), 1);
    struct rows_reader reader;
    uint64_t table_id;
    bool end = false;
    cr_assert(rows_reader_begin(&reader, EVENT_WRITE_ROWS, cursor_of(v2, sizeof v2), &table_id,
                                &end, NULL));
    cr_expect(end);
    cr_assert(rows_reader_begin(&reader, EVENT_UPDATE_ROWS, cursor_of(update, sizeof update),
                                &table_id, &end, NULL));
    cr_expect_not(end);
}

Test(rows, refuses_what_is_malformed)
{
    g_autoptr(table) table = table_made("s", "t");
    g_autoptr(row_layout) layout = small_layout(table);
    static const uint8_t whole[] = {TABLE_ID, 1, 0, 2, 0, 3, 0xff, ROW_ONE};
    static const uint8_t short_extra[] = {TABLE_ID, 1, 0, 1, 0, 3, 0xff, ROW_ONE};
    static const uint8_t columns[] = {TABLE_ID, 1, 0, 2, 0, 2, 0xff, ROW_ONE};
    static const uint8_t too_long[] = {TABLE_ID, 1,   0,   2,   0,   3,   0xff, 0,   1,   0,
                                       0,        0,   11,  'h', 'i', 'h', 'i',  'h', 'i', 'h',
                                       'i',      'h', 'i', 'h', 3,   0,   0,    0};
    for (size_t cut = 0; cut < sizeof whole; cut++) {
        g_autofree uint8_t *bytes = g_memdup2(whole, cut + 1);
        g_autoptr(GError) error = NULL;
        int rows = count_rows(layout, EVENT_WRITE_ROWS, bytes, cut, &error);
        if (cut == 12) { /* a head and no row: nothing is wrong with that */
            cr_expect_eq(rows, 0);
            continue;
        }
        cr_expect_lt(rows, 0, "%zu", cut);
        cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    }
    g_autoptr(GError) error = NULL;
    cr_expect_eq(count_rows(layout, EVENT_WRITE_ROWS, short_extra, sizeof short_extra, NULL), -1);
    cr_expect_eq(count_rows(layout, EVENT_WRITE_ROWS, columns, sizeof columns, NULL), -2);
    cr_expect_eq(count_rows(layout, EVENT_WRITE_ROWS, too_long, sizeof too_long, &error), -2);
    cr_assert_neq(error, NULL);
    cr_expect_neq(strstr(error->message, "`s`.`t`"), NULL);
    cr_expect_neq(strstr(error->message, "`b`"), NULL);
    cr_expect_eq(count_rows(layout, 22, whole, sizeof whole, NULL), -1);
}

Test(rows, refuses_images_that_are_not_full)
{
    g_autoptr(GBytes) file = captured_file("refused.binlog");
    struct captured_event minimal = captured_find(file, EVENT_UPDATE_ROWS, 0);
    struct captured_event partial = captured_find(file, EVENT_PARTIAL_UPDATE_ROWS, 0);
    struct rows_reader reader;
    uint64_t table_id;
    bool end;
    g_autoptr(GError) error = NULL;
    cr_expect_not(rows_reader_begin(&reader, minimal.type, minimal.body, &table_id, &end, &error));
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    cr_expect_neq(strstr(error->message, "binlog_row_image"), NULL);
    g_clear_error(&error);
    cr_expect_not(rows_reader_begin(&reader, partial.type, partial.body, &table_id, &end, &error));
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    cr_expect_neq(strstr(error->message, "PARTIAL_JSON"), NULL);
}

static bool
key_of(GByteArray *key, const struct row_layout *layout, const uint8_t *bytes, size_t length)
{
    g_byte_array_set_size(key, 0);
    return row_key_append(key, layout,
                          (struct row_image){.bytes = bytes, .length = (uint32_t)length});
}

Test(rows, keys_are_told_apart)
{
    g_autoptr(table) table = table_made("s", "t");
    g_autoptr(row_layout) layout = small_layout(table);
    static const uint8_t one[] = {ROW_ONE};
    static const uint8_t other_a[] = {0, 9, 9, 9, 9, 2, 'h', 'i', 3, 0, 0, 0};
    static const uint8_t other_b[] = {0, 1, 0, 0, 0, 1, 'h', 3, 0, 0, 0};
    static const uint8_t other_c[] = {0, 1, 0, 0, 0, 2, 'h', 'i', 4, 0, 0, 0};
    static const uint8_t null_key[] = {ROW_NULL};
    g_autoptr(GByteArray) a = g_byte_array_new();
    g_autoptr(GByteArray) b = g_byte_array_new();
    cr_assert(key_of(a, layout, one, sizeof one));
    /* c, then b, each with its length */
    static const uint8_t expected[] = {4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 'h', 'i'};
    cr_assert_eq(a->len, sizeof expected);
    cr_expect_eq(memcmp(a->data, expected, sizeof expected), 0);
    cr_assert(key_of(b, layout, other_a, sizeof other_a));
    cr_expect(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
    cr_assert(key_of(b, layout, other_b, sizeof other_b));
    cr_expect_not(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
    cr_assert(key_of(b, layout, other_c, sizeof other_c));
    cr_expect_not(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
    cr_expect_not(key_of(b, layout, null_key, sizeof null_key));
    cr_expect_eq(b->len, 0);
    cr_expect_not(key_of(b, layout, one, sizeof one - 1));
    cr_expect_eq(b->len, 0);
}

Test(rows, values_of_a_malformed_image)
{
    g_autoptr(table) table = table_made("s", "t");
    g_autoptr(row_layout) layout = small_layout(table);
    static const uint8_t longer[] = {ROW_ONE, 0};
    struct column_text values[3];
    g_autoptr(GString) scratch = g_string_new(NULL);
    for (size_t length = 0; length <= sizeof longer; length++) {
        g_autofree uint8_t *bytes = g_memdup2(longer, length + (length == 0));
        g_autoptr(GError) error = NULL;
        bool read = row_values_read(layout,
                                    (struct row_image){.bytes = bytes, .length = (uint32_t)length},
                                    scratch, values, &error);
        cr_expect_eq(read, length == sizeof longer - 1, "%zu", length);
        cr_expect_eq(error == NULL, read);
    }
}
