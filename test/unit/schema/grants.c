#include <criterion/criterion.h>

#include "schema/grants_int.h"

static const uint32_t rw = PRIVILEGE_BIT(SELECT) | PRIVILEGE_BIT(INSERT);

static uint32_t
missing(bool patterns, const char *lines, const char *schema, const char *table)
{
    struct grant_set *set = grant_set_new(patterns);
    g_auto(GStrv) split = g_strsplit(lines, "\n", -1);
    for (char **line = split; *line != NULL; line++)
        grant_set_add_line(set, *line);
    uint32_t result = grant_set_missing(set, rw, schema, table);
    grant_set_free(set);
    return result;
}

Test(grants, levels)
{
    const char *global = "GRANT SELECT, INSERT, REPLICATION SLAVE ON *.* TO `m`@`%`";
    const char *schema = "GRANT SELECT, INSERT ON `shop`.* TO `m`@`%`";
    const char *table = "GRANT SELECT, INSERT ON `shop`.`a``b` TO `m`@`%`";
    cr_expect_eq(missing(true, global, "shop", "x"), 0);
    cr_expect_eq(missing(true, global, NULL, NULL), 0);
    cr_expect_eq(missing(true, schema, "shop", "x"), 0);
    cr_expect_eq(missing(true, schema, "shop", NULL), 0);
    cr_expect_eq(missing(true, schema, "shop2", "x"), rw);
    cr_expect_eq(missing(true, schema, NULL, NULL), rw);
    cr_expect_eq(missing(true, table, "shop", "a`b"), 0);
    cr_expect_eq(missing(true, table, "shop", NULL), rw);
    cr_expect_eq(missing(true, table, "shop", "a"), rw);
    cr_expect_eq(missing(true, "GRANT USAGE ON *.* TO `m`@`%`", "shop", "x"), rw);
    cr_expect_eq(missing(true, "GRANT SELECT ON *.* TO `m`@`%`", "s", "t"), PRIVILEGE_BIT(INSERT));
}

Test(grants, all_privileges_and_sums)
{
    cr_expect_eq(
        missing(true, "GRANT ALL PRIVILEGES ON `s`.* TO `m`@`%` WITH GRANT OPTION", "s", "t"), 0);
    cr_expect_eq(missing(true, "GRANT SELECT ON *.* TO `m`@`%`\nGRANT INSERT ON `s`.`t` TO `m`@`%`",
                         "s", "t"),
                 0);
}

Test(grants, patterns)
{
    const char *any = "GRANT SELECT, INSERT ON `sh%`.* TO `m`@`%`";
    const char *one = "GRANT SELECT, INSERT ON `a_b`.* TO `m`@`%`";
    const char *exact = "GRANT SELECT, INSERT ON `a\\_b`.* TO `m`@`%`";
    cr_expect_eq(missing(true, any, "shop", "t"), 0);
    cr_expect_eq(missing(true, any, "ship", NULL), 0);
    cr_expect_eq(missing(true, any, "s", "t"), rw);
    cr_expect_eq(missing(false, any, "shop", "t"), rw);
    cr_expect_eq(missing(true, one, "axb", "t"), 0);
    cr_expect_eq(missing(true, exact, "a_b", "t"), 0);
    cr_expect_eq(missing(true, exact, "axb", "t"), rw);
}

Test(grants, partial_revokes)
{
    const char *lines = "GRANT SELECT, INSERT ON *.* TO `m`@`%`\n"
                        "REVOKE INSERT ON `shop`.* FROM `m`@`%`";
    cr_expect_eq(missing(false, lines, "shop", "t"), PRIVILEGE_BIT(INSERT));
    cr_expect_eq(missing(false, lines, "other", "t"), 0);
}

Test(grants, lines_that_give_nothing_to_tables)
{
    static const char *const lines[] = {
        "GRANT `SELECT`@`%` TO `m`@`%`",
        "GRANT SELECT (`a`), INSERT (`a`, `b`) ON `s`.`t` TO `m`@`%`",
        "GRANT EXECUTE ON PROCEDURE `s`.`t` TO `m`@`%`",
        "GRANT PROXY ON ``@`` TO `m`@`%`",
        "GRANT BACKUP_ADMIN,CLONE_ADMIN ON *.* TO `m`@`%`",
        "nonsense",
        "",
        "GRANT SELECT, INSERT ON",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        cr_expect_eq(missing(true, lines[i], "s", "t"), rw, "%s", lines[i]);
}

Test(grants, column_privileges_beside_a_whole_one)
{
    const char *line = "GRANT SELECT, INSERT (`a`) ON `s`.`t` TO `m`@`%`";
    cr_expect_eq(missing(true, line, "s", "t"), PRIVILEGE_BIT(INSERT));
}

Test(grants, dynamic_privileges)
{
    struct grant_set *set = grant_set_new(true);
    uint32_t wanted = PRIVILEGE_BIT(XA_RECOVER_ADMIN) | PRIVILEGE_BIT(PROCESS);
    grant_set_add_line(set, "GRANT PROCESS, REPLICATION SLAVE ON *.* TO `m`@`%`");
    cr_expect_eq(grant_set_missing(set, wanted, NULL, NULL), PRIVILEGE_BIT(XA_RECOVER_ADMIN));
    grant_set_add_line(set, "GRANT BACKUP_ADMIN,XA_RECOVER_ADMIN,XA_OTHER ON *.* TO `m`@`%`");
    cr_expect_eq(grant_set_missing(set, wanted, NULL, NULL), 0);
    grant_set_free(set);
}

Test(grants, names)
{
    g_autofree char *names = privilege_names(PRIVILEGE_BIT(SELECT) |
                                             PRIVILEGE_BIT(REPLICATION_SLAVE));
    cr_expect_str_eq(names, "SELECT, REPLICATION SLAVE");
}
