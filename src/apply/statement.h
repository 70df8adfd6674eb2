/*
 * The two statements of a batch: multi-row DELETE by key, multi-row REPLACE. Pure.
 *
 * REPLACE cannot remove the row that holds a value of a unique index over arrays (1032, or 1062; 9.7.4). Tables with such an index
 * have all keys of the batch deleted, and get what is put with INSERT IGNORE. A row that this leaves out met its own
 * key, or a value of another row, which came from a chunk or from an earlier run that was ahead: newer than
 * the batch either way. So the row that was left out has a later event of its own, as in a chunk.
 */
#ifndef APPLY_STATEMENT_H
#define APPLY_STATEMENT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apply/batch.h"
#include "schema/exact_reals.h"
#include "schema/stored_check.h"
#include "schema/table.h"

/* Some entries of a batch, all of one table and one operation: one statement. */
struct slice {
    const struct moved_table *table;
    const struct batch *batch;
    const uint32_t *entries; /* indexes into the batch */
    size_t count;
    bool is_put;
};

/* What a writer formats with: its own, reused from slice to slice. */
struct statement_buffers {
    GString *sql;
    GString *scratch;
    struct column_text *values;
    size_t values_size;
    struct stored_check *check; /* of the statement's rows; NULL: they need none */
    struct exact_reals *reals;  /* of the same; NULL: none has such a value */
};

void statement_buffers_init(struct statement_buffers *buffers);
/* Gives back what an unusually large statement took. */
void statement_buffers_trim(struct statement_buffers *buffers);
void statement_buffers_clear(struct statement_buffers *buffers);

/* Builds the slice's statement in buffers->sql. MT_ERROR_DATA when a value cannot be told exactly.
 */
G_GNUC_WARN_UNUSED_RESULT bool statement_build(struct statement_buffers *buffers,
                                               const struct slice *slice, GError **error);

/* Puts "table s.t, row `id` IN (5): " before what the statement of a single row met, where that is an
 * error of the row or of the target, and names no row yet. Uses the buffers: the statement in them is
 * gone. */
void statement_name_row(struct statement_buffers *buffers, const struct slice *slice,
                        GError **error);

#endif
