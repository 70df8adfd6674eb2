#include "base/failpoint.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

Test(failpoint, an_unknown_action_is_named)
{
    setenv("MOVE_TABLES_FAILPOINT_ACTION", "explode", 1);
    expect_refused("batch-done", "\"explode\"");
}

Test(failpoint, stops_there_and_goes_on_when_continued)
{
    setenv("MOVE_TABLES_FAILPOINT_ACTION", "stop", 1);
    arm("batch-done");
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        failpoint_reach(FAILPOINT_BATCH_DONE);
        _Exit(7);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, WUNTRACED), child);
    cr_expect(WIFSTOPPED(status));
    cr_assert_eq(kill(child, SIGCONT), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7);
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

Test(failpoint, trace_names_what_is_reached)
{
    g_autofree char *path = g_strdup_printf("/tmp/failpoint-trace-%d", (int)getpid());
    setenv("MOVE_TABLES_FAILPOINT_TRACE", path, 1);
    arm("");
    failpoint_reach(FAILPOINT_BATCH_DONE);
    failpoint_reach(FAILPOINT_NONE);
    failpoint_reach(FAILPOINT_RENAME_SENT);
    g_autofree char *text = NULL;
    cr_assert(g_file_get_contents(path, &text, NULL, NULL));
    (void)unlink(path);
    cr_expect_str_eq(text, "batch-done\nrename-sent\n");
}

Test(failpoint, a_trace_that_cannot_be_written_is_refused)
{
    setenv("MOVE_TABLES_FAILPOINT_TRACE", "/nowhere/at/all", 1);
    expect_refused("", "/nowhere/at/all");
}

Test(failpoint, none_is_never_reached)
{
    arm("batch-done:1");
    failpoint_reach(FAILPOINT_NONE);
}
