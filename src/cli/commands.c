#include "cli/arguments.h"

static const char *const log_formats[] = {"text", "json", NULL};
static const char *const log_levels[] = {"debug", "info", "warning", "error", NULL};
static const char *const milestones[] = {"ready", NULL};

static const struct option_description options[] = {
    [OPTION_HELP] = {.name = "help", .help = "show this help"},
    [OPTION_JSON] = {.name = "json", .help = "write the result as JSON"},
    [OPTION_LOG_FORMAT] = {.name = "log-format",
                           .value = "text|json",
                           .choices = log_formats,
                           .help = "how log lines are written to stderr (default: text)"},
    [OPTION_LOG_LEVEL] = {.name = "log-level",
                          .value = "LEVEL",
                          .choices = log_levels,
                          .help = "debug, info, warning or error (default: info)"},
    [OPTION_DEFAULTS] = {.name = "defaults",
                         .help = "print FILE with every default filled in; connects to nothing"},
    [OPTION_FRESH] = {.name = "fresh",
                      .help = "discard the checkpoint and the partly filled target tables; asks"},
    [OPTION_YES] = {.name = "yes", .help = "do not ask"},
    [OPTION_STRICT_CHECKPOINT] = {.name = "strict-checkpoint",
                                  .help = "refuse a checkpoint that another schema has touched"},
    [OPTION_UNTIL] = {.name = "until",
                      .value = "ready",
                      .choices = milestones,
                      .help = "stop with exit code 0 when only the cutover is left"},
    [OPTION_PROGRESS_INTERVAL] = {.name = "progress-interval",
                                  .value = "SECONDS",
                                  .least = 1,
                                  .most = 86400,
                                  .help = "between progress lines in the log (default: 10)"},
    [OPTION_WATCH] = {.name = "watch", .help = "show it again every second until interrupted"},
    [OPTION_NO_WAIT] = {.name = "no-wait", .help = "do not wait until a runner takes it up"},
    [OPTION_REPAIR] = {.name = "repair", .help = "rewrite rows that differ"},
    [OPTION_ENDPOINT] = {.name = "endpoint",
                         .value = "URL",
                         .help = "of resolve: which endpoint's delivery, when there are several"},
    [OPTION_FAILPOINTS] = {.name = "failpoints",
                           .help = "list the points that MOVE_TABLES_FAILPOINT can name"},
};
G_STATIC_ASSERT(G_N_ELEMENTS(options) == OPTION_COUNT);

#define HAS(x) OPTION_BIT(OPTION_##x)

static const struct command_description commands[] = {
    [COMMAND_CHECK] =
        {.name = "check",
         .synopsis = "FILE",
         .least_words = 1,
         .most_words = 1,
         .options = HAS(JSON) | HAS(DEFAULTS),
         .summary = "all preflight checks, read-only: what is wrong, and what mends it",
         .help = "Reads FILE, asks both clusters, and prints one line for each check: ok, warning "
                 "or error,\nwith the statement that mends it. Nothing is changed. Ends with 3 "
                 "when a check failed."},
    [COMMAND_RUN] =
        {.name = "run",
         .synopsis = "FILE",
         .least_words = 1,
         .most_words = 1,
         .options = HAS(FRESH) | HAS(YES) | HAS(STRICT_CHECKPOINT) | HAS(UNTIL) |
                    HAS(PROGRESS_INTERVAL),
         .summary = "do the move, from the start or from its checkpoint",
         .help = "Copies, follows, cuts over (when `cutover` is given, or at once with "
                 "cutover.mode: auto)\nand tells the hooks. Started again it goes on where it "
                 "was. SIGTERM and SIGINT stop it\ncleanly (exit code 8); a second signal ends it "
                 "at once."},
    [COMMAND_STATUS] =
        {.name = "status",
         .synopsis = "FILE",
         .least_words = 1,
         .most_words = 1,
         .options = HAS(JSON) | HAS(WATCH),
         .summary = "phase, progress, rate, lag, ETA, cutover and hooks",
         .help = "Reads the checkpoint on the target: works from any host, and when no runner is "
                 "alive."},
    [COMMAND_CUTOVER] =
        {.name = "cutover",
         .synopsis = "FILE",
         .least_words = 1,
         .most_words = 1,
         .options = HAS(NO_WAIT),
         .summary = "let a move that is ready, or will be, cut over",
         .help = "Tells the runner through the target, from any host, and waits until it is taken "
                 "up."},
    [COMMAND_PAUSE] = {.name = "pause",
                       .synopsis = "FILE",
                       .least_words = 1,
                       .most_words = 1,
                       .options = HAS(NO_WAIT),
                       .summary = "stop copying; applying goes on",
                       .help = "Tells the runner through the target, from any host, and waits "
                               "until it is taken up."},
    [COMMAND_RESUME] = {.name = "resume",
                        .synopsis = "FILE",
                        .least_words = 1,
                        .most_words = 1,
                        .options = HAS(NO_WAIT),
                        .summary = "go on copying",
                        .help = "Tells the runner through the target, from any host, and waits "
                                "until it is taken up."},
    [COMMAND_ABORT] = {.name = "abort",
                       .synopsis = "FILE",
                       .least_words = 1,
                       .most_words = 1,
                       .options = HAS(NO_WAIT),
                       .summary = "stop the runner cleanly; undoes an open cutover",
                       .help = "Tells the runner through the target, from any host, and waits "
                               "until it is taken up.\nThe checkpoint stays: `run` goes on from "
                               "it."},
    [COMMAND_VERIFY] = {.name = "verify",
                        .synopsis = "FILE",
                        .least_words = 1,
                        .most_words = 1,
                        .options = HAS(JSON) | HAS(REPAIR),
                        .later = true,
                        .summary = "compare source and target",
                        .help = "Not available in this version."},
    [COMMAND_ROLLBACK] = {.name = "rollback",
                          .synopsis = "FILE",
                          .least_words = 1,
                          .most_words = 1,
                          .options = HAS(NO_WAIT),
                          .later = true,
                          .summary = "undo an open cutover, or move back",
                          .help = "Not available in this version; `abort` undoes an open cutover."},
    [COMMAND_HOOKS] =
        {.name = "hooks",
         .synopsis = "FILE [resolve ID delivered|resend]",
         .least_words = 1,
         .most_words = MOST_WORDS,
         .options = HAS(JSON) | HAS(ENDPOINT),
         .summary = "the outbox: every event, endpoint, state and attempts; decides one by hand",
         .help = "Reads the outbox on the target: works from any host, and when no runner is "
                 "alive.\nresolve decides a delivery that is in doubt, or that its receiver will "
                 "never take: `delivered`\n(it arrived, or is settled: it is not sent again) or "
                 "`resend` (it did not arrive: it is sent).\nID may be the beginning of an "
                 "event's id. A living runner is told."},
    [COMMAND_CLEAN] =
        {.name = "clean",
         .synopsis = "FILE",
         .least_words = 1,
         .most_words = 1,
         .options = HAS(YES),
         .summary = "after the move: drop the source's renamed tables and the checkpoint",
         .help = "Shows what would be dropped and asks. Refused before the move is completed."},
    [COMMAND_VERSION] = {.name = "version",
                         .synopsis = "",
                         .most_words = 0,
                         .options = HAS(JSON) | HAS(FAILPOINTS),
                         .summary = "version, commit, client library, checkpoint schema",
                         .help = "Says which build this is."},
    [COMMAND_HELP] = {.name = "help",
                      .synopsis = "[COMMAND]",
                      .most_words = 1,
                      .summary = "help on a command",
                      .help = "The same as `move-tables COMMAND --help`."},
};
G_STATIC_ASSERT(G_N_ELEMENTS(commands) == COMMAND_COUNT);

const struct command_description *
command_describe(enum command_id command)
{
    return &commands[command];
}

const struct option_description *
option_describe(enum option_id option)
{
    return &options[option];
}

static void
append_option(GString *text, enum option_id id)
{
    const struct option_description *option = &options[id];
    g_autofree char *name = g_strdup_printf("--%s%s%s", option->name,
                                            option->value != NULL ? " " : "",
                                            option->value != NULL ? option->value : "");
    g_string_append_printf(text, "  %-28s %s\n", name, option->help);
}

char *
help_text(void)
{
    GString *text = g_string_new("move-tables moves a set of tables from one MySQL cluster to "
                                 "another while the application keeps writing.\n\n"
                                 "usage: move-tables COMMAND FILE [options]\n\n");
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        g_autofree char *usage = g_strdup_printf("%s %s", commands[i].name, commands[i].synopsis);
        g_string_append_printf(text, "  %-18s %s%s\n", usage, commands[i].summary,
                               commands[i].later ? " (not in this version)" : "");
    }
    g_string_append(text, "\nFILE is the move's YAML file: docs/configuration.md. Results go to "
                          "stdout, logs to stderr.\n`move-tables COMMAND --help` tells more.\n");
    return g_string_free(text, FALSE);
}

char *
command_help_text(enum command_id id)
{
    const struct command_description *command = &commands[id];
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "usage: move-tables %s%s%s [options]\n\n%s.\n%s\n\n",
                           command->name, command->synopsis[0] != '\0' ? " " : "",
                           command->synopsis, command->summary, command->help);
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (command->options & OPTION_BIT(i))
            append_option(text, i);
    }
    append_option(text, OPTION_LOG_FORMAT);
    append_option(text, OPTION_LOG_LEVEL);
    append_option(text, OPTION_HELP);
    return g_string_free(text, FALSE);
}
