/* Reading definitions from a server. */
#ifndef SCHEMA_INSPECT_H
#define SCHEMA_INSPECT_H

#include <glib.h>
#include <stdbool.h>

#include "mysql/conn.h"
#include "schema/table.h"

/* Inspects one table. *ret_table is NULL, without error, when it does not exist.
 * A view or a table of another engine is returned as such (engine), without columns missing. */
G_GNUC_WARN_UNUSED_RESULT bool inspect_table(struct conn *conn, const char *schema,
                                             const char *name, struct table **ret_table,
                                             GError **error);

/* Tables that are inspected together, by few queries: an array to which names are added, in the
 * caller's order, and from which the tables are taken afterwards. Freed with what was not taken. */
GPtrArray *inspections_new(void);
void inspections_add(GPtrArray *wanted, const char *schema, const char *name);
/* The same, filled: the config's source tables, in its order; the moved tables' targets, in theirs. */
GPtrArray *inspections_of_sources(const struct config *config);
GPtrArray *inspections_of_targets(const GPtrArray *moved_tables);

/* As inspect_table(), all of them. Once only for an array. */
G_GNUC_WARN_UNUSED_RESULT bool inspect_tables(struct conn *conn, GPtrArray *wanted, GError **error);

/* The table at this place, now the caller's; NULL when it does not exist. */
struct table *inspections_take(GPtrArray *wanted, guint index);

/* Inspects every table of the move on the source: an array of struct
 * moved_table (freed with the array). MT_ERROR_PREFLIGHT when one is missing. */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *inspect_moved_tables(struct conn *source,
                                                          const struct config *config,
                                                          GError **error);

void moved_table_free(struct moved_table *table);

/* create_sql with its name replaced by the target's and AUTO_INCREMENT=… taken
 * out, every other character kept; foreign keys inside the set are pointed at
 * the set's target names. Pure. Caller frees. */
char *create_statement_for_target(const struct moved_table *table, GPtrArray *moved_tables,
                                  GError **error);

/* What the digest is of: create_sql without name and AUTO_INCREMENT. Pure. Caller frees. */
char *create_statement_normalized(const char *create_sql);

struct create_options {
    bool resuming;      /* what is there may hold rows, and lack indexes that may come later */
    bool defer_indexes; /* what is made is made without those */
};

/* Creates the schemas and target tables that are missing; those that exist
 * must be equal (and empty, unless resuming). Sets indexes_missing of every table. */
G_GNUC_WARN_UNUSED_RESULT bool create_target_tables(struct conn *target, GPtrArray *moved_tables,
                                                    const struct create_options *options,
                                                    GError **error);

#endif
