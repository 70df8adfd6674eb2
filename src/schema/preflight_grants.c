/* Privileges: each that a move needs, with the GRANT for those that are missing. See docs/grants.md. */
#include "mysql/quote.h"
#include "schema/preflight_int.h"

/* RENAME needs ALTER and DROP on the old name, CREATE and INSERT on the new one;
 * undoing it needs the same the other way round. */
static const uint32_t renamed = PRIVILEGE_BIT(SELECT) | PRIVILEGE_BIT(INSERT) |
                                PRIVILEGE_BIT(CREATE) | PRIVILEGE_BIT(DROP) | PRIVILEGE_BIT(ALTER);
static const uint32_t written = PRIVILEGE_BIT(SELECT) | PRIVILEGE_BIT(INSERT) |
                                PRIVILEGE_BIT(UPDATE) | PRIVILEGE_BIT(DELETE) |
                                PRIVILEGE_BIT(CREATE) | PRIVILEGE_BIT(DROP) | PRIVILEGE_BIT(ALTER) |
                                PRIVILEGE_BIT(INDEX);

/* In a GRANT on a schema, % and _ of its name are wildcards unless escaped. */
char *
schema_for_grant(const struct server_facts *facts, const char *schema)
{
    bool patterns = !g_str_equal(server_variable(facts, "partial_revokes"), "ON");
    g_autoptr(GString) escaped = g_string_new(NULL);
    for (const char *p = schema; *p != '\0'; p++) {
        if (patterns && (*p == '%' || *p == '_'))
            g_string_append_c(escaped, '\\');
        g_string_append_c(escaped, *p);
    }
    g_autoptr(GString) quoted = g_string_new(NULL);
    quote_identifier(quoted, escaped->str);
    g_string_append(quoted, ".*");
    return g_string_free(g_steal_pointer(&quoted), FALSE);
}

/* Reports what is missing on schema.table (table NULL: the whole schema, both NULL: globally).
 * True when nothing is. */
static bool
check_on(struct preflight *preflight, const struct server_facts *facts, uint32_t wanted,
         const char *schema, const char *table)
{
    uint32_t missing = grant_set_missing(facts->grants, wanted, schema, table);
    if (missing == 0)
        return true;
    g_autofree char *subject = g_strdup_printf("grant on %s", facts->label);
    g_autofree char *names = privilege_names(missing);
    g_autofree char *object = schema == NULL  ? g_strdup("*.*")
                              : table == NULL ? schema_for_grant(facts, schema)
                                              : quoted_table(schema, table);
    /* On a table that is not there yet the server takes only a GRANT that names CREATE. */
    uint32_t create = table != NULL ? wanted & PRIVILEGE_BIT(CREATE) : 0;
    g_autofree char *granted = privilege_names(missing | create);
    g_autofree char *cure = g_strdup_printf("GRANT %s ON %s TO %s", granted, object,
                                            facts->account);
    preflight_error(preflight, subject, cure, "%s lacks %s on %s", facts->account, names, object);
    return false;
}

static bool
check_source_tables(struct preflight *preflight)
{
    bool passed = true;
    GArray *tables = preflight->config->tables;
    for (unsigned i = 0; i < tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(tables, struct table_mapping, i);
        g_autofree char *moved_as = config_moved_name(preflight->config, mapping->from_table);
        passed &= check_on(preflight, &preflight->source, renamed, mapping->from_schema,
                           mapping->from_table);
        passed &= check_on(preflight, &preflight->source, renamed, mapping->from_schema, moved_as);
        if (preflight->has_reader)
            passed &= check_on(preflight, &preflight->reader, PRIVILEGE_BIT(SELECT),
                               mapping->from_schema, mapping->from_table);
    }
    return passed;
}

static bool
schema_exists(const struct server_facts *facts, const char *schema, bool *ret_exists,
              GError **error)
{
    g_autofree char *text = quoted_string(schema);
    g_autoptr(result) result = conn_queryf(
        facts->conn, error, "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s",
        text);
    if (result == NULL)
        return false;
    *ret_exists = result_rows(result) > 0;
    return true;
}

/* What is needed on a table's target: REFERENCES on those that a foreign key of the set refers to. */
static uint32_t
wanted_on_target(const struct preflight *preflight, const struct table_mapping *mapping)
{
    g_autofree char *name = quoted_table(mapping->from_schema, mapping->from_table);
    bool referenced = g_hash_table_contains(preflight->referenced, name);
    return written | (referenced ? PRIVILEGE_BIT(REFERENCES) : 0);
}

/* A schema that is missing must be created, which a grant on a table does not
 * allow. Reported once, with the first of its tables. */
static bool
check_missing_schema(struct preflight *preflight, unsigned index)
{
    GArray *tables = preflight->config->tables;
    const char *schema = g_array_index(tables, struct table_mapping, index).to_schema;
    uint32_t wanted = 0;
    for (unsigned i = 0; i < tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(tables, struct table_mapping, i);
        if (!g_str_equal(mapping->to_schema, schema))
            continue;
        if (i < index)
            return true;
        wanted |= wanted_on_target(preflight, mapping);
    }
    return check_on(preflight, &preflight->target, wanted, schema, NULL);
}

static bool
check_target_tables(struct preflight *preflight, bool *ret_passed, GError **error)
{
    const struct server_facts *target = &preflight->target;
    GArray *tables = preflight->config->tables;
    const char *schema = NULL; /* what `exists` is of: tables of a schema mostly stand together */
    bool exists = false;
    for (unsigned i = 0; i < tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(tables, struct table_mapping, i);
        if (g_strcmp0(schema, mapping->to_schema) != 0 &&
            !schema_exists(target, mapping->to_schema, &exists, error))
            return false;
        schema = mapping->to_schema;
        if (exists)
            *ret_passed &= check_on(preflight, target, wanted_on_target(preflight, mapping),
                                    mapping->to_schema, mapping->to_table);
        else
            *ret_passed &= check_missing_schema(preflight, i);
    }
    return true;
}

/* Without it preflight sees less; the move itself runs. */
static void
check_client(struct preflight *preflight, const struct server_facts *facts)
{
    uint32_t wanted = PRIVILEGE_BIT(REPLICATION_CLIENT);
    if (grant_set_missing(facts->grants, wanted, NULL, NULL) == 0)
        return;
    g_autofree char *subject = g_strdup_printf("grant on %s", facts->label);
    g_autofree char *cure = g_strdup_printf("GRANT REPLICATION CLIENT ON *.* TO %s",
                                            facts->account);
    preflight_warning(preflight, subject, cure,
                      "%s lacks REPLICATION CLIENT: replication and binlogs cannot be looked at",
                      facts->account);
}

/* The same: without it a move begins without knowing what is prepared. */
static void
check_xa(struct preflight *preflight, const struct server_facts *facts)
{
    if (grant_set_missing(facts->grants, PRIVILEGE_BIT(XA_RECOVER_ADMIN), NULL, NULL) == 0)
        return;
    g_autofree char *subject = g_strdup_printf("grant on %s", facts->label);
    g_autofree char *cure = g_strdup_printf("GRANT XA_RECOVER_ADMIN ON *.* TO %s", facts->account);
    preflight_warning(
        preflight, subject, cure,
        "%s lacks XA_RECOVER_ADMIN: the move ends when an XA transaction is committed "
        "that was prepared before it began, or before it was last started",
        facts->account);
}

/* The same. */
static void
check_process(struct preflight *preflight)
{
    const struct server_facts *facts = &preflight->source;
    if (grant_set_missing(facts->grants, PRIVILEGE_BIT(PROCESS), NULL, NULL) == 0)
        return;
    g_autofree char *subject = g_strdup_printf("grant on %s", facts->label);
    g_autofree char *cure = g_strdup_printf("GRANT PROCESS ON *.* TO %s", facts->account);
    preflight_warning(preflight, subject, cure,
                      "%s lacks PROCESS: foreign keys of schemas that it has no privilege on "
                      "cannot be seen, nor who holds a RENAME up",
                      facts->account);
}

/* The same, once for each schema: MySQL shows a view's tables to those who may read and show it. */
static void
check_views_seen(struct preflight *preflight)
{
    const struct server_facts *facts = &preflight->source;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < preflight->config->tables->len; i++) {
        char *schema =
            g_array_index(preflight->config->tables, struct table_mapping, i).from_schema;
        if (!g_hash_table_add(seen, schema) ||
            grant_set_missing(facts->grants, PRIVILEGE_BIT(SELECT) | PRIVILEGE_BIT(SHOW_VIEW),
                              schema, NULL) == 0)
            continue;
        g_autofree char *subject = g_strdup_printf("grant on %s", facts->label);
        g_autofree char *object = schema_for_grant(facts, schema);
        g_autofree char *cure = g_strdup_printf("GRANT SELECT, SHOW VIEW ON %s TO %s", object,
                                                facts->account);
        preflight_warning(
            preflight, subject, cure,
            "%s lacks SELECT or SHOW VIEW on %s: views that read moved tables cannot be "
            "seen",
            facts->account, object);
    }
}

bool
preflight_grants(struct preflight *preflight, GError **error)
{
    bool source = check_source_tables(preflight);
    source &= check_on(preflight, &preflight->reader, PRIVILEGE_BIT(REPLICATION_SLAVE), NULL, NULL);
    check_client(preflight, &preflight->reader);
    check_process(preflight);
    check_views_seen(preflight);
    check_xa(preflight, &preflight->reader);
    if (source)
        preflight_ok(preflight, "grant on source", "%s has every privilege that a move needs",
                     preflight->source.account);
    bool target = check_on(preflight, &preflight->target, written,
                           preflight->config->checkpoint.database, NULL);
    if (!check_target_tables(preflight, &target, error))
        return false;
    if (target)
        preflight_ok(preflight, "grant on target", "%s has every privilege that a move needs",
                     preflight->target.account);
    return true;
}
