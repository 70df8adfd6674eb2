#include "base/failpoint.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Arms from a setting; the test fails if it is refused. */
static void
arm(const char *setting)
{
    setenv("MOVE_TABLES_FAILPOINT", setting, 1);
    g_autoptr(GError) error = NULL;
    cr_assert(failpoint_arm_from_environment(&error), "%s", error == NULL ? "" : error->message);
}

static void
expect_refused(const char *setting, const char *word)
{
    setenv("MOVE_TABLES_FAILPOINT", setting, 1);
    g_autoptr(GError) error = NULL;
    cr_expect_not(failpoint_arm_from_environment(&error), "%s", setting);
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_USAGE));
    cr_expect_neq(strstr(error->message, word), NULL, "%s", error->message);
}

Test(failpoint, unset_and_empty_arm_nothing)
{
    unsetenv("MOVE_TABLES_FAILPOINT");
    cr_expect(failpoint_arm_from_environment(NULL));
    arm("");
    for (int point = 0; point < FAILPOINT_COUNT; point++)
        failpoint_reach((enum failpoint)point);
}

Test(failpoint, what_is_wrong_is_named)
{
    expect_refused("no-such-point", "no-such-point");
    expect_refused("batch", "\"batch\""); /* only whole names */
    expect_refused("batch-done-twice", "batch-done-twice");
    expect_refused("batch-done:0", "\"0\"");
    expect_refused("batch-done:", "not a count");
    expect_refused("batch-done:x", "\"x\"");
    expect_refused("batch-done:-1", "\"-1\"");
    expect_refused(":1", "no failpoint");
}

Test(failpoint, dies_at_once, .exit_code = 99)
{
    arm("batch-done");
    failpoint_reach(FAILPOINT_BATCH_DONE);
    exit(1);
}

Test(failpoint, dies_the_nth_time, .exit_code = 99)
{
    arm("batch-done:3");
    failpoint_reach(FAILPOINT_BATCH_DONE);
    failpoint_reach(FAILPOINT_BATCH_DONE);
    failpoint_reach(FAILPOINT_BATCH_DONE);
    exit(1);
}

Test(failpoint, not_before_and_not_elsewhere, .exit_code = 7)
{
    arm("batch-done:3");
    failpoint_reach(FAILPOINT_BATCH_DONE);
    failpoint_reach(FAILPOINT_BATCH_DELETES_DONE);
    failpoint_reach(FAILPOINT_RENAME_DONE);
    failpoint_reach(FAILPOINT_BATCH_DONE);
    _Exit(7);
}

Test(failpoint, every_point_has_a_name_of_its_own_and_a_meaning)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (int point = 0; point < FAILPOINT_COUNT; point++) {
        const char *name = failpoint_name((enum failpoint)point);
        cr_assert_neq(name, NULL);
        cr_expect(g_hash_table_add(seen, (gpointer)(guintptr)name), "%s twice", name);
        cr_expect_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name), "%s", name);
        cr_expect_gt(strlen(failpoint_description((enum failpoint)point)), 10);
    }
}
