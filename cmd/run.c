#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "cmd/command.h"
#include "cmd/display.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "cmd/signals.h"
#include "move.h"

enum { LOG_INTERVAL_S = 10 };

/* What the move calls back with. */
struct watching {
    struct display *display; /* NULL before the tables are known */
    int64_t interval_s;
    bool plain;
    bool assume_yes;
};

static bool
confirm(void *context, const char *what)
{
    struct watching *watching = context;
    g_autoptr(GError) error = NULL;
    if (watching->display != NULL)
        display_hide(watching->display);
    bool confirmed = output_confirm(what, watching->assume_yes, &error);
    if (!confirmed)
        log_warning("run", log_msg(error->message));
    if (watching->display != NULL)
        display_show(watching->display);
    return confirmed;
}

/* A run that cannot be watched is still a run. */
static void
begin_display(void *context, struct progress *progress)
{
    struct watching *watching = context;
    g_autoptr(GError) error = NULL;
    watching->display = display_begin(progress, watching->interval_s, watching->plain, &error);
    if (watching->display == NULL)
        log_warning("run", log_msg(error->message));
}

static void
end_display(void *context)
{
    struct watching *watching = context;
    display_end(watching->display);
    watching->display = NULL;
}

bool
command_run(const struct arguments *arguments, GError **error)
{
    bool fresh = argument_given(arguments, OPTION_FRESH);
    struct watching watching = {
        .interval_s = argument_number(arguments, OPTION_PROGRESS_INTERVAL, LOG_INTERVAL_S),
        .plain = g_str_equal(argument_text(arguments, OPTION_LOG_FORMAT, "text"), "json"),
        .assume_yes = argument_given(arguments, OPTION_YES)};
    if (fresh && !watching.assume_yes && !isatty(STDIN_FILENO)) {
        g_set_error_literal(error, MT_ERROR, MT_ERROR_USAGE,
                            "run: --fresh drops tables and must be confirmed, but stdin is no "
                            "terminal; give --yes as well");
        return false;
    }
    /* Before anything that starts a thread, so that every thread has the signals blocked. */
    g_autoptr(signals) signals = signals_begin(error);
    if (signals == NULL)
        return false;
    g_autoptr(config) config = config_load(arguments->words[0], error);
    if (config == NULL)
        return false;
    const struct move_options options = {
        .fresh = fresh,
        .strict_checkpoint = argument_given(arguments, OPTION_STRICT_CHECKPOINT),
        .until_ready = argument_given(arguments, OPTION_UNTIL),
        .confirm = confirm,
        .confirm_context = &watching,
        .started = begin_display,
        .ended = end_display,
        .display_context = &watching,
    };
    return move_run(config, &options, error);
}
