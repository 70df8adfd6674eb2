/* Whose rights the triggers have: what the target asks of one who creates a trigger for another. */
#include <mysqld_error.h>

#include "mysql/quote.h"
#include "schema/preflight_int.h"
#include "schema/trigger_text_int.h"

/* From 8.2 on the two halves of SET_USER_ID are privileges of their own, and an account that is not
 * there is refused. */
static bool
has_own_privileges(const struct server_facts *facts)
{
    return !server_version_older(facts->version, "8.2");
}

static bool
has(const struct server_facts *facts, uint32_t privilege)
{
    return grant_set_missing(facts->grants, privilege, NULL, NULL) == 0;
}

static bool
may_set_definers(const struct server_facts *facts)
{
    return has(facts, PRIVILEGE_BIT(SUPER)) || has(facts, PRIVILEGE_BIT(SET_USER_ID)) ||
           has(facts, PRIVILEGE_BIT(SET_ANY_DEFINER));
}

/* Rows of a table of `mysql`, which few may read. */
struct answer {
    bool denied;
    bool found;
};

static bool
ask(struct conn *target, const char *sql, struct answer *ret_answer, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(result) rows = conn_query(target, sql, &failure);
    unsigned number = conn_errno(target);
    bool denied = rows == NULL &&
                  (number == ER_TABLEACCESS_DENIED_ERROR || number == ER_COLUMNACCESS_DENIED_ERROR);
    if (rows == NULL && !denied) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    *ret_answer = (struct answer){.denied = denied, .found = rows != NULL && result_rows(rows) > 0};
    return true;
}

/* A definer that others' triggers have, and the first of them, for messages. */
struct definer {
    const struct trigger *trigger;
    char *account; /* quoted */
    char *subject;
};

/* *ret_exists: it does, or that cannot be seen. */
static bool
check_exists(struct preflight *preflight, const struct definer *definer, bool *ret_exists,
             GError **error)
{
    const struct server_facts *target = &preflight->target;
    g_autofree char *user = quoted_string(definer->trigger->definer_user);
    g_autofree char *host = quoted_string(definer->trigger->definer_host);
    g_autofree char *sql = g_strdup_printf(
        "SELECT `User` FROM mysql.user WHERE `User` = %s AND `Host` = %s", user, host);
    struct answer answer;
    if (!ask(target->conn, sql, &answer, error))
        return false;
    *ret_exists = answer.found || answer.denied;
    if (answer.found)
        return true;
    if (!answer.denied) {
        preflight_error(preflight, definer->subject,
                        "create that account on the target with what the trigger needs, or "
                        "cutover.triggers: leave",
                        "trigger `%s`: its definer %s has no account on the target: every write to "
                        "the table would fail after the cutover",
                        definer->trigger->name, definer->account);
        return true;
    }
    g_autofree char *cure = g_strdup_printf("GRANT SELECT (`User`, `Host`) ON mysql.user TO %s",
                                            target->account);
    bool fails = has_own_privileges(target) &&
                 !has(target, PRIVILEGE_BIT(SUPER) /* which allows it, too */) &&
                 !has(target, PRIVILEGE_BIT(ALLOW_NONEXISTENT_DEFINER));
    void (*report)(struct preflight *, const char *, const char *, const char *,
                   ...) = fails ? preflight_error : preflight_warning;
    report(preflight, definer->subject, cure,
           "trigger `%s`: whether its definer %s has an account on the target cannot be seen",
           definer->trigger->name, definer->account);
    return true;
}

/* Only who has SYSTEM_USER may create something that runs as one who has it. */
static bool
check_system_user(struct preflight *preflight, const struct definer *definer, GError **error)
{
    const struct server_facts *target = &preflight->target;
    g_autofree char *user = quoted_string(definer->trigger->definer_user);
    g_autofree char *host = quoted_string(definer->trigger->definer_host);
    g_autofree char *sql = g_strdup_printf(
        "SELECT `PRIV` FROM mysql.global_grants WHERE"
        " `USER` = %s AND `HOST` = %s AND `PRIV` = 'SYSTEM_USER'",
        user, host);
    struct answer answer;
    if (has(target, PRIVILEGE_BIT(SYSTEM_USER)))
        return true;
    if (!ask(target->conn, sql, &answer, error))
        return false;
    g_autofree char *grant = g_strdup_printf("GRANT SYSTEM_USER ON *.* TO %s", target->account);
    g_autofree char *look = g_strdup_printf(
        "GRANT SELECT (`USER`, `HOST`, `PRIV`) ON mysql.global_grants TO %s, or %s",
        target->account, grant);
    if (answer.denied)
        preflight_error(preflight, definer->subject, look,
                        "trigger `%s`: whether its definer %s has SYSTEM_USER on the target cannot "
                        "be seen, and %s has not",
                        definer->trigger->name, definer->account, target->account);
    else if (answer.found)
        preflight_error(
            preflight, definer->subject, grant,
            "trigger `%s`: its definer %s has SYSTEM_USER on the target, and %s has not",
            definer->trigger->name, definer->account, target->account);
    return true;
}

static bool
check_definer(struct preflight *preflight, const struct definer *definer, GError **error)
{
    const struct server_facts *target = &preflight->target;
    bool exists = false;
    if (!may_set_definers(target)) {
        g_autofree char *cure = g_strdup_printf(
            "GRANT %s ON *.* TO %s", has_own_privileges(target) ? "SET_ANY_DEFINER" : "SET_USER_ID",
            target->account);
        preflight_error(preflight, definer->subject, cure,
                        "trigger `%s` has the definer %s, and %s may create triggers of its own "
                        "account only",
                        definer->trigger->name, definer->account, target->account);
    }
    return check_exists(preflight, definer, &exists, error) &&
           (!exists || check_system_user(preflight, definer, error));
}

bool
preflight_trigger_definers(struct preflight *preflight, const GPtrArray *triggers, GError **error)
{
    g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_add(told, g_strdup(preflight->target.account));
    for (guint i = 0; i < triggers->len; i++) {
        const struct trigger *trigger = g_ptr_array_index(triggers, i);
        const struct moved_table *moved = g_ptr_array_index(preflight->moved_tables,
                                                            trigger->table);
        g_autofree char *account = trigger_definer(trigger);
        g_autofree char *subject = g_strdup_printf("table %s.%s", moved->source->schema,
                                                   moved->source->name);
        const struct definer definer = {trigger, account, subject};
        if (g_hash_table_add(told, g_strdup(account)) && !check_definer(preflight, &definer, error))
            return false;
    }
    return true;
}
