/*
 * Doubles as MySQL prints them.
 *
 * The server uses the shortest decimal number that reads back as the same
 * double. C has no such conversion, so 15, 16 and 17 digits are tried: every
 * decimal number of 15 digits survives the way through a (normal) double, so
 * fewer are never needed other than by cutting zeros. Subnormal numbers have
 * less precision and begin with one digit.
 */
#include "binlog/value_int.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The most digits before the point, or zeros after it, without an exponent. */
#define PLAIN_DIGITS_MAX 15

#define DIGITS_MAX 17

/* 0.d₁d₂… × 10^point */
struct decimal_digits {
    char digits[DIGITS_MAX + 1];
    unsigned count;
    int point;
};

double
double_from_bytes(const uint8_t *bytes)
{
    uint64_t bits = 0;
    double value;
    for (unsigned i = 0; i < 8; i++)
        bits |= (uint64_t)bytes[i] << (8 * i);
    memcpy(&value, &bits, sizeof value);
    return value;
}

double
float_from_bytes(const uint8_t *bytes)
{
    uint32_t bits = 0;
    float value;
    for (unsigned i = 0; i < 4; i++)
        bits |= (uint32_t)bytes[i] << (8 * i);
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* `count` correctly rounded digits of a positive number. True if they read back as it. */
static bool
round_to(double value, unsigned count, struct decimal_digits *ret_digits)
{
    char printed[DIGITS_MAX + 16];
    char plain[DIGITS_MAX + 16];
    snprintf(printed, sizeof printed, "%.*e", (int)count - 1, value);
    /* Whatever the locale puts between the first digit and the others. */
    const char *exponent = strchr(printed, 'e');
    unsigned digits = 0;
    for (const char *c = printed; c < exponent && digits < DIGITS_MAX; c++)
        if (g_ascii_isdigit(*c))
            ret_digits->digits[digits++] = *c;
    int power = (int)g_ascii_strtoll(exponent + 1, NULL, 10);
    ret_digits->digits[digits] = '\0';
    ret_digits->count = digits;
    ret_digits->point = power + 1;
    snprintf(plain, sizeof plain, "%se%d", ret_digits->digits, power - (int)digits + 1);
    return g_ascii_strtod(plain, NULL) == value;
}

static void
shortest_digits(double value, struct decimal_digits *ret_digits)
{
    unsigned count = value < DBL_MIN ? 1 : DBL_DIG;
    while (!round_to(value, count, ret_digits) && count < DIGITS_MAX)
        count++;
    while (ret_digits->count > 1 && ret_digits->digits[ret_digits->count - 1] == '0')
        ret_digits->count--;
}

static void
append_zeros(GString *text, int count)
{
    for (int i = 0; i < count; i++)
        g_string_append_c(text, '0');
}

bool
text_append_double(GString *text, double value)
{
    struct decimal_digits number;
    if (!isfinite(value))
        return false;
    if (signbit(value))
        g_string_append_c(text, '-');
    value = fabs(value);
    /* Whole numbers, the usual case, need no search. */
    if (value < 1e15 && value == floor(value)) {
        text_append_unsigned(text, (uint64_t)value);
        return true;
    }
    shortest_digits(value, &number);
    int count = (int)number.count;
    int point = number.point;
    if (point > PLAIN_DIGITS_MAX || point <= -PLAIN_DIGITS_MAX) {
        g_string_append_c(text, number.digits[0]);
        if (count > 1) {
            g_string_append_c(text, '.');
            g_string_append_len(text, number.digits + 1, count - 1);
        }
        g_string_append_c(text, 'e');
        text_append_signed(text, point - 1);
    } else if (point <= 0) {
        g_string_append_len(text, "0.", 2);
        append_zeros(text, -point);
        g_string_append_len(text, number.digits, count);
    } else if (point >= count) {
        g_string_append_len(text, number.digits, count);
        append_zeros(text, point - count);
    } else {
        g_string_append_len(text, number.digits, point);
        g_string_append_c(text, '.');
        g_string_append_len(text, number.digits + point, count - point);
    }
    return true;
}
