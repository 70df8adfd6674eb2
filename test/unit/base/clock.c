#include "base/clock.h"

#include <criterion/criterion.h>
#include <glib.h>

Test(clock, text_is_utc_with_milliseconds)
{
    g_autofree char *epoch = clock_format_utc(0);
    g_autofree char *day = clock_format_utc(1796126400123999);
    cr_expect_str_eq(epoch, "1970-01-01T00:00:00.000Z");
    cr_expect_str_eq(day, "2026-12-01T12:00:00.123Z");
}

Test(clock, monotonic_does_not_go_back)
{
    int64_t before = clock_monotonic_us();
    for (unsigned i = 0; i < 1000; i++) {
        int64_t now = clock_monotonic_us();
        cr_assert_geq(now, before);
        before = now;
    }
    cr_expect_gt(clock_real_us(), 1700000000000000);
}

Test(clock, a_timed_wait_ends_at_its_deadline, .timeout = 30)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    clock_cond_init(&cond);
    pthread_mutex_lock(&mutex);
    int64_t deadline_us = clock_monotonic_us() + 10000;
    while (clock_cond_wait_until(&cond, &mutex, deadline_us))
        ;
    cr_expect_geq(clock_monotonic_us(), deadline_us);
    /* A deadline that is past already is one. */
    cr_expect_not(clock_cond_wait_until(&cond, &mutex, deadline_us - 1000000));
    pthread_mutex_unlock(&mutex);
    pthread_cond_destroy(&cond);
}
