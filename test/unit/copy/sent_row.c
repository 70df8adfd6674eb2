#include "copy/sent_row.h"

#include <criterion/criterion.h>

#include "base/error.h"
#include "copy/select.h"
#include "schema/inspect.h"

static void
free_column(void *column)
{
    column_free(column);
}

static struct moved_table *
table_made(void)
{
    struct moved_table *moved = g_new0(struct moved_table, 1);
    struct table *table = g_new0(struct table, 1);
    static const struct {
        const char *name;
        enum column_type type;
        bool generated;
    } columns[] = {{"v", COLUMN_VARCHAR, false},
                   {"g", COLUMN_INT, true},
                   {"b", COLUMN_VARBINARY, false},
                   {"a", COLUMN_INT, false}};
    moved->source = table;
    moved->to_schema = g_strdup("other");
    moved->to_table = g_strdup(" VALUES (");
    table->schema = g_strdup("w");
    table->name = g_strdup("t");
    table->columns = g_ptr_array_new_with_free_func(free_column);
    table->key_columns = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (unsigned i = 0; i < G_N_ELEMENTS(columns); i++) {
        struct column *column = g_new0(struct column, 1);
        column->name = g_strdup(columns[i].name);
        column->type = columns[i].type;
        column->generated = columns[i].generated;
        g_ptr_array_add(table->columns, column);
    }
    static const unsigned key[] = {3, 2};
    g_array_append_vals(table->key_columns, key, 2);
    return moved;
}

static void
expect_named(bool is_insert, const char *rows, int code, const char *message, const char *expected)
{
    struct moved_table *table = table_made();
    g_autoptr(GString) bytes = g_string_new(NULL);
    if (is_insert)
        insert_head_append(bytes, table);
    g_string_append(bytes, rows);
    if (is_insert)
        insert_tail_append(bytes, table);
    struct sent_rows sent = {
        .table = table, .bytes = bytes->str, .length = bytes->len, .is_insert = is_insert};
    g_autoptr(GError) error = g_error_new_literal(MT_ERROR, code, message);
    sent_row_name(&sent, &error);
    g_autofree char *whole = g_strconcat(expected, message, NULL);
    cr_expect_str_eq(error->message, whole);
    moved_table_free(table);
}

static const char loaded[] = "a\\\tb\\\n\t\\\\\t1\nlong long long\tx\t2\n\\N\ty\\nz\t-3\n";
static const char inserted[] = "(_binary'a),(\\'',_binary'\\\\',1),"
                               "(CAST('),(' AS JSON),_binary'x',2),(NULL,_binary'y\nz',-3)";

Test(sent_row, the_row_that_the_words_tell)
{
    for (unsigned i = 0; i < 2; i++) {
        const char *rows = i == 0 ? loaded : inserted;
        expect_named(i == 1, rows, MT_ERROR_DATA, "Data truncated for column 'v' at row 1",
                     "table w.t, row (`a`,`b`) IN ((1,_binary x'5c')): ");
        expect_named(i == 1, rows, MT_ERROR_TARGET, "refused at row 2 (warning 1)",
                     "table w.t, row (`a`,`b`) IN ((2,_binary x'78')): ");
        expect_named(i == 1, rows, MT_ERROR_DATA, "twice at row 1 at row 3",
                     "table w.t, row (`a`,`b`) IN ((-3,_binary x'790a7a')): ");
    }
}

Test(sent_row, what_is_not_known_is_not_said)
{
    expect_named(false, loaded, MT_ERROR_DATA, "bigger than 'max_allowed_packet' bytes", "");
    expect_named(false, loaded, MT_ERROR_DATA, "no such row at row 4", "");
    expect_named(true, inserted, MT_ERROR_DATA, "no such row at row 4", "");
    expect_named(true, "", MT_ERROR_DATA, "none at row 1", "");
    expect_named(false, loaded, MT_ERROR_TARGET, "refused", "table w.t: ");
    expect_named(false, loaded, MT_ERROR_TARGET_LOST, "gone at row 1", "");
}

/* Both forms give their three rows, each of which is named whatever the words. */
Test(sent_row, one_by_one)
{
    static const char *const names[] = {
        "table w.t, row (`a`,`b`) IN ((1,_binary x'5c')): refused",
        "table w.t, row (`a`,`b`) IN ((2,_binary x'78')): refused",
        "table w.t, row (`a`,`b`) IN ((-3,_binary x'790a7a')): refused"};
    struct moved_table *table = table_made();
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(GString) all = g_string_new(NULL);
        g_autoptr(GString) statement = g_string_new(NULL);
        if (i == 1)
            insert_head_append(all, table);
        g_string_append(all, i == 0 ? loaded : inserted);
        if (i == 1)
            insert_tail_append(all, table);
        struct sent_rows sent = {
            .table = table, .bytes = all->str, .length = all->len, .is_insert = i == 1};
        struct sent_place place = {0};
        struct sent_rows row;
        g_autoptr(GString) joined = g_string_new(NULL);
        unsigned count = 0;
        for (; sent_rows_next(&sent, &place, statement, &row); count++) {
            cr_assert_lt(count, 3);
            g_autoptr(GError) error = g_error_new_literal(MT_ERROR, MT_ERROR_DATA, "refused");
            sent_row_name(&row, &error);
            cr_expect_str_eq(error->message, names[count]);
            g_string_append_len(joined, row.bytes, (gssize)row.length);
        }
        cr_expect_eq(count, 3);
        if (i == 0)
            cr_expect_str_eq(joined->str, loaded);
        else
            cr_expect(g_str_has_suffix(
                joined->str, "VALUES (NULL,_binary'y\nz',-3) ON DUPLICATE KEY UPDATE `a`=`a`"));
    }
    moved_table_free(table);
}
