/*
 * Rows as the reader has them, and those among them whose JSON documents text
 * alone does not tell (schema/json_rebuild.h).
 *
 * Such a row says so itself: the SELECT that gives its texts gives, of the same
 * version of the row, what the texts lack. So nothing is asked a second time,
 * and it is pinned and written as its neighbours are.
 */
#ifndef COPY_JSON_ROWS_H
#define COPY_JSON_ROWS_H

#include <glib.h>
#include <stdbool.h>

#include "schema/table.h"

/* A row of select_rows_append(). */
struct json_row {
    const struct table *table;
    unsigned fields; /* written columns; the guards follow them */
    unsigned guards;
    /* Of the row at hand: set by the caller, borrowed. */
    char **values;
    unsigned long *lengths;
};

void json_row_init(struct json_row *row, const struct table *table);

/* True when the row has a document whose text is not the whole truth. */
bool json_row_is_typed(const struct json_row *row);

/* Appends `(…)` for INSERT, after a comma unless it is the first. MT_ERROR_DATA naming row and
 * column when a scalar in a document cannot be made on the target. */
G_GNUC_WARN_UNUSED_RESULT bool json_row_append(GString *sql, const struct json_row *row, bool first,
                                               GError **error);

#endif
