#include "schema/inspect.h"

#include <string.h>

#include "base/error.h"
#include "mysql/quote.h"
#include "schema/column_real.h"
#include "schema/create_text_int.h"
#include "schema/key_choice_int.h"
#include "schema/labels_int.h"
#include "schema/lost_dates.h"
#include "schema/name_groups_int.h"
#include "schema/session_free.h"

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
    column->stored = extra != NULL && strstr(extra, "STORED GENERATED") != NULL;
    column->invisible = extra != NULL && strstr(extra, "INVISIBLE") != NULL;
    column->auto_increment = extra != NULL && strstr(extra, "auto_increment") != NULL;
    column->charset = g_strdup(result_get(result, row, "CHARACTER_SET_NAME"));
    column->collation = g_strdup(result_get(result, row, "COLLATION_NAME"));
    column->octet_length = result_uint(result, row, "CHARACTER_OCTET_LENGTH");
    column->precision = (unsigned)result_uint(result, row, "NUMERIC_PRECISION");
    column->scale = (unsigned)result_uint(result, row, "NUMERIC_SCALE");
    column->fsp = (unsigned)result_uint(result, row, "DATETIME_PRECISION");
    column_real_prepare(column);
    if (column->type == COLUMN_ENUM)
        column->zero_literal = labels_zero_literal(column->column_type, column->charset);
    if (column->type == COLUMN_ENUM || column->type == COLUMN_SET)
        column->members = labels_count(column->column_type);
    else
        column->is_unsigned = strstr(column->column_type, " unsigned") != NULL;
    return column;
}

static void
free_column(void *column)
{
    column_free(column);
}

/* --- many at a time ----------------------------------------------------------------------- */

struct inspection {
    char *schema;
    char *name;
    struct table *table; /* what was found, until it is taken */
};

static void
free_inspection(void *pointer)
{
    struct inspection *inspection = pointer;
    g_free(inspection->schema);
    g_free(inspection->name);
    table_free(inspection->table);
    g_free(inspection);
}

GPtrArray *
inspections_new(void)
{
    return g_ptr_array_new_with_free_func(free_inspection);
}

void
inspections_add(GPtrArray *wanted, const char *schema, const char *name)
{
    struct inspection *inspection = g_new0(struct inspection, 1);
    inspection->schema = g_strdup(schema);
    inspection->name = g_strdup(name);
    g_ptr_array_add(wanted, inspection);
}

struct table *
inspections_take(GPtrArray *wanted, guint index)
{
    struct inspection *inspection = g_ptr_array_index(wanted, index);
    return g_steal_pointer(&inspection->table);
}

/* Which columns are to be compared: known when all of a table's are. Rows as of read_columns(). */
static void
mark_compared(const struct result *result, GHashTable *found)
{
    const struct table *before = NULL;
    unsigned index = 0;
    for (size_t row = 0; row < result_rows(result); row++) {
        struct table *table = g_hash_table_lookup(found, result_get(result, row, "TABLE_NAME"));
        if (table == NULL)
            continue;
        index = table == before ? index + 1 : 0;
        before = table;
        struct column *column = g_ptr_array_index(table->columns, index);
        const char *expression = result_get(result, row, "GENERATION_EXPRESSION");
        /* In their order: an expression may use generated columns that come before. */
        column->session_free = column->generated && expression != NULL &&
                               expression_is_session_free(expression, column, table->columns);
        column->compared = column->stored && !column->session_free;
    }
}

/* `found`: the server's own spelling of a name to its struct table. */
static bool
read_columns(struct conn *conn, const struct name_group *group, GHashTable *found, GError **error)
{
    g_autoptr(result)
        result = conn_queryf(conn, error,
                             "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE,"
                             " EXTRA, CHARACTER_SET_NAME, COLLATION_NAME, CHARACTER_OCTET_LENGTH,"
                             " NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION,"
                             " GENERATION_EXPRESSION"
                             " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s"
                             " AND TABLE_NAME IN (%s) ORDER BY TABLE_NAME, ORDINAL_POSITION",
                             group->schema, group->names->str);
    if (result == NULL)
        return false;
    for (size_t row = 0; row < result_rows(result); row++) {
        struct table *table = g_hash_table_lookup(found, result_get(result, row, "TABLE_NAME"));
        if (table != NULL)
            g_ptr_array_add(table->columns, column_read(result, row));
    }
    mark_compared(result, found);
    return true;
}

/* The parts of one table's unique keys. */
static struct index_part
key_part_read(const struct result *result, size_t row)
{
    const char *visible = result_get(result, row, "IS_VISIBLE");
    const char *direction = result_get(result, row, "COLLATION");
    return (struct index_part){
        .index_name = result_get(result, row, "INDEX_NAME"),
        .column_name = result_get(result, row, "COLUMN_NAME"),
        .is_prefix = result_get(result, row, "SUB_PART") != NULL,
        .is_visible = visible == NULL || g_str_equal(visible, "YES"),
        .is_descending = g_strcmp0(direction, "D") == 0,
    };
}

static bool
read_keys(struct conn *conn, const struct name_group *group, GHashTable *found, GError **error)
{
    g_autoptr(result)
        result = conn_queryf(conn, error,
                             "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART, IS_VISIBLE,"
                             " COLLATION"
                             " FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = %s"
                             " AND TABLE_NAME IN (%s) AND NON_UNIQUE = 0"
                             " ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
                             group->schema, group->names->str);
    if (result == NULL)
        return false;
    size_t count = result_rows(result);
    g_autofree struct index_part *parts = g_new0(struct index_part, count + 1);
    for (size_t row = 0; row < count; row++)
        parts[row] = key_part_read(result, row);
    g_autoptr(GHashTable) with_keys = g_hash_table_new(NULL, NULL);
    GHashTableIter each;
    gpointer table = NULL;
    for (size_t from = 0, to; from < count; from = to) {
        const char *of = result_get(result, from, "TABLE_NAME");
        for (to = from + 1; to < count; to++)
            if (!g_str_equal(result_get(result, to, "TABLE_NAME"), of))
                break;
        table = g_hash_table_lookup(found, of);
        if (table != NULL && g_hash_table_add(with_keys, table))
            key_choose(table, parts + from, to - from);
    }
    /* And those that have none: told as such. */
    g_hash_table_iter_init(&each, found);
    while (g_hash_table_iter_next(&each, NULL, &table))
        if (!g_hash_table_contains(with_keys, table))
            key_choose(table, parts, 0);
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
    lost_dates_mark(table);
    table->unique_array = create_statement_unique_array(table);
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

/* What information_schema.TABLES knows. */
static void
table_fill(struct table *table, const struct result *result, size_t row)
{
    const char *type = result_get(result, row, "TABLE_TYPE");
    const char *engine = result_get(result, row, "ENGINE");
    bool is_base_table = type != NULL && g_str_equal(type, "BASE TABLE");
    table->engine = g_strdup(is_base_table && engine != NULL ? engine : type);
    table->estimated_rows = result_uint(result, row, "TABLE_ROWS");
    table->estimated_bytes = result_uint(result, row, "BYTES");
    table->auto_increment = result_uint(result, row, "AUTO_INCREMENT");
    table->schema_collation = g_strdup(result_get(result, row, "SCHEMA_COLLATION"));
}

/* Finds the group's tables that are there. */
static bool
read_tables(struct conn *conn, const struct name_group *group, GPtrArray *wanted,
            GHashTable *ret_found, GError **error)
{
    g_autoptr(result) result = conn_queryf(
        conn, error,
        "SELECT FIELD(TABLE_NAME, %s) AS PLACE, TABLE_NAME, TABLE_TYPE, ENGINE,"
        " TABLE_ROWS, AUTO_INCREMENT, DATA_LENGTH + INDEX_LENGTH AS BYTES,"
        " (SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"
        " WHERE SCHEMA_NAME = TABLE_SCHEMA) AS SCHEMA_COLLATION"
        " FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = %s AND TABLE_NAME IN (%s)",
        group->names->str, group->schema, group->names->str);
    if (result == NULL)
        return false;
    for (size_t row = 0; row < result_rows(result); row++) {
        unsigned place = name_group_place(group, result_uint(result, row, "PLACE"));
        struct inspection *inspection = g_ptr_array_index(wanted, place);
        inspection->table = table_new(inspection->schema, inspection->name);
        table_fill(inspection->table, result, row);
        g_hash_table_insert(ret_found, g_strdup(result_get(result, row, "TABLE_NAME")),
                            inspection->table);
    }
    return true;
}

static bool
inspect_group(struct conn *conn, const struct name_group *group, GPtrArray *wanted, GError **error)
{
    g_autoptr(GHashTable) found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!read_tables(conn, group, wanted, found, error))
        return false;
    if (g_hash_table_size(found) == 0)
        return true;
    if (!read_columns(conn, group, found, error) || !read_keys(conn, group, found, error))
        return false;
    for (guint i = 0; i < group->places->len; i++) {
        struct inspection *inspection = g_ptr_array_index(wanted, name_group_place(group, i + 1));
        if (inspection->table != NULL && !read_create(conn, inspection->table, error))
            return false;
    }
    return true;
}

bool
inspect_tables(struct conn *conn, GPtrArray *wanted, GError **error)
{
    g_autoptr(GPtrArray) groups = name_groups_new();
    for (guint i = 0; i < wanted->len; i++) {
        const struct inspection *inspection = g_ptr_array_index(wanted, i);
        if (name_can_exist(inspection->schema) && name_can_exist(inspection->name))
            name_groups_add(groups, inspection->schema, inspection->name, i);
    }
    /* Or the statistics would be up to a day old. */
    if (!conn_exec(conn, "SET SESSION information_schema_stats_expiry = 0", error))
        return false;
    for (guint i = 0; i < groups->len; i++)
        if (!inspect_group(conn, name_group(groups, i), wanted, error))
            return false;
    return true;
}

bool
inspect_table(struct conn *conn, const char *schema, const char *name, struct table **ret_table,
              GError **error)
{
    g_autoptr(GPtrArray) wanted = inspections_new();
    inspections_add(wanted, schema, name);
    if (!inspect_tables(conn, wanted, error))
        return false;
    *ret_table = inspections_take(wanted, 0);
    return true;
}

GPtrArray *
inspections_of_sources(const struct config *config)
{
    GPtrArray *wanted = inspections_new();
    for (unsigned i = 0; i < config->tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(config->tables, struct table_mapping,
                                                             i);
        inspections_add(wanted, mapping->from_schema, mapping->from_table);
    }
    return wanted;
}

GPtrArray *
inspections_of_targets(const GPtrArray *moved_tables)
{
    GPtrArray *wanted = inspections_new();
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *moved = g_ptr_array_index(moved_tables, i);
        inspections_add(wanted, moved->to_schema, moved->to_table);
    }
    return wanted;
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
    g_autoptr(GPtrArray) wanted = inspections_of_sources(config);
    if (!inspect_tables(source, wanted, error))
        return NULL;
    for (unsigned i = 0; i < config->tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(config->tables, struct table_mapping,
                                                             i);
        struct table *table = inspections_take(wanted, i);
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
