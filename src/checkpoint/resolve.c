#include "checkpoint/resolve.h"

#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/stop.h"
#include "base/url.h"
#include "checkpoint/command.h"
#include "checkpoint/command_int.h"
#include "checkpoint/outbox_int.h"
#include "checkpoint/schema_int.h"
#include "checkpoint/sql_int.h"
#include "mysql/quote.h"

/* Fewer letters of an id are more likely a slip than an id. */
#define ID_LEAST 4
/* A deadlock with the runner's own writes is over at once. */
#define ATTEMPTS 5
#define PAUSE_MS 50

bool
resolution_parse(const char *name, enum resolution *ret_resolution)
{
    bool delivered = g_strcmp0(name, "delivered") == 0;
    if (!delivered && g_strcmp0(name, "resend") != 0)
        return false;
    *ret_resolution = delivered ? RESOLUTION_DELIVERED : RESOLUTION_RESEND;
    return true;
}

void
resolve_reply_clear(struct resolve_reply *reply)
{
    g_clear_pointer(&reply->event, g_free);
    g_clear_pointer(&reply->event_id, g_free);
    g_clear_pointer(&reply->endpoint, g_free);
}

/* --- which one ------------------------------------------------------------------------------ */

static bool
begins_with(const char *id, const char *prefix)
{
    return g_ascii_strncasecmp(id, prefix, strlen(prefix)) == 0;
}

static bool
is_at(const struct delivery *delivery, const char *endpoint)
{
    g_autofree char *shown = url_text(delivery->endpoint);
    return strcmp(delivery->endpoint, endpoint) == 0 || strcmp(shown, endpoint) == 0;
}

/* No id begins so: the one that nearly does. */
static void
set_unknown(const GPtrArray *deliveries, const char *id, GError **error)
{
    g_autoptr(GPtrArray) beginnings = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < deliveries->len; i++) {
        const struct delivery *delivery = g_ptr_array_index(deliveries, i);
        g_ptr_array_add(beginnings, g_strndup(delivery->event_id, strlen(id)));
    }
    const char *near = nearest_word(id, (const char *const *)beginnings->pdata, beginnings->len);
    const char *whole = NULL;
    for (guint i = 0; near != NULL && i < deliveries->len; i++)
        if (g_ptr_array_index(beginnings, i) == (gconstpointer)near)
            whole = ((const struct delivery *)g_ptr_array_index(deliveries, i))->event_id;
    g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                "no event of this move has the id \"%s\"%s%s%s `move-tables hooks FILE` lists them",
                id, whole != NULL ? "; is \"" : ".", whole != NULL ? whole : "",
                whole != NULL ? "\" meant?" : "");
}

static void
add_choice(GString *text, const struct delivery *delivery)
{
    g_autofree char *url = url_text(delivery->endpoint);
    g_string_append_printf(text, "%s%s %s to %s (%s)", text->len > 0 ? "; " : "", delivery->event,
                           delivery->event_id, url, delivery_state_name(delivery->state));
}

/* More than one fits: the only one that is not settled is meant, if the id is one event's. */
static const struct delivery *
only_open(const GPtrArray *found, const struct resolve_request *request, GError **error)
{
    const struct delivery *first = g_ptr_array_index(found, 0);
    const struct delivery *open = NULL;
    guint open_count = 0;
    bool one_event = true;
    g_autoptr(GString) choices = g_string_new(NULL);
    for (guint i = 0; i < found->len; i++) {
        const struct delivery *delivery = g_ptr_array_index(found, i);
        one_event = one_event && strcmp(delivery->event_id, first->event_id) == 0;
        if (!delivery_state_is_final(delivery->state)) {
            open = delivery;
            open_count++;
        }
        add_choice(choices, delivery);
    }
    if (one_event && open_count == 1)
        return open;
    g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "\"%s\" is ambiguous: %s. %s", request->id,
                choices->str,
                one_event ? "Name one with --endpoint URL" : "Give more letters of the id");
    return NULL;
}

const struct delivery *
resolve_choose(const GPtrArray *deliveries, const struct resolve_request *request, GError **error)
{
    if (strlen(request->id) < ID_LEAST) {
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                    "\"%s\" is too short: give the event's id, or at least its first %d letters",
                    request->id, ID_LEAST);
        return NULL;
    }
    bool known = false;
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    g_autoptr(GString) elsewhere = g_string_new(NULL);
    for (guint i = 0; i < deliveries->len; i++) {
        struct delivery *delivery = g_ptr_array_index(deliveries, i);
        if (!begins_with(delivery->event_id, request->id))
            continue;
        known = true;
        if (request->endpoint == NULL || is_at(delivery, request->endpoint))
            g_ptr_array_add(found, delivery);
        else
            add_choice(elsewhere, delivery);
    }
    if (!known) {
        set_unknown(deliveries, request->id, error);
        return NULL;
    }
    if (found->len == 0) {
        g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                    "event \"%s\" has no delivery to \"%s\"; it has: %s", request->id,
                    request->endpoint, elsewhere->str);
        return NULL;
    }
    return found->len == 1 ? g_ptr_array_index(found, 0) : only_open(found, request, error);
}

/* --- whether it makes sense ----------------------------------------------------------------- */

/* An event that was decided later than this one and goes to the same place. */
static const struct delivery *
later_one(const GPtrArray *deliveries, const struct delivery *delivery)
{
    bool behind = false;
    for (guint i = 0; i < deliveries->len; i++) {
        const struct delivery *other = g_ptr_array_index(deliveries, i);
        if (behind && strcmp(other->endpoint, delivery->endpoint) == 0)
            return other;
        behind = behind || other == delivery;
    }
    return NULL;
}

static bool
refuse(const struct delivery *delivery, const char *why, GError **error)
{
    g_autofree char *url = url_text(delivery->endpoint);
    g_set_error(error, MT_ERROR, MT_ERROR_FAILED, "%s (event %s) to %s %s; nothing was changed",
                delivery->event, delivery->event_id, url, why);
    return false;
}

static bool
resend_allowed(const struct resolve_facts *facts, const struct delivery *delivery, GError **error)
{
    if (strcmp(delivery->event, hook_event_name(HOOK_BEFORE_CUTOVER)) == 0)
        return refuse(delivery,
                      "is not sent again: its answer counts for one cutover only. `move-tables "
                      "cutover` asks anew, under another id",
                      error);
    if (facts->completed)
        return refuse(delivery, "is not sent again: the move is completed, nobody sends any more",
                      error);
    const struct delivery *later = later_one(facts->deliveries, delivery);
    if (delivery->state == DELIVERY_REFUSED && later != NULL) {
        g_autofree char *why = g_strdup_printf(
            "is not sent again: %s was decided after it, and would be contradicted", later->event);
        return refuse(delivery, why, error);
    }
    return true;
}

bool
resolve_allowed(const struct resolve_facts *facts, const struct delivery *delivery,
                enum resolution resolution, GError **error)
{
    bool gate = strcmp(delivery->event, hook_event_name(HOOK_BEFORE_CUTOVER)) == 0;
    if (delivery->state == DELIVERY_DELIVERED) {
        g_autofree char *why = g_strdup_printf(
            "is delivered already%s%s", delivery->resolved_by != NULL ? ", decided by " : "",
            delivery->resolved_by != NULL ? delivery->resolved_by : "");
        return refuse(delivery, why, error);
    }
    if (delivery->state == DELIVERY_SENDING && facts->runner_alive)
        return refuse(delivery,
                      "is being sent at this moment: its runner is alive and waits for the answer, "
                      "at most hooks[].timeout_ms",
                      error);
    if (resolution == RESOLUTION_RESEND)
        return resend_allowed(facts, delivery, error);
    if (gate && delivery->state == DELIVERY_REFUSED)
        return refuse(delivery, "was refused or withdrawn, and its cutover is over", error);
    return true;
}

/* --- deciding ------------------------------------------------------------------------------- */

static bool
is_completed(struct conn *target, const struct config *config, bool *ret_completed, GError **error)
{
    g_autofree char *sql = sql_of(config, "SELECT `phase` FROM {db}.`move` WHERE `name` = {move}");
    g_autofree char *phase = NULL;
    if (!conn_query_value(target, sql, &phase, error))
        return false;
    *ret_completed = g_strcmp0(phase, phase_name(PHASE_COMPLETED)) == 0;
    return true;
}

static bool
write_decision(struct conn *target, const struct config *config, const struct delivery *delivery,
               enum resolution resolution, GError **error)
{
    bool delivered = resolution == RESOLUTION_DELIVERED;
    g_autofree char *issuer = command_issuer();
    g_autoptr(GString) sql = g_string_new(NULL);
    sql_add(sql, config, "UPDATE {db}.`hook_delivery` SET `state` = ");
    quote_string(sql, delivery_state_name(delivered ? DELIVERY_DELIVERED : DELIVERY_PENDING));
    g_string_append_printf(sql, ", `delivered_at` = %s, `next_attempt_at` = NULL,",
                           delivered ? "NOW(6)" : "NULL");
    g_string_append(sql, " `resolved_at` = NOW(6), `resolved_by` = ");
    quote_string(sql, issuer);
    outbox_add_key(sql, config, delivery);
    return conn_exec(target, sql->str, error);
}

/* Inside the transaction: from the locking read on, nobody else changes a delivery. */
static bool
decide(struct conn *target, const struct config *config, const struct resolve_request *request,
       struct resolve_reply *reply, GError **error)
{
    g_autoptr(GPtrArray) deliveries = outbox_lock(target, config, error);
    struct resolve_facts facts = {.deliveries = deliveries};
    if (deliveries == NULL || !is_completed(target, config, &facts.completed, error) ||
        !lease_is_held(target, config, &facts.runner_alive, error))
        return false;
    const struct delivery *delivery = resolve_choose(deliveries, request, error);
    if (delivery == NULL || !resolve_allowed(&facts, delivery, request->resolution, error) ||
        !write_decision(target, config, delivery, request->resolution, error) ||
        !command_issue(target, config, VERB_RESOLVE, &reply->command_id, error) ||
        !conn_exec(target, "COMMIT", error))
        return false;
    reply->event = g_strdup(delivery->event);
    reply->event_id = g_strdup(delivery->event_id);
    reply->endpoint = url_text(delivery->endpoint);
    reply->runner_alive = facts.runner_alive;
    return true;
}

bool
outbox_resolve(struct conn *target, const struct config *config,
               const struct resolve_request *request, struct resolve_reply *ret_reply,
               GError **error)
{
    if (!schema_allows(target, config, error))
        return false;
    for (int attempt = 1;; attempt++) {
        g_autoptr(GError) failure = NULL;
        g_autoptr(GError) ignored = NULL;
        if (conn_exec(target, "START TRANSACTION", &failure) &&
            decide(target, config, request, ret_reply, &failure))
            return true;
        /* A connection that is lost has rolled back, too. */
        bool usable = conn_exec(target, "ROLLBACK", &ignored);
        if (!usable || !g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_BUSY) ||
            attempt == ATTEMPTS || stop_wait_ms(PAUSE_MS)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    }
}
