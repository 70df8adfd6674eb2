#include "schema/column_real.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/error.h"

static struct column
column_of(enum column_type type, char *column_type, unsigned precision, unsigned scale)
{
    static char name[] = "c";
    struct column column = {.name = name,
                            .column_type = column_type,
                            .type = type,
                            .precision = precision,
                            .scale = scale};
    column_real_prepare(&column);
    return column;
}

static struct column_text
text_of(const char *data)
{
    return (struct column_text){.data = data, .length = strlen(data)};
}

/* NULL: it has nothing that is stored so. */
static const char *
fit(const struct column *column, const char *given, char buffer[COLUMN_REAL_BYTES])
{
    struct column_text text = text_of(given);
    return column_real_fit(column, buffer, &text) ? text.data : NULL;
}

static void
expect_fit(const struct column *column, const char *given, const char *expected)
{
    char buffer[COLUMN_REAL_BYTES];
    const char *found = fit(column, given, buffer);
    cr_expect((found == NULL) == (expected == NULL) &&
                  (found == NULL || g_str_equal(found, expected)),
              "%s of %s: %s, not %s", given, column->column_type, found, expected);
}

Test(column_real, only_columns_with_digits_are_rounded)
{
    static char plain[] = "float";
    static char zeros[] = "double unsigned zerofill"; /* NUMERIC_PRECISION is 22, no scale */
    static char fixed[] = "double(10,2) unsigned zerofill";
    static char decimal[] = "decimal(10,2)";
    cr_expect_not(column_of(COLUMN_FLOAT, plain, 12, 0).fixed_digits);
    cr_expect_not(column_of(COLUMN_DOUBLE, zeros, 22, 0).fixed_digits);
    cr_expect_not(column_of(COLUMN_DECIMAL, decimal, 10, 2).fixed_digits);
    struct column column = column_of(COLUMN_DOUBLE, fixed, 10, 2);
    cr_expect(column.fixed_digits);
    cr_expect_eq(column.fixed_unit, 100.0);
    cr_expect_eq(column.fixed_limit, 1e8 - 0.01);
}

Test(column_real, what_has_more_digits_has_no_text)
{
    static char type[] = "double(10,2)";
    static char float_type[] = "float(7,3)";
    struct column column = column_of(COLUMN_DOUBLE, type, 10, 2);
    expect_fit(&column, "2.34", "2.34");
    expect_fit(&column, "-99999999.99", "-99999999.99");
    expect_fit(&column, "0", "0");
    expect_fit(&column, "2.34567", NULL);
    expect_fit(&column, "2.3400000000000003", NULL);
    expect_fit(&column, "-0", NULL); /* the server makes 0 of it */
    expect_fit(&column, "100000000", NULL);
    expect_fit(&column, "-1e300", NULL);
    column = column_of(COLUMN_FLOAT, float_type, 7, 3);
    expect_fit(&column, "1.2350000143051147", "1.2350000143051147");
    expect_fit(&column, "1.23456001", NULL);
    char buffer[COLUMN_REAL_BYTES];
    struct column_text null = {0};
    cr_expect(column_real_fit(&column, buffer, &null));
    cr_expect_null(null.data);
    g_autoptr(GError) error = NULL;
    column_real_refuse(&column, &error);
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    cr_expect_neq(strstr(error->message, "column `c` is float(7,3)"), NULL, "%s", error->message);
}

/* The largest FLOAT(30,10), 1e20 rounded to a float, lies above its own limit. */
Test(column_real, a_float_at_its_limit_is_given_as_one_below)
{
    static char type[] = "float(30,10)";
    struct column column = column_of(COLUMN_FLOAT, type, 30, 10);
    expect_fit(&column, "1.0000000200408773e20", "1e+20");
    expect_fit(&column, "-1.0000000200408773e20", "-1e+20");
    expect_fit(&column, "1.5", "1.5");
}

/* What the server does, once more in the test. */
static double
stored(double value, double unit)
{
    double whole = floor(value);
    double rounded = rint((value - whole) * unit) / unit;
    return whole + rounded;
}

/* Rounded once more, some of its own results become their neighbours. */
Test(column_real, what_the_server_itself_stored_has_a_text)
{
    static char type[] = "double(20,15)";
    struct column column = column_of(COLUMN_DOUBLE, type, 20, 15);
    unsigned moved = 0;
    for (unsigned i = 1; i < 20000; i++) {
        double value = stored(sqrt(i) * (i % 2 == 0 ? 0.7 : -0.7), 1e15);
        char text[COLUMN_REAL_BYTES];
        char buffer[COLUMN_REAL_BYTES];
        g_ascii_dtostr(text, sizeof text, value);
        const char *given = fit(&column, text, buffer);
        cr_assert_not_null(given, "%s", text);
        cr_expect_eq(stored(g_ascii_strtod(given, NULL), 1e15), value, "%s", text);
        moved += stored(value, 1e15) != value;
    }
    cr_expect_gt(moved, 0, "no value needed another text: nothing was tested");
}
