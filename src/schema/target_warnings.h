/* What the target's warnings say of the rows that were just written. */
#ifndef SCHEMA_TARGET_WARNINGS_H
#define SCHEMA_TARGET_WARNINGS_H

#include <glib.h>
#include <stdbool.h>

#include "mysql/conn.h"
#include "schema/table.h"

/* Rows that one statement may write so that the server lists every warning of theirs: 1,024 are
 * listed (max_error_count) unless somebody changed it. Pure. */
unsigned target_warnings_rows_max(const struct table *table);

/*
 * True for a warning about a value that the target computes, as the source did: of a
 * generated column, or of an index over an expression. `code` and `message` as SHOW
 * WARNINGS gives them, in English. Pure.
 */
bool target_warning_is_computed(const struct table *table, const char *code, const char *message);

/*
 * Looks at the warnings of the statement that `conn` has just run. Accepted are those
 * of rows that were left alone (1062), and of values that the target computes; any
 * other one means that a value is not stored as it was given: MT_ERROR_DATA.
 * *ret_all_seen is false when there are more than the server lists.
 */
G_GNUC_WARN_UNUSED_RESULT bool target_warnings_accept(struct conn *conn,
                                                      const struct moved_table *table,
                                                      bool *ret_all_seen, GError **error);

/* The error for warnings that were not all seen, though the rows were few enough. Always false. */
bool target_warnings_unseen(const struct moved_table *table, GError **error);

#endif
