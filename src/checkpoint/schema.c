#include "base/error.h"
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

/* Fixed for ever: every build, however old, must be able to read this table.
 * applied_at is NULL from the migration's first step to its end. */
static const char migrations_table[] =
    "CREATE TABLE IF NOT EXISTS {db}.`schema_migrations` ("
    " `id` INT UNSIGNED NOT NULL,"
    " `name` VARCHAR(255) NOT NULL,"
    " `backward_compatible` TINYINT(1) NOT NULL,"
    " `begun_at` DATETIME(6) NULL,"
    " `applied_at` DATETIME(6) NULL,"
    " `applied_by` VARCHAR(255) NOT NULL DEFAULT '',"
    " PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

unsigned
checkpoint_schema_number(void)
{
    size_t count = 0;
    const struct migration *list = migrations_list(&count);
    return list[count - 1].id;
}

GPtrArray *
schema_read(struct conn *target, const struct config *config, GError **error)
{
    g_autoptr(GPtrArray)
        applied = g_ptr_array_new_with_free_func((GDestroyNotify)applied_migration_free);
    g_autoptr(GError) failure = NULL;
    g_autofree char *sql = sql_of(config, "SELECT * FROM {db}.`schema_migrations` ORDER BY `id`");
    g_autoptr(result) rows = conn_query(target, sql, &failure);
    if (rows == NULL) {
        if (sql_is_missing_table(target))
            return g_steal_pointer(&applied);
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    for (size_t i = 0; i < result_rows(rows); i++) {
        struct applied_migration *row = g_new0(struct applied_migration, 1);
        const char *finished = result_get(rows, i, "applied_at");
        const char *begun = result_get(rows, i, "begun_at");
        row->id = (unsigned)result_uint(rows, i, "id");
        row->name = g_strdup(result_get(rows, i, "name"));
        row->backward_compatible = result_int(rows, i, "backward_compatible") != 0;
        row->finished = finished != NULL;
        row->applied_at = g_strdup(finished != NULL ? finished : begun != NULL ? begun : "?");
        row->applied_by = g_strdup(result_get(rows, i, "applied_by"));
        g_ptr_array_add(applied, row);
    }
    return g_steal_pointer(&applied);
}

static bool
plan_for(struct conn *target, const struct config *config, bool strict, GPtrArray **ret_applied,
         struct migration_plan *ret_plan, GError **error)
{
    size_t count = 0;
    const struct migration *list = migrations_list(&count);
    g_autoptr(GPtrArray) applied = schema_read(target, config, error);
    if (applied == NULL || !migration_plan_make(applied, list, count, strict, ret_plan, error)) {
        const struct endpoint *endpoint = conn_server(target)->endpoint;
        g_prefix_error(error,
                       "checkpoint database `%s` on the target %s: ", config->checkpoint.database,
                       endpoint->host != NULL ? endpoint->host : endpoint->socket);
        return false;
    }
    *ret_applied = g_steal_pointer(&applied);
    return true;
}

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

bool
schema_allows(struct conn *target, const struct config *config, GError **error)
{
    g_autoptr(GPtrArray) applied = NULL;
    struct migration_plan plan;
    if (!plan_for(target, config, false, &applied, &plan, error))
        return false;
    migration_plan_clear(&plan);
    return true;
}

/* --- applying ---------------------------------------------------------------------------- */

static bool
run_step(struct conn *target, const struct config *config, const struct migration_step *step,
         GError **error)
{
    if (step->done != NULL) {
        g_autofree char *query = sql_of(config, step->done);
        g_autofree char *done = NULL;
        if (!conn_query_value(target, query, &done, error))
            return false;
        if (done != NULL && g_strcmp0(done, "0") != 0)
            return true;
    }
    g_autofree char *sql = sql_of(config, step->sql);
    return conn_exec(target, sql, error);
}

static bool
apply(struct conn *target, const struct config *config, const struct migration *migration,
      GError **error)
{
    /* First the intent. If we die from here on, an older build finds a number that it does not
     * know and judges it by its flag, and a build that knows it goes on where we stopped. */
    g_autoptr(GString) begun = g_string_new(NULL);
    sql_add(begun, config,
            "INSERT INTO {db}.`schema_migrations`"
            " (`id`, `name`, `backward_compatible`, `begun_at`, `applied_by`) VALUES (");
    g_string_append_printf(begun, "%u, ", migration->id);
    quote_string(begun, migration->name);
    g_string_append_printf(begun, ", %d, NOW(6), ", migration->backward_compatible ? 1 : 0);
    quote_string(begun, build_identity());
    g_string_append(begun, ") ON DUPLICATE KEY UPDATE `applied_by` = ");
    quote_string(begun, build_identity());
    if (!conn_exec(target, begun->str, error))
        return false;

    for (size_t i = 0; i < migration->steps_count; i++)
        if (!run_step(target, config, &migration->steps[i], error)) {
            g_prefix_error(error, "migration %u '%s': ", migration->id, migration->name);
            return false;
        }

    g_autofree char *finished = sql_of(config, "UPDATE {db}.`schema_migrations`"
                                               " SET `applied_at` = NOW(6) WHERE `id` = ");
    if (!conn_execf(target, error, "%s%u", finished, migration->id))
        return false;
    log_info("checkpoint", log_msg("migration applied"), log_int("migration", migration->id),
             log_str("name", migration->name));
    return true;
}

static bool
needs_quiet(const GPtrArray *applied, const struct migration_plan *plan)
{
    if (applied->len == 0)
        return false;
    for (guint i = 0; i < plan->missing->len; i++) {
        const struct migration *migration = g_ptr_array_index(plan->missing, i);
        if (!migration->backward_compatible && migration->id > 1)
            return true;
    }
    return false;
}

/* A change that older builds cannot live with must not happen under a living
 * one: takes the lock of every move here. Adds the names of locks to `locks`. */
static bool
quiet_runners(struct conn *target, const struct config *config, GPtrArray *locks, GError **error)
{
    g_autofree char *sql = sql_of(config, "SELECT `move`, `owner` FROM {db}.`lease`");
    g_autoptr(result) rows = conn_query(target, sql, error);
    if (rows == NULL)
        return false;
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *move = result_get(rows, i, "move");
        g_autofree char *lock = lease_lock_name(config->checkpoint.database, move);
        bool taken = false;
        if (!lock_take(target, lock, 0, &taken, error))
            return false;
        if (!taken) {
            g_set_error(error, MT_ERROR, MT_ERROR_FENCED,
                        "the checkpoint must be upgraded for this build (%s), but move '%s' is "
                        "being run by %s; stop it there (move-tables abort) and run again",
                        build_identity(), move, result_get(rows, i, "owner"));
            return false;
        }
        g_ptr_array_add(locks, g_steal_pointer(&lock));
    }
    return true;
}

static bool
migrate_locked(struct conn *target, const struct config *config, bool strict, GPtrArray *locks,
               GError **error)
{
    /* Read again: another build may have been here while we waited for the lock. */
    g_autoptr(GPtrArray) applied = NULL;
    struct migration_plan plan;
    if (!plan_for(target, config, strict, &applied, &plan, error))
        return false;
    bool ok = !needs_quiet(applied, &plan) || quiet_runners(target, config, locks, error);
    for (guint i = 0; ok && i < plan.missing->len; i++)
        ok = apply(target, config, g_ptr_array_index(plan.missing, i), error);
    if (ok)
        warn_of_unknown(&plan);
    migration_plan_clear(&plan);
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
    if (g_strcmp0(found, "0") == 0 && !conn_exec(target, create, error))
        return false;
    g_autofree char *table = sql_of(config, migrations_table);
    return conn_exec(target, table, error);
}

static bool
migrate(struct conn *target, const struct config *config, bool strict, GError **error)
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
    g_autoptr(GPtrArray) locks = g_ptr_array_new_with_free_func(g_free);
    bool ok = create_database(target, config, error) &&
              migrate_locked(target, config, strict, locks, error);
    for (guint i = 0; i < locks->len; i++)
        lock_drop(target, g_ptr_array_index(locks, i));
    lock_drop(target, schema_lock);
    return ok;
}

bool
checkpoint_schema_ensure(struct conn *target, const struct config *config, bool strict,
                         GError **error)
{
    g_autoptr(GPtrArray) applied = NULL;
    struct migration_plan plan;
    if (!plan_for(target, config, strict, &applied, &plan, error))
        return false;
    /* Nothing is written, and no lock taken, when nothing is missing. */
    bool complete = plan.missing->len == 0;
    if (complete)
        warn_of_unknown(&plan);
    migration_plan_clear(&plan);
    return complete || migrate(target, config, strict, error);
}
