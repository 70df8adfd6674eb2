/* The tables on the source: what can be moved at all. */
#include <string.h>

#include "mysql/quote.h"
#include "schema/create_scan_int.h"
#include "schema/create_text_int.h"
#include "schema/inspect.h"
#include "schema/key.h"
#include "schema/preflight_int.h"

enum { NAME_MAX_CHARACTERS = 64 };

static char *
table_subject(const struct table_mapping *mapping)
{
    return g_strdup_printf("table %s.%s", mapping->from_schema, mapping->from_table);
}

static void
check_name_length(struct preflight *preflight, const char *subject, const char *name,
                  const char *cure)
{
    glong characters = g_utf8_strlen(name, -1);
    if (characters > NAME_MAX_CHARACTERS)
        preflight_error(preflight, subject, cure, "the name %s has %ld characters; MySQL allows %d",
                        name, characters, NAME_MAX_CHARACTERS);
}

static void
check_columns(struct preflight *preflight, const char *subject, const struct table *table)
{
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (column->type == COLUMN_UNSUPPORTED)
            preflight_error(preflight, subject, "take the table out of `tables`",
                            "column `%s` is of type %s, which is not known", column->name,
                            column->column_type);
    }
}

static void
check_key(struct preflight *preflight, const char *subject, const struct table *table)
{
    if (table->key_name == NULL) {
        g_autofree char *name = quoted_table(table->schema, table->name);
        g_autofree char *cure = g_strdup_printf(
            "add a primary key, or a unique key over NOT NULL columns, for instance: ALTER TABLE "
            "%s ADD COLUMN `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY",
            name);
        preflight_error(preflight, subject, cure, "no key to move it by: %s", table->key_problem);
        return;
    }
    if (!key_ranges_use_index(table))
        preflight_warning(preflight, subject, NULL,
                          "its key %s begins with an %s of many values: MySQL has no range access "
                          "for it, so every chunk scans the index from its start",
                          table->key_name,
                          table_column(table, table_key_column_index(table, 0))->data_type);
}

static void
warn_option(struct preflight *preflight, const char *subject, const char *option, const char *what)
{
    preflight_warning(preflight, subject, "see that the target has it before the move starts",
                      "the definition says %s: %s", option, what);
}

/* Options that need something of the server, by their token in the definition. */
static void
check_options(struct preflight *preflight, const char *subject, const struct table *table)
{
    struct create_scan scan = create_scan_of(table->create_sql);
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            return;
        if (token.depth != 0)
            continue;
        if (create_token_is_word(&token, "ENCRYPTION"))
            warn_option(preflight, subject, "ENCRYPTION", "the target needs a keyring component");
        else if (create_token_is_word(&token, "TABLESPACE"))
            warn_option(preflight, subject, "TABLESPACE",
                        "the target needs a tablespace of that name");
        else if (create_token_is_word(&token, "DIRECTORY"))
            warn_option(preflight, subject, "DATA DIRECTORY",
                        "the target needs that folder, and the user the FILE privilege");
    }
}

/* A definition that SHOW CREATE TABLE cannot print: right only where somebody else made the table. */
static bool
check_doubtful(struct preflight *preflight, const char *subject,
               const struct table_mapping *mapping, const struct table *table, GError **error)
{
    g_autofree char *doubtful = create_statement_doubtful_text(table);
    if (doubtful == NULL)
        return true;
    g_autoptr(table) target = NULL;
    if (!inspect_table(preflight->target.conn, mapping->to_schema, mapping->to_table, &target,
                       error))
        return false;
    const char *reason = "MySQL prints '?' in place of characters outside the Basic Multilingual "
                         "Plane (emoji) in definitions";
    if (target != NULL)
        preflight_warning(preflight, subject, "compare it with the statement that made it",
                          "%s: %s; the target table is taken as it is", doubtful, reason);
    else
        preflight_error(preflight, subject,
                        "create the target table yourself with the right characters, empty",
                        "%s: %s, so the definition may not be what is shown", doubtful, reason);
    return true;
}

static bool
check_moved_name(struct preflight *preflight, const char *subject,
                 const struct table_mapping *mapping, GError **error)
{
    g_autofree char *moved_as = config_moved_name(preflight->config, mapping->from_table);
    check_name_length(preflight, subject, moved_as, "shorten cutover.moved_name");
    g_autoptr(table) taken = NULL;
    if (!inspect_table(preflight->source.conn, mapping->from_schema, moved_as, &taken, error))
        return false;
    if (taken != NULL) {
        g_autofree char *name = quoted_table(mapping->from_schema, moved_as);
        g_autofree char *cure = g_strdup_printf(
            "if it is a left-over: DROP TABLE %s; else set cutover.moved_name", name);
        preflight_error(preflight, subject, cure,
                        "%s.%s, the name that the source table gets at cutover, is taken",
                        mapping->from_schema, moved_as);
    }
    return true;
}

/* The source table is not there: never was, or renamed by the cutover that is being resumed. */
static bool
check_absent(struct preflight *preflight, const char *subject, const struct table_mapping *mapping,
             GError **error)
{
    g_autofree char *moved_as = config_moved_name(preflight->config, mapping->from_table);
    g_autoptr(table) renamed = NULL;
    if (preflight->options->resuming &&
        !inspect_table(preflight->source.conn, mapping->from_schema, moved_as, &renamed, error))
        return false;
    if (renamed != NULL)
        preflight_ok(preflight, subject, "renamed to %s already", moved_as);
    else
        preflight_error(preflight, subject,
                        "correct `tables`, or GRANT SELECT on it, without which it cannot be seen",
                        "there is no such table on the source");
    return true;
}

/* Takes `table`. */
static void
add_moved_table(struct preflight *preflight, const struct table_mapping *mapping,
                struct table *table)
{
    struct moved_table *moved = g_new0(struct moved_table, 1);
    moved->index = preflight->moved_tables->len;
    moved->source = table;
    moved->to_schema = g_strdup(mapping->to_schema);
    moved->to_table = g_strdup(mapping->to_table);
    moved->moved_as = config_moved_name(preflight->config, mapping->from_table);
    g_ptr_array_add(preflight->moved_tables, moved);
}

static bool
check_table(struct preflight *preflight, const struct table_mapping *mapping, GError **error)
{
    g_autofree char *subject = table_subject(mapping);
    check_name_length(preflight, subject, mapping->to_schema, "map it to a shorter name");
    check_name_length(preflight, subject, mapping->to_table, "map it to a shorter name");
    g_autoptr(table) table = NULL;
    if (!inspect_table(preflight->reader.conn, mapping->from_schema, mapping->from_table, &table,
                       error))
        return false;
    if (table == NULL)
        return check_absent(preflight, subject, mapping, error);
    if (g_ascii_strcasecmp(table->engine, "InnoDB") != 0) {
        bool is_view = g_str_has_suffix(table->engine, "VIEW");
        g_autofree char *name = quoted_table(mapping->from_schema, mapping->from_table);
        g_autofree char *alter = g_strdup_printf("ALTER TABLE %s ENGINE = InnoDB", name);
        preflight_error(preflight, subject,
                        is_view ? "name the tables that it reads instead" : alter, "it is %s %s",
                        is_view ? "a" : "a table of engine", table->engine);
        return true;
    }
    unsigned findings_before = preflight->findings->len;
    check_columns(preflight, subject, table);
    check_key(preflight, subject, table);
    check_options(preflight, subject, table);
    if (!check_doubtful(preflight, subject, mapping, table, error) ||
        !check_moved_name(preflight, subject, mapping, error))
        return false;
    if (table->key_name != NULL && preflight->findings->len == findings_before)
        preflight_ok(preflight, subject,
                     "can be moved by its key %s, about %" G_GUINT64_FORMAT " rows",
                     table->key_name, (guint64)table->estimated_rows);
    add_moved_table(preflight, mapping, g_steal_pointer(&table));
    return true;
}

static void
check_twice_mapped(struct preflight *preflight, unsigned index)
{
    GArray *tables = preflight->config->tables;
    const struct table_mapping *one = &g_array_index(tables, struct table_mapping, index);
    if (g_str_equal(one->to_schema, preflight->config->checkpoint.database)) {
        g_autofree char *subject = table_subject(one);
        preflight_error(preflight, subject, "map it to another schema",
                        "its target schema %s is checkpoint.database", one->to_schema);
    }
    for (unsigned i = 0; i < index; i++) {
        const struct table_mapping *other = &g_array_index(tables, struct table_mapping, i);
        if (!g_str_equal(one->to_schema, other->to_schema) ||
            !g_str_equal(one->to_table, other->to_table))
            continue;
        g_autofree char *subject = table_subject(one);
        preflight_error(preflight, subject, "give each table a target of its own",
                        "%s.%s is moved to %s.%s as well", other->from_schema, other->from_table,
                        one->to_schema, one->to_table);
    }
}

bool
preflight_source_tables(struct preflight *preflight, GError **error)
{
    for (unsigned i = 0; i < preflight->config->tables->len; i++) {
        check_twice_mapped(preflight, i);
        if (!check_table(preflight,
                         &g_array_index(preflight->config->tables, struct table_mapping, i), error))
            return false;
    }
    return true;
}
