#include "checkpoint/command.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/stop.h"
#include "checkpoint/command_int.h"
#include "checkpoint/schema_int.h"
#include "checkpoint/sql_int.h"
#include "checkpoint/store_int.h"
#include "mysql/quote.h"

/* How often an operator's command looks whether it was taken up. */
#define POLL_MS 200

/* Stored: never rename one. */
static const char *const verb_names[] = {
    [VERB_CUTOVER] = "cutover", [VERB_PAUSE] = "pause",     [VERB_RESUME] = "resume",
    [VERB_ABORT] = "abort",     [VERB_RESOLVE] = "resolve",
};

/* By name, in SQL: what is not out of date when a new run begins. */
#define KEPT_VERBS "('cutover', 'resolve')"

const char *
verb_name(enum verb verb)
{
    g_return_val_if_fail((unsigned)verb < G_N_ELEMENTS(verb_names), "unknown");
    return verb_names[verb];
}

bool
verb_parse(const char *name, enum verb *ret_verb)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(verb_names); i++) {
        if (g_strcmp0(name, verb_names[i]) == 0) {
            *ret_verb = (enum verb)i;
            return true;
        }
    }
    return false;
}

void
command_free(struct command *command)
{
    if (command == NULL)
        return;
    g_free(command->issued_by);
    g_free(command);
}

/* --- the operator's side ------------------------------------------------------------------- */

static bool
no_such_move(const struct config *config, GError **error)
{
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                "there is no move '%s' in the checkpoint database `%s` on the target: it was "
                "never begun (move-tables run), or it was cleaned away",
                config->move, config->checkpoint.database);
    return false;
}

char *
command_issuer(void)
{
    return g_strdup_printf("%.100s@%.100s:%ld", g_get_user_name(), g_get_host_name(),
                           (long)getpid());
}

bool
command_issue(struct conn *target, const struct config *config, enum verb verb, uint64_t *ret_id,
              GError **error)
{
    if (!schema_allows(target, config, error))
        return false;
    g_autofree char *issuer = command_issuer();
    g_autoptr(GString) sql = g_string_new(NULL);
    sql_add(sql, config,
            "INSERT INTO {db}.`command` (`move`, `verb`, `issued_by`, `issued_at`)"
            " SELECT `name`, ");
    quote_string(sql, verb_name(verb));
    g_string_append(sql, ", ");
    quote_string(sql, issuer);
    sql_add(sql, config, ", NOW(6) FROM {db}.`move` WHERE `name` = {move}");

    g_autoptr(GError) failure = NULL;
    if (!conn_exec(target, sql->str, &failure)) {
        if (sql_is_missing_table(target))
            return no_such_move(config, error);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (conn_affected_rows(target) == 0)
        return no_such_move(config, error);
    g_autoptr(result) row = conn_query(target, "SELECT LAST_INSERT_ID() AS `id`", error);
    if (row == NULL)
        return false;
    *ret_id = result_uint(row, 0, "id");
    return true;
}

void
command_reply_clear(struct command_reply *reply)
{
    g_clear_pointer(&reply->taken_by, g_free);
    g_clear_pointer(&reply->outcome, g_free);
}

bool
command_wait(struct conn *target, const struct config *config, uint64_t id, int64_t timeout_ms,
             struct command_reply *ret_reply, GError **error)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    sql_add(sql, config, "SELECT * FROM {db}.`command` WHERE `id` = ");
    g_string_append_printf(sql, "%" G_GUINT64_FORMAT, id);
    int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;
    for (;;) {
        g_autoptr(result) row = conn_query(target, sql->str, error);
        if (row == NULL)
            return false;
        if (result_rows(row) == 0)
            return no_such_move(config, error);
        bool done = result_get(row, 0, "outcome") != NULL;
        if (done || clock_monotonic_us() >= deadline_us) {
            ret_reply->taken_by = g_strdup(result_get(row, 0, "taken_by"));
            ret_reply->outcome = g_strdup(result_get(row, 0, "outcome"));
            return true;
        }
        if (stop_wait_ms(POLL_MS)) {
            g_set_error(error, MT_ERROR, MT_ERROR_STOPPED,
                        "stopped while waiting for a runner; the command stays in the queue");
            return false;
        }
    }
}

/* --- the runner's side --------------------------------------------------------------------- */

/* Idempotent: what is ours already stays ours. `effect` is a statement for the same transaction, or
 * NULL. */
static bool
mark(struct checkpoint *checkpoint, uint64_t id, const char *effect, const char *outcome,
     GError **error)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    if (effect != NULL) {
        sql_add(sql, checkpoint->config, effect);
        g_string_append(sql, "; ");
    }
    sql_add(sql, checkpoint->config, "UPDATE {db}.`command` SET `taken_by` = ");
    quote_string(sql, lease_owner(checkpoint->lease));
    g_string_append(sql, ", `taken_at` = COALESCE(`taken_at`, NOW(6))");
    if (outcome != NULL) {
        g_string_append(sql, ", `finished_at` = NOW(6), `outcome` = ");
        quote_string(sql, outcome);
    }
    g_string_append_printf(sql, " WHERE `id` = %" G_GUINT64_FORMAT, id);
    return store_write(checkpoint, sql->str, error);
}

/* The oldest command that nobody took, or NULL in *ret_command. *ret_known: this build understands
 * all of it. Arguments belong to verbs of later builds: to do less than was asked would be wrong. */
static bool
next_command(struct checkpoint *checkpoint, struct command **ret_command, bool *ret_known,
             GError **error)
{
    g_autofree char *sql = sql_of(checkpoint->config,
                                  "SELECT `command`.*, `move`.`phase` FROM {db}.`command`"
                                  " JOIN {db}.`move` ON `move`.`name` = `command`.`move`"
                                  " WHERE `command`.`move` = {move}"
                                  " AND `taken_by` IS NULL ORDER BY `id` LIMIT 1");
    g_autoptr(result) row = store_query(checkpoint, sql, error);
    if (row == NULL)
        return false;
    if (result_rows(row) == 0)
        return true;
    struct command *command = g_new0(struct command, 1);
    *ret_known = verb_parse(result_get(row, 0, "verb"), &command->verb) &&
                 result_get(row, 0, "arguments") == NULL;
    command->id = result_uint(row, 0, "id");
    command->issued_by = g_strdup(result_get(row, 0, "issued_by"));
    enum phase phase;
    command->during_cutover = phase_parse(result_get(row, 0, "phase"), &phase) &&
                              phase > PHASE_READY;
    *ret_command = command;
    return true;
}

bool
command_take(struct checkpoint *checkpoint, struct command **ret_command, GError **error)
{
    *ret_command = NULL;
    for (;;) {
        struct command *command = NULL;
        bool known = false;
        if (!next_command(checkpoint, &command, &known, error))
            return false;
        if (command == NULL)
            return true;
        bool marked = mark(checkpoint, command->id, NULL, known ? NULL : "unknown to this build",
                           error);
        if (marked && known) {
            /* Dying here: nothing was done about it. To the next run it is one that nobody took. */
            failpoint_reach(FAILPOINT_COMMAND_TAKEN);
            *ret_command = command;
            return true;
        }
        command_free(command);
        if (!marked)
            return false;
    }
}

/* What it changes in the move's row; NULL: nothing. */
static const char *
effect_of(enum verb verb)
{
    switch (verb) {
    case VERB_PAUSE:
        return "UPDATE {db}.`move` SET `paused` = 1 WHERE `name` = {move}";
    case VERB_RESUME:
        return "UPDATE {db}.`move` SET `paused` = 0 WHERE `name` = {move}";
    case VERB_CUTOVER:
        return "UPDATE {db}.`move` SET `cutover_requested` = 1 WHERE `name` = {move}"
               " AND `phase` IN ('copying', 'following', 'ready')";
    case VERB_ABORT:
    case VERB_RESOLVE:
        return NULL;
    }
    g_assert_not_reached();
}

bool
command_finish(struct checkpoint *checkpoint, const struct command *command, const char *outcome,
               GError **error)
{
    if (!mark(checkpoint, command->id, effect_of(command->verb), outcome, error))
        return false;
    /* Dying here: the next run reads the effect with the move. */
    failpoint_reach(FAILPOINT_COMMAND_FINISHED);
    return true;
}

bool
command_cutover_requested(struct checkpoint *checkpoint, bool *ret_requested, GError **error)
{
    g_autofree char *sql = sql_of(checkpoint->config, "SELECT `cutover_requested` FROM {db}.`move`"
                                                      " WHERE `name` = {move}");
    g_autoptr(result) row = store_query(checkpoint, sql, error);
    if (row == NULL)
        return false;
    *ret_requested = result_rows(row) > 0 && result_int(row, 0, "cutover_requested") != 0;
    return true;
}

bool
command_discard_stale(struct checkpoint *checkpoint, GError **error)
{
    /* Effect and outcome are stored together: without an outcome nothing came of it, whether an
     * earlier runner had taken it or not. */
    g_autoptr(GString) sql = g_string_new(NULL);
    sql_add(sql, checkpoint->config,
            "UPDATE {db}.`command` SET `taken_by` = NULL, `taken_at` = NULL"
            " WHERE `move` = {move} AND `outcome` IS NULL AND `verb` IN " KEPT_VERBS "; "
            "UPDATE {db}.`command` SET `taken_by` = ");
    quote_string(sql, lease_owner(checkpoint->lease));
    sql_add(sql, checkpoint->config,
            ", `taken_at` = NOW(6), `finished_at` = NOW(6), `outcome` = 'no runner'"
            " WHERE `move` = {move} AND `outcome` IS NULL AND `verb` NOT IN " KEPT_VERBS);
    return store_write(checkpoint, sql->str, error);
}
