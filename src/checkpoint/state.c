/* Reading a move's state, and forgetting it. */
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/lease_int.h"
#include "checkpoint/schema_int.h"
#include "checkpoint/sql_int.h"

#define FORGET_ATTEMPTS 6
#define FORGET_PAUSE_MS 500

void
table_state_free(struct table_state *state)
{
    if (state == NULL)
        return;
    g_free(state->source_table);
    g_free(state->target_table);
    g_free(state->moved_as);
    g_free(state->key_name);
    g_free(state->definition_digest);
    g_free(state->copied_to);
    g_free(state);
}

void
move_state_free(struct move_state *state)
{
    if (state == NULL)
        return;
    g_free(state->move);
    g_free(state->move_id);
    g_free(state->position);
    g_free(state->horizon);
    g_free(state->drain_gtid);
    g_free(state->config);
    g_free(state->source_uuid);
    g_free(state->target_uuid);
    g_free(state->rename_token);
    g_free(state->last_error);
    g_free(state->build);
    g_free(state->owner);
    g_clear_pointer(&state->tables, g_ptr_array_unref);
    g_free(state);
}

/* --- reading: columns by name, so that other builds may have added some -------------------- */

static char *
text_or_empty(const struct result *rows, const char *column)
{
    const char *text = result_get(rows, 0, column);
    return g_strdup(text != NULL ? text : "");
}

static bool
read_phase(const struct result *rows, struct move_state *state, GError **error)
{
    const char *phase = result_get(rows, 0, "phase");
    if (phase != NULL && phase_parse(phase, &state->phase))
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                "move '%s' is in phase '%s', which this build does not know; it was written by "
                "%s: use that build, or a newer one",
                state->move, phase != NULL ? phase : "NULL", state->build);
    return false;
}

static struct move_state *
read_move(const struct result *rows, GError **error)
{
    struct move_state *state = g_new0(struct move_state, 1);
    state->tables = g_ptr_array_new_with_free_func((GDestroyNotify)table_state_free);
    state->move = text_or_empty(rows, "name");
    state->move_id = text_or_empty(rows, "move_id");
    state->position = text_or_empty(rows, "position");
    state->horizon = text_or_empty(rows, "horizon");
    state->drain_gtid = g_strdup(result_get(rows, 0, "drain_gtid"));
    state->attempt = (unsigned)result_uint(rows, 0, "attempt");
    state->config = text_or_empty(rows, "config");
    state->source_uuid = text_or_empty(rows, "source_uuid");
    state->target_uuid = text_or_empty(rows, "target_uuid");
    state->xa_clean = result_int(rows, 0, "xa_clean") != 0;
    state->rename_token = g_strdup(result_get(rows, 0, "rename_token"));
    state->paused = result_int(rows, 0, "paused") != 0;
    state->cutover_requested = result_int(rows, 0, "cutover_requested") != 0;
    state->last_error = g_strdup(result_get(rows, 0, "last_error"));
    state->created_us = result_time_us(rows, 0, "created_at");
    state->updated_us = result_time_us(rows, 0, "updated_at");
    state->fenced_us = result_time_us(rows, 0, "fenced_at");
    state->drained_us = result_time_us(rows, 0, "drained_at");
    state->completed_us = result_time_us(rows, 0, "completed_at");
    state->heartbeat_us = result_time_us(rows, 0, "heartbeat_at");
    state->lag_ms = result_get(rows, 0, "lag_ms") != NULL ? result_int(rows, 0, "lag_ms") : -1;
    state->changes_applied = result_uint(rows, 0, "changes_applied");
    state->copy_rows_per_s = result_uint(rows, 0, "copy_rows_per_s");
    state->build = text_or_empty(rows, "build");
    if (!read_phase(rows, state, error))
        g_clear_pointer(&state, move_state_free);
    return state;
}

static char *
table_text(const struct result *rows, size_t row, const char *column)
{
    const char *text = result_get(rows, row, column);
    return g_strdup(text != NULL ? text : "");
}

static void
read_tables(const struct result *rows, struct move_state *state)
{
    for (size_t i = 0; i < result_rows(rows); i++) {
        struct table_state *table = g_new0(struct table_state, 1);
        table->source_table = table_text(rows, i, "source_table");
        table->target_table = table_text(rows, i, "target_table");
        table->moved_as = table_text(rows, i, "moved_as");
        table->key_name = table_text(rows, i, "key_name");
        table->definition_digest = table_text(rows, i, "definition_digest");
        table->rows_estimated = result_uint(rows, i, "rows_estimated");
        table->rows_copied = result_uint(rows, i, "rows_copied");
        table->copied_to = g_strdup(result_get(rows, i, "copied_to"));
        table->copy_done = result_int(rows, i, "copy_done") != 0;
        table->rows_final = result_uint(rows, i, "rows_final");
        g_ptr_array_add(state->tables, table);
    }
}

/* Runs inside a read-only snapshot, so that the three reads fit together. */
static bool
read_all(struct conn *target, const struct config *config, struct move_state **ret_state,
         GError **error)
{
    g_autofree char *move_sql = sql_of(config, "SELECT * FROM {db}.`move` WHERE `name` = {move}");
    g_autoptr(result) move = conn_query(target, move_sql, error);
    if (move == NULL)
        return false;
    if (result_rows(move) == 0)
        return true;
    g_autofree char *table_sql = sql_of(
        config, "SELECT * FROM {db}.`move_table` WHERE `move` = {move} ORDER BY `ordinal`");
    g_autofree char *lease_sql = sql_of(config, "SELECT * FROM {db}.`lease` WHERE `move` = {move}");
    g_autoptr(result) tables = conn_query(target, table_sql, error);
    g_autoptr(result) lease = tables != NULL ? conn_query(target, lease_sql, error) : NULL;
    if (lease == NULL)
        return false;
    g_autoptr(move_state) state = read_move(move, error);
    if (state == NULL)
        return false;
    read_tables(tables, state);
    if (result_rows(lease) > 0) {
        state->epoch = result_uint(lease, 0, "epoch");
        state->owner = g_strdup(result_get(lease, 0, "owner"));
    }
    *ret_state = g_steal_pointer(&state);
    return true;
}

bool
checkpoint_read(struct conn *target, const struct config *config, struct move_state **ret_state,
                GError **error)
{
    *ret_state = NULL;
    if (!conn_exec(target,
                   "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
                   " START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
                   error))
        return false;
    g_autoptr(GError) failure = NULL;
    bool ok = read_all(target, config, ret_state, &failure);
    /* Only the server's own word counts as "no checkpoint"; every other failure is one. */
    bool none = !ok && sql_is_missing_table(target);
    bool denied = !ok && sql_is_denied(target);
    g_autoptr(GError) ignored = NULL;
    if (!conn_exec(target, "COMMIT", &ignored))
        log_debug("checkpoint", log_msg("end of reading"), log_str("error", ignored->message));
    if (ok || none)
        return true;
    if (denied)
        g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT,
                    "%s; the target's user needs SELECT on `%s`.* to read the checkpoint "
                    "(`move-tables check` prints every missing GRANT)",
                    failure->message, config->checkpoint.database);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* --- forgetting ---------------------------------------------------------------------------- */

static const char forget_sql[] =
    "START TRANSACTION;"
    /* Waits for what is in flight; a frozen runner that wakes up later finds no row and stops. */
    " UPDATE {db}.`lease` SET `epoch` = `epoch` + 1 WHERE `move` = {move};"
    " DELETE FROM {db}.`command` WHERE `move` = {move};"
    " DELETE FROM {db}.`hook_delivery` WHERE `move` = {move};"
    " DELETE FROM {db}.`move_table` WHERE `move` = {move};"
    " DELETE FROM {db}.`move` WHERE `name` = {move};"
    " DELETE FROM {db}.`lease` WHERE `move` = {move};"
    " COMMIT";

static bool
forget_locked(struct conn *target, const struct config *config, GError **error)
{
    g_autofree char *sql = sql_of(config, forget_sql);
    for (unsigned attempt = 1;; attempt++) {
        g_autoptr(GError) failure = NULL;
        if (conn_exec(target, sql, &failure))
            return true;
        bool busy = g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_BUSY);
        g_autoptr(GError) ignored = NULL;
        bool usable = conn_exec(target, "ROLLBACK", &ignored);
        if (!busy || !usable || attempt == FORGET_ATTEMPTS || stop_wait_ms(FORGET_PAUSE_MS)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    }
}

bool
checkpoint_forget(struct conn *target, const struct config *config, GError **error)
{
    g_autoptr(GPtrArray) applied = schema_read(target, config, error);
    if (applied == NULL)
        return false;
    if (applied->len == 0)
        return true;
    if (!schema_allows(target, config, error))
        return false;

    g_autofree char *lock = lease_lock_name(config->checkpoint.database, config->move);
    bool taken = false;
    if (!lock_take(target, lock, 0, &taken, error))
        return false;
    if (!taken) {
        lease_set_owned_error(target, config, error);
        return false;
    }
    bool ok = forget_locked(target, config, error);
    lock_drop(target, lock);
    return ok;
}
