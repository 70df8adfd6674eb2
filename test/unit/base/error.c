#include "base/error.h"

#include <criterion/criterion.h>

Test(error, exit_codes_are_the_documented_ones)
{
    static const struct {
        enum mt_error code;
        int exit_code;
        bool transient;
    } expected[] = {
        {MT_ERROR_FAILED, 1, false},     {MT_ERROR_USAGE, 2, false},
        {MT_ERROR_PREFLIGHT, 3, false},  {MT_ERROR_SOURCE, 4, false},
        {MT_ERROR_SOURCE_LOST, 4, true}, {MT_ERROR_TARGET, 5, false},
        {MT_ERROR_TARGET_LOST, 5, true}, {MT_ERROR_TARGET_BUSY, 5, true},
        {MT_ERROR_SOURCE_BUSY, 4, true}, {MT_ERROR_CHECKPOINT, 6, false},
        {MT_ERROR_DATA, 7, false},       {MT_ERROR_GAP, 7, false},
        {MT_ERROR_STOPPED, 8, false},    {MT_ERROR_FENCED, 9, false},
        {MT_ERROR_HOOK, 10, false},      {MT_ERROR_CUTOVER, 11, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(GError) error = g_error_new_literal(MT_ERROR, (gint)expected[i].code, "x");
        cr_expect_eq(mt_error_exit_code(error), expected[i].exit_code, "%zu", i);
        cr_expect_eq(mt_error_is_transient(error), expected[i].transient, "%zu", i);
    }
}

Test(error, foreign_errors_have_no_code_of_their_own)
{
    g_autoptr(GError) foreign = g_error_new_literal(G_FILE_ERROR, (gint)MT_ERROR_TARGET_LOST, "x");
    g_autoptr(GError) beyond = g_error_new_literal(MT_ERROR, 9999, "x");
    g_autoptr(GError) below = g_error_new_literal(MT_ERROR, -1, "x");
    cr_expect_eq(mt_error_exit_code(foreign), 1);
    cr_expect_eq(mt_error_exit_code(beyond), 1);
    cr_expect_eq(mt_error_exit_code(below), 1);
    cr_expect_eq(mt_error_exit_code(NULL), 1);
    cr_expect_not(mt_error_is_transient(foreign));
    cr_expect_not(mt_error_is_transient(beyond));
    cr_expect_not(mt_error_is_transient(NULL));
}
