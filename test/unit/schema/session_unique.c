#include <criterion/criterion.h>

#include "schema/create_text_int.h"

static struct column columns[] = {
    {.name = (char[]){"i"}, .type = COLUMN_INT},
    {.name = (char[]){"v"}, .type = COLUMN_VARCHAR},
    {.name = (char[]){"c"}, .type = COLUMN_CHAR},
    {.name = (char[]){"d"}, .type = COLUMN_DATETIME},
    {.name = (char[]){"j"}, .type = COLUMN_JSON},
    {.name = (char[]){"a`b"}, .type = COLUMN_DATETIME, .generated = true},
    {.name = (char[]){"g"}, .type = COLUMN_DATE, .generated = true},
    {.name = (char[]){"f"}, .type = COLUMN_INT, .generated = true, .session_free = true},
};

static void
expect_found(const char *lines, const char *expected)
{
    struct table table = {.columns = g_ptr_array_new()};
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        g_ptr_array_add(table.columns, &columns[i]);
    table.create_sql = g_strdup_printf(
        "CREATE TABLE `UNIQUE` (\n  `i` int NOT NULL,\n"
        "  `g` date GENERATED ALWAYS AS (cast(`d` as date)) VIRTUAL,\n"
        "  %s\n) ENGINE=InnoDB COMMENT='UNIQUE KEY `x` (`g`)'",
        lines);
    g_autofree char *found = create_statement_session_unique(&table);
    cr_expect_str_eq(found != NULL ? found : "nothing", expected, "%s: %s", lines, found);
    g_free(table.create_sql);
    g_ptr_array_unref(table.columns);
}

Test(session_unique, what_depends)
{
    expect_found("PRIMARY KEY (`i`,`g`)", "PRIMARY");
    expect_found("PRIMARY KEY (`i`),\n  UNIQUE KEY `u` (`g`)", "u");
    expect_found("UNIQUE KEY `u` (`i`,`v`(10),`a``b` DESC)", "u");
    expect_found("UNIQUE KEY `u``v` ((cast(`d` as date)))", "u`v");
    expect_found("UNIQUE KEY `u` (`i`,((`i` / 7)))", "u");
    expect_found("UNIQUE KEY `u` ((char_length(`c`)))", "u");
    expect_found("UNIQUE KEY `fine` (`i`),\n  UNIQUE KEY `u` ((`g` is null))", "u");
    expect_found("UNIQUE KEY `u` ((cast(json_extract(`j`,_utf8mb4'$.a') as date array)))", "u");
}

Test(session_unique, what_does_not)
{
    expect_found("PRIMARY KEY (`i`),\n  KEY `k` (`g`),\n  KEY `e` ((cast(`d` as date)))",
                 "nothing");
    expect_found("PRIMARY KEY (`c`,`d`),\n  UNIQUE KEY `u` (`v`(10) DESC)", "nothing");
    expect_found("UNIQUE KEY `u` (`f`) USING BTREE COMMENT 'date(`g`)' /*!80000 INVISIBLE */",
                 "nothing");
    expect_found("UNIQUE KEY `u` ((lower(`v`)),(if((`d` is null),`i`,NULL)))", "nothing");
    expect_found("UNIQUE KEY `u` ((cast(`v` as char(10) charset latin1)))", "nothing");
    expect_found("UNIQUE KEY `u` ((cast(json_extract(`j`,_utf8mb4'$.a') as unsigned array)))",
                 "nothing");
    expect_found("CONSTRAINT `c` CHECK ((`g` > _utf8mb4'2020-01-01'))", "nothing");
}

static bool
found_array(const char *lines)
{
    g_autofree char *sql = g_strdup_printf("CREATE TABLE `array` (\n  `j` json,\n  %s\n)", lines);
    struct table table = {.columns = g_ptr_array_new(), .create_sql = sql};
    bool found = create_statement_unique_array(&table);
    g_ptr_array_unref(table.columns);
    return found;
}

Test(session_unique, arrays)
{
    cr_expect(found_array("UNIQUE KEY `u` ((cast(`j` as unsigned array)))"));
    cr_expect(found_array("PRIMARY KEY (`i`),\n  UNIQUE KEY `v` (`i`),\n  UNIQUE KEY `u` "
                          "(`i`,(cast(json_extract(`j`,_utf8mb4'$.a') as char(9) array)))"));
    cr_expect_not(found_array("PRIMARY KEY (`i`),\n  KEY `u` ((cast(`j` as unsigned array)))"));
    cr_expect_not(found_array("UNIQUE KEY `array` (`array`),\n  UNIQUE KEY `u` ((`array` + 1))"));
    cr_expect_not(found_array("UNIQUE KEY `u` ((concat(`v`,_utf8mb4' as array')))"));
    cr_expect_not(found_array("UNIQUE KEY `u` (`i`),\n  KEY `a` ((cast(`j` as date array)))"));
}
