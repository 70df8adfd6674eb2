#include "binlog/event.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/error.h"

/* From hex digits; spaces are for reading. */
static GBytes *
bytes_of(const char *hex)
{
    GByteArray *bytes = g_byte_array_new();
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ')
            continue;
        uint8_t byte = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
        g_byte_array_append(bytes, &byte, 1);
        hex++;
    }
    return g_byte_array_free_to_bytes(bytes);
}

static struct cursor
cursor_over(GBytes *bytes)
{
    gsize length = 0;
    const uint8_t *start = g_bytes_get_data(bytes, &length);
    return cursor_of(start, length);
}

/* A Gtid_tagged_log_event of MySQL 9.7 as it came, without header and checksum. */
#define TAGGED_BYTES                                                                                \
    "027200000002bd02e50358d495039222c5033502d204f103000000020404060a6d7974616708800a840c7f9a7fb02" \
    "bbf60061079041283120b"

Test(event, tagged_gtid)
{
    g_autoptr(GBytes) bytes = bytes_of(TAGGED_BYTES);
    struct event_gtid found;
    cr_assert(event_gtid_decode(EVENT_GTID_TAGGED, cursor_over(bytes), &found, NULL));
    g_autofree char *text = gtid_to_string(&found.gtid);
    cr_expect_str_eq(text, "aff92c6a-e549-11f1-8d69-02fc00000001:mytag:1");
    cr_expect(eq(i64, found.commit_us, INT64_C(0x0660bf2bb07f9a)));
}

Test(event, tagged_gtid_cut_off)
{
    g_autoptr(GBytes) bytes = bytes_of(TAGGED_BYTES);
    struct cursor whole = cursor_over(bytes);
    /* It tells its size: nothing may be missing, though fields are optional. */
    for (size_t length = 0; length < cursor_left(&whole); length++) {
        g_autoptr(GError) error = NULL;
        struct event_gtid found;
        struct cursor body = cursor_of(whole.position, length);
        cr_expect(not(event_gtid_decode(EVENT_GTID_TAGGED, body, &found, &error)), "%zu bytes",
                  length);
        cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    }
}

Test(event, plain_gtid)
{
    g_autoptr(GBytes)
        bytes = bytes_of("01 000102030405060708090a0b0c0d0e0f 2a00000000000000 02 0000000000000000"
                         "0100000000000000 07000000000080");
    struct event_gtid found;
    cr_assert(event_gtid_decode(EVENT_GTID, cursor_over(bytes), &found, NULL));
    g_autofree char *text = gtid_to_string(&found.gtid);
    cr_expect_str_eq(text, "00010203-0405-0607-0809-0a0b0c0d0e0f:42");
    /* The highest bit only says that an original time follows. */
    cr_expect(eq(i64, found.commit_us, 7));
}

Test(event, gtid_number_out_of_range)
{
    static const char *const numbers[] = {"0000000000000000", "ffffffffffffff7f",
                                          "ffffffffffffffff"};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *hex = g_strconcat("01 000102030405060708090a0b0c0d0e0f", numbers[i], NULL);
        g_autoptr(GBytes) bytes = bytes_of(hex);
        struct event_gtid found;
        cr_expect(not(event_gtid_decode(EVENT_GTID, cursor_over(bytes), &found, NULL)));
    }
}

Test(event, query)
{
    /* flags2, sql_mode ANSI_QUOTES, catalog, charset gbk, updated databases a and bc */
    g_autoptr(GBytes) bytes = bytes_of(
        "07000000 01000000 04 0000 2800 00 00000000 01 0400000000000000 06 03 737464"
        "04 1c00 1c00 ff00 0c 02 6100 626300 12 ff00 63686f70 00 44524f50 00");
    struct cursor body = cursor_over(bytes);
    /* The status length of what stands above. */
    uint8_t *raw = g_memdup2(body.position, cursor_left(&body));
    raw[11] = 5 + 9 + 5 + 7 + 7 + 3;
    struct event_query query;
    cr_assert(event_query_decode(EVENT_QUERY, cursor_of(raw, cursor_left(&body)), &query, NULL));
    cr_expect(eq(sz, query.schema_length, 4));
    cr_expect(memcmp(query.schema, "chop", 4) == 0);
    cr_expect(eq(sz, query.sql_length, 5));
    cr_expect(eq(u64, query.sql_mode, SQL_MODE_ANSI_QUOTES));
    cr_expect(eq(u16, query.charset, 28));
    cr_expect(query.databases_told);
    cr_expect(eq(sz, cursor_left(&query.databases), 5));
    for (size_t length = 0; length < 13 + 36 + 5; length++)
        cr_expect(not(event_query_decode(EVENT_QUERY, cursor_of(raw, length), &query, NULL)),
                  "%zu bytes", length);
    g_free(raw);
}

Test(event, xa_prepare)
{
    g_autoptr(GBytes) bytes = bytes_of("01 07000000 02000000 02000000 7833 6271");
    struct event_xa_prepare prepare;
    cr_assert(event_xa_prepare_decode(cursor_over(bytes), &prepare, NULL));
    cr_expect(prepare.one_phase);
    cr_expect_str_eq(prepare.xid, "X'7833',X'6271',7");
    g_free(prepare.xid);
    struct cursor whole = cursor_over(bytes);
    for (size_t length = 0; length < cursor_left(&whole); length++)
        cr_expect(not(event_xa_prepare_decode(cursor_of(whole.position, length), &prepare, NULL)));
}

Test(event, header)
{
    g_autoptr(GBytes) bytes = bytes_of("01000000 02 03000000 13000000 05000000 0600");
    struct event_header header;
    struct cursor all = cursor_over(bytes);
    cr_assert(event_header_decode(all.position, 19, &header, NULL));
    cr_expect(eq(u32, header.time_s, 1));
    cr_expect(eq(u8, header.type, 2));
    cr_expect(eq(u32, header.server_id, 3));
    cr_expect(eq(u32, header.end_position, 5));
    cr_expect(eq(u16, header.flags, 6));
    g_autoptr(GError) error = NULL;
    cr_expect(not(event_header_decode(all.position, 18, &header, &error)));
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
}

Test(event, names)
{
    cr_expect_str_eq(event_type_name(EVENT_GTID_TAGGED), "Gtid_tagged_log_event");
    cr_expect_str_eq(event_type_name(0), "unknown");
    cr_expect_str_eq(event_type_name(255), "unknown");
}
