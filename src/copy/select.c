#include "copy/select.h"

#include "mysql/quote.h"
#include "schema/column_text.h"
#include "schema/key.h"

static const struct column *
key_column(const struct table *table, unsigned part)
{
    return table_column(table, table_key_column_index(table, part));
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
    g_string_append(sql, " WHERE ");
    key_range_append(sql, table, lower != NULL ? bound_texts(lower) : NULL,
                     upper != NULL ? bound_texts(upper) : NULL);
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
    key_order_append(sql, table);
    g_string_append_printf(sql, " LIMIT 1 OFFSET %" G_GUINT64_FORMAT, rows > 0 ? rows - 1 : 0);
}

static void
append_guards(GString *sql, const struct table *table)
{
    g_autoptr(GString) guard = g_string_new(NULL);
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        g_string_truncate(guard, 0);
        if (!column->generated && column_guard_append(guard, column))
            g_string_append_printf(sql, ",%s", guard->str);
    }
}

static void
append_compared(GString *sql, const struct table *table)
{
    for (unsigned i = 0; i < table->columns->len; i++) {
        if (!table_column(table, i)->compared)
            continue;
        g_string_append_c(sql, ',');
        column_select_append(sql, table_column(table, i));
    }
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
    append_guards(sql, table);
    append_compared(sql, table);
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
    /* ON DUPLICATE KEY UPDATE fails (1032) where a value of such an index is taken. */
    g_string_append(sql, table->source->unique_array ? "INSERT IGNORE INTO " : "INSERT INTO ");
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

/* One that may be written, of the key if it can be: of that nothing large has to be read. */
static const struct column *
written_column(const struct table *table)
{
    for (unsigned part = 0; part < table->key_columns->len; part++)
        if (!key_column(table, part)->generated)
            return key_column(table, part);
    unsigned i = 0;
    while (i + 1 < table->columns->len && table_column(table, i)->generated)
        i++;
    return table_column(table, i);
}

void
insert_tail_append(GString *sql, const struct moved_table *table)
{
    const char *name = written_column(table->source)->name;
    if (table->source->unique_array)
        return;
    g_string_append(sql, " ON DUPLICATE KEY UPDATE ");
    quote_identifier(sql, name);
    g_string_append_c(sql, '=');
    quote_identifier(sql, name);
}
