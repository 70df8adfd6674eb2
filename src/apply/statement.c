#include "apply/statement.h"

#include "binlog/value.h"
#include "mysql/quote.h"
#include "schema/column_text.h"
#include "schema/key.h"

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
    *buffers = (struct statement_buffers){0};
}

static bool
build_delete(struct statement_buffers *buffers, const struct slice *slice, GError **error)
{
    GString *sql = buffers->sql;
    const struct table *table = slice->table->source;

    g_string_append(sql, "DELETE FROM ");
    quote_table(sql, slice->table->to_schema, slice->table->to_table);
    g_string_append(sql, " WHERE ");
    key_in_begin(sql, table);
    for (size_t i = 0; i < slice->count; i++) {
        const struct batch_entry *entry = batch_entry(slice->batch, slice->entries[i]);
        if (!row_key_values_read(entry->layout, entry->image, buffers->scratch, buffers->values,
                                 error))
            return false;
        key_in_append(sql, table, buffers->values, i == 0);
    }
    key_in_end(sql, table);
    return true;
}

static bool
build_replace(struct statement_buffers *buffers, const struct slice *slice, GError **error)
{
    GString *sql = buffers->sql;
    const struct table *table = slice->table->source;
    const char *separator = "";

    g_string_append(sql, "REPLACE INTO ");
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
        const struct batch_entry *entry = batch_entry(slice->batch, slice->entries[row]);
        const struct row_layout *layout = entry->layout;
        if (!row_values_read(layout, entry->image, buffers->scratch, buffers->values, error))
            return false;
        g_string_append(sql, row > 0 ? ",(" : "(");
        separator = "";
        for (unsigned i = 0; i < layout->columns_count; i++) {
            const struct column *column = layout->columns[i].column;
            if (column == NULL || column->generated)
                continue;
            g_string_append(sql, separator);
            column_literal_append(sql, column, buffers->values[i]);
            separator = ",";
        }
        g_string_append_c(sql, ')');
    }
    return true;
}

bool
statement_build(struct statement_buffers *buffers, const struct slice *slice, GError **error)
{
    const struct row_layout *layout = batch_entry(slice->batch, slice->entries[0])->layout;
    if (buffers->values_size < layout->columns_count) {
        buffers->values_size = layout->columns_count;
        buffers->values = g_renew(struct column_text, buffers->values, buffers->values_size);
    }
    g_string_truncate(buffers->sql, 0);
    return slice->is_put ? build_replace(buffers, slice, error)
                         : build_delete(buffers, slice, error);
}
