#include <criterion/criterion.h>

#include <string.h>

#include "cli/checkpoint_finding.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct config *
load(void)
{
    g_autoptr(GError) error = NULL;
    struct config *config = config_load("test/data/config/least.yaml", &error);
    cr_assert(config != NULL, "%s", error != NULL ? error->message : "");
    return config;
}

static void
expect(const struct config *config, const struct move_state *state, enum finding_level level,
       const char *part)
{
    struct finding *finding = checkpoint_finding(config, state);
    cr_expect_eq(finding->level, level);
    cr_expect_str_eq(finding->subject, "checkpoint");
    cr_expect(strstr(finding->message, part) != NULL, "no '%s' in: %s", part, finding->message);
    cr_expect_eq(finding->cure != NULL, level == FINDING_ERROR);
    finding_free(finding);
}

Test(checkpoint_finding, says_where_it_goes_on)
{
    g_autoptr(config) config = load();
    g_autofree char *identity = config_identity_json(config);
    struct move_state state = {.phase = PHASE_COPYING, .config = identity};
    expect(config, &state, FINDING_OK, "goes on from phase copying");
    state.phase = PHASE_DRAINING;
    expect(config, &state, FINDING_OK, "goes on from phase draining; the tables may be renamed");
    state.phase = PHASE_COMPLETED;
    expect(config, &state, FINDING_OK, "completed");
}

Test(checkpoint_finding, other_tables_are_an_error_that_names_both)
{
    g_autoptr(config) config = load();
    g_autofree char *identity = config_identity_json(config);
    struct move_state state = {.phase = PHASE_COPYING, .config = TEXT("{\"tables\":[\"other\"]}")};
    expect(config, &state, FINDING_ERROR, "{\"tables\":[\"other\"]}");
    expect(config, &state, FINDING_ERROR, identity);
}

Test(checkpoint_finding, renamed_tables_are_not_checked_as_a_beginning)
{
    struct move_state state = {.phase = PHASE_READY};
    cr_expect(checkpoint_wants_preflight(NULL));
    cr_expect(checkpoint_wants_preflight(&state));
    state.phase = PHASE_FENCING;
    cr_expect_not(checkpoint_wants_preflight(&state));
}
