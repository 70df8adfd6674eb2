#include "schema/json_expression.h"

#include <stdint.h>
#include <string.h>

#include "mysql/quote.h"

#define BINARY_BYTES_MAX 255
#define BIT_BYTES_MAX 8

/* enum enum_field_types of the server (field_types.h): what binary scalars are marked with. */
enum {
    TYPE_VARCHAR = 15,
    TYPE_BIT = 16,
    TYPE_TINY_BLOB = 249,
    TYPE_MEDIUM_BLOB = 250,
    TYPE_LONG_BLOB = 251,
    TYPE_BLOB = 252,
    TYPE_STRING = 254,
};

void
json_expression_object_begin(GString *sql)
{
    g_string_append(sql, "JSON_OBJECT(");
}

void
json_expression_array_begin(GString *sql)
{
    g_string_append(sql, "JSON_ARRAY(");
}

void
json_expression_end(GString *sql)
{
    g_string_append_c(sql, ')');
}

void
json_expression_scalar_begin(GString *sql)
{
    g_string_append(sql, "JSON_EXTRACT(JSON_ARRAY(");
}

void
json_expression_scalar_end(GString *sql)
{
    g_string_append(sql, "),'$[0]')");
}

void
json_expression_string_append(GString *sql, const char *bytes, size_t length)
{
    quote_utf8(sql, bytes, length);
}

void
json_expression_double_append(GString *sql, const char *text, size_t length)
{
    g_string_append_len(sql, text, (gssize)length);
    /* Without an exponent it would be a DECIMAL. */
    if (memchr(text, 'e', length) == NULL)
        g_string_append_len(sql, "e0", 2);
}

static void
append_with(GString *sql, const char *before, const char *text, size_t length, const char *after)
{
    g_string_append(sql, before);
    g_string_append_len(sql, text, (gssize)length);
    g_string_append(sql, after);
}

void
json_expression_scalar_append(GString *sql, enum json_scalar type, const char *text, size_t length)
{
    switch (type) {
    case JSON_SCALAR_DECIMAL:
        /* Without a point it would be an INTEGER. */
        append_with(sql, "", text, length, memchr(text, '.', length) == NULL ? "." : "");
        return;
    case JSON_SCALAR_DATE:
        append_with(sql, "DATE'", text, length, "'");
        return;
    case JSON_SCALAR_TIME:
        append_with(sql, "TIME'", text, length, "'");
        return;
    case JSON_SCALAR_DATETIME:
        append_with(sql, "TIMESTAMP'", text, length, "'");
        return;
    case JSON_SCALAR_TIMESTAMP:
        /* No function gives a TIMESTAMP, only columns are of that type. */
        append_with(sql, "(SELECT CAST(v AS JSON) FROM JSON_TABLE('[\"", text, length,
                    "\"]','$[*]' COLUMNS(v TIMESTAMP(6) PATH '$' ERROR ON ERROR)) AS typed)");
        return;
    case JSON_SCALAR_INTEGER:
        g_string_append_len(sql, text, (gssize)length);
        return;
    case JSON_SCALAR_UNSIGNED:
        append_with(sql, "CAST(", text, length, " AS UNSIGNED)");
        return;
    }
}

static void
append_bit(GString *sql, const uint8_t *bytes, size_t length)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < length; i++)
        bits = bits << 8 | bytes[i];
    g_string_append_printf(sql,
                           "(SELECT CAST(v AS JSON) FROM JSON_TABLE('[%" G_GUINT64_FORMAT
                           "]','$[*]' COLUMNS(v BIT(%zu) PATH '$' ERROR ON ERROR)) AS typed)",
                           bits, 8 * length);
}

/*
 * Only columns have these types. That of a recursive table takes its type from
 * the first SELECT, and any bytes from the second one.
 */
static void
append_column_bytes(GString *sql, const char *column_type, const void *bytes, size_t length)
{
    g_string_append_printf(sql,
                           "(WITH RECURSIVE typed(v) AS (SELECT v FROM JSON_TABLE('[null]','$[*]' "
                           "COLUMNS(v %s PATH '$')) AS null_of_type UNION ALL SELECT ",
                           column_type);
    quote_hex(sql, bytes, length);
    g_string_append(sql, " FROM typed WHERE v IS NULL) "
                         "SELECT CAST(v AS JSON) FROM typed WHERE v IS NOT NULL)");
}

bool
json_expression_bytes_append(GString *sql, unsigned column_type, const void *bytes, size_t length)
{
    char binary_type[sizeof "BINARY(255)"];
    switch (column_type) {
    case TYPE_VARCHAR:
        quote_hex(sql, bytes, length);
        return true;
    case TYPE_BIT:
        if (length == 0 || length > BIT_BYTES_MAX)
            return false;
        append_bit(sql, bytes, length);
        return true;
    case TYPE_TINY_BLOB:
        append_column_bytes(sql, "TINYBLOB", bytes, length);
        return true;
    case TYPE_BLOB:
        append_column_bytes(sql, "BLOB", bytes, length);
        return true;
    case TYPE_MEDIUM_BLOB:
        append_column_bytes(sql, "MEDIUMBLOB", bytes, length);
        return true;
    case TYPE_LONG_BLOB:
        append_column_bytes(sql, "LONGBLOB", bytes, length);
        return true;
    case TYPE_STRING:
        if (length > BINARY_BYTES_MAX)
            return false;
        g_snprintf(binary_type, sizeof binary_type, "BINARY(%zu)", length);
        append_column_bytes(sql, binary_type, bytes, length);
        return true;
    default:
        return false;
    }
}
