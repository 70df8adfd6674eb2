#include <criterion/criterion.h>

#include <string.h>

#include "checkpoint/migrations.h"
#include "cli/checkpoint_finding.h"
#include "cli/schema_text.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct schema_fit
fit_with(bool compatible)
{
    struct schema_fit fit = {
        .unknown = g_ptr_array_new_with_free_func((GDestroyNotify)applied_migration_free)};
    struct applied_migration *row = g_new0(struct applied_migration, 1);
    row->id = 7;
    row->name = g_strdup("later");
    row->backward_compatible = compatible;
    row->finished = true;
    row->applied_at = g_strdup("2027-01-01 00:00:00.000000");
    row->applied_by = g_strdup("move-tables 9.9 (abcdef)");
    g_ptr_array_add(fit.unknown, row);
    if (!compatible)
        fit.problem = g_strdup("cannot be read");
    return fit;
}

static void
expect_part(const char *text, const char *part)
{
    cr_expect(strstr(text, part) != NULL, "no '%s' in: %s", part, text);
}

Test(schema_text, a_schema_of_this_build_needs_no_words)
{
    struct schema_fit fit = {.unknown = g_ptr_array_new()};
    g_autoptr(GString) text = g_string_new(NULL);
    schema_text_append(text, &fit);
    cr_expect_str_eq(text->str, "");
    cr_expect_null(schema_finding(&fit));
    schema_fit_clear(&fit);
}

Test(schema_text, what_a_newer_build_added_is_named)
{
    struct schema_fit fit = fit_with(true);
    g_autoptr(GString) text = g_string_new(NULL);
    schema_text_append(text, &fit);
    expect_part(text->str, "migration 7 'later', applied by move-tables 9.9 (abcdef)");
    struct finding *finding = schema_finding(&fit);
    cr_assert_not_null(finding);
    cr_expect_eq(finding->level, FINDING_WARNING);
    expect_part(finding->message, "number 7 'later'");
    finding_free(finding);
    schema_fit_clear(&fit);
}

Test(schema_text, what_cannot_be_read_is_an_error_of_check)
{
    struct schema_fit fit = fit_with(false);
    struct finding *finding = schema_finding(&fit);
    cr_assert_not_null(finding);
    cr_expect_eq(finding->level, FINDING_ERROR);
    expect_part(finding->message, "cannot be read");
    finding_free(finding);
    schema_fit_clear(&fit);
}

Test(schema_text, an_older_one_is_upgraded)
{
    struct schema_fit fit = {.unknown = g_ptr_array_new(), .missing = 2};
    g_autoptr(GString) text = g_string_new(NULL);
    schema_text_append(text, &fit);
    expect_part(text->str, "of an older build");
    struct finding *finding = schema_finding(&fit);
    cr_expect_eq(finding->level, FINDING_OK);
    finding_free(finding);
    schema_fit_clear(&fit);
}

Test(schema_text, the_core_alone_is_shown_with_what_is_stored)
{
    struct schema_fit fit = fit_with(false);
    struct move_core core = {.phase = TEXT("reversing"), .build = TEXT("move-tables 9.9 (abcdef)")};
    struct core_view view = {
        .move = "orders", .core = &core, .fit = &fit, .problem = fit.problem, .now_us = 1};
    g_autoptr(GString) text = g_string_new(NULL);
    core_text_append(text, &view);
    expect_part(text->str, "reversing");
    expect_part(text->str, "none (last: nobody)");
    expect_part(text->str, "not shown:");
    g_autofree char *json = core_to_json(&view);
    expect_part(json, "\"phase\": \"reversing\"");
    expect_part(json, "\"problem\": \"cannot be read\"");
    expect_part(json, "\"backward_compatible\": false");
    /* Every column gone, and no move at all: said, not guessed. */
    view.core = NULL;
    g_string_set_size(text, 0);
    core_text_append(text, &view);
    expect_part(text->str, "not known");
    schema_fit_clear(&fit);
}
