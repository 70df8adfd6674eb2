/* TABLE_MAP and rows events: the row changes of moved tables. */
#include "binlog/assembler_int.h"

#include "base/error.h"

/* Rows events of a statement without rows refer to this table. */
#define NO_TABLE_ID UINT64_C(0xffffff)
#define ROWS_FLAG_STATEMENT_END 1

static const struct table *
source_table(const struct assembler *assembler, int table)
{
    const struct moved_table *moved = g_ptr_array_index(assembler->options.moved_tables,
                                                        (guint)table);
    return moved->source;
}

char *
assembler_table_name(const struct assembler *assembler, int table)
{
    const struct table *source = source_table(assembler, table);
    return g_strdup_printf("`%s`.`%s`", source->schema, source->name);
}

/* The layout of the table, made at its first TABLE_MAP. Another one later means
 * that somebody changed the table, though its DDL was not seen as such. */
static bool
check_layout(struct assembler *assembler, const struct table_map *map, int table, GError **error)
{
    struct row_layout **layout = &assembler->layouts[table];
    if (*layout == NULL) {
        *layout = row_layout_new(map, source_table(assembler, table), error);
        return *layout != NULL;
    }
    if (row_layout_matches(*layout, map))
        return true;
    /* Most differences have words of their own. */
    g_autoptr(row_layout) other = row_layout_new(map, source_table(assembler, table), error);
    if (other != NULL) {
        g_autofree char *name = assembler_table_name(assembler, table);
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "table %s was changed on the source while it is moved: its rows come in "
                    "another layout than before; start again with --fresh",
                    name);
    }
    return false;
}

bool
assembler_feed_table_map(struct assembler *assembler, struct cursor body, GError **error)
{
    struct table_map map;
    if (!table_map_decode(&body, &map, error))
        return false;
    struct table_name name = {map.schema, map.schema_length, map.name, map.name_length};
    struct mapped_table mapped = {
        .table_id = map.table_id,
        .index = moved_names_find(assembler->names, name),
    };
    if (mapped.index != MOVED_NONE && !check_layout(assembler, &map, mapped.index, error))
        return false;
    g_array_append_val(assembler->maps, mapped);
    return true;
}

static const struct mapped_table *
find_map(const struct assembler *assembler, uint64_t table_id)
{
    /* From the end: a rows event nearly always follows its TABLE_MAP. */
    for (guint i = assembler->maps->len; i > 0; i--) {
        const struct mapped_table *mapped = &g_array_index(assembler->maps, struct mapped_table,
                                                           i - 1);
        if (mapped->table_id == table_id)
            return mapped;
    }
    return NULL;
}

static bool
add_rows(struct assembler *assembler, uint8_t type, struct cursor body, int table, GError **error)
{
    uint64_t table_id = 0;
    bool statement_end = false;
    struct rows_reader reader;
    if (!rows_reader_begin(&reader, type, body, &table_id, &statement_end, error)) {
        g_autofree char *name = assembler_table_name(assembler, table);
        g_prefix_error(error, "table %s: ", name);
        return false;
    }
    reader.layout = assembler->layouts[table];
    struct row_image before;
    struct row_image after;
    int found = 0;
    while ((found = rows_next(&reader, &before, &after, error)) > 0) {
        fragment_builder_add(&assembler->builder, (uint32_t)table, before, after);
        assembler->state.changes++;
        if (fragment_builder_bytes(&assembler->builder) >= assembler->options.fragment_bytes &&
            !assembler_hand_over(assembler, false, error))
            return false;
    }
    return found == 0;
}

bool
assembler_feed_rows(struct assembler *assembler, uint8_t type, struct cursor body, GError **error)
{
    struct cursor head = body;
    uint64_t table_id = cursor_uint(&head, 6);
    uint64_t flags = cursor_uint(&head, 2);
    const struct mapped_table *mapped = find_map(assembler, table_id);
    if (head.failed || (mapped == NULL && table_id != NO_TABLE_ID)) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "malformed %s event: no Table_map event for its table number",
                    event_type_name(type));
        return false;
    }
    if (mapped != NULL && mapped->index != MOVED_NONE &&
        !add_rows(assembler, type, body, mapped->index, error))
        return false;
    if ((flags & ROWS_FLAG_STATEMENT_END) != 0)
        g_array_set_size(assembler->maps, 0);
    return true;
}
