/*
 * Triggers: with cutover.triggers: create the target gets those of the source.
 *
 * After the point of no return, when nothing is applied any more, and before `completed` leaves: so
 * none ever fires for a row of the move, none has to be dropped by an undo, and the application
 * meets them with its first write. What could go wrong then is looked for before the gate.
 *
 * They are read from the renamed tables, where RENAME has left them. Since the RENAME only somebody's
 * DDL on those could change them, so whoever goes on after a crash reads the same; and a trigger that
 * was dropped while the move ran is not brought back. What was checked before the gate is what is
 * found: a CREATE TRIGGER in between is DDL on a moved table, and ends the move.
 */
#include "schema/trigger.h"

#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "cutover/steps_int.h"
#include "mysql/retry.h"
#include "schema/preflight.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 2000

/* --- before the gate ---------------------------------------------------------------------- */

/* Everything that is wrong, in one line; NULL: nothing. */
static char *
problems_of(const GPtrArray *findings)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(findings, i);
        if (finding->level != FINDING_ERROR)
            continue;
        g_string_append_printf(text, "%s%s: %s", text->len > 0 ? "; " : "", finding->subject,
                               finding->message);
        if (finding->cure != NULL)
            g_string_append_printf(text, " (%s)", finding->cure);
    }
    return g_string_free(text, text->len == 0);
}

static bool
look(struct cutover *cutover, char **ret_problems, GError **error)
{
    struct server source = server_of_source(cutover->config);
    g_autoptr(conn) primary = conn_open_retrying(&source, "triggers", error);
    if (primary == NULL)
        return false;
    g_autoptr(conn) target = conn_open_retrying(&cutover->target, "triggers", error);
    if (target == NULL)
        return false;
    const struct preflight_connections conns = {
        .source_primary = primary, .reader = primary, .target = target};
    g_autoptr(GPtrArray)
        findings = preflight_run_triggers(cutover->config, &conns, cutover->moved_tables, error);
    if (findings == NULL)
        return false;
    *ret_problems = problems_of(findings);
    return true;
}

bool
cutover_check_triggers(struct cutover *cutover, GError **error)
{
    g_autofree char *problems = NULL;
    if (cutover->config->cutover.triggers != TRIGGERS_CREATE)
        return true;
    if (!look(cutover, &problems, error))
        return false;
    if (problems == NULL)
        return true;
    g_autofree char *why = g_strdup_printf(
        "the cutover was not begun, as its triggers could not be created: %s", problems);
    /* Dying before this is stored: the next run finds the request, and the same problems. */
    struct phase_change change = {
        .phase = PHASE_READY,
        .clear_cutover_requested = true,
        .last_error = why,
    };
    if (cutover_store(cutover, &change, error))
        g_set_error_literal(error, MT_ERROR, MT_ERROR_CUTOVER, why);
    return false;
}

/* --- after drained ------------------------------------------------------------------------ */

static bool
read_wanted(struct cutover *cutover, GPtrArray **ret_wanted, GError **error)
{
    struct server source = server_of_source(cutover->config);
    g_autoptr(conn) primary = conn_open_retrying(&source, "triggers", error);
    if (primary == NULL || !triggers_are_visible(primary, cutover->moved_tables, error))
        return false;
    *ret_wanted = triggers_read(primary, cutover->moved_tables, TRIGGERS_OF_RENAMED, error);
    return *ret_wanted != NULL;
}

/* Under the lease's DDL lock: a runner that was overtaken must not create anything. */
static bool
create_once(struct cutover *cutover, struct conn **target, GError **error)
{
    g_autoptr(GPtrArray) wanted = NULL;
    if (!read_wanted(cutover, &wanted, error))
        return false;
    /* Dying here: drained is stored, `completed` waits in the outbox. The next run begins here. */
    failpoint_reach(FAILPOINT_TRIGGERS_READ);
    if (wanted->len == 0)
        return true;
    if (!conn_ensure(target, &cutover->target, "triggers", true, error) ||
        !lease_ddl_begin(cutover->lease, target, error))
        return false;
    bool created = triggers_create(*target, wanted, cutover->moved_tables, error);
    lease_ddl_end(cutover->lease, *target);
    return created;
}

/* The session may live on where the loss was not heard of, and holds the DDL lock: it is ended before
 * the lock is asked for again. */
static bool
create_retrying(struct cutover *cutover, struct conn **target, GError **error)
{
    struct retry retry = retry_for(&cutover->target, PAUSE_FIRST_MS, PAUSE_MAX_MS);
    GError *failure = NULL;
    while (!create_once(cutover, target, &failure)) {
        if (*target != NULL && g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST))
            conn_break(*target);
        log_info("cutover", log_msg("triggers are not created yet"),
                 log_str("why", failure->message));
        if (!retry_again(&retry, &failure)) {
            g_propagate_error(error, failure);
            return false;
        }
    }
    return true;
}

/* Whether it is about the triggers, and not about the run. Takes `failure`, gives what it ends with. */
static GError *
with_ways_out(GError *failure)
{
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_STOPPED) ||
        g_error_matches(failure, MT_ERROR, MT_ERROR_FENCED))
        return failure;
    bool source = mt_error_exit_code(failure) == 4;
    GError *told = g_error_new(
        MT_ERROR, source ? MT_ERROR_SOURCE : MT_ERROR_TARGET,
        "everything is applied and nothing is undone, but `completed` is not sent, as the triggers "
        "are not on the target yet: %s. Mend it and run again; or set cutover.triggers: leave, run "
        "again, and create them by hand",
        failure->message);
    g_error_free(failure);
    return told;
}

/* For status: the application waits. Dying before it is stored: `drained` without a reason, and the next
 * run begins at the same place. */
static void
store_failure(struct cutover *cutover, const GError *failure)
{
    g_autoptr(GError) trouble = NULL;
    struct phase_change change = {.phase = PHASE_DRAINED, .last_error = failure->message};
    if (!cutover_store(cutover, &change, &trouble))
        log_warning("cutover", log_msg("the failure could not be stored"),
                    log_str("error", trouble->message));
}

bool
cutover_create_triggers(struct cutover *cutover, GError **error)
{
    GError *failure = NULL;
    struct conn *target = NULL;
    bool created = create_retrying(cutover, &target, &failure);
    conn_close(target);
    if (created) {
        /* Dying here: all are there, which the next run sees. */
        failpoint_reach(FAILPOINT_TRIGGERS_DONE);
        return true;
    }
    failure = with_ways_out(failure);
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_SOURCE) ||
        g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET))
        store_failure(cutover, failure);
    g_propagate_error(error, failure);
    return false;
}
