/* A document's text, with marks before the first NUL or without. What comes out is bounded by what
 * went in, and what is malformed as text is never made an expression. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "schema/json_rebuild.h"
#include "schema/json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
well_formed(const char *text, size_t length)
{
    struct json_text parser;
    struct json_token token;
    g_autoptr(GString) bytes = g_string_new(NULL);
    const char *before = text;
    json_text_init(&parser, text, length);
    do {
        if (!json_text_next(&parser, &token))
            return false;
        /* Tokens come one after another, inside the text. */
        if (token.text < before || token.length > length - (size_t)(token.text - text))
            __builtin_trap();
        before = token.text + token.length;
        if (token.kind == JSON_TOKEN_STRING || token.kind == JSON_TOKEN_KEY)
            json_token_string_append(bytes, &token);
    } while (token.kind != JSON_TOKEN_END);
    if (bytes->len > length)
        __builtin_trap();
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *nul = memchr(text, '\0', size);
    size_t marks_length = nul != NULL ? (size_t)(nul - text) : 0;
    struct column_text marks = {.data = text, .length = marks_length};
    if (nul == NULL)
        marks = (struct column_text){.data = "[]", .length = 2};
    else
        marks_length++;
    struct column_text document = {.data = text + marks_length, .length = size - marks_length};
    g_autoptr(GString) sql = g_string_sized_new(1);
    g_autoptr(GError) error = NULL;
    bool good = well_formed(document.data, document.length);
    bool made = json_rebuild_append(sql, document, marks, &error);
    if (made != (error == NULL) || (made && !good))
        __builtin_trap();
    if (made && sql->len > 64 * size + 512)
        __builtin_trap();
    return 0;
}
