#include "binlog/gtid.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/error.h"

#define A "aff92c6a-e549-11f1-8d69-02fc00000001"
#define B "b0000000-0000-0000-0000-000000000002"

static struct gtid_set *
set_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    struct gtid_set *set = gtid_set_parse(text, &error);
    cr_assert(set != NULL, "%s: %s", text, error != NULL ? error->message : "no error");
    return set;
}

static void
check_text(const struct gtid_set *set, const char *expected)
{
    g_autofree char *text = gtid_set_to_string(set);
    cr_expect_str_eq(text, expected);
}

static struct gtid
gtid_of(const char *tag, int64_t number)
{
    struct gtid gtid = {.uuid = {0xaf, 0xf9, 0x2c, 0x6a, 0xe5, 0x49, 0x11, 0xf1, 0x8d, 0x69, 0x02,
                                 0xfc, 0x00, 0x00, 0x00, 0x01},
                        .number = number};
    g_strlcpy(gtid.tag, tag, sizeof gtid.tag);
    return gtid;
}

Test(gtid, text_of_one)
{
    struct gtid plain = gtid_of("", 7);
    struct gtid tagged = gtid_of("blue", INT64_MAX - 1);
    g_autofree char *a = gtid_to_string(&plain);
    g_autofree char *b = gtid_to_string(&tagged);
    cr_expect_str_eq(a, A ":7");
    cr_expect_str_eq(b, A ":blue:9223372036854775806");
}

Test(gtid, parse_and_print)
{
    static const char *const cases[][2] = {
        {"", ""},
        {" \n", ""},
        {A ":1", A ":1"},
        {A ":1-5", A ":1-5"},
        {A ":1-5:6", A ":1-6"},
        {A ":7:1-5", A ":1-5:7"},
        {A ":1-5:3-9:2", A ":1-9"},
        {A ":5-9:1-3:2-6", A ":1-9"},
        {B ":1-2,\n" A ":4", A ":4," B ":1-2"},
        {A ":1," A ":2", A ":1-2"},
        {A ":1-3:tag:1-5:7", A ":1-3:tag:1-5:7"},
        {A ":tag:1-5," A ":1-3", A ":1-3:tag:1-5"},
        {A ":Tag:1:other:2:tag:2", A ":other:2:tag:1-2"},
        {"AFF92C6A-E549-11F1-8D69-02FC00000001 : 1 - 3 , ", A ":1-3"},
        {A ":9223372036854775806", A ":9223372036854775806"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(gtid_set) set = set_of(cases[i][0]);
        check_text(set, cases[i][1]);
    }
}

Test(gtid, parse_refuses)
{
    static const char *const cases[] = {
        "x",
        A,
        A ":",
        A ":0",
        A ":-1",
        A ":1-",
        A ":5-4",
        A ":1x",
        A ":tag",
        A ":tag:",
        A ":1:",
        A ":9223372036854775807",
        A ":99999999999999999999999",
        A ":123456789012345678901234567890123:1",
        A ":a234567890123456789012345678901234:1",
        "aff92c6ae54911f18d6902fc00000001:1",
        A ":1;" B ":1",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(gtid_set) set = gtid_set_parse(cases[i], &error);
        cr_expect(set == NULL, "accepted: %s", cases[i]);
        cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_DATA), "%s", cases[i]);
    }
}

Test(gtid, add_in_any_order)
{
    g_autoptr(gtid_set) set = gtid_set_new();
    static const int64_t numbers[] = {5, 1, 2, 9, 8, 3, 4, 5, 1, 7};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        struct gtid gtid = gtid_of("", numbers[i]);
        gtid_set_add(set, &gtid);
    }
    check_text(set, A ":1-5:7-9");
    struct gtid six = gtid_of("", 6);
    struct gtid tagged = gtid_of("t", 1);
    cr_expect(not(gtid_set_contains(set, &six)));
    gtid_set_add(set, &six);
    cr_expect(gtid_set_contains(set, &six));
    cr_expect(not(gtid_set_contains(set, &tagged)));
    gtid_set_add(set, &tagged);
    check_text(set, A ":1-9:t:1");
    cr_expect(eq(u64, gtid_set_count(set), 10));
}

Test(gtid, contains_edges)
{
    g_autoptr(gtid_set) set = set_of(A ":2-4:6");
    static const bool expected[] = {false, false, true, true, true, false, true, false};
    for (int64_t n = 1; n < (int64_t)G_N_ELEMENTS(expected); n++) {
        struct gtid gtid = gtid_of("", n);
        cr_expect(gtid_set_contains(set, &gtid) == expected[n], "%d", (int)n);
    }
}

Test(gtid, arithmetic)
{
    static const struct {
        const char *a, *b, *united, *difference;
        bool contains;
    } cases[] = {
        {A ":1-10", A ":3-5", A ":1-10", A ":1-2:6-10", true},
        {A ":1-10", A ":1-10", A ":1-10", "", true},
        {A ":1-10", "", A ":1-10", A ":1-10", true},
        {"", A ":1-10", A ":1-10", "", false},
        {A ":1-10", A ":10-11", A ":1-11", A ":1-9", false},
        {A ":1-3:7-9", A ":4-6", A ":1-9", A ":1-3:7-9", false},
        {A ":1-3:5:7-9", A ":2-8", A ":1-9", A ":1:9", false},
        {A ":1-100", A ":2:4:6:98-200", A ":1-200", A ":1:3:5:7-97", false},
        {A ":1-5:t:1-5", A ":t:2", A ":1-5:t:1-5", A ":1-5:t:1:3-5", true},
        {A ":1-5," B ":1", B ":1-2", A ":1-5," B ":1-2", A ":1-5", false},
        {A ":1-5:9-12", A ":10-12:1", A ":1-5:9-12", A ":2-5:9", true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(gtid_set) a = set_of(cases[i].a);
        g_autoptr(gtid_set) b = set_of(cases[i].b);
        g_autoptr(gtid_set) united = gtid_set_copy(a);
        gtid_set_union(united, b);
        g_autoptr(gtid_set) difference = gtid_set_subtract(a, b);
        check_text(united, cases[i].united);
        check_text(difference, cases[i].difference);
        check_text(a, cases[i].a);
        cr_expect(gtid_set_contains_set(a, b) == cases[i].contains, "%zu", i);
        cr_expect(gtid_set_contains_set(united, a));
        cr_expect(gtid_set_contains_set(united, b));
        cr_expect(gtid_set_is_empty(difference) == (cases[i].difference[0] == '\0'));
        cr_expect(gtid_set_equal(a, b) == (strcmp(cases[i].a, cases[i].b) == 0));
    }
}

/* Every operation against a bit per number. */
Test(gtid, arithmetic_at_random)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(4711);
    for (unsigned round = 0; round < 300; round++) {
        bool in[2][64] = {{false}};
        g_autoptr(gtid_set) a = gtid_set_new();
        g_autoptr(gtid_set) b = gtid_set_new();
        for (unsigned i = 0; i < 40; i++) {
            unsigned which = (unsigned)g_rand_int_range(random, 0, 2);
            struct gtid gtid = gtid_of("", g_rand_int_range(random, 1, 64));
            in[which][gtid.number] = true;
            gtid_set_add(which == 0 ? a : b, &gtid);
        }
        g_autoptr(gtid_set) difference = gtid_set_subtract(a, b);
        g_autoptr(gtid_set) united = gtid_set_copy(a);
        gtid_set_union(united, b);
        for (int64_t n = 1; n < 64; n++) {
            struct gtid gtid = gtid_of("", n);
            cr_assert(gtid_set_contains(a, &gtid) == in[0][n]);
            cr_assert(gtid_set_contains(difference, &gtid) == (in[0][n] && !in[1][n]));
            cr_assert(gtid_set_contains(united, &gtid) == (in[0][n] || in[1][n]));
        }
        g_autofree char *text = gtid_set_to_string(united);
        g_autoptr(gtid_set) parsed = set_of(text);
        cr_assert(gtid_set_equal(parsed, united));
    }
}

static void
check_binary(const char *text, const char *hex)
{
    g_autoptr(gtid_set) set = set_of(text);
    g_autoptr(GByteArray) bytes = gtid_set_encode(set);
    g_autoptr(GString) found = g_string_new(NULL);
    for (guint i = 0; i < bytes->len; i++)
        g_string_append_printf(found, "%02x", bytes->data[i]);
    cr_expect_str_eq(found->str, hex);
    g_autoptr(gtid_set) decoded = gtid_set_decode(bytes->data, bytes->len, NULL);
    cr_assert(decoded != NULL);
    cr_expect(gtid_set_equal(set, decoded));
}

Test(gtid, binary)
{
    check_binary("", "0000000000000000");
    check_binary(A ":1-5:9", "0100000000000000"
                             "aff92c6ae54911f18d6902fc00000001"
                             "0200000000000000"
                             "01000000000000000600000000000000"
                             "09000000000000000a00000000000000");
    check_binary(A ":1-32:mytag:1", "0102000000000001"
                                    "aff92c6ae54911f18d6902fc00000001"
                                    "00"
                                    "0100000000000000"
                                    "01000000000000002100000000000000"
                                    "aff92c6ae54911f18d6902fc00000001"
                                    "0a6d79746167"
                                    "0100000000000000"
                                    "01000000000000000200000000000000");
}

Test(gtid, binary_refuses)
{
    g_autoptr(gtid_set) set = set_of(A ":1-5:9:tag:3");
    g_autoptr(GByteArray) bytes = gtid_set_encode(set);
    for (guint length = 0; length < bytes->len; length++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(gtid_set) decoded = gtid_set_decode(bytes->data, length, &error);
        cr_expect(decoded == NULL, "accepted %u bytes", length);
        cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    }
    /* Unknown format, no intervals promised, an interval that ends before it begins. */
    static const guint spoilt[] = {7, 25, 33};
    for (guint i = 0; i < G_N_ELEMENTS(spoilt); i++) {
        uint8_t before = bytes->data[spoilt[i]];
        bytes->data[spoilt[i]] = (uint8_t)(i == 2 ? 99 : before + 7);
        g_autoptr(gtid_set) decoded = gtid_set_decode(bytes->data, bytes->len, NULL);
        cr_expect(decoded == NULL, "accepted with byte %u spoilt", spoilt[i]);
        bytes->data[spoilt[i]] = before;
    }
}
