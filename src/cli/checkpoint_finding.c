#include "cli/checkpoint_finding.h"

#include "checkpoint/migrations.h"

bool
checkpoint_wants_preflight(const struct move_state *state)
{
    return state == NULL || state->phase < PHASE_FENCING;
}

struct finding *
schema_finding(const struct schema_fit *fit)
{
    if (fit->problem == NULL && fit->missing == 0 && fit->unknown->len == 0)
        return NULL;
    struct finding *finding = g_new0(struct finding, 1);
    finding->subject = g_strdup("checkpoint schema");
    if (fit->problem != NULL) {
        /* One that a run would upgrade is only not read before that. */
        finding->level = fit->missing > 0 ? FINDING_WARNING : FINDING_ERROR;
        finding->message = g_strdup(fit->problem);
    } else if (fit->missing > 0) {
        finding->level = FINDING_OK;
        finding->message = g_strdup_printf("of an older build; `run` brings it to number %u",
                                           checkpoint_schema_number());
    } else {
        const struct applied_migration *first = g_ptr_array_index(fit->unknown, 0);
        finding->level = FINDING_WARNING;
        finding->message = g_strdup_printf(
            "of a newer build, in a way that this one may ignore: %u migration%s from number %u "
            "'%s' on, applied by %s; `run --strict-checkpoint` would refuse",
            fit->unknown->len, fit->unknown->len == 1 ? "" : "s", first->id, first->name,
            first->applied_by);
    }
    return finding;
}

static char *
going_on(const struct move_state *state)
{
    const char *phase = phase_name(state->phase);
    if (state->phase == PHASE_COMPLETED)
        return g_strdup("the move is completed: `run` does nothing any more");
    if (!checkpoint_wants_preflight(state))
        return g_strdup_printf("goes on from phase %s; the tables may be renamed, so they are not "
                               "checked as at the beginning",
                               phase);
    return g_strdup_printf("goes on from phase %s", phase);
}

struct finding *
checkpoint_finding(const struct config *config, const struct move_state *state)
{
    struct finding *finding = g_new0(struct finding, 1);
    g_autofree char *identity = config_identity_json(config);
    finding->subject = g_strdup("checkpoint");
    if (g_strcmp0(identity, state->config) == 0) {
        finding->level = FINDING_OK;
        finding->message = going_on(state);
        return finding;
    }
    finding->level = FINDING_ERROR;
    finding->message = g_strdup_printf("move \"%s\" is in phase %s with other tables\n"
                                       "the checkpoint: %s\n"
                                       "this file:      %s",
                                       config->move, phase_name(state->phase), state->config,
                                       identity);
    finding->cure = g_strdup("use the file that the move began with, or give this move another "
                             "name (`move:`)");
    return finding;
}
