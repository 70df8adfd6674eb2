#include "recorder.h"

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "binlog/event.h"
#include "captured.h"

static const struct row_layout *
append_row(struct recorder *recorder, const struct fragment *fragment, uint32_t table,
           uint64_t offset, uint32_t length)
{
    const struct row_layout *layout = fragment->layouts[table];
    struct row_image image = fragment_image(fragment, offset, length);
    struct cursor cursor = cursor_of(image.bytes, image.length);
    cursor_uint(&cursor, 1); /* the NULL bitmap of three columns */
    unsigned id = (unsigned)cursor_uint(&cursor, 4);
    cr_assert(!cursor.failed);
    g_string_append_printf(recorder->lines, "%u.%u", table, id);
    return layout;
}

static bool
on_arrived(void *context, const struct gtid *gtid, uint64_t *ret_seq, GError **error)
{
    (void)error;
    struct recorder *recorder = context;
    g_autofree char *text = gtid_to_string(gtid);
    *ret_seq = ++recorder->seq;
    g_string_append_printf(recorder->lines, "arrived %u %s\n", (unsigned)*ret_seq, text + 36);
    return true;
}

static void
append_change(struct recorder *recorder, const struct fragment *fragment, guint index)
{
    const struct row_change *change = &g_array_index(fragment->changes, struct row_change, index);
    bool before = change->before_length > 0;
    bool after = change->after_length > 0;
    g_string_append(recorder->lines, before && after ? " " : before ? " -" : " +");
    if (before)
        append_row(recorder, fragment, change->table, change->before_offset, change->before_length);
    if (before && after)
        g_string_append_c(recorder->lines, '>');
    if (after)
        append_row(recorder, fragment, change->table, change->after_offset, change->after_length);
}

static bool
on_fragment(void *context, struct fragment *fragment, GError **error)
{
    struct recorder *recorder = context;
    g_autofree char *gtid = gtid_to_string(&fragment->gtid);
    g_string_append_printf(recorder->lines, "%u %s", (unsigned)fragment->seq, gtid + 36);
    for (guint i = 0; i < fragment->changes->len; i++)
        append_change(recorder, fragment, i);
    if (fragment->last)
        g_string_append(recorder->lines, " last");
    if (fragment->prepared.number != 0) {
        g_autofree char *prepared = gtid_to_string(&fragment->prepared);
        g_string_append_printf(recorder->lines, " %s", prepared + 36);
    }
    g_string_append_c(recorder->lines, '\n');
    fragment_add_completed(fragment, recorder->complete);
    recorder->largest_fragment_bytes = MAX(recorder->largest_fragment_bytes,
                                           fragment_memory_bytes(fragment));
    fragment_free(fragment);
    if (recorder->fragments_left-- > 0)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_STOPPED, "the sink is full");
    return false;
}

static bool
on_unknown_xa(void *context, uint64_t seq, const char *xid, GError **error)
{
    struct recorder *recorder = context;
    g_string_append_printf(recorder->lines, "xa %u %s\n", (unsigned)seq, xid);
    if (!recorder->accepts_unknown_xa)
        g_set_error(error, MT_ERROR, MT_ERROR_DATA, "not accepted");
    return recorder->accepts_unknown_xa;
}

static void
free_moved(void *pointer)
{
    struct moved_table *moved = pointer;
    table_free(moved->source);
    g_free(moved);
}

static void
add_moved(GPtrArray *moved_tables, const char *name, unsigned v_bytes, const char *charset)
{
    struct moved_table *moved = g_new0(struct moved_table, 1);
    moved->index = moved_tables->len;
    moved->source = table_made("shop", name);
    column_made(moved->source, "id", "int");
    struct column *v = column_made(moved->source, "v", "varchar");
    v->octet_length = v_bytes;
    v->charset = g_strdup(charset);
    column_made(moved->source, "n", "bigint");
    unsigned id = 0;
    g_array_append_val(moved->source->key_columns, id);
    g_ptr_array_add(moved_tables, moved);
}

struct recorder *
recorder_new(size_t fragment_bytes)
{
    struct recorder *recorder = g_new0(struct recorder, 1);
    recorder->moved_tables = g_ptr_array_new_with_free_func(free_moved);
    add_moved(recorder->moved_tables, "orders", 60000, "latin1");
    add_moved(recorder->moved_tables, "items", 800, "utf8mb4");
    recorder->lines = g_string_new(NULL);
    recorder->complete = gtid_set_new();
    recorder->fragments_left = 1000000;
    struct assembler_options options = {
        .moved_tables = recorder->moved_tables,
        .fragment_bytes = fragment_bytes,
        .rename_token = "/* move-tables:token */",
    };
    struct transaction_sink sink = {
        .context = recorder,
        .arrived = on_arrived,
        .fragment = on_fragment,
        .unknown_xa_commit = on_unknown_xa,
    };
    recorder->assembler = assembler_new(&options, &sink);
    return recorder;
}

void
recorder_free(struct recorder *recorder)
{
    assembler_free(recorder->assembler);
    g_ptr_array_unref(recorder->moved_tables);
    g_string_free(recorder->lines, TRUE);
    gtid_set_free(recorder->complete);
    g_free(recorder);
}

GBytes *
recorder_file(const char *name)
{
    g_autofree char *path = g_strconcat("test/data/stream/", name, ".binlog", NULL);
    char *bytes = NULL;
    gsize length = 0;
    g_autoptr(GError) error = NULL;
    cr_assert(g_file_get_contents(path, &bytes, &length, &error), "%s",
              error != NULL ? error->message : "");
    return g_bytes_new_take(bytes, length);
}

GArray *
recorder_events(GBytes *file)
{
    GArray *events = g_array_new(FALSE, FALSE, sizeof(guint32));
    gsize length = 0;
    const uint8_t *bytes = g_bytes_get_data(file, &length);
    for (guint32 at = 4; at < length;) {
        struct cursor field = cursor_of(bytes + at + 9, 4);
        guint32 event_length = (guint32)cursor_uint(&field, 4);
        cr_assert(event_length >= EVENT_HEADER_BYTES && at + event_length <= length);
        g_array_append_val(events, at);
        g_array_append_val(events, event_length);
        at += event_length;
    }
    return events;
}

bool
recorder_feed(struct recorder *recorder, const uint8_t *event, size_t length, GError **error)
{
    /* A copy of its own, so that a read beyond it is seen. */
    uint8_t *copy = g_memdup2(event, length);
    bool fed = assembler_feed(recorder->assembler, copy, length, error);
    g_free(copy);
    return fed;
}

bool
recorder_feed_file(struct recorder *recorder, const char *name, GError **error)
{
    g_autoptr(GBytes) file = recorder_file(name);
    g_autoptr(GArray) events = recorder_events(file);
    const uint8_t *bytes = g_bytes_get_data(file, NULL);
    for (guint i = 0; i + 1 < events->len; i += 2)
        if (!recorder_feed(recorder, bytes + g_array_index(events, guint32, i),
                           g_array_index(events, guint32, i + 1), error))
            return false;
    return true;
}

void
recorder_seal(uint8_t *event, size_t length)
{
    size_t covered = length - EVENT_CHECKSUM_BYTES;
    guint32 crc = GUINT32_TO_LE((guint32)crc32(0, event, (uInt)covered));
    memcpy(event + covered, &crc, sizeof crc);
}

GBytes *
recorder_event(uint8_t type, uint16_t flags, const uint8_t *body, size_t length)
{
    guint32 total = (guint32)(EVENT_HEADER_BYTES + length + EVENT_CHECKSUM_BYTES);
    GByteArray *event = g_byte_array_new();
    uint8_t header[EVENT_HEADER_BYTES] = {1, 2, 3, 4, type, 1};
    for (unsigned i = 0; i < 4; i++)
        header[9 + i] = (uint8_t)(total >> (8 * i));
    header[17] = (uint8_t)flags;
    header[18] = (uint8_t)(flags >> 8);
    g_byte_array_append(event, header, sizeof header);
    g_byte_array_append(event, body, (guint)length);
    g_byte_array_set_size(event, total);
    recorder_seal(event->data, total);
    return g_byte_array_free_to_bytes(event);
}
