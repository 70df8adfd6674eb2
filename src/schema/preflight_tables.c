/* The tables on the source: what can be moved at all. */
#include <mysqld_error.h>
#include <string.h>

#include "mysql/quote.h"
#include "schema/exact_reals.h"
#include "schema/create_scan_int.h"
#include "schema/create_text_int.h"
#include "schema/inspect.h"
#include "schema/key.h"
#include "schema/lost_dates.h"
#include "schema/preflight_int.h"

enum { NAME_MAX_CHARACTERS = 64, LOST_DATES_MS = 10000 };

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

/* What the session that wrote a row had to do with its value is not in the binlog. */
static void
check_stored(struct preflight *preflight, const char *subject, const struct table *table)
{
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (column->compared && column->type == COLUMN_JSON)
            preflight_error(preflight, subject, "drop it for the time of the move",
                            "the STORED column `%s` is a JSON document that may depend on settings "
                            "of the session that wrote the row (sql_mode, lc_time_names and the "
                            "like): the target computes it again, and documents are not compared",
                            column->name);
        else if (column->compared)
            preflight_warning(preflight, subject,
                              "none is needed where all sessions that write have the same settings",
                              "the target computes the STORED column `%s` again, and its "
                              "expression may depend on settings of the session that wrote the "
                              "row (sql_mode, lc_time_names and the like): the values are "
                              "compared, and a row with another one is refused when it is met",
                              column->name);
    }
}

/* ALTER TABLE leaves the rows as they are when it gives a column fewer digits, for one. What else does: exact_reals.h. */
static void
check_rounded(struct preflight *preflight, const char *subject, const struct table *table)
{
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (!column->generated && column->fixed_digits && !exact_reals_possible(table, column))
            preflight_warning(preflight, subject, "use DOUBLE or DECIMAL where that may be so",
                              "column `%s` is %s: a value with more digits, as ALTER TABLE and "
                              "some other statements leave them, is refused when it is met",
                              column->name, column->column_type);
    }
}

/* The target would compute it in UTC: another value, and for a unique index another uniqueness. */
static bool
check_time_zones(struct preflight *preflight, const char *subject, const struct table *table)
{
    g_autofree char *dependent = create_statement_zone_dependent(table);
    if (dependent != NULL)
        preflight_error(preflight, subject,
                        "drop it for the time of the move, or compute it from a DATETIME",
                        "%s is computed from a TIMESTAMP, in the time zone of whoever wrote the "
                        "row: the target would compute another value",
                        dependent);
    return dependent == NULL;
}

/* What is in such an index the target computes again. Where two values became one, the target would keep
 * one of the two rows and take the other for an older version of it. */
static void
check_unique(struct preflight *preflight, const char *subject, const struct table *table)
{
    g_autofree char *index = create_statement_session_unique(table);
    if (index != NULL)
        preflight_error(preflight, subject,
                        "drop the index, or make it one that is not unique, for the time of the "
                        "move",
                        "the unique index `%s` is over a value that may depend on settings of the "
                        "session that wrote the row (sql_mode, lc_time_names and the like): the "
                        "target computes it again, and rows that differ on the source may be "
                        "equal there",
                        index);
}

/* InnoDB numbers the rows of a FULLTEXT index by itself, or by a column of this name: that has to grow from row to row. */
static void
check_documents(struct preflight *preflight, const char *subject, const struct table *table)
{
    if (strstr(table->create_sql, "\n  FULLTEXT KEY ") == NULL)
        return;
    for (unsigned i = 0; i < table->columns->len; i++)
        if (g_str_equal(table_column(table, i)->name, "FTS_DOC_ID"))
            preflight_error(preflight, subject,
                            "drop its FULLTEXT indexes for the time of the move",
                            "it has a column FTS_DOC_ID and a FULLTEXT index: InnoDB then takes a "
                            "row only if its number is above all others (error 182), and neither "
                            "chunks nor changes come in that order");
}

/* Rows with such a date are found by reading them all. That may take long: then it is left to the user. */
static bool
check_lost_dates(struct preflight *preflight, const char *subject, const struct table *table,
                 GError **error)
{
    g_autoptr(GString) select = g_string_new(NULL);
    if (preflight->options->resuming || !lost_dates_select_append(select, table))
        return true;
    g_autofree char *sql = g_strdup_printf("SELECT /*+ MAX_EXECUTION_TIME(%d) */ %s", LOST_DATES_MS,
                                           select->str);
    g_autofree char *cure = g_strdup_printf("SET sql_mode = 'ALLOW_INVALID_DATES'; SELECT %s",
                                            select->str);
    g_autofree char *found = NULL;
    g_autoptr(GError) failure = NULL;
    const char *why = "MySQL looks for such a row in another partition than it is in, and the move "
                      "would leave it out";
    if (!conn_query_value(preflight->reader.conn, sql, &found, &failure)) {
        if (conn_errno(preflight->reader.conn) != ER_QUERY_TIMEOUT) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        preflight_warning(preflight, subject, cure,
                          "it is partitioned by a count of days, and may hold dates that no "
                          "calendar has (2020-02-31): %s. There is none where this finds no row",
                          why);
    } else if (found != NULL) {
        preflight_error(preflight, subject, "correct these dates, or DELETE the rows",
                        "it is partitioned by a count of days, and holds a date that no calendar "
                        "has (2020-02-31): %s",
                        why);
    }
    return true;
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

/* `orders_ibfk_1`, `orders_chk_1`: named by the server after the table, and renamed with it. Gives the
 * part behind the table's name; NULL for any other name. */
static const char *
generated_suffix(const char *constraint, const char *table_name)
{
    static const char *const kinds[] = {"_ibfk_", "_chk_"};
    if (!g_str_has_prefix(constraint, table_name))
        return NULL;
    const char *suffix = constraint + strlen(table_name);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_has_prefix(suffix, kinds[i]) && suffix[strlen(kinds[i])] != '\0' &&
            suffix[strlen(kinds[i]) + strspn(suffix + strlen(kinds[i]), "0123456789")] == '\0')
            return suffix;
    return NULL;
}

/* RENAME fails (1059) when it makes a constraint's name too long: better known now than then. */
static void
check_constraint_names(struct preflight *preflight, const char *subject, const char *moved_as,
                       const struct table *table)
{
    struct create_scan scan = create_scan_of(table->create_sql);
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            return;
        if (token.depth != 1 || !create_token_is_word(&token, "CONSTRAINT"))
            continue;
        struct create_token name_token = create_scan_next(&scan);
        if (name_token.kind != CREATE_TOKEN_NAME)
            continue;
        g_autofree char *name = create_token_name(&name_token);
        const char *suffix = generated_suffix(name, table->name);
        if (suffix == NULL)
            continue;
        g_autofree char *renamed = g_strconcat(moved_as, suffix, NULL);
        if (g_utf8_strlen(renamed, -1) > NAME_MAX_CHARACTERS)
            preflight_error(preflight, subject, "shorten cutover.moved_name",
                            "its constraint %s becomes %s at cutover, of %ld characters; MySQL "
                            "allows %d",
                            name, renamed, g_utf8_strlen(renamed, -1), NAME_MAX_CHARACTERS);
    }
}

/* `taken`: the table that has that name on the source. */
static void
check_moved_name(struct preflight *preflight, const char *subject,
                 const struct table_mapping *mapping, const struct table *table,
                 const struct table *taken)
{
    g_autofree char *moved_as = config_moved_name(preflight->config, mapping->from_table);
    check_name_length(preflight, subject, moved_as, "shorten cutover.moved_name");
    check_constraint_names(preflight, subject, moved_as, table);
    if (taken != NULL) {
        g_autofree char *name = quoted_table(mapping->from_schema, moved_as);
        g_autofree char *cure = g_strdup_printf(
            "if it is a left-over: DROP TABLE %s; else set cutover.moved_name", name);
        preflight_error(preflight, subject, cure,
                        "%s.%s, the name that the source table gets at cutover, is taken",
                        mapping->from_schema, moved_as);
    }
}

/* The source table is not there: never was, or renamed by the cutover that is being resumed. */
static void
check_absent(struct preflight *preflight, const char *subject, const struct table_mapping *mapping,
             const struct table *renamed)
{
    g_autofree char *moved_as = config_moved_name(preflight->config, mapping->from_table);
    if (renamed != NULL && preflight->options->resuming)
        preflight_ok(preflight, subject, "renamed to %s already", moved_as);
    else
        preflight_error(preflight, subject,
                        "correct `tables`, or GRANT SELECT on it, without which it cannot be seen",
                        "there is no such table on the source");
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

/* Takes `found`, what has the table's name, and `moved`, what has the name that it gets. */
static bool
check_table(struct preflight *preflight, const struct table_mapping *mapping, struct table *found,
            struct table *moved, GError **error)
{
    g_autofree char *subject = table_subject(mapping);
    g_autoptr(table) table = found;
    g_autoptr(table) taken = moved;
    check_name_length(preflight, subject, mapping->to_schema, "map it to a shorter name");
    check_name_length(preflight, subject, mapping->to_table, "map it to a shorter name");
    if (table == NULL) {
        check_absent(preflight, subject, mapping, taken);
        return true;
    }
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
    if (check_time_zones(preflight, subject, table))
        check_unique(preflight, subject, table);
    check_stored(preflight, subject, table);
    check_rounded(preflight, subject, table);
    check_documents(preflight, subject, table);
    check_key(preflight, subject, table);
    if (!check_lost_dates(preflight, subject, table, error) ||
        !check_doubtful(preflight, subject, mapping, table, error))
        return false;
    check_moved_name(preflight, subject, mapping, table, taken);
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

/* By the names that the source tables get at cutover. */
static GPtrArray *
inspections_of_moved(const struct config *config)
{
    GPtrArray *wanted = inspections_new();
    for (unsigned i = 0; i < config->tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(config->tables, struct table_mapping,
                                                             i);
        g_autofree char *moved_as = config_moved_name(config, mapping->from_table);
        inspections_add(wanted, mapping->from_schema, moved_as);
    }
    return wanted;
}

bool
preflight_source_tables(struct preflight *preflight, GError **error)
{
    const struct config *config = preflight->config;
    g_autoptr(GPtrArray) sources = inspections_of_sources(config);
    g_autoptr(GPtrArray) moved = inspections_of_moved(config);
    if (!inspect_tables(preflight->reader.conn, sources, error) ||
        !inspect_tables(preflight->source.conn, moved, error))
        return false;
    for (unsigned i = 0; i < config->tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(config->tables, struct table_mapping,
                                                             i);
        check_twice_mapped(preflight, i);
        if (!check_table(preflight, mapping, inspections_take(sources, i),
                         inspections_take(moved, i), error))
            return false;
    }
    return true;
}
