/*
 * TRANSACTION_PAYLOAD: a whole transaction in one event, compressed or not.
 *
 * Its inner events are given one by one as they come out of the decompressor:
 * memory is that of the largest inner event, whatever the transaction's size.
 * Inner events have no checksum, and no position of their own.
 */
#ifndef BINLOG_PAYLOAD_H
#define BINLOG_PAYLOAD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

/* One at a time; used again for the next payload. */
struct payload_reader;

struct payload_reader *payload_reader_new(void);
void payload_reader_free(struct payload_reader *reader);

/* Begins with the body of a TRANSACTION_PAYLOAD event, which must outlive the
 * reading. False with MT_ERROR_DATA when malformed or of an unknown compression. */
G_GNUC_WARN_UNUSED_RESULT bool payload_reader_begin(struct payload_reader *reader,
                                                    struct cursor body, GError **error);

/* The next inner event, valid until the next call. 1: found; 0: no more; -1: MT_ERROR_DATA. */
int payload_next(struct payload_reader *reader, const uint8_t **ret_event, size_t *ret_length,
                 GError **error);

#endif
