/*
 * DECIMAL(p, s) as stored (strings/decimal.cc of the server, decimal2bin()):
 *
 *   [leading digits][9 digits]…[9 digits] . [9 digits]…[9 digits][trailing digits]
 *
 * Groups of nine decimal digits take four bytes, big-endian; what is left over
 * at both outer ends takes 0 to 4 bytes. The first bit is inverted, so that
 * bytes sort like numbers; of a negative number all bits are.
 */
#include "binlog/value_int.h"

#define GROUP_DIGITS 9
#define GROUP_BYTES 4
/* The server's buffer has nine groups. A column has 65 digits at most; but in a JSON document the
 * whole part is counted in whole groups. */
#define PRECISION_MAX 81
#define SCALE_MAX 30

/* Bytes of 0 to 9 digits. */
static const uint8_t digits_bytes[GROUP_DIGITS + 1] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};

uint32_t
decimal_stored_bytes(unsigned precision, unsigned scale)
{
    if (precision == 0 || precision > PRECISION_MAX || scale > SCALE_MAX || scale > precision)
        return 0;
    unsigned whole = precision - scale;
    return (whole / GROUP_DIGITS + scale / GROUP_DIGITS) * GROUP_BYTES +
           digits_bytes[whole % GROUP_DIGITS] + digits_bytes[scale % GROUP_DIGITS];
}

struct decimal_reader {
    const uint8_t *bytes;
    uint8_t mask; /* 0xff for negative numbers */
    bool malformed;
};

/* The next group of 1 to 9 digits as a number. */
static uint32_t
take_group(struct decimal_reader *reader, unsigned digits)
{
    static const uint32_t limits[GROUP_DIGITS + 1] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    uint32_t value = 0;
    for (unsigned i = 0; i < digits_bytes[digits]; i++)
        value = value << 8 | (uint8_t)(*reader->bytes++ ^ reader->mask);
    if (value >= limits[digits])
        reader->malformed = true;
    return value;
}

/* Digits of the whole part: without leading zeros, but at least one digit. */
static void
append_whole(GString *text, struct decimal_reader *reader, unsigned digits)
{
    gsize start = text->len;
    unsigned group = digits % GROUP_DIGITS;
    for (unsigned left = digits; left > 0; left -= group, group = GROUP_DIGITS) {
        if (group == 0)
            group = GROUP_DIGITS;
        uint32_t value = take_group(reader, group);
        if (text->len > start)
            text_append_padded(text, value, GROUP_DIGITS);
        else if (value != 0)
            text_append_unsigned(text, value);
    }
    if (text->len == start)
        g_string_append_c(text, '0');
}

bool
decimal_append(GString *text, const uint8_t *bytes, unsigned precision, unsigned scale,
               const char **ret_problem)
{
    uint8_t first_bytes[PRECISION_MAX];
    uint32_t length = decimal_stored_bytes(precision, scale);
    bool negative = (bytes[0] & 0x80) == 0;
    for (uint32_t i = 0; i < length; i++)
        first_bytes[i] = bytes[i];
    first_bytes[0] ^= 0x80;
    struct decimal_reader reader = {.bytes = first_bytes, .mask = negative ? 0xff : 0};
    if (negative)
        g_string_append_c(text, '-');
    append_whole(text, &reader, precision - scale);
    if (scale > 0)
        g_string_append_c(text, '.');
    for (unsigned left = scale; left > 0;) {
        unsigned group = MIN(left, GROUP_DIGITS);
        text_append_padded(text, take_group(&reader, group), group);
        left -= group;
    }
    if (reader.malformed)
        *ret_problem = "it has a group of digits that is no decimal number";
    return !reader.malformed;
}
