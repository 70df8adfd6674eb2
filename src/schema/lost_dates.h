/*
 * Dates that no calendar has, where the server itself loses the rows that hold them.
 *
 * With ALLOW_INVALID_DATES a DATE or DATETIME takes 2020-02-31. TO_DAYS() of such a column is a number, and
 * the row goes into the partition of that number; TO_DAYS('2020-02-31') of a constant is NULL. So where a
 * table is partitioned by such a function, a condition on the column is looked for in other partitions
 * than the row is in, and the row is not found: not by a chunk's range, not by a DELETE, not by a verification.
 */
#ifndef SCHEMA_LOST_DATES_H
#define SCHEMA_LOST_DATES_H

#include <glib.h>
#include <stdbool.h>

#include "schema/column_text.h"
#include "schema/table.h"

/* Sets column->partition_days of the columns that such a function of the partitioning is over; from
 * table->create_sql. */
void lost_dates_mark(struct table *table);

/* Whether the text is of such a date: of a column that is marked. Pure. */
bool lost_dates_is_one(struct column_text text);

/* Whether rows with that value of the column (NULL or not) may not be found. Asked for every value: pure. */
static inline bool
lost_dates_holds(const struct column *column, struct column_text text)
{
    return column->partition_days && lost_dates_is_one(text);
}

/* Sets MT_ERROR_DATA: what is the matter with the column's value, without the value. */
void lost_dates_refuse(const struct column *column, GError **error);

/* Appends a SELECT that gives a row when the table holds such a value; it reads all rows. False, and
 * nothing appended, when no column is marked. */
bool lost_dates_select_append(GString *sql, const struct table *table);

#endif
