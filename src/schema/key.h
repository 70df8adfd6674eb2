/*
 * Conditions over a table's chosen key, as MySQL answers them rightly and from the index.
 *
 * Use these rather than building conditions from column_key_literal_append():
 * a row constructor `(a, b) IN ((1, 2), (3, 4))` finds nothing when a column of it
 * is an ENUM or a SET (8.0 to 9.7), and `enum > 2` does not use the index.
 *
 * `parts` are the values of the key's columns in key order. Pure, thread-safe.
 */
#ifndef SCHEMA_KEY_H
#define SCHEMA_KEY_H

#include <glib.h>
#include <stdbool.h>

#include "schema/column_text.h"
#include "schema/table.h"

/* Appends "`a`,`b`": for SELECT lists. */
void key_columns_append(GString *sql, const struct table *table);

/* Appends "`a`,`b` DESC": the order in which a table is walked, for ORDER BY. It is the index's own, or that
 * backwards where MySQL can read it so, for it sorts nothing then. */
void key_order_append(GString *sql, const struct table *table);

/* The key and the order of the walk, in words: bounds of one order mean other rows in another. Caller
 * frees. */
char *key_walk_text(const struct table *table);

/* Rows whose key is one of several: key_in_begin(), key_in_append() once or more
 * (`first` for the first one), key_in_end(). MySQL gives up the index beyond
 * range_optimizer_max_mem_size (8 MiB: some ten thousand parts). */
void key_in_begin(GString *sql, const struct table *table);
void key_in_append(GString *sql, const struct table *table, const struct column_text *parts,
                   bool first);
void key_in_end(GString *sql, const struct table *table);

/* Rows whose key comes behind `after`, up to and with `until`, in the walk's order; NULL is an open end.
 * Appends "TRUE" when both are open. */
void key_range_append(GString *sql, const struct table *table, const struct column_text *after,
                      const struct column_text *until);

/* False when the first column's ranges cannot be answered from the index (an
 * ENUM or SET of too many values): exact, but each chunk scans from the start. */
bool key_ranges_use_index(const struct table *table);

#endif
