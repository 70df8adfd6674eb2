/* How a checkpoint's schema and this build fit. Reads, and writes nothing. */
#include "base/error.h"
#include "base/version.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/migrations.h"
#include "checkpoint/schema_int.h"
#include "checkpoint/sql_int.h"

unsigned
checkpoint_schema_number(void)
{
    size_t count = 0;
    const struct migration *list = migrations_list(&count);
    return list[count - 1].id;
}

static struct applied_migration *
read_row(const struct result *rows, size_t i)
{
    struct applied_migration *row = g_new0(struct applied_migration, 1);
    const char *finished = result_get(rows, i, "applied_at");
    const char *begun = result_get(rows, i, "begun_at");
    row->id = (unsigned)result_uint(rows, i, "id");
    row->name = g_strdup(result_get(rows, i, "name"));
    row->backward_compatible = result_int(rows, i, "backward_compatible") != 0;
    row->finished = finished != NULL;
    row->applied_at = g_strdup(finished != NULL ? finished : begun != NULL ? begun : "?");
    row->applied_by = g_strdup(result_get(rows, i, "applied_by"));
    return row;
}

GPtrArray *
schema_read(struct conn *target, const struct config *config, GError **error)
{
    g_autoptr(GPtrArray)
        applied = g_ptr_array_new_with_free_func((GDestroyNotify)applied_migration_free);
    g_autoptr(GError) failure = NULL;
    g_autofree char *sql = sql_of(config, "SELECT * FROM {db}.`schema_migrations` ORDER BY `id`");
    g_autoptr(result) rows = conn_query(target, sql, &failure);
    if (rows == NULL && sql_is_missing_table(target))
        return g_steal_pointer(&applied);
    if (rows == NULL) {
        sql_set_read_error(target, config, failure, error);
        return NULL;
    }
    for (size_t i = 0; i < result_rows(rows); i++)
        g_ptr_array_add(applied, read_row(rows, i));
    return g_steal_pointer(&applied);
}

/* migration_plan_make() for this build, with the place in the message. */
static bool
plan_for(struct conn *target, const struct config *config, const GPtrArray *applied, bool strict,
         struct migration_plan *ret_plan, GError **error)
{
    size_t count = 0;
    const struct migration *list = migrations_list(&count);
    if (migration_plan_make(applied, list, count, strict, ret_plan, error))
        return true;
    const struct endpoint *endpoint = conn_server(target)->endpoint;
    g_prefix_error(error,
                   "checkpoint database `%s` on the target %s: ", config->checkpoint.database,
                   endpoint->host != NULL ? endpoint->host : endpoint->socket);
    return false;
}

bool
schema_plan(struct conn *target, const struct config *config, bool strict, GPtrArray **ret_applied,
            struct migration_plan *ret_plan, GError **error)
{
    g_autoptr(GPtrArray) applied = schema_read(target, config, error);
    if (applied == NULL || !plan_for(target, config, applied, strict, ret_plan, error))
        return false;
    *ret_applied = g_steal_pointer(&applied);
    return true;
}

/* Takes the list and leaves in it what this build does not know by number and name. */
static GPtrArray *
keep_unknown(GPtrArray *applied)
{
    size_t count = 0;
    const struct migration *list = migrations_list(&count);
    for (guint i = applied->len; i > 0; i--) {
        const struct applied_migration *row = g_ptr_array_index(applied, i - 1);
        for (size_t k = 0; k < count; k++)
            if (list[k].id == row->id && g_strcmp0(list[k].name, row->name) == 0) {
                g_ptr_array_remove_index(applied, i - 1);
                break;
            }
    }
    return applied;
}

void
schema_fit_clear(struct schema_fit *fit)
{
    g_clear_pointer(&fit->unknown, g_ptr_array_unref);
    g_clear_pointer(&fit->problem, g_free);
}

/* Why a build that knows the later meaning must not read what is stored in the earlier one. */
static char *
not_upgraded(const struct config *config, const struct migration *changing)
{
    return g_strdup_printf(
        "the checkpoint in `%s` is of an older build: it lacks migration %u '%s' "
        "of this build (%s), which changes the meaning of what is stored, or it "
        "was cut off while that was applied. `move-tables run` with this build "
        "applies it; until then use the build that the move was begun with",
        config->checkpoint.database, changing->id, changing->name, build_identity());
}

bool
checkpoint_schema_fit(struct conn *target, const struct config *config, struct schema_fit *ret_fit,
                      GError **error)
{
    struct schema_fit fit = {0};
    struct migration_plan plan = {0};
    g_autoptr(GPtrArray) applied = schema_read(target, config, error);
    if (applied == NULL)
        return false;
    g_autoptr(GError) failure = NULL;
    if (!plan_for(target, config, applied, false, &plan, &failure)) {
        fit.problem = g_strdup(failure->message);
    } else {
        fit.missing = applied->len > 0 ? plan.missing->len : 0;
        if (plan.changing != NULL)
            fit.problem = not_upgraded(config, plan.changing);
        migration_plan_clear(&plan);
    }
    fit.unknown = keep_unknown(g_steal_pointer(&applied));
    *ret_fit = fit;
    return true;
}

bool
schema_allows(struct conn *target, const struct config *config, GError **error)
{
    struct schema_fit fit;
    if (!checkpoint_schema_fit(target, config, &fit, error))
        return false;
    bool allowed = fit.problem == NULL;
    if (!allowed)
        g_set_error_literal(error, MT_ERROR, MT_ERROR_CHECKPOINT, fit.problem);
    schema_fit_clear(&fit);
    return allowed;
}
