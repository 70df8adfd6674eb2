#include "apply/batch.h"

#include <string.h>

#include "base/error.h"

#define SLOTS_FIRST 4096 /* a power of two */

struct batch {
    GPtrArray *fragments; /* struct fragment, owned */
    GArray *entries;      /* struct batch_entry */
    GByteArray *keys;     /* the key arena */
    uint32_t *slots;      /* open addressing: entry index + 1, 0 empty */
    size_t slots_count;
    unsigned tables;
    int64_t *row_deltas;  /* per table, of the transactions that end in this batch */
    int64_t *open_deltas; /* the same of the one that did not end yet; kept over batch_clear() */
    GArray
        *open_tables; /* unsigned: whose open_deltas may be other than 0; of thousands, few are */
    uint64_t open_seq;
    uint64_t changes;
    uint64_t transactions;
    size_t bytes;
    int64_t commit_us;
};

struct batch *
batch_new(unsigned tables)
{
    struct batch *batch = g_new0(struct batch, 1);
    batch->fragments = g_ptr_array_new_with_free_func((GDestroyNotify)fragment_free);
    batch->entries = g_array_new(FALSE, FALSE, sizeof(struct batch_entry));
    batch->keys = g_byte_array_new();
    batch->tables = tables;
    batch->row_deltas = g_new0(int64_t, tables);
    batch->open_deltas = g_new0(int64_t, tables);
    batch->open_tables = g_array_new(FALSE, FALSE, sizeof(unsigned));
    batch->slots_count = SLOTS_FIRST;
    batch->slots = g_new0(uint32_t, batch->slots_count);
    return batch;
}

void
batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    g_ptr_array_unref(batch->fragments);
    g_array_unref(batch->entries);
    g_byte_array_unref(batch->keys);
    g_free(batch->slots);
    g_free(batch->row_deltas);
    g_free(batch->open_deltas);
    g_array_unref(batch->open_tables);
    g_free(batch);
}

void
batch_clear(struct batch *batch)
{
    g_ptr_array_set_size(batch->fragments, 0);
    g_array_set_size(batch->entries, 0);
    g_byte_array_set_size(batch->keys, 0);
    memset(batch->slots, 0, batch->slots_count * sizeof *batch->slots);
    memset(batch->row_deltas, 0, batch->tables * sizeof *batch->row_deltas);
    batch->changes = 0;
    batch->transactions = 0;
    batch->bytes = 0;
    batch->commit_us = 0;
}

/* FNV-1a over 8 bytes at a time, with a final mix: keys are short. */
static uint64_t
hash_key(uint32_t table, const uint8_t *key, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325ULL ^ table;
    while (length >= 8) {
        uint64_t word;
        memcpy(&word, key, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
        hash ^= hash >> 32;
        key += 8;
        length -= 8;
    }
    for (; length > 0; length--)
        hash = (hash ^ *key++) * 0x100000001b3ULL;
    hash ^= hash >> 29;
    hash *= 0xbf58476d1ce4e5b9ULL;
    return hash ^ (hash >> 32);
}

static void
grow(struct batch *batch)
{
    g_free(batch->slots);
    batch->slots_count *= 2;
    batch->slots = g_new0(uint32_t, batch->slots_count);
    size_t mask = batch->slots_count - 1;
    for (guint i = 0; i < batch->entries->len; i++) {
        size_t slot = g_array_index(batch->entries, struct batch_entry, i).hash & mask;
        while (batch->slots[slot] != 0)
            slot = (slot + 1) & mask;
        batch->slots[slot] = i + 1;
    }
}

/* The entry of the key that stands at the end of the arena from key_offset on:
 * an old one (the arena is cut back) or a new one. */
static struct batch_entry *
entry_of(struct batch *batch, uint32_t table, size_t key_offset)
{
    const uint8_t *key = batch->keys->data + key_offset;
    size_t length = batch->keys->len - key_offset;
    uint64_t hash = hash_key(table, key, length);
    size_t mask = batch->slots_count - 1;
    size_t slot = hash & mask;
    while (batch->slots[slot] != 0) {
        struct batch_entry *entry = &g_array_index(batch->entries, struct batch_entry,
                                                   batch->slots[slot] - 1);
        if (entry->hash == hash && entry->table == table && entry->key_length == length &&
            memcmp(batch->keys->data + entry->key_offset, key, length) == 0) {
            g_byte_array_set_size(batch->keys, (guint)key_offset);
            return entry;
        }
        slot = (slot + 1) & mask;
    }
    struct batch_entry entry = {
        .table = table,
        .hash = hash,
        .key_length = (uint32_t)length,
        .key_offset = key_offset,
    };
    g_array_append_val(batch->entries, entry);
    batch->slots[slot] = batch->entries->len;
    if (batch->entries->len * 2 > batch->slots_count)
        grow(batch);
    return &g_array_index(batch->entries, struct batch_entry, batch->entries->len - 1);
}

/* Makes `image` the last word on its own key. */
static bool
set_outcome(struct batch *batch, uint32_t table, const struct row_layout *layout,
            struct row_image image, bool is_put)
{
    size_t key_offset = batch->keys->len;
    if (!row_key_append(batch->keys, layout, image))
        return false;
    struct batch_entry *entry = entry_of(batch, table, key_offset);
    entry->image = image;
    entry->is_put = is_put;
    entry->layout = layout;
    return true;
}

static bool
add_change(struct batch *batch, const struct fragment *fragment, const struct row_change *change)
{
    const struct row_layout *layout = fragment->layouts[change->table];
    /* An UPDATE is a delete of the old key, then a put of the new one: with an unchanged key the
     * put is the last word on the same entry. */
    if (change->before_length > 0 &&
        !set_outcome(batch, change->table, layout,
                     fragment_image(fragment, change->before_offset, change->before_length), false))
        return false;
    return change->after_length == 0 ||
           set_outcome(batch, change->table, layout,
                       fragment_image(fragment, change->after_offset, change->after_length), true);
}

static void
add_delta(struct batch *batch, unsigned table, int64_t delta)
{
    if (delta == 0)
        return;
    if (batch->open_deltas[table] == 0)
        g_array_append_val(batch->open_tables, table);
    batch->open_deltas[table] += delta;
}

/* The open transaction has ended: its deltas count, unless it was cut off. */
static void
close_deltas(struct batch *batch, bool counts)
{
    for (guint i = 0; i < batch->open_tables->len; i++) {
        unsigned table = g_array_index(batch->open_tables, unsigned, i);
        batch->row_deltas[table] += counts ? batch->open_deltas[table] : 0;
        batch->open_deltas[table] = 0;
    }
    g_array_set_size(batch->open_tables, 0);
}

bool
batch_add(struct batch *batch, struct fragment *fragment, GError **error)
{
    g_ptr_array_add(batch->fragments, fragment);
    /* A transaction that was cut off by a lost connection arrives again under another number. */
    if (fragment->seq != batch->open_seq)
        close_deltas(batch, false);
    batch->open_seq = fragment->seq;
    for (guint i = 0; i < fragment->changes->len; i++) {
        const struct row_change *change = &g_array_index(fragment->changes, struct row_change, i);
        if (!add_change(batch, fragment, change)) {
            g_autofree char *gtid = gtid_to_string(&fragment->gtid);
            g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                        "transaction %s: the key of a row of %s.%s cannot be read", gtid,
                        fragment->layouts[change->table]->table->schema,
                        fragment->layouts[change->table]->table->name);
            return false;
        }
        add_delta(batch, change->table,
                  (change->after_length > 0 ? 1 : 0) - (change->before_length > 0 ? 1 : 0));
    }
    if (fragment->last)
        close_deltas(batch, true);
    batch->changes += fragment->changes->len;
    batch->transactions += fragment->last ? 1 : 0;
    batch->bytes += fragment_memory_bytes(fragment);
    batch->commit_us = MAX(batch->commit_us, fragment->commit_us);
    return true;
}

size_t
batch_entries(const struct batch *batch)
{
    return batch->entries->len;
}

const struct batch_entry *
batch_entry(const struct batch *batch, size_t index)
{
    return &g_array_index(batch->entries, struct batch_entry, index);
}

uint64_t
batch_changes(const struct batch *batch)
{
    return batch->changes;
}

uint64_t
batch_transactions(const struct batch *batch)
{
    return batch->transactions;
}

int64_t
batch_row_delta(const struct batch *batch, unsigned table)
{
    return batch->row_deltas[table];
}

size_t
batch_bytes(const struct batch *batch)
{
    return batch->bytes;
}

void
batch_add_position(const struct batch *batch, struct gtid_set *position)
{
    for (guint i = 0; i < batch->fragments->len; i++) {
        const struct fragment *fragment = g_ptr_array_index(batch->fragments, i);
        fragment_add_completed(fragment, position);
    }
}

void
batch_add_horizon(const struct batch *batch, struct gtid_set *horizon)
{
    for (guint i = 0; i < batch->fragments->len; i++) {
        const struct fragment *fragment = g_ptr_array_index(batch->fragments, i);
        fragment_add_touched(fragment, horizon);
    }
}

int64_t
batch_commit_us(const struct batch *batch)
{
    return batch->commit_us;
}
