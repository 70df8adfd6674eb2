/*
 * Rows as the reader has them, and those among them that LOAD DATA cannot write as
 * they are: an ENUM's error value 0, or a JSON document that text alone does not
 * tell (schema/json_rebuild.h). An INSERT writes these.
 *
 * Such a row says so itself: the SELECT that gives its texts gives, of the same
 * version of the row, what the texts lack. So nothing is asked a second time,
 * and it is pinned and written as its neighbours are.
 */
#ifndef COPY_TYPED_ROW_H
#define COPY_TYPED_ROW_H

#include <glib.h>
#include <stdbool.h>

#include "schema/exact_reals.h"
#include "schema/stored_check.h"
#include "schema/table.h"

/* A row of select_rows_append(). */
struct typed_row {
    const struct moved_table *moved;
    const struct table *table; /* moved->source */
    unsigned fields; /* written columns; the guards follow them, then the columns to compare */
    unsigned guards;
    GArray *enums; /* unsigned: the fields that are ENUMs */
    /* Of the row at hand: set by the caller, borrowed. */
    char **values;
    unsigned long *lengths;
    struct exact_reals **reals; /* of what the row goes to; made when it is needed */
};

void typed_row_init(struct typed_row *row, const struct moved_table *moved);
void typed_row_clear(struct typed_row *row);

/* True when only an INSERT can write the row. */
bool typed_row_needs_insert(const struct typed_row *row);

/* Appends a line of LOAD DATA's file; a value that only an update stores is noted in *row->reals.
 * MT_ERROR_DATA naming row and column when the target would store another value. */
G_GNUC_WARN_UNUSED_RESULT bool loaded_row_append(GString *file, const struct typed_row *row,
                                                 GError **error);

/* The same as `(…)` for INSERT, after a comma unless it is the first. MT_ERROR_DATA naming row and
 * column when a value cannot be made on the target. */
G_GNUC_WARN_UNUSED_RESULT bool typed_row_append(GString *sql, const struct typed_row *row,
                                                bool first, GError **error);

/* Adds the row to those that are read again once they are written. */
void typed_row_check(const struct typed_row *row, struct stored_check *check);

#endif
