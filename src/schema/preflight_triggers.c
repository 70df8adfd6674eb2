/* The source's triggers: reported, or, with cutover.triggers: create, whether the target will take
 * them. After the point of no return nothing may turn out that could have been known here. */
#include <mysqld_error.h>
#include <string.h>

#include "base/error.h"
#include "mysql/quote.h"
#include "schema/name_groups_int.h"
#include "schema/preflight_int.h"
#include "schema/trigger_text_int.h"

static const struct moved_table *
moved_of(const struct preflight *preflight, unsigned index)
{
    return g_ptr_array_index(preflight->moved_tables, index);
}

static char *
subject_of(const struct moved_table *moved)
{
    return g_strdup_printf("table %s.%s", moved->source->schema, moved->source->name);
}

/* Without the privilege triggers look like none. On the name after the RENAME it is needed to read
 * them there. */
static void
check_seen_as(struct preflight *preflight, const struct moved_table *moved, const char *name,
              bool creating)
{
    const struct server_facts *source = &preflight->source;
    if (grant_set_missing(source->grants, PRIVILEGE_BIT(TRIGGER), moved->source->schema, name) == 0)
        return;
    g_autofree char *subject = subject_of(moved);
    g_autofree char *quoted = quoted_table(moved->source->schema, name);
    /* On a table that is not there yet the server takes only a GRANT that names CREATE. */
    bool there = g_str_equal(name, moved->source->name);
    g_autofree char *cure = g_strdup_printf(
        "GRANT %s ON %s TO %s", there ? "TRIGGER" : "CREATE, TRIGGER", quoted, source->account);
    if (creating)
        preflight_error(preflight, subject, cure,
                        "its triggers cannot be read as %s without the TRIGGER privilege, and "
                        "cutover.triggers is create",
                        quoted);
    else
        preflight_warning(preflight, subject, cure,
                          "whether it has triggers cannot be seen without the TRIGGER privilege");
}

static void
check_seen(struct preflight *preflight, bool creating)
{
    for (guint i = 0; i < preflight->moved_tables->len; i++) {
        const struct moved_table *moved = moved_of(preflight, i);
        check_seen_as(preflight, moved, moved->source->name, creating);
        if (!creating)
            continue;
        g_autofree char *moved_as = config_moved_name(preflight->config, moved->source->name);
        check_seen_as(preflight, moved, moved_as, creating);
    }
}

/* --- leave ------------------------------------------------------------------------------ */

static void
report_left(struct preflight *preflight, const struct trigger *trigger)
{
    g_autofree char *subject = subject_of(moved_of(preflight, trigger->table));
    preflight_warning(preflight, subject,
                      "cutover.triggers: create, or create it on the target after the cutover, if "
                      "it is still needed",
                      "trigger `%s` (%s %s) is not created on the target: it would fire for "
                      "rows that the source's trigger made already",
                      trigger->name, trigger->timing, trigger->event);
}

/* --- create: one trigger ------------------------------------------------------------------ */

static const char leave[] = "cutover.triggers: leave";

/* The server parses it first, and then says that such a statement cannot be prepared. */
static bool
ask_parser(struct conn *target, const struct trigger *trigger, const char *sql, char **ret_problem,
           GError **error)
{
    g_autoptr(GString) text = g_string_new("SET @trigger_text = CONVERT(");
    quote_hex(text, sql, strlen(sql));
    g_string_append_printf(text, " USING %s)", trigger->client_charset);
    if (!conn_exec_bytes(target, text->str, text->len, error))
        return false;
    g_autoptr(GError) refused = NULL;
    bool parsed = conn_exec(target, "PREPARE trigger_proof FROM @trigger_text", &refused) ||
                  conn_errno(target) == ER_UNSUPPORTED_PS;
    if (!parsed && mt_error_is_transient(refused)) {
        g_propagate_error(error, g_steal_pointer(&refused));
        return false;
    }
    *ret_problem = parsed ? NULL : g_strdup(refused->message);
    return true;
}

/*
 * The same of what the server reads later, whenever it opens the table: it has the names in UTF-8 then,
 * and takes them for the client's character set all the same. Where their bytes swallow a quote, the
 * table can no longer be used.
 */
static bool
ask_parser_as_read_back(struct conn *target, const struct trigger *trigger,
                        const struct moved_table *moved, char **ret_problem, GError **error)
{
    struct moved_table plain = {.to_schema = (char[]){"s"}, .to_table = moved->to_table};
    g_autofree char *head = trigger_head(trigger, &plain, NULL);
    g_autofree char *sql = g_strconcat(head, trigger->body, NULL);
    return ask_parser(target, trigger, sql, ret_problem, error);
}

/* In a session as the trigger's. *ret_problem: the server refuses it. */
static bool
prove(struct conn *target, const struct trigger *trigger, const struct moved_table *moved,
      const char *sql, char **ret_problem, GError **error)
{
    g_autoptr(GError) refused = NULL;
    *ret_problem = NULL;
    bool begun = trigger_session_begin(target, trigger, &refused);
    if (!begun && !g_error_matches(refused, MT_ERROR, MT_ERROR_TARGET) &&
        !g_error_matches(refused, MT_ERROR, MT_ERROR_DATA)) {
        g_propagate_error(error, g_steal_pointer(&refused));
        return false;
    }
    if (!begun)
        *ret_problem = g_strdup(refused->message);
    else if (!ask_parser(target, trigger, sql, ret_problem, error) ||
             (*ret_problem == NULL &&
              !ask_parser_as_read_back(target, trigger, moved, ret_problem, error)))
        return false;
    return trigger_session_end(target, error);
}

static bool
check_statement(struct preflight *preflight, const struct trigger *trigger, GError **error)
{
    struct conn *target = preflight->target.conn;
    const struct moved_table *moved = moved_of(preflight, trigger->table);
    g_autofree char *subject = subject_of(moved);
    g_autofree char *sql = NULL;
    g_autofree char *problem = NULL;
    if (!trigger_statement(target, trigger, moved, NULL, &sql, error))
        return false;
    if (sql == NULL)
        problem = g_strdup_printf("its client character set %s lacks a character of its names",
                                  trigger->client_charset);
    else if (!prove(target, trigger, moved, sql, &problem, error))
        return false;
    if (problem != NULL)
        preflight_error(preflight, subject,
                        "create the trigger anew on the source so that both servers take it, or "
                        "cutover.triggers: leave",
                        "trigger `%s` cannot be created on the target: %s", trigger->name, problem);
    return true;
}

/* The name belongs to the schema, so another table's trigger may have it. */
static bool
check_name(struct preflight *preflight, const struct trigger *trigger, GHashTable *names,
           GError **error)
{
    const struct moved_table *moved = moved_of(preflight, trigger->table);
    g_autofree char *subject = subject_of(moved);
    g_autofree char *schema = quoted_string(moved->to_schema);
    g_autofree char *name = quoted_string(trigger->name);
    g_autofree char *quoted = quoted_table(moved->to_schema, trigger->name);
    g_autoptr(result) taken = conn_queryf(preflight->target.conn, error,
                                          "SELECT EVENT_OBJECT_TABLE FROM"
                                          " information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = %s"
                                          " AND TRIGGER_NAME = %s",
                                          schema, name);
    if (taken == NULL)
        return false;
    g_autofree char *cure = g_strdup_printf("DROP TRIGGER %s on the target, or %s", quoted, leave);
    if (result_rows(taken) > 0)
        preflight_error(preflight, subject, cure,
                        "trigger `%s` cannot be created on the target: %s is the name of one of "
                        "table `%s` there",
                        trigger->name, quoted, result_at(taken, 0, 0));
    else if (!g_hash_table_add(names, g_steal_pointer(&quoted)))
        preflight_error(preflight, subject, leave,
                        "trigger `%s` cannot be created on the target: another moved table of the "
                        "same target schema has one of this name",
                        trigger->name);
    return true;
}

/* A schema that is not there is created with the source's collation. */
static bool
check_database_collation(struct preflight *preflight, const struct trigger *trigger, GError **error)
{
    const struct moved_table *moved = moved_of(preflight, trigger->table);
    g_autofree char *schema = quoted_string(moved->to_schema);
    g_autoptr(result) found = conn_queryf(
        preflight->target.conn, error,
        "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s",
        schema);
    if (found == NULL)
        return false;
    const char *collation = result_rows(found) > 0 ? result_at(found, 0, 0)
                                                   : moved->source->schema_collation;
    if (collation == NULL || !trigger_declares(trigger) ||
        g_str_equal(collation, trigger->database_collation))
        return true;
    g_autofree char *subject = subject_of(moved);
    g_autofree char *cure = g_strdup_printf(
        "create it anew on the source, or create the target's schema with COLLATE %s, or %s",
        trigger->database_collation, leave);
    preflight_error(preflight, subject, cure,
                    "trigger `%s` declares variables and was created in a schema of collation %s; "
                    "schema `%s` of the target has %s, and they would get that",
                    trigger->name, trigger->database_collation, moved->to_schema, collation);
    return true;
}

static void
check_body(struct preflight *preflight, const struct trigger *trigger)
{
    g_autofree char *names = trigger_foreign_names(trigger, preflight->moved_tables);
    if (names == NULL)
        return;
    g_autofree char *subject = subject_of(moved_of(preflight, trigger->table));
    preflight_warning(preflight, subject,
                      "see that these names mean the right thing on the target, or "
                      "cutover.triggers: leave, and create it by hand",
                      "trigger `%s` is created with its body as it is, which names %s: moved to "
                      "another name",
                      trigger->name, names);
}

static bool
check_trigger(struct preflight *preflight, const struct trigger *trigger, GHashTable *names,
              GError **error)
{
    const struct moved_table *moved = moved_of(preflight, trigger->table);
    g_autofree char *subject = subject_of(moved);
    g_autofree char *definer = trigger_definer(trigger);
    preflight_ok(
        preflight, subject,
        "trigger `%s` (%s %s, definer %s) is created on %s.%s of the target at the cutover",
        trigger->name, trigger->timing, trigger->event, definer, moved->to_schema, moved->to_table);
    check_body(preflight, trigger);
    return check_statement(preflight, trigger, error) &&
           check_name(preflight, trigger, names, error) &&
           check_database_collation(preflight, trigger, error);
}

/* --- create: all of them ------------------------------------------------------------------ */

/* On the schema: a trigger's name belongs to it, and those of other tables must be seen. */
static void
check_target_privilege(struct preflight *preflight, const GPtrArray *triggers)
{
    const struct server_facts *target = &preflight->target;
    g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < triggers->len; i++) {
        const struct trigger *trigger = g_ptr_array_index(triggers, i);
        char *schema = moved_of(preflight, trigger->table)->to_schema;
        if (!g_hash_table_add(told, schema) ||
            grant_set_missing(target->grants, PRIVILEGE_BIT(TRIGGER), schema, NULL) == 0)
            continue;
        g_autofree char *object = schema_for_grant(target, schema);
        g_autofree char *cure = g_strdup_printf("GRANT TRIGGER ON %s TO %s", object,
                                                target->account);
        preflight_error(preflight, "grant on target", cure,
                        "%s lacks TRIGGER on %s, which cutover.triggers: create needs",
                        target->account, object);
    }
}

static void
check_trust(struct preflight *preflight)
{
    const struct server_facts *target = &preflight->target;
    if (!g_str_equal(server_variable(target, "log_bin"), "ON") ||
        !g_str_equal(server_variable(target, "log_bin_trust_function_creators"), "OFF") ||
        grant_set_missing(target->grants, PRIVILEGE_BIT(SUPER), NULL, NULL) == 0)
        return;
    preflight_error(preflight, "target log_bin_trust_function_creators",
                    "SET PERSIST log_bin_trust_function_creators = ON",
                    "= OFF: %s may not create triggers while the binlog is on (error 1419), and "
                    "cutover.triggers is create",
                    target->account);
}

static bool
check_all(struct preflight *preflight, const GPtrArray *triggers, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < triggers->len; i++)
        if (!check_trigger(preflight, g_ptr_array_index(triggers, i), names, error))
            return false;
    if (triggers->len == 0) {
        preflight_ok(preflight, "triggers", "the moved tables have none that could be created");
        return true;
    }
    check_trust(preflight);
    check_target_privilege(preflight, triggers);
    return preflight_trigger_definers(preflight, triggers, error);
}

bool
preflight_triggers(struct preflight *preflight, GError **error)
{
    bool creating = preflight->config->cutover.triggers == TRIGGERS_CREATE;
    check_seen(preflight, creating);
    struct conn *source = preflight->source.conn;
    g_autoptr(GPtrArray)
        triggers = creating
                       ? triggers_read(source, preflight->moved_tables, TRIGGERS_OF_SOURCE, error)
                       : triggers_list(source, preflight->moved_tables, TRIGGERS_OF_SOURCE, error);
    if (triggers == NULL)
        return false;
    if (creating)
        return check_all(preflight, triggers, error);
    for (guint i = 0; i < triggers->len; i++)
        report_left(preflight, g_ptr_array_index(triggers, i));
    return true;
}
