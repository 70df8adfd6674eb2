/* The SQL of the copy. Pure; everything appends to the caller's GString. */
#ifndef COPY_SELECT_H
#define COPY_SELECT_H

#include <glib.h>
#include <stdint.h>

#include "copy/bound.h"
#include "schema/table.h"

/* The key `rows` rows after `lower` (NULL: the table's start), as column texts:
 * no row when fewer are left. */
void select_bound_append(GString *sql, const struct table *table, const struct bound *lower,
                         uint64_t rows);

/* Every written column of the rows in (lower, upper], then the guards of those that have one
 * (column_guard_append()), then the STORED columns to compare; NULL bounds are open. */
void select_rows_append(GString *sql, const struct table *table, const struct bound *lower,
                        const struct bound *upper);

/* `LOAD DATA LOCAL … IGNORE …`: rows that exist are left alone. */
void load_statement_append(GString *sql, const struct moved_table *table);

/* `INSERT INTO … (…) VALUES ` and what follows the rows: rows that exist are
 * left alone without hiding any other error, as IGNORE would. */
void insert_head_append(GString *sql, const struct moved_table *table);
void insert_tail_append(GString *sql, const struct moved_table *table);

#endif
