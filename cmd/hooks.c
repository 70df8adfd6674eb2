/* hooks FILE, and hooks FILE resolve ID delivered|resend. */
#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/command.h"
#include "checkpoint/outbox.h"
#include "checkpoint/resolve.h"
#include "cli/status_text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"

/* A living runner looks for commands several times a second; what is decided stands anyway. */
enum { WAIT_MS = 15 * 1000 };

/* --- the list ------------------------------------------------------------------------------- */

static bool
list(struct session *session, bool json, GError **error)
{
    g_autoptr(move_state) state = NULL;
    struct deliveries_view view = {.file = session->config->path};
    if (!checkpoint_read(session->conn, session->config, &state, error) ||
        !session_target_clock(session, &view.now_us, error) ||
        !lease_is_held(session->conn, session->config, &view.runner_alive, error))
        return false;
    g_autoptr(GPtrArray) deliveries = state == NULL
                                          ? g_ptr_array_new()
                                          : outbox_list(session->conn, session->config, error);
    if (deliveries == NULL)
        return false;
    view.deliveries = deliveries;
    if (json) {
        g_autofree char *text = deliveries_to_json(&view);
        return output_write(text, error);
    }
    g_autoptr(GString) text = g_string_new(NULL);
    if (state == NULL)
        g_string_append_printf(text, "there is no move \"%s\" in `%s` on the target\n",
                               session->config->move, session->config->checkpoint.database);
    else if (deliveries->len == 0)
        g_string_append(text, "no event was decided yet that a hook is told of\n");
    deliveries_text_append(text, &view);
    return output_write(text->str, error);
}

/* --- resolve -------------------------------------------------------------------------------- */

#define USAGE "usage: move-tables hooks FILE resolve ID delivered|resend [--endpoint URL]"

static bool
read_request(const struct arguments *arguments, struct resolve_request *ret_request, GError **error)
{
    static const char *const decisions[] = {"delivered", "resend"};
    static const char *const verbs[] = {"resolve"};
    const char *const *words = arguments->words;
    const char *near = NULL;
    if (strcmp(words[1], verbs[0]) != 0) {
        near = nearest_word(words[1], verbs, G_N_ELEMENTS(verbs));
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "hooks: unknown word \"%s\"%s " USAGE,
                    words[1], near != NULL ? "; is \"resolve\" meant?" : ";");
        return false;
    }
    if (arguments->word_count < 4) {
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "hooks: %s is missing; " USAGE,
                    arguments->word_count < 3 ? "the event's ID" : "delivered or resend");
        return false;
    }
    if (!resolution_parse(words[3], &ret_request->resolution)) {
        near = nearest_word(words[3], decisions, G_N_ELEMENTS(decisions));
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                    "hooks: \"%s\" is not a decision%s%s%s must be delivered (it arrived: never "
                    "send it again) or resend (it did not arrive: send it)",
                    words[3], near != NULL ? "; is \"" : ";", near != NULL ? near : "",
                    near != NULL ? "\" meant?" : "");
        return false;
    }
    if (argument_given(arguments, OPTION_JSON)) {
        g_set_error_literal(error, MT_ERROR, MT_ERROR_USAGE,
                            "hooks: resolve has no --json; its exit code tells");
        return false;
    }
    ret_request->id = words[2];
    ret_request->endpoint = argument_text(arguments, OPTION_ENDPOINT, NULL);
    return true;
}

/* What happens next, in a sentence. `reply` of a runner that took it up, or empty. */
static char *
consequence(const struct resolve_request *request, const struct resolve_reply *decided,
            const struct command_reply *reply)
{
    if (reply->taken_by != NULL)
        return g_strdup_printf("taken up by %s", reply->taken_by);
    if (decided->runner_alive)
        return g_strdup("the runner has not taken it up yet; it will not act against it");
    return g_strdup(request->resolution == RESOLUTION_DELIVERED
                        ? "no runner is alive: `move-tables run` goes on from there"
                        : "no runner is alive: `move-tables run` sends it");
}

static bool
resolve(struct session *session, const struct resolve_request *request, GError **error)
{
    g_autoptr(move_state) state = NULL;
    const struct config *config = session->config;
    if (!checkpoint_read(session->conn, config, &state, error))
        return false;
    if (state == NULL) {
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "hooks: there is no move \"%s\" in `%s` on the target", config->move,
                    config->checkpoint.database);
        return false;
    }
    struct resolve_reply decided = {0};
    struct command_reply reply = {0};
    if (!outbox_resolve(session->conn, config, request, &decided, error)) {
        g_prefix_error(error, "hooks: ");
        return false;
    }
    g_autoptr(GError) ignored = NULL;
    if (decided.runner_alive &&
        !command_wait(session->conn, config, decided.command_id, WAIT_MS, &reply, &ignored))
        reply = (struct command_reply){0}; /* decided it is all the same */
    g_autofree char *next = consequence(request, &decided, &reply);
    g_autofree char *text = g_strdup_printf(
        "%s %s to %s: %s; %s\n", decided.event, decided.event_id, decided.endpoint,
        request->resolution == RESOLUTION_DELIVERED ? "delivered, it is not sent again"
                                                    : "to be sent again",
        next);
    command_reply_clear(&reply);
    resolve_reply_clear(&decided);
    return output_write(text, error);
}

bool
command_hooks(const struct arguments *arguments, GError **error)
{
    struct resolve_request request = {0};
    bool resolving = arguments->word_count > 1;
    if (resolving && !read_request(arguments, &request, error))
        return false;
    if (!resolving && argument_given(arguments, OPTION_ENDPOINT)) {
        g_set_error_literal(error, MT_ERROR, MT_ERROR_USAGE,
                            "hooks: --endpoint belongs to resolve; " USAGE);
        return false;
    }
    g_autoptr(session) session = session_open(arguments->words[0], CONFIG_SECRETS_TARGET, error);
    if (session == NULL || !session_connect(session, "hooks", error))
        return false;
    return resolving ? resolve(session, &request, error)
                     : list(session, argument_given(arguments, OPTION_JSON), error);
}
