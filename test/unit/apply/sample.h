/*
 * Two moved tables with row images made by hand, and fragments of them.
 *
 *   0  shop.orders (id INT, v VARCHAR(200) NULL), key (id)
 *   1  shop.items  (tag VARCHAR(20), n INT, total INT generated, note VARCHAR(20) NULL),
 *                  key (n, tag); moved to shop7.things
 */
#ifndef TEST_UNIT_APPLY_SAMPLE_H
#define TEST_UNIT_APPLY_SAMPLE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "binlog/transaction.h"

struct sample {
    GPtrArray *moved_tables; /* struct moved_table */
    struct row_layout *layouts[2];
};

struct sample *sample_new(void);
void sample_free(struct sample *sample);
STRUCT_AUTOPTR(sample, sample_free)

/* An image; GByteArray to be unreffed by whoever takes it: sample_change() does. NULL is SQL NULL.
 */
GByteArray *sample_order(int32_t id, const char *v);
GByteArray *sample_item(const char *tag, int32_t n, const char *note);

/* A transaction's fragment, complete (`last`), without changes. */
struct fragment *sample_fragment(struct sample *sample, uint64_t number);
/* Adds a change; takes the images, either of which may be NULL. */
void sample_change(struct fragment *fragment, uint32_t table, GByteArray *before,
                   GByteArray *after);

#endif
