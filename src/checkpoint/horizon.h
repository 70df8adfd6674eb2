/*
 * The horizon: an upper bound of what the target may show of the source.
 *
 * Before anything of a batch is applied, and before rows of a chunk are
 * committed, every source transaction that may be in them is durable in
 * move_tables.move.horizon. A source that does not have all of these (a
 * failover to a replica that had not received them) is refused on every
 * connect, because no later event would take their rows back.
 */
#ifndef CHECKPOINT_HORIZON_H
#define CHECKPOINT_HORIZON_H

#include <glib.h>
#include <stdbool.h>

#include "binlog/gtid.h"
#include "binlog/stream.h"
#include "checkpoint/checkpoint.h"

struct horizon;

/* `initial` is copied; checkpoint is borrowed. Free with horizon_free(). */
struct horizon *horizon_new(struct checkpoint *checkpoint, const struct gtid_set *initial);
void horizon_free(struct horizon *horizon);

/* The stream whose reconnects check it from now on; NULL: none. */
void horizon_set_stream(struct horizon *horizon, struct stream *stream);

/* Returns once the set is durably covered: at once when it was before. Thread-safe. */
G_GNUC_WARN_UNUSED_RESULT bool horizon_cover(struct horizon *horizon, const struct gtid_set *set,
                                             GError **error);

#endif
