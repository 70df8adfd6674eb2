#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "cmd/command.h"
#include "cmd/output.h"

bool
command_help(const struct arguments *arguments, GError **error)
{
    g_autofree char *text = NULL;
    const char *names[COMMAND_COUNT] = {NULL};
    const char *word = arguments->words[0];
    for (unsigned i = 0; i < COMMAND_COUNT; i++) {
        names[i] = command_describe(i)->name;
        if (arguments->word_count > 0 && strcmp(names[i], word) == 0)
            text = command_help_text(i);
    }
    if (arguments->word_count == 0)
        text = help_text();
    if (text != NULL)
        return output_write(text, error);
    const char *nearest = nearest_word(word, names, COMMAND_COUNT);
    g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "help: there is no command \"%s\"%s%s%s", word,
                nearest != NULL ? "; is \"" : "", nearest != NULL ? nearest : "",
                nearest != NULL ? "\" meant?" : "");
    return false;
}
