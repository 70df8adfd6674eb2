#include <criterion/criterion.h>
#include <string.h>

#include "schema/key_choice_int.h"

static char name_a[] = "a", name_b[] = "b", name_n[] = "n", name_f[] = "f", name_v[] = "v";
static char type_int[] = "int", type_float[] = "float", type_varchar[] = "varchar";

static struct column columns[] = {
    {.name = name_a, .data_type = type_int, .type = COLUMN_INT},
    {.name = name_b, .data_type = type_int, .type = COLUMN_INT},
    {.name = name_n, .data_type = type_int, .type = COLUMN_INT, .nullable = true},
    {.name = name_f, .data_type = type_float, .type = COLUMN_FLOAT},
    {.name = name_v, .data_type = type_varchar, .type = COLUMN_VARCHAR, .octet_length = 80},
};

static struct table *
choose(const struct index_part *parts, size_t count)
{
    struct table *table = g_new0(struct table, 1);
    table->columns = g_ptr_array_new();
    table->key_columns = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        g_ptr_array_add(table->columns, &columns[i]);
    key_choose(table, parts, count);
    return table;
}

#define PART(index, column) {.index_name = index, .column_name = column, .is_visible = true}

Test(key_choice, primary_comes_first)
{
    const struct index_part parts[] = {PART("A", "a"), PART("PRIMARY", "b"), PART("PRIMARY", "v")};
    g_autoptr(table) table = choose(parts, 3);
    cr_assert_not_null(table->key_name);
    cr_expect_str_eq(table->key_name, "PRIMARY");
    cr_assert_eq(table->key_columns->len, 2);
    cr_expect_eq(table_key_column_index(table, 0), 1);
    cr_expect_eq(table_key_column_index(table, 1), 4);
    cr_expect_eq(table->other_unique_keys, 1);
}

Test(key_choice, parts_in_two_directions)
{
    struct index_part parts[] = {PART("PRIMARY", "a"), PART("PRIMARY", "b"), PART("PRIMARY", "v")};
    parts[0].is_descending = parts[2].is_descending = true;
    g_autoptr(table) mixed = choose(parts, 3);
    cr_expect_eq(mixed->key_descending, 5);
    parts[1].is_descending = true;
    g_autoptr(table) descending = choose(parts, 3);
    cr_expect_eq(descending->key_descending, 0); /* read backwards */
}

Test(key_choice, fewest_columns_then_fewest_bytes)
{
    const struct index_part parts[] = {PART("u1", "a"), PART("u1", "b"), PART("u2", "v"),
                                       PART("u3", "b")};
    g_autoptr(table) table = choose(parts, 4);
    cr_expect_str_eq(table->key_name, "u3");
    cr_expect_eq(table->other_unique_keys, 2);
}

static void
expect_refused(const struct index_part *part, const char *because)
{
    g_autoptr(table) table = choose(part, 1);
    cr_expect_null(table->key_name);
    cr_assert_not_null(table->key_problem);
    cr_expect_not_null(strstr(table->key_problem, because), "%s", table->key_problem);
    cr_expect_eq(table->other_unique_keys, 1);
}

Test(key_choice, refusals)
{
    const struct index_part nullable = PART("u", "n"), inexact = PART("PRIMARY", "f");
    const struct index_part expression = PART("u", NULL);
    const struct index_part prefix = {"u", "v", .is_prefix = true, .is_visible = true};
    const struct index_part invisible = {"u", "a", .is_visible = false};
    expect_refused(&nullable, "nullable column `n`");
    expect_refused(&inexact, "float column `f`");
    expect_refused(&expression, "an expression");
    expect_refused(&prefix, "prefix of column `v`");
    expect_refused(&invisible, "invisible");
}

Test(key_choice, none)
{
    g_autoptr(table) table = choose(NULL, 0);
    cr_expect_null(table->key_name);
    cr_expect_not_null(strstr(table->key_problem, "neither"));
    cr_expect_eq(table->other_unique_keys, 0);
}

Test(key_choice, another_key_instead_of_an_inexact_primary)
{
    const struct index_part parts[] = {PART("PRIMARY", "f"), PART("u", "a")};
    g_autoptr(table) table = choose(parts, 2);
    cr_expect_str_eq(table->key_name, "u");
    cr_expect_eq(table->other_unique_keys, 1);
}
