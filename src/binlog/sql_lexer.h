/*
 * A tokenizer for the statements of QUERY events: enough to find the names of
 * tables, no more. Pure; nothing is allocated.
 *
 * Comments are skipped, except that the inside of a version comment
 * (slash-star-bang) is part of the statement: the server writes those that it did
 * not execute as plain comments. Multi-byte client character sets whose second
 * byte may look like a quote or a backslash are known.
 *
 * What a byte beyond ASCII is depends on the client's character set, and the
 * text need not be of the one that the event tells. So there are several
 * readings of a statement, and what counts is what any of them finds.
 */
#ifndef BINLOG_SQL_LEXER_H
#define BINLOG_SQL_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "binlog/event.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* keyword, unquoted identifier or number */
    TOKEN_QUOTED, /* quoted identifier; text is between the quotes, doubled ones not undone */
    TOKEN_STRING,
    TOKEN_SYMBOL, /* one character */
};

struct token {
    enum token_kind kind;
    const char *text; /* borrowed from the statement */
    size_t length;
    char quote; /* of TOKEN_QUOTED */
};

struct sql_lexer {
    const char *position;
    const char *end;
    bool ansi_quotes;
    bool no_backslash_escapes;
    uint16_t charset; /* 0: every byte beyond ASCII is a letter */
    bool wide_blanks; /* but for 0xa0 and 0xff: white space, as in latin1 and cp866 */
};

enum sql_reading {
    READING_AS_TOLD,
    READING_BYTES,
    READING_WIDE_BLANKS,
    READINGS, /* their number; UTF-8 needs the first one only */
};

/* Everything else that changes how the text is read comes from the event. */
struct sql_lexer sql_lexer_of(const struct event_query *query, enum sql_reading reading);

/* The next token; after the last one, TOKEN_END for ever. Borrows from the statement. */
struct token sql_lexer_next(struct sql_lexer *lexer);

/* The next token without taking it. */
struct token sql_lexer_peek(const struct sql_lexer *lexer);

/* Is it this keyword (upper case)? A quoted identifier never is. */
bool token_is(const struct token *token, const char *keyword);
bool token_is_symbol(const struct token *token, char symbol);

/* Takes the next token when it is this keyword. */
bool sql_lexer_accept(struct sql_lexer *lexer, const char *keyword);

/* True when text of this client character set is UTF-8 as far as names go. */
bool charset_is_utf8(uint16_t charset);

#endif
