/* The copier's scheduler: no server, no threads of its own. */
#include "copy/copier.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "../apply/sample.h"
#include "base/error.h"
#include "copy/copier_int.h"

/* A copier over the sample's two tables, as copier_start() makes it but without threads. */
struct stage {
    struct sample *sample;
    struct config config;
    struct inbox *inbox;
    struct copier *copier;
    unsigned finished;
    unsigned failed;
};

static void
note_finished(void *context)
{
    ((struct stage *)context)->finished++;
}

static void
note_failed(void *context, const GError *error)
{
    cr_expect_neq(error, NULL);
    ((struct stage *)context)->failed++;
}

static void
stage_open(struct stage *stage)
{
    stage->sample = sample_new();
    stage->config.copy.chunk_ms = 250;
    stage->config.copy.chunk_rows = 1000;
    stage->config.copy.writers = 4;
    g_autoptr(gtid_set) nothing = gtid_set_new();
    stage->inbox = inbox_new(nothing, 1 << 20);
    struct copier *copier = g_new0(struct copier, 1);
    copier->options = (struct copier_options){
        .config = &stage->config,
        .inbox = stage->inbox,
        .moved_tables = stage->sample->moved_tables,
        .load_local = true,
        .finished = note_finished,
        .failed = note_failed,
        .context = stage,
    };
    copier->part_bytes = 1 << 20;
    copier->queue_bytes = 1 << 22;
    pace_init(&copier->pace, 100); /* in nobody's way; pace.c has tests of its own */
    copier->pace.writers = 100;
    copier->tables = 2;
    copier->walks = g_new0(struct table_walk, 2);
    for (unsigned i = 0; i < 2; i++) {
        copier->walks[i].table = g_ptr_array_index(stage->sample->moved_tables, i);
        copier->walks[i].chunk_rows = 1000;
    }
    pthread_mutex_init(&copier->mutex, NULL);
    pthread_mutex_init(&copier->facts_mutex, NULL);
    pthread_cond_init(&copier->claimable, NULL);
    pthread_cond_init(&copier->readable, NULL);
    pthread_cond_init(&copier->writable, NULL);
    copier->joined = true;
    stage->copier = copier;
}

static void
stage_close(struct stage *stage)
{
    copier_free(stage->copier);
    inbox_free(stage->inbox);
    sample_free(stage->sample);
}

/* Claims, and hands out the range up to `upper` ("" for the end). */
static struct range *
next_range(struct stage *stage, const char *upper)
{
    struct bound *lower = NULL;
    uint64_t rows = 0;
    struct table_walk *walk = copier_claim(stage->copier, &lower, &rows);
    cr_assert_neq(walk, NULL);
    struct column_text texts[] = {{.data = upper, .length = strlen(upper)},
                                  {.data = "x", .length = 1}};
    struct bound *bound = *upper == '\0' ? NULL : bound_new(texts, walk->table->index + 1);
    return copier_publish(stage->copier, walk, lower, bound);
}

/* The other table is out of the way, its copy done. */
static void
only_orders(struct stage *stage)
{
    stage->copier->walks[1].exhausted = true;
    stage->copier->walks[1].done = true;
    stage->copier->tables_done = 1;
}

static struct chunk *
pin(struct stage *stage, struct range *range)
{
    g_autofree char *arrived = NULL;
    return copier_pin(stage->copier, range, &arrived);
}

static struct part *
put_part(struct stage *stage, struct chunk *chunk, uint64_t rows)
{
    struct part *part = part_new(stage->copier, chunk);
    g_string_append(part->bytes, "1\tx\n");
    part->rows = rows;
    chunk->rows += rows;
    chunk->bytes += part->bytes->len;
    cr_assert(copier_put(stage->copier, part));
    struct part *taken = copier_take(stage->copier);
    cr_assert_eq(taken, part);
    return part;
}

/* Reads and writes the range in one part. */
static void
copy_range(struct stage *stage, struct range *range, uint64_t rows)
{
    struct chunk *chunk = pin(stage, range);
    struct part *part = put_part(stage, chunk, rows);
    copier_read_done(stage->copier, chunk, true);
    copier_part_done(stage->copier, part, true);
}

static void
expect_state(struct stage *stage, const char *copied_to, uint64_t rows, bool done)
{
    struct table_state states[2] = {0};
    copier_states(stage->copier, states, 2);
    cr_expect_str_eq(states[0].copied_to != NULL ? states[0].copied_to : "-", copied_to);
    cr_expect_eq(states[0].rows_copied, rows);
    cr_expect_eq(states[0].copy_done, done);
    g_free(states[0].copied_to);
    g_free(states[1].copied_to);
}

Test(copier, copied_to_never_passes_a_gap)
{
    struct stage stage = {0};
    stage_open(&stage);
    only_orders(&stage);
    struct range *first = next_range(&stage, "10");
    struct range *second = next_range(&stage, "20");
    struct range *third = next_range(&stage, "30");
    expect_state(&stage, "-", 0, false);
    copy_range(&stage, third, 3);
    expect_state(&stage, "-", 0, false);
    copy_range(&stage, first, 1);
    expect_state(&stage, "[\"3130\"]", 1, false);
    copy_range(&stage, second, 2);
    expect_state(&stage, "[\"3330\"]", 6, false);
    stage_close(&stage);
}

Test(copier, ranges_follow_one_another)
{
    struct stage stage = {0};
    stage_open(&stage);
    only_orders(&stage);
    struct range *first = next_range(&stage, "10");
    struct range *second = next_range(&stage, "20");
    struct range *last = next_range(&stage, "");
    cr_expect_null(first->lower);
    cr_expect_eq(second->lower, first->upper);
    cr_expect_eq(last->lower, second->upper);
    cr_expect_null(last->upper);
    stage_close(&stage);
}

Test(copier, finishes_once_when_the_last_range_is_durable, .timeout = 30)
{
    struct stage stage = {0};
    stage_open(&stage);
    only_orders(&stage);
    struct range *first = next_range(&stage, "10");
    struct range *last = next_range(&stage, "");
    copy_range(&stage, last, 5);
    cr_expect_eq(stage.finished, 0);
    struct chunk *chunk = pin(&stage, first);
    struct part *part = put_part(&stage, chunk, 7);
    copier_part_done(stage.copier, part, true);
    /* Its part is durable, but more may come until the reader is through. */
    cr_expect_eq(stage.finished, 0);
    expect_state(&stage, "-", 0, false);
    copier_read_done(stage.copier, chunk, true);
    cr_expect_eq(stage.finished, 1);
    expect_state(&stage, "[\"3130\"]", 12, true);
    struct bound *lower = NULL;
    uint64_t rows = 0;
    cr_expect_null(copier_claim(stage.copier, &lower, &rows));
    cr_expect_null(copier_take(stage.copier));
    stage_close(&stage);
}

Test(copier, a_range_that_has_no_rows_is_durable_when_read)
{
    struct stage stage = {0};
    stage_open(&stage);
    only_orders(&stage);
    copier_read_done(stage.copier, pin(&stage, next_range(&stage, "")), true);
    expect_state(&stage, "-", 0, true);
    cr_expect_eq(stage.finished, 1);
    stage_close(&stage);
}

Test(copier, a_reading_that_broke_off_is_not_durable)
{
    struct stage stage = {0};
    stage_open(&stage);
    only_orders(&stage);
    struct range *range = next_range(&stage, "10");
    struct chunk *broken = pin(&stage, range);
    struct part *part = put_part(&stage, broken, 5);
    copier_read_done(stage.copier, broken, false);
    copier_part_done(stage.copier, part, true);
    expect_state(&stage, "-", 0, false);
    copy_range(&stage, range, 9);
    expect_state(&stage, "[\"3130\"]", 9, false);
    stage_close(&stage);
}

/* Is the applier held by a pin? */
static bool
is_pinned(struct stage *stage, uint64_t seq)
{
    struct gtid gtid = {.uuid[15] = 1, .number = (int64_t)seq};
    uint64_t given = 0;
    cr_assert(inbox_arrived(stage->inbox, &gtid, &given, NULL));
    cr_assert_eq(given, seq);
    cr_assert(inbox_put(stage->inbox, sample_fragment(stage->sample, seq), NULL));
    struct fragment *fragment = inbox_take(stage->inbox, INT64_MIN);
    bool pinned = fragment == NULL;
    fragment_free(fragment);
    return pinned;
}

Test(copier, a_chunk_is_pinned_until_its_last_part_is_durable)
{
    struct stage stage = {0};
    stage_open(&stage);
    only_orders(&stage);
    struct chunk *chunk = pin(&stage, next_range(&stage, "10"));
    struct part *one = put_part(&stage, chunk, 1);
    struct part *two = put_part(&stage, chunk, 1);
    copier_part_done(stage.copier, one, true);
    copier_read_done(stage.copier, chunk, true);
    cr_expect(is_pinned(&stage, 1));
    copier_part_done(stage.copier, two, true);
    struct fragment *fragment = inbox_take(stage.inbox, INT64_MIN);
    cr_expect_neq(fragment, NULL);
    fragment_free(fragment);
    stage_close(&stage);
}

Test(copier, a_part_that_was_given_up_stays_pinned_and_is_not_durable)
{
    struct stage stage = {0};
    stage_open(&stage);
    only_orders(&stage);
    struct chunk *chunk = pin(&stage, next_range(&stage, ""));
    struct part *one = put_part(&stage, chunk, 1);
    struct part *two = put_part(&stage, chunk, 1);
    copier_read_done(stage.copier, chunk, true);
    copier_part_done(stage.copier, one, false);
    copier_part_done(stage.copier, two, true);
    expect_state(&stage, "-", 0, false);
    cr_expect_eq(stage.finished, 0);
    cr_expect(is_pinned(&stage, 1));
    stage_close(&stage);
}

Test(copier, tables_go_side_by_side)
{
    struct stage stage = {0};
    stage_open(&stage);
    struct range *a = next_range(&stage, "10");
    struct range *b = next_range(&stage, "10");
    cr_expect_neq(a->walk, b->walk);
    struct bound *lower = NULL, *other = NULL;
    uint64_t rows = 0;
    struct table_walk *first = copier_claim(stage.copier, &lower, &rows);
    struct table_walk *second = copier_claim(stage.copier, &other, &rows);
    cr_expect_neq(first, second); /* a table is claimed by one reader at a time */
    cr_expect_eq(rows, 1000);
    copier_unclaim(stage.copier, first);
    copier_unclaim(stage.copier, second);
    bound_unref(lower);
    bound_unref(other);
    stage_close(&stage);
}

struct claimer {
    struct stage *stage;
    atomic_bool back;
    bool got;
};

static void *
claim(void *argument)
{
    struct claimer *claimer = argument;
    struct bound *lower = NULL;
    uint64_t rows = 0;
    struct table_walk *walk = copier_claim(claimer->stage->copier, &lower, &rows);
    atomic_store(&claimer->back, true);
    claimer->got = walk != NULL;
    if (walk != NULL)
        copier_unclaim(claimer->stage->copier, walk);
    bound_unref(lower);
    return NULL;
}

Test(copier, nothing_is_claimed_on_hold, .timeout = 30)
{
    struct stage stage = {0};
    stage_open(&stage);
    copier_hold(stage.copier, "paused");
    struct claimer claimer = {.stage = &stage};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, claim, &claimer), 0);
    g_usleep(20000);
    cr_expect_not(atomic_load(&claimer.back));
    copier_hold(stage.copier, NULL);
    pthread_join(thread, NULL);
    cr_expect(claimer.got);
    stage_close(&stage);
}

Test(copier, the_first_failure_is_told_and_ends_it, .timeout = 30)
{
    struct stage stage = {0};
    stage_open(&stage);
    struct range *range = next_range(&stage, "10");
    struct chunk *chunk = pin(&stage, range);
    copier_hold(stage.copier, "paused");
    struct claimer claimer = {.stage = &stage};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, claim, &claimer), 0);
    g_usleep(5000);
    g_autoptr(GError) error = g_error_new_literal(MT_ERROR, MT_ERROR_TARGET, "full");
    copier_fail(stage.copier, error);
    copier_fail(stage.copier, error);
    cr_expect_eq(stage.failed, 1);
    pthread_join(thread, NULL);
    cr_expect_not(claimer.got);
    cr_expect_not(copier_put(stage.copier, part_new(stage.copier, chunk)));
    cr_expect_null(copier_take(stage.copier));
    copier_read_done(stage.copier, chunk, false);
    cr_expect_eq(stage.finished, 0);
    stage_close(&stage);
}

/* --- room ------------------------------------------------------------------------------- */

struct putter {
    struct stage *stage;
    struct chunk *chunk;
    atomic_bool done;
};

static void *
put_another(void *argument)
{
    struct putter *putter = argument;
    cr_expect(copier_put(putter->stage->copier, part_new(putter->stage->copier, putter->chunk)));
    atomic_store(&putter->done, true);
    return NULL;
}

/* One part gets in, and the second one only when the first was taken. */
static void
expect_room_for_one(size_t queue_bytes, unsigned writers)
{
    struct stage stage = {0};
    stage_open(&stage);
    only_orders(&stage);
    stage.copier->queue_bytes = queue_bytes;
    stage.config.copy.writers = writers;
    struct chunk *chunk = pin(&stage, next_range(&stage, "10"));
    struct part *first = part_new(stage.copier, chunk);
    cr_assert(copier_put(stage.copier, first));
    struct putter putter = {.stage = &stage, .chunk = chunk};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, put_another, &putter), 0);
    g_usleep(20000);
    cr_expect_not(atomic_load(&putter.done));
    cr_expect_eq(copier_take(stage.copier), first);
    pthread_join(thread, NULL);
    struct part *second = copier_take(stage.copier);
    copier_part_done(stage.copier, first, true);
    copier_part_done(stage.copier, second, true);
    copier_read_done(stage.copier, chunk, true);
    cr_expect_eq(stage.copier->waiting_bytes, 0);
    stage_close(&stage);
}

Test(copier, parts_that_wait_are_bounded_in_bytes, .timeout = 30)
{
    expect_room_for_one(1, 4); /* less than a part: one always fits */
}

Test(copier, parts_that_wait_are_bounded_in_number, .timeout = 30)
{
    expect_room_for_one((size_t)1 << 30, 1);
}

/* --- chunk sizes ------------------------------------------------------------------------ */

/* What the next range's size is after a chunk of `rows` rows that took `age_ms`. */
static uint64_t
size_after(uint64_t rows, uint64_t bytes, int64_t age_ms, const char *upper)
{
    struct stage stage = {0};
    stage_open(&stage);
    only_orders(&stage);
    stage.copier->walks[0].chunk_rows = 10000;
    struct chunk *chunk = pin(&stage, next_range(&stage, upper));
    chunk->rows = rows;
    chunk->bytes = bytes;
    chunk->pinned_us -= age_ms * 1000;
    copier_read_done(stage.copier, chunk, true);
    uint64_t size = stage.copier->walks[0].chunk_rows;
    stage_close(&stage);
    return size;
}

Test(copier, chunks_aim_at_a_time_and_at_bytes)
{
    /* At most twice, at least half. */
    cr_expect_eq(size_after(10000, 10000, 1, "10"), 20000);
    cr_expect_eq(size_after(10000, 10000, 100000, "10"), 5000);
    /* Never below what a round trip is worth, unless the rows are large. */
    cr_expect_eq(size_after(1000, 1000, 100000, "10"), 1000);
    uint64_t large = size_after(100, 10 << 20, 1, "10");
    cr_expect_geq(large, 8);
    cr_expect_leq(large, 10);
    cr_expect_eq(size_after(1, 1 << 30, 1, "10"), 1);
    /* Empty ranges and a short last one say nothing. */
    cr_expect_eq(size_after(0, 0, 1, "10"), 10000);
    cr_expect_eq(size_after(6000, 6000, 1, ""), 10000);
}
