/* The migrations on a server: see migrations.h for the rules, checkpoint.h for checkpoint_schema_ensure(). */
#ifndef CHECKPOINT_SCHEMA_INT_H
#define CHECKPOINT_SCHEMA_INT_H

#include <glib.h>
#include <stdbool.h>

#include "config/config.h"
#include "mysql/conn.h"

/*
 * Reads schema_migrations: struct applied_migration by ascending number; empty
 * when there is no checkpoint yet. Writes nothing.
 */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *schema_read(struct conn *target, const struct config *config,
                                                 GError **error);

/*
 * For commands that write into an existing checkpoint without a runner's rights:
 * MT_ERROR_CHECKPOINT when this build must not touch it. Writes nothing.
 */
G_GNUC_WARN_UNUSED_RESULT bool schema_allows(struct conn *target, const struct config *config,
                                             GError **error);

#endif
