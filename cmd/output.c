#include "cmd/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

bool
output_write(const char *text, GError **error)
{
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_FAILED, "cannot write the result to stdout: %s",
                g_strerror(errno));
    return false;
}

bool
output_has_colour(int fd)
{
    const char *no_colour = g_getenv("NO_COLOR");
    if (no_colour != NULL && no_colour[0] != '\0')
        return false;
    return isatty(fd) && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
}

bool
output_confirm(const char *question, bool assume_yes, GError **error)
{
    char answer[16] = "";
    if (assume_yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                    "%s\nNobody can be asked here: stdin is no terminal. Give --yes to do it.",
                    question);
        return false;
    }
    fprintf(stderr, "%s\nGo on? Type yes: ", question);
    fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) != NULL && strcmp(g_strstrip(answer), "yes") == 0)
        return true;
    g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED, "not confirmed; nothing was changed");
    return false;
}
