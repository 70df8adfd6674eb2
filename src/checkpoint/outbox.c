#include "checkpoint/outbox.h"

#include "base/error.h"
#include "checkpoint/outbox_int.h"
#include "checkpoint/sql_int.h"
#include "checkpoint/store_int.h"
#include "mysql/quote.h"

/* Stored: never rename one. */
static const char *const state_names[] = {
    [DELIVERY_PENDING] = "pending",     [DELIVERY_SENDING] = "sending",
    [DELIVERY_DELIVERED] = "delivered", [DELIVERY_REFUSED] = "refused",
    [DELIVERY_IN_DOUBT] = "in_doubt",
};

const char *
delivery_state_name(enum delivery_state state)
{
    g_return_val_if_fail((unsigned)state < G_N_ELEMENTS(state_names), "unknown");
    return state_names[state];
}

bool
delivery_state_parse(const char *name, enum delivery_state *ret_state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(state_names); i++) {
        if (g_strcmp0(name, state_names[i]) == 0) {
            *ret_state = (enum delivery_state)i;
            return true;
        }
    }
    return false;
}

bool
delivery_state_is_final(enum delivery_state state)
{
    return state == DELIVERY_DELIVERED || state == DELIVERY_REFUSED;
}

void
delivery_free(struct delivery *delivery)
{
    if (delivery == NULL)
        return;
    g_free(delivery->event_id);
    g_free(delivery->event);
    g_free(delivery->endpoint);
    g_clear_pointer(&delivery->body, g_bytes_unref);
    g_free(delivery->last_error);
    g_free(delivery->resolved_by);
    g_free(delivery);
}

/* --- reading ------------------------------------------------------------------------------- */

static struct delivery *
read_delivery(const struct result *rows, size_t i, GError **error)
{
    const char *state = result_get(rows, i, "state");
    enum delivery_state parsed;
    if (!delivery_state_parse(state, &parsed)) {
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "hook delivery %s is in state '%s', which this build does not know: use the "
                    "build that wrote it, or a newer one",
                    result_get(rows, i, "event_id"), state != NULL ? state : "NULL");
        return NULL;
    }
    struct delivery *delivery = g_new0(struct delivery, 1);
    delivery->state = parsed;
    delivery->event_id = g_strdup(result_get(rows, i, "event_id"));
    delivery->event = g_strdup(result_get(rows, i, "event"));
    delivery->endpoint = g_strdup(result_get(rows, i, "endpoint"));
    delivery->body = g_bytes_new(result_get(rows, i, "body"), result_length(rows, i, "body"));
    delivery->attempts = (unsigned)result_uint(rows, i, "attempts");
    delivery->last_status = (int)result_int(rows, i, "last_status");
    delivery->last_error = g_strdup(result_get(rows, i, "last_error"));
    delivery->created_us = result_time_us(rows, i, "created_at");
    delivery->next_attempt_us = result_time_us(rows, i, "next_attempt_at");
    delivery->sent_us = result_time_us(rows, i, "sent_at");
    delivery->delivered_us = result_time_us(rows, i, "delivered_at");
    delivery->resolved_by = g_strdup(result_get(rows, i, "resolved_by"));
    delivery->resolved_us = result_time_us(rows, i, "resolved_at");
    return delivery;
}

GPtrArray *
outbox_read(const struct result *rows, GError **error)
{
    g_autoptr(GPtrArray) deliveries = g_ptr_array_new_with_free_func((GDestroyNotify)delivery_free);
    for (size_t i = 0; i < result_rows(rows); i++) {
        struct delivery *delivery = read_delivery(rows, i, error);
        if (delivery == NULL)
            return NULL;
        g_ptr_array_add(deliveries, delivery);
    }
    return g_steal_pointer(&deliveries);
}

#define LIST_SQL "SELECT * FROM {db}.`hook_delivery` WHERE `move` = {move}"
#define IN_ORDER " ORDER BY `id`"

GPtrArray *
outbox_list(struct conn *target, const struct config *config, GError **error)
{
    g_autofree char *sql = sql_of(config, LIST_SQL IN_ORDER);
    g_autoptr(GError) failure = NULL;
    g_autoptr(result) rows = conn_query(target, sql, &failure);
    if (rows != NULL)
        return outbox_read(rows, error);
    if (sql_is_missing_table(target))
        return g_ptr_array_new_with_free_func((GDestroyNotify)delivery_free);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

GPtrArray *
outbox_load(struct checkpoint *checkpoint, GError **error)
{
    g_autofree char *sql = sql_of(checkpoint->config, LIST_SQL IN_ORDER);
    g_autoptr(result) rows = store_query(checkpoint, sql, error);
    return rows != NULL ? outbox_read(rows, error) : NULL;
}

GPtrArray *
outbox_lock(struct conn *target, const struct config *config, GError **error)
{
    g_autofree char *sql = sql_of(config, LIST_SQL IN_ORDER " FOR UPDATE");
    g_autoptr(result) rows = conn_query(target, sql, error);
    return rows != NULL ? outbox_read(rows, error) : NULL;
}

/* --- writing ------------------------------------------------------------------------------- */

void
outbox_add_key(GString *sql, const struct config *config, const struct delivery *delivery)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, delivery->endpoint,
                                                            -1);
    sql_add(sql, config, " WHERE `move` = {move} AND `event_id` = ");
    quote_string(sql, delivery->event_id);
    g_string_append_printf(sql, " AND `endpoint_digest` = '%s'", digest);
}

static void
add_update(GString *sql, const struct checkpoint *checkpoint, const struct delivery *delivery)
{
    sql_add(sql, checkpoint->config, "UPDATE {db}.`hook_delivery` SET `state` = ");
    quote_string(sql, delivery_state_name(delivery->state));
    g_string_append_printf(
        sql,
        ", `attempts` = %u, `last_status` = %d, `epoch` = %" G_GUINT64_FORMAT ", `last_error` = ",
        delivery->attempts, delivery->last_status, lease_epoch(checkpoint->lease));
    quote_string(sql, delivery->last_error);
    if (delivery->state == DELIVERY_SENDING)
        g_string_append(sql, ", `sent_at` = NOW(6)");
    g_string_append(sql, ", `next_attempt_at` = ");
    sql_add_time(sql, delivery->next_attempt_us);
    g_string_append(sql, ", `delivered_at` = ");
    sql_add_time(sql, delivery->delivered_us);
    outbox_add_key(sql, checkpoint->config, delivery);
    g_string_append(sql, " AND `resolved_at` <=> ");
    sql_add_time(sql, delivery->resolved_us);
}

bool
outbox_save(struct checkpoint *checkpoint, const struct delivery *delivery,
            struct delivery **ret_stored, GError **error)
{
    *ret_stored = NULL;
    g_autoptr(GString) sql = g_string_new(NULL);
    add_update(sql, checkpoint, delivery);
    /* Read back in the same transaction, which holds the row: what stands there now stays. */
    sql_add(sql, checkpoint->config, "; SELECT * FROM {db}.`hook_delivery`");
    outbox_add_key(sql, checkpoint->config, delivery);
    g_autoptr(result) rows = store_write_reading(checkpoint, sql->str, error);
    g_autoptr(GPtrArray) found = rows != NULL ? outbox_read(rows, error) : NULL;
    if (found == NULL)
        return false;
    if (found->len == 0) {
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "the delivery of event %s is no longer in the outbox: somebody deleted it",
                    delivery->event_id);
        return false;
    }
    struct delivery *stored = g_ptr_array_index(found, 0);
    if (stored->resolved_us != delivery->resolved_us)
        *ret_stored = g_ptr_array_steal_index(found, 0);
    return true;
}
