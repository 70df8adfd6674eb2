/* Target tables: those that are there are compared, the others are created. */
#include "schema/inspect.h"

#include <mysqld_error.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "mysql/quote.h"
#include "schema/create_text_int.h"
#include "schema/deferred.h"

/* What all of it needs. */
struct creation {
    struct conn *target;
    GPtrArray *moved_tables;
    const struct create_options *options;
    struct deferral *deferral;
    GArray *exists; /* bool: table i was there before */
};

bool
create_target_compare(const struct moved_table *table, GPtrArray *moved_tables,
                      const struct table *found, struct create_difference **ret_difference,
                      GError **error)
{
    g_autofree char *wanted = create_statement_for_target(table, moved_tables, error);
    if (wanted == NULL)
        return false;
    g_autofree char *target = quoted_table(table->to_schema, table->to_table);
    g_autofree char *wanted_text = create_statement_comparable(wanted);
    g_autofree char *found_text = create_statement_comparable(found->create_sql);
    *ret_difference = create_difference_new(wanted_text, found_text, target);
    return true;
}

static bool
has_rows(struct conn *target, const char *table, bool *ret_has_rows, GError **error)
{
    g_autoptr(result) result = conn_queryf(target, error, "SELECT 1 FROM %s LIMIT 1", table);
    if (result == NULL)
        return false;
    *ret_has_rows = result_rows(result) > 0;
    return true;
}

static void
add_problem(GString *problems, const struct moved_table *table, const char *problem)
{
    g_string_append_printf(problems, "%starget table %s.%s %s", problems->len > 0 ? "\n" : "",
                           table->to_schema, table->to_table, problem);
}

/* Appends to `problems` what is wrong with a target table that is there. What a run that died has left
 * may lack indexes, whether the option is still on or not: they are built before `ready`. */
static bool
check_existing(const struct creation *creation, struct moved_table *table,
               const struct table *found, GString *problems, GError **error)
{
    g_autoptr(create_difference) difference = NULL;
    g_autofree char *missing = NULL;
    if (creation->options->resuming
            ? !deferral_compare(creation->deferral, table, found, &missing, &difference, error)
            : !create_target_compare(table, creation->moved_tables, found, &difference, error))
        return false;
    table->indexes_missing = missing != NULL;
    if (difference != NULL) {
        g_autofree char *problem = g_strdup_printf(
            "differs from the source's (- source, + target):\n%s\nmend it with: %s",
            difference->lines,
            difference->cure != NULL ? difference->cure
                                     : "DROP TABLE, and it is created as the source's");
        add_problem(problems, table, problem);
    }
    return true;
}

static bool
check_empty(struct conn *target, const struct moved_table *table, GString *problems, GError **error)
{
    g_autofree char *name = quoted_table(table->to_schema, table->to_table);
    bool filled = false;
    if (!has_rows(target, name, &filled, error))
        return false;
    if (filled)
        add_problem(problems, table,
                    "holds rows that this move did not write: TRUNCATE or DROP it, or map the "
                    "table to another name");
    return true;
}

/* Finds everything that is wrong at once, and which tables are there. */
static bool
check_all(struct creation *creation, GError **error)
{
    g_autoptr(GString) problems = g_string_new(NULL);
    g_autoptr(GPtrArray) wanted = inspections_of_targets(creation->moved_tables);
    if (!inspect_tables(creation->target, wanted, error))
        return false;
    for (unsigned i = 0; i < creation->moved_tables->len; i++) {
        struct moved_table *table = g_ptr_array_index(creation->moved_tables, i);
        g_autoptr(table) found = inspections_take(wanted, i);
        bool exists = found != NULL;
        g_array_append_val(creation->exists, exists);
        if (exists && !check_existing(creation, table, found, problems, error))
            return false;
        if (exists && !creation->options->resuming &&
            !check_empty(creation->target, table, problems, error))
            return false;
    }
    if (problems->len == 0)
        return true;
    g_set_error_literal(error, MT_ERROR, MT_ERROR_PREFLIGHT, problems->str);
    return false;
}

/* The collation is the source schema's: later tables that name none get the same on both sides. */
static bool
create_schema(struct conn *target, const struct moved_table *table, GError **error)
{
    g_autofree char *text = quoted_string(table->to_schema);
    g_autoptr(result) result = conn_queryf(
        target, error, "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", text);
    if (result == NULL)
        return false;
    if (result_rows(result) > 0)
        return true;
    g_autoptr(GString) sql = g_string_new("CREATE SCHEMA IF NOT EXISTS ");
    quote_identifier(sql, table->to_schema);
    if (table->source->schema_collation != NULL)
        g_string_append_printf(sql, " DEFAULT COLLATE %s", table->source->schema_collation);
    return conn_exec(target, sql->str, error);
}

/* A server may make another table of the same statement (another default, a key
 * that it adds): what it made is read back. */
static bool
check_created(const struct creation *creation, struct moved_table *table, const struct table *found,
              GError **error)
{
    g_autoptr(create_difference) difference = NULL;
    g_autofree char *missing = NULL;
    if (found != NULL && creation->options->defer_indexes
            ? !deferral_compare(creation->deferral, table, found, &missing, &difference, error)
            : found != NULL &&
                  !create_target_compare(table, creation->moved_tables, found, &difference, error))
        return false;
    table->indexes_missing = missing != NULL;
    if (found != NULL && difference == NULL)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT,
                "target table %s.%s was created, but the server made it another (- source, + "
                "target):\n%s\nlook for settings of the target that change definitions, then DROP "
                "it",
                table->to_schema, table->to_table,
                difference != NULL ? difference->lines : "it is not there");
    return false;
}

static bool
check_all_created(const struct creation *creation, GError **error)
{
    g_autoptr(GPtrArray) wanted = inspections_of_targets(creation->moved_tables);
    if (!inspect_tables(creation->target, wanted, error))
        return false;
    for (unsigned i = 0; i < creation->moved_tables->len; i++) {
        g_autoptr(table) found = inspections_take(wanted, i);
        if (!g_array_index(creation->exists, bool, i) &&
            !check_created(creation, g_ptr_array_index(creation->moved_tables, i), found, error))
            return false;
    }
    return true;
}

/* The source took the definition, and the target does not: what is different there. */
static const char *
cure_for(unsigned number)
{
    switch (number) {
    case ER_TOO_LONG_KEY:
    case ER_TOO_BIG_ROWSIZE:
    case ER_INDEX_COLUMN_TOO_LONG:
    case ER_ILLEGAL_HA:
    case ER_ILLEGAL_HA_CREATE_OPTION:
        return "the target's pages are others than the source's, or only it has "
               "innodb_strict_mode = ON: ALTER the table on the source and `run --fresh`; or SET "
               "GLOBAL innodb_strict_mode = OFF on the target and its replicas while it is "
               "created, or name a target of the same innodb_page_size, and `run`";
    default:
        return NULL;
    }
}

static bool
create_on_target(struct conn *target, const char *sql, GError **error)
{
    g_autoptr(GError) failure = NULL;
    if (conn_exec(target, sql, &failure))
        return true;
    const char *cure = cure_for(conn_errno(target));
    if (cure != NULL)
        g_set_error(error, failure->domain, failure->code, "%s; %s", failure->message, cure);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static bool
create_one(const struct creation *creation, const struct moved_table *table, GError **error)
{
    g_autofree char *sql = creation->options->defer_indexes
                               ? deferral_create_statement(creation->deferral, table, error)
                               : create_statement_for_target(table, creation->moved_tables, error);
    if (sql == NULL || !create_on_target(creation->target, sql, error))
        return false;
    /* Dying from here on leaves an empty table that is equal, but for deferred indexes: a new run
     * takes it as it is. */
    failpoint_reach(FAILPOINT_TARGET_TABLE_CREATED);
    g_autofree char *name = g_strdup_printf("%s.%s", table->to_schema, table->to_table);
    g_autofree char *indexes = creation->options->defer_indexes
                                   ? deferral_describe(creation->deferral, table)
                                   : NULL;
    if (indexes != NULL)
        log_info("schema", log_msg("target table created"), log_str("table", name),
                 log_str("indexes", indexes));
    else
        log_info("schema", log_msg("target table created"), log_str("table", name));
    return true;
}

/* In any order: the session has foreign_key_checks=0, so a child may come before its parent. */
static bool
create_missing(const struct creation *creation, GError **error)
{
    g_autoptr(GHashTable) schemas = g_hash_table_new(g_str_hash, g_str_equal);
    bool created = false;
    for (unsigned i = 0; i < creation->moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(creation->moved_tables, i);
        if (g_array_index(creation->exists, bool, i))
            continue;
        if (g_hash_table_add(schemas, table->to_schema) &&
            !create_schema(creation->target, table, error))
            return false;
        if (!create_one(creation, table, error))
            return false;
        created = true;
    }
    return !created || check_all_created(creation, error);
}

bool
create_target_tables(struct conn *target, GPtrArray *moved_tables,
                     const struct create_options *options, GError **error)
{
    struct creation creation = {
        .target = target,
        .moved_tables = moved_tables,
        .options = options,
        .deferral = deferral_of(moved_tables),
        .exists = g_array_new(FALSE, FALSE, sizeof(bool)),
    };
    bool done = check_all(&creation, error) && create_missing(&creation, error);
    deferral_free(creation.deferral);
    g_array_unref(creation.exists);
    if (done)
        failpoint_reach(FAILPOINT_TARGET_TABLES_READY);
    return done;
}
