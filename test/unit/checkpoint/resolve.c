#include <criterion/criterion.h>

#include "base/error.h"
#include "checkpoint/resolve.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

/* A gate that was refused, its abort, a second gate, and `completed` to two endpoints. */
static struct delivery rows[] = {
    {.event_id = TEXT("aaaa1111-0000"),
     .event = TEXT("before_cutover"),
     .endpoint = TEXT("http://a/?t=1"),
     .state = DELIVERY_REFUSED},
    {.event_id = TEXT("aaaa2222-0000"),
     .event = TEXT("cutover_aborted"),
     .endpoint = TEXT("http://a/?t=1"),
     .state = DELIVERY_REFUSED},
    {.event_id = TEXT("bbbb0000-0000"),
     .event = TEXT("before_cutover"),
     .endpoint = TEXT("http://a/?t=1"),
     .state = DELIVERY_DELIVERED},
    {.event_id = TEXT("cccc0000-0000"),
     .event = TEXT("completed"),
     .endpoint = TEXT("http://a/?t=1"),
     .state = DELIVERY_IN_DOUBT},
    {.event_id = TEXT("cccc0000-0000"),
     .event = TEXT("completed"),
     .endpoint = TEXT("http://b/"),
     .state = DELIVERY_PENDING},
};

static GPtrArray *
deliveries(void)
{
    GPtrArray *all = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_ptr_array_add(all, &rows[i]);
    return all;
}

/* The place in rows of what is chosen, or -1 with every word in the message. */
static int
chosen(const char *id, const char *endpoint, const char *const *words)
{
    g_autoptr(GPtrArray) all = deliveries();
    g_autoptr(GError) error = NULL;
    struct resolve_request request = {.id = id, .endpoint = endpoint};
    const struct delivery *delivery = resolve_choose(all, &request, &error);
    cr_assert((delivery == NULL) == (error != NULL));
    for (; error != NULL && words != NULL && *words != NULL; words++)
        cr_expect(strstr(error->message, *words) != NULL, "no '%s' in: %s", *words, error->message);
    cr_expect(error == NULL || g_error_matches(error, MT_ERROR, MT_ERROR_USAGE));
    return delivery != NULL ? (int)(delivery - rows) : -1;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(resolve, an_unambiguous_beginning_is_enough)
{
    cr_expect_eq(chosen("aaaa2222-0000", NULL, NULL), 1);
    cr_expect_eq(chosen("aaaa2", NULL, NULL), 1);
    cr_expect_eq(chosen("BBBB", NULL, NULL), 2);
    cr_expect_eq(chosen("aaaa", NULL, WORDS("ambiguous", "aaaa1111", "aaaa2222", "more letters")),
                 -1);
    cr_expect_eq(chosen("bbb", NULL, WORDS("too short")), -1);
    cr_expect_eq(chosen("", NULL, WORDS("too short")), -1);
}

Test(resolve, an_endpoint_is_named_with_or_without_its_query)
{
    cr_expect_eq(chosen("cccc", "http://b/", NULL), 4);
    cr_expect_eq(chosen("cccc", "http://a/", NULL), 3);
    cr_expect_eq(chosen("cccc", "http://a/?t=1", NULL), 3);
    cr_expect_eq(chosen("cccc", NULL, WORDS("ambiguous", "http://a/", "http://b/", "--endpoint")),
                 -1);
    cr_expect_eq(chosen("cccc", "http://c/", WORDS("http://c/", "http://b/")), -1);
    rows[4].state = DELIVERY_DELIVERED;
    cr_expect_eq(chosen("cccc", NULL, NULL), 3, "only one of the two is open");
}

Test(resolve, an_unknown_id_gets_the_nearest)
{
    cr_expect_eq(chosen("bbbb0000-0001", NULL, WORDS("no event", "bbbb0000-0000")), -1);
    cr_expect_eq(chosen("bbbx0", NULL, WORDS("no event", "bbbb0000-0000")), -1);
    cr_expect_eq(chosen("zzzzzzzz", NULL, WORDS("no event", "hooks FILE")), -1);
}

/* "" when it is allowed, else the message. Caller frees. */
static char *
objection(int row, enum resolution resolution, bool runner_alive, bool completed)
{
    g_autoptr(GPtrArray) all = deliveries();
    g_autoptr(GError) error = NULL;
    struct resolve_facts facts = {
        .deliveries = all, .runner_alive = runner_alive, .completed = completed};
    if (resolve_allowed(&facts, &rows[row], resolution, &error))
        return g_strdup("");
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_FAILED));
    cr_expect(strstr(error->message, "nothing was changed") != NULL);
    return g_strdup(error->message);
}

static void
expect_objection(int row, enum resolution resolution, bool runner_alive, const char *word)
{
    g_autofree char *text = objection(row, resolution, runner_alive, false);
    if (word == NULL)
        cr_expect_str_eq(text, "");
    else
        cr_expect(strstr(text, word) != NULL, "no '%s' in '%s'", word, text);
}

Test(resolve, what_is_open_can_be_decided)
{
    expect_objection(3, RESOLUTION_DELIVERED, true, NULL);
    expect_objection(3, RESOLUTION_RESEND, true, NULL);
    expect_objection(4, RESOLUTION_DELIVERED, true, NULL);
    expect_objection(4, RESOLUTION_RESEND, false, NULL);
    rows[4].state = DELIVERY_REFUSED;
    expect_objection(4, RESOLUTION_DELIVERED, false, NULL);
    expect_objection(4, RESOLUTION_RESEND, false, NULL);
    expect_objection(1, RESOLUTION_DELIVERED, true, NULL);
}

Test(resolve, a_request_in_flight_is_its_runners)
{
    rows[3].state = DELIVERY_SENDING;
    expect_objection(3, RESOLUTION_DELIVERED, true, "at this moment");
    expect_objection(3, RESOLUTION_RESEND, true, "at this moment");
    expect_objection(3, RESOLUTION_DELIVERED, false, NULL);
    expect_objection(3, RESOLUTION_RESEND, false, NULL);
}

Test(resolve, what_makes_no_sense_is_refused)
{
    expect_objection(2, RESOLUTION_DELIVERED, true, "delivered already");
    expect_objection(2, RESOLUTION_RESEND, true, "delivered already");
    expect_objection(0, RESOLUTION_DELIVERED, true, "cutover is over");
    expect_objection(0, RESOLUTION_RESEND, true, "move-tables cutover");
    /* The later gate was answered: taking the earlier cutover back now would contradict it. */
    expect_objection(1, RESOLUTION_RESEND, true, "before_cutover was decided after it");
    g_autofree char *late = objection(4, RESOLUTION_RESEND, false, true);
    cr_expect(strstr(late, "the move is completed") != NULL, "%s", late);
}
