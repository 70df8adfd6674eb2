#include <criterion/criterion.h>

#include "schema/preflight_int.h"

Test(preflight_facts, version_older)
{
    cr_expect(server_version_older("8.0.36", "8.4.0"));
    cr_expect(server_version_older("8.4.9", "8.4.10"));
    cr_expect(server_version_older("8.4.10-log", "9.7.4-2"));
    cr_expect_not(server_version_older("9.7.4-2", "9.7.4-1ubuntu"));
    cr_expect_not(server_version_older("9.7.4", "9.7.4-commercial"));
    cr_expect_not(server_version_older("10.0.0", "9.7.4"));
    cr_expect_not(server_version_older("9.7.4", "9.7"));
    cr_expect_not(server_version_older("", ""));
}
