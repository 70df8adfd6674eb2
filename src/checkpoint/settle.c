/* Finding out what became of a commit that got no answer. */
#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/sql_int.h"

bool
checkpoint_settle_phase(const struct server *target, const struct config *config,
                        const struct lease *lease, enum phase *ret_phase, GError **error)
{
    struct server server = server_quick(target);
    g_autoptr(conn) conn = conn_open(&server, "settling", error);
    if (conn == NULL)
        return false;
    /* FOR UPDATE waits for every transaction that still reads the lease, also for one whose
     * connection we lost: after it, that one has committed or is gone. */
    g_autofree char *sql = sql_of(
        config, "START TRANSACTION; SELECT `epoch` FROM {db}.`lease` WHERE `move` = {move}"
                " FOR UPDATE; SELECT l.`epoch`, m.`phase` FROM {db}.`move` m JOIN {db}.`lease` l"
                " ON l.`move` = m.`name` WHERE m.`name` = {move} FOR UPDATE");
    g_autoptr(result) rows = conn_query(conn, sql, error);
    if (rows == NULL || !conn_exec(conn, "COMMIT", error))
        return false;
    if (result_rows(rows) != 1 || result_uint(rows, 0, "epoch") != lease_epoch(lease)) {
        g_set_error_literal(error, MT_ERROR, MT_ERROR_FENCED,
                            "another runner has taken the move over");
        return false;
    }
    if (phase_parse(result_get(rows, 0, "phase"), ret_phase))
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT, "phase \"%s\" is unknown to this build",
                result_get(rows, 0, "phase"));
    return false;
}
