/* Is this a server from which the stream can go on? */
#include "binlog/stream.h"

#include <string.h>

#include "base/error.h"
#include "mysql/quote.h"

/* How long a server may take to make visible what was read from its binlog, or
 * from the binlog of the server that it took over from. */
#define VISIBLE_WAIT_S 10
#define NAMED_BYTES_MAX 400

/* "3 transactions (uuid:4-6)". Caller frees. */
static char *
describe(const struct gtid_set *set)
{
    g_autofree char *text = gtid_set_to_string(set);
    size_t length = strlen(text);
    uint64_t count = gtid_set_count(set);
    return g_strdup_printf("%" G_GUINT64_FORMAT " transaction%s (%.*s%s)", count,
                           count == 1 ? "" : "s", (int)MIN(length, (size_t)NAMED_BYTES_MAX), text,
                           length > NAMED_BYTES_MAX ? "…" : "");
}

static char *
place(struct conn *conn)
{
    const struct endpoint *endpoint = conn_server(conn)->endpoint;
    return endpoint->socket != NULL ? g_strdup(endpoint->socket)
                                    : g_strdup_printf("%s:%u", endpoint->host, endpoint->port);
}

static bool
check_mode(struct conn *conn, const char *mode, GError **error)
{
    if (g_strcmp0(mode, "ON") == 0)
        return true;
    g_autofree char *host = place(conn);
    g_set_error(error, MT_ERROR, MT_ERROR_SOURCE,
                "source %s has gtid_mode=%s: its binlog cannot be followed by GTID; set "
                "gtid_mode=ON",
                host, mode);
    return false;
}

/* The dump would leave out what was purged without a word, or end with an error of its own. */
static bool
check_purged(struct conn *conn, const struct gtid_set *purged, const struct gtid_set *position,
             GError **error)
{
    g_autoptr(gtid_set) missing = gtid_set_subtract(purged, position);
    if (gtid_set_is_empty(missing))
        return true;
    g_autofree char *host = place(conn);
    g_autofree char *what = describe(missing);
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                "position purged: source %s has purged binlogs with %s that were not applied yet; "
                "start again with --fresh, and keep binlogs for longer than a move takes "
                "(binlog_expire_logs_seconds). An XA transaction that stays prepared holds the "
                "position, too: XA RECOVER shows them",
                host, what);
    return false;
}

/*
 * What of `wanted` the server has not, and does not get within the wait either:
 * a transaction can be read from the binlog before it is in gtid_executed.
 */
static struct gtid_set *
find_lacking(struct conn *conn, const struct gtid_set *executed, const struct gtid_set *wanted,
             GError **error)
{
    g_autoptr(gtid_set) lacking = gtid_set_subtract(wanted, executed);
    if (gtid_set_is_empty(lacking))
        return g_steal_pointer(&lacking);
    g_autofree char *text = gtid_set_to_string(lacking);
    bool executed_in_time;
    if (!conn_wait_executed(conn, text, VISIBLE_WAIT_S, &executed_in_time, error))
        return NULL;
    if (executed_in_time)
        return gtid_set_new();
    g_autofree char *now = NULL;
    if (!conn_query_value(conn, "SELECT @@GLOBAL.gtid_executed", &now, error))
        return NULL;
    g_autoptr(gtid_set) executed_now = gtid_set_parse(now, error);
    return executed_now != NULL ? gtid_set_subtract(lacking, executed_now) : NULL;
}

static bool
check_position(struct conn *conn, const struct gtid_set *executed, const struct gtid_set *position,
               GError **error)
{
    g_autoptr(gtid_set) lacking = find_lacking(conn, executed, position, error);
    if (lacking == NULL)
        return false;
    if (gtid_set_is_empty(lacking))
        return true;
    g_autofree char *host = place(conn);
    g_autofree char *what = describe(lacking);
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                "source %s does not have %s that the move has read already. A replica that is "
                "behind: let it catch up, then run again. Otherwise it is not the server that the "
                "move started on, or it lost transactions: name the right server, or start again "
                "with --fresh",
                host, what);
    return false;
}

static bool
check_horizon(struct conn *conn, const struct gtid_set *executed, const struct gtid_set *horizon,
              GError **error)
{
    g_autoptr(gtid_set) lacking = find_lacking(conn, executed, horizon, error);
    if (lacking == NULL)
        return false;
    if (gtid_set_is_empty(lacking))
        return true;
    g_autofree char *host = place(conn);
    g_autofree char *what = describe(lacking);
    g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                "source %s does not have %s that the target may already show. A replica that is "
                "behind: let it catch up, then run again. A failover to a server that never got "
                "them, or a crash without sync_binlog=1: they are lost, start again with --fresh",
                host, what);
    return false;
}

bool
stream_check_position(struct conn *conn, const struct gtid_set *position,
                      const struct gtid_set *horizon, GError **error)
{
    g_autoptr(result) row = conn_query(conn,
                                       "SELECT @@GLOBAL.gtid_mode AS mode,"
                                       " @@GLOBAL.gtid_purged AS purged,"
                                       " @@GLOBAL.gtid_executed AS executed",
                                       error);
    if (row == NULL || !check_mode(conn, result_get(row, 0, "mode"), error))
        return false;
    g_autoptr(gtid_set) purged = gtid_set_parse(result_get(row, 0, "purged"), error);
    if (purged == NULL)
        return false;
    g_autoptr(gtid_set) executed = gtid_set_parse(result_get(row, 0, "executed"), error);
    if (executed == NULL)
        return false;
    /* The position first: when the server is another one, everything else is wrong, too. */
    return check_position(conn, executed, position, error) &&
           check_purged(conn, purged, position, error) &&
           (horizon == NULL || check_horizon(conn, executed, horizon, error));
}
