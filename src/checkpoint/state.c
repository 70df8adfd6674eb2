/* Reading a move's state, and forgetting it. */
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/version.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/lease_int.h"
#include "checkpoint/schema_int.h"
#include "checkpoint/sql_int.h"
#include "mysql/quote.h"

/* Of a snapshot in which a table has changed. */
#define READ_ATTEMPTS 20
#define READ_PAUSE_MS 100
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
    g_free(state->requires);
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
    state->
        requires
    = text_or_empty(rows, "requires");
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

/* Once. *ret_changed: another run has just made the tables, after the snapshot was taken. */
static bool
read_once(struct conn *target, const struct config *config, struct move_state **ret_state,
          bool *ret_changed, GError **error)
{
    *ret_changed = false;
    /* Before the snapshot: a connection that reads without a transaction sees the newest list. A
     * change of meaning that begins after this needs every runner's lock. */
    if (!schema_allows(target, config, error))
        return false;
    if (!conn_exec(target,
                   "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
                   " START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
                   error))
        return false;
    g_autoptr(GError) failure = NULL;
    bool ok = read_all(target, config, ret_state, &failure);
    /* Only the server's own word counts as "no checkpoint"; every other failure is one. */
    bool none = !ok && sql_is_missing_table(target);
    *ret_changed = !ok && sql_is_changed_table(target);
    if (!ok && !none)
        sql_set_read_error(target, config, failure, error);
    g_autoptr(GError) ignored = NULL;
    if (!conn_exec(target, "COMMIT", &ignored))
        log_debug("checkpoint", log_msg("end of reading"), log_str("error", ignored->message));
    return ok || none;
}

bool
checkpoint_read(struct conn *target, const struct config *config, struct move_state **ret_state,
                GError **error)
{
    *ret_state = NULL;
    for (unsigned attempt = 1;; attempt++) {
        GError *failure = NULL;
        bool changed = false;
        if (read_once(target, config, ret_state, &changed, &failure))
            return true;
        if (!changed || attempt == READ_ATTEMPTS || stop_wait_ms(READ_PAUSE_MS)) {
            g_propagate_error(error, failure);
            return false;
        }
        g_error_free(failure);
    }
}

/* --- what a move demands ------------------------------------------------------------------- */

bool
checkpoint_understands(const struct move_state *state, GError **error)
{
    /* A later build that knows more words takes them out here. */
    if (*state->requires == '\0' || g_str_equal(state->requires, CHECKPOINT_GAP))
        return true;
    g_set_error(
        error, MT_ERROR, MT_ERROR_CHECKPOINT,
        "move '%s' makes use of what this build (%s) does not know: %s; it was last written "
        "by %s. Nothing was changed. Go on with that build, or a newer one; or finish or "
        "discard the move with it (move-tables clean, or run --fresh)",
        state->move, build_identity(), state->requires, state->build);
    return false;
}

bool
checkpoint_is_whole(const struct move_state *state, GError **error)
{
    if (!g_str_equal(state->requires, CHECKPOINT_GAP))
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_GAP,
                "move '%s' lacks changes of the source that no later run can read: %s. Begin again "
                "with --fresh",
                state->move, state->last_error != NULL ? state->last_error : "the reason is gone");
    return false;
}

/* --- forgetting ---------------------------------------------------------------------------- */

/*
 * Every table with a column `move` holds rows of moves, also one that only a newer build knows: what
 * it stored must not be found by a later move of the same name. `command`, `lease` and the others
 * of this build are among them.
 */
static char *
forget_sql(struct conn *target, const struct config *config, GError **error)
{
    g_autofree char *look = sql_of(
        config, "SELECT t.TABLE_NAME AS `name` FROM information_schema.TABLES t"
                " JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA"
                " AND c.TABLE_NAME = t.TABLE_NAME WHERE t.TABLE_SCHEMA = {db_text}"
                " AND t.TABLE_TYPE = 'BASE TABLE' AND c.COLUMN_NAME = 'move'"
                " AND t.TABLE_NAME <> 'lease' ORDER BY t.TABLE_NAME");
    g_autoptr(result) tables = conn_query(target, look, error);
    if (tables == NULL)
        return NULL;
    /* The first statement waits for what is in flight; a frozen runner that wakes up later finds
     * no row and stops. */
    GString *sql = g_string_new(NULL);
    sql_add(sql, config,
            "START TRANSACTION;"
            " UPDATE {db}.`lease` SET `epoch` = `epoch` + 1 WHERE `move` = {move};");
    for (size_t i = 0; i < result_rows(tables); i++) {
        sql_add(sql, config, " DELETE FROM {db}.");
        quote_identifier(sql, result_get(tables, i, "name"));
        sql_add(sql, config, " WHERE `move` = {move};");
    }
    sql_add(sql, config,
            " DELETE FROM {db}.`move` WHERE `name` = {move};"
            " DELETE FROM {db}.`lease` WHERE `move` = {move}; COMMIT");
    return g_string_free(sql, FALSE);
}

/* Of the very move that was looked at, and not of more than this build knows. */
static bool
may_forget(struct conn *target, const struct config *config, const char *move_id, GError **error)
{
    g_autoptr(move_state) state = NULL;
    if (!checkpoint_read(target, config, &state, error))
        return false;
    if (state == NULL)
        return true;
    if (g_strcmp0(state->move_id, move_id) == 0)
        return checkpoint_understands(state, error);
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                "move '%s' was begun anew meanwhile (%s, it was %s): its checkpoint was not "
                "touched",
                config->move, state->move_id, move_id);
    return false;
}

static bool
forget_locked(struct conn *target, const struct config *config, GError **error)
{
    g_autofree char *sql = forget_sql(target, config, error);
    if (sql == NULL)
        return false;
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
checkpoint_forget(struct conn *target, const struct config *config, const char *move_id,
                  const struct lease *lease, GError **error)
{
    g_autoptr(GPtrArray) applied = schema_read(target, config, error);
    if (applied == NULL)
        return false;
    if (applied->len == 0)
        return true;

    g_autofree char *lock = lease_lock_name(config->checkpoint.database, config->move);
    bool taken = false;
    if (!lock_take(target, lock, 0, &taken, error))
        return false;
    if (!taken) {
        lease_set_owned_error(target, config, error);
        return false;
    }
    /* Judged under the lock: while it is held, no other build changes the meaning of anything. */
    bool ok = (lease == NULL || lease_check(lease, target, error)) &&
              may_forget(target, config, move_id, error) && forget_locked(target, config, error);
    lock_drop(target, lock);
    return ok;
}
