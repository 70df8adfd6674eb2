/* Triggers as a server has them: reading, and creating on the target. */
#include "schema/trigger.h"

#include <mysqld_error.h>
#include <string.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "mysql/quote.h"
#include "schema/name_groups_int.h"
#include "schema/preflight_int.h"
#include "schema/trigger_text_int.h"

#define LOCK_WAIT_S 1

/* --- reading ---------------------------------------------------------------------------- */

static void
free_trigger(void *trigger)
{
    trigger_free(trigger);
}

/* The moved tables' names at that place, in groups. */
static GPtrArray *
groups_at(const GPtrArray *moved_tables, enum trigger_place place)
{
    GPtrArray *groups = name_groups_new();
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *moved = g_ptr_array_index(moved_tables, i);
        if (place == TRIGGERS_OF_TARGET)
            name_groups_add(groups, moved->to_schema, moved->to_table, i);
        else
            name_groups_add(groups, moved->source->schema,
                            place == TRIGGERS_OF_RENAMED ? moved->moved_as : moved->source->name,
                            i);
    }
    return groups;
}

/* Its text. *ret_gone: somebody has dropped it meanwhile. */
static bool
read_statement(struct conn *conn, const char *schema, struct trigger *trigger, bool *ret_gone,
               GError **error)
{
    g_autofree char *name = quoted_table(schema, trigger->name);
    g_autoptr(GError) failure = NULL;
    g_autoptr(result) shown = conn_queryf(conn, &failure, "SHOW CREATE TRIGGER %s", name);
    *ret_gone = shown == NULL && conn_errno(conn) == ER_TRG_DOES_NOT_EXIST;
    if (*ret_gone)
        return true;
    if (shown == NULL) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    static const char column[] = "SQL Original Statement";
    const char *sql = result_rows(shown) > 0 ? result_get(shown, 0, column) : NULL;
    if (sql != NULL && trigger_take_statement(trigger, sql, result_length(shown, 0, column)))
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT,
                "trigger %s: SHOW CREATE TRIGGER gave a statement that is not understood: %.80s",
                name, sql != NULL ? sql : "none");
    return false;
}

/* Servers before 8.0.28 call utf8mb3 by its older name. */
static char *
charset_name(const char *name)
{
    bool old = g_str_has_prefix(name, "utf8") && (name[4] == '\0' || name[4] == '_');
    return old ? g_strconcat("utf8mb3", name + 4, NULL) : g_strdup(name);
}

static struct trigger *
trigger_of_row(const struct name_group *group, const struct result *result, size_t row)
{
    struct trigger *trigger = g_new0(struct trigger, 1);
    trigger->table = name_group_place(group, result_uint(result, row, "PLACE"));
    trigger->name = g_strdup(result_get(result, row, "TRIGGER_NAME"));
    trigger->timing = g_strdup(result_get(result, row, "ACTION_TIMING"));
    trigger->event = g_strdup(result_get(result, row, "EVENT_MANIPULATION"));
    trigger->sql_mode = g_strdup(result_get(result, row, "SQL_MODE"));
    trigger->client_charset = charset_name(result_get(result, row, "CHARACTER_SET_CLIENT"));
    trigger->connection_collation = charset_name(result_get(result, row, "COLLATION_CONNECTION"));
    trigger->database_collation = charset_name(result_get(result, row, "DATABASE_COLLATION"));
    return trigger;
}

static bool
list_group(struct conn *conn, const struct name_group *group, GPtrArray *triggers, GError **error)
{
    g_autoptr(result) result = conn_queryf(
        conn, error,
        "SELECT TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, SQL_MODE, CHARACTER_SET_CLIENT,"
        " COLLATION_CONNECTION, DATABASE_COLLATION, FIELD(EVENT_OBJECT_TABLE, %s) AS PLACE"
        " FROM information_schema.TRIGGERS"
        " WHERE EVENT_OBJECT_SCHEMA = %s AND EVENT_OBJECT_TABLE IN (%s)"
        " ORDER BY PLACE, EVENT_MANIPULATION, ACTION_TIMING DESC, ACTION_ORDER",
        group->names->str, group->schema, group->names->str);
    for (size_t row = 0; result != NULL && row < result_rows(result); row++)
        g_ptr_array_add(triggers, trigger_of_row(group, result, row));
    return result != NULL;
}

GPtrArray *
triggers_list(struct conn *conn, const GPtrArray *moved_tables, enum trigger_place place,
              GError **error)
{
    g_autoptr(GPtrArray) groups = groups_at(moved_tables, place);
    g_autoptr(GPtrArray) triggers = g_ptr_array_new_with_free_func(free_trigger);
    for (guint i = 0; i < groups->len; i++)
        if (!list_group(conn, name_group(groups, i), triggers, error))
            return NULL;
    return g_steal_pointer(&triggers);
}

GPtrArray *
triggers_read(struct conn *conn, const GPtrArray *moved_tables, enum trigger_place place,
              GError **error)
{
    g_autoptr(GPtrArray) triggers = triggers_list(conn, moved_tables, place, error);
    if (triggers == NULL)
        return NULL;
    for (guint i = 0; i < triggers->len;) {
        struct trigger *trigger = g_ptr_array_index(triggers, i);
        const struct moved_table *moved = g_ptr_array_index(moved_tables, trigger->table);
        bool gone = false;
        if (!read_statement(conn,
                            place == TRIGGERS_OF_TARGET ? moved->to_schema : moved->source->schema,
                            trigger, &gone, error))
            return NULL;
        if (gone)
            g_ptr_array_remove_index(triggers, i);
        else
            i++;
    }
    return g_steal_pointer(&triggers);
}

static bool
check_group_is_there(struct conn *source, const struct name_group *group, GError **error)
{
    g_autoptr(result) found = conn_queryf(source, error,
                                          "SELECT COUNT(*) AS n FROM information_schema.TABLES"
                                          " WHERE TABLE_SCHEMA = %s AND TABLE_NAME IN (%s)",
                                          group->schema, group->names->str);
    if (found == NULL)
        return false;
    if (result_uint(found, 0, "n") == group->places->len)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_SOURCE,
                "not all of the renamed tables (%s in %s) are on the source, and with them their "
                "triggers",
                group->names->str, group->schema);
    return false;
}

bool
triggers_are_visible(struct conn *source, const GPtrArray *moved_tables, GError **error)
{
    g_autoptr(GPtrArray) groups = groups_at(moved_tables, TRIGGERS_OF_RENAMED);
    for (guint i = 0; i < groups->len; i++)
        if (!check_group_is_there(source, name_group(groups, i), error))
            return false;
    struct server_facts facts = {.label = "source", .conn = source};
    bool visible = server_facts_read(&facts, error);
    for (guint i = 0; visible && i < moved_tables->len; i++) {
        const struct moved_table *moved = g_ptr_array_index(moved_tables, i);
        visible = grant_set_missing(facts.grants, PRIVILEGE_BIT(TRIGGER), moved->source->schema,
                                    moved->moved_as) == 0;
        if (!visible)
            g_set_error(error, MT_ERROR, MT_ERROR_SOURCE,
                        "the triggers of %s.%s cannot be seen without the TRIGGER privilege",
                        moved->source->schema, moved->moved_as);
    }
    server_facts_clear(&facts);
    return visible;
}

/* --- the statement for the target --------------------------------------------------------- */

/* Every character set that a client may have contains ASCII; for other names the server is asked. */
static bool
encode(struct conn *target, const char *charset, const char *text, char **ret_bytes, GError **error)
{
    *ret_bytes = NULL;
    if (g_str_is_ascii(text)) {
        *ret_bytes = g_strdup(text);
        return true;
    }
    g_autoptr(GString) literal = g_string_new(NULL);
    quote_utf8(literal, text, strlen(text));
    g_autoptr(result)
        result = conn_queryf(target, error,
                             "SELECT CONVERT(%s USING %s) AS encoded,"
                             " CAST(CONVERT(CONVERT(%s USING %s) USING utf8mb4) AS BINARY) ="
                             " CAST(%s AS BINARY) AS same",
                             literal->str, charset, literal->str, charset, literal->str);
    if (result == NULL)
        return false;
    if (result_int(result, 0, "same") == 1)
        *ret_bytes = g_strdup(result_get(result, 0, "encoded"));
    return true;
}

bool
trigger_statement(struct conn *target, const struct trigger *trigger,
                  const struct moved_table *moved, const struct trigger_neighbour *beside,
                  char **ret_sql, GError **error)
{
    g_autofree char *head = trigger_head(trigger, moved, beside);
    g_autofree char *bytes = NULL;
    if (!encode(target, trigger->client_charset, head, &bytes, error))
        return false;
    *ret_sql = bytes != NULL ? g_strconcat(bytes, trigger->body, NULL) : NULL;
    return true;
}

bool
trigger_session_begin(struct conn *target, const struct trigger *trigger, GError **error)
{
    g_autofree char *mode = quoted_string(trigger->sql_mode);
    return conn_execf(target, error,
                      "SET @trigger_mode = @@SESSION.sql_mode,"
                      " @trigger_collation = @@SESSION.collation_connection;"
                      "SET SESSION character_set_client = %s, SESSION collation_connection = %s,"
                      " SESSION sql_mode = %s",
                      trigger->client_charset, trigger->connection_collation, mode);
}

bool
trigger_session_end(struct conn *target, GError **error)
{
    return conn_exec(target,
                     "SET SESSION character_set_client = utf8mb4,"
                     " SESSION collation_connection = @trigger_collation,"
                     " SESSION sql_mode = @trigger_mode",
                     error);
}

/* --- creating ----------------------------------------------------------------------------- */

/* Of the same schema and name. */
static const struct trigger *
find_trigger(const GPtrArray *found, const GPtrArray *moved_tables, const struct trigger *wanted)
{
    const struct moved_table *moved = g_ptr_array_index(moved_tables, wanted->table);
    for (guint i = 0; i < found->len; i++) {
        const struct trigger *other = g_ptr_array_index(found, i);
        const struct moved_table *of_other = g_ptr_array_index(moved_tables, other->table);
        if (g_str_equal(other->name, wanted->name) &&
            g_str_equal(of_other->to_schema, moved->to_schema))
            return other;
    }
    return NULL;
}

static bool
compare(const struct trigger *wanted, const struct trigger *found, const struct moved_table *moved,
        GError **error)
{
    g_autofree char *difference = found != NULL ? trigger_difference(wanted, found)
                                                : g_strdup("it is not there");
    if (difference == NULL)
        return true;
    g_autofree char *label = trigger_label(wanted, moved);
    g_set_error(error, MT_ERROR, MT_ERROR_TARGET,
                "%s is not the source's: %s; DROP TRIGGER it, and it is created", label,
                difference);
    return false;
}

/* Where it belongs among those of its event: behind the one before it, which is there by now; or,
 * where it is the first, before all of them that are there. */
static bool
place_of(const GPtrArray *wanted, guint index, GPtrArray *found, const GPtrArray *moved_tables,
         struct trigger_neighbour *ret_beside)
{
    const struct trigger *before = trigger_next(wanted, index, -1);
    *ret_beside = (struct trigger_neighbour){.name = before != NULL ? before->name : NULL,
                                             .follows = true};
    guint first = found->len;
    for (guint i = index; before == NULL; i++) {
        guint place = 0;
        const struct trigger *after = trigger_next(wanted, i, 1);
        if (after == NULL)
            break;
        after = find_trigger(found, moved_tables, after);
        if (after == NULL || !g_ptr_array_find(found, after, &place) || place >= first)
            continue;
        first = place;
        *ret_beside = (struct trigger_neighbour){.name = after->name};
    }
    return ret_beside->name != NULL;
}

static bool
exec_in_session(struct conn *target, const struct trigger *trigger, const char *sql, GError **error)
{
    /* A transaction of somebody's that uses the table must not make others wait behind us. */
    if (!conn_execf(target, error, "SET SESSION lock_wait_timeout = %d", LOCK_WAIT_S) ||
        !trigger_session_begin(target, trigger, error))
        return false;
    /* Dying here: one statement of the server's own, done or not; the next run looks. */
    bool done = conn_exec_at(target, sql, FAILPOINT_TRIGGER_SENT, error);
    g_autoptr(GError) trouble = NULL;
    if (trigger_session_end(target, &trouble))
        return done;
    conn_break(target);
    if (done)
        g_propagate_error(error, g_steal_pointer(&trouble));
    return false;
}

static bool
create_one(struct conn *target, const struct trigger *trigger, const struct moved_table *moved,
           const struct trigger_neighbour *beside, GError **error)
{
    g_autofree char *sql = NULL;
    g_autofree char *label = trigger_label(trigger, moved);
    if (!trigger_statement(target, trigger, moved, beside, &sql, error))
        return false;
    if (sql == NULL) {
        g_set_error(error, MT_ERROR, MT_ERROR_TARGET,
                    "%s: its client character set %s lacks a character of its names", label,
                    trigger->client_charset);
        return false;
    }
    if (!exec_in_session(target, trigger, sql, error)) {
        g_prefix_error(error, "%s could not be created: ", label);
        return false;
    }
    log_info("schema", log_msg("trigger created on the target"), log_str("trigger", trigger->name),
             log_str("table", moved->to_table));
    /* Dying here: this one is there as it should be, and is taken for done. */
    failpoint_reach(FAILPOINT_TRIGGER_CREATED);
    return true;
}

/* What the server made of it; and that they fire in the source's order, whoever else's are among
 * them. */
static bool
check_created(struct conn *target, const GPtrArray *wanted, const GPtrArray *moved_tables,
              GError **error)
{
    g_autoptr(GPtrArray) found = triggers_read(target, moved_tables, TRIGGERS_OF_TARGET, error);
    if (found == NULL)
        return false;
    guint last = 0;
    for (guint i = 0; i < wanted->len; i++) {
        const struct trigger *trigger = g_ptr_array_index(wanted, i);
        const struct moved_table *moved = g_ptr_array_index(moved_tables, trigger->table);
        const struct trigger *made = find_trigger(found, moved_tables, trigger);
        guint place = 0;
        if (!compare(trigger, made, moved, error))
            return false;
        (void)g_ptr_array_find(found, made, &place);
        if (trigger_next(wanted, i, -1) != NULL && place < last) {
            g_autofree char *label = trigger_label(trigger, moved);
            g_set_error(error, MT_ERROR, MT_ERROR_TARGET,
                        "%s fires in another order than on the source; DROP TRIGGER it, and it is "
                        "created in its place",
                        label);
            return false;
        }
        last = place;
    }
    return true;
}

bool
triggers_create(struct conn *target, const GPtrArray *wanted, const GPtrArray *moved_tables,
                GError **error)
{
    g_autoptr(GPtrArray) found = triggers_read(target, moved_tables, TRIGGERS_OF_TARGET, error);
    if (found == NULL)
        return false;
    for (guint i = 0; i < wanted->len; i++) {
        const struct trigger *trigger = g_ptr_array_index(wanted, i);
        const struct moved_table *moved = g_ptr_array_index(moved_tables, trigger->table);
        const struct trigger *there = find_trigger(found, moved_tables, trigger);
        struct trigger_neighbour beside;
        if (there != NULL && !compare(trigger, there, moved, error))
            return false;
        if (there != NULL)
            continue;
        bool placed = place_of(wanted, i, found, moved_tables, &beside);
        if (!create_one(target, trigger, moved, placed ? &beside : NULL, error))
            return false;
    }
    return check_created(target, wanted, moved_tables, error);
}
