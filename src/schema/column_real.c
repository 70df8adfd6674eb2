#include "schema/column_real.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/* How many doubles to either side are tried. */
enum { NEIGHBOURS = 8 };

/* 10 to the power of a column's digits: rounded as the server's own table is. */
static double
power_of_ten(unsigned digits)
{
    char text[16];
    g_snprintf(text, sizeof text, "1e%u", digits);
    return g_ascii_strtod(text, NULL);
}

void
column_real_prepare(struct column *column)
{
    bool is_real = column->type == COLUMN_FLOAT || column->type == COLUMN_DOUBLE;
    column->fixed_digits = is_real && strchr(column->column_type, '(') != NULL;
    if (!column->fixed_digits)
        return;
    column->fixed_unit = power_of_ten(column->scale);
    column->fixed_limit = power_of_ten(column->precision - column->scale) -
                          1.0 / column->fixed_unit;
}

static bool
same_bits(double one, double other)
{
    return one == other && signbit(one) == signbit(other);
}

/* The server's own steps, in its order (Field_real::truncate()). */
static double
rounded_to(const struct column *column, double given)
{
    double whole = floor(given);
    return whole + rint((given - whole) * column->fixed_unit) / column->fixed_unit;
}

/*
 * Whether the column stores `value` when it is given `given`: the server's own steps. Beyond the limit it says "out of range" (1264).
 */
static bool
stored_as(const struct column *column, double given, double value)
{
    double rounded = rounded_to(column, given);
    if (fabs(rounded) > column->fixed_limit)
        return false;
    return column->type == COLUMN_FLOAT ? same_bits((double)(float)rounded, value)
                                        : same_bits(rounded, value);
}

/*
 * Another number that is stored as `value`. The server's steps are rounded: of their own results they may
 * make a neighbour, which the other neighbour mends. And the largest FLOAT(M,D), rounded
 * to a float, may lie above the limit itself.
 */
static bool
find_other(const struct column *column, double value, double *ret_given)
{
    double limit = value < 0 ? -column->fixed_limit : column->fixed_limit;
    double unit = 1.0 / column->fixed_unit;
    double candidates[4 + 2 * NEIGHBOURS] = {limit, limit < 0 ? limit + unit : limit - unit,
                                             value + unit, value - unit};
    double up = value;
    double down = value;
    for (unsigned i = 0; i < NEIGHBOURS; i++) {
        up = nextafter(up, INFINITY);
        down = nextafter(down, -INFINITY);
        candidates[4 + 2 * i] = up;
        candidates[5 + 2 * i] = down;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(candidates); i++) {
        if (stored_as(column, candidates[i], value)) {
            *ret_given = candidates[i];
            return true;
        }
    }
    return false;
}

bool
column_real_fit(const struct column *column, char buffer[COLUMN_REAL_BYTES],
                struct column_text *text)
{
    if (text->data == NULL)
        return true;
    if (text->length >= COLUMN_REAL_BYTES)
        return false;
    memcpy(buffer, text->data, text->length);
    buffer[text->length] = '\0';
    double value = g_ascii_strtod(buffer, NULL);
    if (stored_as(column, value, value))
        return true;
    double given;
    if (!find_other(column, value, &given))
        return false;
    g_ascii_dtostr(buffer, COLUMN_REAL_BYTES, given);
    *text = (struct column_text){.data = buffer, .length = strlen(buffer)};
    return true;
}

void
column_real_near(const struct column *column, char buffer[COLUMN_REAL_BYTES],
                 struct column_text *text)
{
    char given[COLUMN_REAL_BYTES] = "";
    memcpy(given, text->data, MIN(text->length, sizeof given - 1));
    g_ascii_dtostr(buffer, COLUMN_REAL_BYTES, rounded_to(column, g_ascii_strtod(given, NULL)));
    *text = (struct column_text){.data = buffer, .length = strlen(buffer)};
    char other[COLUMN_REAL_BYTES];
    struct column_text fitting = *text;
    if (!column_real_fit(column, other, &fitting))
        *text = (struct column_text){.data = "0", .length = 1};
}

void
column_real_refuse(const struct column *column, GError **error)
{
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "column `%s` is %s, and holds a value with more digits: the target would round "
                "it. Make the column %s on the source, or round the value there; then run again "
                "with --fresh",
                column->name, column->column_type,
                column->type == COLUMN_FLOAT ? "FLOAT" : "DOUBLE");
}
