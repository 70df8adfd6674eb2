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

/* What the target's checkpoint says before anything is checked. */
struct found_checkpoint {
    struct finding *schema;   /* NULL: nothing to tell of it */
    struct move_state *state; /* NULL: no such move, or not readable */
    bool readable;            /* false: whether the tables are renamed, say, is not known */
};

static void
found_checkpoint_clear(struct found_checkpoint *found)
{
    finding_free(found->schema);
    move_state_free(found->state);
}

/* With a checkpoint the target's tables may exist and hold rows. A user that may not read it is one
 * finding among the others; so is a schema that this build cannot read. */
static bool
read_checkpoint(struct session *session, struct found_checkpoint *found, GError **error)
{
    struct schema_fit fit;
    g_autoptr(GError) failure = NULL;
    found->readable = true;
    if (checkpoint_schema_fit(session->conn, session->config, &fit, &failure)) {
        found->schema = schema_finding(&fit);
        found->readable = fit.problem == NULL;
        schema_fit_clear(&fit);
        if (!found->readable ||
            checkpoint_read(session->conn, session->config, &found->state, &failure))
            return true;
    }
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_PREFLIGHT))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* Everything that is wrong, or might be. */
static GPtrArray *
find_all(struct session *session, const struct preflight_connections *conns,
         struct found_checkpoint *found, GError **error)
{
    const struct preflight_options options = {.resuming = found->state != NULL};
    GPtrArray *findings = found->readable && checkpoint_wants_preflight(found->state)
                              ? preflight_run(session->config, conns, &options, error)
                              : g_ptr_array_new_with_free_func(free_finding);
    if (findings != NULL && found->schema != NULL)
        g_ptr_array_add(findings, g_steal_pointer(&found->schema));
    if (findings != NULL && found->state != NULL)
        g_ptr_array_add(findings, checkpoint_finding(session->config, found->state));
    return findings;
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
    struct found_checkpoint found = {0};
    if (!read_checkpoint(session, &found, error))
        return NULL;
    const struct preflight_connections conns = {.source_primary = source,
                                                .reader = reader != NULL ? reader : source,
                                                .target = session->conn};
    GPtrArray *findings = find_all(session, &conns, &found, error);
    found_checkpoint_clear(&found);
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
