#include <criterion/criterion.h>

#include <jansson.h>
#include <string.h>

#include "checkpoint/outbox.h"
#include "cli/status_text.h"

#define TEXT(literal) ((char *)(uintptr_t)(literal))

struct example {
    struct move_state state;
    struct table_state tables[2];
    struct delivery delivery;
    GPtrArray *deliveries;
    struct status_view view;
};

static void
example_init(struct example *example)
{
    *example = (struct example){.state = {.move = TEXT("m1"),
                                          .move_id = TEXT("id"),
                                          .phase = PHASE_COPYING,
                                          .position = TEXT("u:1-5"),
                                          .horizon = TEXT("u:1-6"),
                                          .lag_ms = 40,
                                          .changes_applied = 1234,
                                          .copy_rows_per_s = 100,
                                          .heartbeat_us = 9000000,
                                          .owner = TEXT("host:7")},
                                .tables = {{.source_table = TEXT("s.a"),
                                            .target_table = TEXT("s.a"),
                                            .moved_as = TEXT("s._a_moved"),
                                            .rows_estimated = 1000,
                                            .rows_copied = 500},
                                           {.source_table = TEXT("s.b"),
                                            .target_table = TEXT("t.c"),
                                            .moved_as = TEXT("s._b_moved"),
                                            .rows_estimated = 10,
                                            .rows_copied = 20,
                                            .copy_done = true}},
                                .delivery = {.event_id = TEXT("e-1"),
                                             .event = TEXT("completed"),
                                             .endpoint = TEXT("http://a/"),
                                             .state = DELIVERY_PENDING,
                                             .attempts = 2,
                                             .last_status = 503,
                                             .last_error = TEXT("busy"),
                                             .created_us = 1}};
    example->state.tables = g_ptr_array_new();
    g_ptr_array_add(example->state.tables, &example->tables[0]);
    g_ptr_array_add(example->state.tables, &example->tables[1]);
    example->deliveries = g_ptr_array_new();
    g_ptr_array_add(example->deliveries, &example->delivery);
    example->view = (struct status_view){.move = "m1",
                                         .state = &example->state,
                                         .deliveries = example->deliveries,
                                         .now_us = 11000000,
                                         .runner_alive = true};
}

static void
example_clear(struct example *example)
{
    g_ptr_array_unref(example->state.tables);
    g_ptr_array_unref(example->deliveries);
}

static void
expect_in(const GString *text, const char *part)
{
    cr_expect(strstr(text->str, part) != NULL, "no '%s' in:\n%s", part, text->str);
}

Test(status_text, eta)
{
    struct example example;
    example_init(&example);
    cr_expect_eq(status_eta_ms(&example.state), 5000);
    example.state.copy_rows_per_s = 0;
    cr_expect_eq(status_eta_ms(&example.state), -1);
    example.tables[0].copy_done = true;
    cr_expect_eq(status_eta_ms(&example.state), 0);
    example_clear(&example);
}

Test(status_text, while_copying)
{
    struct example example;
    example_init(&example);
    g_autoptr(GString) text = g_string_new(NULL);
    status_text_append(text, &example.view, false);
    expect_in(text, "phase:        copying\n");
    expect_in(text, "runner:       host:7, saved 2.0 s ago\n");
    expect_in(text, "lag:          40 ms\n");
    expect_in(text, "copy:         100 rows/s, ETA 5.0 s\n");
    expect_in(text, "applied:      1,234 row changes, by this run\n");
    expect_in(text, " 50%             500 rows\n");
    expect_in(text, "100%              20 rows  -> t.c\n");
    expect_in(text, "completed       pending    2 attempts, last answer 503");
    expect_in(text, "busy");
    example_clear(&example);
}

Test(status_text, says_what_comes_next)
{
    struct example example;
    example_init(&example);
    g_autoptr(GString) text = g_string_new(NULL);
    example.state.phase = PHASE_READY;
    status_text_append(text, &example.view, false);
    expect_in(text, "`move-tables cutover` finishes the move");
    example.view.runner_alive = false;
    g_string_truncate(text, 0);
    status_text_append(text, &example.view, false);
    expect_in(text, "runner:       none (last: host:7");
    expect_in(text, "`move-tables run` goes on from here");
    example.view.state = NULL;
    g_string_truncate(text, 0);
    status_text_append(text, &example.view, false);
    expect_in(text, "not begun");
    example_clear(&example);
}

/* The text of a phase. Caller frees. */
static char *
text_of(struct example *example, enum phase phase, bool runner_alive)
{
    GString *text = g_string_new(NULL);
    example->state.phase = phase;
    example->view.runner_alive = runner_alive;
    status_text_append(text, &example->view, false);
    return g_string_free(text, FALSE);
}

Test(status_text, an_open_cutover_without_a_runner_is_loud)
{
    struct example example;
    example_init(&example);
    static const enum phase open[] = {PHASE_FENCING, PHASE_DRAINING};
    for (unsigned i = 0; i < G_N_ELEMENTS(open); i++) {
        g_autofree char *text = text_of(&example, open[i], false);
        cr_expect(g_str_has_prefix(text, "ATTENTION: "), "%s", text);
        cr_expect(strstr(text, "WITHOUT ITS TABLES") != NULL, "%s", text);
        cr_expect(strstr(text, "next: `move-tables run FILE`, now") != NULL, "%s", text);
        g_autofree char *alive = text_of(&example, open[i], true);
        cr_expect_eq(strstr(alive, "ATTENTION"), NULL, "%s", alive);
    }
    example.state.last_error = (char[]){"trigger `x` could not be created"};
    g_autofree char *untold = text_of(&example, PHASE_DRAINED, false);
    cr_expect(g_str_has_prefix(untold, "ATTENTION: "), "%s", untold);
    g_autofree char *told = text_of(&example, PHASE_COMPLETING, false);
    cr_expect_eq(strstr(told, "ATTENTION"), NULL, "%s", told);
    example.state.last_error = NULL;
    static const enum phase harmless[] = {PHASE_COPYING, PHASE_READY, PHASE_DRAINED,
                                          PHASE_COMPLETING, PHASE_COMPLETED};
    for (unsigned i = 0; i < G_N_ELEMENTS(harmless); i++) {
        g_autofree char *text = text_of(&example, harmless[i], false);
        cr_expect_eq(strstr(text, "ATTENTION"), NULL, "%s", text);
    }
    example_clear(&example);
}

Test(status_text, moved_but_not_acknowledged)
{
    struct example example;
    example_init(&example);
    g_autofree char *drained = text_of(&example, PHASE_DRAINED, false);
    cr_expect(strstr(drained, "next: the data is moved, `completed` is not acknowledged yet: "
                              "`move-tables run FILE`") != NULL,
              "%s", drained);
    cr_expect(strstr(drained, "row changes, by the last run\n") != NULL, "%s", drained);
    g_autofree char *completing = text_of(&example, PHASE_COMPLETING, false);
    cr_expect(strstr(completing, "next: the data is moved") != NULL, "%s", completing);
    example_clear(&example);
}

Test(status_text, paused_tells_how_to_go_on)
{
    struct example example;
    example_init(&example);
    example.state.paused = true;
    g_autofree char *alive = text_of(&example, PHASE_COPYING, true);
    cr_expect(strstr(alive, "copying (paused)\n") != NULL, "%s", alive);
    cr_expect(strstr(alive, "next: `move-tables resume` goes on") != NULL, "%s", alive);
    g_autofree char *alone = text_of(&example, PHASE_COPYING, false);
    cr_expect(strstr(alone, "still paused; then `move-tables resume`") != NULL, "%s", alone);
    /* Nothing is held any more: the cutover is what it waits for. */
    g_autofree char *ready = text_of(&example, PHASE_READY, true);
    cr_expect_eq(strstr(ready, "paused"), NULL, "%s", ready);
    cr_expect(strstr(ready, "next: `move-tables cutover`") != NULL, "%s", ready);
    example_clear(&example);
}

Test(status_text, what_a_cutover_waits_for)
{
    struct example example;
    example_init(&example);
    example.view.flag_file = "/run/hold";
    g_autofree char *ready = text_of(&example, PHASE_READY, true);
    cr_expect(strstr(ready, "cutover.flag_file: /run/hold") != NULL, "%s", ready);
    g_autofree char *drained = text_of(&example, PHASE_DRAINED, true);
    cr_expect_eq(strstr(drained, "flag_file"), NULL, "%s", drained);
    example.view.cutover_auto = true;
    g_autofree char *by_itself = text_of(&example, PHASE_READY, true);
    cr_expect_eq(strstr(by_itself, "next:"), NULL, "%s", by_itself);
    example_clear(&example);
}

Test(status_text, json)
{
    struct example example;
    example_init(&example);
    example.state.lag_ms = -1;
    example.state.drained_us = 1000000;
    g_autofree char *text = status_to_json(&example.view);
    json_t *json = json_loads(text, 0, NULL);
    cr_assert(json != NULL, "%s", text);
    cr_expect_str_eq(json_string_value(json_object_get(json, "phase")), "copying");
    cr_expect(json_is_null(json_object_get(json, "lag_ms")));
    cr_expect_eq(json_integer_value(json_object_get(json, "eta_ms")), 5000);
    cr_expect_str_eq(json_string_value(json_object_get(json, "drained_at")),
                     "1970-01-01T00:00:01.000Z");
    cr_expect(json_is_null(json_object_get(json, "completed_at")));
    cr_expect_eq(json_array_size(json_object_get(json, "tables")), 2);
    json_t *hook = json_array_get(json_object_get(json, "hooks"), 0);
    cr_expect_str_eq(json_string_value(json_object_get(hook, "state")), "pending");
    cr_expect_eq(json_integer_value(json_object_get(hook, "last_status")), 503);
    cr_expect(json_is_null(json_object_get(json, "alarm")));
    json_decref(json);
    example.state.phase = PHASE_DRAINING;
    example.view.runner_alive = false;
    g_autofree char *open = status_to_json(&example.view);
    json = json_loads(open, 0, NULL);
    cr_expect(json_is_string(json_object_get(json, "alarm")), "%s", open);
    cr_expect(json_is_string(json_object_get(json, "next")), "%s", open);
    json_decref(json);
    example.view.state = NULL;
    g_autofree char *none = status_to_json(&example.view);
    json = json_loads(none, 0, NULL);
    cr_expect(json_is_null(json_object_get(json, "phase")));
    cr_expect_str_eq(json_string_value(json_object_get(json, "move")), "m1");
    json_decref(json);
    example_clear(&example);
}

static char *
hooks_text(struct example *example, bool runner_alive)
{
    GString *text = g_string_new(NULL);
    struct deliveries_view view = {.deliveries = example->deliveries,
                                   .file = "m.yaml",
                                   .now_us = 11000000,
                                   .runner_alive = runner_alive};
    deliveries_text_append(text, &view);
    return g_string_free(text, FALSE);
}

Test(hooks_text, what_is_in_doubt_says_what_to_type)
{
    struct example example;
    example_init(&example);
    example.delivery.state = DELIVERY_IN_DOUBT;
    g_autofree char *held = hooks_text(&example, true);
    cr_expect(strstr(held, "`move-tables hooks m.yaml resolve e-1 delivered`") != NULL, "%s", held);

    example.delivery.state = DELIVERY_SENDING;
    g_autofree char *sending = hooks_text(&example, true);
    g_autofree char *left = hooks_text(&example, false);
    cr_expect(strstr(sending, "in doubt") == NULL, "%s", sending);
    cr_expect(strstr(left, "in doubt") != NULL, "%s", left);
    example_clear(&example);
}

Test(hooks_text, no_query_is_shown)
{
    struct example example;
    example_init(&example);
    example.delivery.endpoint = TEXT("http://a/b?token=hush");
    example.delivery.resolved_by = TEXT("ann@host:7");
    struct deliveries_view view = {.deliveries = example.deliveries};
    g_autofree char *text = hooks_text(&example, true);
    g_autofree char *json = deliveries_to_json(&view);
    cr_expect(strstr(text, "http://a/b\n") != NULL && strstr(text, "hush") == NULL, "%s", text);
    cr_expect(strstr(json, "\"http://a/b\"") != NULL && strstr(json, "hush") == NULL, "%s", json);
    cr_expect(strstr(text, "by ann@host:7") != NULL, "%s", text);
    example_clear(&example);
}

Test(status_text, what_is_in_doubt_is_decided_before_the_next_run)
{
    struct example example;
    example_init(&example);
    example.view.runner_alive = false;
    example.state.phase = PHASE_COMPLETING;
    cr_expect(strstr(status_next_step(&example.view), "delivers it") != NULL);
    example.delivery.state = DELIVERY_IN_DOUBT;
    cr_expect(strstr(status_next_step(&example.view), "hooks FILE resolve") != NULL);
    example.delivery.state = DELIVERY_DELIVERED;
    cr_expect(strstr(status_next_step(&example.view), "ends the move") != NULL);
    example_clear(&example);
}
