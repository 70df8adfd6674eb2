/*
 * Opaque scalars of binary JSON documents (sql-common/json_dom.cc of the server):
 *
 *   NEWDECIMAL   1 precision | 1 scale | as in a column
 *   DATE, TIME,  8 bytes little-endian, signed: the packed value of my_time.cc:
 *   DATETIME,    (date and clock) << 24 | microseconds, with
 *   TIMESTAMP    date 17 year × 13 + month, 5 day; clock 5 (TIME: 10) hour, 6 minute,
 *                6 second. A negative TIME is the negative of the whole number.
 *   others       the bytes of a binary string
 */
#include "base/cursor.h"
#include "binlog/value_int.h"
#include "schema/json_expression.h"

#define PACKED_BYTES 8
/* The longest: "-838:59:59.999999" and "9999-12-31 23:59:59.999999". */
#define TEMPORAL_TEXT_BYTES 40

static const char malformed[] = "is not stored as values of that type are";

static const char *
append_decimal(GString *sql, const uint8_t *bytes, size_t length)
{
    const char *problem = NULL;
    if (length < 2 || decimal_stored_bytes(bytes[0], bytes[1]) == 0 ||
        length - 2 != decimal_stored_bytes(bytes[0], bytes[1]))
        return malformed;
    if (!decimal_append(sql, bytes + 2, bytes[0], bytes[1], &problem))
        return malformed;
    /* Without a point it would be an INTEGER. */
    if (bytes[1] == 0)
        g_string_append_c(sql, '.');
    return NULL;
}

/* The text as the server prints it, with six digits of fraction. */
static int
print_temporal(char *text, unsigned column_type, int64_t packed)
{
    bool negative = packed < 0;
    uint64_t magnitude = negative ? 0 - (uint64_t)packed : (uint64_t)packed;
    unsigned micro = (unsigned)(magnitude & 0xffffff);
    uint64_t whole = magnitude >> 24;
    unsigned minute = whole >> 6 & 63;
    unsigned second = whole & 63;
    if (column_type == MYSQL_TYPE_OLD_TIME)
        return g_snprintf(text, TEMPORAL_TEXT_BYTES, "%s%02u:%02u:%02u.%06u", negative ? "-" : "",
                          (unsigned)(whole >> 12 & 1023), minute, second, micro);
    unsigned months = (unsigned)(whole >> 22 & 0x1ffff);
    unsigned day = whole >> 17 & 31;
    if (column_type == MYSQL_TYPE_DATE)
        return g_snprintf(text, TEMPORAL_TEXT_BYTES, "%04u-%02u-%02u", months / 13, months % 13,
                          day);
    return g_snprintf(text, TEMPORAL_TEXT_BYTES, "%04u-%02u-%02u %02u:%02u:%02u.%06u", months / 13,
                      months % 13, day, (unsigned)(whole >> 12 & 31), minute, second, micro);
}

static const char *
append_temporal(GString *sql, unsigned column_type, enum json_scalar scalar, const uint8_t *bytes,
                size_t length)
{
    char text[TEMPORAL_TEXT_BYTES];
    struct cursor cursor = cursor_of(bytes, length);
    if (length != PACKED_BYTES)
        return malformed;
    int64_t packed = (int64_t)cursor_uint(&cursor, PACKED_BYTES);
    int printed = print_temporal(text, column_type, packed);
    json_expression_scalar_append(sql, scalar, text, (size_t)printed);
    return NULL;
}

const char *
json_opaque_append(GString *sql, unsigned column_type, const uint8_t *bytes, size_t length)
{
    switch (column_type) {
    case MYSQL_TYPE_NEWDECIMAL:
        return append_decimal(sql, bytes, length);
    case MYSQL_TYPE_DATE:
        return append_temporal(sql, column_type, JSON_SCALAR_DATE, bytes, length);
    case MYSQL_TYPE_OLD_TIME:
        return append_temporal(sql, column_type, JSON_SCALAR_TIME, bytes, length);
    case MYSQL_TYPE_OLD_DATETIME:
        return append_temporal(sql, column_type, JSON_SCALAR_DATETIME, bytes, length);
    case MYSQL_TYPE_OLD_TIMESTAMP:
        return append_temporal(sql, column_type, JSON_SCALAR_TIMESTAMP, bytes, length);
    default:
        break;
    }
    if (json_expression_bytes_append(sql, column_type, bytes, length))
        return NULL;
    return "no SQL expression makes: it would arrive as a JSON string; store it as one on the "
           "source";
}
