/* A run's progress for a terminal. Pure. */
#ifndef CLI_PROGRESS_TEXT_H
#define CLI_PROGRESS_TEXT_H

#include <glib.h>
#include <stdbool.h>

#include "base/progress.h"

struct screen {
    unsigned columns;
    unsigned rows;
    bool colour;
};

/*
 * Appends the picture: one line for the whole, one for each table as far as the
 * screen has room (those being copied first). Every line ends with '\n' and is
 * no wider than the screen. Gives the number of lines.
 */
unsigned progress_text_append(GString *text, const struct progress_snapshot *snapshot,
                              const struct screen *screen);

/* [=====>    ] of `width` characters, 3 or more. */
void progress_bar_append(GString *text, unsigned percent, unsigned width);

#endif
