/* JSON documents made by hand; captured ones are compared in value.c. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"
#include "binlog/event.h"
#include "binlog/value.h"
#include "captured.h"

static void
expect(const void *bytes, size_t length, const char *expected, bool expression)
{
    g_autoptr(GString) text = g_string_new("kept ");
    g_autoptr(GError) error = NULL;
    bool is_expression = !expression;
    cr_assert(json_binary_append(text, bytes, length, &is_expression, &error), "%s",
              error == NULL ? "" : error->message);
    cr_expect(g_str_has_prefix(text->str, "kept "));
    cr_expect_str_eq(text->str + 5, expected, "%s, not %s", text->str + 5, expected);
    cr_expect_eq(is_expression, expression, "%s", expected);
}

static void
expect_error(const void *bytes, size_t length, const char *says)
{
    g_autofree uint8_t *copy = g_memdup2(bytes, length + (length == 0));
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    bool is_expression;
    cr_assert_not(json_binary_append(text, copy, length, &is_expression, &error), "%s", text->str);
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    cr_expect_neq(strstr(error->message, says), NULL, "%s: no %s", error->message, says);
}

#define TEXT_OF(literal, expected) expect(literal, sizeof literal - 1, expected, false)
#define SQL_OF(literal, expected) expect(literal, sizeof literal - 1, expected, true)
#define ERROR_OF(literal, says) expect_error(literal, sizeof literal - 1, says)

Test(json_binary, scalars)
{
    TEXT_OF("", "null");
    TEXT_OF("\x04\x00", "null");
    TEXT_OF("\x04\x01", "true");
    TEXT_OF("\x04\x02", "false");
    TEXT_OF("\x05\xff\xff", "-1");
    TEXT_OF("\x07\x00\x00\x00\x80", "-2147483648");
    TEXT_OF("\x09\x00\x00\x00\x00\x00\x00\x00\x80", "-9223372036854775808");
    TEXT_OF("\x09\xfe\xff\xff\xff\xff\xff\xff\x7f", "9223372036854775806");
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
    bool is_expression;
    cr_expect(json_binary_append(text, allowed->data, allowed->len, &is_expression, NULL));
    cr_expect_eq(text->len, 200);
    g_autoptr(GByteArray) refused = nested(101);
    expect_error(refused->data, refused->len, "nested too deeply");
}

#define SCALAR(sql) "JSON_EXTRACT(JSON_ARRAY(" sql "),'$[0]')"
#define FROM_COLUMN(value, type)                                                   \
    "(SELECT CAST(v AS JSON) FROM JSON_TABLE('[" value "]','$[*]' COLUMNS(v " type \
    " PATH '$' ERROR ON ERROR)) AS typed)"

/* The bytes are those that MySQL 9.7 wrote for the columns of these types. */
Test(json_binary, scalars_of_column_types)
{
    SQL_OF("\x06\xff\xff", SCALAR("CAST(65535 AS UNSIGNED)"));
    SQL_OF("\x08\xff\xff\xff\xff", SCALAR("CAST(4294967295 AS UNSIGNED)"));
    SQL_OF("\x0a\xff\xff\xff\xff\xff\xff\xff\x7f", SCALAR("CAST(9223372036854775807 AS UNSIGNED)"));
    SQL_OF("\x09\xff\xff\xff\xff\xff\xff\xff\x7f", SCALAR("9223372036854775807"));
    SQL_OF("\x0f\xf6\x04\x03\x02\x81\x0a", SCALAR("1.10"));
    SQL_OF("\x0f\xf6\x03\x01\x00\x85", SCALAR("5."));
    SQL_OF("\x0f\xf6\x04\x02\x01\x7f\xfe", SCALAR("-0.1"));
    /* 30 digits before the point, counted as 36: a precision that no column has. */
    SQL_OF("\x0f\xf6\x20\x42\x1e\x80\x00\x02\xa4\x14\xb0\xf2\x56\x2c\x3e\x46\x66\x10"
           "\x14\xd7\x7d\x06\x4b\x95\x3d\x08\x4a\xdf\xf2\x37\x34\xfc\x24\x00\x00",
           SCALAR("676347140694742278758269801341.105616701139124722926219300000"));
    SQL_OF("\x0f\x0a\x08\0\0\0\0\0\x44\xa5\x19", SCALAR("DATE'2020-01-02'"));
    SQL_OF("\x0f\x0b\x08\0\0\0\x48\x37\xff\xff\xff", SCALAR("TIME'-12:34:56.000000'"));
    SQL_OF("\x0f\x0b\x08\x40\xe2\x01\xfa\x6e\x34\0\0", SCALAR("TIME'838:59:58.123456'"));
    SQL_OF("\x0f\x0c\x08\0\0\0\x05\x31\x44\xa5\x19",
           SCALAR("TIMESTAMP'2020-01-02 03:04:05.000000'"));
    SQL_OF("\x0f\x0c\x08\0\0\0\0\0\0\0\0", SCALAR("TIMESTAMP'0000-00-00 00:00:00.000000'"));
    SQL_OF("\x0f\x07\x08\x40\xe2\x01\x05\x31\x44\xa5\x19",
           SCALAR(FROM_COLUMN("\"2020-01-02 03:04:05.123456\"", "TIMESTAMP(6)")));
    SQL_OF("\x0f\x10\x02\x01\x55", SCALAR(FROM_COLUMN("341", "BIT(16)")));
    SQL_OF("\x0f\x0f\x02\x00\xff", SCALAR("x'00ff'"));
    SQL_OF("\x0f\xfe\x02\x00\x20",
           SCALAR("(WITH RECURSIVE typed(v) AS (SELECT v FROM JSON_TABLE('[null]','$[*]' "
                  "COLUMNS(v BINARY(2) PATH '$')) AS null_of_type UNION ALL SELECT x'0020' "
                  "FROM typed WHERE v IS NULL) SELECT CAST(v AS JSON) FROM typed "
                  "WHERE v IS NOT NULL)"));
}

Test(json_binary, a_document_around_one)
{
    /* {"a": [1.10, -1, 1.5, "it's\\", null, true], "b": {}, "c": [], "": 5} */
    SQL_OF("\x00\x04\x00\x55\x00\x20\x00\x00\x00\x20\x00\x01\x00\x21\x00\x01\x00\x22\x00\x01"
           "\x00\x06\x05\x00\x02\x23\x00\x00\x4d\x00\x02\x51\x00\x61\x62\x63\x06\x00\x2a\x00"
           "\x0f\x16\x00\x05\xff\xff\x0b\x1c\x00\x0c\x24\x00\x04\x00\x00\x04\x01\x00\xf6\x04"
           "\x03\x02\x81\x0a\x00\x00\x00\x00\x00\x00\xf8\x3f\x05\x69\x74\x27\x73\x5c\x00\x00"
           "\x04\x00\x00\x00\x04\x00",
           "JSON_OBJECT(_utf8mb4'',CAST(5 AS UNSIGNED),_utf8mb4'a',JSON_ARRAY(1.10,-1,1.5e0,"
           "_utf8mb4'it\\'s\\\\',null,true),_utf8mb4'b',JSON_OBJECT(),_utf8mb4'c',JSON_ARRAY())");
}

Test(json_binary, refuses_what_no_expression_makes)
{
    ERROR_OF("\x0f\xfd\x01\x61", "VAR_STRING");
    ERROR_OF("\x0f\x0d\x01\x61", "YEAR");
    ERROR_OF("\x0f\x10\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09", "BIT");
    ERROR_OF("\x0f\xf6\x04\x03\x02\x81", "ends too early");
    ERROR_OF("\x0f\xf6\x03\x03\x02\x81", "not stored as");
    ERROR_OF("\x0f\xf6\x04\x03\x1f\x81\x0a", "not stored as");
    ERROR_OF("\x0f\xf6\x01\x03", "not stored as");
    ERROR_OF("\x0f\x0a\x07\0\0\0\0\x44\xa5\x19", "not stored as");
    ERROR_OF("\x0f", "ends too early");
    ERROR_OF("\x0f\x0f\x02\x00", "ends too early");
}

/* The after-image's document of the nth UPDATE in refused.binlog: (id, a, j). */
static void
expect_update(unsigned nth, const char *expected)
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
    cr_assert(row_values_read(layout, after, scratch, values, &error), "%s",
              error == NULL ? "" : error->message);
    cr_expect_not(values[1].is_expression);
    cr_expect(values[2].is_expression);
    cr_expect_eq(values[2].length, strlen(expected));
    cr_expect_eq(strncmp(values[2].data, expected, values[2].length), 0, "%s", values[2].data);
}

Test(json_binary, of_captured_rows)
{
    expect_update(1, "JSON_OBJECT(_utf8mb4'price',1.50)");
    expect_update(2, "JSON_ARRAY(JSON_OBJECT(_utf8mb4'at',TIMESTAMP'2020-01-01 00:00:00.500000'))");
}
