#include "schema/create_keys_int.h"

#include "schema/create_scan_int.h"

/* One item between the outer parentheses: a column, a key, a constraint. */
struct item {
    struct create_scan scan; /* behind its first token */
    struct create_token first;
    const char *before; /* the comma before it, or the opening parenthesis */
    const char *end;    /* behind its last character */
};

static struct create_scan
scan_of_items(const char *create_sql, const char **ret_before)
{
    struct create_scan scan = create_scan_of(create_sql);
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        *ret_before = token.start;
        if (token.kind == CREATE_TOKEN_END || create_token_is_sign(&token, '('))
            return scan;
    }
}

/* Reads the next item; `scan` stands at its beginning and is left behind its comma, `before` at it.
 * False behind the last one. */
static bool
next_item(struct create_scan *scan, const char **before, struct item *ret_item)
{
    struct create_token token = create_scan_next(scan);
    if (token.kind == CREATE_TOKEN_END || token.depth == 0)
        return false;
    *ret_item = (struct item){.scan = *scan, .first = token, .before = *before};
    while (token.kind != CREATE_TOKEN_END && token.depth > 0 &&
           !(token.depth == 1 && create_token_is_sign(&token, ',')))
        token = create_scan_next(scan);
    const char *end = token.start;
    while (end > ret_item->first.start && g_ascii_isspace(end[-1]))
        end--;
    ret_item->end = end;
    *before = token.start;
    /* The closing parenthesis ends the list: whoever asks again is told so. */
    if (token.kind != CREATE_TOKEN_END && token.depth == 0)
        scan->position = scan->end;
    return true;
}

static bool
key_kind(const struct create_token *word, enum create_key_kind *ret_kind)
{
    static const char *const words[] = {
        [CREATE_KEY_PRIMARY] = "PRIMARY", [CREATE_KEY_UNIQUE] = "UNIQUE",
        [CREATE_KEY_PLAIN] = "KEY",       [CREATE_KEY_FULLTEXT] = "FULLTEXT",
        [CREATE_KEY_SPATIAL] = "SPATIAL",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (create_token_is_word(word, words[i])) {
            *ret_kind = (enum create_key_kind)i;
            return true;
        }
    }
    return false;
}

/* The name of a column in parentheses that comes first from here on; NULL: something else does. */
static char *
first_in_parentheses(struct create_scan *scan)
{
    struct create_token token = create_scan_next(scan);
    while (token.kind != CREATE_TOKEN_END && !create_token_is_sign(&token, '('))
        token = create_scan_next(scan);
    token = create_scan_next(scan);
    return token.kind == CREATE_TOKEN_NAME ? create_token_name(&token) : NULL;
}

/* Its parts stand at depth 2: a parenthesis there is an expression, or behind a name a prefix. */
static void
read_parts(struct create_key *key, struct create_scan scan, const char *end)
{
    struct create_token before = {.kind = CREATE_TOKEN_END};
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END || token.start >= end)
            return;
        if (token.depth == 2 && token.kind == CREATE_TOKEN_NAME)
            g_ptr_array_add(key->columns, create_token_name(&token));
        if (token.depth == 2 && create_token_is_sign(&token, '(') &&
            before.kind != CREATE_TOKEN_NAME)
            key->has_expression = true;
        before = token;
    }
}

static struct create_key *
read_key(const struct item *item, enum create_key_kind kind)
{
    struct create_key *key = g_new0(struct create_key, 1);
    struct create_scan scan = item->scan;
    key->kind = kind;
    key->definition = g_strndup(item->first.start, (size_t)(item->end - item->first.start));
    key->columns = g_ptr_array_new_with_free_func(g_free);
    read_parts(key, item->scan, item->end);
    if (kind == CREATE_KEY_PRIMARY) {
        key->name = g_strdup("PRIMARY");
    } else {
        struct create_token token = create_scan_next(&scan);
        while (token.kind == CREATE_TOKEN_WORD)
            token = create_scan_next(&scan);
        key->name = create_token_name(&token);
    }
    return key;
}

/* CONSTRAINT `name` FOREIGN KEY (`a`, …) REFERENCES `schema`.`table` (`b`, …). NULL: another one. */
static struct create_foreign *
read_foreign(const struct item *item)
{
    struct create_scan scan = item->scan;
    (void)create_scan_next(&scan);
    struct create_token word = create_scan_next(&scan);
    if (!create_token_is_word(&word, "FOREIGN"))
        return NULL;
    struct create_foreign *foreign = g_new0(struct create_foreign, 1);
    foreign->column = first_in_parentheses(&scan);
    do
        word = create_scan_next(&scan);
    while (word.kind != CREATE_TOKEN_END && !create_token_is_word(&word, "REFERENCES"));
    word = create_scan_next(&scan);
    foreign->parent_table = create_token_name(&word);
    struct create_scan ahead = scan;
    word = create_scan_next(&ahead);
    if (create_token_is_sign(&word, '.')) {
        word = create_scan_next(&ahead);
        foreign->parent_schema = foreign->parent_table;
        foreign->parent_table = create_token_name(&word);
        scan = ahead;
    }
    foreign->parent_column = first_in_parentheses(&scan);
    return foreign;
}

static void
free_key(void *pointer)
{
    struct create_key *key = pointer;
    g_free(key->name);
    g_free(key->definition);
    g_ptr_array_unref(key->columns);
    g_free(key);
}

static void
free_foreign(void *pointer)
{
    struct create_foreign *foreign = pointer;
    g_free(foreign->column);
    g_free(foreign->parent_schema);
    g_free(foreign->parent_table);
    g_free(foreign->parent_column);
    g_free(foreign);
}

struct create_keys *
create_keys_of(const char *create_sql)
{
    struct create_keys *keys = g_new0(struct create_keys, 1);
    keys->keys = g_ptr_array_new_with_free_func(free_key);
    keys->foreigns = g_ptr_array_new_with_free_func(free_foreign);
    const char *before;
    struct create_scan scan = scan_of_items(create_sql, &before);
    struct item item;
    while (next_item(&scan, &before, &item)) {
        enum create_key_kind kind;
        struct create_foreign *foreign = NULL;
        if (key_kind(&item.first, &kind))
            g_ptr_array_add(keys->keys, read_key(&item, kind));
        else if (create_token_is_word(&item.first, "CONSTRAINT"))
            foreign = read_foreign(&item);
        if (foreign != NULL)
            g_ptr_array_add(keys->foreigns, foreign);
    }
    return keys;
}

void
create_keys_free(struct create_keys *keys)
{
    if (keys == NULL)
        return;
    g_ptr_array_unref(keys->keys);
    g_ptr_array_unref(keys->foreigns);
    g_free(keys);
}

char *
create_statement_without(const char *create_sql, GHashTable *names)
{
    GString *out = g_string_new(NULL);
    const char *copied = create_sql;
    const char *before;
    struct create_scan scan = scan_of_items(create_sql, &before);
    struct item item;
    while (next_item(&scan, &before, &item)) {
        if (!create_token_is_word(&item.first, "KEY"))
            continue;
        struct create_scan ahead = item.scan;
        struct create_token token = create_scan_next(&ahead);
        g_autofree char *name = create_token_name(&token);
        if (!g_hash_table_contains(names, name))
            continue;
        /* With the comma before it: a column always comes first. */
        g_string_append_len(out, copied, item.before - copied);
        copied = item.end;
    }
    g_string_append(out, copied);
    return g_string_free(out, FALSE);
}
