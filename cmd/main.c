/* move-tables: reads the command line, runs one command, and is the only place that exits. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "mysql/client.h"

static bool (*const handlers[COMMAND_COUNT])(const struct arguments *, GError **) = {
    [COMMAND_CHECK] = command_check,   [COMMAND_RUN] = command_run,
    [COMMAND_STATUS] = command_status, [COMMAND_CUTOVER] = command_control,
    [COMMAND_PAUSE] = command_control, [COMMAND_RESUME] = command_control,
    [COMMAND_ABORT] = command_control, [COMMAND_HOOKS] = command_hooks,
    [COMMAND_CLEAN] = command_clean,   [COMMAND_VERSION] = command_version,
    [COMMAND_HELP] = command_help,
};

/* The place of a name in a NULL-terminated list that it is in. */
static unsigned
index_of(const char *const *names, const char *name)
{
    unsigned i = 0;
    while (names[i] != NULL && strcmp(names[i], name) != 0)
        i++;
    return i;
}

static void
configure_log(const struct arguments *arguments)
{
    /* The choices are in the order of enum log_level and enum log_format. */
    enum log_level level = index_of(option_describe(OPTION_LOG_LEVEL)->choices,
                                    argument_text(arguments, OPTION_LOG_LEVEL, "info"));
    enum log_format format = index_of(option_describe(OPTION_LOG_FORMAT)->choices,
                                      argument_text(arguments, OPTION_LOG_FORMAT, "text"));
    log_configure(level, format);
}

static bool
check_available(const struct arguments *arguments, GError **error)
{
    const struct command_description *command = command_describe(arguments->command);
    if (!command->later)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "%s is not available in this version",
                command->name);
    return false;
}

static bool
arm_failpoint(GError **error)
{
    if (!failpoint_arm_from_environment(error))
        return false;
    const char *armed = g_getenv("MOVE_TABLES_FAILPOINT");
    if (armed != NULL && armed[0] != '\0')
        log_warning("failpoint", log_msg("armed: the process will die or stop there on purpose"),
                    log_str("name", armed));
    return true;
}

static bool
run_command(const struct arguments *arguments, GError **error)
{
    if (argument_given(arguments, OPTION_HELP)) {
        g_autofree char *text = command_help_text(arguments->command);
        return output_write(text, error);
    }
    if (!check_available(arguments, error) || !arm_failpoint(error) || !client_begin(error))
        return false;
    bool done = handlers[arguments->command](arguments, error);
    client_end();
    return done;
}

/* The last word of a command that failed: as text for people, as log line for programs. */
static void
report(const struct arguments *arguments, const GError *error)
{
    if (strcmp(argument_text(arguments, OPTION_LOG_FORMAT, "text"), "json") == 0)
        log_error("move-tables", log_msg(error->message),
                  log_int("exit_code", mt_error_exit_code(error)));
    else
        fprintf(stderr, "move-tables: %s\n", error->message);
}

int
main(int argc, char **argv)
{
    struct arguments arguments = {.command = COMMAND_HELP};
    g_autoptr(GError) error = NULL;
    signal(SIGPIPE, SIG_IGN);
    if (arguments_parse(argc, argv, &arguments, &error)) {
        configure_log(&arguments);
        if (run_command(&arguments, &error))
            return EXIT_SUCCESS;
    }
    report(&arguments, error);
    return mt_error_exit_code(error);
}
