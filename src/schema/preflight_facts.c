/* What is asked of each server once: settings, version, position, privileges. */
#include <string.h>

#include "mysql/quote.h"
#include "schema/preflight_int.h"

const char *
server_variable(const struct server_facts *facts, const char *name)
{
    const char *value = g_hash_table_lookup(facts->variables, name);
    return value != NULL ? value : "";
}

gint64
server_variable_int(const struct server_facts *facts, const char *name)
{
    return g_ascii_strtoll(server_variable(facts, name), NULL, 10);
}

bool
server_version_older(const char *one, const char *other)
{
    for (;;) {
        char *rest_of_one;
        char *rest_of_other;
        guint64 number = g_ascii_strtoull(one, &rest_of_one, 10);
        guint64 than = g_ascii_strtoull(other, &rest_of_other, 10);
        if (number != than)
            return number < than;
        if (*rest_of_one != '.' || *rest_of_other != '.')
            return false;
        one = rest_of_one + 1;
        other = rest_of_other + 1;
    }
}

static bool
read_variables(struct server_facts *facts, GError **error)
{
    /* SHOW rather than @@: a name that this version does not have is no error. */
    g_autoptr(result) result = conn_query(facts->conn, "SHOW GLOBAL VARIABLES", error);
    if (result == NULL)
        return false;
    facts->variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (size_t row = 0; row < result_rows(result); row++) {
        const char *value = result_at(result, row, 1);
        g_hash_table_insert(facts->variables, g_strdup(result_at(result, row, 0)),
                            g_strdup(value != NULL ? value : ""));
    }
    return true;
}

/* CURRENT_USER() is user@host, unquoted; the host holds no @. */
static char *
account_quoted(const char *current_user)
{
    const char *at = strrchr(current_user, '@');
    if (at == NULL)
        return g_strdup("CURRENT_USER()");
    g_autofree char *user = g_strndup(current_user, (size_t)(at - current_user));
    g_autoptr(GString) account = g_string_new(NULL);
    quote_identifier(account, user);
    g_string_append_c(account, '@');
    quote_identifier(account, at + 1);
    return g_string_free(g_steal_pointer(&account), FALSE);
}

static bool
read_grants(struct server_facts *facts, GError **error)
{
    g_autoptr(result) who = conn_query(
        facts->conn, "SELECT CURRENT_USER(), CURRENT_ROLE(), VERSION(), @@GLOBAL.gtid_executed",
        error);
    if (who == NULL)
        return false;
    facts->account = account_quoted(result_at(who, 0, 0));
    facts->version = g_strdup(result_at(who, 0, 2));
    facts->gtid_executed = g_strdup(result_at(who, 0, 3));
    const char *role = result_at(who, 0, 1);
    /* Only active roles give anything; CURRENT_ROLE() lists them ready quoted. */
    bool has_role = role != NULL && role[0] != '\0' && !g_str_equal(role, "NONE");
    g_autoptr(result) lines = conn_queryf(facts->conn, error, "SHOW GRANTS FOR CURRENT_USER()%s%s",
                                          has_role ? " USING " : "", has_role ? role : "");
    if (lines == NULL)
        return false;
    facts->grants = grant_set_new(!g_str_equal(server_variable(facts, "partial_revokes"), "ON"));
    for (size_t row = 0; row < result_rows(lines); row++)
        grant_set_add_line(facts->grants, result_at(lines, row, 0));
    return true;
}

bool
server_facts_read(struct server_facts *facts, GError **error)
{
    return read_variables(facts, error) && read_grants(facts, error);
}

void
server_facts_clear(struct server_facts *facts)
{
    if (facts->variables != NULL)
        g_hash_table_unref(facts->variables);
    g_free(facts->version);
    g_free(facts->gtid_executed);
    grant_set_free(facts->grants);
    g_free(facts->account);
}
