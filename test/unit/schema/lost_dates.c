#include <string.h>

#include <criterion/criterion.h>

#include "schema/lost_dates.h"

static void
free_column(void *column)
{
    column_free(column);
}

static struct table *
table_of(const char *partitions)
{
    struct table *table = g_new0(struct table, 1);
    table->columns = g_ptr_array_new_with_free_func(free_column);
    for (unsigned i = 0; i < 2; i++) {
        struct column *column = g_new0(struct column, 1);
        column->name = g_strdup(i == 0 ? "d" : "n");
        column->type = i == 0 ? COLUMN_DATE : COLUMN_INT;
        g_ptr_array_add(table->columns, column);
    }
    table->create_sql = g_strdup_printf(
        "CREATE TABLE `t` (\n `d` date NOT NULL DEFAULT 'to_days(`d`)',\n "
        "`n` int DEFAULT (to_days(`d`))\n) ENGINE=InnoDB\n/*!50100 %s */",
        partitions);
    lost_dates_mark(table);
    return table;
}

static bool
is_marked(const char *partitions)
{
    g_autoptr(table) table = table_of(partitions);
    cr_expect_not(table_column(table, 1)->partition_days, "%s", partitions);
    return table_column(table, 0)->partition_days;
}

Test(lost_dates, marked)
{
    cr_expect(is_marked("PARTITION BY RANGE (to_days(`d`)) (PARTITION p0 VALUES LESS THAN (1))"));
    cr_expect(is_marked(
        "PARTITION BY HASH (`n`) SUBPARTITION BY HASH ((to_seconds(`d`) DIV 9)) PARTITIONS 2"));
    cr_expect(is_marked("PARTITION BY LINEAR HASH (weekday(`d`)) PARTITIONS 2"));
    cr_expect_not(is_marked("PARTITION BY RANGE (year(`d`)) (PARTITION p0 VALUES LESS THAN (1))"));
    cr_expect_not(is_marked(
        "PARTITION BY RANGE COLUMNS(`d`) (PARTITION p0 VALUES LESS THAN ('2020-01-01'))"));
    cr_expect_not(is_marked("PARTITION BY KEY (`d`) PARTITIONS 2"));
    cr_expect_not(is_marked(""));
}

static bool
holds(const char *text)
{
    const struct column column = {.type = COLUMN_DATETIME, .partition_days = true};
    return lost_dates_holds(&column, (struct column_text){.data = text, .length = strlen(text)});
}

Test(lost_dates, values)
{
    const struct column other = {.type = COLUMN_DATE};
    cr_expect(holds("2020-02-31"));
    cr_expect(holds("2021-02-29 12:00:00.000000"));
    cr_expect(holds("2000-04-31 00:00:00"));
    cr_expect_not(holds("2020-02-29"));
    cr_expect_not(holds("2020-12-31 23:59:59"));
    cr_expect_not(holds("2020-00-31"));
    cr_expect_not(holds("0000-00-00"));
    cr_expect_not(
        lost_dates_holds(&other, (struct column_text){.data = "2020-02-31", .length = 10}));
    cr_expect_not(
        lost_dates_holds(&(struct column){.partition_days = true}, (struct column_text){0}));
}

Test(lost_dates, select)
{
    g_autoptr(table)
        table = table_of("PARTITION BY RANGE (to_days(`d`)) (PARTITION p0 VALUES LESS THAN (1))");
    g_autoptr(table) other = table_of("");
    g_autoptr(GString) sql = g_string_new(NULL);
    table->schema = g_strdup("s");
    table->name = g_strdup("t");
    cr_expect_not(lost_dates_select_append(sql, other));
    cr_expect_eq(sql->len, 0);
    cr_expect(lost_dates_select_append(sql, table));
    cr_expect_str_eq(sql->str, "1 FROM `s`.`t` WHERE (MONTH(`d`) > 0 AND DAYOFMONTH(`d`) > "
                               "DAYOFMONTH(LAST_DAY(CONCAT(LEFT(`d`, 7), '-01')))) LIMIT 1");
}
