#include "binlog/rows.h"

#include <string.h>

#include "base/error.h"
#include "binlog/event.h"
#include "binlog/layout_int.h"

#define ROWS_FLAG_STATEMENT_END 1

static bool
malformed_head(GError **error)
{
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "malformed rows event: it ends within its head; the binlog is damaged or of a "
                "format that is not known");
    return false;
}

static bool
operation_of(uint8_t event_type, enum row_operation *ret_operation, GError **error)
{
    switch (event_type) {
    case EVENT_WRITE_ROWS_V1:
    case EVENT_WRITE_ROWS:
        *ret_operation = ROW_INSERT;
        return true;
    case EVENT_UPDATE_ROWS_V1:
    case EVENT_UPDATE_ROWS:
        *ret_operation = ROW_UPDATE;
        return true;
    case EVENT_DELETE_ROWS_V1:
    case EVENT_DELETE_ROWS:
        *ret_operation = ROW_DELETE;
        return true;
    case EVENT_PARTIAL_UPDATE_ROWS:
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "a session on the source updated JSON columns with "
                    "binlog_row_value_options=PARTIAL_JSON: its events have only the changed parts "
                    "of documents, which cannot be applied as state; unset the option there");
        return false;
    default:
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "binlog event type %u is not a rows event that is known", (unsigned)event_type);
        return false;
    }
}

/* One bit for every column. A cleared one means that the image is not full. */
static bool
check_columns_present(const uint8_t *bitmap, unsigned columns, GError **error)
{
    bool full = true;
    for (unsigned i = 0; i < columns / 8; i++)
        full = full && bitmap[i] == 0xff;
    unsigned rest = columns % 8;
    if (rest != 0) {
        unsigned mask = (1U << rest) - 1;
        full = full && (bitmap[columns / 8] & mask) == mask;
    }
    if (!full)
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "a session on the source changed a moved table with binlog_row_image other "
                    "than FULL (MINIMAL or NOBLOB): the missing columns cannot be known; set "
                    "binlog_row_image=FULL for all sessions that write, and start again with "
                    "--fresh");
    return full;
}

/*
 *   6 table id | 2 flags | v2: 2 n (itself included), n - 2 extra | lenenc columns
 *   | bitmap of columns present (updates: one before, one after) | rows
 */
bool
rows_reader_begin(struct rows_reader *reader, uint8_t event_type, struct cursor body,
                  uint64_t *ret_table_id, bool *ret_statement_end, GError **error)
{
    struct rows_reader begun = {0};
    if (!operation_of(event_type, &begun.operation, error))
        return false;
    uint64_t table_id = cursor_uint(&body, 6);
    uint64_t flags = cursor_uint(&body, 2);
    if (event_type >= EVENT_WRITE_ROWS) {
        size_t extra = (size_t)cursor_uint(&body, 2); /* NDB's data, a partition's number */
        if (extra < 2)
            return malformed_head(error);
        cursor_bytes(&body, extra - 2);
    }
    uint64_t columns = cursor_uint_lenenc(&body);
    if (body.failed || columns > UINT16_MAX)
        return malformed_head(error);
    begun.columns_count = (unsigned)columns;
    for (int image = 0; image < (begun.operation == ROW_UPDATE ? 2 : 1); image++) {
        const uint8_t *bitmap = cursor_bytes(&body, (begun.columns_count + 7) / 8);
        if (bitmap == NULL)
            return malformed_head(error);
        if (!check_columns_present(bitmap, begun.columns_count, error))
            return false;
    }
    begun.body = body;
    *reader = begun;
    *ret_table_id = table_id;
    *ret_statement_end = (flags & ROWS_FLAG_STATEMENT_END) != 0;
    return true;
}

void
row_image_malformed(GError **error, const struct row_layout *layout, unsigned column)
{
    const struct table *table = layout->table;
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "malformed row image of table `%s`.`%s`: column `%s` has an impossible length or "
                "lies beyond the event's end; the binlog is damaged, or the table was changed on "
                "the source since it was inspected",
                table->schema, table->name,
                column < layout->columns_count ? layout->columns[column].column->name
                                               : "(null bitmap)");
}

bool
column_layout_skip(const struct column_layout *layout, struct cursor *image)
{
    struct stored_value value;
    return column_layout_take(layout, image, &value);
}

static bool
take_image(struct rows_reader *reader, struct row_image *ret_image, GError **error)
{
    const struct row_layout *layout = reader->layout;
    const uint8_t *start = reader->body.position;
    const uint8_t *bitmap = cursor_bytes(&reader->body, (layout->columns_count + 7) / 8);
    if (bitmap == NULL) {
        row_image_malformed(error, layout, layout->columns_count);
        return false;
    }
    for (unsigned i = 0; i < layout->columns_count; i++) {
        if (image_is_null(bitmap, i))
            continue;
        if (!column_layout_skip(&layout->columns[i], &reader->body)) {
            row_image_malformed(error, layout, i);
            return false;
        }
    }
    size_t length = (size_t)(reader->body.position - start);
    if (length > UINT32_MAX) {
        row_image_malformed(error, layout, layout->columns_count);
        return false;
    }
    *ret_image = (struct row_image){.bytes = start, .length = (uint32_t)length};
    return true;
}

int
rows_next(struct rows_reader *reader, struct row_image *ret_before, struct row_image *ret_after,
          GError **error)
{
    const struct row_layout *layout = reader->layout;
    struct row_image before = {0};
    struct row_image after = {0};
    if (reader->columns_count != layout->columns_count) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "malformed rows event of table `%s`.`%s`: it has %u columns, its TABLE_MAP "
                    "had %u",
                    layout->table->schema, layout->table->name, reader->columns_count,
                    layout->columns_count);
        return -1;
    }
    if (cursor_left(&reader->body) == 0)
        return 0;
    if (reader->operation != ROW_INSERT && !take_image(reader, &before, error))
        return -1;
    if (reader->operation != ROW_DELETE && !take_image(reader, &after, error))
        return -1;
    *ret_before = before;
    *ret_after = after;
    return 1;
}

/*
 * Stored bytes decide whether two keys are the same: equal bytes are equal
 * values. The reverse does not hold ('a' and 'A' under a _ci collation), and
 * need not: deletes go before puts.
 */
bool
row_key_append(GByteArray *key, const struct row_layout *layout, struct row_image image)
{
    struct stored_value parts[KEY_PARTS_MAX] = {0};
    struct cursor cursor = cursor_of(image.bytes, image.length);
    const uint8_t *bitmap = cursor_bytes(&cursor, (layout->columns_count + 7) / 8);
    if (bitmap == NULL || layout->key_parts == 0)
        return false;
    for (unsigned i = 0; i < layout->key_span; i++) {
        const struct column_layout *column = &layout->columns[i];
        struct stored_value value;
        if (image_is_null(bitmap, i)) {
            if (column->key_part >= 0)
                return false;
            continue;
        }
        if (!column_layout_take(column, &cursor, &value))
            return false;
        if (column->key_part >= 0)
            parts[column->key_part] = value;
    }
    for (unsigned k = 0; k < layout->key_parts; k++) {
        uint32_t length = (uint32_t)parts[k].length;
        g_byte_array_append(key, (const uint8_t *)&length, sizeof length);
        if (length > 0)
            g_byte_array_append(key, parts[k].bytes, length);
    }
    return true;
}
