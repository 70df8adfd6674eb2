/* The copy's pace: who may work, and how the number of writers follows the rate. */
#include "copy/pace.h"

#include <criterion/criterion.h>

#define S INT64_C(1000000)

/* Plays windows at the rate (bytes/s) that the number of writers gives; the writers at the end. */
static unsigned
play(struct pace *pace, const double *rates, unsigned windows)
{
    static const unsigned parts = 20;
    if (pace->began_us == 0)
        pace_note(pace, 0, S);
    int64_t now_us = pace->began_us;
    for (unsigned i = 0; i < windows * parts; i++) {
        now_us += 2 * S / parts + 1;
        pace_note(pace, (uint64_t)(rates[pace->writers] * 2 / parts), now_us);
    }
    return pace->writers;
}

Test(pace, begins_with_two_or_with_what_there_is)
{
    struct pace pace;
    pace_init(&pace, 8);
    cr_expect_eq(pace.writers, 2);
    pace_init(&pace, 1);
    cr_expect_eq(pace.writers, 1);
}

Test(pace, grows_while_the_rate_grows)
{
    struct pace pace;
    pace_init(&pace, 6);
    static const double rates[] = {0, 1e6, 2e6, 3e6, 4e6, 5e6, 6e6};
    cr_expect_eq(play(&pace, rates, 20), 6);
    /* Never more than allowed. */
    cr_expect_eq(play(&pace, rates, 50), 6);
}

Test(pace, stays_where_more_writers_bring_nothing)
{
    struct pace pace;
    pace_init(&pace, 8);
    static const double rates[] = {0, 1e6, 2e6, 2e6, 1.9e6, 1.8e6, 1e6, 1e6, 1e6};
    unsigned with_more = 0;
    for (int i = 0; i < 200; i++)
        with_more += play(&pace, rates, 1) > 2 ? 1 : 0;
    cr_expect_gt(with_more, 0, "it never tried");
    cr_expect_lt(with_more, 20, "it tried too often: %u of 200 windows", with_more);
}

Test(pace, a_load_that_ends_is_noticed)
{
    struct pace pace;
    pace_init(&pace, 4);
    static const double flat[] = {0, 1e6, 1e6, 1e6, 1e6};
    static const double steep[] = {0, 1e6, 2e6, 3e6, 4e6};
    cr_expect_leq(play(&pace, flat, 100), 3);
    cr_expect_eq(play(&pace, steep, 200), 4);
}

Test(pace, nothing_is_read_that_no_writer_waits_for)
{
    struct pace pace;
    pace_init(&pace, 2);
    cr_expect(pace_may_read(&pace, 0));
    pace.reading = 2;
    cr_expect(pace_may_read(&pace, 0), "one for each writer, and one ahead");
    cr_expect_not(pace_may_read(&pace, 1));
    pace.reading = 0;
    pace.writing = 2;
    cr_expect(pace_may_read(&pace, 0));
    cr_expect_not(pace_may_read(&pace, 1));
    pace.reading = 1;
    cr_expect_not(pace_may_read(&pace, 0));
    /* Fewer may work than do at the moment. */
    pace.writers = 1;
    pace.reading = 0;
    cr_expect(pace_may_read(&pace, 0));
    cr_expect_not(pace_may_read(&pace, 1));
}

Test(pace, only_so_many_write)
{
    struct pace pace;
    pace_init(&pace, 2);
    pace.writing = 1;
    cr_expect(pace_may_write(&pace));
    pace.writing = 2;
    cr_expect_not(pace_may_write(&pace));
}
