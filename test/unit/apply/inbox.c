/* The inbox: what may be taken while chunks are in flight, and how much may wait. */
#include "apply/inbox.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/error.h"
#include "sample.h"

#define PLENTY ((size_t)1 << 20)

static struct inbox *
inbox_made(size_t max_bytes)
{
    g_autoptr(gtid_set) from = gtid_set_parse("00000000-0000-0000-0000-000000000001:1-10", NULL);
    return inbox_new(from, max_bytes);
}

/* A transaction with GTID number 10 + `number` arrives: its arrival number should be `number`. */
static void
arrive(struct inbox *inbox, uint64_t number)
{
    struct gtid gtid = {.uuid[15] = 1, .number = (int64_t)(10 + number)};
    uint64_t seq = 0;
    cr_assert(inbox_arrived(inbox, &gtid, &seq, NULL));
    cr_assert_eq(seq, number);
}

static void
put(struct inbox *inbox, struct sample *sample, uint64_t seq)
{
    struct fragment *fragment = sample_fragment(sample, seq);
    fragment->commit_us = (int64_t)seq * 100;
    cr_assert(inbox_put(inbox, fragment, NULL));
}

static uint64_t
take_now(struct inbox *inbox)
{
    struct fragment *fragment = inbox_take(inbox, INT64_MIN);
    uint64_t seq = fragment != NULL ? fragment->seq : 0;
    fragment_free(fragment);
    return seq;
}

Test(inbox, gives_in_order_of_arrival)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(inbox) inbox = inbox_made(PLENTY);
    cr_expect_eq(take_now(inbox), 0);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        arrive(inbox, seq);
        put(inbox, sample, seq);
    }
    struct inbox_state state = inbox_state(inbox);
    cr_expect_eq(state.waiting_fragments, 3);
    cr_expect_eq(state.oldest_commit_us, 100);
    cr_expect_gt(state.waiting_bytes, 0);
    cr_expect_eq(take_now(inbox), 1);
    cr_expect_eq(take_now(inbox), 2);
    cr_expect_eq(take_now(inbox), 3);
    cr_expect_eq(take_now(inbox), 0);
    state = inbox_state(inbox);
    cr_expect_eq(state.waiting_bytes, 0);
    cr_expect_eq(state.oldest_commit_us, 0);
}

Test(inbox, everything_that_arrived_is_told_with_the_pin)
{
    g_autoptr(inbox) inbox = inbox_made(PLENTY);
    arrive(inbox, 1);
    g_autofree char *first = NULL;
    uint64_t pin = inbox_pin(inbox, &first);
    arrive(inbox, 2);
    g_autofree char *now = inbox_arrived_text(inbox);
    cr_expect_eq(pin, 1);
    cr_expect_str_eq(first, "00000000-0000-0000-0000-000000000001:1-11");
    cr_expect_str_eq(now, "00000000-0000-0000-0000-000000000001:1-12");
}

Test(inbox, pins_limit_what_can_be_taken)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(inbox) inbox = inbox_made(PLENTY);
    g_autofree char *text1 = NULL, *text2 = NULL, *text3 = NULL;
    arrive(inbox, 1);
    uint64_t early = inbox_pin(inbox, &text1);
    arrive(inbox, 2);
    uint64_t late = inbox_pin(inbox, &text2);
    uint64_t twin = inbox_pin(inbox, &text3);
    arrive(inbox, 3);
    for (uint64_t seq = 1; seq <= 3; seq++)
        put(inbox, sample, seq);
    /* What had arrived before the pin may go; nothing after it. */
    cr_expect_eq(take_now(inbox), 1);
    cr_expect_eq(take_now(inbox), 0);
    inbox_unpin(inbox, late);
    cr_expect_eq(take_now(inbox), 0);
    inbox_unpin(inbox, early);
    cr_expect_eq(take_now(inbox), 2);
    /* Two chunks with the same number are two pins. */
    cr_expect_eq(take_now(inbox), 0);
    inbox_unpin(inbox, twin);
    cr_expect_eq(take_now(inbox), 3);
}

Test(inbox, a_pin_before_anything_arrived_holds_everything)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(inbox) inbox = inbox_made(PLENTY);
    g_autofree char *text = NULL;
    uint64_t pin = inbox_pin(inbox, &text);
    arrive(inbox, 1);
    put(inbox, sample, 1);
    cr_expect_eq(take_now(inbox), 0);
    inbox_unpin(inbox, pin);
    cr_expect_eq(take_now(inbox), 1);
}

Test(inbox, take_gives_up_at_its_deadline)
{
    g_autoptr(inbox) inbox = inbox_made(PLENTY);
    int64_t deadline_us = clock_monotonic_us() + 20000;
    cr_expect_null(inbox_take(inbox, deadline_us));
    cr_expect_geq(clock_monotonic_us(), deadline_us);
}

/* --- with a second thread --------------------------------------------------------------- */

struct taker {
    struct inbox *inbox;
    struct fragment *taken;
};

static void *
take_for_ever(void *argument)
{
    struct taker *taker = argument;
    taker->taken = inbox_take(taker->inbox, INT64_MAX);
    return NULL;
}

Test(inbox, unpin_wakes_the_taker, .timeout = 30)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(inbox) inbox = inbox_made(PLENTY);
    g_autofree char *text = NULL;
    uint64_t pin = inbox_pin(inbox, &text);
    arrive(inbox, 1);
    put(inbox, sample, 1);
    struct taker taker = {.inbox = inbox};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, take_for_ever, &taker), 0);
    g_usleep(5000);
    inbox_unpin(inbox, pin);
    pthread_join(thread, NULL);
    cr_assert_neq(taker.taken, NULL);
    cr_expect_eq(taker.taken->seq, 1);
    fragment_free(taker.taken);
}

Test(inbox, close_wakes_the_taker_and_gives_nothing_more, .timeout = 30)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(inbox) inbox = inbox_made(PLENTY);
    struct taker taker = {.inbox = inbox};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, take_for_ever, &taker), 0);
    g_usleep(5000);
    inbox_close(inbox);
    pthread_join(thread, NULL);
    cr_expect_null(taker.taken);

    g_autoptr(GError) error = NULL;
    cr_expect_not(inbox_put(inbox, sample_fragment(sample, 1), &error));
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_STOPPED));
    cr_expect_null(inbox_take(inbox, INT64_MAX));
}

Test(inbox, closed_gives_nothing_even_if_something_waits)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(inbox) inbox = inbox_made(PLENTY);
    arrive(inbox, 1);
    put(inbox, sample, 1);
    inbox_close(inbox);
    cr_expect_eq(take_now(inbox), 0);
}

struct putter {
    struct inbox *inbox;
    struct sample *sample;
    atomic_bool done;
    bool accepted;
};

static void *
put_one(void *argument)
{
    struct putter *putter = argument;
    g_autoptr(GError) error = NULL;
    putter->accepted = inbox_put(putter->inbox, sample_fragment(putter->sample, 2), &error);
    cr_expect(putter->accepted || g_error_matches(error, MT_ERROR, MT_ERROR_STOPPED));
    atomic_store(&putter->done, true);
    return NULL;
}

/* Bytes for one fragment and a half. The first one gets in; the second one has to wait. */
static pthread_t
fill_and_start(struct putter *putter, struct sample *sample)
{
    struct fragment *first = sample_fragment(sample, 1);
    putter->inbox = inbox_made(fragment_memory_bytes(first) * 3 / 2);
    putter->sample = sample;
    cr_assert(inbox_put(putter->inbox, first, NULL));
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, put_one, putter), 0);
    g_usleep(20000);
    cr_expect_not(atomic_load(&putter->done));
    return thread;
}

Test(inbox, bytes_that_wait_are_bounded, .timeout = 30)
{
    g_autoptr(sample) sample = sample_new();
    struct putter putter = {0};
    pthread_t thread = fill_and_start(&putter, sample);
    cr_expect_eq(take_now(putter.inbox), 1);
    pthread_join(thread, NULL);
    cr_expect(putter.accepted);
    cr_expect_eq(take_now(putter.inbox), 2);
    inbox_free(putter.inbox);
}

Test(inbox, close_wakes_who_waits_for_room, .timeout = 30)
{
    g_autoptr(sample) sample = sample_new();
    struct putter putter = {0};
    pthread_t thread = fill_and_start(&putter, sample);
    inbox_close(putter.inbox);
    pthread_join(thread, NULL);
    cr_expect_not(putter.accepted);
    inbox_free(putter.inbox);
}

Test(inbox, one_fragment_passes_however_large, .timeout = 30)
{
    g_autoptr(sample) sample = sample_new();
    g_autoptr(inbox) inbox = inbox_made(1);
    arrive(inbox, 1);
    put(inbox, sample, 1);
    cr_expect_eq(take_now(inbox), 1);
}
