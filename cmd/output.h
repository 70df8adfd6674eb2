/* Writing results, and asking. */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

#include <glib.h>
#include <stdbool.h>

/* Writes text to stdout and flushes. MT_ERROR_FAILED when that fails (a full disk, a closed
 * pipe): a result that did not arrive is no success. */
G_GNUC_WARN_UNUSED_RESULT bool output_write(const char *text, GError **error);

/* Whether a stream (STDOUT_FILENO, …) may be coloured: a terminal, NO_COLOR unset, TERM not dumb. */
bool output_has_colour(int fd);

/*
 * Asks on the terminal and waits for "yes". True without asking when
 * `assume_yes`. MT_ERROR_USAGE when stdin is no terminal, MT_ERROR_STOPPED
 * when the answer is not yes.
 */
G_GNUC_WARN_UNUSED_RESULT bool output_confirm(const char *question, bool assume_yes,
                                              GError **error);

#endif
