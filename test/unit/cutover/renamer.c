#include "cutover/renamer.h"

#include <criterion/criterion.h>

#include "../apply/sample.h"

Test(renamer, one_statement_for_the_whole_set)
{
    g_autoptr(sample) sample = sample_new();
    g_autofree char *there = rename_statement(sample->moved_tables, "move-tables:abc", false);
    g_autofree char *back = rename_statement(sample->moved_tables, "move-tables:abc", true);
    cr_expect_str_eq(there, "RENAME /* move-tables:abc */ TABLE "
                            "`shop`.`orders` TO `shop`.`_orders_moved`, "
                            "`shop`.`items` TO `shop`.`_items_moved`");
    cr_expect_str_eq(back, "RENAME /* move-tables:abc */ TABLE "
                           "`shop`.`_orders_moved` TO `shop`.`orders`, "
                           "`shop`.`_items_moved` TO `shop`.`items`");
}

Test(renamer, names_are_quoted)
{
    g_autoptr(sample) sample = sample_new();
    struct moved_table *moved = g_ptr_array_index(sample->moved_tables, 0);
    g_free(moved->source->name);
    moved->source->name = g_strdup("or`ders");
    g_free(moved->moved_as);
    moved->moved_as = g_strdup("_or`ders_moved");
    g_ptr_array_set_size(sample->moved_tables, 1);
    g_autofree char *sql = rename_statement(sample->moved_tables, "t", false);
    cr_expect_str_eq(sql, "RENAME /* t */ TABLE `shop`.`or``ders` TO `shop`.`_or``ders_moved`");
}
