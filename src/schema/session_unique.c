/* Unique indexes over what a session computed: rows that differ on the source may be equal on the target. */
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

char *
create_statement_session_unique(const struct table *table)
{
    struct unique_search search = {
        .scan = create_scan_of(table->create_sql),
        .columns = table->columns,
    };
    do
        next(&search);
    while (search.token.kind != CREATE_TOKEN_END && search.token.depth == 0);
    while (search.token.kind != CREATE_TOKEN_END && search.token.depth > 0) {
        bool is_unique = create_token_is_word(&search.token, "PRIMARY") ||
                         create_token_is_word(&search.token, "UNIQUE");
        char *found = is_unique ? search_index(&search) : NULL;
        if (found != NULL)
            return found;
        while (!create_token_ends_item(&search.token))
            next(&search);
        if (search.token.depth == 1)
            next(&search);
    }
    return NULL;
}
