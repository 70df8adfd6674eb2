/*
 * From events to transaction fragments.
 *
 * The assembler is pure: it is fed binlog events in order and calls its sink.
 * A fragment carries the row changes of moved tables of one transaction, or a
 * part of them when the transaction is large; it owns copies of the images.
 *
 * XA: a prepared transaction is in the binlog under a GTID of its own, and in
 * gtid_executed, but its rows become visible with the XA COMMIT, which has
 * another GTID and may come days later or never. If it changed moved tables, its
 * fragments are held until then and handed over under the XA COMMIT's arrival
 * number. A chunk whose F covers only the XA PREPARE does not see the rows, but
 * its pin is below the XA COMMIT's arrival: rule 5 of docs/protocol.md keeps them
 * in order. A held GTID is not complete: P does not contain it (a GTID set may
 * have holes), so that a later run is sent it again.
 */
#ifndef BINLOG_TRANSACTION_H
#define BINLOG_TRANSACTION_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "binlog/gtid.h"
#include "binlog/rows.h"

/* One change: offsets into the fragment's bytes. Length 0: no such image. */
struct row_change {
    uint32_t table; /* moved_table.index */
    uint32_t before_length;
    uint32_t after_length;
    uint64_t before_offset;
    uint64_t after_offset;
};

struct fragment {
    uint64_t seq; /* the transaction's arrival number */
    struct gtid gtid;
    bool last; /* the transaction is complete with this fragment */
    /* With `last` of an XA COMMIT or XA ROLLBACK: the XA PREPARE, which is complete
     * only now (number 0: none). Use fragment_add_completed(). */
    struct gtid prepared;
    int64_t commit_us; /* immediate_commit_timestamp on the source read from; 0 unknown */
    GArray *changes;   /* struct row_change, in row order */
    uint8_t *bytes;    /* images */
    size_t bytes_length;
    struct row_layout **layouts; /* borrowed from the assembler, by table index */
};

void fragment_free(struct fragment *fragment);
/* What it costs in memory, for budgets. */
size_t fragment_memory_bytes(const struct fragment *fragment);

/* Adds to the set what is complete once this fragment is applied: nothing unless `last`. */
void fragment_add_completed(const struct fragment *fragment, struct gtid_set *set);

/* Adds to the set what the target may show as soon as the fragment begins to be applied. */
void fragment_add_touched(const struct fragment *fragment, struct gtid_set *set);

static inline struct row_image
fragment_image(const struct fragment *fragment, uint64_t offset, uint32_t length)
{
    return (struct row_image){.bytes = fragment->bytes + offset, .length = length};
}

/* What the assembler tells. Every function returns false with an error to stop the stream. */
struct transaction_sink {
    void *context;
    /* The GTID event was received: gives the arrival number. Before any row of it. */
    bool (*arrived)(void *context, const struct gtid *gtid, uint64_t *ret_seq, GError **error);
    /* Takes ownership. May block (back-pressure). Every transaction, also one
     * without rows of moved tables, ends with a fragment whose `last` is set. */
    bool (*fragment)(void *context, struct fragment *fragment, GError **error);
    /*
     * An XA COMMIT whose XA PREPARE was not seen: it was before the position, so
     * its rows, if any, are not in the stream. True when that is no loss: every
     * chunk sees them that is pinned from now on, and those that were pinned before
     * cannot have missed any (none was; or what was prepared when the move's first
     * position was taken had ended before the first one).
     * NULL stands for a refusal (MT_ERROR_DATA, naming the xid).
     */
    bool (*unknown_xa_commit)(void *context, uint64_t seq, const char *xid, GError **error);
};

struct assembler_options {
    GPtrArray *moved_tables;  /* struct moved_table; borrowed, read-only */
    size_t fragment_bytes;    /* a fragment is handed over when it reaches this */
    const char *rename_token; /* a RENAME that contains this comment is our own: no DDL; borrowed */
    bool fold_case; /* the source has lower_case_table_names; stream_start() asks for it itself */
};

struct assembler;

struct assembler *assembler_new(const struct assembler_options *options,
                                const struct transaction_sink *sink);
void assembler_free(struct assembler *assembler);

/*
 * One event as it came: common header, body, and checksum when the format
 * description says so (verified here). Handles FORMAT_DESCRIPTION, ROTATE, GTID,
 * GTID_TAGGED, ANONYMOUS (refused), PREVIOUS_GTIDS, QUERY, XID, XA_PREPARE,
 * TABLE_MAP, rows v1/v2, TRANSACTION_PAYLOAD, HEARTBEAT v1/v2, INCIDENT (refused),
 * PARTIAL_UPDATE_ROWS (refused), LOAD DATA statement events and statement-format
 * changes of moved tables (refused by name), everything else as its flags tell.
 *
 * Errors name the binlog file, the position and the transaction. MT_ERROR_DATA:
 * it cannot be applied, or is malformed. MT_ERROR_SOURCE: a wrong checksum, or a
 * transaction that does not end: reading it once more may help. The sink's own
 * errors come back as they are. After an error only assembler_reset() helps.
 */
G_GNUC_WARN_UNUSED_RESULT bool assembler_feed(struct assembler *assembler, const uint8_t *event,
                                              size_t length, GError **error);

/* Forgets a transaction that did not end: called before the stream reconnects.
 * The sink is not told; its fragments handed over so far stay unfinished. */
void assembler_reset(struct assembler *assembler);

#endif
