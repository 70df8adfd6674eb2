/*
 * The checkpoint: what of a move is durable, in the database
 * `config->checkpoint.database` on the target.
 *
 * What is saved is always a lower bound of what is durable in the target's
 * tables (and, for `horizon`, an upper bound). Every write is one transaction
 * that begins with lease_begin() and is idempotent, so that it is simply tried
 * again when the connection is lost around COMMIT.
 *
 * A struct checkpoint owns one target connection behind a mutex: its functions
 * may be called from any thread. They retry transient errors for
 * connect.retry_s and then return them.
 */
#ifndef CHECKPOINT_CHECKPOINT_H
#define CHECKPOINT_CHECKPOINT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "checkpoint/lease.h"
#include "checkpoint/phase.h"
#include "config/config.h"
#include "mysql/conn.h"

/* One row of move_tables.move_table. */
struct table_state {
    char *source_table; /* schema.table, as in the file: unquoted */
    char *target_table;
    char *moved_as; /* schema.table after the RENAME */
    char *key_name;
    char *definition_digest;
    uint64_t rows_estimated;
    uint64_t rows_copied;
    char *
        copied_to; /* JSON array of hex column texts: every row with key <= it is copied; NULL: none */
    bool copy_done;
    uint64_t rows_final; /* rows on the target when drained; 0 before */
};

/* One row of move_tables.move with its tables. Times are microseconds since the epoch, 0 = not
 * yet. */
struct move_state {
    char *move;
    char *move_id; /* UUID, made at creation */
    enum phase phase;
    char *position; /* GTID set text: P */
    char *horizon;
    char *drain_gtid;  /* NULL before draining */
    unsigned attempt;  /* cutover attempts begun */
    char *config;      /* config_identity_json() at creation */
    char *source_uuid; /* server_uuid of the source primary at creation */
    char *target_uuid;
    bool xa_clean;      /* what was prepared at the first position ended before the first chunk */
    char *rename_token; /* of the attempt in progress; NULL when none */
    bool paused;
    bool cutover_requested;
    char *last_error; /* why the last run or attempt ended; NULL */
    int64_t created_us;
    int64_t updated_us;
    int64_t fenced_us;
    int64_t drained_us;
    int64_t completed_us;
    /* For `status`, saved with the progress. */
    int64_t heartbeat_us;
    int64_t lag_ms; /* -1 unknown */
    uint64_t changes_applied;
    uint64_t copy_rows_per_s;
    char *build; /* version and commit of the build that wrote last */
    char *
        requires;   /* what a build must know to go on with the move: words, "" for nothing */
    uint64_t epoch; /* from lease, 0 if none */
    char *owner;
    GPtrArray *tables; /* struct table_state, in the file's order */
};

void table_state_free(struct table_state *state);
void move_state_free(struct move_state *state);
STRUCT_AUTOPTR(move_state, move_state_free)

/*
 * Creates the database and brings the schema to this build's number
 * (migrations.h). Safe against two builds at once. MT_ERROR_CHECKPOINT when an
 * unknown migration is not backward compatible (or any is unknown with strict).
 */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_schema_ensure(struct conn *target,
                                                        const struct config *config, bool strict,
                                                        GError **error);

/*
 * Before anything of a checkpoint is read: MT_ERROR_CHECKPOINT, as above, when this build must not
 * touch it. Where a migration is missing that changes what is stored, applies what is missing: this
 * build would misread it. Otherwise writes nothing. True with *ret_denied when the user may not
 * even read it, which is for preflight to tell; MT_ERROR_PREFLIGHT when it may not apply them.
 */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_schema_prepare(struct conn *target,
                                                         const struct config *config, bool strict,
                                                         bool *ret_denied, GError **error);

/* How a checkpoint's schema and this build fit, for commands that look. */
struct schema_fit {
    GPtrArray *unknown; /* struct applied_migration (migrations.h): those of newer builds */
    unsigned missing;   /* migrations that a run of this build would apply to it; 0 without one */
    char *problem;      /* why this build cannot read it, with the ways out; NULL: it can */
};

/* Frees what is in it. */
void schema_fit_clear(struct schema_fit *fit);

/* Writes nothing. MT_ERROR_PREFLIGHT when the user may not read it. */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_schema_fit(struct conn *target,
                                                     const struct config *config,
                                                     struct schema_fit *ret_fit, GError **error);

/* The schema number of this build. */
unsigned checkpoint_schema_number(void);

/* Reads a move's state on any connection; *ret_state is NULL when there is no
 * such move or no checkpoint database. Needs no lease: for status.
 * MT_ERROR_PREFLIGHT when the user may not read it, MT_ERROR_CHECKPOINT when this build does not
 * know what is stored there. */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_read(struct conn *target, const struct config *config,
                                               struct move_state **ret_state, GError **error);

/* What of a move every build can read: these columns keep their names and meanings for ever. Texts
 * are NULL and times 0 where a column is empty or, against the rule, gone. */
struct move_core {
    char *move_id;
    char *phase; /* as stored: perhaps of a newer build */
    char *build;
    int64_t created_us;
    int64_t updated_us;
    int64_t heartbeat_us;
    uint64_t epoch;
    char *owner;
};

void move_core_free(struct move_core *core);
STRUCT_AUTOPTR(move_core, move_core_free)

/* Reads it, whatever the schema; *ret_core is NULL when there is no such move. */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_read_core(struct conn *target,
                                                    const struct config *config,
                                                    struct move_core **ret_core, GError **error);

/*
 * Whether this build may go on with, or discard, this very move: a newer build may have begun it
 * with a feature that older ones would ruin. MT_ERROR_CHECKPOINT naming the feature. Pure.
 */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_understands(const struct move_state *state,
                                                      GError **error);

/*
 * Whether the source's binlog had all of the moved tables' changes so far: MT_ERROR_GAP with what was
 * found when checkpoint_mark_gap() was called. Only a new beginning helps then. Pure.
 */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_is_whole(const struct move_state *state, GError **error);

struct checkpoint;

/* Opens the store for a runner. Borrows server, config and lease. */
G_GNUC_WARN_UNUSED_RESULT struct checkpoint *checkpoint_open(const struct server *target,
                                                             const struct config *config,
                                                             const struct lease *lease,
                                                             GError **error);
void checkpoint_close(struct checkpoint *checkpoint);
STRUCT_AUTOPTR(checkpoint, checkpoint_close)

/* Inserts the move and its tables in one transaction (phase copying). */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_create(struct checkpoint *checkpoint,
                                                 const struct move_state *state, GError **error);

/* What the periodic save writes: read by the caller before it calls, true of what is durable. */
struct checkpoint_progress {
    uint64_t snapshot;                /* checkpoint_snapshot() */
    const char *position;             /* NULL: leave */
    const struct table_state *tables; /* rows_copied, copied_to, copy_done of each */
    size_t tables_count;
    int64_t lag_ms;
    uint64_t changes_applied;
    uint64_t copy_rows_per_s;
};

/*
 * To be called before progress is read: numbers what will be read, so that of two threads that save,
 * the one that read earlier never overwrites the other. Thread-safe.
 */
uint64_t checkpoint_snapshot(struct checkpoint *checkpoint);

G_GNUC_WARN_UNUSED_RESULT bool checkpoint_save_progress(struct checkpoint *checkpoint,
                                                        const struct checkpoint_progress *progress,
                                                        GError **error);

/* Makes the horizon durable: before anything of a batch that reaches it is applied. */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_save_horizon(struct checkpoint *checkpoint,
                                                       const char *horizon, GError **error);

/* One row for the outbox. */
struct outbox_row {
    char *event_id; /* UUIDv5 of move id, event, attempt */
    char *event;    /* hook_event_name() */
    char *endpoint; /* URL */
    GBytes *body;   /* never changes afterwards */
};

void outbox_row_free(struct outbox_row *row);

/* A phase change and everything that must be true at the same instant. Fields
 * left NULL or 0 keep their stored value. */
struct phase_change {
    enum phase phase;
    const char *position;
    const char *horizon;
    const char *drain_gtid;
    const char *rename_token;
    bool clear_rename_token;
    unsigned attempt;
    int64_t fenced_us;
    int64_t drained_us;
    int64_t completed_us;
    bool clear_cutover_requested;
    const char *last_error;     /* "" stores NULL: nothing is wrong any more */
    const uint64_t *rows_final; /* per table, or NULL */
    GPtrArray *outbox;          /* struct outbox_row, or NULL; existing ids are left as they are */
    int64_t retry_until_us; /* not stored. Monotonic: how long a lost target is waited for; 0: for
                                   connect.retry_s */
};

/* Commits the change in one transaction. */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_change_phase(struct checkpoint *checkpoint,
                                                       const struct phase_change *change,
                                                       GError **error);

/*
 * Stores for good that changes are missing. What has no GTID (an anonymous transaction, an incident)
 * is no part of a position: a later run, whose stream may begin behind it, would never hear of it.
 */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_mark_gap(struct checkpoint *checkpoint, const char *why,
                                                   GError **error);

/* Is the move still ours? One transaction that only reads the lease. MT_ERROR_FENCED when not. */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_check_lease(struct checkpoint *checkpoint,
                                                      GError **error);

/*
 * After a change of phase whose commit got no answer: what is stored for good. Waits for
 * transactions of this run that the server may still be working on. One connection attempt: the
 * write was tried for connect.retry_s. MT_ERROR_FENCED when the move is another runner's by now.
 */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_settle_phase(const struct server *target,
                                                       const struct config *config,
                                                       const struct lease *lease,
                                                       enum phase *ret_phase, GError **error);

/* Removes the move's rows from every table of the checkpoint, on any connection, in one
 * transaction that bumps the epoch first (so it fails, FENCED, while a runner lives).
 * MT_ERROR_CHECKPOINT when the move under this name is not the one with move_id any more. A runner
 * gives its lease, which it has let go of: MT_ERROR_FENCED when another one took over since. */
G_GNUC_WARN_UNUSED_RESULT bool checkpoint_forget(struct conn *target, const struct config *config,
                                                 const char *move_id, const struct lease *lease,
                                                 GError **error);

#endif
