/*
 * Binlog events, as a server or whoever sits between could send them:
 * [2 length][event type][body], again and again; header and checksum are made
 * here, or nothing but their refusal would be tried. An event is fed to an
 * assembler that moves `shop`.`orders` (id INT, v VARCHAR, n BIGINT), and after an
 * error the assembler is reset, as the stream does.
 *
 * Holds: every transaction arrives before its fragments, and memory is bounded by
 * what was fed.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <libdeflate.h>

#include "binlog/event.h"
#include "binlog/transaction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t seq;
    unsigned change_bytes;
};

static bool
on_arrived(void *context, const struct gtid *gtid, uint64_t *ret_seq, GError **error)
{
    (void)gtid;
    (void)error;
    struct seen *seen = context;
    *ret_seq = ++seen->seq;
    return true;
}

/* Reads every image: a fragment must hold what it says. */
static bool
on_fragment(void *context, struct fragment *fragment, GError **error)
{
    (void)error;
    struct seen *seen = context;
    if (fragment->seq == 0 || fragment->seq > seen->seq)
        abort();
    for (guint i = 0; i < fragment->changes->len; i++) {
        const struct row_change *change = &g_array_index(fragment->changes, struct row_change, i);
        if (change->table != 0 || fragment->layouts[0] == NULL)
            abort();
        if (change->before_offset + change->before_length > fragment->bytes_length ||
            change->after_offset + change->after_length > fragment->bytes_length)
            abort();
        for (uint32_t at = 0; at < change->after_length; at++)
            seen->change_bytes += fragment->bytes[change->after_offset + at];
    }
    fragment_free(fragment);
    return true;
}

static bool
on_unknown_xa(void *context, uint64_t seq, const char *xid, GError **error)
{
    (void)context;
    (void)seq;
    (void)error;
    return strlen(xid) < 4096;
}

static struct column *
column_made(const char *name, enum column_type type, uint64_t octets)
{
    struct column *column = g_new0(struct column, 1);
    column->name = g_strdup(name);
    column->data_type = g_strdup("made");
    column->column_type = g_strdup("made");
    column->type = type;
    column->octet_length = octets;
    return column;
}

static struct table *
orders(void)
{
    struct table *table = g_new0(struct table, 1);
    table->schema = g_strdup("shop");
    table->name = g_strdup("orders");
    table->columns = g_ptr_array_new();
    table->key_columns = g_array_new(FALSE, FALSE, sizeof(unsigned));
    g_ptr_array_add(table->columns, column_made("id", COLUMN_INT, 0));
    g_ptr_array_add(table->columns, column_made("v", COLUMN_VARCHAR, 60000));
    g_ptr_array_add(table->columns, column_made("n", COLUMN_BIGINT, 0));
    unsigned id = 0;
    g_array_append_val(table->key_columns, id);
    return table;
}

/* Made once: what an assembler only reads. */
static GPtrArray *
moved_tables(void)
{
    static GPtrArray *tables;
    if (tables == NULL) {
        struct moved_table *moved = g_new0(struct moved_table, 1);
        moved->source = orders();
        tables = g_ptr_array_new();
        g_ptr_array_add(tables, moved);
    }
    return tables;
}

static bool
feed(struct assembler *assembler, uint8_t type, const uint8_t *body, size_t length)
{
    size_t total = EVENT_HEADER_BYTES + length + EVENT_CHECKSUM_BYTES;
    uint8_t *event = calloc(1, total);
    event[4] = type;
    for (unsigned i = 0; i < 4; i++)
        event[9 + i] = (uint8_t)(total >> (8 * i));
    memcpy(event + EVENT_HEADER_BYTES, body, length);
    uint32_t crc = libdeflate_crc32(0, event, total - EVENT_CHECKSUM_BYTES);
    for (unsigned i = 0; i < 4; i++)
        event[total - 4 + i] = (uint8_t)(crc >> (8 * i));
    g_autoptr(GError) error = NULL;
    bool fed = assembler_feed(assembler, event, total, &error);
    if (fed != (error == NULL))
        abort();
    free(event);
    return fed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {.seq = 0};
    struct assembler_options options = {
        .moved_tables = moved_tables(),
        .fragment_bytes = 256,
        .rename_token = "/* t */",
    };
    struct transaction_sink sink = {
        .context = &seen,
        .arrived = on_arrived,
        .fragment = on_fragment,
        .unknown_xa_commit = on_unknown_xa,
    };
    struct assembler *assembler = assembler_new(&options, &sink);
    struct cursor cursor = cursor_of(data, size);
    while (cursor_left(&cursor) >= 3) {
        size_t length = (size_t)cursor_uint(&cursor, 2);
        uint8_t type = (uint8_t)cursor_uint(&cursor, 1);
        length = MIN(length, cursor_left(&cursor));
        const uint8_t *body = cursor_bytes(&cursor, length);
        if (!feed(assembler, type, body, length))
            assembler_reset(assembler);
    }
    assembler_free(assembler);
    return 0;
}
