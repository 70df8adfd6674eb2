#include <unistd.h>

#include "base/error.h"
#include "base/progress.h"
#include "cmd/command.h"
#include "cmd/display.h"
#include "cmd/output.h"
#include "cmd/signals.h"
#include "config/table_name.h"
#include "move.h"

enum { LOG_INTERVAL_S = 10 };

/* What the confirmation needs. */
struct asking {
    struct display *display;
    bool assume_yes;
};

static bool
confirm(void *context, const char *question, GError **error)
{
    struct asking *asking = context;
    display_hide(asking->display);
    bool confirmed = output_confirm(question, asking->assume_yes, error);
    display_show(asking->display);
    return confirmed;
}

static struct progress *
progress_of(const struct config *config)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < config->tables->len; i++) {
        const struct table_mapping *table = &g_array_index(config->tables, struct table_mapping, i);
        g_ptr_array_add(names, table_name_format(table->from_schema, table->from_table));
    }
    return progress_new((const char *const *)names->pdata, names->len);
}

/* Before anything is connected to: what the question would show is not known yet. */
static bool
check_can_ask(const struct arguments *arguments, GError **error)
{
    if (!argument_given(arguments, OPTION_FRESH) || argument_given(arguments, OPTION_YES) ||
        isatty(STDIN_FILENO))
        return true;
    g_set_error_literal(error, MT_ERROR, MT_ERROR_USAGE,
                        "run: --fresh drops tables and must be confirmed, but stdin is no "
                        "terminal; give --yes as well");
    return false;
}

bool
command_run(const struct arguments *arguments, GError **error)
{
    if (!check_can_ask(arguments, error))
        return false;
    /* Before anything that starts a thread, so that every thread has the signals blocked. What
     * follows is released in reverse order: signals are heard until the end. */
    g_autoptr(signals) signals = signals_begin(error);
    if (signals == NULL)
        return false;
    g_autoptr(config) config = config_load(arguments->words[0], error);
    if (config == NULL)
        return false;
    g_autoptr(progress) progress = progress_of(config);
    bool plain = g_str_equal(argument_text(arguments, OPTION_LOG_FORMAT, "text"), "json");
    int64_t interval_s = argument_number(arguments, OPTION_PROGRESS_INTERVAL, LOG_INTERVAL_S);
    g_autoptr(display) display = display_begin(progress, interval_s, plain, error);
    if (display == NULL)
        return false;
    struct asking asking = {.display = display,
                            .assume_yes = argument_given(arguments, OPTION_YES)};
    const struct move_options options = {
        .fresh = argument_given(arguments, OPTION_FRESH),
        .strict_checkpoint = argument_given(arguments, OPTION_STRICT_CHECKPOINT),
        .until_ready = argument_given(arguments, OPTION_UNTIL),
        .progress = progress,
        .confirm = confirm,
        .confirm_context = &asking,
    };
    return move_run(config, &options, error);
}
