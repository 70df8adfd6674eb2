/*
 * How many rows the target's tables have, without counting during the cutover:
 * a COUNT(*) at a known point of the stream, plus what was inserted and less
 * what was deleted since.
 *
 * The count runs on a thread of its own: nothing waits for it longer than it
 * wants to. It is right once everything that chunks may have shown is applied.
 */
#ifndef CUTOVER_ROW_COUNT_H
#define CUTOVER_ROW_COUNT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "apply/applier.h"

struct row_count;

/* Starts to count every table on a snapshot of the target, taken between two batches. Borrows
 * applier and moved_tables. */
struct row_count *row_count_start(const struct server *target, struct applier *applier,
                                  GPtrArray *moved_tables);

/* Interrupts a count that is still running, joins and frees. NULL is allowed. */
void row_count_free(struct row_count *count);

/* Waits for the end of the count, at most timeout_ms or until a stop is requested. */
void row_count_wait(struct row_count *count, int64_t timeout_ms);

/* The counts at P, per table. False when the count has not ended, or failed. */
bool row_count_now(struct row_count *count, uint64_t *ret_rows);

#endif
