/* Which row of a part the target's message is about, and the rows one by one. Pure. */
#ifndef COPY_SENT_ROW_H
#define COPY_SENT_ROW_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "schema/table.h"

/* What was sent: lines of LOAD DATA, or an INSERT's rows behind insert_head_append(). Borrowed. */
struct sent_rows {
    const struct moved_table *table;
    const char *bytes;
    size_t length;
    bool is_insert;
    bool is_one_row;
};

/* Puts "table s.t, row `id` IN (5): " before the target's error, where its words tell the row ("at
 * row 3") or there is only one; else, but for MT_ERROR_DATA, "table s.t: ". */
void sent_row_name(const struct sent_rows *sent, GError **error);

/* Where in the rows one by one: zeroed at first. */
struct sent_place {
    size_t offset;
};
/* The next of the rows alone: a line, or an INSERT that is made in `statement` and borrowed from it.
 * False behind the last one. */
bool sent_rows_next(const struct sent_rows *sent, struct sent_place *place, GString *statement,
                    struct sent_rows *ret_row);

#endif
