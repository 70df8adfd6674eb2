#include "schema/grants_int.h"

#include <string.h>

#include "schema/create_scan_int.h"

/* What one line gives (or, revoked, takes): schema NULL is `*.*`, table NULL is `schema`.*. */
struct grant {
    uint32_t privileges;
    char *schema;
    char *table;
    bool revoked;
};

struct grant_set {
    bool patterns;
    GArray *grants; /* struct grant */
};

static const char *const privilege_texts[] = {
#define PRIVILEGE_NAME(suffix, name) name,
    PRIVILEGE_LIST(PRIVILEGE_NAME)
#undef PRIVILEGE_NAME
};

static void
grant_clear(void *pointer)
{
    struct grant *grant = pointer;
    g_free(grant->schema);
    g_free(grant->table);
}

struct grant_set *
grant_set_new(bool patterns)
{
    struct grant_set *set = g_new0(struct grant_set, 1);
    set->patterns = patterns;
    set->grants = g_array_new(FALSE, FALSE, sizeof(struct grant));
    g_array_set_clear_func(set->grants, grant_clear);
    return set;
}

void
grant_set_free(struct grant_set *set)
{
    if (set == NULL)
        return;
    g_array_unref(set->grants);
    g_free(set);
}

static uint32_t
privilege_bit(const char *name)
{
    if (g_str_equal(name, "ALL") || g_str_equal(name, "ALL PRIVILEGES"))
        return (UINT32_C(1) << PRIVILEGE_COUNT) - 1;
    for (unsigned i = 0; i < PRIVILEGE_COUNT; i++)
        if (g_str_equal(name, privilege_texts[i]))
            return UINT32_C(1) << i;
    return 0;
}

/* Reads "SELECT, REPLICATION SLAVE, UPDATE (`a`) ON". False when the line is of another shape. */
static bool
read_privileges(struct create_scan *scan, uint32_t *ret_privileges)
{
    g_autoptr(GString) name = g_string_new(NULL);
    bool of_columns = false;
    *ret_privileges = 0;
    for (;;) {
        struct create_token token = create_scan_next(scan);
        bool is_on = create_token_is_word(&token, "ON") && token.depth == 0;
        if (token.kind == CREATE_TOKEN_END)
            return false;
        if (is_on || (token.depth == 0 && create_token_is_sign(&token, ','))) {
            *ret_privileges |= of_columns ? 0 : privilege_bit(name->str);
            g_string_truncate(name, 0);
            of_columns = false;
            if (is_on)
                return true;
        } else if (token.kind == CREATE_TOKEN_WORD && token.depth == 0) {
            g_string_append_printf(name, "%s%.*s", name->len > 0 ? " " : "", (int)token.length,
                                   token.start);
        } else if (create_token_is_sign(&token, '(')) {
            of_columns = true;
        } else if (token.kind == CREATE_TOKEN_NAME && token.depth == 0) {
            return false; /* a role */
        }
    }
}

/* Reads `schema`.`table`, `schema`.* or *.*; a routine's begins with a word. */
static bool
read_object(struct create_scan *scan, struct grant *grant)
{
    struct create_token schema = create_scan_next(scan);
    struct create_token dot = create_scan_next(scan);
    struct create_token table = create_scan_next(scan);
    if (!create_token_is_sign(&dot, '.'))
        return false;
    if (schema.kind == CREATE_TOKEN_NAME)
        grant->schema = create_token_name(&schema);
    else if (!create_token_is_sign(&schema, '*'))
        return false;
    if (table.kind == CREATE_TOKEN_NAME)
        grant->table = create_token_name(&table);
    return true;
}

void
grant_set_add_line(struct grant_set *set, const char *line)
{
    struct create_scan scan = create_scan_of(line);
    struct create_token verb = create_scan_next(&scan);
    struct grant grant = {.revoked = create_token_is_word(&verb, "REVOKE")};
    if ((grant.revoked || create_token_is_word(&verb, "GRANT")) &&
        read_privileges(&scan, &grant.privileges) && read_object(&scan, &grant))
        g_array_append_val(set->grants, grant);
    else
        grant_clear(&grant);
}

/* LIKE with the backslash as escape, byte by byte: % matches any run, _ one character. */
static bool
matches(const char *pattern, const char *text)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '%') {
            for (const char *rest = text;; rest++) {
                if (matches(pattern + 1, rest))
                    return true;
                if (*rest == '\0')
                    return false;
            }
        }
        if (*text == '\0')
            return false;
        if (*pattern == '_') {
            text = g_utf8_next_char(text);
            continue;
        }
        if (*pattern == '\\' && pattern[1] != '\0')
            pattern++;
        if (*pattern != *text)
            return false;
        text++;
    }
    return *text == '\0';
}

static bool
covers(const struct grant_set *set, const struct grant *grant, const char *schema,
       const char *table)
{
    if (grant->schema == NULL)
        return true;
    if (schema == NULL)
        return false;
    if (grant->table != NULL)
        return table != NULL && g_str_equal(grant->schema, schema) &&
               g_str_equal(grant->table, table);
    if (set->patterns && !grant->revoked)
        return matches(grant->schema, schema);
    return g_str_equal(grant->schema, schema);
}

uint32_t
grant_set_missing(const struct grant_set *set, uint32_t wanted, const char *schema,
                  const char *table)
{
    uint32_t global = 0;
    uint32_t revoked = 0;
    uint32_t local = 0;
    for (unsigned i = 0; i < set->grants->len; i++) {
        const struct grant *grant = &g_array_index(set->grants, struct grant, i);
        if (!covers(set, grant, schema, table))
            continue;
        if (grant->revoked)
            revoked |= grant->privileges;
        else if (grant->schema == NULL)
            global |= grant->privileges;
        else
            local |= grant->privileges;
    }
    return wanted & ~((global & ~revoked) | local);
}

char *
privilege_names(uint32_t privileges)
{
    GString *names = g_string_new(NULL);
    for (unsigned i = 0; i < PRIVILEGE_COUNT; i++)
        if ((privileges & (UINT32_C(1) << i)) != 0)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", privilege_texts[i]);
    return g_string_free(names, FALSE);
}
