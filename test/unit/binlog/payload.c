#include "binlog/payload.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <zstd.h>

#include "base/error.h"
#include "binlog/event.h"

static void
append_lenenc(GByteArray *bytes, uint64_t value)
{
    uint8_t encoded[9] = {0xfe};
    for (unsigned i = 0; i < 8; i++)
        encoded[1 + i] = (uint8_t)(value >> (8 * i));
    g_byte_array_append(bytes, encoded, sizeof encoded);
}

static void
append_field(GByteArray *bytes, uint8_t type, uint64_t value)
{
    uint8_t head[2] = {type, 9};
    g_byte_array_append(bytes, head, 2);
    append_lenenc(bytes, value);
}

/* Inner events of these lengths, filled with a pattern. */
static GByteArray *
inner_events(const size_t *lengths, size_t count)
{
    GByteArray *inner = g_byte_array_new();
    for (size_t i = 0; i < count; i++) {
        uint8_t *event = g_malloc(lengths[i]);
        for (size_t j = 0; j < lengths[i]; j++)
            event[j] = (uint8_t)(j * 31 + i);
        for (unsigned j = 0; j < 4; j++)
            event[9 + j] = (uint8_t)(lengths[i] >> (8 * j));
        g_byte_array_append(inner, event, (guint)lengths[i]);
        g_free(event);
    }
    return inner;
}

static GByteArray *
payload_of(const GByteArray *inner, bool compressed, uint64_t uncompressed)
{
    size_t room = ZSTD_compressBound(inner->len);
    uint8_t *packed = g_malloc(room);
    size_t length = inner->len;
    if (compressed)
        length = ZSTD_compress(packed, room, inner->data, inner->len, 3);
    else
        memcpy(packed, inner->data, length);
    GByteArray *body = g_byte_array_new();
    append_field(body, 2, compressed ? 0 : 255);
    append_field(body, 3, uncompressed);
    append_field(body, 1, length);
    append_field(body, 7, 99); /* of a later version */
    g_byte_array_append(body, (const uint8_t *)"", 1);
    g_byte_array_append(body, packed, (guint)length);
    g_free(packed);
    return body;
}

/* How many events come out; -1 for an error. Their bytes are compared when `inner` is given. */
static int
count_events(struct payload_reader *reader, struct cursor body, const GByteArray *inner)
{
    g_autoptr(GError) error = NULL;
    if (!payload_reader_begin(reader, body, &error)) {
        cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
        return -1;
    }
    const uint8_t *event = NULL;
    size_t length = 0;
    size_t at = 0;
    int count = 0;
    int found = 0;
    while ((found = payload_next(reader, &event, &length, &error)) == 1) {
        if (inner != NULL) {
            cr_assert(le(sz, at + length, inner->len));
            cr_expect(memcmp(event, inner->data + at, length) == 0, "event %d", count);
        }
        at += length;
        count++;
    }
    cr_expect(eq(int, found == -1, error != NULL));
    return found == 0 ? count : -1;
}

static const size_t lengths[] = {19, 30, 16384, 5000000, 19, 16385, 100};

Test(payload, events_of_any_size)
{
    struct payload_reader *reader = payload_reader_new();
    g_autoptr(GByteArray) inner = inner_events(lengths, G_N_ELEMENTS(lengths));
    for (int compressed = 0; compressed < 2; compressed++) {
        g_autoptr(GByteArray) body = payload_of(inner, compressed == 1, inner->len);
        struct cursor cursor = cursor_of(body->data, body->len);
        cr_expect(eq(int, count_events(reader, cursor, inner), (int)G_N_ELEMENTS(lengths)));
        /* And again with the same reader. */
        cr_expect(eq(int, count_events(reader, cursor, inner), (int)G_N_ELEMENTS(lengths)));
    }
    payload_reader_free(reader);
}

Test(payload, sizes_that_are_wrong)
{
    struct payload_reader *reader = payload_reader_new();
    g_autoptr(GByteArray) inner = inner_events(lengths, 2);
    for (int compressed = 0; compressed < 2; compressed++) {
        for (int difference = -20; difference <= 20; difference++) {
            if (difference == 0 || (compressed == 1 && difference == -30))
                continue;
            uint64_t told = (uint64_t)((int64_t)inner->len + difference);
            g_autoptr(GByteArray) body = payload_of(inner, compressed == 1, told);
            cr_expect(eq(int, count_events(reader, cursor_of(body->data, body->len), NULL), -1),
                      "%d", difference);
        }
    }
    payload_reader_free(reader);
}

Test(payload, cut_off_anywhere)
{
    struct payload_reader *reader = payload_reader_new();
    g_autoptr(GByteArray) inner = inner_events(lengths, 2);
    g_autoptr(GByteArray) body = payload_of(inner, true, inner->len);
    for (guint length = 0; length < body->len; length++)
        cr_expect(eq(int, count_events(reader, cursor_of(body->data, length), NULL), -1), "%u",
                  length);
    payload_reader_free(reader);
}

/* An inner event that claims 4 GiB must not make the reader allocate them. */
Test(payload, giant_length)
{
    struct payload_reader *reader = payload_reader_new();
    static const size_t one[] = {200};
    g_autoptr(GByteArray) inner = inner_events(one, 1);
    memset(inner->data + 9, 0xff, 4);
    g_autoptr(GByteArray) honest = payload_of(inner, true, inner->len);
    g_autoptr(GByteArray) lying = payload_of(inner, true, UINT64_C(1) << 40);
    cr_expect(eq(int, count_events(reader, cursor_of(honest->data, honest->len), NULL), -1));
    cr_expect(eq(int, count_events(reader, cursor_of(lying->data, lying->len), NULL), -1));
    payload_reader_free(reader);
}

Test(payload, unknown_compression)
{
    struct payload_reader *reader = payload_reader_new();
    static const uint8_t body[] = {2, 1, 9, 1, 1, 1, 0, 0};
    g_autoptr(GError) error = NULL;
    cr_expect(not(payload_reader_begin(reader, cursor_of(body, sizeof body), &error)));
    cr_expect(strstr(error->message, "algorithm (9)") != NULL, "%s", error->message);
    payload_reader_free(reader);
}
