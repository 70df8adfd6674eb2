/*
 * Temporal values as stored since MySQL 5.6 (sql-common/my_time.cc of the
 * server, my_*_packed_to_binary()). All but DATE are big-endian:
 *
 *   DATE       24 bits little-endian: 15 year, 4 month, 5 day
 *   DATETIME   40 bits: sign (set), 17 year × 13 + month, 5 day, 5 hour, 6 minute, 6 second
 *   TIME       24 bits + 0x800000: sign, unused, 10 hour (up to 838), 6 minute, 6 second
 *   TIMESTAMP  32 bits: seconds of Unix time; 0 is the zero value
 *
 * and a fraction of 1, 2 or 3 bytes for up to 2, 4 or 6 digits.
 */
#include "binlog/value_int.h"

static uint64_t
big_endian(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void
append_fraction(GString *text, uint64_t fraction, unsigned fsp)
{
    if (fsp == 0)
        return;
    /* Stored with an even number of digits. */
    if (fsp % 2 != 0)
        fraction /= 10;
    g_string_append_c(text, '.');
    text_append_padded(text, fraction, fsp);
}

static void
append_date(GString *text, unsigned year, unsigned month, unsigned day)
{
    text_append_padded(text, year, 4);
    g_string_append_c(text, '-');
    text_append_padded(text, month, 2);
    g_string_append_c(text, '-');
    text_append_padded(text, day, 2);
}

static void
append_clock(GString *text, unsigned hour, unsigned minute, unsigned second)
{
    text_append_padded(text, hour, hour > 99 ? 3 : 2);
    g_string_append_c(text, ':');
    text_append_padded(text, minute, 2);
    g_string_append_c(text, ':');
    text_append_padded(text, second, 2);
}

void
date_append(GString *text, const uint8_t *bytes)
{
    unsigned packed = (unsigned)bytes[0] | (unsigned)bytes[1] << 8 | (unsigned)bytes[2] << 16;
    append_date(text, packed >> 9, packed >> 5 & 15, packed & 31);
}

void
time_append(GString *text, const uint8_t *bytes, unsigned fsp)
{
    unsigned fraction_bits = 8 * fraction_bytes(fsp);
    uint64_t packed = big_endian(bytes, 3 + fraction_bytes(fsp));
    uint64_t zero = (uint64_t)0x800000 << fraction_bits;
    if (packed < zero)
        g_string_append_c(text, '-');
    /* Whole part and fraction are one number: a negative one borrows across. */
    uint64_t magnitude = packed < zero ? zero - packed : packed - zero;
    unsigned whole = (unsigned)(magnitude >> fraction_bits);
    append_clock(text, whole >> 12 & 1023, whole >> 6 & 63, whole & 63);
    append_fraction(text, magnitude & (((uint64_t)1 << fraction_bits) - 1), fsp);
}

void
datetime_append(GString *text, const uint8_t *bytes, unsigned fsp)
{
    uint64_t packed = big_endian(bytes, 5) & 0x7fffffffff;
    unsigned months = (unsigned)(packed >> 22);
    append_date(text, months / 13, months % 13, packed >> 17 & 31);
    g_string_append_c(text, ' ');
    append_clock(text, packed >> 12 & 31, packed >> 6 & 63, packed & 63);
    append_fraction(text, big_endian(bytes + 5, fraction_bytes(fsp)), fsp);
}

/* Days since 1970-01-01 to a date of the Gregorian calendar, with years that begin in
 * March so that the leap day is the last one. */
static void
append_day(GString *text, unsigned days_since_epoch)
{
    unsigned days = days_since_epoch + 719468; /* since 0000-03-01 */
    unsigned era = days / 146097;              /* of 400 years */
    unsigned day_of_era = days % 146097;
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * day_of_year + 2) / 153; /* 0: March */
    unsigned day = day_of_year - (153 * month + 2) / 5 + 1;
    unsigned year = era * 400 + year_of_era + (month >= 10 ? 1 : 0);
    append_date(text, year, month < 10 ? month + 3 : month - 9, day);
}

void
timestamp_append(GString *text, const uint8_t *bytes, unsigned fsp)
{
    unsigned seconds = (unsigned)big_endian(bytes, 4);
    if (seconds == 0) {
        append_date(text, 0, 0, 0);
        g_string_append_c(text, ' ');
        append_clock(text, 0, 0, 0);
        append_fraction(text, 0, fsp);
        return;
    }
    append_day(text, seconds / 86400);
    g_string_append_c(text, ' ');
    append_clock(text, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    append_fraction(text, big_endian(bytes + 4, fraction_bytes(fsp)), fsp);
}
