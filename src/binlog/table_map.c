#include "binlog/rows.h"

#include "base/error.h"
#include "binlog/layout_int.h"

/* InnoDB allows 1017 columns, the server 4096. */
#define COLUMNS_MAX 4096

const char *
mysql_type_name(uint8_t type)
{
    static const char *const low[] = {
        "DECIMAL (of before MySQL 5.0)",
        "TINY",
        "SHORT",
        "LONG",
        "FLOAT",
        "DOUBLE",
        "NULL",
        "TIMESTAMP (of before MySQL 5.6)",
        "LONGLONG",
        "INT24",
        "DATE",
        "TIME (of before MySQL 5.6)",
        "DATETIME (of before MySQL 5.6)",
        "YEAR",
        "NEWDATE",
        "VARCHAR",
        "BIT",
        "TIMESTAMP2",
        "DATETIME2",
        "TIME2",
        "TYPED_ARRAY",
    };
    static const char *const high[] = {
        "VECTOR",    "INVALID",     "BOOL",      "JSON", "NEWDECIMAL", "ENUM",   "SET",
        "TINY_BLOB", "MEDIUM_BLOB", "LONG_BLOB", "BLOB", "VAR_STRING", "STRING", "GEOMETRY",
    };
    if (type < G_N_ELEMENTS(low))
        return low[type];
    if (type >= MYSQL_TYPE_VECTOR)
        return high[type - MYSQL_TYPE_VECTOR];
    return "unknown";
}

/* One length byte, the name, a NUL. */
static const char *
take_name(struct cursor *body, size_t *ret_length)
{
    *ret_length = (size_t)cursor_uint(body, 1);
    const uint8_t *name = cursor_bytes(body, *ret_length);
    cursor_uint(body, 1);
    return (const char *)name;
}

bool
table_map_decode(struct cursor *body, struct table_map *ret_map, GError **error)
{
    struct table_map map = {0};
    map.table_id = cursor_uint(body, 6);
    cursor_uint(body, 2); /* flags: nothing that matters for reading rows */
    map.schema = take_name(body, &map.schema_length);
    map.name = take_name(body, &map.name_length);
    uint64_t columns = cursor_uint_lenenc(body);
    if (body->failed || columns == 0 || columns > COLUMNS_MAX) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "malformed TABLE_MAP event: its head does not hold together; the binlog is "
                    "damaged or of a format that is not known");
        return false;
    }
    map.columns_count = (unsigned)columns;
    map.types = cursor_bytes(body, map.columns_count);
    size_t metadata_bytes = (size_t)cursor_uint_lenenc(body);
    const uint8_t *metadata = cursor_bytes(body, metadata_bytes);
    cursor_bytes(body, (map.columns_count + 7) / 8); /* which columns may be NULL */
    size_t optional_bytes = cursor_left(body);
    const uint8_t *optional = cursor_bytes(body, optional_bytes);
    if (body->failed || optional == NULL || metadata == NULL) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "malformed TABLE_MAP event of table `%.*s`.`%.*s`: it ends within its %u "
                    "columns; the binlog is damaged or of a format that is not known",
                    (int)map.schema_length, map.schema, (int)map.name_length, map.name,
                    map.columns_count);
        return false;
    }
    map.metadata = cursor_of(metadata, metadata_bytes);
    map.optional = cursor_of(optional, optional_bytes);
    *ret_map = map;
    return true;
}
