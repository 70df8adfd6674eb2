/*
 * A batch: transactions folded to the last image per key.
 *
 * Pure: takes fragments, keeps them, and gives for every touched key either
 * "delete" or "put this image". One thread at a time while it is filled;
 * read-only (and shared by the writers) while it is applied.
 */
#ifndef APPLY_BATCH_H
#define APPLY_BATCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "binlog/gtid.h"
#include "binlog/transaction.h"

/* What becomes of one key. */
struct batch_entry {
    uint32_t table;
    bool is_put;            /* false: delete; then `image` is a before image: its key counts */
    struct row_image image; /* borrowed from a fragment that the batch keeps */
    const struct row_layout *layout;
    uint64_t hash; /* of table and key bytes */
    uint32_t key_length;
    size_t key_offset; /* into the batch's key arena */
};

struct batch;

/* `tables`: how many table numbers there are. */
struct batch *batch_new(unsigned tables);
void batch_free(struct batch *batch);
STRUCT_AUTOPTR(batch, batch_free)

/* Folds a fragment in and keeps it until batch_clear(). MT_ERROR_DATA when an
 * image's key cannot be read. */
G_GNUC_WARN_UNUSED_RESULT bool batch_add(struct batch *batch, struct fragment *fragment,
                                         GError **error);

/* Empties it, keeping its memory for the next one. */
void batch_clear(struct batch *batch);

/* One entry per touched key, in the order in which the keys were first touched. */
size_t batch_entries(const struct batch *batch);
const struct batch_entry *batch_entry(const struct batch *batch, size_t index);

/* What was folded in. */
uint64_t batch_changes(const struct batch *batch);
uint64_t batch_transactions(const struct batch *batch);
/* Inserts less deletes of one table, before folding, of the transactions that end in the batch. */
int64_t batch_row_delta(const struct batch *batch, unsigned table);
size_t batch_bytes(const struct batch *batch);

/* Adds the GTIDs of the transactions that end in this batch. */
void batch_add_position(const struct batch *batch, struct gtid_set *position);
/* Adds every GTID of which something is in this batch. */
void batch_add_horizon(const struct batch *batch, struct gtid_set *horizon);
/* The latest commit time in it; 0 unknown. */
int64_t batch_commit_us(const struct batch *batch);

#endif
