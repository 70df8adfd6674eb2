#include "base/error.h"
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

/* Whether there is anything to tell, and anybody to tell it to. Without a runner only a cutover
 * that has not begun makes sense: the next run takes it up. */
static bool
check_runner(struct session *session, enum verb verb, bool *ret_alive, GError **error)
{
    g_autoptr(move_state) state = NULL;
    const char *move = session->config->move;
    if (!checkpoint_read(session->conn, session->config, &state, error) ||
        !lease_is_held(session->conn, session->config, ret_alive, error))
        return false;
    if (state == NULL && !*ret_alive) {
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "%s: there is no move \"%s\" in `%s` on the target; `move-tables run` begins "
                    "it",
                    verb_name(verb), move, session->config->checkpoint.database);
        return false;
    }
    if (state != NULL && state->phase == PHASE_COMPLETED) {
        g_set_error(error, MT_ERROR, MT_ERROR_FAILED, "%s: move \"%s\" is completed already",
                    verb_name(verb), move);
        return false;
    }
    /* A runner that only delivers has nothing to pause, nor to cut over: that is done. */
    if (state != NULL && state->phase >= PHASE_DRAINED && verb != VERB_ABORT) {
        g_set_error(error, MT_ERROR, MT_ERROR_FAILED,
                    "%s: the data of move \"%s\" is moved already, only `completed` is not "
                    "acknowledged yet; `move-tables hooks` shows by whom%s",
                    verb_name(verb), move, *ret_alive ? "" : ", `move-tables run` delivers it");
        return false;
    }
    bool beyond = state != NULL && state->phase > PHASE_READY;
    if (*ret_alive || (verb == VERB_CUTOVER && !beyond))
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_FAILED,
                "%s: no runner of move \"%s\" is alive to take it up; `move-tables run` starts one",
                verb_name(verb), move);
    return false;
}

static bool
report(struct session *session, enum verb verb, uint64_t id, GError **error)
{
    struct command_reply reply = {0};
    if (!command_wait(session->conn, session->config, id, WAIT_MS, &reply, error))
        return false;
    bool taken = reply.taken_by != NULL;
    g_autofree char *text = g_strdup_printf("%s: taken up by %s: %s\n", verb_name(verb),
                                            taken ? reply.taken_by : "",
                                            reply.outcome != NULL ? reply.outcome : "under way");
    command_reply_clear(&reply);
    if (!taken) {
        g_set_error(error, MT_ERROR, MT_ERROR_FAILED,
                    "%s: issued, but nobody took it up within %d s; the runner of \"%s\" may be "
                    "stuck, see `move-tables status`",
                    verb_name(verb), WAIT_MS / 1000, session->config->move);
        return false;
    }
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
