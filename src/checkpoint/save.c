/*
 * What a runner writes. Each function is one transaction under the lease.
 *
 * The order that the caller keeps, and what holds if we die in between:
 *   horizon  is saved before a batch is applied: what the target may show is within it.
 *   position and ranges are read by the caller before they are saved, after the rows that they
 *            describe committed: an older position over newer rows converges when it is replayed.
 *   phase    is saved before its step acts, together with everything that announces it.
 */
#include <string.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/version.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/sql_int.h"
#include "checkpoint/store_int.h"
#include "config/table_name.h"
#include "mysql/quote.h"

/* `, column = value` and `value, ` are what most statements are made of. */
static void
set_text(GString *sql, const char *column, const char *value)
{
    g_string_append_printf(sql, ", `%s` = ", column);
    quote_string(sql, value);
}

static void
set_time(GString *sql, const char *column, int64_t real_us)
{
    if (real_us == 0)
        return;
    g_string_append_printf(sql, ", `%s` = ", column);
    sql_add_time(sql, real_us);
}

static void
add_text(GString *sql, const char *value)
{
    quote_string(sql, value != NULL ? value : "");
    g_string_append(sql, ", ");
}

/* UPDATE of the move's row: every write says when and by which build. */
static GString *
begin_update(const struct config *config)
{
    GString *sql = g_string_new(NULL);
    sql_add(sql, config, "UPDATE {db}.`move` SET `updated_at` = NOW(6)");
    set_text(sql, "build", build_identity());
    return sql;
}

static void
end_update(GString *sql, const struct config *config)
{
    sql_add(sql, config, " WHERE `name` = {move}");
}

/* --- creation ------------------------------------------------------------------------------ */

static char *
progress_digest(const struct table_state *table)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " %d %s", table->rows_copied,
                           table->copy_done ? 1 : 0,
                           table->copied_to != NULL ? table->copied_to : "");
}

/* A no-op where the row exists: the whole transaction may have to be repeated. */
static void
add_move(GString *sql, const struct config *config, const struct move_state *state)
{
    sql_add(sql, config,
            "INSERT INTO {db}.`move` (`name`, `move_id`, `phase`, `position`, `horizon`, `config`,"
            " `source_uuid`, `target_uuid`, `build`, `attempt`, `paused`, `cutover_requested`,"
            " `xa_clean`, `created_at`, `updated_at`, `heartbeat_at`) VALUES ({move}, ");
    add_text(sql, state->move_id);
    add_text(sql, phase_name(state->phase));
    add_text(sql, state->position);
    add_text(sql, state->horizon);
    add_text(sql, state->config);
    add_text(sql, state->source_uuid);
    add_text(sql, state->target_uuid);
    add_text(sql, build_identity());
    g_string_append_printf(sql, "%u, %d, %d, %d, NOW(6), NOW(6), NOW(6))", state->attempt,
                           state->paused ? 1 : 0, state->cutover_requested ? 1 : 0,
                           state->xa_clean ? 1 : 0);
    g_string_append(sql, " ON DUPLICATE KEY UPDATE `name` = `name`");
}

static void
add_table(GString *sql, const struct config *config, const struct table_state *table,
          unsigned ordinal)
{
    sql_add(sql, config,
            "; INSERT INTO {db}.`move_table` (`move`, `ordinal`, `source_table`, `target_table`,"
            " `moved_as`, `key_name`, `definition_digest`, `rows_estimated`, `rows_copied`,"
            " `copy_done`, `copied_to`) VALUES ({move}, ");
    g_string_append_printf(sql, "%u, ", ordinal);
    add_text(sql, table->source_table);
    add_text(sql, table->target_table);
    add_text(sql, table->moved_as);
    add_text(sql, table->key_name);
    add_text(sql, table->definition_digest);
    g_string_append_printf(sql, "%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT ", %d, ",
                           table->rows_estimated, table->rows_copied, table->copy_done ? 1 : 0);
    quote_string(sql, table->copied_to);
    g_string_append(sql, ") ON DUPLICATE KEY UPDATE `move` = `move`");
}

/* *ret_exists: this very move is there already. Another one under the name is an error. */
static bool
look_for(struct checkpoint *checkpoint, const struct move_state *state, bool *ret_exists,
         GError **error)
{
    g_autofree char *sql = sql_of(checkpoint->config,
                                  "SELECT `move_id`, `phase`, `created_at` FROM {db}.`move`"
                                  " WHERE `name` = {move}");
    g_autoptr(result) found = store_query(checkpoint, sql, error);
    if (found == NULL)
        return false;
    *ret_exists = result_rows(found) > 0;
    if (*ret_exists && g_strcmp0(result_get(found, 0, "move_id"), state->move_id) != 0) {
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "a move named '%s' is already in the checkpoint (phase %s, begun %s UTC): "
                    "resume it, discard it with run --fresh, or choose another name",
                    checkpoint->config->move, result_get(found, 0, "phase"),
                    result_get(found, 0, "created_at"));
        return false;
    }
    return true;
}

/* The tables stand as they were created: not to be saved again before they move on. */
static void
note_saved(struct checkpoint *checkpoint, const struct move_state *state)
{
    for (guint i = 0; i < state->tables->len; i++) {
        const struct table_state *table = g_ptr_array_index(state->tables, i);
        g_hash_table_insert(checkpoint->saved_tables, g_strdup(table->source_table),
                            progress_digest(table));
    }
}

bool
checkpoint_create(struct checkpoint *checkpoint, const struct move_state *state, GError **error)
{
    bool exists = false;
    if (!look_for(checkpoint, state, &exists, error))
        return false;
    /* If we die here the move never was: the next run begins with a position of its own. */
    failpoint_reach(FAILPOINT_MOVE_BEFORE_CREATE);
    if (!exists) {
        g_autoptr(GString) sql = g_string_new(NULL);
        add_move(sql, checkpoint->config, state);
        for (guint i = 0; i < state->tables->len; i++)
            add_table(sql, checkpoint->config, g_ptr_array_index(state->tables, i), i);
        if (!store_write(checkpoint, sql->str, error))
            return false;
        note_saved(checkpoint, state);
    }
    /* If we die here the move exists and nothing was done for it: the next run resumes it. */
    failpoint_reach(FAILPOINT_MOVE_CREATED);
    return true;
}

/* --- progress ------------------------------------------------------------------------------ */

/* Only the tables that moved on: most of a large set stands still. */
static void
add_tables_progress(GString *sql, struct checkpoint *checkpoint,
                    const struct checkpoint_progress *progress, GHashTable *ret_digests)
{
    for (size_t i = 0; i < progress->tables_count; i++) {
        const struct table_state *table = &progress->tables[i];
        g_autofree char *digest = progress_digest(table);
        const char *saved = g_hash_table_lookup(checkpoint->saved_tables, table->source_table);
        if (g_strcmp0(saved, digest) == 0)
            continue;
        sql_add(sql, checkpoint->config, "; UPDATE {db}.`move_table` SET `rows_copied` = ");
        g_string_append_printf(sql, "%" G_GUINT64_FORMAT ", `copy_done` = %d", table->rows_copied,
                               table->copy_done ? 1 : 0);
        set_text(sql, "copied_to", table->copied_to);
        sql_add(sql, checkpoint->config, " WHERE `move` = {move} AND `source_table` = ");
        quote_string(sql, table->source_table);
        g_hash_table_insert(ret_digests, g_strdup(table->source_table), g_steal_pointer(&digest));
    }
}

static bool
save_progress_locked(struct checkpoint *checkpoint, const struct checkpoint_progress *progress,
                     GError **error)
{
    const struct config *config = checkpoint->config;
    bool moved = progress->position != NULL &&
                 g_strcmp0(progress->position, checkpoint->saved_position) != 0;
    g_autoptr(GHashTable) digests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    g_autoptr(GString) sql = begin_update(config);
    g_string_append(sql, ", `heartbeat_at` = NOW(6), `lag_ms` = ");
    if (progress->lag_ms >= 0)
        g_string_append_printf(sql, "%" G_GINT64_FORMAT, progress->lag_ms);
    else
        g_string_append(sql, "NULL");
    g_string_append_printf(
        sql, ", `changes_applied` = %" G_GUINT64_FORMAT ", `copy_rows_per_s` = %" G_GUINT64_FORMAT,
        progress->changes_applied, progress->copy_rows_per_s);
    if (moved)
        set_text(sql, "position", progress->position);
    end_update(sql, config);
    add_tables_progress(sql, checkpoint, progress, digests);
    struct store_options options = {
        .sent = FAILPOINT_CHECKPOINT_SENT,
        .snapshot = progress->snapshot,
    };
    if (!store_write_locked(checkpoint, sql->str, &options, error))
        return false;
    if (progress->snapshot < checkpoint->stored_snapshot)
        return true;

    checkpoint->stored_snapshot = progress->snapshot;
    if (moved) {
        g_free(checkpoint->saved_position);
        checkpoint->saved_position = g_strdup(progress->position);
    }
    GHashTableIter each;
    gpointer table = NULL;
    gpointer digest = NULL;
    g_hash_table_iter_init(&each, digests);
    while (g_hash_table_iter_next(&each, &table, &digest))
        g_hash_table_insert(checkpoint->saved_tables, g_strdup(table), g_strdup(digest));
    return true;
}

uint64_t
checkpoint_snapshot(struct checkpoint *checkpoint)
{
    return atomic_fetch_add(&checkpoint->snapshots, 1) + 1;
}

bool
checkpoint_save_progress(struct checkpoint *checkpoint, const struct checkpoint_progress *progress,
                         GError **error)
{
    /* If we die here, rows are durable that the checkpoint does not know of yet: they are copied
     * and applied once more, which changes nothing. */
    failpoint_reach(FAILPOINT_CHECKPOINT_BEFORE_SAVE);
    pthread_mutex_lock(&checkpoint->mutex);
    /* Another thread read later and was here first: what is stored is newer. */
    bool ok = progress->snapshot < checkpoint->stored_snapshot ||
              save_progress_locked(checkpoint, progress, error);
    pthread_mutex_unlock(&checkpoint->mutex);
    if (ok)
        failpoint_reach(FAILPOINT_CHECKPOINT_AFTER_SAVE);
    return ok;
}

bool
checkpoint_save_horizon(struct checkpoint *checkpoint, const char *horizon, GError **error)
{
    bool ok = true;
    pthread_mutex_lock(&checkpoint->mutex);
    if (g_strcmp0(checkpoint->saved_horizon, horizon) != 0) {
        /* Nothing of the batch is applied before this commits. If we die after it, the horizon
         * covers transactions that the target does not show: an upper bound, as it should be. */
        g_autoptr(GString) sql = begin_update(checkpoint->config);
        set_text(sql, "horizon", horizon);
        end_update(sql, checkpoint->config);
        struct store_options options = {.sent = FAILPOINT_NONE};
        failpoint_reach(FAILPOINT_HORIZON_BEFORE_SAVE);
        ok = store_write_locked(checkpoint, sql->str, &options, error);
        if (ok) {
            failpoint_reach(FAILPOINT_HORIZON_SAVED);
            g_free(checkpoint->saved_horizon);
            checkpoint->saved_horizon = g_strdup(horizon);
        }
    }
    pthread_mutex_unlock(&checkpoint->mutex);
    return ok;
}

/* --- phases -------------------------------------------------------------------------------- */

static void
add_outbox(GString *sql, const struct config *config, const struct outbox_row *row)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, row->endpoint, -1);
    size_t length = 0;
    const void *bytes = g_bytes_get_data(row->body, &length);
    sql_add(sql, config,
            "; INSERT INTO {db}.`hook_delivery` (`move`, `event_id`, `endpoint_digest`, `event`,"
            " `endpoint`, `body`, `state`, `created_at`) VALUES ({move}, ");
    add_text(sql, row->event_id);
    add_text(sql, digest);
    add_text(sql, row->event);
    add_text(sql, row->endpoint);
    quote_hex(sql, bytes, length);
    /* Decided once: whatever is there under this id stays as it is. */
    g_string_append(sql, ", 'pending', NOW(6))"
                         " ON DUPLICATE KEY UPDATE `event_id` = `event_id`");
}

static void
add_final_rows(GString *sql, const struct config *config, const uint64_t *rows_final)
{
    for (guint i = 0; i < config->tables->len; i++) {
        const struct table_mapping *table = &g_array_index(config->tables, struct table_mapping, i);
        g_autofree char *name = table_name_format(table->from_schema, table->from_table);
        sql_add(sql, config, "; UPDATE {db}.`move_table` SET `rows_final` = ");
        g_string_append_printf(sql, "%" G_GUINT64_FORMAT, rows_final[i]);
        sql_add(sql, config, " WHERE `move` = {move} AND `source_table` = ");
        quote_string(sql, name);
    }
}

static GString *
phase_sql(const struct config *config, const struct phase_change *change)
{
    GString *sql = begin_update(config);
    set_text(sql, "phase", phase_name(change->phase));
    if (change->position != NULL)
        set_text(sql, "position", change->position);
    if (change->horizon != NULL)
        set_text(sql, "horizon", change->horizon);
    if (change->drain_gtid != NULL)
        set_text(sql, "drain_gtid", change->drain_gtid);
    if (change->rename_token != NULL || change->clear_rename_token)
        set_text(sql, "rename_token", change->rename_token);
    if (change->attempt != 0)
        g_string_append_printf(sql, ", `attempt` = %u", change->attempt);
    if (change->clear_cutover_requested)
        g_string_append(sql, ", `cutover_requested` = 0");
    if (change->last_error != NULL)
        set_text(sql, "last_error", *change->last_error != '\0' ? change->last_error : NULL);
    set_time(sql, "fenced_at", change->fenced_us);
    set_time(sql, "drained_at", change->drained_us);
    set_time(sql, "completed_at", change->completed_us);
    end_update(sql, config);

    if (change->rows_final != NULL)
        add_final_rows(sql, config, change->rows_final);
    for (guint i = 0; change->outbox != NULL && i < change->outbox->len; i++)
        add_outbox(sql, config, g_ptr_array_index(change->outbox, i));
    return sql;
}

bool
checkpoint_change_phase(struct checkpoint *checkpoint, const struct phase_change *change,
                        GError **error)
{
    g_autoptr(GString) sql = phase_sql(checkpoint->config, change);
    enum failpoint sent = change->phase == PHASE_DRAINED ? FAILPOINT_DRAINED_SENT
                                                         : FAILPOINT_PHASE_SENT;
    /* If we die here, what led to the phase is done again, or found done, under the former one. */
    failpoint_reach(FAILPOINT_PHASE_BEFORE_SAVE);
    pthread_mutex_lock(&checkpoint->mutex);
    struct store_options options = {.sent = sent, .until_us = change->retry_until_us};
    bool ok = store_write_locked(checkpoint, sql->str, &options, error);
    /* Progress that was read before this, and is still waiting to be stored, is older. */
    if (ok)
        checkpoint->stored_snapshot = checkpoint_snapshot(checkpoint);
    if (ok && change->position != NULL)
        g_clear_pointer(&checkpoint->saved_position, g_free);
    if (ok && change->horizon != NULL)
        g_clear_pointer(&checkpoint->saved_horizon, g_free);
    pthread_mutex_unlock(&checkpoint->mutex);
    /* The phase and its outbox rows are durable together. If we die here, the next run finds the
     * phase and does its step. */
    if (ok)
        failpoint_reach(FAILPOINT_PHASE_SAVED);
    return ok;
}

void
outbox_row_free(struct outbox_row *row)
{
    if (row == NULL)
        return;
    g_free(row->event_id);
    g_free(row->event);
    g_free(row->endpoint);
    g_clear_pointer(&row->body, g_bytes_unref);
    g_free(row);
}

bool
checkpoint_mark_gap(struct checkpoint *checkpoint, const char *why, GError **error)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    sql_add(sql, checkpoint->config, "UPDATE {db}.`move` SET `updated_at` = NOW(6), `requires` = ");
    quote_string(sql, CHECKPOINT_GAP);
    g_string_append(sql, ", `last_error` = ");
    quote_string(sql, why);
    sql_add(sql, checkpoint->config, " WHERE `name` = {move}");
    return store_write(checkpoint, sql->str, error);
}

/* --- the lease ------------------------------------------------------------------------------ */

bool
checkpoint_check_lease(struct checkpoint *checkpoint, GError **error)
{
    return store_write(checkpoint, "DO 0", error);
}
