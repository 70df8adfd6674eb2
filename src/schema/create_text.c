#include "schema/create_text_int.h"

#include <string.h>

#include "base/error.h"
#include "mysql/quote.h"
#include "schema/create_scan_int.h"
#include "schema/inspect.h"

/* Copies a statement while tokens of it are replaced: from `copied` on nothing was copied yet. */
struct rewrite {
    GString *out;
    const char *copied;
};

static void
rewrite_replace(struct rewrite *rewrite, const char *start, const char *end, const char *with)
{
    g_string_append_len(rewrite->out, rewrite->copied, start - rewrite->copied);
    g_string_append(rewrite->out, with);
    rewrite->copied = end;
}

/* ` AUTO_INCREMENT=n` of the table options: the word, '=', the number. True when it was one. */
static bool
rewrite_auto_increment(struct rewrite *rewrite, struct create_scan *scan,
                       const struct create_token *word)
{
    if (word->depth != 0 || !create_token_is_word(word, "AUTO_INCREMENT"))
        return false;
    struct create_scan ahead = *scan;
    struct create_token equals = create_scan_next(&ahead);
    struct create_token number = create_scan_next(&ahead);
    if (!create_token_is_sign(&equals, '=') || number.kind != CREATE_TOKEN_WORD)
        return false;
    const char *start = word->start;
    if (start > rewrite->copied && start[-1] == ' ')
        start--;
    rewrite_replace(rewrite, start, number.start + number.length, "");
    *scan = ahead;
    return true;
}

static const struct moved_table *
find_moved(GPtrArray *moved_tables, const char *schema, const char *name)
{
    for (unsigned i = 0; i < moved_tables->len; i++) {
        const struct moved_table *moved = g_ptr_array_index(moved_tables, i);
        if (g_str_equal(moved->source->schema, schema) && g_str_equal(moved->source->name, name))
            return moved;
    }
    return NULL;
}

/* What follows REFERENCES: `table` or `schema`.`table`. */
struct reference {
    const char *start;
    const char *end;
    char *schema; /* NULL: the table's own */
    char *name;
};

static bool
reference_read(struct create_scan *scan, struct reference *ret_reference)
{
    struct create_scan ahead = *scan;
    struct create_token first = create_scan_next(&ahead);
    if (first.kind != CREATE_TOKEN_NAME)
        return false;
    *scan = ahead;
    struct create_token dot = create_scan_next(&ahead);
    struct create_token second = create_scan_next(&ahead);
    *ret_reference = (struct reference){.start = first.start, .end = first.start + first.length};
    if (create_token_is_sign(&dot, '.') && second.kind == CREATE_TOKEN_NAME) {
        ret_reference->schema = create_token_name(&first);
        ret_reference->name = create_token_name(&second);
        ret_reference->end = second.start + second.length;
        *scan = ahead;
    } else {
        ret_reference->name = create_token_name(&first);
    }
    return true;
}

/* Points REFERENCES at the target's name of a moved table. As SHOW CREATE TABLE
 * does, the schema is left out where it is the table's own. */
static bool
rewrite_reference(struct rewrite *rewrite, struct create_scan *scan,
                  const struct moved_table *table, GPtrArray *moved_tables, GError **error)
{
    struct reference reference = {0};
    if (!reference_read(scan, &reference))
        return true;
    g_autofree char *schema = reference.schema;
    g_autofree char *name = reference.name;
    const char *of_schema = schema != NULL ? schema : table->source->schema;
    const struct moved_table *parent = find_moved(moved_tables, of_schema, name);
    if (parent == NULL) {
        g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT,
                    "table %s.%s has a foreign key to %s.%s, which is not moved: add it to "
                    "`tables`, or drop the foreign key",
                    table->source->schema, table->source->name, of_schema, name);
        return false;
    }
    g_autoptr(GString) with = g_string_new(NULL);
    if (g_str_equal(parent->to_schema, table->to_schema))
        quote_identifier(with, parent->to_table);
    else
        quote_table(with, parent->to_schema, parent->to_table);
    rewrite_replace(rewrite, reference.start, reference.end, with->str);
    return true;
}

/* The name behind CREATE TABLE; kind END when it is not such a statement. */
static struct create_token
scan_table_name(struct create_scan *scan)
{
    struct create_token token = create_scan_next(scan);
    if (!create_token_is_word(&token, "CREATE"))
        return (struct create_token){.kind = CREATE_TOKEN_END};
    do
        token = create_scan_next(scan);
    while (token.kind == CREATE_TOKEN_WORD);
    if (token.kind != CREATE_TOKEN_NAME)
        token.kind = CREATE_TOKEN_END;
    return token;
}

char *
create_statement_for_target(const struct moved_table *table, GPtrArray *moved_tables,
                            GError **error)
{
    const char *sql = table->source->create_sql;
    struct create_scan scan = create_scan_of(sql);
    struct create_token name = scan_table_name(&scan);
    if (name.kind == CREATE_TOKEN_END) {
        g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT,
                    "table %s.%s: SHOW CREATE TABLE gave a statement that is not understood: %.80s",
                    table->source->schema, table->source->name, sql);
        return NULL;
    }
    g_autoptr(GString) out = g_string_sized_new(strlen(sql) + 128);
    struct rewrite rewrite = {.out = out, .copied = sql};
    g_autofree char *target = quoted_table(table->to_schema, table->to_table);
    rewrite_replace(&rewrite, name.start, name.start + name.length, target);
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            break;
        if (rewrite_auto_increment(&rewrite, &scan, &token))
            continue;
        if (token.depth == 1 && create_token_is_word(&token, "REFERENCES") &&
            !rewrite_reference(&rewrite, &scan, table, moved_tables, error))
            return NULL;
    }
    g_string_append(out, rewrite.copied);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Servers before 8.0.28 print utf8mb3 by its older name. */
static void
rewrite_old_charset(struct rewrite *rewrite, const struct create_token *word)
{
    if (word->kind != CREATE_TOKEN_WORD || word->length < 4 ||
        strncmp(word->start, "utf8", 4) != 0 || (word->length > 4 && word->start[4] != '_'))
        return;
    rewrite_replace(rewrite, word->start, word->start + 4, "utf8mb3");
}

char *
create_statement_normalized(const char *create_sql)
{
    struct create_scan scan = create_scan_of(create_sql);
    struct create_token name = scan_table_name(&scan);
    if (name.kind == CREATE_TOKEN_END)
        return g_strdup(create_sql);
    GString *out = g_string_sized_new(strlen(create_sql));
    struct rewrite rewrite = {.out = out, .copied = create_sql};
    /* A qualified name is one too. */
    struct create_scan ahead = scan;
    struct create_token dot = create_scan_next(&ahead);
    struct create_token table = create_scan_next(&ahead);
    const char *end = name.start + name.length;
    if (create_token_is_sign(&dot, '.') && table.kind == CREATE_TOKEN_NAME) {
        end = table.start + table.length;
        scan = ahead;
    }
    rewrite_replace(&rewrite, name.start, end, "``");
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            break;
        if (!rewrite_auto_increment(&rewrite, &scan, &token))
            rewrite_old_charset(&rewrite, &token);
    }
    g_string_append(out, rewrite.copied);
    return g_string_free(out, FALSE);
}

/* ` CHARACTER SET name` before a COLLATE. True when it was one. */
static bool
rewrite_implied_charset(struct rewrite *rewrite, struct create_scan *scan,
                        const struct create_token *word)
{
    if (!create_token_is_word(word, "CHARACTER"))
        return false;
    struct create_scan ahead = *scan;
    struct create_token set = create_scan_next(&ahead);
    struct create_token name = create_scan_next(&ahead);
    struct create_scan behind = ahead;
    struct create_token collate = create_scan_next(&ahead);
    if (!create_token_is_word(&set, "SET") || name.kind != CREATE_TOKEN_WORD ||
        !create_token_is_word(&collate, "COLLATE"))
        return false;
    rewrite_replace(rewrite, word->start, collate.start, "");
    *scan = behind;
    return true;
}

char *
create_statement_comparable(const char *create_sql)
{
    g_autofree char *normalized = create_statement_normalized(create_sql);
    struct create_scan scan = create_scan_of(normalized);
    GString *out = g_string_sized_new(strlen(normalized));
    struct rewrite rewrite = {.out = out, .copied = normalized};
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            break;
        (void)rewrite_implied_charset(&rewrite, &scan, &token);
    }
    g_string_append(out, rewrite.copied);
    return g_string_free(out, FALSE);
}

/* Character sets with characters that utf8mb3 lacks. */
static bool
charset_exceeds_utf8mb3(const char *charset, size_t length)
{
    static const char *const wide[] = {"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"};
    for (size_t i = 0; i < G_N_ELEMENTS(wide); i++)
        if (strlen(wide[i]) == length && g_ascii_strncasecmp(wide[i], charset, length) == 0)
            return true;
    return false;
}

/* A literal in an expression carries its character set: _utf8mb4'…'. */
static char *
doubtful_literal(const char *create_sql)
{
    struct create_scan scan = create_scan_of(create_sql);
    struct create_token before = {.kind = CREATE_TOKEN_END};
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            return NULL;
        if (token.kind == CREATE_TOKEN_STRING && memchr(token.start, '?', token.length) != NULL &&
            before.kind == CREATE_TOKEN_WORD && before.start[0] == '_' &&
            charset_exceeds_utf8mb3(before.start + 1, before.length - 1))
            return g_strdup_printf("literal %.*s", (int)token.length, token.start);
        before = token;
    }
}

char *
create_statement_doubtful_text(const struct table *table)
{
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if ((column->type == COLUMN_ENUM || column->type == COLUMN_SET) &&
            column->charset != NULL && strchr(column->column_type, '?') != NULL &&
            charset_exceeds_utf8mb3(column->charset, strlen(column->charset)))
            return g_strdup_printf("column `%s` %s", column->name, column->column_type);
    }
    return doubtful_literal(table->create_sql);
}
