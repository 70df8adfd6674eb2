/*
 * Tokens of a CREATE TABLE statement as SHOW CREATE TABLE prints it, with
 * sql_quote_show_create and without ANSI_QUOTES. Pure.
 *
 * Only as fine as edits need it: what is quoted is one token, so nothing in a
 * name, a comment or a default can be taken for syntax. The code in a version
 * comment is tokens like any other; the comment's marks are skipped.
 */
#ifndef SCHEMA_CREATE_SCAN_INT_H
#define SCHEMA_CREATE_SCAN_INT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum create_token_kind {
    CREATE_TOKEN_END,
    CREATE_TOKEN_NAME,   /* `quoted` */
    CREATE_TOKEN_STRING, /* 'text' or "text" */
    CREATE_TOKEN_WORD,   /* keyword, number, bare name, _charset */
    CREATE_TOKEN_SIGN,   /* one other byte */
};

struct create_token {
    enum create_token_kind kind;
    const char *start; /* with its quotes */
    size_t length;
    unsigned depth; /* of parentheses around it; a parenthesis itself counts outside */
};

struct create_scan {
    const char *position;
    const char *end;
    unsigned depth;
};

/* Starts at the beginning of a statement, which must outlive the scan and its tokens. */
struct create_scan create_scan_of(const char *sql);

/* The next token; CREATE_TOKEN_END for ever at the end. An unterminated quote ends there too. */
struct create_token create_scan_next(struct create_scan *scan);

/* True for that keyword, in any case; a quoted name never is one. */
bool create_token_is_word(const struct create_token *token, const char *word);
/* True for that one byte outside quotes. */
bool create_token_is_sign(const struct create_token *token, char sign);
/* True behind the last token of an item (a column, an index) between the outer parentheses. */
bool create_token_ends_item(const struct create_token *token);

/* The name between the backticks, unescaped. Caller frees. */
char *create_token_name(const struct create_token *token);

#endif
