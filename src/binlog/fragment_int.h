/* How the assembler fills fragments. */
#ifndef BINLOG_FRAGMENT_INT_H
#define BINLOG_FRAGMENT_INT_H

#include "binlog/transaction.h"

/* The fragment being filled. Zeroed: none yet. */
struct fragment_builder {
    struct fragment *fragment;
    size_t room_bytes; /* allocated for fragment->bytes */
};

/* Copies a row's images behind what is there; begins a fragment if there is none. */
void fragment_builder_add(struct fragment_builder *builder, uint32_t table, struct row_image before,
                          struct row_image after);

/* What the fragment costs in memory so far. */
size_t fragment_builder_bytes(const struct fragment_builder *builder);

/* The fragment, with room given back that is not used; an empty one when nothing was
 * added. The builder is empty afterwards. */
struct fragment *fragment_builder_take(struct fragment_builder *builder);

void fragment_builder_clear(struct fragment_builder *builder);

#endif
