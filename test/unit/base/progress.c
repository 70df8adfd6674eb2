#include <criterion/criterion.h>

#include "base/progress.h"

static const char *const names[] = {"shop.orders", "shop.items"};

Test(progress, sums_what_was_copied)
{
    g_autoptr(progress) progress = progress_new(names, 2);
    progress_table_begin(progress, 0, 1000, 200);
    progress_chunk_copied(progress, 0, 100, 5000);
    progress_chunk_copied(progress, 0, 50, 2500);
    progress_set_phase(progress, "copying");
    progress_set_lag_ms(progress, 12);
    progress_applied(progress, 3, 40);
    g_autoptr(progress_snapshot) snapshot = progress_snapshot(progress);
    cr_expect_str_eq(snapshot->phase, "copying");
    cr_expect(snapshot->begun);
    cr_expect_eq(snapshot->lag_ms, 12);
    cr_expect_eq(snapshot->rows_copied, 350);
    cr_expect_eq(snapshot->estimated_rows, 1000);
    cr_expect_eq(snapshot->changes_applied, 40);
    cr_expect_eq(snapshot->transactions_applied, 3);
    cr_expect_str_eq(snapshot->tables[0].name, "shop.orders");
    cr_expect_eq(snapshot->tables[0].rows_copied, 350);
    cr_expect_eq(snapshot->tables[0].bytes_copied, 7500);
    /* What an earlier run copied does not count for the rate. */
    cr_expect_float_eq(snapshot->tables[0].rows_per_s, 150.0, 1.0);
    cr_expect_eq(snapshot->tables[0].eta_ms, (int64_t)(650 / 150.0 * 1000));
    cr_expect(snapshot->tables[0].started);
    cr_expect_not(snapshot->tables[1].started);
    cr_expect_eq(snapshot->tables[1].eta_ms, -1);
    cr_expect_eq(snapshot->tables_finished, 0);
}

Test(progress, estimate_follows_the_truth)
{
    g_autoptr(progress) progress = progress_new(names, 2);
    progress_table_begin(progress, 0, 100, 0);
    progress_chunk_copied(progress, 0, 180, 1);
    progress_table_begin(progress, 1, 100, 0);
    progress_chunk_copied(progress, 1, 70, 1);
    progress_table_finished(progress, 1);
    g_autoptr(progress_snapshot) snapshot = progress_snapshot(progress);
    cr_expect_eq(snapshot->tables[0].estimated_rows, 180);
    cr_expect_eq(snapshot->tables[0].eta_ms, -1);
    cr_expect_eq(snapshot->tables[1].estimated_rows, 70);
    cr_expect_eq(snapshot->tables[1].eta_ms, 0);
    cr_expect_eq(snapshot->tables_finished, 1);
}

Test(progress, without_a_store_nothing_happens)
{
    progress_table_begin(NULL, 0, 1, 1);
    progress_chunk_copied(NULL, 0, 1, 1);
    progress_applied(NULL, 1, 1);
    progress_set_phase(NULL, "copying");
    g_autoptr(progress) progress = progress_new(names, 2);
    progress_chunk_copied(progress, 2, 10, 10);
    g_autoptr(progress_snapshot) snapshot = progress_snapshot(progress);
    cr_expect_eq(snapshot->rows_copied, 0);
    cr_expect_str_eq(snapshot->phase, "starting");
    cr_expect_not(snapshot->begun);
    cr_expect_eq(snapshot->lag_ms, -1);
}

Test(progress, eta)
{
    cr_expect_eq(progress_eta_ms(0, 0), 0);
    cr_expect_eq(progress_eta_ms(10, 0), -1);
    cr_expect_eq(progress_eta_ms(1000, 500), 2000);
    cr_expect_eq(progress_eta_ms(UINT64_MAX, 0.5), -1);
}
