#include "schema/json_text.h"

#include <criterion/criterion.h>
#include <string.h>

/* The tokens' kinds by a letter each, first ones in upper case; "!" where it is malformed. */
static char *
kinds_of(const char *text, size_t length)
{
    static const char letters[] = {[JSON_TOKEN_OBJECT_BEGIN] = 'o',  [JSON_TOKEN_ARRAY_BEGIN] = 'a',
                                   [JSON_TOKEN_CONTAINER_END] = 'e', [JSON_TOKEN_KEY] = 'k',
                                   [JSON_TOKEN_STRING] = 's',        [JSON_TOKEN_INTEGER] = 'i',
                                   [JSON_TOKEN_DOUBLE] = 'd',        [JSON_TOKEN_LITERAL] = 'l'};
    g_autofree char *copy = g_memdup2(text, length + (length == 0)); /* so that ASan sees the end */
    GString *kinds = g_string_new(NULL);
    struct json_text parser;
    struct json_token token;
    json_text_init(&parser, copy, length);
    for (;;) {
        if (!json_text_next(&parser, &token)) {
            g_string_append_c(kinds, '!');
            break;
        }
        if (token.kind == JSON_TOKEN_END)
            break;
        char letter = letters[token.kind];
        g_string_append_c(kinds, token.first ? g_ascii_toupper(letter) : letter);
    }
    return g_string_free(kinds, FALSE);
}

static void
expect_kinds(const char *text, const char *expected)
{
    g_autofree char *kinds = kinds_of(text, strlen(text));
    cr_expect_str_eq(kinds, expected, "%s: %s, not %s", text, kinds, expected);
}

Test(json_text, tokens)
{
    expect_kinds("null", "l");
    expect_kinds("-12", "i");
    expect_kinds("-0.0", "d");
    expect_kinds("1.5e-300", "d");
    expect_kinds("1e20", "d");
    expect_kinds("\"\"", "s");
    expect_kinds("[]", "ae");
    expect_kinds("{}", "oe");
    expect_kinds("[1, [true, []], {}]", "aIaLaeeoee");
    expect_kinds("{\"a\": 1, \"b\": {\"c\": [\"x\"]}}", "oKikoKaSeee");
}

Test(json_text, refuses_what_the_server_does_not_print)
{
    static const char *const texts[] = {
        "",
        " 1",
        "1 ",
        "[1,2]",
        "[1,  2]",
        "{\"a\":1}",
        "[1, ]",
        "[, 1]",
        "[1",
        "]",
        "{1: 2}",
        "{\"a\"}",
        "{\"a\": }",
        "{\"a\": 1",
        "[1}",
        "{\"a\": 1]",
        "nul",
        "truee",
        "\"a",
        "\"\\",
        "\"\\u00",
        "\"\\u0041",
        "\"\\x\"",
        "\"\\u1234\"",
        "\"\n\"",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+5",
        "+1",
        "NaN",
        "[1] [2]",
        "1, 2",
        "{\"a\": 1, 2}",
        "\"\\u00ff\"",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *kinds = kinds_of(texts[i], strlen(texts[i]));
        cr_expect(g_str_has_suffix(kinds, "!"), "%s: %s", texts[i], kinds);
    }
    g_autofree char *kinds = kinds_of("\"\\\0\"", 4);
    cr_expect_str_eq(kinds, "!");
}

Test(json_text, depth)
{
    for (unsigned depth = 99; depth <= 101; depth++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (unsigned i = 0; i < depth; i++)
            g_string_append_c(text, '[');
        for (unsigned i = 0; i < depth; i++)
            g_string_append_c(text, ']');
        g_autofree char *kinds = kinds_of(text->str, text->len);
        cr_expect_eq(g_str_has_suffix(kinds, "!"), depth > 100, "%u", depth);
    }
}

Test(json_text, token_texts)
{
    struct json_text parser;
    struct json_token token;
    const char *text = "{\"a\\\"b\": [\"x\\\\\\b\\f\\n\\r\\t\\u0000\\u001F€\", 12.5]}";
    g_autoptr(GString) bytes = g_string_new(NULL);
    json_text_init(&parser, text, strlen(text));
    cr_assert(json_text_next(&parser, &token));
    cr_assert(json_text_next(&parser, &token));
    cr_expect_eq(token.length, strlen("\"a\\\"b\""));
    json_token_string_append(bytes, &token);
    cr_expect_str_eq(bytes->str, "a\"b");
    cr_assert(json_text_next(&parser, &token));
    cr_assert(json_text_next(&parser, &token));
    cr_expect(token.in_array);
    g_string_truncate(bytes, 0);
    json_token_string_append(bytes, &token);
    static const char expected[] = "x\\\b\f\n\r\t\0\x1f€";
    cr_expect_eq(bytes->len, sizeof expected - 1);
    cr_expect_eq(memcmp(bytes->str, expected, sizeof expected - 1), 0);
    cr_assert(json_text_next(&parser, &token));
    cr_expect_eq(token.length, 4);
    cr_expect_eq(strncmp(token.text, "12.5", 4), 0);
}
