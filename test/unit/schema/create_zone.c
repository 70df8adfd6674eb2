#include <criterion/criterion.h>

#include "schema/create_text_int.h"

static void
free_column(void *column)
{
    column_free(column);
}

/* A table whose column `ts` is a TIMESTAMP. */
static void
expect_found(const char *create_sql, const char *expected)
{
    g_autoptr(table) table = g_new0(struct table, 1);
    table->columns = g_ptr_array_new_with_free_func(free_column);
    struct column *column = g_new0(struct column, 1);
    column->name = g_strdup("ts");
    column->type = COLUMN_TIMESTAMP;
    g_ptr_array_add(table->columns, column);
    table->create_sql = g_strdup(create_sql);
    g_autofree char *found = create_statement_zone_dependent(table);
    cr_expect_str_eq(found != NULL ? found : "nothing", expected, "%s: %s", create_sql, found);
}

#define TABLE(rest) \
    "CREATE TABLE `t` (\n `ts` timestamp NULL DEFAULT NULL,\n " rest "\n) ENGINE=InnoDB"

Test(create_zone, stored_columns)
{
    expect_found(TABLE("`d` date GENERATED ALWAYS AS (cast(`ts` as date)) STORED"),
                 "generated column `d`");
    expect_found(TABLE("`v` date GENERATED ALWAYS AS (cast(`ts` as date)) VIRTUAL,\n"
                       " `s` int GENERATED ALWAYS AS (year(`v`)) STORED"),
                 "generated column `s`");
    expect_found(TABLE("`v` date GENERATED ALWAYS AS (cast(`ts` as date)) VIRTUAL"), "nothing");
    expect_found(TABLE("`a` int GENERATED ALWAYS AS ((`ts` is not null)) STORED,\n `b` int "
                       "GENERATED ALWAYS AS (if((`ts` is null),1,NULL)) STORED"),
                 "nothing");
}

Test(create_zone, indexes)
{
    expect_found(TABLE("KEY `k` (`ts`),\n PRIMARY KEY (`id`,`ts`)"), "nothing");
    expect_found(TABLE("UNIQUE KEY `u` ((cast(`ts` as date)))"), "index `u`");
    expect_found(TABLE("UNIQUE KEY `u` (`a`,(if((`ts` is null),1,NULL)))"), "nothing");
    expect_found(
        TABLE("`v` date GENERATED ALWAYS AS (cast(`ts` as date)) VIRTUAL,\n KEY `k` (`v`)"),
        "index `k`");
    expect_found(TABLE("CONSTRAINT `c` CHECK ((`ts` > _latin1'2020-01-01'))"), "nothing");
}
