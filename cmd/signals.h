/* SIGTERM and SIGINT: the first asks everybody to stop, the second ends the process. */
#ifndef CMD_SIGNALS_H
#define CMD_SIGNALS_H

#include <glib.h>
#include <stdbool.h>

#include "base/auto.h"

struct signals;

/* Blocks the signals in the calling thread and all that it starts, and begins to
 * wait for them. Call before any other thread is started. */
G_GNUC_WARN_UNUSED_RESULT struct signals *signals_begin(GError **error);

/* Ends the waiting. The signals stay blocked: the process is about to end. */
void signals_end(struct signals *signals);
STRUCT_AUTOPTR(signals, signals_end)

#endif
