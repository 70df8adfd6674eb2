#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/lease.h"
#include "checkpoint/outbox.h"
#include "cli/status_text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"

enum { WATCH_INTERVAL_MS = 1000 };

/* The target's clock, which the checkpoint's times are of. */
static bool
read_target_clock(struct conn *target, int64_t *ret_us, GError **error)
{
    g_autofree char *text = NULL;
    if (!conn_query_value(target, "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)", &text,
                          error))
        return false;
    *ret_us = text != NULL ? g_ascii_strtoll(text, NULL, 10) : clock_real_us();
    return true;
}

/* One picture of the move, as text or JSON. */
static char *
read_status(struct session *session, bool json, bool colour, GError **error)
{
    g_autoptr(move_state) state = NULL;
    g_autoptr(GPtrArray) deliveries = NULL;
    const struct config *config = session->config;
    struct status_view view = {.move = config->move,
                               .flag_file = config->cutover.flag_file,
                               .cutover_auto = config->cutover.mode == CUTOVER_AUTO};
    if (!checkpoint_read(session->conn, session->config, &state, error) ||
        !read_target_clock(session->conn, &view.now_us, error))
        return NULL;
    if (state != NULL) {
        deliveries = outbox_list(session->conn, session->config, error);
        if (deliveries == NULL ||
            !lease_is_held(session->conn, session->config, &view.runner_alive, error))
            return NULL;
    }
    view.state = state;
    view.deliveries = deliveries;
    if (json)
        return status_to_json(&view);
    GString *text = g_string_new(NULL);
    status_text_append(text, &view, colour);
    return g_string_free(text, FALSE);
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
        g_autofree char *text = read_status(session, json, output_has_colour(STDOUT_FILENO), error);
        if (text == NULL)
            return false;
        /* Home, and clear to the end: no flicker, and nothing of the last picture stays. */
        if (watch && terminal && !json && !output_write("\033[H\033[J", error))
            return false;
        if (!output_write(text, error))
            return false;
    } while (watch && !stop_wait_ms(WATCH_INTERVAL_MS));
    return true;
}

bool
command_hooks(const struct arguments *arguments, GError **error)
{
    g_autoptr(session) session = session_open(arguments->words[0], CONFIG_SECRETS_TARGET, error);
    if (session == NULL || !session_connect(session, "hooks", error))
        return false;
    g_autoptr(move_state) state = NULL;
    int64_t now_us = 0;
    if (!checkpoint_read(session->conn, session->config, &state, error) ||
        !read_target_clock(session->conn, &now_us, error))
        return false;
    g_autoptr(GPtrArray) deliveries = state == NULL
                                          ? g_ptr_array_new()
                                          : outbox_list(session->conn, session->config, error);
    if (deliveries == NULL)
        return false;
    if (argument_given(arguments, OPTION_JSON)) {
        g_autofree char *json = deliveries_to_json(deliveries);
        return output_write(json, error);
    }
    g_autoptr(GString) text = g_string_new(NULL);
    if (deliveries->len == 0)
        g_string_append(text, "no event was decided yet that a hook is told of\n");
    deliveries_text_append(text, deliveries, now_us);
    return output_write(text->str, error);
}
