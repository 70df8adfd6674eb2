/*
 * Unique indexes that need care: over what a session computed, where rows that differ on the source may be
 * equal on the target; and over arrays.
 */
#include <string.h>

#include "schema/create_text_int.h"
#include "schema/session_free_int.h"

struct unique_search {
    struct create_scan scan;
    struct create_token token;
    const GPtrArray *columns;
};

static void
next(struct unique_search *search)
{
    search->token = create_scan_next(&search->scan);
}

/* A column of the index. Its own value, whatever its type, is the row's. */
static bool
column_depends(const struct unique_search *search)
{
    g_autofree char *name = create_token_name(&search->token);
    for (unsigned i = 0; i < search->columns->len; i++) {
        const struct column *column = g_ptr_array_index(search->columns, i);
        if (strcmp(column->name, name) == 0)
            return column->generated && !column->session_free;
    }
    return true;
}

/* From PRIMARY or UNIQUE on. Its list of parts is in parentheses; an expression is in two of them, and
 * so is the 10 of `c`(10). */
static char *
search_index(struct unique_search *search)
{
    g_autofree char *index = NULL;
    bool depends = false;
    for (; !create_token_ends_item(&search->token); next(search)) {
        bool is_name = search->token.kind == CREATE_TOKEN_NAME;
        if (search->token.depth == 1 && is_name && index == NULL)
            index = create_token_name(&search->token);
        else if (search->token.depth == 2 && is_name)
            depends = depends || column_depends(search);
        else if (search->token.depth > 2)
            depends = depends ||
                      !create_token_is_session_free(&search->scan, &search->token, search->columns);
    }
    return depends ? g_strdup(index != NULL ? index : "PRIMARY") : NULL;
}

/* Before the first item. */
static struct unique_search
search_begin(const struct table *table)
{
    struct unique_search search = {
        .scan = create_scan_of(table->create_sql),
        .columns = table->columns,
    };
    do
        next(&search);
    while (search.token.kind != CREATE_TOKEN_END && search.token.depth == 0);
    return search;
}

/* Moves on to PRIMARY or UNIQUE, from the beginning of an item or from within one that was found; false when there
 * is none left. */
static bool
next_unique(struct unique_search *search, bool within)
{
    for (; search->token.kind != CREATE_TOKEN_END && search->token.depth > 0; within = false) {
        if (!within && (create_token_is_word(&search->token, "PRIMARY") ||
                        create_token_is_word(&search->token, "UNIQUE")))
            return true;
        while (!create_token_ends_item(&search->token))
            next(search);
        if (search->token.depth == 1)
            next(search);
    }
    return false;
}

char *
create_statement_session_unique(const struct table *table)
{
    struct unique_search search = search_begin(table);
    for (bool found = next_unique(&search, false); found; found = next_unique(&search, true)) {
        char *index = search_index(&search);
        if (index != NULL)
            return index;
    }
    return NULL;
}

bool
create_statement_unique_array(const struct table *table)
{
    struct unique_search search = search_begin(table);
    for (bool found = next_unique(&search, false); found; found = next_unique(&search, true))
        for (; !create_token_ends_item(&search.token); next(&search))
            if (search.token.depth > 2 && create_token_is_word(&search.token, "ARRAY"))
                return true;
    return false;
}
