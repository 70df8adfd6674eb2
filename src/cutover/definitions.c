/*
 * Right before the tables are given away: their definitions are still what the move began with.
 *
 * DDL comes with the stream and ends the move there. What an administrator alters with
 * `sql_log_bin = 0` does not, and need not show in the row events either: columns in another order,
 * labels of an ENUM, a character set. Rows of such a table were read as something else.
 */
#include "base/error.h"
#include "cutover/steps_int.h"
#include "mysql/retry.h"
#include "schema/inspect.h"

bool
cutover_check_definitions(struct cutover *cutover, GError **error)
{
    /* The server that they were read from when the move began: another one may print otherwise. */
    struct server reader = server_of_reader(cutover->config);
    g_autoptr(GPtrArray) wanted = inspections_of_sources(cutover->config);
    g_autoptr(conn) conn = conn_open_retrying(&reader, "definitions", error);
    if (conn == NULL || !inspect_tables(conn, wanted, error))
        return false;
    for (guint i = 0; i < wanted->len; i++) {
        const struct table_state *state = g_ptr_array_index(cutover->state->tables, i);
        g_autoptr(table) found = inspections_take(wanted, i);
        if (found != NULL && g_strcmp0(found->digest, state->definition_digest) == 0)
            continue;
        g_set_error(
            error, MT_ERROR, MT_ERROR_DATA,
            "the definition of %s is not what it was when the move began%s: it was changed "
            "on the source with sql_log_bin=0, or the DDL is not in the stream yet; nothing "
            "was renamed, start again with --fresh",
            state->source_table, found != NULL ? "" : " (there is no such table)");
        return false;
    }
    return true;
}
