#include <unistd.h>

#include "base/error.h"
#include "cli/checkpoint_finding.h"
#include "cli/findings_text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "checkpoint/checkpoint.h"
#include "schema/preflight.h"

static bool
print_defaults(const char *path, GError **error)
{
    g_autoptr(config) config = config_load_for(path, CONFIG_SECRETS_NONE, error);
    if (config == NULL)
        return false;
    g_autofree char *yaml = config_to_yaml(config);
    return output_write(yaml, error);
}

static void
free_finding(void *finding)
{
    finding_free(finding);
}

/* Connects to all servers and runs the checks: struct finding. */
static GPtrArray *
find(struct session *session, GError **error)
{
    g_autoptr(conn) source = conn_open(&session->source, "check source", error);
    if (source == NULL)
        return NULL;
    g_autoptr(conn) reader = NULL;
    if (session->config->has_read_from) {
        reader = conn_open(&session->reader, "check read_from", error);
        if (reader == NULL)
            return NULL;
    }
    if (!session_connect(session, "check target", error))
        return NULL;
    /* With a checkpoint the target's tables may exist and hold rows. A user that may not read it
     * is one finding among the others. */
    g_autoptr(move_state) state = NULL;
    g_autoptr(GError) failure = NULL;
    if (!checkpoint_read(session->conn, session->config, &state, &failure) &&
        !g_error_matches(failure, MT_ERROR, MT_ERROR_PREFLIGHT)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    const struct preflight_connections conns = {.source_primary = source,
                                                .reader = reader != NULL ? reader : source,
                                                .target = session->conn};
    const struct preflight_options options = {.resuming = state != NULL};
    GPtrArray *findings = checkpoint_wants_preflight(state)
                              ? preflight_run(session->config, &conns, &options, error)
                              : g_ptr_array_new_with_free_func(free_finding);
    if (findings != NULL && state != NULL)
        g_ptr_array_add(findings, checkpoint_finding(session->config, state));
    return findings;
}

static unsigned
count_errors(const GPtrArray *findings)
{
    unsigned errors = 0;
    for (unsigned i = 0; i < findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(findings, i);
        errors += finding->level == FINDING_ERROR;
    }
    return errors;
}

bool
command_check(const struct arguments *arguments, GError **error)
{
    const char *path = arguments->words[0];
    if (argument_given(arguments, OPTION_DEFAULTS))
        return print_defaults(path, error);
    g_autoptr(session) session = session_open(path, CONFIG_SECRETS_ALL, error);
    if (session == NULL)
        return false;
    g_autoptr(GPtrArray) findings = find(session, error);
    if (findings == NULL)
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    if (argument_given(arguments, OPTION_JSON)) {
        g_autofree char *json = findings_to_json(findings);
        g_string_append(text, json);
    } else {
        findings_text_append(text, findings, output_has_colour(STDOUT_FILENO));
    }
    if (!output_write(text->str, error))
        return false;
    if (preflight_passed(findings))
        return true;
    unsigned errors = count_errors(findings);
    g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT, "%u check%s failed; nothing was changed",
                errors, errors == 1 ? "" : "s");
    return false;
}
