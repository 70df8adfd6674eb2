/*
 * What the decoders of row images share: MySQL's column types, how each is
 * stored, and the step from one value of an image to the next.
 */
#ifndef BINLOG_LAYOUT_INT_H
#define BINLOG_LAYOUT_INT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "binlog/rows.h"

/* enum enum_field_types of the server (field_types.h), as far as tables have them. */
enum mysql_type {
    MYSQL_TYPE_OLD_DECIMAL = 0,
    MYSQL_TYPE_TINY = 1,
    MYSQL_TYPE_SHORT = 2,
    MYSQL_TYPE_LONG = 3,
    MYSQL_TYPE_FLOAT = 4,
    MYSQL_TYPE_DOUBLE = 5,
    MYSQL_TYPE_OLD_TIMESTAMP = 7,
    MYSQL_TYPE_LONGLONG = 8,
    MYSQL_TYPE_INT24 = 9,
    MYSQL_TYPE_DATE = 10,
    MYSQL_TYPE_OLD_TIME = 11,
    MYSQL_TYPE_OLD_DATETIME = 12,
    MYSQL_TYPE_YEAR = 13,
    MYSQL_TYPE_NEWDATE = 14,
    MYSQL_TYPE_VARCHAR = 15,
    MYSQL_TYPE_BIT = 16,
    MYSQL_TYPE_TIMESTAMP2 = 17,
    MYSQL_TYPE_DATETIME2 = 18,
    MYSQL_TYPE_TIME2 = 19,
    MYSQL_TYPE_TYPED_ARRAY = 20,
    MYSQL_TYPE_VECTOR = 242,
    MYSQL_TYPE_JSON = 245,
    MYSQL_TYPE_NEWDECIMAL = 246,
    MYSQL_TYPE_ENUM = 247,
    MYSQL_TYPE_SET = 248,
    MYSQL_TYPE_TINY_BLOB = 249,
    MYSQL_TYPE_MEDIUM_BLOB = 250,
    MYSQL_TYPE_LONG_BLOB = 251,
    MYSQL_TYPE_BLOB = 252,
    MYSQL_TYPE_VAR_STRING = 253,
    MYSQL_TYPE_STRING = 254,
    MYSQL_TYPE_GEOMETRY = 255,
};

/* "NEWDECIMAL" and the like; "type 99" is not known as "unknown". Never NULL. */
const char *mysql_type_name(uint8_t type);

/* How a stored value becomes column text: chosen once for a column. */
enum value_kind {
    VALUE_IN_PLACE, /* the stored bytes are the text */
    VALUE_SIGNED,   /* little-endian two's complement */
    VALUE_UNSIGNED, /* little-endian: unsigned integers, ENUM, SET */
    VALUE_BIT,      /* big-endian */
    VALUE_FLOAT,
    VALUE_DOUBLE,
    VALUE_DECIMAL,
    VALUE_YEAR,
    VALUE_DATE,
    VALUE_TIME,
    VALUE_DATETIME,
    VALUE_TIMESTAMP,
    VALUE_BINARY, /* BINARY(n): stored without trailing NULs */
    VALUE_JSON,
    VALUE_KINDS,
};

/* A value as stored, without its length prefix. Borrowed. */
struct stored_value {
    const uint8_t *bytes;
    size_t length;
};

/* MySQL's own limit of columns in one key. */

/* Bytes of a fraction of a second with fsp digits. */
static inline uint32_t
fraction_bytes(unsigned fsp)
{
    return (fsp + 1) / 2;
}

/* Of a DECIMAL column. */
#define DECIMAL_DIGITS_MAX 65

/* Bytes of a DECIMAL as stored; 0 when precision and scale are not possible ones. */
uint32_t decimal_stored_bytes(unsigned precision, unsigned scale);

static inline bool
image_is_null(const uint8_t *bitmap, unsigned column)
{
    return (bitmap[column / 8] >> (column % 8)) & 1;
}

/* Takes one value that is not NULL from the image. False when malformed. */
static inline bool
column_layout_take(const struct column_layout *layout, struct cursor *image,
                   struct stored_value *ret_value)
{
    size_t length = layout->value_bytes;
    if (layout->prefix_bytes != 0) {
        length = (size_t)cursor_uint(image, layout->prefix_bytes);
        if (length > layout->value_bytes)
            image->failed = true;
    }
    const uint8_t *bytes = cursor_bytes(image, length);
    if (bytes == NULL || image->failed)
        return false;
    *ret_value = (struct stored_value){.bytes = bytes, .length = length};
    return true;
}

/* The error for an image that ends too early or holds an impossible length. */
void row_image_malformed(GError **error, const struct row_layout *layout, unsigned column);

#endif
