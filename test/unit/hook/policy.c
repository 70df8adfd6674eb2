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

Test(policy, what_leaves_doubt)
{
    static const struct {
        int status;
        bool left;
        bool doubt;
    } cases[] = {
        {0, true, true},                        /* a time-out, a reset: it may have arrived */
        {0, false, false},                      /* no connection */
        {500, true, true},                      /* after the commit, perhaps */
        {502, true, true},                      /* a proxy's word for its backend */
        {504, true, true},  {503, true, false}, /* not now */
        {429, true, false}, {408, true, false}, {409, true, false},
        {425, true, false}, {200, true, false}, {204, true, false},
        {307, true, false}, {403, true, false}, {404, true, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct delivery_result result = {.status = cases[i].status,
                                         .left = cases[i].left,
                                         .verdict = hook_verdict(cases[i].status)};
        cr_expect_eq(hook_leaves_doubt(&result), cases[i].doubt, "status %d, left %d",
                     cases[i].status, cases[i].left);
    }
}

Test(policy, probes)
{
    cr_expect_eq(hook_probe_verdict(200), PROBE_ARRIVED);
    cr_expect_eq(hook_probe_verdict(204), PROBE_ARRIVED);
    cr_expect_eq(hook_probe_verdict(404), PROBE_ABSENT);
    static const int unknown[] = {0, 301, 304, 400, 401, 403, 409, 410, 429, 500, 503};
    for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++)
        cr_expect_eq(hook_probe_verdict(unknown[i]), PROBE_UNKNOWN, "status %d", unknown[i]);
}

Test(policy, probe_urls)
{
    static const char *const cases[][2] = {
        {"http://a/events/{id}", "http://a/events/e-1"},
        {"http://a/{id}?again={id}", "http://a/e-1?again=e-1"},
        {"http://a/status", "http://a/status?id=e-1"},
        {"http://a/status?token=t", "http://a/status?token=t&id=e-1"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = hook_probe_url(cases[i][0], "e-1");
        cr_expect_str_eq(url, cases[i][1]);
    }
}
