#include "schema/json_text.h"

#include <string.h>

void
json_text_init(struct json_text *parser, const char *text, size_t length)
{
    parser->position = text;
    parser->end = text + length;
    parser->state = JSON_TEXT_VALUE;
    parser->depth = 0;
}

static bool
take(struct json_text *parser, const char *literal, size_t length)
{
    if ((size_t)(parser->end - parser->position) < length ||
        memcmp(parser->position, literal, length) != 0)
        return false;
    parser->position += length;
    return true;
}

/* Moves over one escape after its backslash: a letter, or u00XX. */
static const char *
skip_escape(const char *position, const char *end)
{
    if (position == end)
        return NULL;
    if (*position != 'u')
        return strchr("\"\\bfnrt", *position) != NULL && *position != '\0' ? position + 1 : NULL;
    if (end - position < 5 || memcmp(position, "u00", 3) != 0 || !g_ascii_isxdigit(position[3]) ||
        !g_ascii_isxdigit(position[4]) || position[3] > '7')
        return NULL;
    return position + 5;
}

static bool
take_string(struct json_text *parser)
{
    const char *position = parser->position + 1;
    while (position < parser->end && *position != '"') {
        if ((unsigned char)*position < 0x20)
            return false;
        if (*position++ != '\\')
            continue;
        position = skip_escape(position, parser->end);
        if (position == NULL)
            return false;
    }
    if (position == parser->end)
        return false;
    parser->position = position + 1;
    return true;
}

static bool
take_digits(struct json_text *parser)
{
    const char *start = parser->position;
    while (parser->position < parser->end && g_ascii_isdigit(*parser->position))
        parser->position++;
    return parser->position > start;
}

static bool
take_number(struct json_text *parser, struct json_token *ret_token)
{
    ret_token->kind = JSON_TOKEN_INTEGER;
    (void)take(parser, "-", 1);
    if (!take_digits(parser))
        return false;
    if (take(parser, ".", 1)) {
        ret_token->kind = JSON_TOKEN_DOUBLE;
        if (!take_digits(parser))
            return false;
    }
    if (take(parser, "e", 1)) {
        ret_token->kind = JSON_TOKEN_DOUBLE;
        (void)take(parser, "-", 1);
        return take_digits(parser);
    }
    return true;
}

static bool
begin_container(struct json_text *parser, bool is_array)
{
    if (parser->depth == JSON_TEXT_DEPTH_MAX)
        return false;
    parser->is_array[parser->depth++] = is_array;
    parser->position++;
    parser->state = JSON_TEXT_FIRST;
    return true;
}

static bool
take_value(struct json_text *parser, struct json_token *ret_token)
{
    parser->state = JSON_TEXT_AFTER;
    if (parser->position == parser->end)
        return false;
    switch (*parser->position) {
    case '{':
        ret_token->kind = JSON_TOKEN_OBJECT_BEGIN;
        return begin_container(parser, false);
    case '[':
        ret_token->kind = JSON_TOKEN_ARRAY_BEGIN;
        return begin_container(parser, true);
    case '"':
        ret_token->kind = JSON_TOKEN_STRING;
        return take_string(parser);
    case 'n':
        ret_token->kind = JSON_TOKEN_LITERAL;
        return take(parser, "null", 4);
    case 't':
        ret_token->kind = JSON_TOKEN_LITERAL;
        return take(parser, "true", 4);
    case 'f':
        ret_token->kind = JSON_TOKEN_LITERAL;
        return take(parser, "false", 5);
    default:
        return take_number(parser, ret_token);
    }
}

static bool
take_key(struct json_text *parser, struct json_token *ret_token)
{
    ret_token->kind = JSON_TOKEN_KEY;
    parser->state = JSON_TEXT_VALUE;
    return parser->position < parser->end && *parser->position == '"' && take_string(parser);
}

/* One token, from parser->position to where that is afterwards. */
static bool
take_token(struct json_text *parser, struct json_token *ret_token)
{
    if (parser->state == JSON_TEXT_VALUE)
        return take_value(parser, ret_token);
    if (parser->depth == 0) {
        ret_token->kind = JSON_TOKEN_END;
        return parser->position == parser->end;
    }
    bool is_array = parser->is_array[parser->depth - 1];
    if (take(parser, is_array ? "]" : "}", 1)) {
        ret_token->kind = JSON_TOKEN_CONTAINER_END;
        parser->depth--;
        parser->state = JSON_TEXT_AFTER;
        return true;
    }
    ret_token->in_array = is_array;
    ret_token->first = parser->state == JSON_TEXT_FIRST;
    if (!ret_token->first) {
        if (!take(parser, ", ", 2))
            return false;
        ret_token->text += 2;
    }
    return is_array ? take_value(parser, ret_token) : take_key(parser, ret_token);
}

bool
json_text_next(struct json_text *parser, struct json_token *ret_token)
{
    *ret_token = (struct json_token){.text = parser->position};
    if (!take_token(parser, ret_token))
        return false;
    ret_token->length = (size_t)(parser->position - ret_token->text);
    return ret_token->kind != JSON_TOKEN_KEY || take(parser, ": ", 2);
}

/* Appends the byte of the escape after the backslash; gives where the text goes on. */
static const char *
append_escape(GString *bytes, const char *position)
{
    static const char meant[] = {['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r',
                                 ['t'] = '\t', ['"'] = '"',  ['\\'] = '\\'};
    if (*position != 'u') {
        g_string_append_c(bytes, meant[(unsigned char)*position]);
        return position + 1;
    }
    g_string_append_c(
        bytes, (char)(g_ascii_xdigit_value(position[3]) << 4 | g_ascii_xdigit_value(position[4])));
    return position + 5;
}

void
json_token_string_append(GString *bytes, const struct json_token *token)
{
    const char *position = token->text + 1;
    const char *end = token->text + token->length - 1;
    while (position < end) {
        const char *backslash = memchr(position, '\\', (size_t)(end - position));
        const char *plain_end = backslash != NULL ? backslash : end;
        g_string_append_len(bytes, position, plain_end - position);
        position = backslash != NULL ? append_escape(bytes, backslash + 1) : end;
    }
}
