#include <criterion/criterion.h>

#include <string.h>

#include "base/error.h"
#include "cli/arguments.h"

static bool
parse(const char *line, struct arguments *arguments, GError **error)
{
    /* Leaks on purpose nothing: the words live until the test's process ends. */
    static char *words[16];
    g_auto(GStrv) parts = g_strsplit(line, " ", -1);
    int count = 0;
    for (; parts[count] != NULL; count++)
        words[count] = (char *)(uintptr_t)g_intern_string(parts[count]);
    return arguments_parse(count, words, arguments, error);
}

static void
expect_refused(const char *line, const char *part, const char *other_part)
{
    g_autoptr(GError) error = NULL;
    struct arguments arguments;
    cr_assert_not(parse(line, &arguments, &error), "accepted: %s", line);
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_USAGE));
    cr_expect(strstr(error->message, part) != NULL, "no '%s' in: %s", part, error->message);
    cr_expect(strstr(error->message, other_part) != NULL, "no '%s' in: %s", other_part,
              error->message);
}

Test(arguments, options_before_and_after_the_file)
{
    struct arguments arguments;
    cr_assert(
        parse("mt run --fresh m.yaml --yes --until=ready --progress-interval 3", &arguments, NULL));
    cr_expect_eq(arguments.command, COMMAND_RUN);
    cr_expect_eq(arguments.word_count, 1);
    cr_expect_str_eq(arguments.words[0], "m.yaml");
    cr_expect(argument_given(&arguments, OPTION_FRESH));
    cr_expect(argument_given(&arguments, OPTION_YES));
    cr_expect_not(argument_given(&arguments, OPTION_STRICT_CHECKPOINT));
    cr_expect_str_eq(argument_text(&arguments, OPTION_UNTIL, "x"), "ready");
    cr_expect_eq(argument_number(&arguments, OPTION_PROGRESS_INTERVAL, 10), 3);
    cr_expect_str_eq(argument_text(&arguments, OPTION_LOG_FORMAT, "text"), "text");
}

Test(arguments, two_dashes_end_the_options)
{
    struct arguments arguments;
    cr_assert(parse("mt check -- --odd.yaml", &arguments, NULL));
    cr_expect_str_eq(arguments.words[0], "--odd.yaml");
}

Test(arguments, help_and_version)
{
    struct arguments arguments;
    cr_assert(parse("mt --help", &arguments, NULL));
    cr_expect_eq(arguments.command, COMMAND_HELP);
    cr_assert(parse("mt --version", &arguments, NULL));
    cr_expect_eq(arguments.command, COMMAND_VERSION);
    /* Help needs no file. */
    cr_assert(parse("mt status --help", &arguments, NULL));
    cr_expect(argument_given(&arguments, OPTION_HELP));
}

Test(arguments, wrong_words_are_named_with_the_nearest)
{
    expect_refused("mt", "command is missing", "--help");
    expect_refused("mt statsu m.yaml", "\"statsu\"; is \"status\" meant?", "Commands: check");
    expect_refused("mt run m.yaml --frehs", "\"--frehs\"; is \"--fresh\" meant?", "--until");
    expect_refused("mt check m.yaml --fresh", "unknown option \"--fresh\"", "--defaults");
    expect_refused("mt run m.yaml -y", "\"-y\"", "two dashes");
    expect_refused("mt run", "FILE is missing", "move-tables run FILE");
    expect_refused("mt run a.yaml b.yaml", "\"b.yaml\" is one word too many", "run FILE");
    expect_refused("mt run m.yaml --until redy", "is \"ready\" meant?", "one of: ready");
    expect_refused("mt run m.yaml --until", "needs a value", "--until ready");
    expect_refused("mt run m.yaml --yes=1", "takes no value", "--yes");
    expect_refused("mt run m.yaml --progress-interval 0", "from 1 to", "\"0\"");
    expect_refused("mt run m.yaml --log-level loud", "--log-level", "debug, info");
}

Test(arguments, every_command_has_help)
{
    g_autofree char *all = help_text();
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        const struct command_description *command = command_describe(i);
        g_autofree char *help = command_help_text(i);
        cr_expect(strstr(all, command->name) != NULL, "%s", command->name);
        cr_expect(strstr(help, command->summary) != NULL, "%s", command->name);
        cr_expect(strstr(help, "--help") != NULL, "%s", command->name);
    }
}
