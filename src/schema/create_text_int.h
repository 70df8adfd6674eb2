/* Comparing definitions as text: for create.c and preflight. Pure. */
#ifndef SCHEMA_CREATE_TEXT_INT_H
#define SCHEMA_CREATE_TEXT_INT_H

#include <glib.h>
#include <stdbool.h>

#include "base/auto.h"
#include "schema/table.h"

/* How two definitions differ. */
struct create_difference {
    char *lines; /* "- line of the source" and "+ line of the target" */
    char *cure;  /* ALTER TABLE that makes the target equal, or NULL when it is not that simple */
};

void create_difference_free(struct create_difference *difference);
STRUCT_AUTOPTR(create_difference, create_difference_free)

/* Compares what the target should have with what it has, both normalized; NULL
 * when they are equal. `target` is the quoted table name for the cure. Caller frees. */
struct create_difference *create_difference_new(const char *wanted, const char *found,
                                                const char *target);

/*
 * The first column or literal whose characters SHOW CREATE TABLE may not have
 * shown: MySQL prints it in utf8mb3, and '?' for what that lacks, so that a
 * table made from it could differ. Labels of ENUM and SET, and literals in
 * expressions. NULL when there is none. Caller frees.
 */
char *create_statement_doubtful_text(const struct table *table);

/*
 * Compares a table found on the target with what the move would create there.
 * *ret_difference is NULL when they are equal. Fails only as
 * create_statement_for_target() does.
 */
G_GNUC_WARN_UNUSED_RESULT bool create_target_compare(const struct moved_table *table,
                                                     GPtrArray *moved_tables,
                                                     const struct table *found,
                                                     struct create_difference **ret_difference,
                                                     GError **error);

/*
 * "generated column `d`" or "index `i`" when it holds a value that was computed from a
 * TIMESTAMP in the time zone of the session that wrote the row: STORED, or in an index.
 * NULL when there is none; TIMESTAMP itself, and whether it is NULL, do not count.
 * Pure. Caller frees.
 */
char *create_statement_zone_dependent(const struct table *table);

/*
 * The name of the first unique index, the primary key included, over an expression or a generated
 * column that may depend on settings of the session that wrote the row (session_free.h). NULL when there is none.
 * Pure. Caller frees.
 */
char *create_statement_session_unique(const struct table *table);

/* Whether a unique index is over `cast(… as … array)`: one row has several values in it. Pure. */
bool create_statement_unique_array(const struct table *table);

/*
 * What two tables are compared by: create_statement_normalized() without the
 * character set of a column whose collation is there, which implies it. MySQL leaves
 * it out for a column that took it from its table, and prints it once the table is
 * made again from what was printed. Caller frees.
 */
char *create_statement_comparable(const char *create_sql);

#endif
