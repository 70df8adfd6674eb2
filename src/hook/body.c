/* What a receiver gets: the event's id and its bytes. Pure. */
#include <jansson.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/clock.h"
#include "hook/hook.h"

/* The namespace of this project's event ids (docs/hooks.md). Never change it: the ids of
 * events already sent would no longer come out the same. */
static const char event_namespace[] = "c2619a00-c7d2-43ed-bcf0-8f5ede728251";

static char *
name_based_uuid(const char *name)
{
    uuid_t space;
    uuid_t id;
    char text[UUID_STR_LEN];
    if (uuid_parse(event_namespace, space) != 0)
        g_assert_not_reached();
    uuid_generate_sha1(id, space, name, strlen(name));
    uuid_unparse_lower(id, text);
    return g_strdup(text);
}

char *
hook_event_id(const char *move_id, enum hook_event event, unsigned attempt)
{
    g_autofree char *name = g_strdup_printf("%s/%s/%u", move_id, hook_event_name(event), attempt);
    return name_based_uuid(name);
}

/* Happens once per attempt, is decided in a transaction and kept in the outbox. */
static bool
is_durable(enum hook_event event)
{
    return event == HOOK_BEFORE_CUTOVER || event == HOOK_CUTOVER_ABORTED ||
           event == HOOK_COMPLETED || event == HOOK_ROLLED_BACK;
}

char *
hook_facts_id(const struct hook_facts *facts)
{
    if (is_durable(facts->event))
        return hook_event_id(facts->move_id, facts->event, facts->attempt);
    /* Such an event can happen again (every run starts): another time is another event, or
     * two different bodies would carry one id. */
    g_autofree char *name = g_strdup_printf("%s/%s/%u/%" G_GINT64_FORMAT, facts->move_id,
                                            hook_event_name(facts->event), facts->attempt,
                                            facts->time_us);
    return name_based_uuid(name);
}

/* --- JSON ---------------------------------------------------------------------------------- */

/* Left out when there is none. A server's words may hold any bytes: JSON takes UTF-8 only. */
static void
add_text(json_t *object, const char *key, const char *text)
{
    if (text == NULL)
        return;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    json_object_set_new(object, key, json_string(valid));
}

static void
add_time(json_t *object, const char *key, int64_t real_us)
{
    if (real_us == 0)
        return;
    g_autofree char *text = clock_format_utc(real_us);
    add_text(object, key, text);
}

static json_t *
server_json(const struct hook_server *server)
{
    json_t *object = json_object();
    add_text(object, "host", server->host);
    if (server->port != 0)
        json_object_set_new(object, "port", json_integer((json_int_t)server->port));
    add_text(object, "server_uuid", server->server_uuid);
    return object;
}

static json_t *
tables_json(const struct hook_facts *facts)
{
    json_t *array = json_array();
    for (size_t i = 0; i < facts->tables_count; i++) {
        const struct hook_table *table = &facts->tables[i];
        json_t *object = json_object();
        add_text(object, "from", table->from);
        add_text(object, "to", table->to);
        add_text(object, "moved_as", table->moved_as);
        json_object_set_new(object, "rows", json_integer((json_int_t)table->rows));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *
data_json(const struct hook_facts *facts)
{
    json_t *data = json_object();
    add_text(data, "move", facts->move);
    add_text(data, "move_id", facts->move_id);
    json_object_set_new(data, "attempt", json_integer((json_int_t)facts->attempt));
    add_text(data, "phase", phase_name(facts->phase));
    json_object_set_new(data, "source", server_json(&facts->source));
    json_object_set_new(data, "target", server_json(&facts->target));
    json_object_set_new(data, "tables", tables_json(facts));
    add_text(data, "drain_gtid", facts->drain_gtid);
    add_time(data, "fenced_at", facts->fenced_us);
    add_time(data, "drained_at", facts->drained_us);
    add_text(data, "reason", facts->reason);
    return data;
}

GBytes *
hook_body(const struct hook_facts *facts)
{
    g_autofree char *id = hook_facts_id(facts);
    g_autofree char *source = g_strdup_printf("move-tables/%s", facts->move);
    g_autofree char *type = g_strdup_printf("move-tables.%s", hook_event_name(facts->event));
    json_t *event = json_object();
    add_text(event, "specversion", "1.0");
    add_text(event, "id", id);
    add_text(event, "source", source);
    add_text(event, "type", type);
    add_time(event, "time", facts->time_us);
    add_text(event, "datacontenttype", "application/json");
    json_object_set_new(event, "data", data_json(facts));

    /* jansson keeps the order of insertion: the same facts, the same bytes. */
    char *text = json_dumps(event, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(event);
    g_assert(text != NULL);
    return g_bytes_new_with_free_func(text, strlen(text), free, text);
}

GPtrArray *
hook_outbox_rows(const struct config *config, const struct hook_facts *facts)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)outbox_row_free);
    g_autoptr(GBytes) body = hook_body(facts);
    for (guint i = 0; config->hooks != NULL && i < config->hooks->len; i++) {
        const struct hook_endpoint *endpoint = g_ptr_array_index(config->hooks, i);
        if ((endpoint->events & (UINT32_C(1) << facts->event)) == 0)
            continue;
        struct outbox_row *row = g_new0(struct outbox_row, 1);
        row->event_id = hook_facts_id(facts);
        row->event = g_strdup(hook_event_name(facts->event));
        row->endpoint = g_strdup(endpoint->url);
        row->body = g_bytes_ref(body);
        g_ptr_array_add(rows, row);
    }
    return rows;
}
