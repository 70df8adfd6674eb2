#include <unistd.h>

#include "base/error.h"
#include "base/stop.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/index_builds.h"
#include "checkpoint/lease.h"
#include "checkpoint/outbox.h"
#include "cli/schema_text.h"
#include "cli/status_text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"

enum { WATCH_INTERVAL_MS = 1000 };

/* What every build can read, and the reason why it is no more. */
static char *
read_core(struct session *session, const struct schema_fit *fit, const char *problem, bool json,
          GError **error)
{
    g_autoptr(move_core) core = NULL;
    struct core_view view = {.move = session->config->move, .fit = fit, .problem = problem};
    if (!checkpoint_read_core(session->conn, session->config, &core, error) ||
        !session_target_clock(session, &view.now_us, error) ||
        !lease_is_held(session->conn, session->config, &view.runner_alive, error))
        return NULL;
    view.core = core;
    if (json)
        return core_to_json(&view);
    GString *text = g_string_new(NULL);
    core_text_append(text, &view);
    return g_string_free(text, FALSE);
}

/* One picture of the move, as text or JSON. */
static char *
read_whole(struct session *session, const struct schema_fit *fit, bool json, GError **error)
{
    g_autoptr(move_state) state = NULL;
    g_autoptr(GPtrArray) deliveries = NULL;
    g_autoptr(GPtrArray) index_builds = NULL;
    const struct config *config = session->config;
    struct status_view view = {.move = config->move,
                               .file = config->path,
                               .fit = fit,
                               .flag_file = config->cutover.flag_file,
                               .cutover_auto = config->cutover.mode == CUTOVER_AUTO};
    if (!checkpoint_read(session->conn, session->config, &state, error) ||
        !session_target_clock(session, &view.now_us, error))
        return NULL;
    if (state != NULL) {
        deliveries = outbox_list(session->conn, session->config, error);
        if (deliveries == NULL ||
            !lease_is_held(session->conn, session->config, &view.runner_alive, error))
            return NULL;
    }
    if (state != NULL && state->phase <= PHASE_READY) {
        index_builds = index_builds_list(session->conn, config, error);
        if (index_builds == NULL)
            return NULL;
    }
    view.state = state;
    view.index_builds = index_builds;
    view.deliveries = deliveries;
    if (json)
        return status_to_json(&view);
    GString *text = g_string_new(NULL);
    status_text_append(text, &view, output_has_colour(STDOUT_FILENO));
    return g_string_free(text, FALSE);
}

/* All of it, or of a checkpoint that this build does not know what every build can read, and then why
 * in *ret_problem. */
static char *
read_status(struct session *session, bool json, char **ret_problem, GError **error)
{
    struct schema_fit fit;
    if (!checkpoint_schema_fit(session->conn, session->config, &fit, error))
        return NULL;
    char *text = NULL;
    g_autoptr(GError) failure = NULL;
    g_autofree char *problem = g_strdup(fit.problem);
    if (problem == NULL)
        text = read_whole(session, &fit, json, &failure);
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_CHECKPOINT))
        problem = g_strdup(failure->message);
    else if (failure != NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    if (problem != NULL)
        text = read_core(session, &fit, problem, json, error);
    schema_fit_clear(&fit);
    *ret_problem = g_steal_pointer(&problem);
    return text;
}

bool
command_status(const struct arguments *arguments, GError **error)
{
    bool json = argument_given(arguments, OPTION_JSON);
    bool watch = argument_given(arguments, OPTION_WATCH);
    bool terminal = isatty(STDOUT_FILENO);
    g_autoptr(session) session = session_open(arguments->words[0], CONFIG_SECRETS_TARGET, error);
    if (session == NULL || !session_connect(session, "status", error))
        return false;
    do {
        g_autofree char *problem = NULL;
        g_autofree char *text = read_status(session, json, &problem, error);
        if (text == NULL)
            return false;
        /* Home, and clear to the end: no flicker, and nothing of the last picture stays. */
        if (watch && terminal && !json && !output_write("\033[H\033[J", error))
            return false;
        if (!output_write(text, error))
            return false;
        if (problem != NULL) {
            g_set_error_literal(error, MT_ERROR, MT_ERROR_CHECKPOINT, problem);
            return false;
        }
    } while (watch && !stop_wait_ms(WATCH_INTERVAL_MS));
    return true;
}
