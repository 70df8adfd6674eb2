/*
 * Values of DOUBLE(M,D) columns that have more digits than the column. Every INSERT, REPLACE and LOAD DATA
 * rounds what it is given to D digits; one DOUBLE column takes another one's value as it is, bit by
 * bit (that is how such values come about). So a row is written with a value near by, and gets its own one in the
 * same transaction from a derived table's DOUBLE column. It is read again: a server that rounds there
 * as well makes it MT_ERROR_DATA.
 *
 * The copy leaves rows alone that are there already, and this does not: its row is never older than
 * the one on the target, and where it is newer its event is still to come.
 *
 * Copy and apply use it alike; one thread at a time.
 */
#ifndef SCHEMA_EXACT_REALS_H
#define SCHEMA_EXACT_REALS_H

#include <glib.h>
#include <stdbool.h>

#include "base/auto.h"
#include "mysql/conn.h"
#include "schema/column_real.h"
#include "schema/column_text.h"
#include "schema/table.h"

/* How many a part may have: each takes most of a KiB. */
#define EXACT_REALS_MAX 1000

struct exact_reals;

/* Whether a column's value can be brought over this way: no FLOAT, whose column no derived table has,
 * and nothing where a key could take two values near by for one: a second unique key, or the one that the row
 * is found by, which may hold the column or be computed from it. */
bool exact_reals_possible(const struct table *table, const struct column *column);

void exact_reals_free(struct exact_reals *reals); /* NULL is nothing */
STRUCT_AUTOPTR(exact_reals, exact_reals_free)

/*
 * Notes a value that column_real_fit() has nothing for, of the row with that key (in key order), and
 * puts one near by in *text, for the row's statement: it lives as long as *reals, which is made where it
 * is NULL. Texts are copied. MT_ERROR_DATA, naming the column, where exact_reals_possible() is false.
 */
G_GNUC_WARN_UNUSED_RESULT bool exact_reals_put_near(struct exact_reals **reals,
                                                    const struct moved_table *table,
                                                    const struct column_text *key,
                                                    const struct column *column,
                                                    struct column_text *text, GError **error);

/* How many were noted; of NULL none. */
unsigned exact_reals_count(const struct exact_reals *reals);

/* Writes the values that were noted, in the transaction that wrote their rows, and reads them again. */
G_GNUC_WARN_UNUSED_RESULT bool exact_reals_run(const struct exact_reals *reals, struct conn *conn,
                                               GError **error);

#endif
