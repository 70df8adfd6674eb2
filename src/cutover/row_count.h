/*
 * How many rows the target's tables have, without counting during the cutover:
 * a COUNT(*) at a known point of the stream, plus what was inserted and less
 * what was deleted since.
 */
#ifndef CUTOVER_ROW_COUNT_H
#define CUTOVER_ROW_COUNT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "apply/applier.h"

struct row_count;

/* Counts every table on a snapshot of the target, taken between two batches. Takes as long as the
 * tables are large; the stream goes on meanwhile. Only right once everything is copied and applied.
 */
G_GNUC_WARN_UNUSED_RESULT struct row_count *row_count_new(const struct server *target,
                                                          struct applier *applier,
                                                          GPtrArray *moved_tables, GError **error);
void row_count_free(struct row_count *count);

/* The counts at P, per table. */
void row_count_now(const struct row_count *count, uint64_t *ret_rows);

#endif
