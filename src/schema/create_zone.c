/* Which parts of a definition are computed in the time zone of whoever writes the row. */
#include <string.h>

#include "schema/create_scan_int.h"
#include "schema/create_text_int.h"

/* One pass over the items between the outer parentheses: columns come before indexes. */
struct zone_search {
    struct create_scan scan;
    GHashTable *dependent; /* names: TIMESTAMP columns, then generated columns that use one */
    struct create_token token;
};

static void
next(struct zone_search *search)
{
    search->token = create_scan_next(&search->scan);
}

/* Behind a name: whether the expression only asks if it is NULL, which is the same everywhere. */
static bool
only_null_matters(const struct zone_search *search)
{
    struct create_scan ahead = search->scan;
    struct create_token word = create_scan_next(&ahead);
    if (!create_token_is_word(&word, "is"))
        return false;
    word = create_scan_next(&ahead);
    if (create_token_is_word(&word, "not"))
        word = create_scan_next(&ahead);
    return create_token_is_word(&word, "null");
}

static bool
names_dependent(const struct zone_search *search)
{
    if (search->token.kind != CREATE_TOKEN_NAME)
        return false;
    g_autofree char *name = create_token_name(&search->token);
    return g_hash_table_contains(search->dependent, name) && !only_null_matters(search);
}

/* A column, from its name on. Gives its name when it is STORED and depends on the time zone. */
static char *
search_column(struct zone_search *search)
{
    g_autofree char *name = create_token_name(&search->token);
    bool generated = false;
    bool dependent = false;
    bool stored = false;
    for (next(search); !create_token_ends_item(&search->token); next(search)) {
        if (search->token.depth == 1) {
            generated = generated || create_token_is_word(&search->token, "GENERATED");
            stored = stored || create_token_is_word(&search->token, "STORED");
        }
        dependent = dependent || (generated && search->token.depth > 1 && names_dependent(search));
    }
    if (!dependent)
        return NULL;
    if (stored)
        return g_strdup_printf("generated column `%s`", name);
    g_hash_table_add(search->dependent, g_steal_pointer(&name));
    return NULL;
}

/* An index: over an expression (in parentheses of its own), or over a generated column. A TIMESTAMP
 * itself in an index is stored in UTC. */
static char *
search_index(struct zone_search *search, GHashTable *timestamps)
{
    g_autofree char *index = NULL;
    bool dependent = false;
    for (; !create_token_ends_item(&search->token); next(search)) {
        if (search->token.kind != CREATE_TOKEN_NAME)
            continue;
        g_autofree char *name = create_token_name(&search->token);
        if (search->token.depth == 1 && index == NULL)
            index = g_strdup(name);
        bool plain = search->token.depth == 2 && g_hash_table_contains(timestamps, name);
        dependent = dependent || (search->token.depth > 1 && !plain && names_dependent(search));
    }
    return dependent ? g_strdup_printf("index `%s`", index != NULL ? index : "PRIMARY") : NULL;
}

static bool
is_index_word(const struct create_token *token)
{
    static const char *const words[] = {"PRIMARY", "UNIQUE", "KEY"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (create_token_is_word(token, words[i]))
            return true;
    return false;
}

char *
create_statement_zone_dependent(const struct table *table)
{
    struct zone_search search = {.scan = create_scan_of(table->create_sql)};
    g_autoptr(GHashTable) dependent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) timestamps = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (column->type != COLUMN_TIMESTAMP)
            continue;
        g_hash_table_add(dependent, g_strdup(column->name));
        g_hash_table_add(timestamps, column->name);
    }
    search.dependent = dependent;
    if (g_hash_table_size(timestamps) == 0)
        return NULL;
    do
        next(&search);
    while (search.token.kind != CREATE_TOKEN_END && search.token.depth == 0);
    while (search.token.kind != CREATE_TOKEN_END && search.token.depth > 0) {
        char *found = NULL;
        if (search.token.kind == CREATE_TOKEN_NAME)
            found = search_column(&search);
        else if (is_index_word(&search.token))
            found = search_index(&search, timestamps);
        if (found != NULL)
            return found;
        while (!create_token_ends_item(&search.token))
            next(&search);
        if (search.token.depth == 1)
            next(&search);
    }
    return NULL;
}
