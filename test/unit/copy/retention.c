#include "copy/retention.h"

#include <criterion/criterion.h>

Test(retention, how_much_of_the_time_has_passed)
{
    cr_expect_eq(retention_fifths(0, 3600), 0);
    cr_expect_eq(retention_fifths(719 * 1000, 3600), 0);
    cr_expect_eq(retention_fifths(720 * 1000, 3600), 1);
    cr_expect_eq(retention_fifths(3600 * 1000, 3600), 5);
    cr_expect_eq(retention_fifths(INT64_C(7200) * 1000, 3600), 10);
}

Test(retention, not_purged_or_not_known_is_no_danger)
{
    cr_expect_eq(retention_fifths(INT64_C(99999) * 1000, 0), 0);
    cr_expect_eq(retention_fifths(-1, 3600), 0);
}

Test(retention, huge_lag_does_not_overflow)
{
    cr_expect_eq(retention_fifths(INT64_MAX, 1), 1000);
}
