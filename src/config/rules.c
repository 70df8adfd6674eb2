#include "config/rules_int.h"

#include <string.h>

#include "config/table_name.h"

static void
check_move(const struct loaded *loaded, struct problems *problems)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    if (strspn(loaded->config.move, allowed) != strlen(loaded->config.move))
        problems_add_at(problems, "move", "\"%s\" is not allowed; must be 1 to 64 of a-z, 0-9, -",
                        loaded->config.move);
}

static void
check_tls(const struct tls_config *tls, const char *path, struct problems *problems)
{
    bool verifies = tls->mode == TLS_VERIFY_CA || tls->mode == TLS_VERIFY_IDENTITY;
    if (verifies && tls->ca == NULL)
        problems_add_at(problems, path, "a mode that verifies needs `ca`: give %s.ca", path);
    if ((tls->cert == NULL) != (tls->key == NULL))
        problems_add_at(problems, path, "`cert` and `key` go together: give both or none");
    if (tls->mode == TLS_DISABLED && (tls->ca != NULL || tls->cert != NULL))
        problems_add_at(problems, path,
                        "certificates are given, but the mode is \"disabled\"; use another mode");
}

static void
check_checkpoint(const struct loaded *loaded, struct problems *problems)
{
    static const char *const servers_own[] = {"mysql", "sys", "information_schema",
                                              "performance_schema"};
    const char *database = loaded->config.checkpoint.database;
    const char *problem = identifier_problem(database);
    for (size_t i = 0; i < G_N_ELEMENTS(servers_own) && problem == NULL; i++) {
        if (g_ascii_strcasecmp(database, servers_own[i]) == 0)
            problem = "is the server's own database; use another, such as move_tables";
    }
    if (problem != NULL)
        problems_add_at(problems, "checkpoint.database", "%s", problem);
}

/* Same server, same names: nothing would move. Only what the file can show. */
static bool
same_server(const struct loaded *loaded)
{
    const struct endpoint *source = &loaded->source.primary.endpoint;
    const struct endpoint *target = &loaded->target.endpoint;
    if (source->socket != NULL || target->socket != NULL)
        return g_strcmp0(source->socket, target->socket) == 0;
    return source->port == target->port && g_ascii_strcasecmp(source->host, target->host) == 0;
}

/* The tables so far: "schema\ntable" (no name has a line break) → number + 1. */
struct names {
    GHashTable *from;
    GHashTable *to;
};

static char *
name_key(const char *schema, const char *table)
{
    return g_strdup_printf("%s\n%s", schema, table);
}

/* The number of the first table of that name; itself, and noted, when it is the first. */
static unsigned
first_of_name(GHashTable *names, const char *schema, const char *table, unsigned number)
{
    g_autofree char *key = name_key(schema, table);
    unsigned found = GPOINTER_TO_UINT(g_hash_table_lookup(names, key));
    if (found != 0)
        return found - 1;
    g_hash_table_insert(names, g_steal_pointer(&key), GUINT_TO_POINTER(number + 1));
    return number;
}

static size_t
line_of_table(const struct problems *problems, unsigned number)
{
    g_autofree char *path = g_strdup_printf("tables[%u]", number);
    return problems_line(problems, path);
}

static void
check_mapping(const struct loaded *loaded, unsigned number, const struct names *names,
              struct problems *problems)
{
    const GArray *tables = loaded->config.tables;
    const struct table_mapping *table = &g_array_index(tables, struct table_mapping, number);
    g_autofree char *path = g_strdup_printf("tables[%u]", number);
    if (strcmp(table->to_schema, loaded->config.checkpoint.database) == 0)
        problems_add_at(problems, path, "the target's database %s is the checkpoint's own",
                        table->to_schema);
    unsigned same_from = first_of_name(names->from, table->from_schema, table->from_table, number);
    unsigned same_to = first_of_name(names->to, table->to_schema, table->to_table, number);
    if (same_from != number)
        problems_add_at(problems, path, "\"%s\" is listed twice; the first is on line %zu",
                        loaded->tables[number].from, line_of_table(problems, same_from));
    if (same_to != number && same_to != same_from)
        problems_add_at(problems, path,
                        "moves onto \"%s\", as does \"%s\" on line %zu; give it another `to`",
                        loaded->tables[number].to, loaded->tables[same_to].from,
                        line_of_table(problems, same_to));
    if (same_server(loaded) && strcmp(table->from_schema, table->to_schema) == 0 &&
        strcmp(table->from_table, table->to_table) == 0)
        problems_add_at(problems, path, "source and target are the same server and the same table");
}

static void
check_moved_name(const struct loaded *loaded, const struct names *names, struct problems *problems)
{
    const char *pattern = loaded->config.cutover.moved_name;
    const char *place = strstr(pattern, "{table}");
    if (place == NULL || strcmp(pattern, "{table}") == 0) {
        problems_add_at(problems, "cutover.moved_name",
                        "\"%s\" must contain {table} and more, such as \"_{table}_moved\"",
                        pattern);
        return;
    }
    const GArray *tables = loaded->config.tables;
    for (unsigned i = 0; i < tables->len; i++) {
        const struct table_mapping *table = &g_array_index(tables, struct table_mapping, i);
        g_autofree char *moved = config_moved_name(&loaded->config, table->from_table);
        g_autofree char *key = name_key(table->from_schema, moved);
        const char *problem = identifier_problem(moved);
        if (problem != NULL)
            problems_add_at(problems, "cutover.moved_name",
                            "makes of table %s \"%s\": %s; use a shorter pattern",
                            table->from_table, moved, problem);
        if (g_hash_table_contains(names->from, key))
            problems_add_at(problems, "cutover.moved_name",
                            "makes of table %s \"%s\", which is moved itself; use another "
                            "pattern",
                            table->from_table, moved);
    }
}

/* Their names against each other. */
static void
check_names(const struct loaded *loaded, struct problems *problems)
{
    struct names names = {
        .from = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .to = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
    for (unsigned i = 0; i < loaded->table_count; i++)
        check_mapping(loaded, i, &names, problems);
    check_moved_name(loaded, &names, problems);
    g_hash_table_unref(names.from);
    g_hash_table_unref(names.to);
}

static void
check_tables(struct loaded *loaded, struct problems *problems)
{
    bool all_right = true;
    for (unsigned i = 0; i < loaded->table_count; i++) {
        const struct loaded_table *written = &loaded->tables[i];
        struct table_mapping table = {0};
        const char *problem = NULL;
        g_autofree char *path = g_strdup_printf("tables[%u]", i);
        bool right = table_name_parse(written->from, &table.from_schema, &table.from_table,
                                      &problem);
        const char *wrong = written->from;
        if (right) {
            wrong = written->to;
            right = table_name_parse(written->to, &table.to_schema, &table.to_table, &problem);
        }
        if (!right)
            problems_add_at(problems, path, "\"%s\": %s", wrong, problem);
        g_array_append_val(loaded->config.tables, table);
        all_right = all_right && right;
    }
    if (all_right)
        check_names(loaded, problems);
}

static void
check_url(const char *url, const char *path, struct problems *problems)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_HAS_PASSWORD, &error);
    if (uri == NULL) {
        problems_add_at(problems, path, "\"%s\" is not a URL: %s", url, error->message);
        return;
    }
    const char *scheme = g_uri_get_scheme(uri);
    const char *host = g_uri_get_host(uri);
    if ((strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) || host == NULL ||
        host[0] == '\0')
        problems_add_at(problems, path,
                        "\"%s\" is not allowed; must begin with http:// or "
                        "https:// and name a host",
                        url);
    if (g_uri_get_userinfo(uri) != NULL)
        problems_add_at(problems, path,
                        "must not contain a user or password (URLs are logged); put an "
                        "Authorization into `headers`");
}

/* RFC 9110, section 5.6.2: token. */
static bool
header_name_is_right(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if (!g_ascii_isalnum(*at) && strchr("!#$%&'*+-.^_`|~", *at) == NULL)
            return false;
    }
    return name[0] != '\0';
}

/* What the tool itself sends: a second one would make the request ambiguous. */
static bool
header_is_ours(const char *name)
{
    static const char *const ours[] = {"content-type",    "content-length",    "host",
                                       "webhook-id",      "webhook-timestamp", "webhook-signature",
                                       "idempotency-key", "transfer-encoding"};
    for (size_t i = 0; i < G_N_ELEMENTS(ours); i++) {
        if (g_ascii_strcasecmp(name, ours[i]) == 0)
            return true;
    }
    return false;
}

/* What `in_doubt: probe` asks. */
static void
check_probe(const struct hook_endpoint *hook, unsigned number, struct problems *problems)
{
    g_autofree char *path = g_strdup_printf("hooks[%u].probe_url", number);
    if (hook->probe_url == NULL) {
        g_autofree char *policy = g_strdup_printf("hooks[%u].in_doubt", number);
        if (hook->in_doubt == IN_DOUBT_PROBE)
            problems_add_at(problems, policy,
                            "\"probe\" needs probe_url: where to ask whether an event arrived");
        return;
    }
    /* {id} stands for an id, which a URL may contain; braces it may not. */
    g_autoptr(GString) example = g_string_new(hook->probe_url);
    g_string_replace(example, "{id}", "id", 0);
    check_url(example->str, path, problems);
    if (strchr(hook->probe_url, '#') != NULL)
        problems_add_at(problems, path, "must not contain \"#\": it would not be sent");
}

static void
check_hooks(const struct loaded *loaded, struct problems *problems)
{
    for (unsigned i = 0; i < loaded->hook_count; i++) {
        const struct loaded_hook *hook = &loaded->hooks[i];
        g_autofree char *path = g_strdup_printf("hooks[%u].url", i);
        check_url(hook->hook.url, path, problems);
        check_probe(&hook->hook, i, problems);
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(hook->hook.url, loaded->hooks[j].hook.url) == 0)
                problems_add_at(problems, path,
                                "\"%s\" is an endpoint already; join their `events`",
                                hook->hook.url);
        }
        for (unsigned j = 0; j < hook->header_count; j++) {
            const char *name = hook->headers[j].name;
            g_autofree char *header = g_strdup_printf("hooks[%u].headers.%s", i, name);
            if (!header_name_is_right(name))
                problems_add_at(problems, header, "is not a name that a header may have");
            else if (header_is_ours(name))
                problems_add_at(problems, header, "is set by move-tables itself; leave it out");
        }
    }
}

static void
check_memory(const struct loaded *loaded, struct problems *problems)
{
    const struct config *config = &loaded->config;
    struct {
        const char *path;
        int64_t bytes;
        int64_t of_memory;
    } parts[] = {{"copy.chunk_bytes", config->copy.chunk_bytes, 4},
                 {"apply.batch_bytes", config->apply.batch_bytes, 2}};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (parts[i].bytes > config->memory_bytes / parts[i].of_memory)
            problems_add_at(problems, parts[i].path,
                            "is more than 1/%d of memory (%" G_GINT64_FORMAT
                            " MiB); lower it or raise memory",
                            (int)parts[i].of_memory, config->memory_bytes >> 20);
    }
}

void
rules_check(struct loaded *loaded, struct problems *problems)
{
    loaded->config.tables = g_array_new(FALSE, TRUE, sizeof(struct table_mapping));
    check_move(loaded, problems);
    check_tls(&loaded->source.primary.endpoint.tls, "source.tls", problems);
    const struct endpoint *read_from = &loaded->source.read_from.endpoint;
    if (read_from->host != NULL || read_from->socket != NULL)
        check_tls(&read_from->tls, "source.read_from.tls", problems);
    check_tls(&loaded->target.endpoint.tls, "target.tls", problems);
    check_checkpoint(loaded, problems);
    check_tables(loaded, problems);
    check_hooks(loaded, problems);
    check_memory(loaded, problems);
}
