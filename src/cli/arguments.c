#include "cli/arguments.h"

#include <string.h>

#include "base/error.h"
#include "base/nearest.h"

/* What every command takes. */
#define COMMON_OPTIONS \
    (OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_LOG_FORMAT) | OPTION_BIT(OPTION_LOG_LEVEL))

/* The part of argv that is still to be read. */
struct reading {
    int left;
    char *const *next;
    struct arguments *arguments;
    const struct command_description *command;
    bool options_ended; /* "--" was read */
};

static char *
meant(const char *word, const char *const *candidates, size_t count, const char *prefix)
{
    const char *nearest = nearest_word(word, candidates, count);
    return nearest == NULL ? g_strdup("")
                           : g_strdup_printf("; is \"%s%s\" meant?", prefix, nearest);
}

static bool
find_command(const char *word, enum command_id *ret_command, GError **error)
{
    const char *names[COMMAND_COUNT + 1] = {NULL};
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        names[i] = command_describe(i)->name;
        if (strcmp(word, names[i]) == 0) {
            *ret_command = i;
            return true;
        }
    }
    g_autofree char *hint = meant(word, names, COMMAND_COUNT, "");
    g_autofree char *all = g_strjoinv(", ", (char **)(uintptr_t)names);
    g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "unknown command \"%s\"%s Commands: %s", word,
                hint[0] != '\0' ? hint : ".", all);
    return false;
}

static bool
find_option(const struct reading *reading, const char *name, size_t length,
            enum option_id *ret_option, GError **error)
{
    const char *names[OPTION_COUNT] = {NULL};
    size_t count = 0;
    g_autoptr(GString) all = g_string_new(NULL);
    g_autofree char *word = g_strndup(name, length);
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (!((reading->command->options | COMMON_OPTIONS) & OPTION_BIT(i)))
            continue;
        names[count] = option_describe(i)->name;
        if (strcmp(names[count], word) == 0) {
            *ret_option = i;
            return true;
        }
        g_string_append_printf(all, "%s--%s", count > 0 ? ", " : "", names[count]);
        count++;
    }
    g_autofree char *hint = meant(word, names, count, "--");
    g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "%s: unknown option \"--%s\"%s Options of %s: %s",
                reading->command->name, word, hint[0] != '\0' ? hint : ".", reading->command->name,
                all->str);
    return false;
}

/* Whether the value is one that the option takes. */
static bool
check_value(const struct reading *reading, const struct option_description *option,
            const char *value, GError **error)
{
    if (option->choices != NULL) {
        if (g_strv_contains(option->choices, value))
            return true;
        g_autofree char *all = g_strjoinv(", ", (char **)(uintptr_t)option->choices);
        g_autofree char *hint = meant(value, option->choices,
                                      g_strv_length((char **)(uintptr_t)option->choices), "");
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                    "%s: --%s: \"%s\" is not allowed%s Must be one of: %s", reading->command->name,
                    option->name, value, hint[0] != '\0' ? hint : ".", all);
        return false;
    }
    if (option->most == 0)
        return true;
    guint64 number = 0;
    if (g_ascii_string_to_unsigned(value, 10, (guint64)option->least, (guint64)option->most,
                                   &number, NULL))
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                "%s: --%s: \"%s\" is not allowed; must be a whole number from %" G_GINT64_FORMAT
                " to %" G_GINT64_FORMAT,
                reading->command->name, option->name, value, option->least, option->most);
    return false;
}

/* One option at reading->next, with its value. */
static bool
read_option(struct reading *reading, GError **error)
{
    const char *word = *reading->next++;
    reading->left--;
    const char *name = word + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    enum option_id id = OPTION_HELP;
    if (!find_option(reading, name, length, &id, error))
        return false;
    const struct option_description *option = option_describe(id);
    const char *value = equals != NULL ? equals + 1 : "";
    if (option->value == NULL && equals != NULL) {
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "%s: --%s takes no value, but has \"%s\"",
                    reading->command->name, option->name, value);
        return false;
    }
    if (option->value != NULL && equals == NULL) {
        if (reading->left == 0) {
            g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "%s: --%s needs a value: --%s %s",
                        reading->command->name, option->name, option->name, option->value);
            return false;
        }
        value = *reading->next++;
        reading->left--;
    }
    if (option->value != NULL && !check_value(reading, option, value, error))
        return false;
    reading->arguments->values[id] = value;
    return true;
}

static bool
read_word(struct reading *reading, GError **error)
{
    const char *word = *reading->next;
    struct arguments *arguments = reading->arguments;
    if (!reading->options_ended && strcmp(word, "--") == 0) {
        reading->options_ended = true;
    } else if (!reading->options_ended && g_str_has_prefix(word, "--")) {
        return read_option(reading, error);
    } else if (!reading->options_ended && strcmp(word, "-h") == 0) {
        arguments->values[OPTION_HELP] = "";
    } else if (!reading->options_ended && word[0] == '-' && word[1] != '\0') {
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                    "%s: unknown option \"%s\"; options begin with two dashes",
                    reading->command->name, word);
        return false;
    } else if (arguments->word_count >= reading->command->most_words) {
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                    "%s: \"%s\" is one word too many; usage: move-tables %s %s",
                    reading->command->name, word, reading->command->name,
                    reading->command->synopsis);
        return false;
    } else {
        arguments->words[arguments->word_count++] = word;
    }
    reading->next++;
    reading->left--;
    return true;
}

bool
arguments_parse(int argc, char *const *argv, struct arguments *ret_arguments, GError **error)
{
    struct arguments arguments = {.command = COMMAND_HELP};
    const char *first = argc > 1 ? argv[1] : NULL;
    if (first == NULL) {
        g_set_error_literal(error, MT_ERROR, MT_ERROR_USAGE,
                            "a command is missing; `move-tables --help` lists them");
        return false;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        *ret_arguments = arguments;
        return true;
    }
    if (strcmp(first, "--version") == 0)
        arguments.command = COMMAND_VERSION;
    else if (!find_command(first, &arguments.command, error))
        return false;

    struct reading reading = {.left = argc - 2,
                              .next = argv + 2,
                              .arguments = &arguments,
                              .command = command_describe(arguments.command)};
    while (reading.left > 0) {
        if (!read_word(&reading, error))
            return false;
    }
    if (arguments.word_count < reading.command->least_words &&
        arguments.values[OPTION_HELP] == NULL) {
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "%s: %s is missing; usage: move-tables %s %s",
                    reading.command->name, reading.command->synopsis, reading.command->name,
                    reading.command->synopsis);
        return false;
    }
    *ret_arguments = arguments;
    return true;
}

bool
argument_given(const struct arguments *arguments, enum option_id option)
{
    return arguments->values[option] != NULL;
}

const char *
argument_text(const struct arguments *arguments, enum option_id option, const char *fallback)
{
    return arguments->values[option] != NULL ? arguments->values[option] : fallback;
}

int64_t
argument_number(const struct arguments *arguments, enum option_id option, int64_t fallback)
{
    const char *value = arguments->values[option];
    return value != NULL ? g_ascii_strtoll(value, NULL, 10) : fallback;
}
