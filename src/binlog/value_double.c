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

/* The most digits of a whole number, or zeros after the point, without an exponent. */
#define PLAIN_DIGITS_MAX 15

#define DIGITS_MAX 17

/* 0.d₁d₂… × 10^point */
struct decimal_digits {
    char digits[DIGITS_MAX]; /* without a NUL */
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

static bool
reads_back_as(const struct decimal_digits *number, double value)
{
    char text[DIGITS_MAX + 16];
    snprintf(text, sizeof text, "0.%.*se%d", (int)number->count, number->digits, number->point);
    return g_ascii_strtod(text, NULL) == value;
}

/* `count` correctly rounded digits of a positive number. */
static void
round_to(double value, unsigned count, struct decimal_digits *ret_number)
{
    char text[DIGITS_MAX + 16];
    snprintf(text, sizeof text, "%.*e", (int)count - 1, value);
    /* Whatever the locale puts between the first digit and the others. */
    const char *exponent = strchr(text, 'e');
    unsigned digits = 0;
    for (const char *c = text; c < exponent && digits < DIGITS_MAX; c++)
        if (g_ascii_isdigit(*c))
            ret_number->digits[digits++] = *c;
    ret_number->count = digits;
    ret_number->point = (int)g_ascii_strtoll(exponent + 1, NULL, 10) + 1;
}

/* The next number of as many digits. */
static void
round_up(struct decimal_digits *number)
{
    unsigned at = number->count;
    while (at > 0 && number->digits[at - 1] == '9')
        number->digits[--at] = '0';
    if (at > 0) {
        number->digits[at - 1]++;
    } else {
        number->digits[0] = '1';
        number->point++;
    }
}

/*
 * Prices and the like, without searching: a whole number below 10^15 divided by
 * a power of ten is rounded once, as reading their quotient as decimal text is.
 * No other decimal number of up to 15 digits reads back as the same double.
 */
static bool
few_decimals(double value, struct decimal_digits *ret_number)
{
    static const double powers[] = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    for (unsigned i = 0; i < G_N_ELEMENTS(powers); i++) {
        double scaled = nearbyint(value * powers[i]);
        if (scaled >= 1e15)
            return false;
        if (scaled / powers[i] != value)
            continue;
        char digits[DIGITS_MAX];
        unsigned at = DIGITS_MAX;
        for (uint64_t rest = (uint64_t)scaled; rest != 0; rest /= 10)
            digits[--at] = (char)('0' + rest % 10);
        ret_number->count = DIGITS_MAX - at;
        memcpy(ret_number->digits, digits + at, ret_number->count);
        ret_number->point = (int)ret_number->count - (int)i - 1;
        return true;
    }
    return false;
}

/*
 * Doubles lie half as close below a power of two as above it: there the nearest
 * decimal number, a little too low, may read back as another double while the
 * next one above does not. 2^-44 is 5.684341886080802e-14, not …801e-14.
 */
static void
shortest_digits(double value, struct decimal_digits *ret_number)
{
    int exponent;
    bool power_of_two = frexp(value, &exponent) == 0.5;
    for (unsigned count = value < DBL_MIN ? 1 : DBL_DIG;; count++) {
        round_to(value, count, ret_number);
        if (count >= DIGITS_MAX || reads_back_as(ret_number, value))
            break;
        if (power_of_two) {
            round_up(ret_number);
            if (reads_back_as(ret_number, value))
                break;
        }
    }
    while (ret_number->count > 1 && ret_number->digits[ret_number->count - 1] == '0')
        ret_number->count--;
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
    if (!few_decimals(value, &number))
        shortest_digits(value, &number);
    int count = (int)number.count;
    int point = number.point;
    bool whole = point >= count;
    if ((point > PLAIN_DIGITS_MAX && whole) || point <= -PLAIN_DIGITS_MAX) {
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
    } else if (whole) {
        g_string_append_len(text, number.digits, count);
        append_zeros(text, point - count);
    } else {
        g_string_append_len(text, number.digits, point);
        g_string_append_c(text, '.');
        g_string_append_len(text, number.digits + point, count - point);
    }
    return true;
}
