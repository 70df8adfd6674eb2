#include "checkpoint/index_builds.h"

#include <string.h>

#include "checkpoint/lease.h"
#include "config/table_name.h"

static void
free_build(void *pointer)
{
    struct index_build *build = pointer;
    g_free(build->table);
    g_free(build);
}

/* A name in backticks at *at, which is left behind it; NULL: there is none. Caller frees. */
static char *
read_name(const char **at)
{
    if (**at != '`')
        return NULL;
    g_autoptr(GString) name = g_string_new(NULL);
    for (const char *p = *at + 1; *p != '\0'; p++) {
        if (*p == '`' && *++p != '`') {
            *at = p;
            return g_string_free(g_steal_pointer(&name), FALSE);
        }
        g_string_append_c(name, *p);
    }
    return NULL;
}

char *
index_build_table(const char *sql)
{
    static const char verb[] = "ALTER TABLE ";
    if (sql == NULL || !g_str_has_prefix(sql, verb))
        return NULL;
    const char *at = sql + strlen(verb);
    g_autofree char *schema = read_name(&at);
    if (schema == NULL || *at++ != '.')
        return NULL;
    g_autofree char *table = read_name(&at);
    return table != NULL ? table_name_format(schema, table) : NULL;
}

static void
add_build(GPtrArray *builds, const struct result *sessions, uint64_t session)
{
    for (size_t i = 0; i < result_rows(sessions); i++) {
        if (result_uint(sessions, i, "Id") != session)
            continue;
        g_autofree char *table = index_build_table(result_get(sessions, i, "Info"));
        if (table == NULL)
            return;
        struct index_build *build = g_new0(struct index_build, 1);
        build->table = g_steal_pointer(&table);
        build->seconds = result_int(sessions, i, "Time");
        g_ptr_array_add(builds, build);
    }
}

GPtrArray *
index_builds_list(struct conn *target, const struct config *config, GError **error)
{
    g_autoptr(GPtrArray) builds = g_ptr_array_new_with_free_func(free_build);
    g_autoptr(result) sessions = NULL;
    for (unsigned place = 0; place < LEASE_BUILD_PLACES; place++) {
        uint64_t session = 0;
        if (!lease_build_session(target, config, place, &session, error))
            return NULL;
        if (session == 0)
            continue;
        /* Not from information_schema, which fails while anybody's statement holds raw bytes. */
        if (sessions == NULL)
            sessions = conn_query(target, "SHOW FULL PROCESSLIST", error);
        if (sessions == NULL)
            return NULL;
        add_build(builds, sessions, session);
    }
    return g_steal_pointer(&builds);
}
