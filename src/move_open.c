/* From nothing to a move that is ours and known: connections, checks, locks, checkpoint. */
#include <uuid/uuid.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/url.h"
#include "checkpoint/command.h"
#include "checkpoint/outbox.h"
#include "config/table_name.h"
#include "move_int.h"
#include "mysql/quote.h"
#include "schema/inspect.h"
#include "schema/key.h"
#include "schema/preflight.h"

#define LEASE_WAIT_S 5
/* A dead runner's connection may still be waiting for its RENAME's lock. */
#define RENAME_LOCK_EXTRA_S 10

/* --- connecting ------------------------------------------------------------------------- */

/* One attempt each: a wrong host or password is told at once, not after minutes of trying. */
static bool
connect_all(struct move *move, GError **error)
{
    struct server primary = server_of_source(move->config);
    struct server source = server_slow(&primary);
    struct server reader = server_slow(&move->reader);
    struct server target = server_slow(&move->target);
    move->source_conn = conn_open(&source, "start", error);
    if (move->source_conn == NULL)
        return false;
    move->reader_conn = move->config->has_read_from ? conn_open(&reader, "start", error)
                                                    : move->source_conn;
    if (move->reader_conn == NULL)
        return false;
    move->target_conn = conn_open(&target, "start", error);
    return move->target_conn != NULL;
}

static bool
read_state(struct move *move, GError **error)
{
    g_clear_pointer(&move->state, move_state_free);
    if (!checkpoint_read(move->target_conn, move->config, &move->state, error))
        return false;
    move->resuming = move->state != NULL;
    return !move->resuming || checkpoint_understands(move->state, error);
}

/* Before the checks: a user that may not read the checkpoint is one of their findings, told with
 * the others. It is read again once the move is ours, and then every failure ends the run. */
static bool
read_state_first(struct move *move, GError **error)
{
    g_autoptr(GError) failure = NULL;
    bool denied = false;
    if (!checkpoint_schema_prepare(move->target_conn, move->config,
                                   move->options->strict_checkpoint, &denied, error))
        return false;
    if (denied || read_state(move, &failure) ||
        g_error_matches(failure, MT_ERROR, MT_ERROR_PREFLIGHT))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* --- preflight -------------------------------------------------------------------------- */

static void
log_finding(const struct finding *finding)
{
    if (finding->level == FINDING_OK)
        return;
    enum log_level level = finding->level == FINDING_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
    if (finding->cure == NULL)
        log_emit(level, "preflight",
                 LOG_FIELDS(log_msg(finding->message), log_str("subject", finding->subject)));
    else
        log_emit(level, "preflight",
                 LOG_FIELDS(log_msg(finding->message), log_str("subject", finding->subject),
                            log_str("cure", finding->cure)));
}

static bool
preflight(struct move *move, GError **error)
{
    struct preflight_connections conns = {
        .source_primary = move->source_conn,
        .reader = move->reader_conn,
        .target = move->target_conn,
    };
    struct preflight_options options = {.resuming = move->resuming};
    g_autoptr(GPtrArray) findings = preflight_run(move->config, &conns, &options, error);
    if (findings == NULL)
        return false;
    guint errors = 0;
    const struct finding *first = NULL;
    for (guint i = 0; i < findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(findings, i);
        log_finding(finding);
        if (finding->level == FINDING_ERROR) {
            errors++;
            first = first != NULL ? first : finding;
        }
    }
    if (errors == 0)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT,
                "%u check%s failed, nothing was changed; the first: %s: %s; "
                "`move-tables check %s` shows all of them with what mends them",
                errors, errors == 1 ? "" : "s", first->subject, first->message, move->config->path);
    return false;
}

/* --- owning ----------------------------------------------------------------------------- */

/* A runner that died a moment ago may still hold the lock: waits for it, and says so. */
static struct renamer *
open_renamer(struct move *move, GError **error)
{
    unsigned wait_s = (unsigned)move->config->cutover.lock_wait_timeout_s + RENAME_LOCK_EXTRA_S;
    const char *owner = move->resuming && move->state->owner != NULL ? move->state->owner : "?";
    g_autoptr(GError) failure = NULL;
    struct renamer *renamer = renamer_open(move->config, 0, &failure);
    if (renamer == NULL && g_error_matches(failure, MT_ERROR, MT_ERROR_FENCED)) {
        log_info("move", log_msg("another runner holds the move's lock on the source; waiting"),
                 log_str("last_owner", owner), log_int("seconds", wait_s));
        g_clear_error(&failure);
        renamer = renamer_open(move->config, wait_s, &failure);
    }
    if (renamer == NULL) {
        if (g_error_matches(failure, MT_ERROR, MT_ERROR_FENCED))
            g_prefix_error(&failure, "last owner %s: ", owner);
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    return renamer;
}

/* The source's lock before the lease: whoever bumps the epoch knows that no older runner can
 * rename any more. */
static bool
take_locks(struct move *move, GError **error)
{
    move->renamer = open_renamer(move, error);
    if (move->renamer == NULL)
        return false;
    failpoint_reach(FAILPOINT_SOURCE_LOCKED);
    if (!checkpoint_schema_ensure(move->target_conn, move->config, move->options->strict_checkpoint,
                                  error))
        return false;
    move->lease = lease_take(&move->target, move->config, LEASE_WAIT_S, error);
    return move->lease != NULL;
}

/* --- --fresh ---------------------------------------------------------------------------- */

static char *
fresh_question(const struct move *move)
{
    GString *text = g_string_new("--fresh discards the checkpoint of this move");
    g_string_append_printf(text,
                           " (phase %s) and drops on the target:", phase_name(move->state->phase));
    for (guint i = 0; i < move->state->tables->len; i++) {
        const struct table_state *table = g_ptr_array_index(move->state->tables, i);
        g_string_append_printf(text, "\n  %s  (%" G_GUINT64_FORMAT " rows copied)",
                               table->target_table, table->rows_copied);
    }
    return g_string_free(text, FALSE);
}

static bool
drop_target_tables(struct move *move, GError **error)
{
    g_autoptr(GString) sql = g_string_new("DROP TABLE IF EXISTS ");
    for (guint i = 0; i < move->config->tables->len; i++) {
        const struct table_mapping *table = &g_array_index(move->config->tables,
                                                           struct table_mapping, i);
        g_string_append(sql, i > 0 ? ", " : "");
        quote_table(sql, table->to_schema, table->to_table);
    }
    return conn_exec_at(move->target_conn, sql->str, FAILPOINT_FRESH_DROP_SENT, error);
}

static bool
guarded_create(struct move *move, bool resuming, GError **error)
{
    if (!lease_ddl_begin(move->lease, &move->target_conn, error))
        return false;
    struct create_options options = {.resuming = resuming,
                                     .defer_indexes = move->config->copy.defer_indexes != 0};
    bool created = create_target_tables(move->target_conn, move->moved_tables, &options, error);
    lease_ddl_end(move->lease, move->target_conn);
    return created;
}

/* Also looks once more at what is dropped: the operator may have thought for hours. */
static bool
guarded_drop(struct move *move, GError **error)
{
    enum phase phase = move->state->phase;
    if (!lease_ddl_begin(move->lease, &move->target_conn, error))
        return false;
    bool dropped = read_state(move, error);
    if (dropped && (move->state == NULL || move->state->phase != phase)) {
        g_set_error_literal(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                            "the move has gone on meanwhile; nothing was discarded");
        dropped = false;
    }
    dropped = dropped && lease_builds_outlast(move->lease, move->target_conn, error) &&
              drop_target_tables(move, error);
    lease_ddl_end(move->lease, move->target_conn);
    return dropped;
}

/* Who was told of a cutover and not yet that it was undone, still waits: with the outbox it would be
 * forgotten. */
static bool
check_all_told(struct move *move, GError **error)
{
    g_autoptr(GPtrArray) deliveries = outbox_list(move->target_conn, move->config, error);
    for (guint i = 0; deliveries != NULL && i < deliveries->len; i++) {
        const struct delivery *delivery = g_ptr_array_index(deliveries, i);
        if (delivery_state_is_final(delivery->state))
            continue;
        g_autofree char *url = url_text(delivery->endpoint);
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "--fresh is refused: %s (event %s) is not delivered to %s yet, and nothing was "
                    "discarded; `run` without it delivers it, or do what it is for and say so with "
                    "`move-tables hooks %s resolve %s delivered`",
                    delivery->event, delivery->event_id, url, move->config->path,
                    delivery->event_id);
        return false;
    }
    return deliveries != NULL;
}

/* The tables go before the checkpoint: dying in between leaves a checkpoint that says what was
 * going on, and --fresh can be said again. */
static bool
start_afresh(struct move *move, GError **error)
{
    if (!move->options->fresh || move->state == NULL)
        return true;
    if (move->state->phase >= PHASE_FENCING) {
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "--fresh is refused in phase %s: the source's tables may be renamed; run "
                    "without it first, which undoes or finishes the cutover",
                    phase_name(move->state->phase));
        return false;
    }
    g_autofree char *identity = config_identity_json(move->config);
    if (g_strcmp0(identity, move->state->config) != 0) {
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "--fresh is refused: the checkpoint is of a move of other tables (%s), this "
                    "file says %s; give this move another name, or use the file that it began with",
                    move->state->config, identity);
        return false;
    }
    if (!check_all_told(move, error))
        return false;
    g_autofree char *question = fresh_question(move);
    if (move->options->confirm != NULL &&
        !move->options->confirm(move->options->confirm_context, question, error)) {
        if (error != NULL && *error == NULL)
            g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED, "nothing was discarded");
        return false;
    }
    failpoint_reach(FAILPOINT_FRESH_CONFIRMED);
    if (!guarded_drop(move, error))
        return false;
    failpoint_reach(FAILPOINT_FRESH_DROPPED);
    lease_let_go(move->lease);
    if (!checkpoint_forget(move->target_conn, move->config, move->state->move_id, move->lease,
                           error))
        return false;
    g_clear_pointer(&move->lease, lease_release);
    failpoint_reach(FAILPOINT_FRESH_FORGOTTEN);
    move->lease = lease_take(&move->target, move->config, LEASE_WAIT_S, error);
    return move->lease != NULL && read_state(move, error);
}

/* --- a new move ------------------------------------------------------------------------- */

static struct table_state *
new_table_state(const struct moved_table *table)
{
    struct table_state *state = g_new0(struct table_state, 1);
    state->source_table = table_name_format(table->source->schema, table->source->name);
    state->target_table = table_name_format(table->to_schema, table->to_table);
    state->moved_as = table_name_format(table->source->schema, table->moved_as);
    state->key_name = key_walk_text(table->source);
    state->definition_digest = g_strdup(table->source->digest);
    state->rows_estimated = table->source->estimated_rows;
    return state;
}

static bool
new_state(struct move *move, GError **error)
{
    struct move_state *state = g_new0(struct move_state, 1);
    uuid_t uuid;
    move->state = state;
    state->move_id = g_malloc(UUID_STR_LEN);
    uuid_generate(uuid);
    uuid_unparse_lower(uuid, state->move_id);
    state->move = g_strdup(move->config->move);
    state->phase = PHASE_COPYING;
    state->config = config_identity_json(move->config);
    state->created_us = clock_real_us();
    state->lag_ms = -1;
    state->tables = g_ptr_array_new_with_free_func((GDestroyNotify)table_state_free);
    /* The position first, the definitions after it: a DDL in between comes with the stream. */
    if (!conn_query_value(move->reader_conn, "SELECT @@GLOBAL.gtid_executed", &state->position,
                          error) ||
        !conn_query_value(move->source_conn, "SELECT @@GLOBAL.server_uuid", &state->source_uuid,
                          error) ||
        !conn_query_value(move->target_conn, "SELECT @@GLOBAL.server_uuid", &state->target_uuid,
                          error))
        return false;
    g_strdelimit(state->position, "\n", ' ');
    state->horizon = g_strdup(state->position);
    if (!move_xa_settle(move, error))
        return false;
    move->moved_tables = inspect_moved_tables(move->reader_conn, move->config, error);
    if (move->moved_tables == NULL)
        return false;
    for (guint i = 0; i < move->moved_tables->len; i++)
        g_ptr_array_add(state->tables, new_table_state(g_ptr_array_index(move->moved_tables, i)));
    return true;
}

static bool
create(struct move *move, GError **error)
{
    if (!new_state(move, error) || !checkpoint_create(move->checkpoint, move->state, error) ||
        !guarded_create(move, false, error))
        return false;
    log_info("move", log_msg("new move"), log_str("move", move->state->move),
             log_str("id", move->state->move_id), log_int("tables", move->moved_tables->len),
             log_str("position", move->state->position));
    return true;
}

/* --- a move that goes on ---------------------------------------------------------------- */

/* The names alone: enough to look at the source before anything can be inspected there. */
static GPtrArray *
named_tables(const struct config *config)
{
    GPtrArray *tables = g_ptr_array_new_with_free_func((GDestroyNotify)moved_table_free);
    for (guint i = 0; i < config->tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(config->tables, struct table_mapping,
                                                             i);
        struct moved_table *table = g_new0(struct moved_table, 1);
        table->index = i;
        table->source = g_new0(struct table, 1);
        table->source->schema = g_strdup(mapping->from_schema);
        table->source->name = g_strdup(mapping->from_table);
        table->to_schema = g_strdup(mapping->to_schema);
        table->to_table = g_strdup(mapping->to_table);
        table->moved_as = config_moved_name(config, mapping->from_table);
        g_ptr_array_add(tables, table);
    }
    return tables;
}

static bool
same_text(const char *what, const char *table, const char *stored, const char *found,
          GError **error)
{
    if (g_strcmp0(stored, found) == 0)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                "the checkpoint does not fit: %s of %s was %s when the move began and is %s now; "
                "put it back, or discard the move with `run --fresh`",
                what, table, stored, found);
    return false;
}

/* The definitions of tables that are renamed already, under their original names: those stand in
 * the events that are still to come. From the primary: a replica may not have seen the RENAME yet.
 * Their digests are not compared: RENAME also renames constraints that the server named, and since
 * it, nothing but it has touched the tables. */
static bool
inspect_renamed(struct move *move, GError **error)
{
    g_autoptr(GPtrArray) wanted = inspections_new();
    for (guint i = 0; i < move->moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(move->moved_tables, i);
        inspections_add(wanted, table->source->schema, table->moved_as);
    }
    if (!inspect_tables(move->source_conn, wanted, error))
        return false;
    for (guint i = 0; i < move->moved_tables->len; i++) {
        struct moved_table *table = g_ptr_array_index(move->moved_tables, i);
        struct table *found = inspections_take(wanted, i);
        if (found == NULL) {
            g_set_error(error, MT_ERROR, MT_ERROR_CUTOVER, "the source has no table %s.%s",
                        table->source->schema, table->moved_as);
            return false;
        }
        g_free(found->name);
        found->name = g_strdup(table->source->name);
        table_free(table->source);
        table->source = found;
        const struct table_state *state = g_ptr_array_index(move->state->tables, i);
        g_autofree char *walk = key_walk_text(found);
        if (!same_text("the key", state->source_table, state->key_name, walk, error))
            return false;
    }
    return true;
}

/* What must match for a checkpoint to be gone on from. */
static bool
check_tables(const struct move *move, GError **error)
{
    for (guint i = 0; i < move->moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(move->moved_tables, i);
        const struct table_state *state = g_ptr_array_index(move->state->tables, i);
        g_autofree char *walk = key_walk_text(table->source);
        if (!same_text("the key", state->source_table, state->key_name, walk, error) ||
            !same_text("the definition (digest)", state->source_table, state->definition_digest,
                       table->source->digest, error))
            return false;
    }
    return true;
}

static bool
check_identity(const struct move *move, GError **error)
{
    g_autofree char *identity = config_identity_json(move->config);
    if (g_strcmp0(move->state->config, identity) == 0)
        return true;
    g_set_error(
        error, MT_ERROR, MT_ERROR_CHECKPOINT,
        "the checkpoint of move \"%s\" is of other tables: it began with %s, %s says %s; use "
        "the file that it began with, or give this one another `move:` name",
        move->config->move, move->state->config, move->config->path, identity);
    return false;
}

/* A target table that is gone although rows were copied into it cannot be made again empty. */
static bool
check_target_tables(const struct move *move, GError **error)
{
    g_autoptr(GPtrArray) wanted = inspections_of_targets(move->moved_tables);
    if (!inspect_tables(move->target_conn, wanted, error))
        return false;
    for (guint i = 0; i < move->moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(move->moved_tables, i);
        const struct table_state *state = g_ptr_array_index(move->state->tables, i);
        g_autoptr(table) found = inspections_take(wanted, i);
        if (found != NULL || (state->copied_to == NULL && !state->copy_done))
            continue;
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "target table %s.%s is gone although %" G_GUINT64_FORMAT
                    " rows were copied into it; begin again with `run --fresh`",
                    table->to_schema, table->to_table, state->rows_copied);
        return false;
    }
    return true;
}

/* Looks at what a run that died in a cutover left. */
static bool
recover_cutover(struct move *move, GError **error)
{
    if (move->state->phase != PHASE_FENCING && move->state->phase != PHASE_DRAINING)
        return true;
    move->moved_tables = named_tables(move->config);
    struct cutover cutover = move_cutover(move);
    return cutover_recover(&cutover, error);
}

static bool
resume(struct move *move, GError **error)
{
    log_info("move", log_msg("going on from the checkpoint"), log_str("move", move->state->move),
             log_str("phase", phase_name(move->state->phase)),
             log_str("position", move->state->position));
    if (!check_identity(move, error))
        return false;
    if (move->state->phase >= PHASE_DRAINED) {
        move->moved_tables = named_tables(move->config);
        return true;
    }
    if (!recover_cutover(move, error))
        return false;
    if (move->state->phase == PHASE_DRAINING)
        return inspect_renamed(move, error);
    g_clear_pointer(&move->moved_tables, g_ptr_array_unref);
    move->moved_tables = inspect_moved_tables(move->reader_conn, move->config, error);
    return move->moved_tables != NULL && check_tables(move, error) &&
           check_target_tables(move, error) && guarded_create(move, true, error);
}

static bool
set_token(struct move *move)
{
    move->token = g_strdup_printf("move-tables %s", move->state->move_id);
    return true;
}

/* --- the stage -------------------------------------------------------------------------- */

/* A resumed move is held against its checkpoint before anything else: to somebody who changed a
 * table in the middle, the checks would propose to change the target after it. */
static bool
compare_with_checkpoint(struct move *move, GError **error)
{
    if (!check_identity(move, error))
        return false;
    move->moved_tables = inspect_moved_tables(move->reader_conn, move->config, error);
    return move->moved_tables != NULL && check_tables(move, error);
}

/* What the checks look at: tables that are renamed already, or that are about to be discarded, are
 * not checked as the beginning of a move. */
static bool
preflight_first(struct move *move, GError **error)
{
    bool renamed = move->resuming && move->state->phase >= PHASE_FENCING;
    bool discarding = move->resuming && move->options->fresh;
    if (renamed || discarding)
        return true;
    bool fits = !move->resuming || compare_with_checkpoint(move, error);
    g_clear_pointer(&move->moved_tables, g_ptr_array_unref);
    return fits && preflight(move, error);
}

static bool
take_over(struct move *move, GError **error)
{
    bool existed = move->resuming;
    if (!take_locks(move, error))
        return false;
    /* Read again: only now nobody else can change it. */
    if (!read_state(move, error) || !start_afresh(move, error))
        return false;
    if (existed && !move->resuming && !preflight(move, error))
        return false;
    move->checkpoint = checkpoint_open(&move->target, move->config, move->lease, error);
    if (move->checkpoint == NULL)
        return false;
    move->sender = hook_sender_start(move->config, move->checkpoint, error);
    return move->sender != NULL;
}

bool
move_open(struct move *move, GError **error)
{
    if (!connect_all(move, error) || !read_state_first(move, error))
        return false;
    if (move->resuming && move->state->phase == PHASE_COMPLETED)
        return check_identity(move, error);
    if (!preflight_first(move, error) || !take_over(move, error))
        return false;
    if (!move->resuming)
        return create(move, error) && set_token(move);
    if (move->state->phase < PHASE_DRAINED && !checkpoint_is_whole(move->state, error))
        return false;
    return command_discard_stale(move->checkpoint, error) && resume(move, error) && set_token(move);
}
