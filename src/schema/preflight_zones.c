/* Named time zones in definitions: CONVERT_TZ() reads tables that every server fills for itself. */
#include "mysql/quote.h"
#include "schema/create_scan_int.h"
#include "schema/preflight_int.h"

/* Adds the strings of a definition that calls CONVERT_TZ, with their quotes. Which of them are zones,
 * the servers know. */
static GPtrArray *
strings_beside_convert_tz(const char *create_sql)
{
    g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    bool converts = false;
    struct create_scan scan = create_scan_of(create_sql);
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            break;
        converts = converts || create_token_is_word(&token, "convert_tz");
        if (token.kind != CREATE_TOKEN_STRING)
            continue;
        char *string = g_strndup(token.start, token.length);
        if (g_hash_table_add(seen, string))
            g_ptr_array_add(strings, string);
        else
            g_free(string);
    }
    return converts && strings->len > 0 ? g_steal_pointer(&strings) : NULL;
}

/* One row: noon in winter and in summer, in each of them; NULL in what is no zone that is known. */
static struct result *
ask_zones(const struct server_facts *facts, const GPtrArray *strings, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT ");
    for (guint i = 0; i < strings->len; i++)
        g_string_append_printf(sql,
                               "%sCONCAT(CONVERT_TZ('2026-01-01 12:00:00', '+00:00', %s), ', ',"
                               " CONVERT_TZ('2026-07-01 12:00:00', '+00:00', %s))",
                               i > 0 ? ", " : "", (char *)strings->pdata[i],
                               (char *)strings->pdata[i]);
    return conn_query(facts->conn, sql->str, error);
}

static bool
check_zones(struct preflight *preflight, const struct table *table, const GPtrArray *strings,
            GError **error)
{
    g_autoptr(result) source = ask_zones(&preflight->source, strings, error);
    g_autoptr(result) target = source != NULL ? ask_zones(&preflight->target, strings, error)
                                              : NULL;
    if (target == NULL)
        return false;
    for (guint i = 0; i < strings->len; i++) {
        const char *there = result_at(target, 0, i);
        if (g_strcmp0(result_at(source, 0, i), there) == 0)
            continue;
        g_autofree char *subject = g_strdup_printf("table %s.%s", table->schema, table->name);
        preflight_error(preflight, subject,
                        "load the same time zones on both sides: mysql_tzinfo_to_sql "
                        "/usr/share/zoneinfo | mysql -u root mysql, then restart the server",
                        "its definition calls CONVERT_TZ, and the target %s the time zone %s: what "
                        "is computed there would be another value",
                        there == NULL ? "does not know" : "has other rules for",
                        (char *)strings->pdata[i]);
    }
    return true;
}

bool
preflight_zones(struct preflight *preflight, GError **error)
{
    for (guint i = 0; i < preflight->moved_tables->len; i++) {
        const struct moved_table *moved = g_ptr_array_index(preflight->moved_tables, i);
        g_autoptr(GPtrArray) strings = strings_beside_convert_tz(moved->source->create_sql);
        if (strings != NULL && !check_zones(preflight, moved->source, strings, error))
            return false;
    }
    return true;
}
