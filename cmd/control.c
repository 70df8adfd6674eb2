#include "base/error.h"
#include "base/stop.h"
#include "checkpoint/command.h"
#include "checkpoint/lease.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"

/* A runner looks for commands about every second; one that does not for this long is stuck. */
enum { WAIT_MS = 60 * 1000 };

static enum verb
verb_of(enum command_id command)
{
    switch ((int)command) {
    case COMMAND_CUTOVER:
        return VERB_CUTOVER;
    case COMMAND_PAUSE:
        return VERB_PAUSE;
    case COMMAND_RESUME:
        return VERB_RESUME;
    default:
        return VERB_ABORT;
    }
}

/* Without a runner only a cutover makes sense: the next run takes it up. */
static bool
check_runner(struct session *session, enum verb verb, bool *ret_alive, GError **error)
{
    if (!lease_is_held(session->conn, session->config, ret_alive, error))
        return false;
    if (*ret_alive || verb == VERB_CUTOVER)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_FAILED,
                "%s: no runner of move \"%s\" is alive to take it up; `move-tables run` starts one",
                verb_name(verb), session->config->move);
    return false;
}

static bool
report(struct session *session, enum verb verb, uint64_t id, GError **error)
{
    struct command_reply reply = {0};
    if (!command_wait(session->conn, session->config, id, WAIT_MS, &reply, error))
        return false;
    g_autofree char *taken_by = reply.taken_by;
    g_autofree char *outcome = reply.outcome;
    if (taken_by == NULL) {
        g_set_error(error, MT_ERROR, MT_ERROR_FAILED,
                    "%s: issued, but nobody took it up within %d s; the runner of \"%s\" may be "
                    "stuck, see `move-tables status`",
                    verb_name(verb), WAIT_MS / 1000, session->config->move);
        return false;
    }
    g_autofree char *text = g_strdup_printf("%s: taken up by %s: %s\n", verb_name(verb), taken_by,
                                            outcome != NULL ? outcome : "under way");
    return output_write(text, error);
}

bool
command_control(const struct arguments *arguments, GError **error)
{
    enum verb verb = verb_of(arguments->command);
    bool alive = false;
    uint64_t id = 0;
    g_autoptr(session) session = session_open(arguments->words[0], CONFIG_SECRETS_TARGET, error);
    if (session == NULL || !session_connect(session, "command", error) ||
        !check_runner(session, verb, &alive, error) ||
        !command_issue(session->conn, session->config, verb, &id, error))
        return false;
    if (!alive || argument_given(arguments, OPTION_NO_WAIT)) {
        g_autofree char *text = g_strdup_printf(
            "%s: issued%s\n", verb_name(verb),
            alive ? ""
                  : "; no runner is alive: the next `move-tables run` takes "
                    "it up");
        return output_write(text, error);
    }
    return report(session, verb, id, error);
}
