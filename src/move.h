/* A move, from its file to the acknowledged hook. */
#ifndef MOVE_H
#define MOVE_H

#include <glib.h>
#include <stdbool.h>

#include "base/progress.h"
#include "config/config.h"

struct move_options {
    bool fresh;                /* discard the checkpoint and the partly filled target tables */
    bool strict_checkpoint;    /* refuse any difference of the checkpoint's schema */
    bool until_ready;          /* end when only the cutover is left */
    struct progress *progress; /* borrowed; one entry per table of the config; NULL: none */
    /* Asked before --fresh drops anything; `question` lists it. False with an
     * error, or without one when the answer is no. NULL: yes. */
    bool (*confirm)(void *context, const char *question, GError **error);
    void *confirm_context;
};

/*
 * Runs the move, from the start or from its checkpoint, until it is completed
 * (or `until_ready`). Blocks; stop_request() ends it. Errors: see base/error.h.
 */
G_GNUC_WARN_UNUSED_RESULT bool move_run(const struct config *config,
                                        const struct move_options *options, GError **error);

#endif
