#include "checkpoint/migrations.h"

#include "base/error.h"
#include "base/version.h"

#define TABLE_OPTIONS " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"

/* Fixed for ever: every build, however old, must be able to read this table.
 * applied_at is NULL from the migration's first step to its end. */
static const char migrations_table[] = "CREATE TABLE IF NOT EXISTS {db}.`schema_migrations` ("
                                       " `id` INT UNSIGNED NOT NULL,"
                                       " `name` VARCHAR(255) NOT NULL,"
                                       " `backward_compatible` TINYINT(1) NOT NULL,"
                                       " `begun_at` DATETIME(6) NULL,"
                                       " `applied_at` DATETIME(6) NULL,"
                                       " `applied_by` VARCHAR(255) NOT NULL DEFAULT '',"
                                       " PRIMARY KEY (`id`))" TABLE_OPTIONS;

const char *
migrations_table_sql(void)
{
    return migrations_table;
}

/*
 * 1: the first release. Every column has a default or is NULL, so that an older
 * build can insert rows into a newer, compatible schema and the other way round.
 * Sizes are generous: a value that does not fit would stop a move in strict mode.
 */
static const struct migration_step step_1[] = {
    {.sql = "CREATE TABLE IF NOT EXISTS {db}.`lease` ("
            " `move` VARCHAR(64) NOT NULL,"
            " `epoch` BIGINT UNSIGNED NOT NULL,"
            " `owner` VARCHAR(255) NOT NULL DEFAULT '',"
            " `taken_at` DATETIME(6) NULL,"
            " PRIMARY KEY (`move`))" TABLE_OPTIONS},
    {.sql = "CREATE TABLE IF NOT EXISTS {db}.`run` ("
            " `move` VARCHAR(64) NOT NULL,"
            " `epoch` BIGINT UNSIGNED NOT NULL,"
            " `owner` VARCHAR(255) NOT NULL DEFAULT '',"
            " `build` VARCHAR(255) NOT NULL DEFAULT '',"
            " `began_at` DATETIME(6) NULL,"
            " PRIMARY KEY (`move`, `epoch`))" TABLE_OPTIONS},
    {.sql = "CREATE TABLE IF NOT EXISTS {db}.`move` ("
            " `name` VARCHAR(64) NOT NULL,"
            " `move_id` VARCHAR(36) NOT NULL DEFAULT '',"
            " `phase` VARCHAR(64) NOT NULL DEFAULT '',"
            " `position` LONGTEXT NULL,"
            " `horizon` LONGTEXT NULL,"
            " `drain_gtid` LONGTEXT NULL,"
            " `attempt` INT UNSIGNED NOT NULL DEFAULT 0,"
            " `config` LONGTEXT NULL,"
            " `source_uuid` VARCHAR(64) NOT NULL DEFAULT '',"
            " `target_uuid` VARCHAR(64) NOT NULL DEFAULT '',"
            " `xa_clean` TINYINT(1) NOT NULL DEFAULT 0,"
            " `rename_token` VARCHAR(255) NULL,"
            " `paused` TINYINT(1) NOT NULL DEFAULT 0,"
            " `cutover_requested` TINYINT(1) NOT NULL DEFAULT 0,"
            " `last_error` LONGTEXT NULL,"
            " `created_at` DATETIME(6) NULL,"
            " `updated_at` DATETIME(6) NULL,"
            " `heartbeat_at` DATETIME(6) NULL,"
            " `fenced_at` DATETIME(6) NULL,"
            " `drained_at` DATETIME(6) NULL,"
            " `completed_at` DATETIME(6) NULL,"
            " `lag_ms` BIGINT NULL,"
            " `changes_applied` BIGINT UNSIGNED NOT NULL DEFAULT 0,"
            " `copy_rows_per_s` BIGINT UNSIGNED NOT NULL DEFAULT 0,"
            " `build` VARCHAR(255) NOT NULL DEFAULT '',"
            " `requires` VARCHAR(1000) NOT NULL DEFAULT '',"
            " PRIMARY KEY (`name`))" TABLE_OPTIONS},
    {.sql = "CREATE TABLE IF NOT EXISTS {db}.`move_table` ("
            " `move` VARCHAR(64) NOT NULL,"
            " `source_table` VARCHAR(255) NOT NULL,"
            " `ordinal` INT UNSIGNED NOT NULL DEFAULT 0,"
            " `target_table` VARCHAR(255) NOT NULL DEFAULT '',"
            " `moved_as` VARCHAR(255) NOT NULL DEFAULT '',"
            " `key_name` VARCHAR(255) NOT NULL DEFAULT '',"
            " `definition_digest` VARCHAR(255) NOT NULL DEFAULT '',"
            " `rows_estimated` BIGINT UNSIGNED NOT NULL DEFAULT 0,"
            " `rows_copied` BIGINT UNSIGNED NOT NULL DEFAULT 0,"
            " `copied_to` LONGTEXT NULL,"
            " `copy_done` TINYINT(1) NOT NULL DEFAULT 0,"
            " `rows_final` BIGINT UNSIGNED NULL,"
            " PRIMARY KEY (`move`, `source_table`))" TABLE_OPTIONS},
    {.sql = "CREATE TABLE IF NOT EXISTS {db}.`hook_delivery` ("
            " `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,"
            " `event_id` VARCHAR(36) NOT NULL,"
            " `endpoint_digest` VARCHAR(64) NOT NULL,"
            " `move` VARCHAR(64) NOT NULL,"
            " `event` VARCHAR(64) NOT NULL DEFAULT '',"
            " `endpoint` LONGTEXT NULL,"
            " `body` LONGBLOB NULL,"
            " `state` VARCHAR(64) NOT NULL DEFAULT 'pending',"
            " `attempts` INT UNSIGNED NOT NULL DEFAULT 0,"
            " `epoch` BIGINT UNSIGNED NOT NULL DEFAULT 0,"
            " `last_status` INT NOT NULL DEFAULT 0,"
            " `last_error` LONGTEXT NULL,"
            " `created_at` DATETIME(6) NULL,"
            " `sent_at` DATETIME(6) NULL,"
            " `next_attempt_at` DATETIME(6) NULL,"
            " `delivered_at` DATETIME(6) NULL,"
            " `resolved_by` VARCHAR(255) NULL,"
            " `resolved_at` DATETIME(6) NULL,"
            " PRIMARY KEY (`id`),"
            " UNIQUE KEY `event_endpoint` (`event_id`, `endpoint_digest`),"
            " KEY `move` (`move`, `id`))" TABLE_OPTIONS},
    {.sql = "CREATE TABLE IF NOT EXISTS {db}.`command` ("
            " `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,"
            " `move` VARCHAR(64) NOT NULL,"
            " `verb` VARCHAR(64) NOT NULL,"
            " `arguments` LONGTEXT NULL,"
            " `issued_by` VARCHAR(255) NOT NULL DEFAULT '',"
            " `issued_at` DATETIME(6) NULL,"
            " `taken_by` VARCHAR(255) NULL,"
            " `taken_at` DATETIME(6) NULL,"
            " `outcome` LONGTEXT NULL,"
            " `finished_at` DATETIME(6) NULL,"
            " PRIMARY KEY (`id`),"
            " KEY `move` (`move`, `id`))" TABLE_OPTIONS},
};

#define STEPS(list) .steps = (list), .steps_count = G_N_ELEMENTS(list)

static const struct migration migrations[] = {
    {.id = 1, .name = "first release", .backward_compatible = false, STEPS(step_1)},
};

const struct migration *
migrations_list(size_t *ret_count)
{
    *ret_count = G_N_ELEMENTS(migrations);
    return migrations;
}

void
applied_migration_free(struct applied_migration *applied)
{
    if (applied == NULL)
        return;
    g_free(applied->name);
    g_free(applied->applied_at);
    g_free(applied->applied_by);
    g_free(applied);
}

void
migration_plan_clear(struct migration_plan *plan)
{
    g_clear_pointer(&plan->missing, g_ptr_array_unref);
    g_clear_pointer(&plan->unknown, g_ptr_array_unref);
}

static const struct migration *
known_by_id(const struct migration *known, size_t count, unsigned id)
{
    for (size_t i = 0; i < count; i++)
        if (known[i].id == id)
            return &known[i];
    return NULL;
}

static bool
is_finished(const GPtrArray *applied, const struct migration *migration)
{
    for (guint i = 0; i < applied->len; i++) {
        const struct applied_migration *row = g_ptr_array_index(applied, i);
        if (row->id == migration->id && row->finished)
            return true;
    }
    return false;
}

#define WAYS_OUT                                                                                \
    "; nothing was changed. Two ways out: go on with that build, or a newer one; or finish or " \
    "discard every move in this checkpoint with it (move-tables clean, or run --fresh), drop "  \
    "the checkpoint database, and begin anew with this build"

/* "migration 3 'name', applied by BUILD at TIME". */
static char *
describe(const struct applied_migration *row)
{
    return g_strdup_printf("migration %u '%s', %s by %s at %s UTC%s", row->id, row->name,
                           row->finished ? "applied" : "begun", row->applied_by, row->applied_at,
                           row->finished ? "" : " and not finished");
}

/* One applied migration against this build's list: known, harmless, or the end. */
static bool
judge(const struct applied_migration *row, const struct migration *known, size_t known_count,
      GPtrArray *unknown, GError **error)
{
    const struct migration *ours = known_by_id(known, known_count, row->id);
    if (ours != NULL && g_strcmp0(ours->name, row->name) == 0)
        return true;
    g_autofree char *found = describe(row);
    if (ours != NULL) {
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "the checkpoint has %s, but in this build (%s) number %u is '%s': the two are "
                    "not of one line of releases" WAYS_OUT,
                    found, build_identity(), ours->id, ours->name);
        return false;
    }
    if (!row->backward_compatible) {
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "the checkpoint has %s, which this build (%s) does not know and which changes "
                    "the meaning of what older builds read" WAYS_OUT,
                    found, build_identity());
        return false;
    }
    g_ptr_array_add(unknown, (void *)(uintptr_t)row);
    return true;
}

/* What --strict-checkpoint refuses although this build could live with it. */
static bool
judge_strictly(const struct migration_plan *plan, bool is_new, GError **error)
{
    if (plan->unknown->len > 0) {
        g_autofree char *found = describe(g_ptr_array_index(plan->unknown, 0));
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "the checkpoint has %s, which this build (%s) does not know and "
                    "--strict-checkpoint allows no difference" WAYS_OUT,
                    found, build_identity());
        return false;
    }
    if (is_new || plan->missing->len == 0)
        return true;
    const struct migration *first = g_ptr_array_index(plan->missing, 0);
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                "the checkpoint lacks migration %u '%s' of this build (%s) and "
                "--strict-checkpoint allows no difference; nothing was changed. Without the "
                "option the checkpoint is upgraded in place",
                first->id, first->name, build_identity());
    return false;
}

/* Whoever knows a later migration had the earlier ones, too. */
static bool
judge_line(const struct migration_plan *plan, GError **error)
{
    if (plan->unknown->len == 0 || plan->missing->len == 0)
        return true;
    const struct migration *first = g_ptr_array_index(plan->missing, 0);
    g_autofree char *found = describe(g_ptr_array_index(plan->unknown, 0));
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                "the checkpoint has %s, but lacks migration %u '%s' of this build (%s): the two "
                "are not of one line of releases" WAYS_OUT,
                found, first->id, first->name, build_identity());
    return false;
}

static const struct migration *
first_changing(const GPtrArray *missing)
{
    for (guint i = 0; i < missing->len; i++) {
        const struct migration *migration = g_ptr_array_index(missing, i);
        if (!migration->backward_compatible)
            return migration;
    }
    return NULL;
}

bool
migration_plan_make(const GPtrArray *applied, const struct migration *known, size_t known_count,
                    bool strict, struct migration_plan *ret_plan, GError **error)
{
    struct migration_plan plan = {
        .missing = g_ptr_array_new(),
        .unknown = g_ptr_array_new(),
    };
    bool fits = true;
    for (guint i = 0; fits && i < applied->len; i++)
        fits = judge(g_ptr_array_index(applied, i), known, known_count, plan.unknown, error);
    for (size_t i = 0; i < known_count; i++)
        if (!is_finished(applied, &known[i]))
            g_ptr_array_add(plan.missing, (void *)(uintptr_t)&known[i]);
    /* The very first migration cut off in the middle is still a new checkpoint: no move is in it. */
    bool is_new = applied->len == 0 || !is_finished(applied, &known[0]);
    if (!is_new)
        plan.changing = first_changing(plan.missing);
    if (!fits || !judge_line(&plan, error) || (strict && !judge_strictly(&plan, is_new, error))) {
        migration_plan_clear(&plan);
        return false;
    }
    *ret_plan = plan;
    return true;
}
