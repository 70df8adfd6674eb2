/* XA transactions that were prepared and wait for their XA COMMIT or XA ROLLBACK. */
#ifndef BINLOG_XA_INT_H
#define BINLOG_XA_INT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "binlog/transaction.h"

struct xa_transaction {
    struct gtid gtid;     /* of the XA PREPARE */
    GPtrArray *fragments; /* struct fragment, in row order */
    size_t bytes;         /* what they cost */
};

struct xa_store;

struct xa_store *xa_store_new(void);
void xa_store_free(struct xa_store *store);

struct xa_transaction *xa_transaction_new(const struct gtid *gtid);
void xa_transaction_free(struct xa_transaction *transaction);

/* Keeps a prepared one under its xid, of which it takes ownership as of the transaction. */
void xa_store_put(struct xa_store *store, char *xid, struct xa_transaction *transaction);

/* Takes it out; NULL when there is none of this xid (not NUL-terminated). Caller frees. */
struct xa_transaction *xa_store_take(struct xa_store *store, const char *xid, size_t length);

/* Remembers an xid (of which it takes ownership) that was prepared without rows of moved tables. */
void xa_store_put_harmless(struct xa_store *store, char *xid);

/* Forgets such an xid; false when it is not one. */
bool xa_store_take_harmless(struct xa_store *store, const char *xid, size_t length);

/* What all of them cost in memory. */
size_t xa_store_bytes(const struct xa_store *store);

/* Drops what is held. The harmless ones stay: their XA PREPARE does not come again. */
void xa_store_clear(struct xa_store *store);

#endif
