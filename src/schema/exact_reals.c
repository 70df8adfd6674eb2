#include "schema/exact_reals.h"

#include <string.h>

#include "mysql/quote.h"
#include "schema/key.h"
#include "schema/lost_dates.h"
#include "schema/row_name.h"

#define TOGETHER 50 /* values in one packet */

struct exact_value {
    const struct column *column;
    char text[COLUMN_REAL_BYTES];
    char near[COLUMN_REAL_BYTES];
    struct column_text key[KEY_PARTS_MAX]; /* their bytes are in `kept` */
    char *kept[KEY_PARTS_MAX];
};

struct exact_reals {
    const struct moved_table *table;
    GPtrArray *values; /* struct exact_value */
};

/* The row with a value near by would be another one, or two rows would be one. */
static bool
key_depends_on(const struct table *table, const struct column *column)
{
    for (unsigned part = 0; part < table->key_columns->len; part++) {
        const struct column *of_key = table_column(table, table_key_column_index(table, part));
        if (of_key == column || of_key->generated)
            return true;
    }
    return false;
}

bool
exact_reals_possible(const struct table *table, const struct column *column)
{
    return column->type == COLUMN_DOUBLE && table->other_unique_keys == 0 &&
           !key_depends_on(table, column);
}

static void
free_value(void *argument)
{
    struct exact_value *value = argument;
    for (unsigned i = 0; i < KEY_PARTS_MAX; i++)
        g_free(value->kept[i]);
    g_free(value);
}

static struct exact_reals *
exact_reals_new(const struct moved_table *table)
{
    struct exact_reals *reals = g_new0(struct exact_reals, 1);
    reals->table = table;
    reals->values = g_ptr_array_new_with_free_func(free_value);
    return reals;
}

void
exact_reals_free(struct exact_reals *reals)
{
    if (reals == NULL)
        return;
    g_ptr_array_unref(reals->values);
    g_free(reals);
}

static void
add(struct exact_reals *reals, const struct column_text *key, const struct column *column,
    struct column_text *text)
{
    struct exact_value *value = g_new0(struct exact_value, 1);
    unsigned parts = reals->table->source->key_columns->len;
    g_assert(parts <= KEY_PARTS_MAX && text->length < sizeof value->text);
    value->column = column;
    memcpy(value->text, text->data, text->length);
    for (unsigned i = 0; i < parts; i++) {
        value->kept[i] = g_malloc(key[i].length + 1); /* an empty key is not NULL */
        memcpy(value->kept[i], key[i].data, key[i].length);
        value->key[i] = key[i];
        value->key[i].data = value->kept[i];
    }
    g_ptr_array_add(reals->values, value);
    column_real_near(column, value->near, text);
}

bool
exact_reals_put_near(struct exact_reals **reals, const struct moved_table *table,
                     const struct column_text *key, const struct column *column,
                     struct column_text *text, GError **error)
{
    if (!exact_reals_possible(table->source, column)) {
        if (lost_dates_holds(column, *text))
            lost_dates_refuse(column, error);
        else
            column_real_refuse(column, error);
        return false;
    }
    if (*reals == NULL)
        *reals = exact_reals_new(table);
    add(*reals, key, column, text);
    return true;
}

unsigned
exact_reals_count(const struct exact_reals *reals)
{
    return reals != NULL ? reals->values->len : 0;
}

/* A literal of type DOUBLE, not DECIMAL. */
static void
append_double(GString *sql, const char *text)
{
    g_string_append(sql, text);
    if (strpbrk(text, "eE") == NULL)
        g_string_append(sql, "e0");
}

static void
append_key(GString *sql, const struct table *table, const struct exact_value *value)
{
    key_in_begin(sql, table);
    key_in_append(sql, table, value->key, true);
    key_in_end(sql, table);
}

static void
append_table(GString *sql, const struct exact_reals *reals)
{
    quote_table(sql, reals->table->to_schema, reals->table->to_table);
}

/* A derived table with LIMIT is made, not merged away. Columns with ON UPDATE keep what they have. */
static void
append_update(GString *sql, const struct exact_reals *reals, const struct exact_value *value)
{
    const struct table *table = reals->table->source;
    g_string_append(sql, "UPDATE ");
    append_table(sql, reals);
    g_string_append(sql, " AS t JOIN (SELECT ");
    append_double(sql, value->text);
    g_string_append(sql, " AS `move-tables double` LIMIT 1) AS v SET t.");
    quote_identifier(sql, value->column->name);
    g_string_append(sql, "=v.`move-tables double`");
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (column->generated ||
            (column->type != COLUMN_TIMESTAMP && column->type != COLUMN_DATETIME))
            continue;
        g_string_append(sql, ",t.");
        quote_identifier(sql, column->name);
        g_string_append(sql, "=t.");
        quote_identifier(sql, column->name);
    }
    g_string_append(sql, " WHERE ");
    append_key(sql, table, value);
}

/* Gives `index` where a row has that key and another value. Zero has a sign, which `=` does not see. */
static void
append_probe(GString *sql, const struct exact_reals *reals, const struct exact_value *value,
             guint index)
{
    g_string_append_printf(sql, "(SELECT %u FROM ", index);
    append_table(sql, reals);
    g_string_append(sql, " WHERE ");
    append_key(sql, reals->table->source, value);
    g_string_append(sql, " AND NOT (CAST(");
    quote_identifier(sql, value->column->name);
    g_string_append(sql, " AS DOUBLE)=");
    append_double(sql, value->text);
    g_string_append(sql, " AND LEFT(CAST(");
    quote_identifier(sql, value->column->name);
    g_string_append_printf(sql, " AS DOUBLE),1)%s'-'))", *value->text == '-' ? "=" : "<>");
}

static bool
run_some(const struct exact_reals *reals, guint from, guint to, struct conn *conn, GError **error)
{
    g_autoptr(GString) updates = g_string_new(NULL);
    g_autoptr(GString) probe = g_string_new(NULL);
    for (guint i = from; i < to; i++) {
        const struct exact_value *value = g_ptr_array_index(reals->values, i);
        g_string_append(updates, i > from ? "; " : "");
        append_update(updates, reals, value);
        g_string_append(probe, i > from ? " UNION ALL " : "");
        append_probe(probe, reals, value, i);
    }
    g_string_append(probe, " LIMIT 1");
    g_autofree char *found = NULL;
    if (!conn_exec_bytes(conn, updates->str, updates->len, error) ||
        !conn_query_value(conn, probe->str, &found, error))
        return false;
    if (found == NULL)
        return true;
    const struct exact_value *value = g_ptr_array_index(reals->values,
                                                        g_ascii_strtoull(found, NULL, 10));
    column_real_refuse(value->column, error);
    row_name_prefix(error, reals->table->source, value->key);
    return false;
}

bool
exact_reals_run(const struct exact_reals *reals, struct conn *conn, GError **error)
{
    for (guint from = 0; from < reals->values->len; from += TOGETHER)
        if (!run_some(reals, from, MIN(from + TOGETHER, reals->values->len), conn, error))
            return false;
    return true;
}
