#include <criterion/criterion.h>

#include "schema/name_groups_int.h"

Test(name_groups, one_group_a_schema)
{
    g_autoptr(GPtrArray) groups = name_groups_new();
    name_groups_add(groups, "a", "x", 0);
    name_groups_add(groups, "b", "y", 1);
    name_groups_add(groups, "a", "z", 2);
    cr_assert_eq(groups->len, 2);
    cr_expect_str_eq(name_group(groups, 0)->schema, "'a'");
    cr_expect_str_eq(name_group(groups, 0)->names->str, "'x','z'");
    cr_expect_str_eq(name_group(groups, 1)->names->str, "'y'");
}

Test(name_groups, places_are_the_callers)
{
    g_autoptr(GPtrArray) groups = name_groups_new();
    name_groups_add(groups, "b", "y", 7);
    name_groups_add(groups, "a", "x", 5);
    name_groups_add(groups, "a", "z", 9);
    cr_expect_eq(name_group_place(name_group(groups, 0), 1), 7);
    cr_expect_eq(name_group_place(name_group(groups, 1), 1), 5);
    cr_expect_eq(name_group_place(name_group(groups, 1), 2), 9);
}

Test(name_groups, names_are_quoted)
{
    g_autoptr(GPtrArray) groups = name_groups_new();
    name_groups_add(groups, "it's", "a\\b", 0);
    cr_expect_str_eq(name_group(groups, 0)->schema, "'it\\'s'");
    cr_expect_str_eq(name_group(groups, 0)->names->str, "'a\\\\b'");
}

Test(name_groups, a_full_group_is_followed_by_another)
{
    g_autoptr(GPtrArray) groups = name_groups_new();
    for (unsigned i = 0; i < 1000; i++) {
        g_autofree char *name = g_strdup_printf("t%u", i);
        name_groups_add(groups, i % 2 == 0 ? "even" : "odd", name, i);
    }
    unsigned total = 0;
    for (guint i = 0; i < groups->len; i++) {
        const struct name_group *group = name_group(groups, i);
        cr_expect_leq(group->places->len, 200);
        for (unsigned n = 1; n <= group->places->len; n++)
            cr_expect_eq(name_group_place(group, n) % 2,
                         g_str_equal(group->schema, "'even'") ? 0 : 1);
        total += group->places->len;
    }
    cr_expect_eq(total, 1000);
    cr_expect_eq(groups->len, 6);
}
