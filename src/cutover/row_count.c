#include "cutover/row_count.h"

#include "mysql/quote.h"

struct row_count {
    struct applier *applier;
    guint tables;
    uint64_t *base;
};

static bool
begin_snapshot(void *context, GError **error)
{
    return conn_exec(context,
                     "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
                     "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
                     error);
}

static bool
count_tables(struct row_count *count, struct conn *conn, GPtrArray *moved_tables, GError **error)
{
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(moved_tables, i);
        g_autofree char *name = quoted_table(table->to_schema, table->to_table);
        g_autoptr(result) rows = conn_queryf(conn, error, "SELECT COUNT(*) AS n FROM %s", name);
        if (rows == NULL)
            return false;
        count->base[i] = result_uint(rows, 0, "n");
    }
    return conn_exec(conn, "COMMIT", error);
}

struct row_count *
row_count_new(const struct server *target, struct applier *applier, GPtrArray *moved_tables,
              GError **error)
{
    g_autoptr(conn) conn = conn_open_retrying(target, "row count", error);
    if (conn == NULL)
        return NULL;
    struct row_count *count = g_new0(struct row_count, 1);
    count->applier = applier;
    count->tables = moved_tables->len;
    count->base = g_new0(uint64_t, count->tables);
    if (!applier_between_batches(applier, begin_snapshot, conn, error) ||
        !count_tables(count, conn, moved_tables, error)) {
        row_count_free(count);
        return NULL;
    }
    return count;
}

void
row_count_free(struct row_count *count)
{
    if (count == NULL)
        return;
    g_free(count->base);
    g_free(count);
}

void
row_count_now(const struct row_count *count, uint64_t *ret_rows)
{
    g_autofree int64_t *deltas = g_new0(int64_t, count->tables);
    applier_row_deltas(count->applier, deltas);
    for (guint i = 0; i < count->tables; i++)
        ret_rows[i] = (uint64_t)((int64_t)count->base[i] + deltas[i]);
}
