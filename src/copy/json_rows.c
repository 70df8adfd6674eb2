#include "copy/json_rows.h"

#include "base/error.h"
#include "mysql/quote.h"
#include "schema/column_text.h"
#include "schema/json_rebuild.h"

#define KEY_SHOWN_BYTES_MAX 200

void
json_row_init(struct json_row *row, const struct table *table)
{
    *row = (struct json_row){.table = table};
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (column->generated)
            continue;
        row->fields++;
        row->guards += column->type == COLUMN_JSON ? 1 : 0;
    }
}

bool
json_row_is_typed(const struct json_row *row)
{
    for (unsigned i = 0; i < row->guards; i++)
        if (row->values[row->fields + i] != NULL)
            return true;
    return false;
}

static struct column_text
field_text(const struct json_row *row, unsigned field)
{
    return (struct column_text){.data = row->values[field], .length = row->lengths[field]};
}

/* "table `s`.`t`, row `id`=5, JSON column `j`: " */
static void
prefix_error(GError **error, const struct json_row *row, const struct column *failed)
{
    g_autoptr(GString) where = g_string_new(NULL);
    for (unsigned part = 0; part < row->table->key_columns->len; part++) {
        unsigned index = table_key_column_index(row->table, part);
        unsigned field = 0;
        for (unsigned i = 0; i < index; i++)
            field += table_column(row->table, i)->generated ? 0 : 1;
        g_string_append(where, part > 0 ? ", " : "");
        quote_identifier(where, table_column(row->table, index)->name);
        g_string_append_c(where, '=');
        column_key_literal_append(where, table_column(row->table, index), field_text(row, field));
    }
    if (where->len > KEY_SHOWN_BYTES_MAX)
        g_string_truncate(where, KEY_SHOWN_BYTES_MAX);
    g_autofree char *shown = g_utf8_make_valid(where->str, -1);
    g_prefix_error(error, "table %s.%s, row %s, JSON column `%s`: ", row->table->schema,
                   row->table->name, shown, failed->name);
}

bool
json_row_append(GString *sql, const struct json_row *row, bool first, GError **error)
{
    unsigned field = 0;
    unsigned guard = row->fields;
    g_string_append(sql, first ? "(" : ",(");
    for (unsigned i = 0; i < row->table->columns->len; i++) {
        const struct column *column = table_column(row->table, i);
        if (column->generated)
            continue;
        if (field > 0)
            g_string_append_c(sql, ',');
        struct column_text marks = {0};
        if (column->type == COLUMN_JSON)
            marks = field_text(row, guard++);
        if (marks.data == NULL) {
            column_literal_append(sql, column, field_text(row, field));
        } else if (!json_rebuild_append(sql, field_text(row, field), marks, error)) {
            prefix_error(error, row, column);
            return false;
        }
        field++;
    }
    g_string_append_c(sql, ')');
    return true;
}
