#include "schema/column_text.h"

#include <string.h>

#include "mysql/quote.h"
#include "schema/column_form.h"
#include "schema/column_real.h"
#include "schema/json_rebuild.h"
#include "schema/lost_dates.h"

/* A double tells integers of so many bits apart. */
enum { DOUBLE_EXACT_BITS = 53 };

/* `float(7,3)`, `double(10,2) zerofill`: printed with a fixed number of digits, not exactly. */
static bool
printed_with_fixed_digits(const struct column *column)
{
    return column->column_type != NULL && (strchr(column->column_type, '(') != NULL ||
                                           strstr(column->column_type, "zerofill") != NULL);
}

static bool
printed_with_leading_zeros(const struct column *column)
{
    return column->column_type != NULL && strstr(column->column_type, "zerofill") != NULL;
}

static void
append_cast(GString *sql, const struct column *column, const char *type)
{
    g_string_append(sql, "CAST(");
    quote_identifier(sql, column->name);
    g_string_append_printf(sql, " AS %s)", type);
}

void
column_select_append(GString *sql, const struct column *column)
{
    switch (column_form(column->type)) {
    case FORM_REAL:
        /* FLOAT itself is printed with six digits; widened, it is printed exactly. */
        if (column->type == COLUMN_FLOAT || printed_with_fixed_digits(column)) {
            append_cast(sql, column, "DOUBLE");
            return;
        }
        break;
    case FORM_ORDINAL:
        append_cast(sql, column, "UNSIGNED");
        return;
    case FORM_INTEGER:
        /* Row images carry no leading zeros: neither does the text. */
        if (printed_with_leading_zeros(column)) {
            append_cast(sql, column, "UNSIGNED");
            return;
        }
        break;
    case FORM_DECIMAL:
        if (printed_with_leading_zeros(column)) {
            g_autofree char *type = g_strdup_printf("DECIMAL(%u,%u)", column->precision,
                                                    column->scale);
            append_cast(sql, column, type);
            return;
        }
        break;
    case FORM_TEMPORAL:
    case FORM_STRING:
    case FORM_LONG:
        break;
    }
    quote_identifier(sql, column->name);
}

static void
append_text(GString *sql, struct column_text text)
{
    g_string_append_len(sql, text.data, (gssize)text.length);
}

/* With an exponent, or MySQL would read a DECIMAL: which has no -0, and at most 65 digits. */
static void
append_double(GString *sql, struct column_text text)
{
    append_text(sql, text);
    if (memchr(text.data, 'e', text.length) == NULL && memchr(text.data, 'E', text.length) == NULL)
        g_string_append_len(sql, "e0", 2);
}

/* The text of a temporal value holds nothing that would need an escape. */
static void
append_temporal(GString *sql, struct column_text text)
{
    g_string_append_c(sql, '\'');
    append_text(sql, text);
    g_string_append_c(sql, '\'');
}

/* What insert literals and key literals write alike. False when the form is none of those. */
static bool
append_simple_literal(GString *sql, const struct column *column, struct column_text text)
{
    switch (column_form(column->type)) {
    case FORM_INTEGER:
    case FORM_DECIMAL:
    case FORM_ORDINAL:
        append_text(sql, text);
        return true;
    case FORM_REAL:
        append_double(sql, text);
        return true;
    case FORM_TEMPORAL:
        append_temporal(sql, text);
        return true;
    case FORM_STRING:
    case FORM_LONG:
        break;
    }
    return false;
}

/* Anything but NULL. */
static void
append_literal(GString *sql, const struct column *column, struct column_text text)
{
    if (column->zero_literal != NULL && column_is_enum_zero(text)) {
        g_string_append(sql, column->zero_literal);
        return;
    }
    if (append_simple_literal(sql, column, text))
        return;
    if (text.is_expression) {
        append_text(sql, text);
        return;
    }
    if (column->type == COLUMN_JSON) {
        /* A binary string is refused for JSON (error 3144). */
        g_string_append(sql, "CONVERT(");
        quote_bytes(sql, text.data, text.length);
        g_string_append(sql, " USING utf8mb4)");
        return;
    }
    /* A binary string is stored byte by byte whatever the column's character
     * set, and refused (1366) where it is not well-formed in it. */
    quote_bytes(sql, text.data, text.length);
}

bool
column_literal_append(GString *sql, const struct column *column, struct column_text text)
{
    char buffer[COLUMN_REAL_BYTES];
    if (text.data == NULL) {
        g_string_append_len(sql, "NULL", 4);
        return true;
    }
    if ((column->fixed_digits && !column_real_fit(column, buffer, &text)) ||
        lost_dates_holds(column, text))
        return false;
    append_literal(sql, column, text);
    return true;
}

/* A half of a pair, which UCS-2 takes for a character of its own. */
static bool
has_surrogate(struct column_text text)
{
    for (size_t i = 0; i + 1 < text.length; i += 2)
        if (((unsigned char)text.data[i] & 0xf8) == 0xd8)
            return true;
    return false;
}

/*
 * The character set to write a key literal in: the column's own, so that no byte
 * changes. `_utf8mb3` and `_ucs2` give a deprecation warning for each literal;
 * their supersets have the same bytes, and MySQL compares a literal under the
 * column's collation. But surrogates mean something else in UTF-16, or nothing.
 */
static const char *
key_literal_charset(const struct column *column, struct column_text text)
{
    if (column->charset == NULL)
        return "binary";
    if (g_str_equal(column->charset, "utf8mb3") || g_str_equal(column->charset, "utf8"))
        return "utf8mb4";
    if (g_str_equal(column->charset, "ucs2") && !has_surrogate(text))
        return "utf16";
    return column->charset;
}

void
column_key_literal_append(GString *sql, const struct column *column, struct column_text text)
{
    if (text.data == NULL) {
        g_string_append_len(sql, "NULL", 4);
        return;
    }
    if (append_simple_literal(sql, column, text))
        return;
    g_string_append_c(sql, '_');
    g_string_append(sql, key_literal_charset(column, text));
    g_string_append_c(sql, ' '); /* the name would go on with the x */
    quote_hex(sql, text.data, text.length);
}

bool
column_is_enum_zero(struct column_text text)
{
    return text.length == 1 && *text.data == '0';
}

bool
column_type_allowed_in_key(const struct column *column)
{
    if (column->type == COLUMN_FLOAT) /* its text and its comparison differ in the last digits */
        return false;
    if (column->type == COLUMN_SET) /* compared as double: two larger ones may be equal, or none */
        return column->members <= DOUBLE_EXACT_BITS;
    return column_form(column->type) != FORM_LONG;
}

bool
column_guard_append(GString *sql, const struct column *column)
{
    if (column->type != COLUMN_JSON)
        return false;
    json_marks_select_append(sql, column);
    return true;
}
