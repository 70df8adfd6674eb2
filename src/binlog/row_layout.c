#include <string.h>

#include "base/error.h"
#include "binlog/layout_int.h"

/* Optional metadata of a TABLE_MAP: type, lenenc length, value. */
#define OPTIONAL_SIGNEDNESS 1
#define OPTIONAL_COLUMN_NAME 4

/* Why a moved table's map cannot be used: told once, at the end of the message. */
#define TABLE_CHANGED                                                                         \
    "the table was changed on the source since it was inspected; a move cannot go on across " \
    "such a change: start again with --fresh"

/* Takes one column's metadata from the block. CHAR, ENUM and SET all come as
 * STRING, which holds the real type; lengths above 255 use two spare bits of it. */
static void
metadata_take(struct cursor *metadata, uint8_t type, struct column_layout *column)
{
    column->type = type;
    column->meta = 0;
    switch (type) {
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_JSON:
    case MYSQL_TYPE_GEOMETRY:
    case MYSQL_TYPE_VECTOR:
    case MYSQL_TYPE_TIME2:
    case MYSQL_TYPE_DATETIME2:
    case MYSQL_TYPE_TIMESTAMP2:
        column->meta = (uint16_t)cursor_uint(metadata, 1);
        return;
    case MYSQL_TYPE_VARCHAR:
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_BIT:
        column->meta = (uint16_t)cursor_uint(metadata, 2);
        return;
    case MYSQL_TYPE_NEWDECIMAL:
        column->meta = (uint16_t)cursor_uint_be(metadata, 2); /* precision << 8 | scale */
        return;
    case MYSQL_TYPE_STRING: {
        unsigned real = (unsigned)cursor_uint(metadata, 1);
        unsigned length = (unsigned)cursor_uint(metadata, 1);
        column->type = (uint8_t)(real | 0x30U);
        column->meta = (uint16_t)(length | ((real & 0x30U) ^ 0x30U) << 4);
        return;
    }
    default:
        return;
    }
}

static bool
store_as(struct column_layout *column, enum value_kind kind, unsigned prefix_bytes,
         uint32_t value_bytes)
{
    column->kind = (uint8_t)kind;
    column->prefix_bytes = (uint8_t)prefix_bytes;
    column->value_bytes = value_bytes;
    return prefix_bytes != 0 || value_bytes != 0;
}

/* Blobs and what is stored like them: the metadata is the width of the length. */
static bool
store_as_blob(struct column_layout *column, enum value_kind kind)
{
    if (column->meta < 1 || column->meta > 4)
        return false;
    return store_as(column, kind, column->meta, (uint32_t)((1ULL << (8 * column->meta)) - 1));
}

static bool
store_as_time(struct column_layout *column, enum value_kind kind, uint32_t whole_bytes)
{
    return column->meta <= 6 &&
           store_as(column, kind, 0, whole_bytes + fraction_bytes(column->meta));
}

static bool
store_as_integer(struct column_layout *column, uint32_t bytes)
{
    return store_as(column, column->column->is_unsigned ? VALUE_UNSIGNED : VALUE_SIGNED, 0, bytes);
}

/* Types whose storage follows from type and metadata alone, other than numbers. */
static bool
storage_of_others(struct column_layout *column)
{
    switch (column->type) {
    case MYSQL_TYPE_YEAR:
        return store_as(column, VALUE_YEAR, 0, 1);
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
        return store_as(column, VALUE_DATE, 0, 3);
    case MYSQL_TYPE_TIME2:
        return store_as_time(column, VALUE_TIME, 3);
    case MYSQL_TYPE_DATETIME2:
        return store_as_time(column, VALUE_DATETIME, 5);
    case MYSQL_TYPE_TIMESTAMP2:
        return store_as_time(column, VALUE_TIMESTAMP, 4);
    case MYSQL_TYPE_VARCHAR:
    case MYSQL_TYPE_VAR_STRING:
        return store_as(column, VALUE_IN_PLACE, column->meta > 255 ? 2 : 1, column->meta);
    case MYSQL_TYPE_STRING:
        return store_as(column,
                        column->column->type == COLUMN_BINARY ? VALUE_BINARY : VALUE_IN_PLACE,
                        column->meta > 255 ? 2 : 1, column->meta);
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_GEOMETRY:
    case MYSQL_TYPE_VECTOR:
        return store_as_blob(column, VALUE_IN_PLACE);
    case MYSQL_TYPE_JSON:
        return store_as_blob(column, VALUE_JSON);
    default:
        return false;
    }
}

/* How the column's values are stored. False: never so in a table of MySQL 5.6 or later. */
static bool
storage_of(struct column_layout *column)
{
    unsigned meta = column->meta;
    switch (column->type) {
    case MYSQL_TYPE_TINY:
        return store_as_integer(column, 1);
    case MYSQL_TYPE_SHORT:
        return store_as_integer(column, 2);
    case MYSQL_TYPE_INT24:
        return store_as_integer(column, 3);
    case MYSQL_TYPE_LONG:
        return store_as_integer(column, 4);
    case MYSQL_TYPE_LONGLONG:
        return store_as_integer(column, 8);
    case MYSQL_TYPE_FLOAT:
        return meta == 4 && store_as(column, VALUE_FLOAT, 0, 4);
    case MYSQL_TYPE_DOUBLE:
        return meta == 8 && store_as(column, VALUE_DOUBLE, 0, 8);
    case MYSQL_TYPE_NEWDECIMAL:
        return (meta >> 8) <= DECIMAL_DIGITS_MAX &&
               store_as(column, VALUE_DECIMAL, 0, decimal_stored_bytes(meta >> 8, meta & 0xff));
    case MYSQL_TYPE_BIT: /* whole bytes in the high byte, bits over in the low one */
        return (meta >> 8) * 8 + (meta & 0xff) <= 64 && (meta & 0xff) < 8 &&
               store_as(column, VALUE_BIT, 0, (meta >> 8) + ((meta & 0xff) != 0));
    case MYSQL_TYPE_ENUM:
        return meta <= 2 && store_as(column, VALUE_UNSIGNED, 0, meta);
    case MYSQL_TYPE_SET:
        return meta <= 8 && store_as(column, VALUE_UNSIGNED, 0, meta);
    default:
        return storage_of_others(column);
    }
}

/* The binlog's type for an inspected one; TIMESTAMP2 and the like, not what they were. */
static const uint8_t binlog_types[] = {
    [COLUMN_TINYINT] = MYSQL_TYPE_TINY,
    [COLUMN_SMALLINT] = MYSQL_TYPE_SHORT,
    [COLUMN_MEDIUMINT] = MYSQL_TYPE_INT24,
    [COLUMN_INT] = MYSQL_TYPE_LONG,
    [COLUMN_BIGINT] = MYSQL_TYPE_LONGLONG,
    [COLUMN_DECIMAL] = MYSQL_TYPE_NEWDECIMAL,
    [COLUMN_FLOAT] = MYSQL_TYPE_FLOAT,
    [COLUMN_DOUBLE] = MYSQL_TYPE_DOUBLE,
    [COLUMN_BIT] = MYSQL_TYPE_BIT,
    [COLUMN_YEAR] = MYSQL_TYPE_YEAR,
    [COLUMN_DATE] = MYSQL_TYPE_DATE,
    [COLUMN_TIME] = MYSQL_TYPE_TIME2,
    [COLUMN_DATETIME] = MYSQL_TYPE_DATETIME2,
    [COLUMN_TIMESTAMP] = MYSQL_TYPE_TIMESTAMP2,
    [COLUMN_CHAR] = MYSQL_TYPE_STRING,
    [COLUMN_VARCHAR] = MYSQL_TYPE_VARCHAR,
    [COLUMN_BINARY] = MYSQL_TYPE_STRING,
    [COLUMN_VARBINARY] = MYSQL_TYPE_VARCHAR,
    [COLUMN_TEXT] = MYSQL_TYPE_BLOB,
    [COLUMN_BLOB] = MYSQL_TYPE_BLOB,
    [COLUMN_ENUM] = MYSQL_TYPE_ENUM,
    [COLUMN_SET] = MYSQL_TYPE_SET,
    [COLUMN_JSON] = MYSQL_TYPE_JSON,
    [COLUMN_GEOMETRY] = MYSQL_TYPE_GEOMETRY,
    [COLUMN_VECTOR] = MYSQL_TYPE_VECTOR,
    [COLUMN_UNSUPPORTED] = MYSQL_TYPE_TYPED_ARRAY, /* never accepted */
};

/* SET is stored in 1, 2, 3, 4 or 8 bytes. */
static unsigned
set_bytes(unsigned members)
{
    unsigned bytes = (members + 7) / 8;
    return bytes > 4 ? 8 : bytes;
}

/* Length, precision, fraction digits … are what was inspected. */
static bool
details_agree(const struct column *column, const struct column_layout *layout)
{
    switch (layout->type) {
    case MYSQL_TYPE_NEWDECIMAL:
        return layout->meta >> 8 == column->precision && (layout->meta & 0xff) == column->scale;
    case MYSQL_TYPE_BIT:
        return (unsigned)(layout->meta >> 8) * 8 + (layout->meta & 0xff) == column->precision;
    case MYSQL_TYPE_TIME2:
    case MYSQL_TYPE_DATETIME2:
    case MYSQL_TYPE_TIMESTAMP2:
        return layout->meta == column->fsp;
    case MYSQL_TYPE_STRING:
    case MYSQL_TYPE_VARCHAR:
        return layout->meta == column->octet_length;
    case MYSQL_TYPE_BLOB:
        return layout->value_bytes == column->octet_length;
    case MYSQL_TYPE_ENUM:
        return layout->meta == (column->members > 255 ? 2 : 1);
    case MYSQL_TYPE_SET:
        return layout->meta == set_bytes(column->members);
    default:
        return true;
    }
}

static bool
column_layout_build(struct column_layout *layout, const struct table_map *map, unsigned index,
                    struct cursor *metadata, const struct table *table, GError **error)
{
    const struct column *column = table_column(table, index);
    layout->column = column;
    layout->key_part = -1;
    metadata_take(metadata, map->types[index], layout);
    const char *type = mysql_type_name(layout->type);
    if (metadata->failed) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "malformed TABLE_MAP event of table `%s`.`%s`: its metadata ends before "
                    "column `%s` (%s)",
                    table->schema, table->name, column->name, type);
        return false;
    }
    bool known = storage_of(layout);
    uint8_t expected = binlog_types[column->type];
    bool agrees = layout->type == expected ||
                  (layout->type == MYSQL_TYPE_NEWDATE && expected == MYSQL_TYPE_DATE);
    if (!known &&
        (agrees || layout->type == MYSQL_TYPE_TYPED_ARRAY ||
         layout->type == MYSQL_TYPE_OLD_DECIMAL || layout->type == MYSQL_TYPE_OLD_TIME ||
         layout->type == MYSQL_TYPE_OLD_DATETIME || layout->type == MYSQL_TYPE_OLD_TIMESTAMP)) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "table `%s`.`%s`, column `%s` (%s): its binlog format %s (%u) is not "
                    "supported; a column of an old format is renewed by ALTER TABLE … FORCE",
                    table->schema, table->name, column->name, column->column_type, type,
                    (unsigned)layout->meta);
        return false;
    }
    if (!known || !agrees || !details_agree(column, layout)) {
        g_set_error(
            error, MT_ERROR, MT_ERROR_DATA,
            "table `%s`.`%s`, column `%s` was inspected as %s, but the binlog has %s (%u): " TABLE_CHANGED,
            table->schema, table->name, column->name, column->column_type, type,
            (unsigned)layout->meta);
        return false;
    }
    return true;
}

static bool
is_numeric(uint8_t type)
{
    return type == MYSQL_TYPE_TINY || type == MYSQL_TYPE_SHORT || type == MYSQL_TYPE_INT24 ||
           type == MYSQL_TYPE_LONG || type == MYSQL_TYPE_LONGLONG || type == MYSQL_TYPE_FLOAT ||
           type == MYSQL_TYPE_DOUBLE || type == MYSQL_TYPE_NEWDECIMAL || type == MYSQL_TYPE_YEAR;
}

/* One bit for every numeric column in order, the highest bit first; 1: unsigned. */
static bool
signedness_check(const struct row_layout *layout, struct cursor bits, GError **error)
{
    size_t number = 0;
    for (unsigned i = 0; i < layout->columns_count; i++) {
        if (!is_numeric(layout->columns[i].type))
            continue;
        if (number / 8 >= cursor_left(&bits))
            return true; /* trailing zero bytes may be left out */
        bool is_unsigned = (bits.position[number / 8] >> (7 - number % 8)) & 1;
        const struct column *column = layout->columns[i].column;
        /* YEAR has its bit as well, always set. */
        if (is_unsigned != column->is_unsigned && column->type != COLUMN_YEAR) {
            g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                        "table `%s`.`%s`, column `%s` was inspected as %s, but the binlog has it "
                        "%s: " TABLE_CHANGED,
                        layout->table->schema, layout->table->name, column->name,
                        column->column_type, is_unsigned ? "unsigned" : "signed");
            return false;
        }
        number++;
    }
    return true;
}

/* Names, when the server writes them (binlog_row_metadata=FULL): lenenc length, bytes. */
static bool
names_check(const struct row_layout *layout, struct cursor names, GError **error)
{
    for (unsigned i = 0; i < layout->columns_count; i++) {
        size_t length = (size_t)cursor_uint_lenenc(&names);
        const uint8_t *name = cursor_bytes(&names, length);
        const char *inspected = layout->columns[i].column->name;
        if (name == NULL) {
            g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                        "malformed TABLE_MAP event of table `%s`.`%s`: its column names end "
                        "before column `%s`",
                        layout->table->schema, layout->table->name, inspected);
            return false;
        }
        if (strlen(inspected) != length || memcmp(inspected, name, length) != 0) {
            g_set_error(
                error, MT_ERROR, MT_ERROR_DATA,
                "table `%s`.`%s`, column `%s` is called `%.*s` in the binlog: " TABLE_CHANGED,
                layout->table->schema, layout->table->name, inspected, (int)length,
                (const char *)name);
            return false;
        }
    }
    return true;
}

static bool
optional_check(const struct row_layout *layout, struct cursor optional, GError **error)
{
    while (cursor_left(&optional) > 0 && !optional.failed) {
        unsigned field = (unsigned)cursor_uint(&optional, 1);
        size_t length = (size_t)cursor_uint_lenenc(&optional);
        const uint8_t *value = cursor_bytes(&optional, length);
        if (value == NULL)
            break;
        if (field == OPTIONAL_SIGNEDNESS &&
            !signedness_check(layout, cursor_of(value, length), error))
            return false;
        if (field == OPTIONAL_COLUMN_NAME && !names_check(layout, cursor_of(value, length), error))
            return false;
    }
    if (optional.failed) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "malformed TABLE_MAP event of table `%s`.`%s`: its optional metadata does not "
                    "hold together",
                    layout->table->schema, layout->table->name);
        return false;
    }
    return true;
}

static void
layout_set_key(struct row_layout *layout)
{
    const struct table *table = layout->table;
    unsigned parts = table->key_columns == NULL ? 0 : table->key_columns->len;
    if (parts > KEY_PARTS_MAX)
        parts = 0;
    layout->key_parts = parts;
    layout->key_columns = g_new0(unsigned, parts);
    for (unsigned k = 0; k < parts; k++) {
        unsigned index = table_key_column_index(table, k);
        layout->key_columns[k] = index;
        layout->columns[index].key_part = (int8_t)k;
        layout->key_span = MAX(layout->key_span, index + 1);
    }
}

/* Types and metadata in one piece. Optional metadata is left out: a server may
 * begin to write more or less of it at any time (binlog_row_metadata). */
static void
layout_set_fingerprint(struct row_layout *layout, const struct table_map *map)
{
    size_t metadata_bytes = cursor_left(&map->metadata);
    layout->fingerprint_bytes = map->columns_count + metadata_bytes;
    layout->fingerprint = g_malloc(layout->fingerprint_bytes);
    memcpy(layout->fingerprint, map->types, map->columns_count);
    if (metadata_bytes > 0)
        memcpy(layout->fingerprint + map->columns_count, map->metadata.position, metadata_bytes);
}

struct row_layout *
row_layout_new(const struct table_map *map, const struct table *table, GError **error)
{
    if (map->columns_count != table->columns->len) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "table `%s`.`%s` was inspected with %u columns, but the binlog has %u (the "
                    "last one inspected is `%s`): " TABLE_CHANGED,
                    table->schema, table->name, table->columns->len, map->columns_count,
                    table->columns->len == 0 ? ""
                                             : table_column(table, table->columns->len - 1)->name);
        return NULL;
    }
    g_autoptr(row_layout) layout = g_new0(struct row_layout, 1);
    layout->table = table;
    layout->columns_count = map->columns_count;
    layout->columns = g_new0(struct column_layout, map->columns_count);
    struct cursor metadata = map->metadata;
    for (unsigned i = 0; i < map->columns_count; i++)
        if (!column_layout_build(&layout->columns[i], map, i, &metadata, table, error))
            return NULL;
    if (cursor_left(&metadata) != 0) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "malformed TABLE_MAP event of table `%s`.`%s`: %zu bytes of metadata are left "
                    "over after the last column",
                    table->schema, table->name, cursor_left(&metadata));
        return NULL;
    }
    if (!optional_check(layout, map->optional, error))
        return NULL;
    layout_set_key(layout);
    layout_set_fingerprint(layout, map);
    return g_steal_pointer(&layout);
}

bool
row_layout_matches(const struct row_layout *layout, const struct table_map *map)
{
    size_t metadata_bytes = cursor_left(&map->metadata);
    unsigned columns = map->columns_count;
    return columns == layout->columns_count &&
           columns + metadata_bytes == layout->fingerprint_bytes &&
           memcmp(layout->fingerprint, map->types, columns) == 0 &&
           memcmp(layout->fingerprint + columns, map->metadata.position, metadata_bytes) == 0;
}

void
row_layout_free(struct row_layout *layout)
{
    if (layout == NULL)
        return;
    g_free(layout->columns);
    g_free(layout->key_columns);
    g_free(layout->fingerprint);
    g_free(layout);
}
