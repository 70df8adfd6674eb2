/* Which row of a part the target's message is about. Pure. */
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
};

/* Puts "table s.t, row `id` IN (5): " before the target's error, where its words tell the row ("at
 * row 3") or where it can only be the largest (max_allowed_packet); else "table s.t: ". */
void sent_row_name(const struct sent_rows *sent, GError **error);

#endif
