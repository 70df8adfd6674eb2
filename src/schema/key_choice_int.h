/* Which unique key a move walks by. Pure: for inspect.c. */
#ifndef SCHEMA_KEY_CHOICE_INT_H
#define SCHEMA_KEY_CHOICE_INT_H

#include <glib.h>
#include <stdbool.h>

#include "schema/table.h"

/* One part of a unique key, as information_schema.STATISTICS lists it. */
struct index_part {
    const char *index_name;
    const char *column_name; /* NULL: an expression */
    bool is_prefix;          /* SUB_PART is set */
    bool is_visible;
    bool is_descending;
};

/*
 * Fills key_name, key_columns, key_descending, key_problem and other_unique_keys from the parts
 * of all unique keys, ordered by key and place in it. PRIMARY comes first; among
 * other keys the one with the fewest columns, then the fewest bytes.
 */
void key_choose(struct table *table, const struct index_part *parts, size_t count);

#endif
