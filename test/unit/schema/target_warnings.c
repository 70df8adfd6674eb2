#include <criterion/criterion.h>

#include "schema/target_warnings.h"

static void
add_column(struct table *table, const char *name, bool generated)
{
    struct column *column = g_new0(struct column, 1);
    column->name = g_strdup(name);
    column->generated = generated;
    g_ptr_array_add(table->columns, column);
}

static void
free_column(void *column)
{
    column_free(column);
}

static struct table *
made_table(void)
{
    struct table *table = g_new0(struct table, 1);
    table->columns = g_ptr_array_new_with_free_func(free_column);
    add_column(table, "a", false);
    return table;
}

Test(target_warnings, of_computed_values_only)
{
    g_autoptr(table) table = made_table();
    add_column(table, "g", true);
    cr_expect(target_warning_is_computed(table, "1265", "Data truncated for column 'g' at row 1"));
    cr_expect_not(
        target_warning_is_computed(table, "1265", "Data truncated for column 'a' at row 1"));
    cr_expect_not(target_warning_is_computed(table, "1366", "Incorrect value: 'g' for column 'a'"));
    cr_expect(target_warning_is_computed(table, "3751",
                                         "Data truncated for functional index 'i' at row 1"));
}

Test(target_warnings, rows_that_can_all_be_listed)
{
    g_autoptr(table) table = made_table();
    cr_expect_eq(target_warnings_rows_max(table), 1000);
    add_column(table, "g", true);
    cr_expect_eq(target_warnings_rows_max(table), 333);
    for (unsigned i = 0; i < 1000; i++)
        add_column(table, "h", true);
    cr_expect_eq(target_warnings_rows_max(table), 1);
}
