/*
 * TABLE_MAP and rows events: [1 event type][2 length of the map][map body][rows body].
 *
 * The inspected table is made up so that it agrees with the map, or nothing but
 * refusals would be tried. Everything that the decoders give out is read.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "binlog/layout_int.h"
#include "binlog/rows.h"
#include "binlog/value.h"

#define COLUMNS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a server would show for STRING: CHAR, BINARY, ENUM or SET. */
static void
agree_string(struct column *column, unsigned real, unsigned length)
{
    unsigned type = real | 0x30;
    unsigned bytes = length | ((real & 0x30) ^ 0x30) << 4;
    column->octet_length = bytes;
    column->type = bytes % 2 == 0 ? COLUMN_CHAR : COLUMN_BINARY;
    if (type == MYSQL_TYPE_ENUM) {
        column->type = COLUMN_ENUM;
        column->members = length == 2 ? 300 : 3;
    } else if (type == MYSQL_TYPE_SET) {
        column->type = COLUMN_SET;
        column->members = length * 8;
    }
}

static void
agree_with_metadata(struct column *column, uint8_t type, struct cursor *metadata)
{
    switch (type) {
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
        column->type = type == MYSQL_TYPE_FLOAT ? COLUMN_FLOAT : COLUMN_DOUBLE;
        cursor_uint(metadata, 1);
        return;
    case MYSQL_TYPE_BLOB:
        column->type = COLUMN_BLOB;
        column->octet_length = (1ULL << (8 * (cursor_uint(metadata, 1) & 7))) - 1;
        return;
    case MYSQL_TYPE_JSON:
    case MYSQL_TYPE_GEOMETRY:
    case MYSQL_TYPE_VECTOR:
        column->type = type == MYSQL_TYPE_JSON       ? COLUMN_JSON
                       : type == MYSQL_TYPE_GEOMETRY ? COLUMN_GEOMETRY
                                                     : COLUMN_VECTOR;
        cursor_uint(metadata, 1);
        return;
    case MYSQL_TYPE_TIME2:
    case MYSQL_TYPE_DATETIME2:
    case MYSQL_TYPE_TIMESTAMP2:
        column->type = type == MYSQL_TYPE_TIME2       ? COLUMN_TIME
                       : type == MYSQL_TYPE_DATETIME2 ? COLUMN_DATETIME
                                                      : COLUMN_TIMESTAMP;
        column->fsp = (unsigned)cursor_uint(metadata, 1);
        return;
    case MYSQL_TYPE_VARCHAR:
        column->type = COLUMN_VARCHAR;
        column->octet_length = cursor_uint(metadata, 2);
        return;
    case MYSQL_TYPE_BIT:
        column->type = COLUMN_BIT;
        column->precision = (unsigned)cursor_uint(metadata, 1);
        column->precision += 8 * (unsigned)cursor_uint(metadata, 1);
        return;
    case MYSQL_TYPE_NEWDECIMAL:
        column->type = COLUMN_DECIMAL;
        column->precision = (unsigned)cursor_uint(metadata, 1);
        column->scale = (unsigned)cursor_uint(metadata, 1);
        return;
    case MYSQL_TYPE_STRING: {
        unsigned real = (unsigned)cursor_uint(metadata, 1);
        agree_string(column, real, (unsigned)cursor_uint(metadata, 1));
        return;
    }
    default:
        column->type = type == MYSQL_TYPE_TINY       ? COLUMN_TINYINT
                       : type == MYSQL_TYPE_SHORT    ? COLUMN_SMALLINT
                       : type == MYSQL_TYPE_INT24    ? COLUMN_MEDIUMINT
                       : type == MYSQL_TYPE_LONG     ? COLUMN_INT
                       : type == MYSQL_TYPE_LONGLONG ? COLUMN_BIGINT
                       : type == MYSQL_TYPE_YEAR     ? COLUMN_YEAR
                       : type == MYSQL_TYPE_DATE     ? COLUMN_DATE
                                                     : COLUMN_UNSUPPORTED;
    }
}

static void
read_image(const struct row_layout *layout, struct row_image image, GString *scratch)
{
    struct column_text values[COLUMNS_MAX];
    g_autoptr(GByteArray) key = g_byte_array_new();
    size_t sum = 0;
    if (row_values_read(layout, image, scratch, values, NULL))
        for (unsigned i = 0; i < layout->columns_count; i++)
            for (size_t b = 0; values[i].data != NULL && b < values[i].length; b++)
                sum += (unsigned char)values[i].data[b];
    if (row_key_append(key, layout, image) && key->len == 0)
        __builtin_trap();
    if (row_key_values_read(layout, image, scratch, values, NULL) && sum == SIZE_MAX)
        __builtin_trap();
}

static void
read_rows(const struct row_layout *layout, uint8_t event_type, struct cursor body)
{
    struct rows_reader reader;
    uint64_t table_id;
    bool end;
    g_autoptr(GString) scratch = g_string_sized_new(1);
    if (!rows_reader_begin(&reader, event_type, body, &table_id, &end, NULL))
        return;
    reader.layout = layout;
    struct row_image before;
    struct row_image after;
    while (rows_next(&reader, &before, &after, NULL) == 1) {
        if (before.length > 0)
            read_image(layout, before, scratch);
        if (after.length > 0)
            read_image(layout, after, scratch);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor input = cursor_of(data, size);
    uint8_t event_type = (uint8_t)cursor_uint(&input, 1);
    size_t map_bytes = (size_t)cursor_uint(&input, 2);
    const uint8_t *map_start = cursor_bytes(&input, map_bytes);
    if (map_start == NULL)
        return 0;
    struct cursor body = cursor_of(map_start, map_bytes);
    struct table_map map;
    struct column columns[COLUMNS_MAX];
    char name[] = "name";
    if (!table_map_decode(&body, &map, NULL) || map.columns_count > COLUMNS_MAX)
        return 0;
    struct table table = {.schema = name, .name = name};
    table.columns = g_ptr_array_new();
    table.key_columns = g_array_new(FALSE, FALSE, sizeof(unsigned));
    struct cursor metadata = map.metadata;
    memset(columns, 0, sizeof columns);
    for (unsigned i = 0; i < map.columns_count; i++) {
        columns[i].name = name;
        columns[i].data_type = name;
        columns[i].column_type = name;
        columns[i].generated = i % 5 == 4;
        agree_with_metadata(&columns[i], map.types[i], &metadata);
        g_ptr_array_add(table.columns, &columns[i]);
        if (i % 3 == 0 && table.key_columns->len < 4)
            g_array_prepend_val(table.key_columns, i);
    }
    /* Signs and names are as inspected or not; without them every map gets further. */
    row_layout_free(row_layout_new(&map, &table, NULL));
    map.optional.position = map.optional.end;
    struct row_layout *layout = row_layout_new(&map, &table, NULL);
    if (layout != NULL)
        read_rows(layout, event_type, input);
    row_layout_free(layout);
    g_ptr_array_unref(table.columns);
    g_array_unref(table.key_columns);
    return 0;
}
