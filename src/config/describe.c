#include "config/keys_int.h"
#include "config/scalar_int.h"

#include <string.h>

static char *
default_text(const struct key *key)
{
    if (key->required)
        return g_strdup("required");
    if (key->fallback != NULL)
        return g_strdup_printf("`%s`", key->fallback);
    return g_strdup("");
}

static void
describe_section(GString *out, const struct section *section, const char *prefix)
{
    for (const struct key *key = section->keys; key->name != NULL; key++) {
        g_autofree char *path = g_strconcat(prefix, key->name, NULL);
        g_autofree char *allowed = key_allowed(key);
        g_autofree char *fallback = default_text(key);
        g_string_append_printf(out, "| `%s` | %s | %s | %s", path, fallback, allowed, key->meaning);
        if (key->off != NULL)
            g_string_append_printf(out, " (only `%s` in this version)", key->off);
        g_string_append(out, " |\n");
        /* The same keys again, under another name, are not repeated. */
        bool repeats = key->kind == KEY_PAIRS || strcmp(key->name, "read_from") == 0 ||
                       strcmp(key->name, "replicas") == 0 || strcmp(path, "target") == 0;
        if (key->section == NULL || repeats)
            continue;
        g_autofree char *inner = g_strconcat(path, key->kind == KEY_SECTIONS ? "[]." : ".", NULL);
        describe_section(out, key->section, inner);
    }
}

char *
config_describe_keys(void)
{
    GString *out = g_string_new("| key | default | takes | meaning |\n|---|---|---|---|\n");
    describe_section(out, config_file_section(), "");
    return g_string_free(out, FALSE);
}
