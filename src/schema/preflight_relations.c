/* What hangs on the tables: foreign keys, views. */
#include "mysql/quote.h"
#include "schema/inspect.h"
#include "schema/name_groups_int.h"
#include "schema/preflight_int.h"

/* The table that a query about the group has found. */
static const struct moved_table *
moved_of(const struct preflight *preflight, const struct name_group *group, uint64_t field)
{
    return g_ptr_array_index(preflight->moved_tables, name_group_place(group, field));
}

/* The same as a finding's subject, by the column PLACE. Caller frees. */
static char *
moved_subject(const struct preflight *preflight, const struct name_group *group,
              const struct result *result, size_t row)
{
    const struct table *table =
        moved_of(preflight, group, result_uint(result, row, "PLACE"))->source;
    return g_strdup_printf("table %s.%s", table->schema, table->name);
}

/* Quoted source names of all tables that the file lists. */
static GHashTable *
listed_names(const GArray *tables)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(tables, struct table_mapping, i);
        g_hash_table_add(names, quoted_table(mapping->from_schema, mapping->from_table));
    }
    return names;
}

static bool
is_moved(const struct preflight *preflight, const char *schema, const char *name)
{
    g_autofree char *quoted = quoted_table(schema, name);
    return g_hash_table_contains(preflight->listed, quoted);
}

static bool
is_cascading(const char *rule)
{
    return rule != NULL && (g_str_equal(rule, "CASCADE") || g_str_equal(rule, "SET NULL") ||
                            g_str_equal(rule, "SET DEFAULT"));
}

/* From 9.6 on the SQL layer does what a foreign key cascades, and logs the rows;
 * before, InnoDB does, and the binlog knows nothing of it. */
static bool
server_logs_cascades(const struct server_facts *facts)
{
    return g_str_equal(server_variable(facts, "innodb_native_foreign_keys"), "OFF");
}

static void
check_cascade(struct preflight *preflight, const char *subject, const struct result *result,
              size_t row)
{
    const char *on_delete = result_get(result, row, "DELETE_RULE");
    const char *on_update = result_get(result, row, "UPDATE_RULE");
    if (!is_cascading(on_delete) && !is_cascading(on_update))
        return;
    if (server_logs_cascades(&preflight->source) && server_logs_cascades(&preflight->reader))
        return;
    const char *schema = result_get(result, row, "CONSTRAINT_SCHEMA");
    const char *name = result_get(result, row, "TABLE_NAME");
    const char *constraint = result_get(result, row, "CONSTRAINT_NAME");
    g_autofree char *table = quoted_table(schema, name);
    g_autofree char *cure = g_strdup_printf(
        "drop the key for the time of the move (ALTER TABLE %s DROP FOREIGN KEY `%s`), or make it "
        "RESTRICT and delete the child rows yourself, or read from a server of 9.6 or newer with "
        "innodb_native_foreign_keys = OFF",
        table, constraint);
    preflight_error(preflight, subject, cure,
                    "foreign key `%s` is ON DELETE %s ON UPDATE %s: this server changes the child "
                    "rows without logging them",
                    constraint, on_delete, on_update);
}

/* One foreign key, from either end. */
static void
check_foreign_key(struct preflight *preflight, const struct moved_table *moved,
                  const struct result *result, size_t row)
{
    const char *child_schema = result_get(result, row, "CONSTRAINT_SCHEMA");
    const char *child = result_get(result, row, "TABLE_NAME");
    const char *parent_schema = result_get(result, row, "UNIQUE_CONSTRAINT_SCHEMA");
    const char *parent = result_get(result, row, "REFERENCED_TABLE_NAME");
    const char *constraint = result_get(result, row, "CONSTRAINT_NAME");
    g_autofree char *subject = g_strdup_printf("table %s.%s", moved->source->schema,
                                               moved->source->name);
    bool is_child = g_str_equal(child_schema, moved->source->schema) &&
                    g_str_equal(child, moved->source->name);
    bool inside = is_moved(preflight, child_schema, child) &&
                  is_moved(preflight, parent_schema, parent);
    if (inside) {
        g_hash_table_add(preflight->referenced, quoted_table(parent_schema, parent));
        if (is_child)
            check_cascade(preflight, subject, result, row);
        return;
    }
    g_autofree char *table = quoted_table(child_schema, child);
    g_autofree char *cure = g_strdup_printf(
        "add %s.%s to `tables`, or ALTER TABLE %s DROP FOREIGN KEY `%s`",
        is_child ? parent_schema : child_schema, is_child ? parent : child, table, constraint);
    preflight_error(preflight, subject, cure,
                    "foreign key `%s` of %s.%s refers to %s.%s: only one of the two is moved",
                    constraint, child_schema, child, parent_schema, parent);
}

/* Those of a group of tables, from either end: CHILD and PARENT tell from which. */
static bool
check_foreign_keys(struct preflight *preflight, const struct name_group *group, GError **error)
{
    const char *names = group->names->str;
    const char *schema = group->schema;
    g_autoptr(result) result = conn_queryf(
        preflight->source.conn, error,
        "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, UNIQUE_CONSTRAINT_SCHEMA,"
        " REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE,"
        " IF(CONSTRAINT_SCHEMA = %s, FIELD(TABLE_NAME, %s), 0) AS CHILD,"
        " IF(UNIQUE_CONSTRAINT_SCHEMA = %s, FIELD(REFERENCED_TABLE_NAME, %s), 0) AS PARENT"
        " FROM information_schema.REFERENTIAL_CONSTRAINTS"
        " WHERE (CONSTRAINT_SCHEMA = %s AND TABLE_NAME IN (%s))"
        " OR (UNIQUE_CONSTRAINT_SCHEMA = %s AND REFERENCED_TABLE_NAME IN (%s))"
        " ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME",
        schema, names, schema, names, schema, names, schema, names);
    if (result == NULL)
        return false;
    for (size_t row = 0; row < result_rows(result); row++) {
        uint64_t child = result_uint(result, row, "CHILD");
        uint64_t parent = result_uint(result, row, "PARENT");
        if (child != 0)
            check_foreign_key(preflight, moved_of(preflight, group, child), result, row);
        if (parent != 0 && parent != child)
            check_foreign_key(preflight, moved_of(preflight, group, parent), result, row);
    }
    return true;
}

/* "shop/orders" or, with other characters, the file name encoding: compared as MySQL stores it. */
static char *
innodb_names(const struct preflight *preflight, const struct name_group *group)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < group->places->len; i++) {
        const struct table *table = moved_of(preflight, group, i + 1)->source;
        g_autofree char *path = g_strdup_printf("%s/%s", table->schema, table->name);
        g_string_append(names, i > 0 ? "," : "");
        quote_string(names, path);
    }
    return g_string_free(names, FALSE);
}

static bool
check_hidden_group(struct preflight *preflight, const struct name_group *group, GError **error)
{
    g_autofree char *parents = innodb_names(preflight, group);
    g_autoptr(result) result = conn_queryf(
        preflight->source.conn, error,
        "SELECT ID, FOR_NAME, REF_NAME FROM information_schema.INNODB_FOREIGN f"
        " WHERE REF_NAME IN (%s)"
        " AND NOT EXISTS (SELECT 1 FROM information_schema.REFERENTIAL_CONSTRAINTS r"
        " WHERE CONCAT(r.CONSTRAINT_SCHEMA, '/', r.CONSTRAINT_NAME) = f.ID"
        " AND r.UNIQUE_CONSTRAINT_SCHEMA = %s AND r.REFERENCED_TABLE_NAME IN (%s))",
        parents, group->schema, group->names->str);
    if (result == NULL)
        return false;
    for (size_t row = 0; row < result_rows(result); row++) {
        g_autofree char *subject = g_strdup_printf("table %s", result_at(result, row, 2));
        preflight_error(preflight, subject,
                        "add that table to `tables` and GRANT SELECT on it, or drop the key",
                        "foreign key %s of %s, which the user cannot see, refers to it",
                        result_at(result, row, 0), result_at(result, row, 1));
    }
    return true;
}

static bool
check_hidden_children(struct preflight *preflight, const GPtrArray *groups, GError **error)
{
    const struct server_facts *source = &preflight->source;
    if (grant_set_missing(source->grants, PRIVILEGE_BIT(PROCESS), NULL, NULL) != 0) {
        preflight_ok(preflight, "source foreign keys",
                     "looked for in the schemas that %s can see; with PROCESS also in others",
                     source->account);
        return true;
    }
    for (guint i = 0; i < groups->len; i++)
        if (!check_hidden_group(preflight, name_group(groups, i), error))
            return false;
    return true;
}

static bool
check_views(struct preflight *preflight, const struct name_group *group, GError **error)
{
    g_autoptr(result)
        result = conn_queryf(preflight->source.conn, error,
                             "SELECT VIEW_SCHEMA, VIEW_NAME, FIELD(TABLE_NAME, %s) AS PLACE"
                             " FROM information_schema.VIEW_TABLE_USAGE"
                             " WHERE TABLE_SCHEMA = %s AND TABLE_NAME IN (%s) ORDER BY PLACE, 1, 2",
                             group->names->str, group->schema, group->names->str);
    if (result == NULL)
        return false;
    for (size_t row = 0; row < result_rows(result); row++) {
        g_autofree char *subject = moved_subject(preflight, group, result, row);
        preflight_warning(preflight, subject, "create the view on the target where it is needed",
                          "view %s.%s reads it: the view is not moved, and is invalid on the "
                          "source after the cutover",
                          result_at(result, row, 0), result_at(result, row, 1));
    }
    return true;
}

bool
preflight_relations(struct preflight *preflight, GError **error)
{
    g_autoptr(GPtrArray) groups = name_groups_new();
    g_autoptr(GHashTable) listed = listed_names(preflight->config->tables);
    preflight->listed = listed;
    for (unsigned i = 0; i < preflight->moved_tables->len; i++) {
        const struct moved_table *moved = g_ptr_array_index(preflight->moved_tables, i);
        name_groups_add(groups, moved->source->schema, moved->source->name, i);
    }
    for (guint i = 0; i < groups->len; i++) {
        const struct name_group *group = name_group(groups, i);
        if (!check_foreign_keys(preflight, group, error) || !check_views(preflight, group, error))
            return false;
    }
    return check_hidden_children(preflight, groups, error);
}
