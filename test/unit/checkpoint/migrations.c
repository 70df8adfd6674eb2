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
        const char *verb = finished == 1 ? "applied by" : "begun by";
        cr_expect(strstr(error->message, verb) != NULL, "%s", error->message);
    }
}

/* What this build would misread is told apart from what it only finds empty. */
Test(migrations, a_missing_change_of_meaning_is_pointed_out)
{
    for (int finished = 0; finished <= 1; finished++) {
        g_autoptr(GPtrArray) applied = no_rows();
        add(applied, 1, "first release", false, true);
        add(applied, 2, "more", true, finished == 1);
        g_autoptr(GError) error = NULL;
        struct migration_plan plan;
        cr_assert(migration_plan_make(applied, known, 2, false, &plan, &error));
        cr_expect_null(plan.changing);
        migration_plan_clear(&plan);
        add(applied, 3, "other meaning", false, false);
        cr_assert(migration_plan_make(applied, known, 3, false, &plan, &error));
        cr_assert_not_null(plan.changing);
        cr_expect_eq(plan.changing->id, 3);
        migration_plan_clear(&plan);
    }
    /* In a new checkpoint there is nothing to misread. */
    g_autoptr(GPtrArray) none = no_rows();
    struct migration_plan plan;
    g_autoptr(GError) error = NULL;
    cr_assert(migration_plan_make(none, known, 3, false, &plan, &error));
    cr_expect_null(plan.changing);
    migration_plan_clear(&plan);
}

/* Releases are one line: who has the later one had the earlier one, too. */
Test(migrations, a_gap_below_an_unknown_one_is_refused)
{
    g_autoptr(GPtrArray) applied = no_rows();
    add(applied, 1, "first release", false, true);
    add(applied, 4, "of another line", true, true);
    g_autoptr(GError) error = NULL;
    struct migration_plan plan;
    cr_assert_not(migration_plan_make(applied, known, 3, false, &plan, &error));
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_CHECKPOINT));
    cr_expect(strstr(error->message, "'of another line'") != NULL, "%s", error->message);
    cr_expect(strstr(error->message, "lacks migration 2 'more'") != NULL, "%s", error->message);
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

/* --- what is released stays as it is ------------------------------------------------------- */

static void
add_part(GChecksum *checksum, const char *part)
{
    g_checksum_update(checksum, (const guchar *)(part != NULL ? part : "(none)"), -1);
    g_checksum_update(checksum, (const guchar *)"", 1);
}

static char *
digest_of(const struct migration *migration)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    add_part(checksum, migration->name);
    add_part(checksum, migration->backward_compatible ? "compatible" : "breaking");
    for (size_t i = 0; i < migration->steps_count; i++) {
        add_part(checksum, migration->steps[i].sql);
        add_part(checksum, migration->steps[i].done);
    }
    return g_strdup(g_checksum_get_string(checksum));
}

/*
 * Never edit a released migration: checkpoints that have it do not get the edit, and are then of no
 * schema that any build knows. When this test fails, undo the edit and append a migration. A new
 * migration gets its line here with the release that brings it.
 */
Test(migrations, a_released_one_is_never_edited)
{
    static const char *const released[] = {
        "446fbb77489331564455855fe08212fa12864b3659757d17d5c55170dd20eb3e",
    };
    size_t count = 0;
    const struct migration *list = migrations_list(&count);
    cr_assert_geq(count, G_N_ELEMENTS(released));
    for (size_t i = 0; i < G_N_ELEMENTS(released); i++) {
        g_autofree char *digest = digest_of(&list[i]);
        cr_expect_str_eq(digest, released[i], "migration %u was edited: now %s", list[i].id,
                         digest);
    }
}

Test(migrations, the_table_that_records_them_is_never_edited)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256,
                                                            migrations_table_sql(), -1);
    cr_expect_str_eq(digest, "43a649c654fb833b899bf055876c1a16f6d311da32344a7faa62d596a8dfeb1e");
}

Test(migrations, a_move_that_requires_something_unknown_is_refused)
{
    struct move_state state = {.move = (char *)"orders",
                               .requires = (char *)"",
                               .build = (char *)"move-tables 9.9 (abcdef)"};
    g_autoptr(GError) error = NULL;
    cr_expect(checkpoint_understands(&state, &error));
    state.
        requires
    = (char *)"deferred_indexes";
    cr_assert_not(checkpoint_understands(&state, &error));
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_CHECKPOINT));
    cr_expect(strstr(error->message, "deferred_indexes") != NULL, "%s", error->message);
    cr_expect(strstr(error->message, "move-tables 9.9 (abcdef)") != NULL, "%s", error->message);
}
