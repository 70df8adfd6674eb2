/* Bounds and their JSON. */
#include "copy/bound.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"

static void
expect_same(const struct bound *a, const struct bound *b, size_t parts)
{
    for (size_t i = 0; i < parts; i++) {
        struct column_text x = bound_texts(a)[i];
        struct column_text y = bound_texts(b)[i];
        cr_assert_eq(x.length, y.length);
        cr_expect_eq(memcmp(x.data, y.data, x.length), 0);
    }
}

Test(bound, copies_its_texts)
{
    char first[] = "31", second[] = "abc";
    struct column_text texts[] = {{.data = first, .length = 2}, {.data = second, .length = 3}};
    g_autoptr(bound) bound = bound_new(texts, 2);
    memset(first, '-', 2);
    memset(second, '-', 3);
    cr_expect_eq(bound_texts(bound)[0].length, 2);
    cr_expect_eq(memcmp(bound_texts(bound)[0].data, "31", 2), 0);
    cr_expect_eq(memcmp(bound_texts(bound)[1].data, "abc", 3), 0);
}

Test(bound, lives_until_the_last_reference)
{
    struct column_text text = {.data = "7", .length = 1};
    struct bound *bound = bound_new(&text, 1);
    struct bound *other = bound_ref(bound);
    cr_expect_eq(other, bound);
    bound_unref(bound);
    cr_expect_eq(*bound_texts(other)[0].data, '7');
    bound_unref(other);
    cr_expect_null(bound_ref(NULL));
    bound_unref(NULL);
}

Test(bound, json)
{
    struct column_text texts[] = {
        {.data = "1", .length = 1}, {.data = "ab", .length = 2}, {.data = "", .length = 0}};
    g_autoptr(bound) bound = bound_new(texts, 3);
    g_autofree char *json = bound_to_json(bound);
    cr_expect_str_eq(json, "[\"31\",\"6162\",\"\"]");
}

Test(bound, every_byte_survives)
{
    char bytes[256];
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (char)i;
    struct column_text texts[] = {{.data = bytes, .length = 256},
                                  {.data = "", .length = 0},
                                  {.data = bytes + 200, .length = 56}};
    g_autoptr(bound) bound = bound_new(texts, 3);
    g_autofree char *json = bound_to_json(bound);
    g_autoptr(GError) error = NULL;
    g_autoptr(bound) back = bound_from_json(json, 3, &error);
    cr_assert_neq(back, NULL, "%s", error == NULL ? "" : error->message);
    expect_same(bound, back, 3);
}

Test(bound, capital_hex_is_the_same)
{
    g_autoptr(bound) small = bound_from_json("[\"ab0f\"]", 1, NULL);
    g_autoptr(bound) capital = bound_from_json("[\"AB0F\"]", 1, NULL);
    cr_assert_neq(small, NULL);
    cr_assert_neq(capital, NULL);
    expect_same(small, capital, 1);
}

Test(bound, refuses_what_is_not_a_key)
{
    static const struct {
        const char *json;
        size_t parts;
    } bad[] = {
        {"", 1},
        {"[", 1},
        {"[]", 1},
        {"[\"31\"", 1},
        {"[\"31\"]x", 1},
        {"[\"31\"] ", 1},
        {"[\"31\",]", 1},
        {"[\"3\"]", 1},
        {"[\"3g\"]", 1},
        {"[\"31]", 1},
        {"[31]", 1},
        {"[null]", 1},
        {"{\"a\":\"31\"}", 1},
        {"[\"31\"]", 2},
        {"[\"31\",\"32\"]", 1},
        {"[\"31\" \"32\"]", 2},
        {"[\"31\",\"32\",\"33\"]", 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(bound) bound = bound_from_json(bad[i].json, bad[i].parts, &error);
        cr_expect_null(bound, "%s", bad[i].json);
        cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_CHECKPOINT), "%s", bad[i].json);
    }
}
