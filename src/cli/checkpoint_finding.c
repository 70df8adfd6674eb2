#include "cli/checkpoint_finding.h"

bool
checkpoint_wants_preflight(const struct move_state *state)
{
    return state == NULL || state->phase < PHASE_FENCING;
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
