#include "schema/inspect.h"

#include <string.h>

#include "base/error.h"
#include "mysql/quote.h"
#include "schema/key_choice_int.h"

static const struct {
    const char *data_type;
    enum column_type type;
} column_types[] = {
    {"tinyint", COLUMN_TINYINT},
    {"smallint", COLUMN_SMALLINT},
    {"mediumint", COLUMN_MEDIUMINT},
    {"int", COLUMN_INT},
    {"bigint", COLUMN_BIGINT},
    {"decimal", COLUMN_DECIMAL},
    {"float", COLUMN_FLOAT},
    {"double", COLUMN_DOUBLE},
    {"bit", COLUMN_BIT},
    {"year", COLUMN_YEAR},
    {"date", COLUMN_DATE},
    {"time", COLUMN_TIME},
    {"datetime", COLUMN_DATETIME},
    {"timestamp", COLUMN_TIMESTAMP},
    {"char", COLUMN_CHAR},
    {"varchar", COLUMN_VARCHAR},
    {"binary", COLUMN_BINARY},
    {"varbinary", COLUMN_VARBINARY},
    {"tinytext", COLUMN_TEXT},
    {"text", COLUMN_TEXT},
    {"mediumtext", COLUMN_TEXT},
    {"longtext", COLUMN_TEXT},
    {"tinyblob", COLUMN_BLOB},
    {"blob", COLUMN_BLOB},
    {"mediumblob", COLUMN_BLOB},
    {"longblob", COLUMN_BLOB},
    {"enum", COLUMN_ENUM},
    {"set", COLUMN_SET},
    {"json", COLUMN_JSON},
    {"geometry", COLUMN_GEOMETRY},
    {"point", COLUMN_GEOMETRY},
    {"linestring", COLUMN_GEOMETRY},
    {"polygon", COLUMN_GEOMETRY},
    {"multipoint", COLUMN_GEOMETRY},
    {"multilinestring", COLUMN_GEOMETRY},
    {"multipolygon", COLUMN_GEOMETRY},
    {"geomcollection", COLUMN_GEOMETRY},
    {"geometrycollection", COLUMN_GEOMETRY},
    {"vector", COLUMN_VECTOR},
};

static enum column_type
column_type_of(const char *data_type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(column_types); i++)
        if (g_ascii_strcasecmp(column_types[i].data_type, data_type) == 0)
            return column_types[i].type;
    return COLUMN_UNSUPPORTED;
}

/* Labels of `enum('a','it''s')`: strings, whose quotes are doubled and backslashes escape. */
static unsigned
count_members(const char *column_type)
{
    unsigned members = 0;
    for (const char *p = strchr(column_type, '\''); p != NULL; p = strchr(p, '\'')) {
        members++;
        for (p++; *p != '\0' && (*p != '\'' || p[1] == '\''); p++)
            if ((*p == '\'' || *p == '\\') && p[1] != '\0')
                p++;
        if (*p != '\0')
            p++;
    }
    return members;
}

static struct column *
column_read(const struct result *result, size_t row)
{
    const char *extra = result_get(result, row, "EXTRA");
    const char *nullable = result_get(result, row, "IS_NULLABLE");
    const char *column_type = result_get(result, row, "COLUMN_TYPE");
    struct column *column = g_new0(struct column, 1);
    column->name = g_strdup(result_get(result, row, "COLUMN_NAME"));
    column->data_type = g_strdup(result_get(result, row, "DATA_TYPE"));
    column->column_type = g_strdup(column_type != NULL ? column_type : "");
    column->type = column_type_of(column->data_type);
    column->nullable = nullable != NULL && g_str_equal(nullable, "YES");
    /* DEFAULT_GENERATED, an expression default, is another thing: the blank tells. */
    column->generated = extra != NULL && (strstr(extra, "VIRTUAL GENERATED") != NULL ||
                                          strstr(extra, "STORED GENERATED") != NULL);
    column->invisible = extra != NULL && strstr(extra, "INVISIBLE") != NULL;
    column->auto_increment = extra != NULL && strstr(extra, "auto_increment") != NULL;
    column->charset = g_strdup(result_get(result, row, "CHARACTER_SET_NAME"));
    column->collation = g_strdup(result_get(result, row, "COLLATION_NAME"));
    column->octet_length = result_uint(result, row, "CHARACTER_OCTET_LENGTH");
    column->precision = (unsigned)result_uint(result, row, "NUMERIC_PRECISION");
    column->scale = (unsigned)result_uint(result, row, "NUMERIC_SCALE");
    column->fsp = (unsigned)result_uint(result, row, "DATETIME_PRECISION");
    if (column->type == COLUMN_ENUM || column->type == COLUMN_SET)
        column->members = count_members(column->column_type);
    else
        column->is_unsigned = strstr(column->column_type, " unsigned") != NULL;
    return column;
}

static void
free_column(void *column)
{
    column_free(column);
}

/* WHERE TABLE_SCHEMA = '…' AND TABLE_NAME = '…' */
static char *
where_table(const struct table *table)
{
    g_autofree char *schema = quoted_string(table->schema);
    g_autofree char *name = quoted_string(table->name);
    return g_strdup_printf("WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s", schema, name);
}

static bool
read_columns(struct conn *conn, struct table *table, GError **error)
{
    g_autofree char *where = where_table(table);
    g_autoptr(result)
        result = conn_queryf(conn, error,
                             "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, EXTRA,"
                             " CHARACTER_SET_NAME, COLLATION_NAME, CHARACTER_OCTET_LENGTH,"
                             " NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION"
                             " FROM information_schema.COLUMNS %s ORDER BY ORDINAL_POSITION",
                             where);
    if (result == NULL)
        return false;
    for (size_t row = 0; row < result_rows(result); row++)
        g_ptr_array_add(table->columns, column_read(result, row));
    return true;
}

static bool
read_keys(struct conn *conn, struct table *table, GError **error)
{
    g_autofree char *where = where_table(table);
    g_autoptr(result)
        result = conn_queryf(conn, error,
                             "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART, IS_VISIBLE"
                             " FROM information_schema.STATISTICS %s AND NON_UNIQUE = 0"
                             " ORDER BY INDEX_NAME, SEQ_IN_INDEX",
                             where);
    if (result == NULL)
        return false;
    size_t count = result_rows(result);
    g_autofree struct index_part *parts = g_new0(struct index_part, count + 1);
    for (size_t row = 0; row < count; row++) {
        const char *visible = result_get(result, row, "IS_VISIBLE");
        parts[row] = (struct index_part){
            .index_name = result_get(result, row, "INDEX_NAME"),
            .column_name = result_get(result, row, "COLUMN_NAME"),
            .is_prefix = result_get(result, row, "SUB_PART") != NULL,
            .is_visible = visible == NULL || g_str_equal(visible, "YES"),
        };
    }
    key_choose(table, parts, count);
    return true;
}

static bool
read_create(struct conn *conn, struct table *table, GError **error)
{
    /* A view's needs a privilege of its own, and nobody looks at it. */
    if (!g_str_has_suffix(table->engine, "VIEW")) {
        g_autofree char *name = quoted_table(table->schema, table->name);
        g_autoptr(result) result = conn_queryf(conn, error, "SHOW CREATE TABLE %s", name);
        if (result == NULL)
            return false;
        table->create_sql = g_strdup(result_rows(result) > 0 ? result_at(result, 0, 1) : NULL);
    }
    if (table->create_sql == NULL)
        table->create_sql = g_strdup("");
    g_autofree char *normalized = create_statement_normalized(table->create_sql);
    table->digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, normalized, -1);
    return true;
}

/* Names are utf8mb3 inside MySQL; asking for another one is an error (3854), not an empty answer. */
static bool
name_can_exist(const char *name)
{
    if (!g_utf8_validate(name, -1, NULL))
        return false;
    for (const char *p = name; *p != '\0'; p = g_utf8_next_char(p))
        if (g_utf8_get_char(p) > 0xffff)
            return false;
    return true;
}

static struct table *
table_new(const char *schema, const char *name)
{
    struct table *table = g_new0(struct table, 1);
    table->schema = g_strdup(schema);
    table->name = g_strdup(name);
    table->columns = g_ptr_array_new_with_free_func(free_column);
    table->key_columns = g_array_new(FALSE, FALSE, sizeof(unsigned));
    return table;
}

/* Fills what information_schema.TABLES knows. *ret_exists tells whether it knows the table. */
static bool
read_table(struct conn *conn, struct table *table, bool *ret_exists, GError **error)
{
    /* Or the statistics would be up to a day old. */
    if (!conn_exec(conn, "SET SESSION information_schema_stats_expiry = 0", error))
        return false;
    g_autofree char *where = where_table(table);
    g_autoptr(result)
        result = conn_queryf(conn, error,
                             "SELECT TABLE_TYPE, ENGINE, TABLE_ROWS, AUTO_INCREMENT,"
                             " DATA_LENGTH + INDEX_LENGTH AS BYTES, (SELECT DEFAULT_COLLATION_NAME"
                             " FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = TABLE_SCHEMA)"
                             " AS SCHEMA_COLLATION FROM information_schema.TABLES %s",
                             where);
    if (result == NULL)
        return false;
    *ret_exists = result_rows(result) > 0;
    if (!*ret_exists)
        return true;
    const char *type = result_get(result, 0, "TABLE_TYPE");
    const char *engine = result_get(result, 0, "ENGINE");
    bool is_base_table = type != NULL && g_str_equal(type, "BASE TABLE");
    table->engine = g_strdup(is_base_table && engine != NULL ? engine : type);
    table->estimated_rows = result_uint(result, 0, "TABLE_ROWS");
    table->estimated_bytes = result_uint(result, 0, "BYTES");
    table->auto_increment = result_uint(result, 0, "AUTO_INCREMENT");
    table->schema_collation = g_strdup(result_get(result, 0, "SCHEMA_COLLATION"));
    return true;
}

bool
inspect_table(struct conn *conn, const char *schema, const char *name, struct table **ret_table,
              GError **error)
{
    g_autoptr(table) table = NULL;
    bool exists = false;
    if (name_can_exist(schema) && name_can_exist(name)) {
        table = table_new(schema, name);
        if (!read_table(conn, table, &exists, error))
            return false;
    }
    if (!exists) {
        *ret_table = NULL;
        return true;
    }
    if (!read_columns(conn, table, error) || !read_keys(conn, table, error) ||
        !read_create(conn, table, error))
        return false;
    *ret_table = g_steal_pointer(&table);
    return true;
}

static void
free_moved_table(void *table)
{
    moved_table_free(table);
}

static void
add_moved_table(GPtrArray *moved_tables, struct table *source, const struct config *config,
                const struct table_mapping *mapping)
{
    struct moved_table *moved = g_new0(struct moved_table, 1);
    moved->index = moved_tables->len;
    moved->source = source;
    moved->to_schema = g_strdup(mapping->to_schema);
    moved->to_table = g_strdup(mapping->to_table);
    moved->moved_as = config_moved_name(config, mapping->from_table);
    g_ptr_array_add(moved_tables, moved);
}

GPtrArray *
inspect_moved_tables(struct conn *source, const struct config *config, GError **error)
{
    g_autoptr(GPtrArray) moved_tables = g_ptr_array_new_with_free_func(free_moved_table);
    g_autoptr(GString) missing = g_string_new(NULL);
    for (unsigned i = 0; i < config->tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(config->tables, struct table_mapping,
                                                             i);
        struct table *table = NULL;
        if (!inspect_table(source, mapping->from_schema, mapping->from_table, &table, error))
            return NULL;
        if (table != NULL)
            add_moved_table(moved_tables, table, config, mapping);
        else
            g_string_append_printf(missing, "%s%s.%s", missing->len > 0 ? ", " : "",
                                   mapping->from_schema, mapping->from_table);
    }
    if (missing->len > 0) {
        g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT,
                    "source: no such table, or no privilege to see it: %s. Correct `tables`, or "
                    "grant SELECT",
                    missing->str);
        return NULL;
    }
    return g_steal_pointer(&moved_tables);
}
