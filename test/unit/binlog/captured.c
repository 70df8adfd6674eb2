#include "captured.h"

#include <criterion/criterion.h>
#include <string.h>

static enum column_type
type_of(const char *data_type)
{
    static const struct {
        const char *suffix;
        enum column_type type;
    } types[] = {
        {"tinyint", COLUMN_TINYINT},
        {"smallint", COLUMN_SMALLINT},
        {"mediumint", COLUMN_MEDIUMINT},
        {"bigint", COLUMN_BIGINT},
        {"multipoint", COLUMN_GEOMETRY},
        {"point", COLUMN_GEOMETRY},
        {"int", COLUMN_INT},
        {"decimal", COLUMN_DECIMAL},
        {"float", COLUMN_FLOAT},
        {"double", COLUMN_DOUBLE},
        {"bit", COLUMN_BIT},
        {"year", COLUMN_YEAR},
        {"datetime", COLUMN_DATETIME},
        {"date", COLUMN_DATE},
        {"timestamp", COLUMN_TIMESTAMP},
        {"time", COLUMN_TIME},
        {"varchar", COLUMN_VARCHAR},
        {"char", COLUMN_CHAR},
        {"varbinary", COLUMN_VARBINARY},
        {"binary", COLUMN_BINARY},
        {"text", COLUMN_TEXT},
        {"blob", COLUMN_BLOB},
        {"enum", COLUMN_ENUM},
        {"set", COLUMN_SET},
        {"json", COLUMN_JSON},
        {"vector", COLUMN_VECTOR},
        {"geometry", COLUMN_GEOMETRY},
        {"linestring", COLUMN_GEOMETRY},
        {"polygon", COLUMN_GEOMETRY},
        {"geomcollection", COLUMN_GEOMETRY},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_has_suffix(data_type, types[i].suffix))
            return types[i].type;
    return COLUMN_UNSUPPORTED;
}

struct table *
table_made(const char *schema, const char *name)
{
    struct table *table = g_new0(struct table, 1);
    table->schema = g_strdup(schema);
    table->name = g_strdup(name);
    table->columns = g_ptr_array_new_with_free_func((GDestroyNotify)column_free);
    table->key_columns = g_array_new(FALSE, FALSE, sizeof(unsigned));
    return table;
}

struct column *
column_made(struct table *table, const char *name, const char *data_type)
{
    struct column *column = g_new0(struct column, 1);
    column->name = g_strdup(name);
    column->data_type = g_strdup(data_type);
    column->column_type = g_strdup(data_type);
    column->type = type_of(data_type);
    cr_assert_neq(column->type, COLUMN_UNSUPPORTED, "no such type: %s", data_type);
    g_ptr_array_add(table->columns, column);
    return column;
}

static unsigned
number(const char *field)
{
    return (unsigned)g_ascii_strtoull(field, NULL, 10);
}

/* name, DATA_TYPE, COLUMN_TYPE, generated, octets, precision, scale, fsp, members, expression */
static void
add_column(struct captured_table *captured, char **fields)
{
    cr_assert_eq(g_strv_length(fields), 11);
    struct column *column = column_made(captured->table, fields[1], fields[2]);
    g_free(column->column_type);
    column->column_type = g_strdup(fields[3]);
    column->is_unsigned = strstr(fields[3], " unsigned") != NULL;
    column->generated = fields[4][0] == '1';
    column->octet_length = g_ascii_strtoull(fields[5], NULL, 10);
    column->precision = number(fields[6]);
    column->scale = number(fields[7]);
    column->fsp = number(fields[8]);
    column->members = number(fields[9]);
    g_ptr_array_add(captured->expressions, g_strdup(fields[10]));
}

static void
add_key(struct table *table, char **names)
{
    table->key_name = g_strdup("PRIMARY");
    for (; *names != NULL; names++)
        for (unsigned i = 0; i < table->columns->len; i++)
            if (strcmp(table_column(table, i)->name, *names) == 0)
                g_array_append_val(table->key_columns, i);
}

static void
captured_table_free(void *pointer)
{
    struct captured_table *captured = pointer;
    table_free(captured->table);
    g_ptr_array_unref(captured->expressions);
    g_ptr_array_unref(captured->rows);
    g_free(captured);
}

GHashTable *
captured_tables(void)
{
    g_autofree char *text = NULL;
    cr_assert(g_file_get_contents("test/data/binlog/values.txt", &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GHashTable *tables = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, captured_table_free);
    struct captured_table *captured = NULL;
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, "\t", -1);
        if (g_strcmp0(fields[0], "table") == 0) {
            captured = g_new0(struct captured_table, 1);
            captured->table = table_made("captured", fields[1]);
            captured->expressions = g_ptr_array_new_with_free_func(g_free);
            captured->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
            g_hash_table_insert(tables, captured->table->name, captured);
        } else if (captured != NULL && g_strcmp0(fields[0], "column") == 0) {
            add_column(captured, fields);
        } else if (captured != NULL && g_strcmp0(fields[0], "key") == 0) {
            add_key(captured->table, fields + 1);
        } else if (captured != NULL && g_strcmp0(fields[0], "row") == 0) {
            g_ptr_array_add(captured->rows, g_strdupv(fields + 1));
        }
    }
    return tables;
}

GBytes *
captured_file(const char *name)
{
    g_autofree char *path = g_build_filename("test/data/binlog", name, NULL);
    char *bytes = NULL;
    gsize length = 0;
    cr_assert(g_file_get_contents(path, &bytes, &length, NULL), "cannot read %s", path);
    return g_bytes_new_take(bytes, length);
}

bool
captured_next(GBytes *file, size_t *offset, struct captured_event *ret_event)
{
    gsize size = 0;
    const uint8_t *bytes = g_bytes_get_data(file, &size);
    if (*offset == 0)
        *offset = 4; /* the magic number */
    if (*offset + 19 > size)
        return false;
    struct cursor header = cursor_of(bytes + *offset, 19);
    cursor_uint(&header, 4);
    ret_event->type = (uint8_t)cursor_uint(&header, 1);
    cursor_uint(&header, 4);
    size_t length = (size_t)cursor_uint(&header, 4);
    cr_assert(length >= 23 && length <= size - *offset);
    ret_event->body = cursor_of(bytes + *offset + 19, length - 23);
    *offset += length;
    return true;
}

struct captured_event
captured_find(GBytes *file, uint8_t type, unsigned nth)
{
    size_t offset = 0;
    struct captured_event event = {0};
    while (captured_next(file, &offset, &event))
        if (event.type == type && nth-- == 0)
            return event;
    cr_assert_fail("no such event of type %u", type);
    return event;
}
