#include <criterion/criterion.h>

#include "hook/hook.h"

Test(policy, statuses)
{
    static const struct {
        int status;
        enum delivery_verdict verdict;
    } cases[] = {
        {0, VERDICT_RETRY},       {200, VERDICT_DELIVERED}, {204, VERDICT_DELIVERED},
        {299, VERDICT_DELIVERED}, {301, VERDICT_REFUSED},   {304, VERDICT_REFUSED},
        {307, VERDICT_REFUSED},   {400, VERDICT_REFUSED},   {403, VERDICT_REFUSED},
        {404, VERDICT_REFUSED},   {408, VERDICT_RETRY},     {409, VERDICT_RETRY},
        {410, VERDICT_REFUSED},   {422, VERDICT_REFUSED},   {425, VERDICT_RETRY},
        {429, VERDICT_RETRY},     {499, VERDICT_REFUSED},   {500, VERDICT_RETRY},
        {503, VERDICT_RETRY},     {599, VERDICT_RETRY},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        cr_expect_eq(hook_verdict(cases[i].status), cases[i].verdict, "status %d", cases[i].status);
}

Test(policy, backoff_doubles_up_to_a_minute)
{
    cr_expect_eq(hook_backoff_ms(1, 0.0, -1), 250);
    cr_expect_eq(hook_backoff_ms(2, 0.0, -1), 500);
    cr_expect_eq(hook_backoff_ms(3, 0.0, -1), 1000);
    cr_expect_eq(hook_backoff_ms(1, 0.5, -1), 375);
    cr_expect_leq(hook_backoff_ms(1, 0.999999, -1), 500);
    cr_expect_eq(hook_backoff_ms(100, 0.0, -1), 30000);
    cr_expect_eq(hook_backoff_ms(UINT_MAX, 0.999999, -1), 59999);
}

Test(policy, retry_after_is_honoured_and_bounded)
{
    cr_expect_eq(hook_backoff_ms(1, 0.0, 7000), 7000);
    cr_expect_eq(hook_backoff_ms(100, 0.0, 7000), 30000);
    cr_expect_eq(hook_backoff_ms(1, 0.0, INT64_MAX), 3600000);
    cr_expect_eq(hook_backoff_ms(1, 0.0, 0), 250);
}
