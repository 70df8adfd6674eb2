#include "base/stop.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <pthread.h>

#include "base/clock.h"

static void
count_up(void *argument)
{
    (*(unsigned *)argument)++;
}

Test(stop, is_requested_once_and_stays)
{
    unsigned first = 0, second = 0;
    stop_on_request(count_up, &first);
    stop_on_request(count_up, &second);
    cr_expect_not(stop_requested());
    stop_request();
    stop_request();
    cr_expect(stop_requested());
    cr_expect_eq(first, 1);
    cr_expect_eq(second, 1);
}

Test(stop, who_comes_late_is_called_at_once)
{
    unsigned calls = 0;
    stop_request();
    stop_on_request(count_up, &calls);
    cr_expect_eq(calls, 1);
}

Test(stop, who_is_forgotten_is_not_called)
{
    unsigned kept = 0, forgotten = 0;
    stop_on_request(count_up, &forgotten);
    stop_on_request(count_up, &kept);
    stop_forget(count_up, &forgotten);
    stop_forget(count_up, &forgotten); /* nothing to forget any more */
    stop_request();
    cr_expect_eq(forgotten, 0);
    cr_expect_eq(kept, 1);
}

Test(stop, reset_makes_it_usable_again)
{
    unsigned calls = 0;
    stop_on_request(count_up, &calls);
    stop_request();
    stop_reset();
    cr_expect_not(stop_requested());
    stop_request();
    cr_expect_eq(calls, 2);
}

Test(stop, waiting_ends_with_the_time, .timeout = 30)
{
    int64_t start_us = clock_monotonic_us();
    cr_expect_not(stop_wait_ms(10));
    cr_expect_geq(clock_monotonic_us() - start_us, 10000);
}

static void *
request_soon(void *unused)
{
    (void)unused;
    g_usleep(5000);
    stop_request();
    return NULL;
}

Test(stop, waiting_ends_with_the_request, .timeout = 30)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, request_soon, NULL), 0);
    cr_expect(stop_wait_ms(3600000)); /* the test's time-out is shorter */
    pthread_join(thread, NULL);
    cr_expect(stop_wait_ms(3600000));
}
