/*
 * FLOAT(M,D) and DOUBLE(M,D): the server rounds what it is given to D digits, and may round what
 * it has itself stored to another value. Here is what to give it so that it stores a given value.
 *
 * Pure functions, thread-safe; none of them allocates, but for column_real_refuse().
 */
#ifndef SCHEMA_COLUMN_REAL_H
#define SCHEMA_COLUMN_REAL_H

#include <glib.h>
#include <stdbool.h>

#include "schema/column_text.h"

/* Room for the text of any double. */
#define COLUMN_REAL_BYTES 64

/* Fills column->fixed_…: once, when the column is inspected. */
void column_real_prepare(struct column *column);

/*
 * For a column of fixed_digits: replaces *text, where it must be, by one in `buffer` that is stored
 * as the same value, bit by bit. False, and *text untouched: nothing is stored as that value, as it has
 * more digits than the column (see exact_reals.h). NULL is left.
 */
G_GNUC_WARN_UNUSED_RESULT bool column_real_fit(const struct column *column,
                                               char buffer[COLUMN_REAL_BYTES],
                                               struct column_text *text);

/* For a value that column_real_fit() has nothing for: puts one near by, or 0 where that is out of
 * range, in *text, in `buffer`, which column_real_fit() takes. */
void column_real_near(const struct column *column, char buffer[COLUMN_REAL_BYTES],
                      struct column_text *text);

/* Sets the error for a value that column_real_fit() has nothing for: MT_ERROR_DATA, naming the column. */
void column_real_refuse(const struct column *column, GError **error);

#endif
