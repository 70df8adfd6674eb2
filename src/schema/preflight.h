/* Preflight: everything that can be known to be wrong before anything is changed. Read-only. */
#ifndef SCHEMA_PREFLIGHT_H
#define SCHEMA_PREFLIGHT_H

#include <glib.h>
#include <stdbool.h>

#include "config/config.h"
#include "mysql/conn.h"

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_ERROR };

struct finding {
    enum finding_level level;
    char *subject; /* "source gtid_mode", "table shop.orders", "grant on target" */
    char *message; /* what was found */
    char *cure;    /* the statement or step that mends it; NULL when nothing is to be done */
};

void finding_free(struct finding *finding);

struct preflight_connections {
    struct conn *source_primary; /* where RENAME will run */
    struct conn *reader;         /* read_from; the same conn as source_primary without it */
    struct conn *target;
};

struct preflight_options {
    bool resuming; /* target tables may exist and hold rows */
};

/*
 * Runs every check and returns all findings (struct finding), in a stable
 * order; an error only when a server could not be asked. Grants, settings,
 * versions, tables, names, foreign keys, triggers, retention.
 */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *preflight_run(const struct config *config,
                                                   const struct preflight_connections *conns,
                                                   const struct preflight_options *options,
                                                   GError **error);

/* Only what `cutover.triggers: create` needs, of a move whose target tables are there: moved_tables are
 * the source's, by their original names. No reader is asked. */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *preflight_run_triggers(
    const struct config *config, const struct preflight_connections *conns, GPtrArray *moved_tables,
    GError **error);

/* True when no finding is an error. */
bool preflight_passed(const GPtrArray *findings);

#endif
