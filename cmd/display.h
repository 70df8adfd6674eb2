/* Shows a run's progress: painted on a terminal, as a log line elsewhere. */
#ifndef CMD_DISPLAY_H
#define CMD_DISPLAY_H

#include <glib.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/progress.h"

struct display;

/*
 * Starts the display's thread. On a terminal (stderr, unless `plain`) the picture
 * is painted four times a second below the log's lines; elsewhere one line is
 * logged every log_interval_s. Borrows progress. Call before other threads log.
 */
G_GNUC_WARN_UNUSED_RESULT struct display *display_begin(struct progress *progress,
                                                        int64_t log_interval_s, bool plain,
                                                        GError **error);

/* Paints the last picture, which stays, and ends the thread. After every other thread that logs. */
void display_end(struct display *display);
STRUCT_AUTOPTR(display, display_end)

/* Takes the picture away so that a question can be asked, and puts it back. */
void display_hide(struct display *display);
void display_show(struct display *display);

#endif
