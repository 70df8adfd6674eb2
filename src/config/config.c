#include "config/config.h"

#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "config/document_int.h"
#include "config/keys_int.h"
#include "config/problems_int.h"
#include "config/rules_int.h"
#include "config/schema_int.h"
#include "config/secrets_int.h"
#include "config/table_name.h"

/* A list of a hundred thousand tables; anything larger is not a configuration. */
enum { LARGEST_FILE = 16 * 1024 * 1024 };

/* --- freeing --- */

static void
tls_clear(struct tls_config *tls)
{
    g_free(tls->ca);
    g_free(tls->cert);
    g_free(tls->key);
}

static void
endpoint_clear(struct endpoint *endpoint)
{
    g_free(endpoint->host);
    g_free(endpoint->socket);
    g_free(endpoint->user);
    secret_free(endpoint->password);
    tls_clear(&endpoint->tls);
}

static void
tables_free(GArray *tables)
{
    if (tables == NULL)
        return;
    for (unsigned i = 0; i < tables->len; i++) {
        struct table_mapping *table = &g_array_index(tables, struct table_mapping, i);
        g_free(table->from_schema);
        g_free(table->from_table);
        g_free(table->to_schema);
        g_free(table->to_table);
    }
    g_array_unref(tables);
}

static void
hook_clear(struct hook_endpoint *hook)
{
    g_free(hook->url);
    secret_free(hook->secret);
    g_free(hook->probe_url);
    g_free(hook->ca);
    for (unsigned i = 0; hook->headers != NULL && i < hook->headers->len; i++) {
        struct hook_header *header = &g_array_index(hook->headers, struct hook_header, i);
        g_free(header->name);
        secret_free(header->value);
    }
    if (hook->headers != NULL)
        g_array_unref(hook->headers);
}

static void
hook_free(void *data)
{
    hook_clear(data);
    g_free(data);
}

/* Everything but the struct itself. */
static void
config_clear(struct config *config)
{
    g_free(config->path);
    g_free(config->move);
    endpoint_clear(&config->source);
    endpoint_clear(&config->read_from);
    endpoint_clear(&config->target);
    tables_free(config->tables);
    g_free(config->checkpoint.database);
    g_free(config->cutover.flag_file);
    g_free(config->cutover.moved_name);
    if (config->hooks != NULL)
        g_ptr_array_unref(config->hooks);
    g_free(config->effective);
}

void
config_free(struct config *config)
{
    if (config == NULL)
        return;
    config_clear(config);
    g_free(config);
}

static void
loaded_endpoint_clear(struct loaded_endpoint *loaded)
{
    endpoint_clear(&loaded->endpoint);
    g_free(loaded->password_env);
    g_free(loaded->password_file);
}

static void
loaded_free(struct loaded *loaded)
{
    if (loaded == NULL)
        return;
    config_clear(&loaded->config);
    loaded_endpoint_clear(&loaded->source.primary);
    loaded_endpoint_clear(&loaded->source.read_from);
    loaded_endpoint_clear(&loaded->target);
    for (unsigned i = 0; i < loaded->table_count; i++) {
        g_free(loaded->tables[i].from);
        g_free(loaded->tables[i].to);
    }
    g_free(loaded->tables);
    for (unsigned i = 0; i < loaded->hook_count; i++) {
        struct loaded_hook *hook = &loaded->hooks[i];
        hook_clear(&hook->hook);
        g_free(hook->secret_env);
        g_free(hook->secret_file);
        for (unsigned j = 0; j < hook->header_count; j++) {
            g_free(hook->headers[j].name);
            secret_free(hook->headers[j].value);
        }
        g_free(hook->headers);
    }
    g_free(loaded->hooks);
    g_free(loaded);
}
STRUCT_AUTOPTR(loaded, loaded_free)

/* --- loading --- */

/* Moves an endpoint out of what was loaded, with its password read. */
static void
take_endpoint(struct loaded_endpoint *loaded, const char *path, bool read_password,
              struct problems *problems, struct endpoint *ret_endpoint)
{
    *ret_endpoint = loaded->endpoint;
    loaded->endpoint = (struct endpoint){0};
    if (!read_password || ret_endpoint->password != NULL)
        return;
    g_autofree char *key = g_strconcat(path, ".password", NULL);
    ret_endpoint->password = secret_resolve(key, loaded->password_env, loaded->password_file,
                                            problems);
}

/* A secret as Standard Webhooks writes it is base64 behind its prefix. One that is not would be
 * decoded to some other key, here or at the receiver, and no signature would be right. */
static bool
secret_is_right(const char *secret)
{
    static const char prefix[] = "whsec_";
    if (!g_str_has_prefix(secret, prefix))
        return true;
    const char *text = secret + strlen(prefix);
    size_t letters = strspn(text,
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    size_t padding = strspn(text + letters, "=");
    return letters >= 2 && padding <= 2 && (letters + padding) % 4 == 0 &&
           text[letters + padding] == '\0';
}

static struct hook_endpoint *
take_hook(struct loaded_hook *loaded, unsigned number, bool read_secret, struct problems *problems)
{
    struct hook_endpoint *hook = g_new(struct hook_endpoint, 1);
    *hook = loaded->hook;
    loaded->hook = (struct hook_endpoint){0};
    hook->headers = g_array_new(FALSE, TRUE, sizeof(struct hook_header));
    if (loaded->header_count > 0)
        g_array_append_vals(hook->headers, loaded->headers, loaded->header_count);
    loaded->header_count = 0; /* the texts belong to the array now */
    g_autofree char *key = g_strdup_printf("hooks[%u].secret", number);
    if (read_secret && hook->secret == NULL) {
        hook->secret = secret_resolve(key, loaded->secret_env, loaded->secret_file, problems);
        if (hook->secret != NULL && hook->secret[0] == '\0')
            problems_add_at(problems, key,
                            "the secret is empty; a signature with it proves "
                            "nothing");
    }
    if (hook->secret != NULL && !secret_is_right(hook->secret))
        problems_add_at(problems, key,
                        "begins with whsec_, but what follows is not base64: give it as the "
                        "receiver has it, or without that prefix, to be taken as it is");
    return hook;
}

/* Moves everything out of `loaded` into a config. */
static struct config *
take_config(struct loaded *loaded, enum config_secrets secrets, struct problems *problems)
{
    bool servers = secrets >= CONFIG_SECRETS_SERVERS;
    struct config *config = g_new(struct config, 1);
    *config = loaded->config;
    loaded->config = (struct config){0};
    const struct endpoint *read_from = &loaded->source.read_from.endpoint;
    config->has_read_from = read_from->host != NULL || read_from->socket != NULL;
    take_endpoint(&loaded->source.primary, "source", servers, problems, &config->source);
    take_endpoint(&loaded->source.read_from, "source.read_from", servers && config->has_read_from,
                  problems, &config->read_from);
    take_endpoint(&loaded->target, "target", secrets >= CONFIG_SECRETS_TARGET, problems,
                  &config->target);
    config->hooks = g_ptr_array_new_with_free_func(hook_free);
    for (unsigned i = 0; i < loaded->hook_count; i++)
        g_ptr_array_add(config->hooks,
                        take_hook(&loaded->hooks[i], i, secrets == CONFIG_SECRETS_ALL, problems));
    return config;
}

static bool
read_file(const char *path, GBytes **ret_bytes, GError **error)
{
    char *text = NULL;
    size_t length = 0;
    struct stat status;
    g_autoptr(GError) read_error = NULL;
    if (stat(path, &status) == 0 && status.st_size > LARGEST_FILE) {
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "%s: is larger than %d MiB; not a move's file",
                    path, LARGEST_FILE >> 20);
        return false;
    }
    if (!g_file_get_contents(path, &text, &length, &read_error)) {
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "cannot read the move's file: %s",
                    read_error->message);
        return false;
    }
    *ret_bytes = g_bytes_new_take(text, length);
    return true;
}

struct config *
config_load_text(const char *path, const char *text, size_t length, enum config_secrets secrets,
                 GError **error)
{
    g_autofree char *effective = NULL;
    g_autoptr(problems) problems = problems_new(path);

    json_t *normal = document_normalize(text, length, problems, &effective);
    if (normal == NULL) {
        problems_to_error(problems, error);
        return NULL;
    }
    g_autoptr(loaded) loaded = schema_load(normal, error);
    json_decref(normal);
    if (loaded == NULL)
        return NULL;
    rules_check(loaded, problems);
    g_autoptr(config) config = take_config(loaded, secrets, problems);
    config->path = g_strdup(path);
    config->effective = g_steal_pointer(&effective);
    if (!problems_none(problems)) {
        problems_to_error(problems, error);
        return NULL;
    }
    return g_steal_pointer(&config);
}

struct config *
config_load_for(const char *path, enum config_secrets secrets, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    if (!read_file(path, &bytes, error))
        return NULL;
    size_t length = 0;
    const char *text = g_bytes_get_data(bytes, &length);
    return config_load_text(path, text == NULL ? "" : text, length, secrets, error);
}

struct config *
config_load(const char *path, GError **error)
{
    return config_load_for(path, CONFIG_SECRETS_ALL, error);
}

/* --- what is asked of a config --- */

char *
config_to_yaml(const struct config *config)
{
    return g_strdup(config->effective != NULL ? config->effective : "");
}

char *
config_identity_json(const struct config *config)
{
    json_t *tables = json_array();
    for (unsigned i = 0; i < config->tables->len; i++) {
        const struct table_mapping *table = &g_array_index(config->tables, struct table_mapping, i);
        g_autofree char *from = table_name_format(table->from_schema, table->from_table);
        g_autofree char *to = table_name_format(table->to_schema, table->to_table);
        json_array_append_new(tables, json_pack("{s:s, s:s}", "from", from, "to", to));
    }
    json_t *identity = json_pack("{s:o}", "tables", tables);
    char *text = json_dumps(identity, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(identity);
    char *copy = g_strdup(text);
    free(text);
    return copy;
}

char *
config_moved_name(const struct config *config, const char *table)
{
    static const char token[] = "{table}";
    const char *pattern = config->cutover.moved_name;
    GString *name = g_string_new(NULL);
    for (const char *place; (place = strstr(pattern, token)) != NULL;
         pattern = place + strlen(token)) {
        g_string_append_len(name, pattern, place - pattern);
        g_string_append(name, table);
    }
    g_string_append(name, pattern);
    return g_string_free(name, FALSE);
}

const struct endpoint *
config_read_endpoint(const struct config *config)
{
    return config->has_read_from ? &config->read_from : &config->source;
}
