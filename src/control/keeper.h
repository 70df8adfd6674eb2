/*
 * The keeper: a thread beside the move that keeps the lease, takes commands,
 * holds the copy back when the stream lags, and saves the checkpoint; and one
 * that keeps the source's lock.
 */
#ifndef CONTROL_KEEPER_H
#define CONTROL_KEEPER_H

#include <glib.h>
#include <stdbool.h>

#include "apply/applier.h"
#include "base/progress.h"
#include "checkpoint/checkpoint.h"
#include "config/config.h"
#include "copy/copier.h"
#include "cutover/renamer.h"
#include "hook/hook.h"

struct keeper_options {
    const struct config *config;
    struct checkpoint *checkpoint;
    struct lease *lease;
    struct renamer *renamer;
    struct hook_sender *sender;
    struct inbox *inbox;     /* NULL with the applier */
    struct applier *applier; /* NULL once nothing flows */
    struct copier *copier;   /* NULL when everything was copied before */
    struct progress *progress;
    const GPtrArray *states;                  /* struct table_state: the tables' names */
    bool paused;                              /* as stored */
    void (*cutover_requested)(void *context); /* an operator asked for it; stored already */
    void (*failed)(void *context, const GError *error);
    void *context;
};

struct keeper;

/* Starts the threads. Options are copied; what they point to must outlive the keeper. */
struct keeper *keeper_start(const struct keeper_options *options);
/* Ends and joins; saves nothing. */
void keeper_stop(struct keeper *keeper);

/* Saves position and ranges as they are at this moment. For the keeper itself and for the end of a
 * run. `copier` NULL: ranges are left as stored. */
G_GNUC_WARN_UNUSED_RESULT bool keeper_save(const struct keeper_options *options, GError **error);

#endif
