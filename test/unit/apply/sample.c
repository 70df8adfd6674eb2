#include "sample.h"

#include <criterion/criterion.h>
#include <string.h>

#include "../binlog/captured.h"

static const uint8_t no_metadata[1];

static struct row_layout *
layout_of(struct table *table, const uint8_t *types, struct cursor metadata)
{
    struct table_map map = {
        .columns_count = table->columns->len,
        .types = types,
        .metadata = metadata,
        .optional = cursor_of(no_metadata, 0),
    };
    g_autoptr(GError) error = NULL;
    struct row_layout *layout = row_layout_new(&map, table, &error);
    cr_assert_neq(layout, NULL, "%s", error == NULL ? "" : error->message);
    return layout;
}

static struct column *
add_text(struct table *table, const char *name, uint64_t octets)
{
    struct column *column = column_made(table, name, "varchar");
    column->octet_length = octets;
    column->charset = g_strdup("utf8mb4");
    return column;
}

static struct table *
orders(void)
{
    struct table *table = table_made("shop", "orders");
    column_made(table, "id", "int");
    add_text(table, "v", 200)->nullable = true;
    static const unsigned key[] = {0};
    g_array_append_vals(table->key_columns, key, 1);
    table->key_name = g_strdup("PRIMARY");
    return table;
}

static struct table *
items(void)
{
    struct table *table = table_made("shop", "items");
    add_text(table, "tag", 20);
    column_made(table, "n", "int");
    column_made(table, "total", "int")->generated = true;
    add_text(table, "note", 20)->nullable = true;
    static const unsigned key[] = {1, 0};
    g_array_append_vals(table->key_columns, key, 2);
    table->key_name = g_strdup("by_n");
    return table;
}

static void
moved_free(void *pointer)
{
    struct moved_table *moved = pointer;
    table_free(moved->source);
    g_free(moved->to_schema);
    g_free(moved->to_table);
    g_free(moved->moved_as);
    g_free(moved);
}

static void
add_moved(struct sample *sample, struct table *table, const char *to_schema, const char *to_table)
{
    struct moved_table *moved = g_new0(struct moved_table, 1);
    moved->index = sample->moved_tables->len;
    moved->source = table;
    moved->to_schema = g_strdup(to_schema);
    moved->to_table = g_strdup(to_table);
    moved->moved_as = g_strdup_printf("_%s_moved", table->name);
    g_ptr_array_add(sample->moved_tables, moved);
}

struct sample *
sample_new(void)
{
    struct sample *sample = g_new0(struct sample, 1);
    static const uint8_t order_types[] = {3, 15};
    static const uint8_t order_metadata[] = {200, 0};
    static const uint8_t item_types[] = {15, 3, 3, 15};
    static const uint8_t item_metadata[] = {20, 0, 20, 0};
    struct table *order_table = orders();
    struct table *item_table = items();
    sample->moved_tables = g_ptr_array_new_with_free_func(moved_free);
    add_moved(sample, order_table, "shop", "orders");
    add_moved(sample, item_table, "shop7", "things");
    sample->layouts[0] = layout_of(order_table, order_types,
                                   cursor_of(order_metadata, sizeof order_metadata));
    sample->layouts[1] = layout_of(item_table, item_types,
                                   cursor_of(item_metadata, sizeof item_metadata));
    return sample;
}

void
sample_free(struct sample *sample)
{
    row_layout_free(sample->layouts[0]);
    row_layout_free(sample->layouts[1]);
    g_ptr_array_unref(sample->moved_tables);
    g_free(sample);
}

static void
append_int(GByteArray *image, int32_t number)
{
    uint32_t bytes = GUINT32_TO_LE((uint32_t)number);
    g_byte_array_append(image, (const uint8_t *)&bytes, sizeof bytes);
}

static void
append_text(GByteArray *image, const char *text)
{
    if (text == NULL)
        return;
    uint8_t length = (uint8_t)strlen(text);
    g_byte_array_append(image, &length, 1);
    g_byte_array_append(image, (const uint8_t *)text, length);
}

/* The bits of columns that the image does not have are set, as the server sets them. */
static GByteArray *
image_with_nulls(uint8_t nulls)
{
    GByteArray *image = g_byte_array_new();
    g_byte_array_append(image, &nulls, 1);
    return image;
}

GByteArray *
sample_order(int32_t id, const char *v)
{
    GByteArray *image = image_with_nulls(v == NULL ? 0xfe : 0xfc);
    append_int(image, id);
    append_text(image, v);
    return image;
}

GByteArray *
sample_item(const char *tag, int32_t n, const char *note)
{
    GByteArray *image = image_with_nulls(note == NULL ? 0xf8 : 0xf0);
    append_text(image, tag);
    append_int(image, n);
    append_int(image, n * 2);
    append_text(image, note);
    return image;
}

struct fragment *
sample_fragment(struct sample *sample, uint64_t number)
{
    struct fragment *fragment = g_new0(struct fragment, 1);
    fragment->changes = g_array_new(FALSE, FALSE, sizeof(struct row_change));
    fragment->layouts = sample->layouts;
    fragment->gtid.uuid[15] = 1;
    fragment->gtid.number = (int64_t)number;
    fragment->seq = number;
    fragment->last = true;
    return fragment;
}

static uint32_t
add_image(struct fragment *fragment, GByteArray *image, uint64_t *ret_offset)
{
    *ret_offset = fragment->bytes_length;
    if (image == NULL)
        return 0;
    uint32_t length = image->len;
    fragment->bytes = g_realloc(fragment->bytes, fragment->bytes_length + length);
    memcpy(fragment->bytes + fragment->bytes_length, image->data, length);
    fragment->bytes_length += length;
    g_byte_array_unref(image);
    return length;
}

void
sample_change(struct fragment *fragment, uint32_t table, GByteArray *before, GByteArray *after)
{
    struct row_change change = {.table = table};
    change.before_length = add_image(fragment, before, &change.before_offset);
    change.after_length = add_image(fragment, after, &change.after_offset);
    g_array_append_val(fragment->changes, change);
}
