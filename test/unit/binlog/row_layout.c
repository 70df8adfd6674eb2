/* TABLE_MAP against what was inspected. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"
#include "binlog/event.h"
#include "binlog/rows.h"
#include "captured.h"

/* The table of metadata.binlog as it was created. */
static struct table *
named_table(void)
{
    struct table *table = table_made("captured", "named");
    column_made(table, "id", "bigint")->is_unsigned = true;
    column_made(table, "größe", "int");
    column_made(table, "y", "year");
    column_made(table, "f", "float")->is_unsigned = true;
    struct column *d = column_made(table, "d", "decimal");
    d->precision = 5;
    d->scale = 2;
    column_made(table, "b", "bit")->precision = 3;
    column_made(table, "e", "enum")->members = 1;
    column_made(table, "u", "int")->is_unsigned = true;
    unsigned id = 0;
    g_array_append_val(table->key_columns, id);
    return table;
}

static struct table_map
named_map(GBytes *file)
{
    struct captured_event event = captured_find(file, EVENT_TABLE_MAP, 0);
    struct table_map map;
    cr_assert(table_map_decode(&event.body, &map, NULL));
    return map;
}

static void
expect_refused(const struct table_map *map, const struct table *table, const char *const *words)
{
    g_autoptr(GError) error = NULL;
    cr_assert_eq(row_layout_new(map, table, &error), NULL);
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    for (; *words != NULL; words++)
        cr_expect_neq(strstr(error->message, *words), NULL, "%s: no %s", error->message, *words);
}

Test(row_layout, of_a_map)
{
    g_autoptr(GBytes) file = captured_file("metadata.binlog");
    g_autoptr(table) table = named_table();
    struct table_map map = named_map(file);
    cr_expect_eq(map.columns_count, 8);
    cr_expect_eq(map.schema_length, 8);
    cr_expect_eq(memcmp(map.schema, "captured", 8), 0);
    cr_expect_eq(map.name_length, 5);
    cr_expect_eq(memcmp(map.name, "named", 5), 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(row_layout) layout = row_layout_new(&map, table, &error);
    cr_assert_neq(layout, NULL, "%s", error == NULL ? "" : error->message);
    cr_expect_eq(layout->key_parts, 1);
    cr_expect_eq(layout->key_columns[0], 0);
    cr_expect_eq(layout->columns[4].meta, 5 << 8 | 2);
    cr_expect_eq(layout->columns[6].type, 247);
    cr_expect(row_layout_matches(layout, &map));
}

Test(row_layout, matches_only_the_same)
{
    g_autoptr(GBytes) file = captured_file("metadata.binlog");
    g_autoptr(table) table = named_table();
    struct table_map map = named_map(file);
    g_autoptr(row_layout) layout = row_layout_new(&map, table, NULL);
    cr_assert_neq(layout, NULL);
    uint8_t types[8];
    memcpy(types, map.types, sizeof types);
    types[1] = 8;
    struct table_map other = map;
    other.types = types;
    cr_expect_not(row_layout_matches(layout, &other));
    other = map;
    other.columns_count = 7;
    cr_expect_not(row_layout_matches(layout, &other));
    other = map;
    other.metadata.end--;
    cr_expect_not(row_layout_matches(layout, &other));
    /* More or less optional metadata is no other table. */
    other = map;
    other.optional.position = other.optional.end;
    cr_expect(row_layout_matches(layout, &other));
}

Test(row_layout, says_which_column_changed)
{
    g_autoptr(GBytes) file = captured_file("metadata.binlog");
    struct table_map map = named_map(file);

    g_autoptr(table) signedness = named_table();
    ((struct column *)g_ptr_array_index(signedness->columns, 7))->is_unsigned = false;
    expect_refused(&map, signedness,
                   (const char *const[]){"`captured`.`named`", "`u`", "unsigned", NULL});

    g_autoptr(table) type = named_table();
    ((struct column *)g_ptr_array_index(type->columns, 1))->type = COLUMN_BIGINT;
    expect_refused(&map, type,
                   (const char *const[]){"`captured`.`named`", "`größe`", "LONG", NULL});

    g_autoptr(table) scale = named_table();
    ((struct column *)g_ptr_array_index(scale->columns, 4))->scale = 3;
    expect_refused(&map, scale, (const char *const[]){"`d`", "NEWDECIMAL", NULL});

    g_autoptr(table) members = named_table();
    ((struct column *)g_ptr_array_index(members->columns, 6))->members = 256;
    expect_refused(&map, members, (const char *const[]){"`e`", "ENUM", NULL});

    g_autoptr(table) name = named_table();
    struct column *renamed = g_ptr_array_index(name->columns, 5);
    renamed->name[0] = 'x';
    expect_refused(&map, name, (const char *const[]){"`x`", "`b`", "in the binlog", NULL});

    g_autoptr(table) fewer = named_table();
    g_ptr_array_remove_index(fewer->columns, 7);
    expect_refused(&map, fewer, (const char *const[]){"7 columns", "8", "`e`", NULL});
}

/* A map made by hand: types and metadata of one column. */
static struct table_map
map_of(const uint8_t *type, const uint8_t *metadata, size_t metadata_bytes)
{
    static const uint8_t nothing[1];
    return (struct table_map){
        .table_id = 1,
        .schema = "s",
        .schema_length = 1,
        .name = "t",
        .name_length = 1,
        .columns_count = 1,
        .types = type,
        .metadata = cursor_of(metadata, metadata_bytes),
        .optional = cursor_of(nothing, 0),
    };
}

Test(row_layout, refuses_formats_of_old)
{
    static const struct {
        uint8_t type;
        const char *data_type;
        const char *says;
    } cases[] = {
        {0, "decimal", "before MySQL 5.0"}, {7, "timestamp", "before MySQL 5.6"},
        {11, "time", "before MySQL 5.6"},   {12, "datetime", "before MySQL 5.6"},
        {20, "json", "TYPED_ARRAY"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(table) table = table_made("s", "t");
        column_made(table, "old", cases[i].data_type);
        struct table_map map = map_of(&cases[i].type, (const uint8_t *)"", 0);
        expect_refused(
            &map, table,
            (const char *const[]){"`s`.`t`", "`old`", cases[i].says, "not supported", NULL});
    }
}

Test(row_layout, refuses_impossible_metadata)
{
    static const struct {
        uint8_t type;
        const char *data_type;
        uint8_t metadata[2];
        size_t bytes;
    } cases[] = {
        {4, "float", {8}, 1},        {5, "double", {4}, 1},
        {252, "blob", {5}, 1},       {252, "blob", {0}, 1},
        {245, "json", {9}, 1},       {246, "decimal", {66, 0}, 2},
        {246, "decimal", {5, 6}, 2}, {246, "decimal", {40, 31}, 2},
        {246, "decimal", {0, 0}, 2}, {16, "bit", {1, 8}, 2},
        {16, "bit", {8, 0}, 2},      {16, "bit", {0, 0}, 2},
        {18, "datetime", {7}, 1},    {254, "enum", {247, 3}, 2},
        {254, "set", {248, 9}, 2},   {254, "char", {250, 4}, 2},
        {3, "int", {0}, 1},          {246, "decimal", {5}, 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(table) table = table_made("s", "t");
        column_made(table, "c", cases[i].data_type);
        struct table_map map = map_of(&cases[i].type, cases[i].metadata, cases[i].bytes);
        expect_refused(&map, table, (const char *const[]){"`s`.`t`", NULL});
    }
}

Test(row_layout, refuses_a_map_cut_short)
{
    g_autoptr(GBytes) file = captured_file("metadata.binlog");
    struct captured_event event = captured_find(file, EVENT_TABLE_MAP, 0);
    g_autoptr(table) table = named_table();
    size_t length = cursor_left(&event.body);
    unsigned refused = 0;
    for (size_t cut = 0; cut < length; cut++) {
        g_autofree uint8_t *bytes = g_malloc(cut + 1); /* so that a byte too far is seen */
        memcpy(bytes, event.body.position, cut);
        struct cursor body = cursor_of(bytes, cut);
        struct table_map map;
        g_autoptr(GError) error = NULL;
        if (!table_map_decode(&body, &map, &error)) {
            cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
            refused++;
            continue;
        }
        struct row_layout *layout = row_layout_new(&map, table, &error);
        refused += layout == NULL;
        row_layout_free(layout);
    }
    /* Only a cut between two pieces of optional metadata cannot be seen. */
    cr_expect_gt(refused, length - 12);
}
