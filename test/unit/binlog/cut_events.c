/*
 * Events that are cut off, at every byte of every kind: on the way (the length is wrong then), or as
 * they stand in a file that was damaged and sealed again (length and checksum are right).
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/error.h"
#include "binlog/event.h"
#include "binlog/transaction.h"
#include "recorder.h"

enum { TYPES = 64, EVERY_BYTE_UP_TO = 400, SAMPLED_STEP = 97 };

static const char *const files[] = {"transactions",    "compressed", "xa",
                                    "no_checksum",     "renamed",    "ddl",
                                    "statement_other", "load_moved", "zz_anonymous"};

struct event_made {
    uint8_t type;
    const char *body;
    size_t length;
};

/* What no captured file holds. */
#define MADE(type, body) {type, body, sizeof(body) - 1}
static const struct event_made made[] = {
    MADE(EVENT_INCIDENT, "\1\0\7gap (!)"),
    MADE(EVENT_HEARTBEAT, "binlog.000042"),
    MADE(EVENT_HEARTBEAT_V2, "\1\15binlog.000042\2\3abc\0"),
    MADE(EVENT_TRANSACTION_CONTEXT, "context of a group"),
    MADE(EVENT_VIEW_CHANGE, "view of a group"),
    MADE(EVENT_PARTIAL_UPDATE_ROWS, "\1\0\0\0\0\0\1\0\2\0\3\7\7\0\1\0\0\0"),
    MADE(EVENT_WRITE_ROWS_V1, "\1\0\0\0\0\0\1\0\3\7\0\1\0\0\0"),
    MADE(EVENT_UPDATE_ROWS_V1, "\1\0\0\0\0\0\1\0\3\7\7\0\1\0\0\0"),
    MADE(EVENT_DELETE_ROWS_V1, "\1\0\0\0\0\0\1\0\3\7\0\1\0\0\0"),
};

#define ROTATE_BODY "\4\0\0\0\0\0\0\0binlog.000042"

/* An assembler that knows its file, as every stream begins. */
static struct recorder *
begin(void)
{
    struct recorder *recorder = recorder_new(500);
    recorder->accepts_unknown_xa = true; /* an error of the sink has no place */
    g_autoptr(GBytes) rotate = recorder_event(EVENT_ROTATE, EVENT_FLAG_ARTIFICIAL,
                                              (const uint8_t *)ROTATE_BODY, sizeof ROTATE_BODY - 1);
    gsize length = 0;
    const uint8_t *bytes = g_bytes_get_data(rotate, &length);
    cr_assert(recorder_feed(recorder, bytes, length, NULL));
    return recorder;
}

/* With what came before event number `index` of a file. */
static struct recorder *
begin_before(const uint8_t *bytes, const GArray *events, guint index)
{
    struct recorder *recorder = begin();
    for (guint i = 0; i < index; i++)
        cr_assert(recorder_feed(recorder, bytes + g_array_index(events, guint32, 2 * i),
                                g_array_index(events, guint32, 2 * i + 1), NULL));
    return recorder;
}

static void
check_refusal(const GError *error, guint32 position, const char *where)
{
    cr_assert(error != NULL, "%s", where);
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_SOURCE) ||
                  g_error_matches(error, MT_ERROR, MT_ERROR_DATA) ||
                  g_error_matches(error, MT_ERROR, MT_ERROR_GAP),
              "%s: %s", where, error->message);
    g_autofree char *place = g_strdup_printf("binlog.000042, position %u", position);
    cr_expect(strstr(error->message, place) != NULL, "%s: '%s' is not in: %s", where, place,
              error->message);
}

/* The same bytes with a length, an end and a checksum that are right for `length` of them. */
static GBytes *
sealed(const uint8_t *event, size_t length, guint32 position)
{
    GBytes *cut = recorder_event(event[4], (uint16_t)(event[17] | event[18] << 8),
                                 event + EVENT_HEADER_BYTES,
                                 length - EVENT_HEADER_BYTES - EVENT_CHECKSUM_BYTES);
    gsize total = 0;
    uint8_t *bytes = g_bytes_unref_to_data(cut, &total);
    guint32 end = GUINT32_TO_LE(position + (guint32)total);
    memcpy(bytes + 13, &end, sizeof end);
    recorder_seal(bytes, total);
    return g_bytes_new_take(bytes, total);
}

static size_t
next_cut(size_t at, size_t length)
{
    bool near_an_end = at < EVERY_BYTE_UP_TO || length - at < EVERY_BYTE_UP_TO;
    return at + (near_an_end ? 1 : SAMPLED_STEP);
}

static guint32
position_of(const GArray *events, guint index)
{
    return g_array_index(events, guint32, 2 * index);
}

static void
cut_on_the_way(const char *name, const uint8_t *bytes, const GArray *events, guint index)
{
    const uint8_t *event = bytes + g_array_index(events, guint32, 2 * index);
    size_t length = g_array_index(events, guint32, 2 * index + 1);
    struct recorder *recorder = begin_before(bytes, events, index);
    g_autofree char *before = g_strdup(recorder->lines->str);
    g_autofree char *where = g_strdup_printf("%s, event %u of type %u", name, index, event[4]);
    for (size_t at = 0; at < length; at = next_cut(at, length)) {
        g_autoptr(GError) error = NULL;
        cr_expect(not(recorder_feed(recorder, event, at, &error)), "%s cut at %zu", where, at);
        check_refusal(error, position_of(events, index), where);
    }
    /* Nothing of it was taken, and nothing is remembered: what follows is as if it had been whole. */
    cr_expect_str_eq(recorder->lines->str, before);
    recorder_free(recorder);
}

/* Taken or refused, but never without the place. */
static void
feed_sealed(struct recorder *recorder, const uint8_t *event, size_t at, guint32 position,
            const char *where)
{
    g_autoptr(GBytes) cut = sealed(event, at, position);
    gsize length = 0;
    const uint8_t *bytes = g_bytes_get_data(cut, &length);
    g_autoptr(GError) error = NULL;
    if (!recorder_feed(recorder, bytes, length, &error))
        check_refusal(error, position, where);
}

/* A shorter event may mean less, or be refused; rows that the whole one has not are never made. */
static void
cut_and_sealed(const char *name, const uint8_t *bytes, const GArray *events, guint index)
{
    const uint8_t *event = bytes + g_array_index(events, guint32, 2 * index);
    size_t length = g_array_index(events, guint32, 2 * index + 1);
    if (strcmp(name, "no_checksum") == 0) /* there, the checksum would be four bytes of the body */
        return;
    struct recorder *whole = begin_before(bytes, events, index + 1);
    g_autofree char *where = g_strdup_printf("%s, event %u of type %u", name, index, event[4]);
    for (size_t at = EVENT_HEADER_BYTES + EVENT_CHECKSUM_BYTES; at < length;
         at = next_cut(at, length)) {
        struct recorder *recorder = begin_before(bytes, events, index);
        feed_sealed(recorder, event, at, position_of(events, index), where);
        cr_expect(event[4] == EVENT_QUERY ||
                      g_str_has_prefix(whole->lines->str, recorder->lines->str),
                  "%s cut at %zu gives\n%s", where, at, recorder->lines->str);
        recorder_free(recorder);
    }
    recorder_free(whole);
}

/* Some files end in a refusal: how many events are taken before. */
static guint
events_taken(const uint8_t *bytes, const GArray *events)
{
    struct recorder *recorder = begin();
    guint index = 0;
    while (index < events->len / 2 &&
           recorder_feed(recorder, bytes + g_array_index(events, guint32, 2 * index),
                         g_array_index(events, guint32, 2 * index + 1), NULL))
        index++;
    recorder_free(recorder);
    return index;
}

typedef void cut_function(const char *name, const uint8_t *bytes, const GArray *events,
                          guint index);

/* Every type of event once a file: in the first place where it stands. */
static void
for_each_type(cut_function *cut, bool *seen)
{
    for (size_t n = 0; n < G_N_ELEMENTS(files); n++) {
        bool done[TYPES] = {false};
        g_autoptr(GBytes) file = recorder_file(files[n]);
        g_autoptr(GArray) events = recorder_events(file);
        const uint8_t *bytes = g_bytes_get_data(file, NULL);
        guint count = events_taken(bytes, events);
        for (guint i = 0; i < count; i++) {
            uint8_t type = bytes[g_array_index(events, guint32, 2 * i) + 4];
            cr_assert(lt(u8, type, TYPES));
            if (done[type])
                continue;
            done[type] = seen[type] = true;
            cut(files[n], bytes, events, i);
        }
    }
}

Test(cut_events, on_the_way)
{
    static const uint8_t wanted[] = {
        EVENT_QUERY,       EVENT_FORMAT_DESCRIPTION, EVENT_XID,         EVENT_TABLE_MAP,
        EVENT_ROWS_QUERY,  EVENT_WRITE_ROWS,         EVENT_UPDATE_ROWS, EVENT_DELETE_ROWS,
        EVENT_GTID,        EVENT_PREVIOUS_GTIDS,     EVENT_XA_PREPARE,  EVENT_TRANSACTION_PAYLOAD,
        EVENT_GTID_TAGGED, EVENT_BEGIN_LOAD_QUERY};
    bool seen[TYPES] = {false};
    for_each_type(cut_on_the_way, seen);
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        cr_expect(seen[wanted[i]], "no captured event of type %u", wanted[i]);
}

Test(cut_events, sealed_again)
{
    bool seen[TYPES] = {false};
    for_each_type(cut_and_sealed, seen);
}

/* The types that no file has: cut either way within a transaction. */
Test(cut_events, made_by_hand)
{
    for (size_t n = 0; n < G_N_ELEMENTS(made); n++) {
        g_autoptr(GBytes)
            whole = recorder_event(made[n].type, 0, (const uint8_t *)made[n].body, made[n].length);
        gsize length = 0;
        const uint8_t *bytes = g_bytes_get_data(whole, &length);
        g_autofree char *where = g_strdup_printf("type %u", made[n].type);
        for (size_t at = 0; at < length; at++) {
            struct recorder *recorder = begin();
            g_autoptr(GError) error = NULL;
            cr_expect(not(recorder_feed(recorder, bytes, at, &error)), "%s cut at %zu", where, at);
            check_refusal(error, 4, where);
            if (at >= EVENT_HEADER_BYTES + EVENT_CHECKSUM_BYTES)
                feed_sealed(recorder, bytes, at, 4, where);
            cr_expect_str_eq(recorder->lines->str, "");
            recorder_free(recorder);
        }
    }
}
