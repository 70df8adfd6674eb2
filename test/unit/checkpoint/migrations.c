#include <criterion/criterion.h>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/migrations.h"

static const struct migration known[] = {
    {.id = 1, .name = "first release"},
    {.id = 2, .name = "more", .backward_compatible = true},
    {.id = 3, .name = "other meaning"},
};

static GPtrArray *
no_rows(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)applied_migration_free);
}

static void
add(GPtrArray *rows, unsigned id, const char *name, bool compatible, bool finished)
{
    struct applied_migration *row = g_new0(struct applied_migration, 1);
    row->id = id;
    row->name = g_strdup(name);
    row->backward_compatible = compatible;
    row->finished = finished;
    row->applied_at = g_strdup("2026-11-20 12:00:00.000000");
    row->applied_by = g_strdup("move-tables 9.9 (abcdef)");
    g_ptr_array_add(rows, row);
}

static unsigned
missing_id(const struct migration_plan *plan, guint i)
{
    return ((const struct migration *)g_ptr_array_index(plan->missing, i))->id;
}

Test(migrations, a_new_checkpoint_gets_all_even_when_strict)
{
    g_autoptr(GPtrArray) applied = no_rows();
    g_autoptr(GError) error = NULL;
    struct migration_plan plan;
    cr_assert(migration_plan_make(applied, known, 3, true, &plan, &error));
    cr_assert_eq(plan.missing->len, 3);
    cr_expect_eq(missing_id(&plan, 0), 1);
    cr_expect_eq(missing_id(&plan, 2), 3);
    migration_plan_clear(&plan);
}

Test(migrations, the_very_first_one_cut_off_is_still_a_new_checkpoint)
{
    g_autoptr(GPtrArray) applied = no_rows();
    add(applied, 1, "first release", false, false);
    g_autoptr(GError) error = NULL;
    struct migration_plan plan;
    cr_assert(migration_plan_make(applied, known, 3, true, &plan, &error));
    cr_expect_eq(plan.missing->len, 3);
    migration_plan_clear(&plan);
}

Test(migrations, what_is_missing_or_cut_off_is_applied)
{
    g_autoptr(GPtrArray) applied = no_rows();
    add(applied, 1, "first release", false, true);
    add(applied, 2, "more", true, false);
    g_autoptr(GError) error = NULL;
    struct migration_plan plan;
    cr_assert(migration_plan_make(applied, known, 3, false, &plan, &error));
    cr_assert_eq(plan.missing->len, 2);
    cr_expect_eq(missing_id(&plan, 0), 2);
    cr_expect_eq(missing_id(&plan, 1), 3);
    cr_expect_eq(plan.unknown->len, 0);
    migration_plan_clear(&plan);
}

Test(migrations, strict_refuses_an_older_checkpoint)
{
    g_autoptr(GPtrArray) applied = no_rows();
    add(applied, 1, "first release", false, true);
    g_autoptr(GError) error = NULL;
    struct migration_plan plan;
    cr_assert_not(migration_plan_make(applied, known, 2, true, &plan, &error));
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_CHECKPOINT));
    cr_expect(strstr(error->message, "'more'") != NULL, "%s", error->message);
}

Test(migrations, an_older_build_goes_on_with_compatible_ones)
{
    g_autoptr(GPtrArray) applied = no_rows();
    add(applied, 1, "first release", false, true);
    add(applied, 2, "more", true, true);
    g_autoptr(GError) error = NULL;
    struct migration_plan plan;
    cr_assert(migration_plan_make(applied, known, 1, false, &plan, &error));
    cr_expect_eq(plan.missing->len, 0);
    cr_expect_eq(plan.unknown->len, 1);
    migration_plan_clear(&plan);

    cr_assert_not(migration_plan_make(applied, known, 1, true, &plan, &error));
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_CHECKPOINT));
}

/* Finished or only begun: from its first step on the old meaning is gone. */
Test(migrations, an_older_build_refuses_breaking_ones)
{
    for (int finished = 0; finished <= 1; finished++) {
        g_autoptr(GPtrArray) applied = no_rows();
        add(applied, 1, "first release", false, true);
        add(applied, 2, "more", true, true);
        add(applied, 3, "other meaning", false, finished == 1);
        g_autoptr(GError) error = NULL;
        struct migration_plan plan;
        cr_assert_not(migration_plan_make(applied, known, 1, false, &plan, &error));
        cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_CHECKPOINT));
        cr_expect(strstr(error->message, "migration 3 'other meaning'") != NULL);
        cr_expect(strstr(error->message, "move-tables 9.9 (abcdef)") != NULL);
        cr_expect(strstr(error->message, "nothing was changed") != NULL);
    }
}

Test(migrations, one_number_with_two_names_is_refused)
{
    g_autoptr(GPtrArray) applied = no_rows();
    add(applied, 1, "first release", false, true);
    add(applied, 2, "somebody else's", true, true);
    g_autoptr(GError) error = NULL;
    struct migration_plan plan;
    cr_assert_not(migration_plan_make(applied, known, 3, false, &plan, &error));
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_CHECKPOINT));
}

Test(migrations, the_list_is_numbered_without_gaps)
{
    size_t count = 0;
    const struct migration *list = migrations_list(&count);
    cr_assert_gt(count, 0);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(list[i].id, i + 1);
        cr_expect_gt(list[i].steps_count, 0);
    }
    cr_expect_eq(checkpoint_schema_number(), list[count - 1].id);
}
