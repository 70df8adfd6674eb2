#include <criterion/criterion.h>

#include "hook/hook.h"

static const struct hook_table tables[] = {
    {.from = "shop.orders", .to = "shop.orders", .moved_as = "shop._orders_moved", .rows = 7},
    {.from = "shop.items", .to = "shop7.items", .moved_as = "shop._items_moved", .rows = 0},
};

static struct hook_facts
completed(void)
{
    return (struct hook_facts){
        .event = HOOK_COMPLETED,
        .move = "orders",
        .move_id = "11111111-2222-3333-4444-555555555555",
        .attempt = 1,
        .phase = PHASE_DRAINED,
        .source = {.host = "a", .port = 3306, .server_uuid = "sa"},
        .target = {.host = "/run/b.sock", .server_uuid = "sb"},
        .tables = tables,
        .tables_count = 2,
        .drain_gtid = "sa:1-9",
        .fenced_us = 1795176000000000,
        .drained_us = 1795176000123456,
        .time_us = 1795176000124000,
    };
}

static char *
text_of(const struct hook_facts *facts)
{
    g_autoptr(GBytes) body = hook_body(facts);
    gsize length = 0;
    const char *bytes = g_bytes_get_data(body, &length);
    return g_strndup(bytes, length);
}

/* The bytes are the contract: receivers may keep and compare them. */
Test(body, has_these_bytes)
{
    struct hook_facts facts = completed();
    g_autofree char *text = text_of(&facts);
    cr_expect_str_eq(
        text, "{\"specversion\":\"1.0\",\"id\":\"05032987-7273-5e0a-bbd5-685976b678c1\","
              "\"source\":\"move-tables/orders\",\"type\":\"move-tables.completed\","
              "\"time\":\"2026-11-20T12:00:00.124Z\",\"datacontenttype\":\"application/json\","
              "\"data\":{\"move\":\"orders\",\"move_id\":\"11111111-2222-3333-4444-555555555555\","
              "\"attempt\":1,\"phase\":\"drained\","
              "\"source\":{\"host\":\"a\",\"port\":3306,\"server_uuid\":\"sa\"},"
              "\"target\":{\"host\":\"/run/b.sock\",\"server_uuid\":\"sb\"},"
              "\"tables\":[{\"from\":\"shop.orders\",\"to\":\"shop.orders\","
              "\"moved_as\":\"shop._orders_moved\",\"rows\":7},"
              "{\"from\":\"shop.items\",\"to\":\"shop7.items\","
              "\"moved_as\":\"shop._items_moved\",\"rows\":0}],"
              "\"drain_gtid\":\"sa:1-9\",\"fenced_at\":\"2026-11-20T12:00:00.000Z\","
              "\"drained_at\":\"2026-11-20T12:00:00.123Z\"}}");
}

Test(body, leaves_out_what_is_not_known)
{
    struct hook_facts facts = completed();
    facts.event = HOOK_BEFORE_CUTOVER;
    facts.drain_gtid = NULL;
    facts.fenced_us = 0;
    facts.drained_us = 0;
    g_autofree char *text = text_of(&facts);
    cr_expect(strstr(text, "\"type\":\"move-tables.before_cutover\"") != NULL);
    cr_expect(strstr(text, "drain") == NULL || strstr(text, "\"phase\":\"drained\"") != NULL);
    cr_expect(strstr(text, "drain_gtid") == NULL);
    cr_expect(strstr(text, "fenced_at") == NULL);
    cr_expect(strstr(text, "reason") == NULL);
}

Test(body, is_json_whatever_a_server_said)
{
    struct hook_facts facts = completed();
    facts.event = HOOK_CUTOVER_ABORTED;
    facts.reason = "lock \"wait\"\n\xff";
    g_autofree char *text = text_of(&facts);
    cr_expect(strstr(text, "\"reason\":\"lock \\\"wait\\\"\\n\xef\xbf\xbd\"") != NULL, "%s", text);
}

Test(event_id, is_the_uuid_of_move_event_and_attempt)
{
    const char *move_id = "11111111-2222-3333-4444-555555555555";
    g_autofree char *id = hook_event_id(move_id, HOOK_COMPLETED, 1);
    g_autofree char *again = hook_event_id(move_id, HOOK_COMPLETED, 1);
    g_autofree char *next = hook_event_id(move_id, HOOK_COMPLETED, 2);
    g_autofree char *gate = hook_event_id(move_id, HOOK_BEFORE_CUTOVER, 1);
    cr_expect_str_eq(id, "05032987-7273-5e0a-bbd5-685976b678c1");
    cr_expect_str_eq(id, again);
    cr_expect_str_neq(id, next);
    cr_expect_str_neq(id, gate);
}

/* A second start has another body, so it must have another id. */
Test(event_id, of_an_event_that_can_happen_again_has_its_time)
{
    struct hook_facts facts = completed();
    facts.event = HOOK_STARTED;
    facts.attempt = 0;
    facts.time_us = 1795000000123456;
    g_autofree char *id = hook_facts_id(&facts);
    cr_expect_str_eq(id, "c857e689-7ef5-5fdb-a022-3934553b4537");
    facts.time_us++;
    g_autofree char *other = hook_facts_id(&facts);
    cr_expect_str_neq(id, other);

    facts.event = HOOK_COMPLETED;
    g_autofree char *durable = hook_facts_id(&facts);
    facts.time_us++;
    g_autofree char *same = hook_facts_id(&facts);
    cr_expect_str_eq(durable, same);
}

Test(outbox_rows, one_per_endpoint_that_wants_the_event)
{
    struct hook_endpoint all = {.url = (char *)"http://a", .events = UINT32_MAX};
    struct hook_endpoint gate = {.url = (char *)"http://b",
                                 .events = UINT32_C(1) << HOOK_BEFORE_CUTOVER};
    g_autoptr(GPtrArray) hooks = g_ptr_array_new();
    g_ptr_array_add(hooks, &gate);
    g_ptr_array_add(hooks, &all);
    struct config config = {.hooks = hooks};
    struct hook_facts facts = completed();
    g_autoptr(GPtrArray) rows = hook_outbox_rows(&config, &facts);
    cr_assert_eq(rows->len, 1);
    const struct outbox_row *row = g_ptr_array_index(rows, 0);
    cr_expect_str_eq(row->endpoint, "http://a");
    cr_expect_str_eq(row->event, "completed");
    cr_expect_str_eq(row->event_id, "05032987-7273-5e0a-bbd5-685976b678c1");
    g_autoptr(GBytes) body = hook_body(&facts);
    cr_expect(g_bytes_equal(row->body, body));
}
