#include "schema/key.h"

#include <stdlib.h>
#include <string.h>

#include "mysql/quote.h"

/* Up to so many values, a range over an ENUM or SET is written as the list of its values. */
enum { ENUMERATED_VALUES_MAX = 256 };

static const struct column *
key_column(const struct table *table, unsigned part)
{
    return table_column(table, table_key_column_index(table, part));
}

static bool
is_label_type(const struct column *column)
{
    return column->type == COLUMN_ENUM || column->type == COLUMN_SET;
}

/* Row constructors compare ENUM and SET as strings where more than one row is listed. */
static bool
row_constructor_is_right(const struct table *table)
{
    for (unsigned i = 0; i < table->key_columns->len; i++)
        if (is_label_type(key_column(table, i)))
            return false;
    return true;
}

/* The largest number that an ENUM or SET can hold; UINT64_MAX when that is too many to list. */
static uint64_t
label_type_max(const struct column *column)
{
    uint64_t max = UINT64_MAX;
    if (column->type == COLUMN_ENUM)
        max = column->members;
    else if (column->members < 16)
        max = (UINT64_C(1) << column->members) - 1;
    return max < ENUMERATED_VALUES_MAX ? max : UINT64_MAX;
}

bool
key_ranges_use_index(const struct table *table)
{
    const struct column *first = key_column(table, 0);
    return !is_label_type(first) || label_type_max(first) != UINT64_MAX;
}

void
key_columns_append(GString *sql, const struct table *table)
{
    for (unsigned i = 0; i < table->key_columns->len; i++) {
        if (i > 0)
            g_string_append_c(sql, ',');
        quote_identifier(sql, key_column(table, i)->name);
    }
}

static bool
is_descending(const struct table *table, unsigned part)
{
    return (table->key_descending >> part & 1) != 0;
}

void
key_order_append(GString *sql, const struct table *table)
{
    for (unsigned i = 0; i < table->key_columns->len; i++) {
        if (i > 0)
            g_string_append_c(sql, ',');
        quote_identifier(sql, key_column(table, i)->name);
        if (is_descending(table, i))
            g_string_append(sql, " DESC");
    }
}

char *
key_walk_text(const struct table *table)
{
    if (table->key_descending == 0)
        return g_strdup(table->key_name);
    return g_strdup_printf("%s, parts in two directions (%x)", table->key_name,
                           table->key_descending);
}

void
key_in_begin(GString *sql, const struct table *table)
{
    bool is_row = table->key_columns->len > 1;
    if (is_row && !row_constructor_is_right(table)) {
        g_string_append_c(sql, '(');
        return;
    }
    if (is_row)
        g_string_append_c(sql, '(');
    key_columns_append(sql, table);
    if (is_row)
        g_string_append_c(sql, ')');
    g_string_append(sql, " IN (");
}

static void
append_comparison(GString *sql, const struct column *column, const char *comparison,
                  struct column_text text)
{
    quote_identifier(sql, column->name);
    g_string_append(sql, comparison);
    column_key_literal_append(sql, column, text);
}

static void
append_equal_row(GString *sql, const struct table *table, const struct column_text *parts)
{
    g_string_append_c(sql, '(');
    for (unsigned i = 0; i < table->key_columns->len; i++) {
        if (i > 0)
            g_string_append(sql, " AND ");
        append_comparison(sql, key_column(table, i), "=", parts[i]);
    }
    g_string_append_c(sql, ')');
}

void
key_in_append(GString *sql, const struct table *table, const struct column_text *parts, bool first)
{
    unsigned count = table->key_columns->len;
    if (count > 1 && !row_constructor_is_right(table)) {
        if (!first)
            g_string_append(sql, " OR ");
        append_equal_row(sql, table, parts);
        return;
    }
    if (!first)
        g_string_append_c(sql, ',');
    if (count > 1)
        g_string_append_c(sql, '(');
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            g_string_append_c(sql, ',');
        column_key_literal_append(sql, key_column(table, i), parts[i]);
    }
    if (count > 1)
        g_string_append_c(sql, ')');
}

void
key_in_end(GString *sql, const struct table *table G_GNUC_UNUSED)
{
    g_string_append_c(sql, ')');
}

static void
append_number_list(GString *sql, const struct column *column, uint64_t from, uint64_t to)
{
    quote_identifier(sql, column->name);
    g_string_append(sql, " IN (");
    for (uint64_t value = from; value <= to; value++)
        g_string_append_printf(sql, value == from ? "%" G_GUINT64_FORMAT : ",%" G_GUINT64_FORMAT,
                               (guint64)value);
    g_string_append_c(sql, ')');
}

/* `column` > or < text. Numbers of ENUM and SET order as the index does, but only
 * equality uses it: so the values are listed. */
static void
append_strict(GString *sql, const struct column *column, bool greater, struct column_text text)
{
    uint64_t max = is_label_type(column) ? label_type_max(column) : UINT64_MAX;
    if (max == UINT64_MAX) {
        append_comparison(sql, column, greater ? ">" : "<", text);
        return;
    }
    char digits[24] = "";
    memcpy(digits, text.data, MIN(text.length, sizeof digits - 1));
    uint64_t value = strtoull(digits, NULL, 10);
    if (greater && value < max)
        append_number_list(sql, column, value + 1, max);
    else if (!greater && value > 0)
        append_number_list(sql, column, 0, MIN(value - 1, max));
    else
        g_string_append(sql, "FALSE");
}

/*
 * (a > 1 OR (a = 1 AND (b > 2 OR (b = 2 AND c > 3)))): a row constructor's > would
 * not use the index. A descending part is compared the other way round. With `or_equal` the last column's own = counts too.
 */
static void
append_bound(GString *sql, const struct table *table, const struct column_text *parts, bool behind,
             bool or_equal)
{
    unsigned count = table->key_columns->len;
    for (unsigned i = 0; i < count; i++) {
        const struct column *column = key_column(table, i);
        g_string_append_c(sql, '(');
        append_strict(sql, column, behind != is_descending(table, i), parts[i]);
        if (i + 1 < count || or_equal) {
            g_string_append(sql, " OR ");
            if (i + 1 < count)
                g_string_append_c(sql, '(');
            append_comparison(sql, column, "=", parts[i]);
        }
        if (i + 1 < count)
            g_string_append(sql, " AND ");
    }
    for (unsigned i = 0; i < count; i++)
        g_string_append(sql, i + 1 < count ? "))" : ")");
}

void
key_range_append(GString *sql, const struct table *table, const struct column_text *after,
                 const struct column_text *until)
{
    if (after != NULL)
        append_bound(sql, table, after, true, false);
    if (after != NULL && until != NULL)
        g_string_append(sql, " AND ");
    if (until != NULL)
        append_bound(sql, table, until, false, true);
    if (after == NULL && until == NULL)
        g_string_append(sql, "TRUE");
}
