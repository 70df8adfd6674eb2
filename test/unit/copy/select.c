/* The copy's SQL. */
#include "copy/select.h"

#include <criterion/criterion.h>

#include "../apply/sample.h"
#include "../binlog/captured.h"

static const struct moved_table *
moved(const struct sample *sample, guint index)
{
    return g_ptr_array_index(sample->moved_tables, index);
}

Test(select, bound_of_a_simple_key)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(GString) sql = g_string_new("before ");
    select_bound_append(sql, moved(sample, 0)->source, NULL, 1000);
    cr_expect_str_eq(sql->str, "before SELECT `id` FROM `shop`.`orders` FORCE INDEX (`PRIMARY`) "
                               "WHERE TRUE ORDER BY `id` LIMIT 1 OFFSET 999");
    struct column_text text = {.data = "31", .length = 2};
    g_autoptr(bound) lower = bound_new(&text, 1);
    g_string_truncate(sql, 0);
    select_bound_append(sql, moved(sample, 0)->source, lower, 1);
    cr_expect_str_eq(sql->str, "SELECT `id` FROM `shop`.`orders` FORCE INDEX (`PRIMARY`) "
                               "WHERE (`id`>31) ORDER BY `id` LIMIT 1 OFFSET 0");
}

Test(select, a_range_of_no_rows_has_no_offset_below_zero)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(GString) sql = g_string_new(NULL);
    select_bound_append(sql, moved(sample, 0)->source, NULL, 0);
    cr_expect(g_str_has_suffix(sql->str, " LIMIT 1 OFFSET 0"), "%s", sql->str);
}

Test(select, bound_of_a_composite_key)
{
    g_autoptr(sample) sample = sample_new();
    struct column_text texts[] = {{.data = "5", .length = 1}, {.data = "x", .length = 1}};
    g_autoptr(bound) lower = bound_new(texts, 2);
    g_autoptr(GString) sql = g_string_new(NULL);
    select_bound_append(sql, moved(sample, 1)->source, lower, 10);
    cr_expect_str_eq(sql->str, "SELECT `n`,`tag` FROM `shop`.`items` FORCE INDEX (`by_n`) "
                               "WHERE (`n`>5 OR (`n`=5 AND (`tag`>_utf8mb4 x'78'))) "
                               "ORDER BY `n`,`tag` LIMIT 1 OFFSET 9");
}

Test(select, rows_between_two_bounds)
{
    g_autoptr(sample) sample = sample_new();
    struct column_text one = {.data = "1", .length = 1}, nine = {.data = "9", .length = 1};
    g_autoptr(bound) lower = bound_new(&one, 1);
    g_autoptr(bound) upper = bound_new(&nine, 1);
    g_autoptr(GString) both = g_string_new(NULL);
    g_autoptr(GString) first = g_string_new(NULL);
    g_autoptr(GString) last = g_string_new(NULL);
    select_rows_append(both, moved(sample, 0)->source, lower, upper);
    select_rows_append(first, moved(sample, 0)->source, NULL, upper);
    select_rows_append(last, moved(sample, 0)->source, lower, NULL);
#define HEAD "SELECT `id`,`v` FROM `shop`.`orders` FORCE INDEX (`PRIMARY`) WHERE "
    cr_expect_str_eq(both->str, HEAD "(`id`>1) AND (`id`<9 OR `id`=9)");
    cr_expect_str_eq(first->str, HEAD "(`id`<9 OR `id`=9)");
    cr_expect_str_eq(last->str, HEAD "(`id`>1)");
}

Test(select, generated_columns_are_not_read_and_json_is_guarded)
{
    g_autoptr(sample) sample = sample_new();
    column_made(moved(sample, 1)->source, "doc", "json");
    g_autoptr(GString) guard = g_string_new(NULL);
    cr_assert(column_guard_append(guard, table_column(moved(sample, 1)->source, 4)));
    g_autofree char *expected = g_strdup_printf(
        "SELECT `tag`,`n`,`note`,`doc`,%s FROM `shop`.`items` FORCE INDEX (`by_n`) WHERE TRUE",
        guard->str);
    g_autoptr(GString) sql = g_string_new(NULL);
    select_rows_append(sql, moved(sample, 1)->source, NULL, NULL);
    cr_expect_str_eq(sql->str, expected);
}

Test(select, load_statement)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(GString) plain = g_string_new(NULL);
    load_statement_append(plain, moved(sample, 1));
    cr_expect_str_eq(plain->str, "LOAD DATA LOCAL INFILE 'rows' IGNORE INTO TABLE "
                                 "`shop7`.`things` CHARACTER SET binary (`tag`,`n`,`note`)");
    column_made(moved(sample, 1)->source, "bits", "bit");
    column_made(moved(sample, 1)->source, "doc", "json");
    g_autoptr(GString) converted = g_string_new(NULL);
    load_statement_append(converted, moved(sample, 1));
    cr_expect_str_eq(converted->str,
                     "LOAD DATA LOCAL INFILE 'rows' IGNORE INTO TABLE `shop7`.`things` "
                     "CHARACTER SET binary (`tag`,`n`,`note`,@v4,@v5) SET "
                     "`bits` = CAST(@v4 AS UNSIGNED), `doc` = CONVERT(@v5 USING utf8mb4)");
}

Test(select, insert_statement)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(GString) head = g_string_new(NULL);
    g_autoptr(GString) tail = g_string_new(NULL);
    insert_head_append(head, moved(sample, 1));
    insert_tail_append(tail, moved(sample, 1));
    cr_expect_str_eq(head->str, "INSERT INTO `shop7`.`things` (`tag`,`n`,`note`) VALUES ");
    cr_expect_str_eq(tail->str, " ON DUPLICATE KEY UPDATE `n`=`n`");
    g_string_truncate(head, 0);
    g_string_truncate(tail, 0);
    moved(sample, 1)->source->unique_array = true;
    insert_head_append(head, moved(sample, 1));
    insert_tail_append(tail, moved(sample, 1));
    cr_expect_str_eq(head->str, "INSERT IGNORE INTO `shop7`.`things` (`tag`,`n`,`note`) VALUES ");
    cr_expect_str_eq(tail->str, "");
}
