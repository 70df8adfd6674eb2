#include "schema/create_scan_int.h"

#include <string.h>

struct create_scan
create_scan_of(const char *sql)
{
    return (struct create_scan){.position = sql, .end = sql + strlen(sql), .depth = 0};
}

static bool
is_word_byte(char byte)
{
    return g_ascii_isalnum(byte) || byte == '_' || byte == '$' || ((unsigned char)byte & 0x80) != 0;
}

/* Behind the closing quote; a doubled quote is one of the text, and so is what
 * follows a backslash, except in names. */
static const char *
quoted_end(const char *start, const char *end)
{
    char quote = *start;
    for (const char *p = start + 1; p < end; p++) {
        if (*p == '\\' && quote != '`')
            p++;
        else if (*p == quote && p + 1 < end && p[1] == quote)
            p++;
        else if (*p == quote)
            return p + 1;
    }
    return NULL;
}

/* Skips spaces and the marks of version comments, whose content is code. */
static void
skip_blanks(struct create_scan *scan)
{
    while (scan->position < scan->end) {
        const char *p = scan->position;
        size_t left = (size_t)(scan->end - p);
        if (g_ascii_isspace(*p)) {
            scan->position++;
        } else if (left >= 3 && strncmp(p, "/*!", 3) == 0) {
            p += 3;
            while (p < scan->end && g_ascii_isdigit(*p))
                p++;
            scan->position = p;
        } else if (left >= 2 && strncmp(p, "*/", 2) == 0) {
            scan->position += 2;
        } else {
            return;
        }
    }
}

static struct create_token
quoted_token(struct create_scan *scan)
{
    const char *start = scan->position;
    const char *end = quoted_end(start, scan->end);
    if (end == NULL) {
        scan->position = scan->end;
        return (struct create_token){.kind = CREATE_TOKEN_END, .start = scan->end};
    }
    scan->position = end;
    return (struct create_token){
        .kind = *start == '`' ? CREATE_TOKEN_NAME : CREATE_TOKEN_STRING,
        .start = start,
        .length = (size_t)(end - start),
        .depth = scan->depth,
    };
}

struct create_token
create_scan_next(struct create_scan *scan)
{
    skip_blanks(scan);
    const char *start = scan->position;
    if (start >= scan->end)
        return (struct create_token){.kind = CREATE_TOKEN_END, .start = scan->end};
    if (*start == '`' || *start == '\'' || *start == '"')
        return quoted_token(scan);
    struct create_token token = {.kind = CREATE_TOKEN_SIGN, .start = start, .length = 1};
    if (is_word_byte(*start)) {
        const char *p = start;
        while (p < scan->end && is_word_byte(*p))
            p++;
        token.kind = CREATE_TOKEN_WORD;
        token.length = (size_t)(p - start);
    }
    if (*start == ')' && scan->depth > 0)
        scan->depth--;
    token.depth = scan->depth;
    if (*start == '(')
        scan->depth++;
    scan->position = start + token.length;
    return token;
}

bool
create_token_is_word(const struct create_token *token, const char *word)
{
    return token->kind == CREATE_TOKEN_WORD && token->length == strlen(word) &&
           g_ascii_strncasecmp(token->start, word, token->length) == 0;
}

bool
create_token_is_sign(const struct create_token *token, char sign)
{
    return token->kind == CREATE_TOKEN_SIGN && *token->start == sign;
}

bool
create_token_ends_item(const struct create_token *token)
{
    return token->kind == CREATE_TOKEN_END || token->depth == 0 ||
           (token->depth == 1 && create_token_is_sign(token, ','));
}

char *
create_token_name(const struct create_token *token)
{
    GString *name = g_string_sized_new(token->length);
    for (size_t i = 1; i + 1 < token->length; i++) {
        g_string_append_c(name, token->start[i]);
        if (token->start[i] == '`')
            i++;
    }
    return g_string_free(name, FALSE);
}
