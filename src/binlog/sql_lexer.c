#include "binlog/sql_lexer.h"

#include <glib.h>
#include <string.h>

struct sql_lexer
sql_lexer_of(const struct event_query *query, enum sql_reading reading)
{
    return (struct sql_lexer){
        .position = query->sql,
        .end = query->sql + query->sql_length,
        .ansi_quotes = (query->sql_mode & SQL_MODE_ANSI_QUOTES) != 0,
        .no_backslash_escapes = (query->sql_mode & SQL_MODE_NO_BACKSLASH_ESCAPES) != 0,
        .charset = reading == READING_AS_TOLD ? query->charset : 0,
        .wide_blanks = reading == READING_WIDE_BLANKS,
    };
}

bool
charset_is_utf8(uint16_t charset)
{
    switch (charset) {
    case 0:  /* not told */
    case 11: /* ascii */
    case 65:
    case 63: /* binary */
    case 33: /* utf8mb3 */
    case 76:
    case 83:
    case 45: /* utf8mb4 */
    case 46:
        return true;
    default: /* utf8mb3 and utf8mb4 but for gb18030 between them */
        return (charset >= 192 && charset <= 247) || charset >= 255;
    }
}

/* Does this byte begin a pair whose second byte may be ASCII? */
static bool
begins_pair(uint16_t charset, uint8_t byte)
{
    switch (charset) {
    case 1: /* big5 */
    case 84:
    case 28: /* gbk */
    case 87:
    case 248: /* gb18030; its four-byte form is two pairs */
    case 249:
    case 250:
        return byte >= 0x81 && byte <= 0xfe;
    case 13: /* sjis */
    case 88:
    case 95: /* cp932 */
    case 96:
        return (byte >= 0x81 && byte <= 0x9f) || (byte >= 0xe0 && byte <= 0xfc);
    default:
        return false;
    }
}

static size_t
left(const struct sql_lexer *lexer)
{
    return (size_t)(lexer->end - lexer->position);
}

static bool
at(const struct sql_lexer *lexer, const char *text)
{
    size_t length = strlen(text);
    return left(lexer) >= length && memcmp(lexer->position, text, length) == 0;
}

/* Moves over one character. No second byte is below 0x30: what is is no pair, and each byte stands
 * for itself. */
static void
step(struct sql_lexer *lexer)
{
    bool pair = begins_pair(lexer->charset, (uint8_t)*lexer->position) && left(lexer) >= 2 &&
                (uint8_t)lexer->position[1] >= 0x30;
    lexer->position += pair ? 2 : 1;
}

static bool
is_blank(const struct sql_lexer *lexer, char c)
{
    if (lexer->wide_blanks && ((uint8_t)c == 0xa0 || (uint8_t)c == 0xff))
        return true;
    return g_ascii_isspace(c) || c == '\v';
}

/* The server reads comments byte by byte, whatever their character set. */
static void
skip_line(struct sql_lexer *lexer)
{
    while (lexer->position < lexer->end && *lexer->position != '\n')
        lexer->position++;
}

static void
skip_block(struct sql_lexer *lexer)
{
    lexer->position += 2;
    while (lexer->position < lexer->end && !at(lexer, "*/"))
        lexer->position++;
    lexer->position += MIN(left(lexer), (size_t)2);
}

static void
skip_version(struct sql_lexer *lexer)
{
    size_t digits = 0;
    lexer->position += 3;
    while (digits < 6 && digits < left(lexer) && g_ascii_isdigit(lexer->position[digits]))
        digits++;
    lexer->position += digits >= 5 ? digits : 0; /* fewer are no version */
}

/* `--` begins a comment only before white space or a control character. */
static bool
at_dash_comment(const struct sql_lexer *lexer)
{
    if (!at(lexer, "--"))
        return false;
    if (left(lexer) == 2)
        return true;
    uint8_t next = (uint8_t)lexer->position[2];
    return next <= ' ' || next == 0x7f || (lexer->wide_blanks && next >= 0x80);
}

static void
skip_blank(struct sql_lexer *lexer)
{
    while (lexer->position < lexer->end) {
        if (is_blank(lexer, *lexer->position))
            lexer->position++;
        else if (*lexer->position == '#' || at_dash_comment(lexer))
            skip_line(lexer);
        else if (at(lexer, "/*!"))
            skip_version(lexer);
        else if (at(lexer, "/*"))
            skip_block(lexer);
        else if (at(lexer, "*/")) /* the end of a version comment */
            lexer->position += 2;
        else
            break;
    }
}

static bool
is_word(const struct sql_lexer *lexer, char c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '$' ||
           ((uint8_t)c >= 0x80 && !is_blank(lexer, c));
}

static struct token
take_quoted(struct sql_lexer *lexer)
{
    char quote = *lexer->position++;
    bool identifier = quote == '`' || (quote == '"' && lexer->ansi_quotes);
    bool escapes = !identifier && !lexer->no_backslash_escapes;
    struct token token = {
        .kind = identifier ? TOKEN_QUOTED : TOKEN_STRING,
        .text = lexer->position,
        .quote = quote,
    };
    while (lexer->position < lexer->end) {
        if (*lexer->position == quote) {
            bool doubled = left(lexer) >= 2 && lexer->position[1] == quote;
            if (!doubled)
                break;
            lexer->position++;
        } else if (*lexer->position == '\\' && escapes && left(lexer) >= 2) {
            lexer->position++;
        }
        step(lexer);
    }
    token.length = (size_t)(lexer->position - token.text);
    if (lexer->position < lexer->end)
        lexer->position++;
    return token;
}

struct token
sql_lexer_next(struct sql_lexer *lexer)
{
    skip_blank(lexer);
    struct token token = {.kind = TOKEN_END, .text = lexer->position};
    if (lexer->position >= lexer->end)
        return token;
    char first = *lexer->position;
    if (first == '`' || first == '"' || first == '\'')
        return take_quoted(lexer);
    if (!is_word(lexer, first)) {
        lexer->position++;
        token.kind = TOKEN_SYMBOL;
        token.length = 1;
        return token;
    }
    while (lexer->position < lexer->end && is_word(lexer, *lexer->position))
        step(lexer);
    token.kind = TOKEN_WORD;
    token.length = (size_t)(lexer->position - token.text);
    return token;
}

struct token
sql_lexer_peek(const struct sql_lexer *lexer)
{
    struct sql_lexer copy = *lexer;
    return sql_lexer_next(&copy);
}

bool
token_is(const struct token *token, const char *keyword)
{
    return token->kind == TOKEN_WORD && token->length == strlen(keyword) &&
           g_ascii_strncasecmp(token->text, keyword, token->length) == 0;
}

bool
token_is_symbol(const struct token *token, char symbol)
{
    return token->kind == TOKEN_SYMBOL && *token->text == symbol;
}

bool
sql_lexer_accept(struct sql_lexer *lexer, const char *keyword)
{
    struct sql_lexer before = *lexer;
    struct token token = sql_lexer_next(lexer);
    if (token_is(&token, keyword))
        return true;
    *lexer = before;
    return false;
}
