#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/lease.h"
#include "cli/human.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "config/table_name.h"
#include "cutover/renamer.h"
#include "mysql/quote.h"

/* A table that the move left on the source. */
struct leftover {
    char *schema;
    char *name;
};

static void
leftover_free(void *data)
{
    struct leftover *leftover = data;
    g_free(leftover->schema);
    g_free(leftover->name);
    g_free(leftover);
}

/* Why a move that is not completed is left alone, and what completes it. */
static const char *
what_completes(enum phase phase)
{
    if (phase >= PHASE_DRAINED)
        return "the data is moved, but `completed` is not acknowledged yet: mend its receiver and "
               "`run` again, every run sends it again";
    if (phase >= PHASE_FENCING)
        return "its cutover is open: `run` finishes or undoes it";
    return "`run` goes on with it, `run --fresh` discards it";
}

static bool
check_completed(struct session *session, const struct move_state *state, GError **error)
{
    bool alive = false;
    if (state == NULL) {
        g_set_error(error, MT_ERROR, MT_ERROR_FAILED,
                    "there is no move \"%s\" in `%s` on the target: nothing to clean",
                    session->config->move, session->config->checkpoint.database);
        return false;
    }
    if (state->phase != PHASE_COMPLETED) {
        g_set_error(error, MT_ERROR, MT_ERROR_FAILED,
                    "move \"%s\" is not completed, it is %s: nothing was dropped; %s",
                    session->config->move, phase_name(state->phase), what_completes(state->phase));
        return false;
    }
    if (!checkpoint_understands(state, error) ||
        !lease_is_held(session->conn, session->config, &alive, error))
        return false;
    if (alive)
        g_set_error(error, MT_ERROR, MT_ERROR_FENCED,
                    "runner %s still works on move \"%s\": wait until it has ended",
                    state->owner != NULL ? state->owner : "?", session->config->move);
    return !alive;
}

/* Adds the table to `leftovers` and `shown` if it is there. */
static bool
add_leftover(struct conn *source, const struct table_state *table, GPtrArray *leftovers,
             GString *shown, GError **error)
{
    g_autofree char *schema = NULL;
    g_autofree char *name = NULL;
    const char *problem = NULL;
    if (!table_name_parse(table->moved_as, &schema, &name, &problem)) {
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "the checkpoint names the renamed table \"%s\": %s; drop it by hand",
                    table->moved_as, problem);
        return false;
    }
    g_autofree char *quoted_schema = quoted_string(schema);
    g_autofree char *quoted_name = quoted_string(name);
    g_autoptr(result) found = conn_queryf(
        source, error,
        "SELECT TABLE_ROWS AS table_rows, DATA_LENGTH + INDEX_LENGTH AS table_bytes"
        " FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
        " AND TABLE_TYPE = 'BASE TABLE'",
        quoted_schema, quoted_name);
    if (found == NULL)
        return false;
    if (result_rows(found) == 0)
        return true;
    struct leftover *leftover = g_new0(struct leftover, 1);
    g_autofree char *rows = human_count(result_uint(found, 0, "table_rows"));
    g_autofree char *bytes = human_bytes(result_uint(found, 0, "table_bytes"));
    g_string_append_printf(shown, "  %s.%s  (about %s rows, %s)\n", schema, name, rows, bytes);
    leftover->schema = g_steal_pointer(&schema);
    leftover->name = g_steal_pointer(&name);
    g_ptr_array_add(leftovers, leftover);
    return true;
}

/* What would be dropped, and the question that shows it. NULL: an error. */
static GPtrArray *
find_leftovers(struct session *session, struct conn *source, const struct move_state *state,
               GString *question, GError **error)
{
    g_autoptr(GPtrArray) leftovers = g_ptr_array_new_with_free_func(leftover_free);
    const struct endpoint *endpoint = &session->config->source;
    g_string_append_printf(question, "To be dropped on the source %s:\n",
                           endpoint->host != NULL ? endpoint->host : endpoint->socket);
    for (unsigned i = 0; i < state->tables->len; i++) {
        if (!add_leftover(source, g_ptr_array_index(state->tables, i), leftovers, question, error))
            return NULL;
    }
    if (leftovers->len == 0)
        g_string_append(question, "  nothing, the renamed tables are gone already\n");
    g_string_append_printf(question,
                           "To be deleted on the target: the checkpoint of move \"%s\" in `%s`.\n"
                           "The moved tables on the target stay as they are.",
                           session->config->move, session->config->checkpoint.database);
    return g_steal_pointer(&leftovers);
}

/*
 * The operator may have thought for hours, and another `clean` and a whole new move under the same
 * name may have come meanwhile: then the tables of these names are its, and perhaps not drained yet.
 * So the source's lock is taken on the connection that drops, without which nobody can rename, and
 * only then it is read whether all is as it was shown.
 */
static bool
own(struct session *session, struct conn *source, const struct move_state *shown, GError **error)
{
    g_autoptr(move_state) state = NULL;
    g_clear_pointer(&session->conn, conn_close); /* silent all the time, perhaps for too long */
    if (!renamer_lock_connection(source, session->config, error) ||
        !session_connect(session, "clean", error) ||
        !checkpoint_read(session->conn, session->config, &state, error) ||
        !check_completed(session, state, error))
        return false;
    if (g_strcmp0(state->move_id, shown->move_id) == 0)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                "move \"%s\" is another one by now (it was %s, it is %s): nothing was dropped; "
                "`clean` again shows what there is",
                session->config->move, shown->move_id, state->move_id);
    return false;
}

static bool
drop(const struct config *config, struct conn *source, const GPtrArray *leftovers, GError **error)
{
    /* They may refer to each other. A table in use must not make its other users wait for long. */
    if (leftovers->len > 0 &&
        !conn_execf(source, error,
                    "SET SESSION foreign_key_checks = 0, lock_wait_timeout = %" G_GINT64_FORMAT,
                    config->cutover.lock_wait_timeout_s))
        return false;
    for (unsigned i = 0; i < leftovers->len; i++) {
        const struct leftover *leftover = g_ptr_array_index(leftovers, i);
        g_autofree char *table = quoted_table(leftover->schema, leftover->name);
        g_autofree char *sql = g_strdup_printf("DROP TABLE IF EXISTS %s", table);
        if (!conn_exec_at(source, sql, FAILPOINT_CLEAN_DROP_SENT, error)) {
            g_prefix_error(error, "%s is not dropped, `clean` again goes on: ", table);
            return false;
        }
        failpoint_reach(FAILPOINT_CLEAN_TABLE_DROPPED);
        log_info("clean", log_msg("dropped"), log_str("table", table));
    }
    return true;
}

bool
command_clean(const struct arguments *arguments, GError **error)
{
    g_autoptr(session) session = session_open(arguments->words[0], CONFIG_SECRETS_SERVERS, error);
    g_autoptr(move_state) state = NULL;
    g_autoptr(GString) question = g_string_new(NULL);
    if (session == NULL || !session_connect(session, "clean", error) ||
        !checkpoint_read(session->conn, session->config, &state, error) ||
        !check_completed(session, state, error))
        return false;
    g_autoptr(conn) source = conn_open(&session->source, "clean source", error);
    if (source == NULL)
        return false;
    g_autoptr(GPtrArray) leftovers = find_leftovers(session, source, state, question, error);
    if (leftovers == NULL ||
        !output_confirm(question->str, argument_given(arguments, OPTION_YES), error) ||
        !own(session, source, state, error))
        return false;
    failpoint_reach(FAILPOINT_CLEAN_CONFIRMED);
    /* The checkpoint goes last: a clean that died in between is simply done again. */
    if (!drop(session->config, source, leftovers, error))
        return false;
    failpoint_reach(FAILPOINT_CLEAN_BEFORE_FORGET);
    if (!checkpoint_forget(session->conn, session->config, state->move_id, NULL, error))
        return false;
    failpoint_reach(FAILPOINT_CLEAN_FORGOTTEN);
    g_autofree char *text = g_strdup_printf(
        "move \"%s\": %u table%s dropped on the source, checkpoint deleted\n",
        session->config->move, leftovers->len, leftovers->len == 1 ? "" : "s");
    return output_write(text, error);
}
