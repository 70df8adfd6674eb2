/*
 * The renamer: the one connection to the source's primary that may issue
 * RENAME, and that holds the move's lock there.
 *
 * Whoever holds the lock knows that no older runner can still rename: an older
 * runner's RENAME would run on the connection that held the lock, and a
 * connection gives its lock back only when its statement has ended.
 *
 * Thread-safe (one mutex inside).
 */
#ifndef CUTOVER_RENAMER_H
#define CUTOVER_RENAMER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "config/config.h"
#include "mysql/conn.h"
#include "schema/table.h"

struct renamer;

/* Connects and takes the lock, waiting at most wait_s for a dead runner's
 * connection to end. MT_ERROR_FENCED when another runner holds it. Borrows config. */
G_GNUC_WARN_UNUSED_RESULT struct renamer *renamer_open(const struct config *config, unsigned wait_s,
                                                       GError **error);
void renamer_close(struct renamer *renamer);
STRUCT_AUTOPTR(renamer, renamer_close)

/*
 * Takes the same lock on a connection to the source's primary of the caller's own, for other DDL on
 * tables of the move: as long as the connection lives, nobody can begin to run the move, and rename.
 * Waits for a statement that a dead command left waiting for its locks. MT_ERROR_FENCED when a
 * runner, or another command, holds it.
 */
G_GNUC_WARN_UNUSED_RESULT bool renamer_lock_connection(struct conn *conn,
                                                       const struct config *config, GError **error);

/* Keeps the connection from timing out, and takes the lock again after a lost connection.
 * MT_ERROR_SOURCE_BUSY (of renamer_hold() too) when another session has it by then: the lease tells
 * whether the move is still ours. */
G_GNUC_WARN_UNUSED_RESULT bool renamer_keep(struct renamer *renamer, GError **error);

/*
 * Makes sure that the lock is held, and gives the number of this tenure: it
 * changes whenever the lock was lost and taken again. A RENAME names the tenure
 * that it was decided under, and is refused under another one.
 */
G_GNUC_WARN_UNUSED_RESULT bool renamer_hold(struct renamer *renamer, uint64_t *ret_tenure,
                                            GError **error);

/* Where the tables of the move are. */
enum source_tables {
    SOURCE_ORIGINAL, /* all under their own names, none under the moved names */
    SOURCE_RENAMED,  /* all under the moved names, none under their own */
    SOURCE_OTHER,    /* anything else: somebody else was here */
};

/* *ret_detail (allocated) names what is where when the answer is SOURCE_OTHER; else NULL. */
G_GNUC_WARN_UNUSED_RESULT bool renamer_look(struct renamer *renamer, GPtrArray *moved_tables,
                                            enum source_tables *ret_where, char **ret_detail,
                                            GError **error);

struct rename_outcome {
    bool renamed;
    bool lock_timeout;   /* not renamed: a table was in use for lock_wait_timeout_s */
    bool refused;        /* not renamed for certain: the server said so */
    char *gtid_executed; /* of the primary, read after the RENAME; allocated */
};

/*
 * One attempt at the one atomic RENAME of the whole set, with `token` as a
 * comment, and gtid_executed in the same round trip; `back`: to the original
 * names. A lost connection, or another tenure, is MT_ERROR_SOURCE_LOST: look at
 * the source, it may have happened. *ret_outcome is set in any case.
 */
struct rename_request {
    GPtrArray *moved_tables; /* struct moved_table */
    const char *token;
    uint64_t tenure;
    bool back;
};
G_GNUC_WARN_UNUSED_RESULT bool renamer_rename(struct renamer *renamer,
                                              const struct rename_request *request,
                                              struct rename_outcome *ret_outcome, GError **error);

/* The primary's gtid_executed. Caller frees. */
G_GNUC_WARN_UNUSED_RESULT bool renamer_gtid_executed(struct renamer *renamer, char **ret_text,
                                                     GError **error);

/* Whether the server that is the primary now has executed all of `gtids` (text). A primary that is
 * away is waited for until until_us (monotonic). */
G_GNUC_WARN_UNUSED_RESULT bool renamer_has_executed(struct renamer *renamer, const char *gtids,
                                                    int64_t until_us, bool *ret_has,
                                                    GError **error);

/* Next AUTO_INCREMENT values of the renamed tables: ret_values[i] for table i, 0 where it has
 * none. */
G_GNUC_WARN_UNUSED_RESULT bool renamer_auto_increments(struct renamer *renamer,
                                                       GPtrArray *moved_tables,
                                                       uint64_t *ret_values, GError **error);

/* `RENAME … TABLE a TO b, …`: pure, for tests and documentation. Caller frees. */
char *rename_statement(GPtrArray *moved_tables, const char *token, bool back);

#endif
