/* Inside of the outbox: rows read, locked and named. */
#ifndef CHECKPOINT_OUTBOX_INT_H
#define CHECKPOINT_OUTBOX_INT_H

#include <glib.h>

#include "checkpoint/outbox.h"
#include "mysql/conn.h"

/* Rows of hook_delivery as struct delivery. NULL with MT_ERROR_CHECKPOINT when one is in a state
 * that this build does not know. */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *outbox_read(const struct result *rows, GError **error);

/* All deliveries of the move, oldest first, locked until the transaction on `target` ends. */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *outbox_lock(struct conn *target, const struct config *config,
                                                 GError **error);

/* Appends ` WHERE …`, which names one delivery. */
void outbox_add_key(GString *sql, const struct config *config, const struct delivery *delivery);

#endif
