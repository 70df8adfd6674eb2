#include "binlog/xa_int.h"

struct xa_store {
    GHashTable *by_xid;   /* char * → struct xa_transaction */
    GHashTable *harmless; /* char * */
    size_t bytes;
};

static void
free_fragment(void *fragment)
{
    fragment_free(fragment);
}

static void
free_transaction(void *transaction)
{
    xa_transaction_free(transaction);
}

struct xa_transaction *
xa_transaction_new(const struct gtid *gtid)
{
    struct xa_transaction *transaction = g_new0(struct xa_transaction, 1);
    transaction->gtid = *gtid;
    transaction->fragments = g_ptr_array_new_with_free_func(free_fragment);
    return transaction;
}

void
xa_transaction_free(struct xa_transaction *transaction)
{
    if (transaction == NULL)
        return;
    g_ptr_array_unref(transaction->fragments);
    g_free(transaction);
}

struct xa_store *
xa_store_new(void)
{
    struct xa_store *store = g_new0(struct xa_store, 1);
    store->by_xid = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_transaction);
    store->harmless = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return store;
}

void
xa_store_free(struct xa_store *store)
{
    if (store == NULL)
        return;
    g_hash_table_unref(store->by_xid);
    g_hash_table_unref(store->harmless);
    g_free(store);
}

void
xa_store_put(struct xa_store *store, char *xid, struct xa_transaction *transaction)
{
    /* The server has no two of one xid at a time. If it lost the first one in a crash, that one
     * will never be committed: its GTID stays incomplete, its rows are nobody's. */
    const struct xa_transaction *lost = g_hash_table_lookup(store->by_xid, xid);
    if (lost != NULL)
        store->bytes -= lost->bytes;
    store->bytes += transaction->bytes;
    g_hash_table_replace(store->by_xid, xid, transaction);
}

struct xa_transaction *
xa_store_take(struct xa_store *store, const char *xid, size_t length)
{
    g_autofree char *wanted = g_strndup(xid, length);
    void *key = NULL;
    void *value = NULL;
    if (!g_hash_table_steal_extended(store->by_xid, wanted, &key, &value))
        return NULL;
    g_free(key);
    struct xa_transaction *transaction = value;
    store->bytes -= transaction->bytes;
    return transaction;
}

void
xa_store_put_harmless(struct xa_store *store, char *xid)
{
    g_hash_table_add(store->harmless, xid);
}

bool
xa_store_take_harmless(struct xa_store *store, const char *xid, size_t length)
{
    g_autofree char *wanted = g_strndup(xid, length);
    return g_hash_table_remove(store->harmless, wanted);
}

size_t
xa_store_bytes(const struct xa_store *store)
{
    return store->bytes;
}

void
xa_store_clear(struct xa_store *store)
{
    g_hash_table_remove_all(store->by_xid);
    store->bytes = 0;
}
