/*
 * The command line: words that end with a NUL, the first behind the program's name.
 *
 * Holds: what is taken lies within what was given, numbers within their limits, and a refusal says
 * why.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/arguments.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 16 };

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_options(const struct arguments *arguments)
{
    for (unsigned id = 0; id < OPTION_COUNT; id++) {
        const struct option_description *option = option_describe(id);
        const char *value = arguments->values[id];
        if (value == NULL)
            continue;
        check(option->value != NULL || value[0] == '\0');
        if (option->least == 0 && option->most == 0)
            continue;
        int64_t number = argument_number(arguments, id, -1);
        check(number >= option->least && number <= option->most);
    }
}

static void
check_taken(const struct arguments *arguments)
{
    check(arguments->command < COMMAND_COUNT && arguments->word_count <= MOST_WORDS);
    const struct command_description *command = command_describe(arguments->command);
    check(argument_given(arguments, OPTION_HELP) ||
          (arguments->word_count >= command->least_words &&
           arguments->word_count <= command->most_words));
    for (unsigned i = 0; i < arguments->word_count; i++)
        check(arguments->words[i] != NULL);
    check_options(arguments);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Each word is memory of its own, so that reading behind one is seen. */
    char *argv[WORDS_MAX + 2] = {g_strdup("move-tables")};
    int argc = 1;
    for (size_t at = 0; at < size && argc <= WORDS_MAX;) {
        const uint8_t *end = memchr(data + at, '\0', size - at);
        size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
        argv[argc++] = g_strndup((const char *)data + at, length);
        at += length + 1;
    }
    struct arguments arguments = {.command = COMMAND_HELP};
    g_autoptr(GError) error = NULL;
    bool taken = arguments_parse(argc, argv, &arguments, &error);
    check(taken == (error == NULL));
    if (taken)
        check_taken(&arguments);
    else
        check(g_error_matches(error, MT_ERROR, MT_ERROR_USAGE) && error->message[0] != '\0');
    for (int i = 0; i < argc; i++)
        g_free(argv[i]);
    return 0;
}
