#include "copy/typed_row.h"

#include "schema/column_real.h"
#include "schema/column_text.h"
#include "schema/json_rebuild.h"
#include "schema/row_name.h"

void
typed_row_init(struct typed_row *row, const struct moved_table *moved)
{
    const struct table *table = moved->source;
    *row = (struct typed_row){
        .moved = moved, .table = table, .enums = g_array_new(FALSE, FALSE, sizeof(unsigned))};
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (column->generated)
            continue;
        if (column->type == COLUMN_ENUM)
            g_array_append_val(row->enums, row->fields);
        row->fields++;
        row->guards += column->type == COLUMN_JSON ? 1 : 0;
    }
}

void
typed_row_clear(struct typed_row *row)
{
    g_array_unref(row->enums);
    *row = (struct typed_row){0};
}

static struct column_text
field_text(const struct typed_row *row, unsigned field)
{
    return (struct column_text){.data = row->values[field], .length = row->lengths[field]};
}

bool
typed_row_needs_insert(const struct typed_row *row)
{
    for (guint i = 0; i < row->enums->len; i++) {
        unsigned field = g_array_index(row->enums, unsigned, i);
        if (row->values[field] != NULL && column_is_enum_zero(field_text(row, field)))
            return true;
    }
    for (unsigned i = 0; i < row->guards; i++)
        if (row->values[row->fields + i] != NULL)
            return true;
    return false;
}

/* The field of a column. */
static unsigned
field_of(const struct table *table, unsigned index)
{
    unsigned field = 0;
    for (unsigned i = 0; i < index; i++)
        field += table_column(table, i)->generated ? 0 : 1;
    return field;
}

static void
key_parts(const struct typed_row *row, struct column_text parts[KEY_PARTS_MAX])
{
    const struct table *table = row->table;
    g_assert(table->key_columns->len <= KEY_PARTS_MAX);
    for (unsigned part = 0; part < table->key_columns->len; part++)
        parts[part] = field_text(row, field_of(table, table_key_column_index(table, part)));
}

/* Says whose row an error is about. */
static void
name_row(const struct typed_row *row, GError **error)
{
    struct column_text parts[KEY_PARTS_MAX];
    key_parts(row, parts);
    row_name_prefix(error, row->table, parts);
}

/* A value that cannot be written as it is: one near by for now, where its own can follow. */
static bool
put_near(const struct typed_row *row, const struct column *column, struct column_text *text,
         GError **error)
{
    struct column_text parts[KEY_PARTS_MAX];
    key_parts(row, parts);
    return exact_reals_put_near(row->reals, row->moved, parts, column, text, error);
}

static bool
append_document(GString *sql, const struct column *column, struct column_text document,
                struct column_text marks, GError **error)
{
    if (json_rebuild_append(sql, document, marks, error))
        return true;
    g_prefix_error(error, "JSON column `%s`: ", column->name);
    return false;
}

static bool
append_literal(GString *sql, const struct typed_row *row, const struct column *column,
               struct column_text text, GError **error)
{
    return column_literal_append(sql, column, text) ||
           (put_near(row, column, &text, error) && column_literal_append(sql, column, text));
}

static bool
append_field(GString *file, const struct typed_row *row, const struct column *column,
             struct column_text text, GError **error)
{
    return column_load_append(file, column, text) ||
           (put_near(row, column, &text, error) && column_load_append(file, column, text));
}

bool
loaded_row_append(GString *file, const struct typed_row *row, GError **error)
{
    const struct table *table = row->table;
    unsigned field = 0;
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (column->generated)
            continue;
        struct column_text text = {.data = row->values[field], .length = row->lengths[field]};
        if (field++ > 0)
            g_string_append_c(file, '\t');
        if (!append_field(file, row, column, text, error)) {
            name_row(row, error);
            return false;
        }
    }
    g_string_append_c(file, '\n');
    return true;
}

bool
typed_row_append(GString *sql, const struct typed_row *row, bool first, GError **error)
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
        struct column_text text = field_text(row, field);
        if (marks.data == NULL ? !append_literal(sql, row, column, text, error)
                               : !append_document(sql, column, text, marks, error)) {
            name_row(row, error);
            return false;
        }
        field++;
    }
    g_string_append_c(sql, ')');
    return true;
}

void
typed_row_check(const struct typed_row *row, struct stored_check *check)
{
    struct column_text *values = stored_check_row(check);
    unsigned field = 0;
    unsigned compared = row->fields + row->guards;
    for (unsigned i = 0; i < row->table->columns->len; i++) {
        const struct column *column = table_column(row->table, i);
        if (!column->generated)
            values[i] = field_text(row, field++);
        else if (column->compared)
            values[i] = field_text(row, compared++);
    }
    stored_check_add(check, values);
}
