/*
 * STORED generated columns whose value is not a matter of the row alone: the source stored what
 * the session gave that wrote the row, the target computes it in the move's. So what was written is read
 * again, in the same transaction, and a row with another value is refused.
 *
 * Copy and apply use it alike; one thread at a time. `values` are texts by column number of the table (column_text.h).
 */
#ifndef SCHEMA_STORED_CHECK_H
#define SCHEMA_STORED_CHECK_H

#include <glib.h>
#include <stdbool.h>

#include "base/auto.h"
#include "mysql/conn.h"
#include "schema/column_text.h"
#include "schema/table.h"

/* How many rows a part may have whose rows are read again. */
#define STORED_CHECK_ROWS_MAX 1000

struct stored_check;

/* True when the table has such columns (column->compared). */
bool stored_check_wanted(const struct table *table);

/* `whole`: rows may be there already, in another version, and are left alone then: only a row that is on the target
 * as it was added is looked at. `table` must outlive it. */
struct stored_check *stored_check_new(const struct moved_table *table, bool whole);
void stored_check_free(struct stored_check *check);
STRUCT_AUTOPTR(stored_check, stored_check_free)

/* Room for a row's values, to fill and add. Borrowed. */
struct column_text *stored_check_row(struct stored_check *check);

/* A row that is written. */
void stored_check_add(struct stored_check *check, const struct column_text *values);

/* Reads the rows that were added, in the transaction that wrote them. MT_ERROR_DATA, naming row and column,
 * when the target computed another value. */
G_GNUC_WARN_UNUSED_RESULT bool stored_check_run(struct stored_check *check, struct conn *conn,
                                                GError **error);

#endif
