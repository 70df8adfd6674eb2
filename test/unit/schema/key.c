#include <criterion/criterion.h>

#include "schema/key.h"

static char name_a[] = "a", name_b[] = "b", name_c[] = "c";

/* A table whose key is its first `count` columns. Freed by the test's end only. */
static struct table *
table_of(struct column *columns, unsigned count)
{
    struct table *table = g_new0(struct table, 1);
    table->columns = g_ptr_array_new();
    table->key_columns = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (unsigned i = 0; i < count; i++) {
        g_ptr_array_add(table->columns, &columns[i]);
        g_array_append_val(table->key_columns, i);
    }
    return table;
}

static char *
range_of(const struct table *table, const struct column_text *after,
         const struct column_text *until)
{
    GString *sql = g_string_new(NULL);
    key_range_append(sql, table, after, until);
    return g_string_free(sql, FALSE);
}

static char *
in_of(const struct table *table, const struct column_text *one, const struct column_text *other)
{
    GString *sql = g_string_new(NULL);
    key_in_begin(sql, table);
    key_in_append(sql, table, one, true);
    key_in_append(sql, table, other, false);
    key_in_end(sql, table);
    return g_string_free(sql, FALSE);
}

Test(key, one_column)
{
    struct column columns[] = {{.name = name_a, .type = COLUMN_INT}};
    g_autoptr(table) table = table_of(columns, 1);
    struct column_text one = {.data = "1", .length = 1}, nine = {.data = "9", .length = 1};
    g_autofree char *in = in_of(table, &one, &nine);
    g_autofree char *both = range_of(table, &one, &nine);
    g_autofree char *open = range_of(table, NULL, NULL);
    g_autofree char *until = range_of(table, NULL, &nine);
    cr_expect_str_eq(in, "`a` IN (1,9)");
    cr_expect_str_eq(both, "(`a`>1) AND (`a`<9 OR `a`=9)");
    cr_expect_str_eq(open, "TRUE");
    cr_expect_str_eq(until, "(`a`<9 OR `a`=9)");
}

Test(key, several_columns)
{
    struct column columns[] = {{.name = name_a, .type = COLUMN_INT},
                               {.name = name_b, .type = COLUMN_DATE},
                               {.name = name_c, .type = COLUMN_INT}};
    g_autoptr(table) table = table_of(columns, 3);
    struct column_text one[] = {{.data = "1", .length = 1},
                                {.data = "2020-01-01", .length = 10},
                                {.data = "2", .length = 1}};
    struct column_text two[] = {{.data = "3", .length = 1},
                                {.data = "2021-01-01", .length = 10},
                                {.data = "4", .length = 1}};
    g_autofree char *in = in_of(table, one, two);
    g_autofree char *after = range_of(table, one, NULL);
    g_autofree char *until = range_of(table, NULL, two);
    cr_expect_str_eq(in, "(`a`,`b`,`c`) IN ((1,'2020-01-01',2),(3,'2021-01-01',4))");
    cr_expect_str_eq(after, "(`a`>1 OR (`a`=1 AND (`b`>'2020-01-01' OR (`b`='2020-01-01' AND "
                            "(`c`>2)))))");
    cr_expect_str_eq(until, "(`a`<3 OR (`a`=3 AND (`b`<'2021-01-01' OR (`b`='2021-01-01' AND "
                            "(`c`<4 OR `c`=4)))))");
    g_autoptr(GString) list = g_string_new(NULL);
    key_columns_append(list, table);
    cr_expect_str_eq(list->str, "`a`,`b`,`c`");
}

Test(key, parts_in_two_directions)
{
    struct column columns[] = {{.name = name_a, .type = COLUMN_INT},
                               {.name = name_b, .type = COLUMN_INT},
                               {.name = name_c, .type = COLUMN_ENUM, .members = 3}};
    g_autoptr(table) table = table_of(columns, 3);
    table->key_name = g_strdup("PRIMARY");
    g_autofree char *plain = key_walk_text(table);
    table->key_descending = 6;
    struct column_text one[] = {
        {.data = "1", .length = 1}, {.data = "2", .length = 1}, {.data = "2", .length = 1}};
    g_autofree char *after = range_of(table, one, NULL);
    g_autofree char *until = range_of(table, NULL, one);
    g_autofree char *walk = key_walk_text(table);
    g_autoptr(GString) order = g_string_new(NULL);
    key_order_append(order, table);
    cr_expect_str_eq(after, "(`a`>1 OR (`a`=1 AND (`b`<2 OR (`b`=2 AND (`c` IN (0,1))))))");
    cr_expect_str_eq(until, "(`a`<1 OR (`a`=1 AND (`b`>2 OR (`b`=2 AND (`c` IN (3) OR `c`=2)))))");
    cr_expect_str_eq(order->str, "`a`,`b` DESC,`c` DESC");
    cr_expect_str_eq(plain, "PRIMARY");
    cr_expect_str_neq(walk, plain);
}

Test(key, enum_lists_its_values)
{
    struct column columns[] = {{.name = name_a, .type = COLUMN_ENUM, .members = 4},
                               {.name = name_b, .type = COLUMN_INT}};
    g_autoptr(table) table = table_of(columns, 2);
    struct column_text one[] = {{.data = "2", .length = 1}, {.data = "7", .length = 1}};
    struct column_text last[] = {{.data = "4", .length = 1}, {.data = "8", .length = 1}};
    struct column_text zero[] = {{.data = "0", .length = 1}, {.data = "8", .length = 1}};
    g_autofree char *in = in_of(table, one, last);
    g_autofree char *after = range_of(table, one, NULL);
    g_autofree char *after_last = range_of(table, last, NULL);
    g_autofree char *until = range_of(table, NULL, one);
    g_autofree char *until_zero = range_of(table, NULL, zero);
    cr_expect_str_eq(in, "((`a`=2 AND `b`=7) OR (`a`=4 AND `b`=8))");
    cr_expect_str_eq(after, "(`a` IN (3,4) OR (`a`=2 AND (`b`>7)))");
    cr_expect_str_eq(after_last, "(FALSE OR (`a`=4 AND (`b`>8)))");
    cr_expect_str_eq(until, "(`a` IN (0,1) OR (`a`=2 AND (`b`<7 OR `b`=7)))");
    cr_expect_str_eq(until_zero, "(FALSE OR (`a`=0 AND (`b`<8 OR `b`=8)))");
    cr_expect(key_ranges_use_index(table));
}

Test(key, many_values_are_compared)
{
    struct column columns[] = {{.name = name_a, .type = COLUMN_SET, .members = 64}};
    g_autoptr(table) table = table_of(columns, 1);
    struct column_text one = {.data = "2", .length = 1};
    g_autofree char *after = range_of(table, &one, NULL);
    cr_expect_str_eq(after, "(`a`>2)");
    cr_expect_not(key_ranges_use_index(table));
    columns[0].members = 3;
    g_autofree char *listed = range_of(table, &one, NULL);
    cr_expect_str_eq(listed, "(`a` IN (3,4,5,6,7))");
}
