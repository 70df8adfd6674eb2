/* What of a move every build can read, older or newer: see docs/checkpoint.md. */
#include "checkpoint/checkpoint.h"
#include "checkpoint/sql_int.h"

void
move_core_free(struct move_core *core)
{
    if (core == NULL)
        return;
    g_free(core->move_id);
    g_free(core->phase);
    g_free(core->build);
    g_free(core->owner);
    g_free(core);
}

bool
checkpoint_read_core(struct conn *target, const struct config *config, struct move_core **ret_core,
                     GError **error)
{
    *ret_core = NULL;
    /* One statement, so that the two rows fit together; every column, so that none has to be there. */
    g_autofree char *sql = sql_of(config,
                                  "SELECT m.*, l.`epoch` AS `lease_epoch`, l.`owner` AS"
                                  " `lease_owner` FROM {db}.`move` m LEFT JOIN {db}.`lease` l"
                                  " ON l.`move` = m.`name` WHERE m.`name` = {move}");
    g_autoptr(GError) failure = NULL;
    g_autoptr(result) row = conn_query(target, sql, &failure);
    if (row == NULL && sql_is_missing_table(target))
        return true;
    if (row == NULL) {
        sql_set_read_error(target, config, failure, error);
        return false;
    }
    if (result_rows(row) == 0)
        return true;
    struct move_core *core = g_new0(struct move_core, 1);
    core->move_id = g_strdup(result_get(row, 0, "move_id"));
    core->phase = g_strdup(result_get(row, 0, "phase"));
    core->build = g_strdup(result_get(row, 0, "build"));
    core->created_us = result_time_us(row, 0, "created_at");
    core->updated_us = result_time_us(row, 0, "updated_at");
    core->heartbeat_us = result_time_us(row, 0, "heartbeat_at");
    core->epoch = result_uint(row, 0, "lease_epoch");
    core->owner = g_strdup(result_get(row, 0, "lease_owner"));
    *ret_core = core;
    return true;
}
