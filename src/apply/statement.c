#include "apply/statement.h"

#include "base/error.h"
#include "binlog/value.h"
#include "mysql/quote.h"
#include "schema/column_real.h"
#include "schema/column_text.h"
#include "schema/key.h"
#include "schema/row_name.h"

#define KEPT_BYTES ((gsize)4 << 20)

void
statement_buffers_init(struct statement_buffers *buffers)
{
    *buffers = (struct statement_buffers){
        .sql = g_string_sized_new(1 << 16),
        .scratch = g_string_sized_new(1 << 12),
    };
}

void
statement_buffers_trim(struct statement_buffers *buffers)
{
    GString **strings[] = {&buffers->sql, &buffers->scratch};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        if ((*strings[i])->allocated_len <= KEPT_BYTES)
            continue;
        g_string_free(*strings[i], TRUE);
        *strings[i] = g_string_sized_new(1 << 16);
    }
}

void
statement_buffers_clear(struct statement_buffers *buffers)
{
    g_string_free(buffers->sql, TRUE);
    g_string_free(buffers->scratch, TRUE);
    g_free(buffers->values);
    stored_check_free(buffers->check);
    exact_reals_free(buffers->reals);
    *buffers = (struct statement_buffers){0};
}

/* Says whose row an error is about. Uses the buffers. */
static void
name_entry(struct statement_buffers *buffers, const struct slice *slice, size_t index,
           GError **error)
{
    const struct batch_entry *entry = batch_entry(slice->batch, slice->entries[index]);
    bool known = row_key_values_read(entry->layout, entry->image, buffers->scratch, buffers->values,
                                     NULL);
    row_name_prefix(error, slice->table->source, known ? buffers->values : NULL);
}

/* Appends the condition that finds the slice's rows. */
static bool
append_where(struct statement_buffers *buffers, const struct slice *slice, GError **error)
{
    GString *sql = buffers->sql;
    const struct table *table = slice->table->source;
    key_in_begin(sql, table);
    for (size_t i = 0; i < slice->count; i++) {
        const struct batch_entry *entry = batch_entry(slice->batch, slice->entries[i]);
        if (!row_key_values_read(entry->layout, entry->image, buffers->scratch, buffers->values,
                                 error)) {
            name_entry(buffers, slice, i, error);
            return false;
        }
        key_in_append(sql, table, buffers->values, i == 0);
    }
    key_in_end(sql, table);
    return true;
}

static bool
build_delete(struct statement_buffers *buffers, const struct slice *slice, GError **error)
{
    g_string_append(buffers->sql, "DELETE FROM ");
    quote_table(buffers->sql, slice->table->to_schema, slice->table->to_table);
    g_string_append(buffers->sql, " WHERE ");
    return append_where(buffers, slice, error);
}

/* A value that no REPLACE stores: one near by for now, where its own can follow. */
static bool
append_near(struct statement_buffers *buffers, const struct moved_table *moved,
            const struct column *column, struct column_text text, GError **error)
{
    struct column_text key[KEY_PARTS_MAX];
    const struct table *table = moved->source;
    g_assert(table->key_columns->len <= KEY_PARTS_MAX);
    for (unsigned part = 0; part < table->key_columns->len; part++)
        key[part] = buffers->values[table_key_column_index(table, part)];
    return exact_reals_put_near(&buffers->reals, moved, key, column, &text, error) &&
           column_literal_append(buffers->sql, column, text);
}

/* Appends `(…)` of one entry. */
static bool
append_row(struct statement_buffers *buffers, const struct moved_table *moved,
           const struct batch_entry *entry, GError **error)
{
    const struct row_layout *layout = entry->layout;
    const char *separator = "(";
    if (!row_values_read(layout, entry->image, buffers->scratch, buffers->values, error))
        return false;
    for (unsigned i = 0; i < layout->columns_count; i++) {
        const struct column *column = layout->columns[i].column;
        if (column == NULL || column->generated)
            continue;
        g_string_append(buffers->sql, separator);
        if (!column_literal_append(buffers->sql, column, buffers->values[i]) &&
            !append_near(buffers, moved, column, buffers->values[i], error))
            return false;
        separator = ",";
    }
    g_string_append_c(buffers->sql, ')');
    if (buffers->check != NULL)
        stored_check_add(buffers->check, buffers->values);
    return true;
}

static bool
build_replace(struct statement_buffers *buffers, const struct slice *slice, GError **error)
{
    GString *sql = buffers->sql;
    const struct table *table = slice->table->source;
    const char *separator = "";

    g_string_append(sql, table->unique_array ? "INSERT IGNORE INTO " : "REPLACE INTO ");
    quote_table(sql, slice->table->to_schema, slice->table->to_table);
    g_string_append(sql, " (");
    for (unsigned i = 0; i < table->columns->len; i++) {
        if (table_column(table, i)->generated)
            continue;
        g_string_append(sql, separator);
        quote_identifier(sql, table_column(table, i)->name);
        separator = ",";
    }
    g_string_append(sql, ") VALUES ");
    for (size_t row = 0; row < slice->count; row++) {
        if (row > 0)
            g_string_append_c(sql, ',');
        if (!append_row(buffers, slice->table, batch_entry(slice->batch, slice->entries[row]),
                        error)) {
            name_entry(buffers, slice, row, error);
            return false;
        }
    }
    return true;
}

/* Empty, and with room for a row's values. */
static void
begin_statement(struct statement_buffers *buffers, const struct slice *slice)
{
    const struct row_layout *layout = batch_entry(slice->batch, slice->entries[0])->layout;
    if (buffers->values_size < layout->columns_count) {
        buffers->values_size = layout->columns_count;
        buffers->values = g_renew(struct column_text, buffers->values, buffers->values_size);
    }
    g_string_truncate(buffers->sql, 0);
}

bool
statement_build(struct statement_buffers *buffers, const struct slice *slice, GError **error)
{
    begin_statement(buffers, slice);
    g_clear_pointer(&buffers->check, stored_check_free);
    g_clear_pointer(&buffers->reals, exact_reals_free);
    if (slice->is_put && stored_check_wanted(slice->table->source))
        buffers->check = stored_check_new(slice->table, slice->table->source->unique_array);
    return slice->is_put ? build_replace(buffers, slice, error)
                         : build_delete(buffers, slice, error);
}

void
statement_name_row(struct statement_buffers *buffers, const struct slice *slice, GError **error)
{
    if (slice->count != 1 || row_is_named(*error) ||
        (!g_error_matches(*error, MT_ERROR, MT_ERROR_DATA) &&
         !g_error_matches(*error, MT_ERROR, MT_ERROR_TARGET)))
        return;
    begin_statement(buffers, slice);
    name_entry(buffers, slice, 0, error);
}
