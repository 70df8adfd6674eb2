/* JSON documents made by hand; captured ones are compared in value.c. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"
#include "binlog/event.h"
#include "binlog/value.h"
#include "captured.h"

static void
expect_text(const void *bytes, size_t length, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    cr_assert(json_binary_to_text(bytes, length, text, &error), "%s",
              error == NULL ? "" : error->message);
    cr_expect_str_eq(text->str, expected);
}

static void
expect_error(const void *bytes, size_t length, const char *says)
{
    g_autofree uint8_t *copy = g_memdup2(bytes, length + (length == 0));
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    cr_assert_not(json_binary_to_text(copy, length, text, &error), "%s", text->str);
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    cr_expect_neq(strstr(error->message, says), NULL, "%s: no %s", error->message, says);
}

#define TEXT_OF(literal, expected) expect_text(literal, sizeof literal - 1, expected)
#define ERROR_OF(literal, says) expect_error(literal, sizeof literal - 1, says)

Test(json_binary, scalars)
{
    TEXT_OF("", "null");
    TEXT_OF("\x04\x00", "null");
    TEXT_OF("\x04\x01", "true");
    TEXT_OF("\x04\x02", "false");
    TEXT_OF("\x05\xff\xff", "-1");
    TEXT_OF("\x06\xff\xff", "65535");
    TEXT_OF("\x07\x00\x00\x00\x80", "-2147483648");
    TEXT_OF("\x08\xff\xff\xff\xff", "4294967295");
    TEXT_OF("\x09\x00\x00\x00\x00\x00\x00\x00\x80", "-9223372036854775808");
    TEXT_OF("\x0a\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615");
    TEXT_OF("\x0b\x00\x00\x00\x00\x00\x00\x00\x80", "-0.0");
    TEXT_OF("\x0c\x05\x01\x1f\"\\\n", "\"\\u0001\\u001f\\\"\\\\\\n\"");
}

Test(json_binary, containers)
{
    TEXT_OF("\x02\x00\x00\x04\x00", "[]");
    TEXT_OF("\x00\x00\x00\x04\x00", "{}");
    TEXT_OF("\x02\x02\x00\x0a\x00\x05\x01\x00\x04\x00\x00", "[1, null]");
    TEXT_OF("\x00\x01\x00\x0c\x00\x0b\x00\x01\x00\x05\x07\x00\x61", "{\"a\": 7}");
}

Test(json_binary, refuses_what_is_malformed)
{
    ERROR_OF("\x04", "literal");
    ERROR_OF("\x04\x03", "literal");
    ERROR_OF("\x05\x01", "ends too early");
    ERROR_OF("\x0b\x01", "ends too early");
    ERROR_OF("\x0b\x00\x00\x00\x00\x00\x00\xf0\x7f", "finite");
    ERROR_OF("\x0c\x05xy", "ends too early");
    ERROR_OF("\x0c\xff\xff\xff\xff\xff\x01", "ends too early");
    ERROR_OF("\x0d", "type that is not known");
    ERROR_OF("\xff", "type that is not known");
    ERROR_OF("\x0f", "opaque");
    ERROR_OF("\x02\x01\x00\x05\x00\x05\x01", "hold together");
    ERROR_OF("\x02\xff\xff\x07\x00\x05\x01\x00", "hold together");
    ERROR_OF("\x03\xff\xff\xff\xff\xff\xff\xff\xff", "hold together");
    ERROR_OF("\x02\x01\x00\x07\x00\x0c\x08\x00", "$[0]");
    ERROR_OF("\x00\x01\x00\x0c\x00\x0b\x00\x02\x00\x05\x07\x00\x61", "key");
}

/* Arrays whose elements are all the same following array would give 2^n values. */
Test(json_binary, refuses_overlapping_values)
{
    enum { LEVELS = 40, LEVEL_BYTES = 10 };
    uint8_t document[1 + LEVELS * LEVEL_BYTES];
    document[0] = 0x02;
    for (size_t i = 0; i < LEVELS; i++) {
        uint16_t length = (uint16_t)((LEVELS - i) * LEVEL_BYTES);
        const uint8_t level[LEVEL_BYTES] = {
            2,           0, (uint8_t)length, (uint8_t)(length >> 8), 0x02, LEVEL_BYTES, 0, 0x02,
            LEVEL_BYTES, 0};
        memcpy(document + 1 + i * LEVEL_BYTES, level, LEVEL_BYTES);
    }
    expect_error(document, sizeof document, "malformed JSON document");
}

/* `depth` arrays around nothing. */
static GByteArray *
nested(unsigned depth)
{
    GByteArray *document = g_byte_array_new();
    static const uint8_t type = 0x02;
    g_byte_array_append(document, &type, 1);
    for (unsigned i = 0; i < depth; i++) {
        bool innermost = i + 1 == depth;
        unsigned length = (depth - i - 1) * 7 + 4;
        const uint8_t level[7] = {
            innermost ? 0 : 1, 0, (uint8_t)length, (uint8_t)(length >> 8), 0x02, 7, 0};
        g_byte_array_append(document, level, innermost ? 4 : 7);
    }
    return document;
}

Test(json_binary, depth)
{
    g_autoptr(GByteArray) allowed = nested(100);
    g_autoptr(GString) text = g_string_new(NULL);
    cr_expect(json_binary_to_text(allowed->data, allowed->len, text, NULL));
    cr_expect_eq(text->len, 200);
    g_autoptr(GByteArray) refused = nested(101);
    expect_error(refused->data, refused->len, "nested too deeply");
}

/* The after-image's document of the nth UPDATE in refused.binlog: (id, a, j). */
static void
expect_refused_update(unsigned nth, const char *type, const char *path)
{
    g_autoptr(GBytes) file = captured_file("refused.binlog");
    g_autoptr(table) table = table_made("captured", "refused");
    column_made(table, "id", "int");
    column_made(table, "a", "int");
    column_made(table, "j", "json");
    struct captured_event map_event = captured_find(file, EVENT_TABLE_MAP, 0);
    struct captured_event rows = captured_find(file, EVENT_UPDATE_ROWS, nth);
    struct table_map map;
    cr_assert(table_map_decode(&map_event.body, &map, NULL));
    g_autoptr(row_layout) layout = row_layout_new(&map, table, NULL);
    cr_assert_neq(layout, NULL);
    struct rows_reader reader;
    uint64_t table_id;
    bool end;
    cr_assert(rows_reader_begin(&reader, rows.type, rows.body, &table_id, &end, NULL));
    reader.layout = layout;
    struct row_image before;
    struct row_image after;
    cr_assert_eq(rows_next(&reader, &before, &after, NULL), 1);
    g_autoptr(GString) scratch = g_string_new(NULL);
    struct column_text values[3];
    g_autoptr(GError) error = NULL;
    cr_assert_not(row_values_read(layout, after, scratch, values, &error));
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    cr_expect_neq(strstr(error->message, "`captured`.`refused`, column `j`"), NULL, "%s",
                  error->message);
    cr_expect_neq(strstr(error->message, type), NULL, "%s", error->message);
    cr_expect_neq(strstr(error->message, path), NULL, "%s", error->message);
}

Test(json_binary, names_what_text_cannot_carry)
{
    expect_refused_update(1, "DECIMAL", "$.\"price\"");
    expect_refused_update(2, "DATETIME", "$[0].\"at\"");
}
