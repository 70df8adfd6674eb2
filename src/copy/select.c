#include "copy/select.h"

#include "mysql/quote.h"
#include "schema/column_text.h"

static const struct column *
key_column(const struct table *table, unsigned part)
{
    return table_column(table, table_key_column_index(table, part));
}

/* `a` > x, or for (a, b): (`a` > x OR (`a` = x AND `b` > y)). The expanded form is one that every
 * server version turns into an index range; a row constructor is not. */
static void
append_comparison(GString *sql, const struct table *table, const struct bound *bound,
                  const char *strict, const char *last)
{
    unsigned parts = table->key_columns->len;
    g_string_append_c(sql, '(');
    for (unsigned depth = 0; depth < parts; depth++) {
        g_string_append(sql, depth > 0 ? " OR (" : "(");
        for (unsigned part = 0; part <= depth; part++) {
            const struct column *column = key_column(table, part);
            g_string_append(sql, part > 0 ? " AND " : "");
            quote_identifier(sql, column->name);
            g_string_append(sql, part < depth ? "=" : depth + 1 < parts ? strict : last);
            column_key_literal_append(sql, column, bound_part(bound, part));
        }
        g_string_append_c(sql, ')');
    }
    g_string_append_c(sql, ')');
}

/* The first key column alone, inclusive: what bounds the index range at its other end. */
static void
append_first_part(GString *sql, const struct table *table, const struct bound *bound,
                  const char *operator)
{
    const struct column *column = key_column(table, 0);
    g_string_append(sql, " AND ");
    quote_identifier(sql, column->name);
    g_string_append(sql, operator);
    column_key_literal_append(sql, column, bound_part(bound, 0));
}

static void
append_from(GString *sql, const struct table *table)
{
    g_string_append(sql, " FROM ");
    quote_table(sql, table->schema, table->name);
    g_string_append(sql, " FORCE INDEX (");
    quote_identifier(sql, table->key_name);
    g_string_append_c(sql, ')');
}

static void
append_where(GString *sql, const struct table *table, const struct bound *lower,
             const struct bound *upper)
{
    bool composite = table->key_columns->len > 1;
    if (lower != NULL || upper != NULL)
        g_string_append(sql, " WHERE ");
    if (lower != NULL) {
        append_comparison(sql, table, lower, ">", ">");
        if (composite)
            append_first_part(sql, table, lower, ">=");
    }
    if (upper != NULL) {
        g_string_append(sql, lower != NULL ? " AND " : "");
        append_comparison(sql, table, upper, "<", "<=");
        if (composite)
            append_first_part(sql, table, upper, "<=");
    }
}

void
select_bound_append(GString *sql, const struct table *table, const struct bound *lower,
                    uint64_t rows)
{
    unsigned parts = table->key_columns->len;
    g_string_append(sql, "SELECT ");
    for (unsigned part = 0; part < parts; part++) {
        g_string_append(sql, part > 0 ? "," : "");
        column_select_append(sql, key_column(table, part));
    }
    append_from(sql, table);
    append_where(sql, table, lower, NULL);
    g_string_append(sql, " ORDER BY ");
    for (unsigned part = 0; part < parts; part++) {
        g_string_append(sql, part > 0 ? "," : "");
        quote_identifier(sql, key_column(table, part)->name);
    }
    g_string_append_printf(sql, " LIMIT 1 OFFSET %" G_GUINT64_FORMAT, rows > 0 ? rows - 1 : 0);
}

void
select_rows_append(GString *sql, const struct table *table, const struct bound *lower,
                   const struct bound *upper)
{
    const char *separator = "SELECT ";
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (column->generated)
            continue;
        g_string_append(sql, separator);
        column_select_append(sql, column);
        separator = ",";
    }
    append_from(sql, table);
    append_where(sql, table, lower, upper);
}

void
load_statement_append(GString *sql, const struct moved_table *table)
{
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(GString) assignments = g_string_new(NULL);
    unsigned number = 0;
    for (unsigned i = 0; i < table->source->columns->len; i++) {
        const struct column *column = table_column(table->source, i);
        if (column->generated)
            continue;
        g_string_append(list, number > 0 ? "," : "");
        column_load_target_append(list, assignments, column, ++number);
    }
    g_string_append(sql, "LOAD DATA LOCAL INFILE 'rows' IGNORE INTO TABLE ");
    quote_table(sql, table->to_schema, table->to_table);
    g_string_append_printf(sql, " CHARACTER SET binary (%s)", list->str);
    if (assignments->len > 0)
        g_string_append_printf(sql, " SET %s", assignments->str);
}

void
insert_head_append(GString *sql, const struct moved_table *table)
{
    const char *separator = " (";
    g_string_append(sql, "INSERT INTO ");
    quote_table(sql, table->to_schema, table->to_table);
    for (unsigned i = 0; i < table->source->columns->len; i++) {
        const struct column *column = table_column(table->source, i);
        if (column->generated)
            continue;
        g_string_append(sql, separator);
        quote_identifier(sql, column->name);
        separator = ",";
    }
    g_string_append(sql, ") VALUES ");
}

void
insert_tail_append(GString *sql, const struct moved_table *table)
{
    const char *name = key_column(table->source, 0)->name;
    g_string_append(sql, " ON DUPLICATE KEY UPDATE ");
    quote_identifier(sql, name);
    g_string_append_c(sql, '=');
    quote_identifier(sql, name);
}
