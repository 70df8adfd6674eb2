/* Which row a message is about: by its key, never by its values. Pure, thread-safe. */
#ifndef SCHEMA_ROW_NAME_H
#define SCHEMA_ROW_NAME_H

#include <glib.h>
#include <stdbool.h>

#include "schema/column_text.h"
#include "schema/table.h"

/* Puts "table s.t, row `id` IN (5): " before an error. `parts`: the key's values in key order;
 * NULL: they are not known, and the table alone is named. Long keys are cut. */
void row_name_prefix(GError **error, const struct table *table, const struct column_text *parts);

/* Whether row_name_prefix() stands before it already. */
bool row_is_named(const GError *error);

#endif
