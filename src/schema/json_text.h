/*
 * JSON text as the server prints it, token by token.
 *
 * Strict: `, ` and `: ` between values, no other space, no number or escape that
 * the server does not print. Pure; the parser and its tokens borrow the text.
 */
#ifndef SCHEMA_JSON_TEXT_H
#define SCHEMA_JSON_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* The server's own limit (JSON_DOCUMENT_MAX_DEPTH) of containers within each other. */
#define JSON_TEXT_DEPTH_MAX 100

enum json_token_kind {
    JSON_TOKEN_OBJECT_BEGIN,
    JSON_TOKEN_ARRAY_BEGIN,
    JSON_TOKEN_CONTAINER_END,
    JSON_TOKEN_KEY,
    JSON_TOKEN_STRING,
    JSON_TOKEN_INTEGER,
    JSON_TOKEN_DOUBLE,  /* a number with a fraction or an exponent; may stand for a DECIMAL */
    JSON_TOKEN_LITERAL, /* null, true, false */
    JSON_TOKEN_END,     /* of the document */
};

struct json_token {
    enum json_token_kind kind;
    const char *text; /* as it stands there: strings and keys with their quotes */
    size_t length;
    bool first; /* the first key or value of its container */
    bool in_array;
};

enum json_text_state {
    JSON_TEXT_VALUE, /* a value must come: the document, or after a key */
    JSON_TEXT_FIRST, /* just after the begin of a container */
    JSON_TEXT_AFTER, /* after a value */
};

struct json_text {
    const char *position;
    const char *end;
    enum json_text_state state;
    unsigned depth;
    bool is_array[JSON_TEXT_DEPTH_MAX];
};

void json_text_init(struct json_text *parser, const char *text, size_t length);

/* The next token; JSON_TOKEN_END again and again at the end. False: malformed. */
G_GNUC_WARN_UNUSED_RESULT bool json_text_next(struct json_text *parser,
                                              struct json_token *ret_token);

/* Appends what a string or key token stands for: UTF-8 without quotes and escapes. */
void json_token_string_append(GString *bytes, const struct json_token *token);

#endif
