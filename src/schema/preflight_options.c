/* Options of a definition that need something of the target before it can be created there. */
#include <mysqld_error.h>
#include <string.h>

#include "mysql/quote.h"
#include "schema/create_scan_int.h"
#include "schema/preflight_int.h"

/* What a definition asks for. */
struct wanted_options {
    bool encryption;
    bool no_encryption; /* said so: the source's schema has another default */
    bool directory;
    GHashTable *tablespaces; /* names, owned */
};

/* The token behind the `=` that may stand there. */
static struct create_token
value_of(struct create_scan *scan)
{
    struct create_token token = create_scan_next(scan);
    return create_token_is_sign(&token, '=') ? create_scan_next(scan) : token;
}

static void
take_tablespace(struct wanted_options *wanted, const struct create_token *value)
{
    if (value->kind == CREATE_TOKEN_NAME)
        g_hash_table_add(wanted->tablespaces, create_token_name(value));
    else if (value->kind == CREATE_TOKEN_WORD)
        g_hash_table_add(wanted->tablespaces, g_strndup(value->start, value->length));
}

/* Of the table and of its partitions. */
static struct wanted_options
wanted_by(const char *create_sql)
{
    struct wanted_options wanted = {
        .tablespaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
    struct create_scan scan = create_scan_of(create_sql);
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            return wanted;
        if (create_token_is_word(&token, "TABLESPACE")) {
            struct create_token value = value_of(&scan);
            take_tablespace(&wanted, &value);
        } else if (create_token_is_word(&token, "ENCRYPTION")) {
            struct create_token value = value_of(&scan);
            bool yes = value.length == 3 && g_ascii_toupper(value.start[1]) == 'Y';
            wanted.encryption |= yes;
            wanted.no_encryption |= !yes;
        } else if (create_token_is_word(&token, "DIRECTORY")) {
            wanted.directory = true;
        }
    }
}

/* A keyring component tells of itself to everybody; one that is a plugin (before 8.4) is listed. */
static bool
has_keyring(struct conn *target, bool *ret_has, GError **error)
{
    g_autoptr(GError) refused = NULL;
    g_autoptr(result)
        components = conn_query(target,
                                "SELECT 1 FROM performance_schema.keyring_component_status "
                                "WHERE STATUS_KEY = 'Component_status' AND STATUS_VALUE = 'Active'",
                                &refused);
    if (components == NULL && conn_errno(target) != ER_NO_SUCH_TABLE) {
        g_propagate_error(error, g_steal_pointer(&refused));
        return false;
    }
    *ret_has = components != NULL && result_rows(components) > 0;
    if (*ret_has)
        return true;
    g_autoptr(result) plugins = conn_query(
        target,
        "SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME LIKE 'keyring%' AND "
        "PLUGIN_STATUS = 'ACTIVE'",
        error);
    *ret_has = plugins != NULL && result_rows(plugins) > 0;
    return plugins != NULL;
}

static bool
check_encryption(struct preflight *preflight, const char *subject, GError **error)
{
    bool has = false;
    if (!has_keyring(preflight->target.conn, &has, error))
        return false;
    if (!has)
        preflight_error(preflight, subject,
                        "install a keyring component on the target, or ALTER TABLE … "
                        "ENCRYPTION = 'N' on the source",
                        "the definition says ENCRYPTION, and the target has no keyring");
    return true;
}

enum schema_default { SCHEMA_ABSENT, SCHEMA_PLAIN, SCHEMA_ENCRYPTED };

/* One query, however many tables there are. */
static bool
read_schemas(struct preflight *preflight, GError **error)
{
    if (preflight->target_schemas != NULL)
        return true;
    /* All columns: there is no DEFAULT_ENCRYPTION before 8.0.16. */
    g_autoptr(result) result = conn_query(preflight->target.conn,
                                          "SELECT * FROM information_schema.SCHEMATA", error);
    if (result == NULL)
        return false;
    preflight->target_schemas = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t row = 0; row < result_rows(result); row++) {
        bool encrypted = g_strcmp0(result_get(result, row, "DEFAULT_ENCRYPTION"), "YES") == 0;
        g_hash_table_replace(preflight->target_schemas,
                             g_strdup(result_get(result, row, "SCHEMA_NAME")),
                             GINT_TO_POINTER(encrypted ? SCHEMA_ENCRYPTED : SCHEMA_PLAIN));
    }
    return true;
}

/* A table that says nothing is encrypted where its schema's default is so; a schema that is not there
 * yet gets the server's. Then it would be another table than the source's. */
static bool
check_default_encryption(struct preflight *preflight, const struct moved_table *moved,
                         const char *subject, bool says_no, GError **error)
{
    if (!read_schemas(preflight, error))
        return false;
    int schema = GPOINTER_TO_INT(g_hash_table_lookup(preflight->target_schemas, moved->to_schema));
    bool encrypted = schema == SCHEMA_ENCRYPTED ||
                     (schema == SCHEMA_ABSENT &&
                      g_str_equal(server_variable(&preflight->target, "default_table_encryption"),
                                  "ON"));
    if (encrypted == says_no)
        return true;
    g_autoptr(GString) name = g_string_new(NULL);
    quote_identifier(name, moved->to_schema);
    g_autofree char *cure =
        says_no
            ? g_strdup_printf("ALTER SCHEMA %s DEFAULT ENCRYPTION = 'Y' on the target", name->str)
        : schema != SCHEMA_ABSENT
            ? g_strdup_printf(
                  "ALTER SCHEMA %s DEFAULT ENCRYPTION = 'N' on the target, or ALTER TABLE "
                  "… ENCRYPTION = 'Y' on the source",
                  name->str)
            : g_strdup_printf("CREATE SCHEMA %s DEFAULT ENCRYPTION = 'N' on the target, or ALTER "
                              "TABLE … ENCRYPTION = 'Y' on the source",
                              name->str);
    preflight_error(preflight, subject, cure,
                    "by default tables of schema %s are %sencrypted on the target, and the table "
                    "would have another definition than the source's",
                    name->str, encrypted ? "" : "not ");
    return true;
}

/* Only PROCESS lets a user see them. */
static bool
read_tablespaces(struct preflight *preflight, GHashTable **ret_names, GError **error)
{
    g_autoptr(GError) refused = NULL;
    g_autoptr(result) result = conn_query(
        preflight->target.conn, "SELECT NAME FROM information_schema.INNODB_TABLESPACES_BRIEF",
        &refused);
    *ret_names = NULL;
    if (result == NULL && conn_errno(preflight->target.conn) == ER_SPECIFIC_ACCESS_DENIED_ERROR)
        return true;
    if (result == NULL) {
        g_propagate_error(error, g_steal_pointer(&refused));
        return false;
    }
    *ret_names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t row = 0; row < result_rows(result); row++)
        g_hash_table_add(*ret_names, g_strdup(result_at(result, row, 0)));
    return true;
}

static void
check_tablespace(struct preflight *preflight, const char *subject, const char *name,
                 GHashTable *known)
{
    if (g_str_equal(name, "innodb_system") || g_str_equal(name, "innodb_file_per_table") ||
        (known != NULL && g_hash_table_contains(known, name)))
        return;
    g_autoptr(GString) quoted = g_string_new(NULL);
    quote_identifier(quoted, name);
    if (known == NULL) {
        g_autofree char *cure = g_strdup_printf("GRANT PROCESS ON *.* TO %s",
                                                preflight->target.account);
        preflight_error(preflight, subject, cure,
                        "the definition says TABLESPACE %s, and whether the target has it cannot "
                        "be seen without the PROCESS privilege",
                        quoted->str);
        return;
    }
    g_autofree char *cure = g_strdup_printf(
        "CREATE TABLESPACE %s on the target, or ALTER TABLE … TABLESPACE `innodb_file_per_table` "
        "on the source",
        quoted->str);
    preflight_error(preflight, subject, cure,
                    "the definition says TABLESPACE %s, which the target lacks", quoted->str);
}

static bool
check_tablespaces(struct preflight *preflight, const char *subject, GHashTable *wanted,
                  GError **error)
{
    GHashTable *known = NULL;
    if (g_hash_table_size(wanted) == 0)
        return true;
    if (!read_tablespaces(preflight, &known, error))
        return false;
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, wanted);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        check_tablespace(preflight, subject, name, known);
    if (known != NULL)
        g_hash_table_unref(known);
    return true;
}

static void
check_directory(struct preflight *preflight, const char *subject)
{
    const struct server_facts *target = &preflight->target;
    preflight_warning(preflight, subject,
                      "see that the target has the folder, and names it in innodb_directories",
                      "the definition says DATA DIRECTORY: the target needs that folder");
    if (grant_set_missing(target->grants, PRIVILEGE_BIT(FILE), NULL, NULL) == 0)
        return;
    g_autofree char *cure = g_strdup_printf("GRANT FILE ON *.* TO %s", target->account);
    preflight_error(preflight, subject, cure,
                    "the definition says DATA DIRECTORY, and %s lacks FILE on the target",
                    target->account);
}

bool
preflight_target_options(struct preflight *preflight, const struct moved_table *moved,
                         GError **error)
{
    struct wanted_options wanted = wanted_by(moved->source->create_sql);
    g_autofree char *subject = g_strdup_printf("target table %s.%s", moved->to_schema,
                                               moved->to_table);
    bool done = (wanted.encryption ? check_encryption(preflight, subject, error)
                                   : check_default_encryption(preflight, moved, subject,
                                                              wanted.no_encryption, error)) &&
                check_tablespaces(preflight, subject, wanted.tablespaces, error);
    if (done && wanted.directory)
        check_directory(preflight, subject);
    g_hash_table_unref(wanted.tablespaces);
    return done;
}
