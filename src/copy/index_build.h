/*
 * Builds the secondary indexes that target tables were created without (copy.defer_indexes), when
 * all rows are copied: one ALTER TABLE a table, several tables side by side, while changes are
 * applied.
 *
 * An ALTER may outlive the connection that sent it, and the process. So each is sent under a lock
 * that its session holds (lease_build_begin()), on a connection that waits for it as long as it
 * takes; whoever has the lock after it looks again at what is missing, and finds nothing.
 */
#ifndef COPY_INDEX_BUILD_H
#define COPY_INDEX_BUILD_H

#include <glib.h>
#include <stdbool.h>

#include "apply/applier.h"
#include "base/progress.h"
#include "checkpoint/lease.h"
#include "config/config.h"
#include "mysql/conn.h"

struct index_build_options {
    const struct config *config;
    struct server reader; /* whose binlogs must outlast it */
    struct server target;
    const struct lease *lease;
    struct applier *applier;
    GPtrArray *moved_tables; /* struct moved_table: those with indexes_missing are looked at */
    struct progress *progress;
    bool outlast; /* an earlier runner may still be building: waits for its end in any case */
};

/*
 * Blocks until no table lacks an index. A stop request, and the failure of one of the ALTERs, end
 * all that run (they are killed, and undone by the server; a runner that lost the move only lets go
 * of them). Errors: MT_ERROR_STOPPED, MT_ERROR_FENCED, MT_ERROR_TARGET_LOST after connect.retry_s,
 * and what the server refuses.
 */
G_GNUC_WARN_UNUSED_RESULT bool index_build_run(const struct index_build_options *options,
                                               GError **error);

#endif
