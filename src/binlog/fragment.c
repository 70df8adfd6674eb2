#include "binlog/fragment_int.h"

#include <string.h>

/* Enough for a small transaction, so that it takes one allocation. */
#define FIRST_ROOM_BYTES 512

static struct fragment *
fragment_new(void)
{
    struct fragment *fragment = g_new0(struct fragment, 1);
    fragment->changes = g_array_new(FALSE, FALSE, sizeof(struct row_change));
    return fragment;
}

void
fragment_free(struct fragment *fragment)
{
    if (fragment == NULL)
        return;
    g_array_unref(fragment->changes);
    g_free(fragment->bytes);
    g_free(fragment);
}

size_t
fragment_memory_bytes(const struct fragment *fragment)
{
    return sizeof *fragment + fragment->bytes_length +
           fragment->changes->len * sizeof(struct row_change);
}

void
fragment_add_completed(const struct fragment *fragment, struct gtid_set *set)
{
    if (fragment->last)
        fragment_add_touched(fragment, set);
}

void
fragment_add_touched(const struct fragment *fragment, struct gtid_set *set)
{
    gtid_set_add(set, &fragment->gtid);
    if (fragment->prepared.number != 0)
        gtid_set_add(set, &fragment->prepared);
}

static void
reserve(struct fragment_builder *builder, size_t more)
{
    size_t needed = builder->fragment->bytes_length + more;
    if (needed <= builder->room_bytes)
        return;
    builder->room_bytes = MAX(MAX(needed, builder->room_bytes * 2), FIRST_ROOM_BYTES);
    builder->fragment->bytes = g_realloc(builder->fragment->bytes, builder->room_bytes);
}

static uint64_t
append(struct fragment *fragment, struct row_image image)
{
    uint64_t offset = fragment->bytes_length;
    if (image.length > 0)
        memcpy(fragment->bytes + offset, image.bytes, image.length);
    fragment->bytes_length += image.length;
    return offset;
}

void
fragment_builder_add(struct fragment_builder *builder, uint32_t table, struct row_image before,
                     struct row_image after)
{
    if (builder->fragment == NULL)
        builder->fragment = fragment_new();
    reserve(builder, (size_t)before.length + after.length);
    struct row_change change = {
        .table = table,
        .before_length = before.length,
        .after_length = after.length,
    };
    change.before_offset = append(builder->fragment, before);
    change.after_offset = append(builder->fragment, after);
    g_array_append_val(builder->fragment->changes, change);
}

size_t
fragment_builder_bytes(const struct fragment_builder *builder)
{
    return builder->fragment != NULL ? fragment_memory_bytes(builder->fragment) : 0;
}

struct fragment *
fragment_builder_take(struct fragment_builder *builder)
{
    struct fragment *fragment = builder->fragment != NULL ? g_steal_pointer(&builder->fragment)
                                                          : fragment_new();
    /* Fragments wait in queues whose budget counts what is used. */
    if (builder->room_bytes - fragment->bytes_length > fragment->bytes_length / 4)
        fragment->bytes = g_realloc(fragment->bytes, fragment->bytes_length);
    builder->room_bytes = 0;
    return fragment;
}

void
fragment_builder_clear(struct fragment_builder *builder)
{
    fragment_free(g_steal_pointer(&builder->fragment));
    builder->room_bytes = 0;
}
