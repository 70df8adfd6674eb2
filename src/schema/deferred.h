/*
 * Secondary indexes that target tables are created without, and that are built when the rows are
 * there (copy.defer_indexes). Nothing is stored about it: what is missing is what the source's
 * definition has and the target's has not.
 *
 * Deferred are plain indexes (not unique, FULLTEXT or SPATIAL) that no foreign key of the set and no
 * AUTO_INCREMENT may need, and that an ALTER can add while rows are written. Pure, but for inspected
 * tables that are passed in.
 */
#ifndef SCHEMA_DEFERRED_H
#define SCHEMA_DEFERRED_H

#include <glib.h>
#include <stdbool.h>

#include "base/auto.h"
#include "schema/table.h"

/* What has to be known of the whole set: which columns foreign keys refer to. */
struct deferral;

/* Borrows moved_tables. Free with deferral_free(). */
struct deferral *deferral_of(GPtrArray *moved_tables);
void deferral_free(struct deferral *deferral);
STRUCT_AUTOPTR(deferral, deferral_free)

/* The names of the indexes of the table that may be deferred: a set of char *. Caller unrefs. */
GHashTable *deferral_names(const struct deferral *deferral, const struct moved_table *table);

/* The statement that creates the target table without them. NULL with MT_ERROR_PREFLIGHT as
 * create_statement_for_target(). Caller frees. */
char *deferral_create_statement(const struct deferral *deferral, const struct moved_table *table,
                                GError **error);

/*
 * Compares a target table with what it has to be, but for indexes that may be deferred.
 * *ret_missing: the names of those that it lacks, "`a`, `b`", NULL when it lacks none; caller frees.
 * *ret_difference: how it differs otherwise, as create_target_compare().
 */
struct create_difference;
G_GNUC_WARN_UNUSED_RESULT bool deferral_compare(const struct deferral *deferral,
                                                const struct moved_table *table,
                                                const struct table *found, char **ret_missing,
                                                struct create_difference **ret_difference,
                                                GError **error);

/* A target table as it was found. All of it NULL: it is what it has to be. */
struct deferral_state {
    char *missing;    /* "`a`, `b`": the deferred indexes that it lacks */
    char *alter;      /* the statement that adds them */
    char *difference; /* how it differs otherwise, in lines */
};

/* As deferral_compare(). Empty it with deferral_state_clear(). */
G_GNUC_WARN_UNUSED_RESULT bool deferral_look(const struct deferral *deferral,
                                             const struct moved_table *table,
                                             const struct table *found,
                                             struct deferral_state *ret_state, GError **error);
void deferral_state_clear(struct deferral_state *state);

/*
 * The ALTER TABLE that gives a target table all that it lacks, in the source's order; NULL when it
 * lacks none. Indexes that are there and stand behind one that is missing are dropped and added in
 * the same statement: the server sees that they are the same, and only changes their place. Caller
 * frees.
 */
char *deferral_alter_statement(const struct deferral *deferral, const struct moved_table *table,
                               const struct table *found);

/* For people: which indexes are built after the copy, and which are not and why. NULL when the table
 * has no secondary index. Caller frees. */
char *deferral_describe(const struct deferral *deferral, const struct moved_table *table);

#endif
