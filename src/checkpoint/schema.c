/* Bringing a checkpoint to this build's schema. */
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/version.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/lease_int.h"
#include "checkpoint/migrations.h"
#include "checkpoint/schema_int.h"
#include "checkpoint/sql_int.h"
#include "mysql/quote.h"

/* How long one build waits for another that is migrating. */
#define LOCK_WAIT_S 60

static void
warn_of_unknown(const struct migration_plan *plan)
{
    for (guint i = 0; i < plan->unknown->len; i++) {
        const struct applied_migration *row = g_ptr_array_index(plan->unknown, i);
        log_warning("checkpoint",
                    log_msg("going on with a checkpoint that a newer build has changed in a way "
                            "that this build may ignore"),
                    log_int("migration", row->id), log_str("name", row->name),
                    log_str("applied_by", row->applied_by), log_str("at", row->applied_at));
    }
}

/* --- applying ---------------------------------------------------------------------------- */

/* One upgrade in progress, under the schema's lock. */
struct upgrade {
    struct conn *target;
    const struct config *config;
    struct migration_plan plan;
    GPtrArray *locks; /* names of moves' locks that are held */
    GArray *recorded; /* unsigned: recorded by us, and no step of it was done */
};

static void
forget_recorded(struct upgrade *upgrade, unsigned id)
{
    for (guint i = 0; i < upgrade->recorded->len; i++) {
        if (g_array_index(upgrade->recorded, unsigned, i) == id) {
            g_array_remove_index(upgrade->recorded, i);
            return;
        }
    }
}

/* The target's account may not change the schema. The server's words name what is missing. */
static void
explain_denied(struct conn *target, const struct config *config, GError **error)
{
    if (!sql_is_denied(target))
        return;
    g_autofree char *server_says = g_strdup((*error)->message);
    g_autofree char *account = NULL;
    g_autoptr(GError) ignored = NULL;
    if (!conn_query_value(target, "SELECT CURRENT_USER()", &account, &ignored))
        log_debug("checkpoint", log_msg("account"), log_str("error", ignored->message));
    g_clear_error(error);
    g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT,
                "the checkpoint's schema must be brought to number %u for this build (%s), and %s "
                "may not do that: %s. GRANT CREATE, ALTER, DROP, INDEX, SELECT, INSERT, UPDATE, "
                "DELETE ON `%s`.* TO that account and run again; until then only the older build "
                "goes on, if the checkpoint is of one",
                checkpoint_schema_number(), build_identity(),
                account != NULL ? account : "the target's user", server_says,
                config->checkpoint.database);
}

static bool
run_step(struct upgrade *upgrade, const struct migration_step *step, GError **error)
{
    if (step->done != NULL) {
        g_autofree char *query = sql_of(upgrade->config, step->done);
        g_autofree char *done = NULL;
        if (!conn_query_value(upgrade->target, query, &done, error))
            return false;
        if (done != NULL && g_strcmp0(done, "0") != 0)
            return true;
    }
    g_autofree char *sql = sql_of(upgrade->config, step->sql);
    return conn_exec(upgrade->target, sql, error);
}

static bool
is_recorded(const GPtrArray *applied, unsigned id)
{
    for (guint i = 0; i < applied->len; i++) {
        const struct applied_migration *row = g_ptr_array_index(applied, i);
        if (row->id == id)
            return true;
    }
    return false;
}

/* First the intent. If we die from here on, an older build finds a number that it does not know and
 * judges it by its flag, and a build that knows it goes on where we stopped. */
static bool
record(struct upgrade *upgrade, const GPtrArray *applied, const struct migration *migration,
       GError **error)
{
    g_autoptr(GString) begun = g_string_new(NULL);
    sql_add(begun, upgrade->config,
            "INSERT INTO {db}.`schema_migrations`"
            " (`id`, `name`, `backward_compatible`, `begun_at`, `applied_by`) VALUES (");
    g_string_append_printf(begun, "%u, ", migration->id);
    quote_string(begun, migration->name);
    g_string_append_printf(begun, ", %d, NOW(6), ", migration->backward_compatible ? 1 : 0);
    quote_string(begun, build_identity());
    g_string_append(begun, ") ON DUPLICATE KEY UPDATE `applied_by` = ");
    quote_string(begun, build_identity());
    if (!conn_exec(upgrade->target, begun->str, error))
        return false;
    if (!is_recorded(applied, migration->id))
        g_array_append_val(upgrade->recorded, migration->id);
    failpoint_reach(FAILPOINT_MIGRATION_RECORDED);
    return true;
}

static bool
apply(struct upgrade *upgrade, const struct migration *migration, GError **error)
{
    for (size_t i = 0; i < migration->steps_count; i++) {
        if (!run_step(upgrade, &migration->steps[i], error)) {
            g_prefix_error(error, "migration %u '%s': ", migration->id, migration->name);
            return false;
        }
        forget_recorded(upgrade, migration->id);
        /* If we die here, the next build repeats the steps that have no `done` query, and finds
         * the others done. */
        failpoint_reach(FAILPOINT_MIGRATION_STEP_DONE);
    }

    g_autofree char *finished = sql_of(upgrade->config, "UPDATE {db}.`schema_migrations`"
                                                        " SET `applied_at` = NOW(6) WHERE `id` = ");
    if (!conn_execf(upgrade->target, error, "%s%u", finished, migration->id))
        return false;
    failpoint_reach(FAILPOINT_MIGRATION_FINISHED);
    log_info("checkpoint", log_msg("migration applied"), log_int("migration", migration->id),
             log_str("name", migration->name));
    return true;
}

/* Takes back what was recorded and not begun: nothing of it has happened, and an older build may go
 * on. Where this fails, too, the record stays, and only a build that knows it goes on. */
static void
withdraw(struct upgrade *upgrade)
{
    for (guint i = 0; i < upgrade->recorded->len; i++) {
        g_autoptr(GError) ignored = NULL;
        g_autofree char *sql = sql_of(upgrade->config, "DELETE FROM {db}.`schema_migrations`"
                                                       " WHERE `applied_at` IS NULL AND `id` = ");
        if (!conn_execf(upgrade->target, &ignored, "%s%u", sql,
                        g_array_index(upgrade->recorded, unsigned, i)))
            log_warning("checkpoint",
                        log_msg("a migration stays recorded as begun, though nothing of it was "
                                "done: only a build that knows it goes on"),
                        log_str("error", ignored->message));
    }
}

/* --- a change that older builds cannot live with --------------------------------------------- */

/* It must not happen under a living runner: takes the lock of every move here. */
static bool
lock_moves(struct upgrade *upgrade, GError **error)
{
    g_autofree char *sql = sql_of(upgrade->config, "SELECT `move`, `owner` FROM {db}.`lease`");
    g_autoptr(result) rows = conn_query(upgrade->target, sql, error);
    if (rows == NULL)
        return false;
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *move = result_get(rows, i, "move");
        g_autofree char *lock = lease_lock_name(upgrade->config->checkpoint.database, move);
        bool taken = false;
        if (!lock_take(upgrade->target, lock, 0, &taken, error))
            return false;
        if (!taken) {
            g_set_error(error, MT_ERROR, MT_ERROR_FENCED,
                        "the checkpoint must be upgraded for this build (%s), but move '%s' is "
                        "being run by %s; stop it there (move-tables abort) and run again",
                        build_identity(), move, result_get(rows, i, "owner"));
            return false;
        }
        g_ptr_array_add(upgrade->locks, g_steal_pointer(&lock));
    }
    return true;
}

/* Nor under one that is frozen, whose lock the server has given up: a new epoch for every move
 * stops it at its next transaction. Waits for those that are in flight. If we die after it, older
 * runners are stopped, and the record keeps new ones away. */
static bool
fence_moves(struct upgrade *upgrade, GError **error)
{
    g_autofree char *owner = g_strdup_printf("the upgrade to schema %u by %s",
                                             checkpoint_schema_number(), build_identity());
    g_autoptr(GString) sql = g_string_new(NULL);
    sql_add(sql, upgrade->config,
            "UPDATE {db}.`lease` SET `epoch` = `epoch` + 1, `taken_at` = NOW(6), `owner` = ");
    quote_string(sql, owner);
    if (conn_exec(upgrade->target, sql->str, error))
        return true;
    if (g_error_matches(*error, MT_ERROR, MT_ERROR_TARGET_BUSY))
        g_prefix_error(error, "a transaction of a runner that does not answer is still open on the "
                              "target, which ends it after 60 s of silence; run again then: ");
    return false;
}

/*
 * All is recorded before the runners are looked at. A runner of an older build reads the list once
 * more after it took its lease: so either it finds the record, or we find its lock, or later its
 * lease's row, which is given a new epoch. If we die in here, no step was done; this build goes on
 * from it.
 */
static bool
quiet_runners(struct upgrade *upgrade, const GPtrArray *applied, GError **error)
{
    for (guint i = 0; i < upgrade->plan.missing->len; i++)
        if (!record(upgrade, applied, g_ptr_array_index(upgrade->plan.missing, i), error))
            return false;
    return lock_moves(upgrade, error);
}

static bool
apply_all(struct upgrade *upgrade, const GPtrArray *applied, GError **error)
{
    bool quiet = upgrade->plan.changing != NULL;
    if (quiet && !quiet_runners(upgrade, applied, error))
        return false;
    for (guint i = 0; i < upgrade->plan.missing->len; i++) {
        const struct migration *migration = g_ptr_array_index(upgrade->plan.missing, i);
        if ((!quiet && !record(upgrade, applied, migration, error)) ||
            (migration == upgrade->plan.changing && !fence_moves(upgrade, error)) ||
            !apply(upgrade, migration, error))
            return false;
    }
    warn_of_unknown(&upgrade->plan);
    return true;
}

/* --- the stage ----------------------------------------------------------------------------- */

static bool
migrate_locked(struct conn *target, const struct config *config, bool strict, GError **error)
{
    /* Read again: another build may have been here while we waited for the lock. */
    g_autoptr(GPtrArray) applied = NULL;
    struct upgrade upgrade = {.target = target, .config = config};
    if (!schema_plan(target, config, strict, &applied, &upgrade.plan, error))
        return false;
    upgrade.locks = g_ptr_array_new_with_free_func(g_free);
    upgrade.recorded = g_array_new(FALSE, FALSE, sizeof(unsigned));
    g_autoptr(GError) failure = NULL;
    bool ok = apply_all(&upgrade, applied, &failure);
    if (!ok) {
        explain_denied(target, config, &failure);
        if (!g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST))
            withdraw(&upgrade);
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    for (guint i = 0; i < upgrade.locks->len; i++)
        lock_drop(target, g_ptr_array_index(upgrade.locks, i));
    g_ptr_array_unref(upgrade.locks);
    g_array_unref(upgrade.recorded);
    migration_plan_clear(&upgrade.plan);
    return ok;
}

static bool
create_database(struct conn *target, const struct config *config, GError **error)
{
    g_autofree char *look = sql_of(config, "SELECT COUNT(*) FROM information_schema.schemata"
                                           " WHERE schema_name = {db_text}");
    g_autofree char *found = NULL;
    if (!conn_query_value(target, look, &found, error))
        return false;
    g_autofree char *create = sql_of(
        config, "CREATE DATABASE IF NOT EXISTS {db} DEFAULT CHARACTER SET utf8mb4");
    g_autofree char *table = sql_of(config, migrations_table_sql());
    g_autoptr(GError) failure = NULL;
    if ((g_strcmp0(found, "0") == 0 && !conn_exec(target, create, &failure)) ||
        !conn_exec(target, table, &failure)) {
        explain_denied(target, config, &failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    /* If we die here, or between the two, the next build finds an empty list, or none: the same. */
    failpoint_reach(FAILPOINT_MIGRATIONS_TABLE_MADE);
    return true;
}

static bool
migrate(struct conn *target, const struct config *config, bool strict, bool exists, GError **error)
{
    g_autofree char *schema_lock = lease_lock_name(config->checkpoint.database, "/schema");
    bool taken = false;
    if (!lock_take(target, schema_lock, LOCK_WAIT_S, &taken, error))
        return false;
    if (!taken) {
        g_set_error(error, MT_ERROR, MT_ERROR_TARGET_BUSY,
                    "another build has been upgrading the checkpoint database `%s` for %d s; "
                    "try again when it is done",
                    config->checkpoint.database, LOCK_WAIT_S);
        return false;
    }
    bool ok = (exists || create_database(target, config, error)) &&
              migrate_locked(target, config, strict, error);
    lock_drop(target, schema_lock);
    return ok;
}

bool
checkpoint_schema_ensure(struct conn *target, const struct config *config, bool strict,
                         GError **error)
{
    g_autoptr(GPtrArray) applied = NULL;
    struct migration_plan plan;
    if (!schema_plan(target, config, strict, &applied, &plan, error))
        return false;
    /* Nothing is written, and no lock taken, when nothing is missing. */
    bool complete = plan.missing->len == 0;
    if (complete)
        warn_of_unknown(&plan);
    migration_plan_clear(&plan);
    if (!complete && !migrate(target, config, strict, applied->len > 0, error))
        return false;
    /* If we die here nothing of a move is written. Another build may change the schema from here
     * until the lease is taken, which is why that looks at it again. */
    failpoint_reach(FAILPOINT_SCHEMA_READY);
    return true;
}

bool
checkpoint_schema_prepare(struct conn *target, const struct config *config, bool strict,
                          bool *ret_denied, GError **error)
{
    g_autoptr(GPtrArray) applied = NULL;
    g_autoptr(GError) failure = NULL;
    struct migration_plan plan;
    if (!schema_plan(target, config, strict, &applied, &plan, &failure)) {
        *ret_denied = g_error_matches(failure, MT_ERROR, MT_ERROR_PREFLIGHT);
        if (!*ret_denied)
            g_propagate_error(error, g_steal_pointer(&failure));
        return *ret_denied;
    }
    *ret_denied = false;
    bool readable = plan.changing == NULL;
    migration_plan_clear(&plan);
    return readable || migrate(target, config, strict, true, error);
}
