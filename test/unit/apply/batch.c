/* Folding: what is left of a key after everything that happened to it. */
#include "apply/batch.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"
#include "binlog/value.h"
#include "sample.h"

static void
add(struct batch *batch, struct fragment *fragment)
{
    g_autoptr(GError) error = NULL;
    cr_assert(batch_add(batch, fragment, &error), "%s", error == NULL ? "" : error->message);
}

/* "put 0 1=a; delete 1 x,5; ": every entry with its table, its key, and a put's last column. */
static char *
outcome(const struct batch *batch)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GString) scratch = g_string_new(NULL);
    for (size_t i = 0; i < batch_entries(batch); i++) {
        const struct batch_entry *entry = batch_entry(batch, i);
        struct column_text values[4];
        unsigned last = entry->layout->columns_count - 1;
        cr_assert(row_values_read(entry->layout, entry->image, scratch, values, NULL));
        g_string_append_printf(text, "%s %u", entry->is_put ? "put" : "delete", entry->table);
        for (unsigned k = 0; k < entry->layout->key_parts; k++) {
            struct column_text part = values[entry->layout->key_columns[k]];
            g_string_append_printf(text, "%s%.*s", k == 0 ? " " : ",", (int)part.length, part.data);
        }
        if (entry->is_put)
            g_string_append_printf(text, "=%.*s", (int)values[last].length,
                                   values[last].data == NULL ? "" : values[last].data);
        g_string_append(text, "; ");
    }
    return g_string_free(text, FALSE);
}

static void
expect_outcome(const struct batch *batch, const char *expected)
{
    g_autofree char *found = outcome(batch);
    cr_expect_str_eq(found, expected);
}

Test(batch, insert_update_delete_of_separate_rows)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 1);
    sample_change(fragment, 0, NULL, sample_order(1, "new"));
    sample_change(fragment, 0, sample_order(2, "old"), sample_order(2, "changed"));
    sample_change(fragment, 0, sample_order(3, "gone"), NULL);
    cr_expect_eq(batch_bytes(batch), 0);
    add(batch, fragment);
    cr_expect_gt(batch_bytes(batch), 0);
    expect_outcome(batch, "put 0 1=new; put 0 2=changed; delete 0 3; ");
    cr_expect_eq(batch_changes(batch), 3);
    cr_expect_eq(batch_transactions(batch), 1);
    cr_expect_eq(batch_bytes(batch), fragment_memory_bytes(fragment));
}

Test(batch, the_last_image_of_a_key_wins)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *first = sample_fragment(sample, 1);
    sample_change(first, 0, NULL, sample_order(1, "a"));
    sample_change(first, 0, sample_order(1, "a"), sample_order(1, "b"));
    struct fragment *second = sample_fragment(sample, 2);
    sample_change(second, 0, sample_order(1, "b"), sample_order(1, "c"));
    add(batch, first);
    add(batch, second);
    expect_outcome(batch, "put 0 1=c; ");
    struct fragment *third = sample_fragment(sample, 3);
    sample_change(third, 0, sample_order(1, "c"), NULL);
    add(batch, third);
    expect_outcome(batch, "delete 0 1; ");
    struct fragment *fourth = sample_fragment(sample, 4);
    sample_change(fourth, 0, NULL, sample_order(1, "again"));
    add(batch, fourth);
    expect_outcome(batch, "put 0 1=again; ");
    cr_expect_eq(batch_changes(batch), 5);
    cr_expect_eq(batch_transactions(batch), 4);
}

Test(batch, a_changed_key_is_a_delete_and_a_put)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 1);
    sample_change(fragment, 0, sample_order(1, "a"), sample_order(2, "a"));
    add(batch, fragment);
    expect_outcome(batch, "delete 0 1; put 0 2=a; ");
    struct fragment *back = sample_fragment(sample, 2);
    sample_change(back, 0, sample_order(2, "a"), sample_order(1, "a"));
    add(batch, back);
    expect_outcome(batch, "put 0 1=a; delete 0 2; ");
    /* A cycle over two rows. */
    struct fragment *cycle = sample_fragment(sample, 3);
    sample_change(cycle, 0, sample_order(1, "a"), sample_order(3, "a"));
    sample_change(cycle, 0, NULL, sample_order(1, "other"));
    add(batch, cycle);
    expect_outcome(batch, "put 0 1=other; delete 0 2; put 0 3=a; ");
}

Test(batch, keys_are_equal_by_bytes_and_by_table)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 1);
    sample_change(fragment, 1, NULL, sample_item("x", 5, "one"));
    sample_change(fragment, 1, NULL, sample_item("X", 5, "two"));
    sample_change(fragment, 1, NULL, sample_item("", 5, "three"));
    sample_change(fragment, 0, NULL, sample_order(5, "four"));
    sample_change(fragment, 1, sample_item("x", 5, "one"), sample_item("x", 5, "five"));
    add(batch, fragment);
    expect_outcome(batch, "put 1 5,x=five; put 1 5,X=two; put 1 5,=three; put 0 5=four; ");
}

Test(batch, counts_rows_per_table_before_folding)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 1);
    sample_change(fragment, 0, NULL, sample_order(1, "a"));
    sample_change(fragment, 0, NULL, sample_order(2, "a"));
    sample_change(fragment, 0, sample_order(2, "a"), NULL);
    sample_change(fragment, 0, sample_order(1, "a"), sample_order(9, "a"));
    sample_change(fragment, 1, sample_item("x", 1, NULL), NULL);
    add(batch, fragment);
    cr_expect_eq(batch_row_delta(batch, 0), 1);
    cr_expect_eq(batch_row_delta(batch, 1), -1);
}

/* In parts, back to 0 in between, and cut off by a lost connection. */
Test(batch, counts_each_transaction_once)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *lost = sample_fragment(sample, 1);
    lost->last = false;
    sample_change(lost, 0, NULL, sample_order(1, "a"));
    sample_change(lost, 1, NULL, sample_item("x", 1, NULL));
    add(batch, lost);
    struct fragment *first = sample_fragment(sample, 2);
    first->last = false;
    sample_change(first, 0, NULL, sample_order(1, "a"));
    sample_change(first, 0, sample_order(1, "a"), NULL);
    sample_change(first, 0, NULL, sample_order(1, "a"));
    add(batch, first);
    cr_expect_eq(batch_row_delta(batch, 0), 0);
    struct fragment *second = sample_fragment(sample, 2);
    sample_change(second, 0, NULL, sample_order(2, "a"));
    add(batch, second);
    cr_expect_eq(batch_row_delta(batch, 0), 2);
    cr_expect_eq(batch_row_delta(batch, 1), 0);
    struct fragment *next = sample_fragment(sample, 3);
    sample_change(next, 1, NULL, sample_item("y", 1, NULL));
    add(batch, next);
    cr_expect_eq(batch_row_delta(batch, 0), 2);
    cr_expect_eq(batch_row_delta(batch, 1), 1);
}

Test(batch, grows_without_losing_a_key)
{
    enum { KEYS = 20000 };
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    for (unsigned round = 0; round < 2; round++) {
        struct fragment *fragment = sample_fragment(sample, round + 1);
        for (int32_t id = 0; id < KEYS; id++)
            sample_change(fragment, 0, round == 0 ? NULL : sample_order(id, "a"),
                          sample_order(id, round == 0 ? "a" : "b"));
        add(batch, fragment);
    }
    cr_assert_eq(batch_entries(batch), KEYS);
    g_autoptr(GString) scratch = g_string_new(NULL);
    for (size_t i = 0; i < KEYS; i++) {
        const struct batch_entry *entry = batch_entry(batch, i);
        struct column_text values[2];
        cr_assert(row_values_read(entry->layout, entry->image, scratch, values, NULL));
        g_autofree char *id = g_strdup_printf("%zu", i);
        cr_assert_eq(values[0].length, strlen(id));
        cr_assert_arr_eq(values[0].data, id, values[0].length);
        cr_assert_eq(*values[1].data, 'b');
    }
}

Test(batch, clear_leaves_nothing)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 1);
    fragment->commit_us = 77;
    sample_change(fragment, 0, NULL, sample_order(1, "a"));
    sample_change(fragment, 1, NULL, sample_item("x", 5, "one"));
    add(batch, fragment);
    cr_expect_eq(batch_commit_us(batch), 77);
    batch_clear(batch);
    cr_expect_eq(batch_bytes(batch), 0);
    cr_expect_eq(batch_entries(batch), 0);
    cr_expect_eq(batch_changes(batch), 0);
    cr_expect_eq(batch_transactions(batch), 0);
    cr_expect_eq(batch_bytes(batch), 0);
    cr_expect_eq(batch_commit_us(batch), 0);
    cr_expect_eq(batch_row_delta(batch, 0), 0);
    cr_expect_eq(batch_row_delta(batch, 1), 0);
    struct fragment *other = sample_fragment(sample, 2);
    sample_change(other, 0, sample_order(1, "a"), NULL);
    add(batch, other);
    expect_outcome(batch, "delete 0 1; ");
}

Test(batch, positions)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *whole = sample_fragment(sample, 4);
    whole->commit_us = 9;
    struct fragment *part = sample_fragment(sample, 5);
    part->last = false;
    part->commit_us = 8;
    struct fragment *committed = sample_fragment(sample, 7);
    committed->prepared = committed->gtid;
    committed->prepared.number = 2;
    add(batch, whole);
    add(batch, part);
    add(batch, committed);
    g_autoptr(gtid_set) position = gtid_set_new();
    g_autoptr(gtid_set) horizon = gtid_set_new();
    batch_add_position(batch, position);
    batch_add_horizon(batch, horizon);
    g_autofree char *complete = gtid_set_to_string(position);
    g_autofree char *touched = gtid_set_to_string(horizon);
    /* An XA PREPARE is complete with its XA COMMIT; a transaction with its last fragment. */
    cr_expect_str_eq(complete, "00000000-0000-0000-0000-000000000001:2:4:7");
    cr_expect_str_eq(touched, "00000000-0000-0000-0000-000000000001:2:4-5:7");
    cr_expect_eq(batch_transactions(batch), 2);
    cr_expect_eq(batch_commit_us(batch), 9);
}

Test(batch, a_key_that_cannot_be_read_is_an_error_by_name)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 12);
    GByteArray *cut = sample_item("tag", 1, NULL);
    g_byte_array_set_size(cut, 3);
    sample_change(fragment, 1, cut, NULL);
    g_autoptr(GError) error = NULL;
    cr_expect_not(batch_add(batch, fragment, &error));
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    cr_expect_neq(strstr(error->message, "shop.items"), NULL, "%s", error->message);
    cr_expect_neq(strstr(error->message, "0001:12"), NULL, "%s", error->message);
    cr_expect_eq(batch_entries(batch), 0);
}
