/*
 * The command line as data: which commands there are, what each takes, and what
 * was given. Pure: nothing is printed, nothing ends the process.
 */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum command_id {
    COMMAND_CHECK,
    COMMAND_RUN,
    COMMAND_STATUS,
    COMMAND_CUTOVER,
    COMMAND_PAUSE,
    COMMAND_RESUME,
    COMMAND_ABORT,
    COMMAND_VERIFY,
    COMMAND_ROLLBACK,
    COMMAND_HOOKS,
    COMMAND_CLEAN,
    COMMAND_VERSION,
    COMMAND_HELP,
    COMMAND_COUNT,
};

enum option_id {
    OPTION_HELP,
    OPTION_JSON,
    OPTION_LOG_FORMAT,
    OPTION_LOG_LEVEL,
    OPTION_DEFAULTS,
    OPTION_FRESH,
    OPTION_YES,
    OPTION_STRICT_CHECKPOINT,
    OPTION_UNTIL,
    OPTION_PROGRESS_INTERVAL,
    OPTION_WATCH,
    OPTION_NO_WAIT,
    OPTION_REPAIR,
    OPTION_ENDPOINT,
    OPTION_FAILPOINTS,
    OPTION_COUNT,
};

#define OPTION_BIT(id) (UINT32_C(1) << (id))

struct option_description {
    const char *name;           /* without the dashes */
    const char *value;          /* what stands for the value in the help; NULL: a flag */
    const char *const *choices; /* NULL-terminated, or NULL */
    int64_t least;              /* of a number; both zero: not a number */
    int64_t most;
    const char *help;
};

struct command_description {
    const char *name;
    const char *synopsis; /* of what is not an option: "FILE" */
    unsigned least_words; /* that must follow the command */
    unsigned most_words;
    uint32_t options;    /* bits: its own; help and the log's are in every command */
    bool later;          /* known, but not in this version */
    const char *summary; /* one line */
    const char *help;    /* paragraphs */
};

enum { MOST_WORDS = 4 };

struct arguments {
    enum command_id command;
    const char *words[MOST_WORDS]; /* FILE and what follows; borrowed from argv */
    unsigned word_count;
    const char *values[OPTION_COUNT]; /* NULL: not given; "": a flag */
};

/* What is known of a command or an option. */
const struct command_description *command_describe(enum command_id command);
const struct option_description *option_describe(enum option_id option);

/* Reads argv (argv[0] is the program). False with MT_ERROR_USAGE: the word that
 * is wrong, the nearest right one, and what is allowed. Help asked for with
 * OPTION_HELP is not checked further. */
G_GNUC_WARN_UNUSED_RESULT bool arguments_parse(int argc, char *const *argv,
                                               struct arguments *ret_arguments, GError **error);

/* True when the option was given. */
bool argument_given(const struct arguments *arguments, enum option_id option);

/* The value, or `fallback` when it was not given. */
const char *argument_text(const struct arguments *arguments, enum option_id option,
                          const char *fallback);
int64_t argument_number(const struct arguments *arguments, enum option_id option, int64_t fallback);

/* `move-tables --help`. Caller frees. */
char *help_text(void);

/* `move-tables COMMAND --help`. Caller frees. */
char *command_help_text(enum command_id command);

#endif
