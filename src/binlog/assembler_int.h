/*
 * The assembler's parts: transaction.c frames transactions, row_changes.c
 * follows the rows within one.
 */
#ifndef BINLOG_ASSEMBLER_INT_H
#define BINLOG_ASSEMBLER_INT_H

#include "binlog/event.h"
#include "binlog/fragment_int.h"
#include "binlog/moved_names.h"
#include "binlog/payload.h"
#include "binlog/transaction.h"
#include "binlog/xa_int.h"

enum group {
    GROUP_NONE,       /* between transactions */
    GROUP_OPENED,     /* the GTID was seen: BEGIN, XA START, or one statement follows */
    GROUP_STATEMENTS, /* after BEGIN, to XID, COMMIT or ROLLBACK */
    GROUP_XA,         /* after XA START, to XA_PREPARE */
};

/* The transaction being received. */
struct group_state {
    enum group group;
    struct event_gtid head;
    uint64_t seq;
    uint64_t changes;          /* rows of moved tables so far */
    struct xa_transaction *xa; /* GROUP_XA: where the fragments are kept */
    struct gtid prepared;      /* the XA PREPARE that ends with this one; number 0: none */
};

/* A TABLE_MAP of the statement being received. */
struct mapped_table {
    uint64_t table_id;
    int index; /* of the moved table, or MOVED_NONE */
};

struct assembler {
    struct assembler_options options;
    struct transaction_sink sink;
    struct moved_names *names;
    struct row_layout **layouts; /* by table index; made at the first TABLE_MAP */
    struct payload_reader *payload;
    struct xa_store *prepared;
    bool crc32;

    struct group_state state;
    struct fragment_builder builder;
    GArray *maps;           /* struct mapped_table, of this statement */
    GHashTable *savepoints; /* name → changes before it, as far as there were any */

    GString *file;          /* the source's binlog file, for messages */
    uint32_t position;      /* where the event being fed begins */
    uint32_t next_position; /* where the one behind it begins */
    bool sink_failed;       /* the error is the sink's own: nothing is added to it */
};

/* Hands a finished or full fragment to the sink, or keeps it when the transaction is an XA one. */
G_GNUC_WARN_UNUSED_RESULT bool assembler_hand_over(struct assembler *assembler, bool last,
                                                   GError **error);

/* "`shop`.`orders`". Caller frees. */
char *assembler_table_name(const struct assembler *assembler, int table);

/* TABLE_MAP and rows events: body without checksum. */
G_GNUC_WARN_UNUSED_RESULT bool assembler_feed_table_map(struct assembler *assembler,
                                                        struct cursor body, GError **error);
G_GNUC_WARN_UNUSED_RESULT bool assembler_feed_rows(struct assembler *assembler, uint8_t type,
                                                   struct cursor body, GError **error);

/* QUERY and EXECUTE_LOAD_QUERY: statements that frame transactions, and the others. */
G_GNUC_WARN_UNUSED_RESULT bool assembler_feed_query(struct assembler *assembler, uint8_t type,
                                                    struct cursor body, GError **error);

/* The transaction ends here, its rows count. */
G_GNUC_WARN_UNUSED_RESULT bool assembler_complete(struct assembler *assembler, GError **error);

/* Puts the state between two transactions. */
void assembler_end_group(struct assembler *assembler);

#endif
