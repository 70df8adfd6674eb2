#include <criterion/criterion.h>

#include "checkpoint/lease.h"
#include "checkpoint/sql_int.h"

static const struct config config = {
    .move = (char *)"it's",
    .checkpoint = {.database = (char *)"move`tables"},
};

Test(sql, templates_are_quoted)
{
    g_autofree char *sql = sql_of(&config, "SELECT {db}.`move`, {db_text}, {move}, '{\"a\": 1}' {");
    cr_expect_str_eq(sql, "SELECT `move``tables`.`move`, 'move`tables', 'it\\'s', '{\"a\": 1}' {");
}

Test(sql, times_are_read_back)
{
    const int64_t times[] = {1, 999999, 1000000, 1795000000123456, 1795000000000007};
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        g_autoptr(GString) sql = g_string_new(NULL);
        sql_add_time(sql, times[i]);
        cr_assert_eq(sql->str[0], '\'');
        cr_expect_eq(sql_parse_time(sql->str + 1), times[i]);
    }
    g_autoptr(GString) none = g_string_new(NULL);
    sql_add_time(none, 0);
    cr_expect_str_eq(none->str, "NULL");
}

Test(sql, a_time_is_utc_with_any_fraction)
{
    cr_expect_eq(sql_parse_time("2026-11-20 12:00:00.123456"), 1795176000123456);
    cr_expect_eq(sql_parse_time("2026-11-20 12:00:00.5"), 1795176000500000);
    cr_expect_eq(sql_parse_time("2026-11-20 12:00:00"), 1795176000000000);
    cr_expect_eq(sql_parse_time(NULL), 0);
    cr_expect_eq(sql_parse_time("soon"), 0);
}

Test(lease, lock_names_fit_and_differ)
{
    g_autofree char *plain = lease_lock_name("move_tables", "orders");
    cr_expect_str_eq(plain, "move-tables:move_tables:orders");
    g_autofree char *other = lease_lock_name("move_tables_2", "orders");
    cr_expect_str_neq(plain, other);

    /* 64 characters are the server's limit: two long names must not become one. */
    g_autofree char *long_a = lease_lock_name(
        "move_tables", "a-name-that-is-much-too-long-for-the-limit-of-get-lock-a");
    g_autofree char *long_b = lease_lock_name(
        "move_tables", "a-name-that-is-much-too-long-for-the-limit-of-get-lock-b");
    cr_expect_leq(strlen(long_a), 64);
    cr_expect_str_neq(long_a, long_b);
}
