/* Values of captured row images against what the same server SELECTs. */
#include "binlog/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "binlog/event.h"
#include "binlog/value_int.h"
#include "captured.h"

/* As `capture` writes a field. */
static char *
field_of(struct column_text text)
{
    if (text.data == NULL)
        return g_strdup("-");
    if (text.length > 2048) {
        g_autofree char *digest = g_compute_checksum_for_data(
            G_CHECKSUM_SHA256, (const guchar *)text.data, text.length);
        return g_strconcat("#", digest, NULL);
    }
    GString *hex = g_string_new(NULL);
    for (size_t i = 0; i < text.length; i++)
        g_string_append_printf(hex, "%02x", (unsigned char)text.data[i]);
    return g_string_free(hex, FALSE);
}

/* How often rows of a table were seen, by operation and image. */
struct seen {
    unsigned insert_rows;
    unsigned update_rows;
    unsigned delete_rows;
};

struct session {
    GHashTable *tables;  /* struct captured_table */
    GHashTable *layouts; /* struct row_layout by table name */
    GHashTable *seen;    /* struct seen by table name */
    GString *scratch;
};

static void
compare_image(const struct session *session, const struct row_layout *layout,
              struct row_image image, char **expected, bool touched)
{
    g_autofree struct column_text *values = g_new0(struct column_text, layout->columns_count);
    g_autoptr(GError) error = NULL;
    const struct table *table = layout->table;
    bool read = row_values_read(layout, image, session->scratch, values, &error);
    cr_assert(read, "%s", error == NULL ? "" : error->message);
    for (unsigned i = 0; i < layout->columns_count; i++) {
        const struct column *column = table_column(table, i);
        g_autofree char *found = field_of(values[i]);
        const char *wanted = expected[i];
        if (column->generated)
            wanted = "-";
        else if (touched && strcmp(column->name, "touched") == 0)
            wanted = "31";
        if (values[i].is_expression) { /* small unsigned integers: compared in json_binary.c */
            cr_expect_eq(column->type, COLUMN_JSON);
            cr_expect_neq(strstr(values[i].data, "AS UNSIGNED)"), NULL);
            continue;
        }
        cr_expect_str_eq(found, wanted, "%s.%s (%s): %s, not %s", table->name, column->name,
                         expected[0], found, wanted);
    }
    struct column_text key[16];
    read = row_key_values_read(layout, image, session->scratch, key, &error);
    cr_assert(read, "%s", error == NULL ? "" : error->message);
    for (unsigned k = 0; k < layout->key_parts; k++) {
        g_autofree char *found = field_of(key[k]);
        cr_expect_str_eq(found, expected[layout->key_columns[k]], "key of %s", table->name);
    }
}

static void
read_rows(const struct session *session, const struct row_layout *layout,
          const struct captured_event *event)
{
    struct rows_reader reader;
    uint64_t table_id = 0;
    bool end = false;
    g_autoptr(GError) error = NULL;
    cr_assert(rows_reader_begin(&reader, event->type, event->body, &table_id, &end, &error));
    cr_expect_neq(table_id, 0);
    reader.layout = layout;
    const char *name = layout->table->name;
    struct captured_table *captured = g_hash_table_lookup(session->tables, name);
    struct seen *seen = g_hash_table_lookup(session->seen, name);
    struct row_image before;
    struct row_image after;
    int found;
    while ((found = rows_next(&reader, &before, &after, &error)) == 1) {
        unsigned *row = reader.operation == ROW_INSERT   ? &seen->insert_rows
                        : reader.operation == ROW_UPDATE ? &seen->update_rows
                                                         : &seen->delete_rows;
        cr_assert_lt(*row, captured->rows->len, "%s", name);
        char **expected = g_ptr_array_index(captured->rows, (*row)++);
        cr_expect_eq(before.length > 0, reader.operation != ROW_INSERT);
        cr_expect_eq(after.length > 0, reader.operation != ROW_DELETE);
        if (before.length > 0)
            compare_image(session, layout, before, expected, reader.operation == ROW_DELETE);
        if (after.length > 0)
            compare_image(session, layout, after, expected, reader.operation == ROW_UPDATE);
    }
    cr_expect_eq(found, 0, "%s", error == NULL ? "" : error->message);
}

static struct row_layout *
layout_for(const struct session *session, const struct captured_event *event)
{
    struct table_map map;
    struct cursor body = event->body;
    g_autoptr(GError) error = NULL;
    cr_assert(table_map_decode(&body, &map, &error));
    g_autofree char *name = g_strndup(map.name, map.name_length);
    struct row_layout *layout = g_hash_table_lookup(session->layouts, name);
    if (layout == NULL) {
        struct captured_table *captured = g_hash_table_lookup(session->tables, name);
        cr_assert_neq(captured, NULL, "%s", name);
        layout = row_layout_new(&map, captured->table, &error);
        cr_assert_neq(layout, NULL, "%s", error == NULL ? "" : error->message);
        g_hash_table_insert(session->layouts, g_strdup(name), layout);
        g_hash_table_insert(session->seen, g_strdup(name), g_new0(struct seen, 1));
    }
    cr_expect(row_layout_matches(layout, &map));
    return layout;
}

Test(value, as_the_server_selects)
{
    g_autoptr(GBytes) file = captured_file("values.binlog");
    struct session session = {
        .tables = captured_tables(),
        .layouts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify)row_layout_free),
        .seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        .scratch = g_string_new(NULL),
    };
    struct row_layout *layout = NULL;
    struct captured_event event;
    size_t offset = 0;
    while (captured_next(file, &offset, &event)) {
        if (event.type == EVENT_TABLE_MAP)
            layout = layout_for(&session, &event);
        else if (event.type >= EVENT_WRITE_ROWS && event.type <= EVENT_DELETE_ROWS)
            read_rows(&session, layout, &event);
    }
    /* Every row came, in every image that the table was to have. */
    GHashTableIter iter;
    void *name = NULL;
    void *captured = NULL;
    g_hash_table_iter_init(&iter, session.tables);
    while (g_hash_table_iter_next(&iter, &name, &captured)) {
        const struct captured_table *table = captured;
        const struct seen *seen = g_hash_table_lookup(session.seen, name);
        const struct column *last = table_column(table->table, table->table->columns->len - 1);
        unsigned rows = table->rows->len;
        bool touched = strcmp(last->name, "touched") == 0;
        cr_assert_neq(seen, NULL, "%s", (const char *)name);
        cr_expect_gt(rows, 0);
        cr_expect_eq(seen->insert_rows, rows, "%s", (const char *)name);
        cr_expect_eq(seen->update_rows, touched ? rows : 0, "%s", (const char *)name);
        cr_expect_eq(seen->delete_rows, touched ? rows : 0, "%s", (const char *)name);
    }
    g_hash_table_unref(session.layouts);
    g_hash_table_unref(session.seen);
    g_hash_table_unref(session.tables);
    g_string_free(session.scratch, TRUE);
}

/* What was captured is what the copy selects. */
Test(value, expressions_are_the_copys)
{
    g_autoptr(GHashTable) tables = captured_tables();
    GHashTableIter iter;
    void *captured = NULL;
    unsigned columns = 0;
    g_hash_table_iter_init(&iter, tables);
    while (g_hash_table_iter_next(&iter, NULL, &captured)) {
        const struct captured_table *table = captured;
        for (unsigned i = 0; i < table->expressions->len; i++, columns++) {
            g_autoptr(GString) sql = g_string_new(NULL);
            column_select_append(sql, table_column(table->table, i));
            cr_expect_str_eq(sql->str, g_ptr_array_index(table->expressions, i), "%s.%s",
                             table->table->name, table_column(table->table, i)->name);
        }
    }
    cr_expect_gt(columns, 1000);
}

/* A small capacity makes the scratch grow in the middle of a row. */
Test(value, survives_growth_of_scratch)
{
    g_autoptr(GBytes) file = captured_file("values.binlog");
    g_autoptr(GHashTable) tables = captured_tables();
    struct captured_table *captured = g_hash_table_lookup(tables, "wide");
    struct captured_event event = {0};
    struct table_map map = {0};
    for (unsigned n = 0; map.name_length != 4 || memcmp(map.name, "wide", 4) != 0; n++) {
        event = captured_find(file, EVENT_TABLE_MAP, n);
        cr_assert(table_map_decode(&event.body, &map, NULL));
    }
    g_autoptr(row_layout) layout = row_layout_new(&map, captured->table, NULL);
    cr_assert_neq(layout, NULL);
    cr_expect_eq(layout->columns_count, 1017);
    struct captured_event rows = {0};
    struct rows_reader reader;
    uint64_t table_id = 0;
    bool end;
    for (unsigned n = 0; table_id != map.table_id; n++) {
        rows = captured_find(file, EVENT_WRITE_ROWS, n);
        cr_assert(rows_reader_begin(&reader, rows.type, rows.body, &table_id, &end, NULL));
    }
    cr_expect(end);
    reader.layout = layout;
    struct row_image before;
    struct row_image after;
    cr_assert_eq(rows_next(&reader, &before, &after, NULL), 1);
    g_autoptr(GString) scratch = g_string_sized_new(1);
    g_autofree struct column_text *values = g_new0(struct column_text, layout->columns_count);
    cr_assert(row_values_read(layout, after, scratch, values, NULL));
    char **expected = g_ptr_array_index(captured->rows, 0);
    for (unsigned i = 0; i < layout->columns_count; i++) {
        g_autofree char *found = field_of(values[i]);
        cr_expect_str_eq(found, expected[i], "c%u", i);
    }
    /* A NULL in every byte of the bitmap, and in the last one. */
    cr_expect_eq(values[2].data, NULL);
    cr_expect_eq(values[1013].data, NULL);
    cr_expect_eq(values[1016].data, NULL);
    cr_expect_neq(values[1015].data, NULL);
}

static void
expect_double(double value, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);
    cr_assert(text_append_double(text, value));
    cr_expect_str_eq(text->str, expected);
}

Test(value, doubles)
{
    expect_double(0.0, "0");
    expect_double(-0.0, "-0");
    expect_double(1e14, "100000000000000");
    expect_double(999999999999999.0, "999999999999999");
    expect_double(1e15, "1e15");
    expect_double(-3044447224999999.5, "-3044447224999999.5");
    expect_double(30444472249999995.0, "3.0444472249999996e16");
    expect_double(1e-15, "0.000000000000001");
    expect_double(9.9e-16, "9.9e-16");
    expect_double(-1.25e-7, "-0.000000125");
    expect_double(0.1, "0.1");
    expect_double(0.1 + 0.2, "0.30000000000000004");
    expect_double(4.9e-324, "5e-324");
    expect_double(0x1p-44, "0.00000000000005684341886080802");
    expect_double(0x1p-1022, "2.2250738585072014e-308");
    expect_double(1.7976931348623157e308, "1.7976931348623157e308");
    expect_double((double)1e20F, "1.0000000200408773e20");
    g_autoptr(GString) text = g_string_new(NULL);
    cr_expect_not(text_append_double(text, (double)NAN));
    cr_expect_not(text_append_double(text, (double)INFINITY));
}
