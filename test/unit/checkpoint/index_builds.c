#include "checkpoint/index_builds.h"

#include <criterion/criterion.h>

static void
expect_table(const char *sql, const char *wanted)
{
    g_autofree char *table = index_build_table(sql);
    cr_expect_eq(g_strcmp0(table, wanted), 0, "%s: %s", sql, table);
}

Test(index_builds, the_table_of_an_alter)
{
    expect_table("ALTER TABLE `shop`.`orders` ADD KEY `a` (`a`)", "shop.orders");
    expect_table("ALTER TABLE `a``b`.`c.d` ADD", "`a``b`.`c.d`");
}

Test(index_builds, anything_else_is_none)
{
    static const char *const odd[] = {NULL,
                                      "",
                                      "SELECT 1",
                                      "ALTER TABLE ",
                                      "ALTER TABLE `a",
                                      "ALTER TABLE `a`",
                                      "ALTER TABLE `a`.",
                                      "ALTER TABLE `a`.`b",
                                      "ALTER TABLE a.b ADD"};
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++)
        expect_table(odd[i], NULL);
}
