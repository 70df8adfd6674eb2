/* The migrations on a server: see migrations.h for the rules, checkpoint.h for what others call. */
#ifndef CHECKPOINT_SCHEMA_INT_H
#define CHECKPOINT_SCHEMA_INT_H

#include <glib.h>
#include <stdbool.h>

#include "checkpoint/migrations.h"
#include "config/config.h"
#include "mysql/conn.h"

/*
 * Reads schema_migrations: struct applied_migration by ascending number; empty
 * when there is no checkpoint yet. MT_ERROR_PREFLIGHT when the user may not read it. Writes nothing.
 */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *schema_read(struct conn *target, const struct config *config,
                                                 GError **error);

/*
 * Reads it and decides: see migration_plan_make(). Clear *ret_plan with migration_plan_clear();
 * its `unknown` are borrowed from *ret_applied. Writes nothing.
 */
G_GNUC_WARN_UNUSED_RESULT bool schema_plan(struct conn *target, const struct config *config,
                                           bool strict, GPtrArray **ret_applied,
                                           struct migration_plan *ret_plan, GError **error);

/*
 * For whatever reads or writes an existing checkpoint: MT_ERROR_CHECKPOINT when this build does not
 * know what is stored there, be it newer or not upgraded yet. Writes nothing.
 */
G_GNUC_WARN_UNUSED_RESULT bool schema_allows(struct conn *target, const struct config *config,
                                             GError **error);

#endif
