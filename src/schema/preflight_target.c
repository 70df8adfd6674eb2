/* The target's side of the tables: absent, or equal and empty. */
#include "mysql/quote.h"
#include "schema/create_text_int.h"
#include "schema/deferred.h"
#include "schema/inspect.h"
#include "schema/name_groups_int.h"
#include "schema/preflight_int.h"

static char *
target_subject(const struct moved_table *moved)
{
    return g_strdup_printf("target table %s.%s", moved->to_schema, moved->to_table);
}

static void
report_difference(struct preflight *preflight, const struct moved_table *moved,
                  const struct create_difference *difference)
{
    g_autofree char *subject = target_subject(moved);
    g_autofree char *name = quoted_table(moved->to_schema, moved->to_table);
    g_autofree char *drop = g_strdup_printf("DROP TABLE %s; the move creates it as the source's",
                                            name);
    g_autofree char *cure = difference->cure == NULL
                                ? NULL
                                : g_strdup_printf("%s; or %s", difference->cure, drop);
    preflight_error(preflight, subject, cure != NULL ? cure : drop,
                    "differs from %s.%s (- source, + target):\n%s", moved->source->schema,
                    moved->source->name, difference->lines);
}

static bool
check_empty(struct preflight *preflight, const struct moved_table *moved, GError **error)
{
    g_autofree char *name = quoted_table(moved->to_schema, moved->to_table);
    g_autofree char *subject = target_subject(moved);
    g_autoptr(GError) refused = NULL;
    g_autoptr(result)
        result = conn_queryf(preflight->target.conn, &refused, "SELECT 1 FROM %s LIMIT 1", name);
    if (result == NULL) {
        uint32_t missing = grant_set_missing(preflight->target.grants, PRIVILEGE_BIT(SELECT),
                                             moved->to_schema, moved->to_table);
        if (missing != 0)
            return true; /* reported with the grants */
        g_propagate_error(error, g_steal_pointer(&refused));
        return false;
    }
    if (result_rows(result) > 0) {
        g_autofree char *cure = g_strdup_printf("TRUNCATE TABLE %s, or DROP TABLE %s", name, name);
        preflight_error(preflight, subject, cure, "holds rows that this move did not write");
    } else {
        preflight_ok(preflight, subject, "is there, equal and empty");
    }
    return true;
}

/* A trigger would fire for every row that the move writes. Adds the table to those whose triggers
 * are asked for, unless they cannot be seen. */
static void
note_for_triggers(struct preflight *preflight, const struct moved_table *moved, GPtrArray *groups)
{
    const struct server_facts *target = &preflight->target;
    if (grant_set_missing(target->grants, PRIVILEGE_BIT(TRIGGER), moved->to_schema,
                          moved->to_table) == 0) {
        name_groups_add(groups, moved->to_schema, moved->to_table, moved->index);
        return;
    }
    g_autofree char *subject = target_subject(moved);
    g_autofree char *name = quoted_table(moved->to_schema, moved->to_table);
    g_autofree char *cure = g_strdup_printf("GRANT TRIGGER ON %s TO %s", name, target->account);
    preflight_error(preflight, subject, cure,
                    "whether it has triggers cannot be seen without the TRIGGER privilege, and "
                    "a trigger would fire for every row of the move");
}

static bool
check_triggers(struct preflight *preflight, const struct name_group *group, GError **error)
{
    g_autoptr(result)
        result = conn_queryf(preflight->target.conn, error,
                             "SELECT TRIGGER_NAME, FIELD(EVENT_OBJECT_TABLE, %s) AS PLACE"
                             " FROM information_schema.TRIGGERS"
                             " WHERE EVENT_OBJECT_SCHEMA = %s AND EVENT_OBJECT_TABLE IN (%s)"
                             " ORDER BY PLACE, TRIGGER_NAME",
                             group->names->str, group->schema, group->names->str);
    if (result == NULL)
        return false;
    for (size_t row = 0; row < result_rows(result); row++) {
        const struct moved_table *moved = g_ptr_array_index(
            preflight->moved_tables, name_group_place(group, result_uint(result, row, "PLACE")));
        g_autofree char *subject = target_subject(moved);
        g_autofree char *trigger = quoted_table(moved->to_schema, result_at(result, row, 0));
        g_autofree char *cure = g_strdup_printf(
            "DROP TRIGGER %s, and create it again after the cutover", trigger);
        preflight_error(preflight, subject, cure, "trigger %s would fire for every row of the move",
                        trigger);
    }
    return true;
}

static bool
check_existing(struct preflight *preflight, const struct moved_table *moved,
               const struct table *found, GPtrArray *groups, GError **error)
{
    g_autoptr(create_difference) difference = NULL;
    g_autoptr(GError) foreign = NULL;
    g_autofree char *missing = NULL;
    bool resuming = preflight->options->resuming;
    if (resuming
            ? !deferral_compare(preflight->deferral, moved, found, &missing, &difference, &foreign)
            : !create_target_compare(moved, preflight->moved_tables, found, &difference, &foreign))
        return true; /* a foreign key out of the set: reported with the relations */
    if (difference != NULL)
        report_difference(preflight, moved, difference);
    else if (resuming)
        preflight_ok(preflight, "target", "table %s.%s is there and equal%s%s", moved->to_schema,
                     moved->to_table,
                     missing != NULL ? "; indexes that are built before ready: " : "",
                     missing != NULL ? missing : "");
    else if (!check_empty(preflight, moved, error))
        return false;
    note_for_triggers(preflight, moved, groups);
    return true;
}

static bool
read_collations(struct preflight *preflight, GHashTable **ret_collations, GError **error)
{
    g_autoptr(result) result = conn_query(
        preflight->target.conn, "SELECT COLLATION_NAME FROM information_schema.COLLATIONS", error);
    if (result == NULL)
        return false;
    *ret_collations = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t row = 0; row < result_rows(result); row++)
        g_hash_table_add(*ret_collations, g_strdup(result_at(result, row, 0)));
    return true;
}

static void
check_collations(struct preflight *preflight, const struct moved_table *moved,
                 GHashTable *collations)
{
    const struct table *source = moved->source;
    for (unsigned i = 0; i < source->columns->len; i++) {
        const struct column *column = table_column(source, i);
        if (column->collation == NULL || g_hash_table_contains(collations, column->collation))
            continue;
        g_autofree char *subject = g_strdup_printf("table %s.%s", source->schema, source->name);
        preflight_error(preflight, subject,
                        "upgrade the target, or convert the column to another collation",
                        "column `%s` has collation %s, which the target lacks", column->name,
                        column->collation);
    }
}

/* The server would add a key of its own, or refuse the table. */
static void
check_primary_key_settings(struct preflight *preflight, const struct moved_table *moved)
{
    const struct server_facts *target = &preflight->target;
    if (moved->source->key_name == NULL || g_str_equal(moved->source->key_name, "PRIMARY"))
        return;
    static const char *const names[] = {"sql_require_primary_key",
                                        "sql_generate_invisible_primary_key"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!g_str_equal(server_variable(target, names[i]), "ON"))
            continue;
        g_autofree char *subject = target_subject(moved);
        g_autofree char *cure = g_strdup_printf(
            "SET GLOBAL %s = OFF while the tables are created, or give the table a primary key",
            names[i]);
        preflight_error(preflight, subject, cure,
                        "the table may have no primary key, and the target has %s = ON", names[i]);
    }
}

static bool
check_target(struct preflight *preflight, const struct moved_table *moved,
             const struct table *found, GPtrArray *groups, GError **error)
{
    g_autofree char *subject = target_subject(moved);
    if (found == NULL) {
        check_primary_key_settings(preflight, moved);
        g_autofree char *indexes = preflight->config->copy.defer_indexes != 0
                                       ? deferral_describe(preflight->deferral, moved)
                                       : NULL;
        preflight_ok(preflight, subject, "is not there yet: it is created%s%s",
                     indexes != NULL ? "; indexes " : "", indexes != NULL ? indexes : "");
        return preflight_target_options(preflight, moved, error);
    }
    if (g_str_has_suffix(found->engine, "VIEW")) {
        preflight_error(preflight, subject, "drop the view, or map the table to another name",
                        "is a view");
        return true;
    }
    return check_existing(preflight, moved, found, groups, error);
}

bool
preflight_target_tables(struct preflight *preflight, GError **error)
{
    g_autoptr(GHashTable) collations = NULL;
    g_autoptr(GPtrArray) groups = name_groups_new();
    g_autoptr(GPtrArray) wanted = inspections_of_targets(preflight->moved_tables);
    g_autoptr(deferral) deferral = deferral_of(preflight->moved_tables);
    preflight->deferral = deferral;
    if (!read_collations(preflight, &collations, error) ||
        !inspect_tables(preflight->target.conn, wanted, error))
        return false;
    for (unsigned i = 0; i < preflight->moved_tables->len; i++) {
        const struct moved_table *moved = g_ptr_array_index(preflight->moved_tables, i);
        g_autoptr(table) found = inspections_take(wanted, i);
        check_collations(preflight, moved, collations);
        if (!check_target(preflight, moved, found, groups, error))
            return false;
    }
    for (guint i = 0; i < groups->len; i++)
        if (!check_triggers(preflight, name_group(groups, i), error))
            return false;
    return true;
}
