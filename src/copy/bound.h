/*
 * Bounds of key ranges: the key columns' texts (schema/column_text.h).
 *
 * A bound is never compared here: MySQL compares, because collations do not
 * sort like bytes. Immutable once made; shared by reference count.
 */
#ifndef COPY_BOUND_H
#define COPY_BOUND_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "schema/column_text.h"

struct bound;

/* Copies the texts. */
struct bound *bound_new(const struct column_text *texts, size_t parts);
struct bound *bound_ref(struct bound *bound); /* NULL gives NULL */
void bound_unref(struct bound *bound);
STRUCT_AUTOPTR(bound, bound_unref)

/* The parts in key order. Borrowed. */
const struct column_text *bound_texts(const struct bound *bound);

/* `["31","6162"]`: every part in hex, so that it survives any byte. Caller frees. */
char *bound_to_json(const struct bound *bound);
/* NULL with MT_ERROR_CHECKPOINT when it is not one, or has another number of parts. */
G_GNUC_WARN_UNUSED_RESULT struct bound *bound_from_json(const char *json, size_t parts,
                                                        GError **error);

#endif
