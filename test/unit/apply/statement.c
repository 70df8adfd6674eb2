/* The statements of a batch. */
#include "apply/statement.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"
#include "sample.h"

/* The statement over the entries `from` to `to` (exclusive). Caller frees. */
static char *
built(struct sample *sample, const struct batch *batch, uint32_t from, uint32_t to)
{
    uint32_t numbers[8];
    for (uint32_t i = from; i < to; i++)
        numbers[i - from] = i;
    const struct batch_entry *first = batch_entry(batch, from);
    struct slice slice = {
        .table = g_ptr_array_index(sample->moved_tables, first->table),
        .batch = batch,
        .entries = numbers,
        .count = to - from,
        .is_put = first->is_put,
    };
    struct statement_buffers buffers;
    statement_buffers_init(&buffers);
    g_autoptr(GError) error = NULL;
    cr_assert(statement_build(&buffers, &slice, &error), "%s", error == NULL ? "" : error->message);
    char *sql = g_strdup(buffers.sql->str);
    statement_buffers_clear(&buffers);
    return sql;
}

Test(statement, simple_key)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 1);
    sample_change(fragment, 0, sample_order(1, "x"), NULL);
    sample_change(fragment, 0, sample_order(-2, "y"), NULL);
    sample_change(fragment, 0, NULL, sample_order(3, "it's"));
    sample_change(fragment, 0, NULL, sample_order(4, NULL));
    sample_change(fragment, 0, NULL, sample_order(5, ""));
    cr_assert(batch_add(batch, fragment, NULL));
    g_autofree char *one = built(sample, batch, 0, 1);
    g_autofree char *two = built(sample, batch, 0, 2);
    g_autofree char *put = built(sample, batch, 2, 5);
    cr_expect_str_eq(one, "DELETE FROM `shop`.`orders` WHERE `id` IN (1)");
    cr_expect_str_eq(two, "DELETE FROM `shop`.`orders` WHERE `id` IN (1,-2)");
    cr_expect_str_eq(put, "REPLACE INTO `shop`.`orders` (`id`,`v`) VALUES "
                          "(3,_binary'it\\'s'),(4,NULL),(5,_binary'')");
}

Test(statement, composite_key_other_name_and_generated_column)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 1);
    sample_change(fragment, 1, sample_item("a", 7, NULL), NULL);
    sample_change(fragment, 1, sample_item("b", 8, "gone"), NULL);
    sample_change(fragment, 1, NULL, sample_item("c", 9, "note"));
    sample_change(fragment, 1, sample_item("d", 10, "was"), sample_item("d", 10, NULL));
    cr_assert(batch_add(batch, fragment, NULL));
    g_autofree char *deletes = built(sample, batch, 0, 2);
    g_autofree char *puts = built(sample, batch, 2, 4);
    cr_expect_str_eq(deletes, "DELETE FROM `shop7`.`things` WHERE (`n`,`tag`) IN "
                              "((7,_utf8mb4 x'61'),(8,_utf8mb4 x'62'))");
    cr_expect_str_eq(puts, "REPLACE INTO `shop7`.`things` (`tag`,`n`,`note`) VALUES "
                           "(_binary'c',9,_binary'note'),(_binary'd',10,NULL)");
}

Test(statement, buffers_are_used_again)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 1);
    sample_change(fragment, 0, sample_order(1, "x"), NULL);
    sample_change(fragment, 1, NULL, sample_item("c", 9, "note"));
    cr_assert(batch_add(batch, fragment, NULL));
    struct statement_buffers buffers;
    statement_buffers_init(&buffers);
    static const char *const expected[] = {
        "DELETE FROM `shop`.`orders` WHERE `id` IN (1)",
        "REPLACE INTO `shop7`.`things` (`tag`,`n`,`note`) VALUES (_binary'c',9,_binary'note')",
    };
    for (uint32_t round = 0; round < 4; round++) {
        uint32_t number = round % 2;
        struct slice slice = {
            .table = g_ptr_array_index(sample->moved_tables, number),
            .batch = batch,
            .entries = &number,
            .count = 1,
            .is_put = number == 1,
        };
        cr_assert(statement_build(&buffers, &slice, NULL));
        cr_expect_str_eq(buffers.sql->str, expected[number]);
    }
    statement_buffers_clear(&buffers);
}

Test(statement, a_value_that_cannot_be_read_is_an_error)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 1);
    GByteArray *cut = sample_order(1, "a long value");
    g_byte_array_set_size(cut, cut->len - 3);
    sample_change(fragment, 0, NULL, cut);
    cr_assert(batch_add(batch, fragment, NULL)); /* the key is whole */
    struct statement_buffers buffers;
    statement_buffers_init(&buffers);
    uint32_t number = 0;
    struct slice slice = {
        .table = g_ptr_array_index(sample->moved_tables, 0),
        .batch = batch,
        .entries = &number,
        .count = 1,
        .is_put = true,
    };
    g_autoptr(GError) error = NULL;
    cr_expect_not(statement_build(&buffers, &slice, &error));
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    cr_expect_neq(strstr(error->message, "orders"), NULL, "%s", error->message);
    statement_buffers_clear(&buffers);
}

/* Only a statement of one row can say whose value the server refused. */
Test(statement, the_row_in_a_message)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(batch) batch = batch_new(2);
    struct fragment *fragment = sample_fragment(sample, 1);
    sample_change(fragment, 0, NULL, sample_order(4, "secret"));
    sample_change(fragment, 0, NULL, sample_order(5, "secret"));
    cr_assert(batch_add(batch, fragment, NULL));
    uint32_t numbers[] = {0, 1};
    struct slice slice = {
        .table = g_ptr_array_index(sample->moved_tables, 0),
        .batch = batch,
        .entries = numbers,
        .count = 1,
        .is_put = true,
    };
    struct statement_buffers buffers;
    statement_buffers_init(&buffers);
    g_autoptr(GError) one = g_error_new_literal(MT_ERROR, MT_ERROR_DATA, "refused");
    statement_name_row(&buffers, &slice, &one);
    cr_expect_str_eq(one->message, "table shop.orders, row `id` IN (4): refused");
    statement_name_row(&buffers, &slice, &one);
    cr_expect_str_eq(one->message, "table shop.orders, row `id` IN (4): refused");
    g_autoptr(GError) lost = g_error_new_literal(MT_ERROR, MT_ERROR_TARGET_LOST, "lost");
    statement_name_row(&buffers, &slice, &lost);
    cr_expect_str_eq(lost->message, "lost");
    slice.count = 2;
    g_autoptr(GError) two = g_error_new_literal(MT_ERROR, MT_ERROR_DATA, "refused");
    statement_name_row(&buffers, &slice, &two);
    cr_expect_str_eq(two->message, "refused");
    statement_buffers_clear(&buffers);
}
