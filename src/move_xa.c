/*
 * XA transactions that were prepared before the move's first position.
 *
 * A transaction that is prepared on the source is in gtid_executed, but shows its rows only with
 * its XA COMMIT. If the XA PREPARE is within the first position, its rows are not in the stream, and
 * a chunk that is pinned before the XA COMMIT does not see them. So before the first chunk every
 * transaction that was prepared then must have ended: its rows, if it has any, are what chunks see.
 *
 * From then on an XA COMMIT whose XA PREPARE was not sent is of one of those, or of one without rows
 * of moved tables that an earlier run saw (one with such rows is not in the stored position until it
 * ends, and is sent again). Neither is a loss. This must be known of the *first* position, so it is
 * stored with the move as `xa_clean`.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "move_int.h"
#include "schema/prepared_xa.h"

/* An XA PREPARE is in gtid_executed a moment before XA RECOVER shows it. */
#define SETTLE_MS 500
#define POLL_MS 200
/* What is prepared is normally committed within milliseconds. All our connections are silent
 * meanwhile, and have a wait_timeout of 60 s. */
#define WAIT_S 30

static bool
pause_ms(struct move *move, int64_t ms, GError **error)
{
    if (!stop_wait_ms(ms))
        return true;
    move_why_stopped(move, error);
    return false;
}

static const char *
place(const struct move *move)
{
    const struct endpoint *endpoint = move->reader.endpoint;
    return endpoint->host != NULL ? endpoint->host : endpoint->socket;
}

static bool
go_on_without(const struct move *move)
{
    log_warning(
        "move",
        log_msg("XA RECOVER is not allowed: should an XA COMMIT come whose XA PREPARE was before "
                "this move, the run will end; where XA is not in use, this means nothing"),
        log_str("host", place(move)),
        log_str("cure", "GRANT XA_RECOVER_ADMIN ON *.* to the move's user, run --fresh"));
    return true;
}

static bool
refuse(const struct move *move, const GPtrArray *xids, GError **error)
{
    g_autofree char *names = prepared_xa_names(xids);
    g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT,
                "XA transactions are still prepared on %s after %d s, and what they changed could "
                "neither be copied nor come with the stream: %s; XA COMMIT or XA ROLLBACK them "
                "there, then run again; nothing was changed",
                place(move), WAIT_S, names);
    return false;
}

/* *ret_clean: those of the list have ended. False in it: it may no longer be asked. */
static bool
wait_for_end(struct move *move, GPtrArray *xids, bool *ret_clean, GError **error)
{
    int64_t deadline_us = clock_monotonic_us() + INT64_C(1000000) * WAIT_S;
    while (xids->len > 0) {
        if (clock_monotonic_us() > deadline_us)
            return refuse(move, xids, error);
        g_autoptr(GPtrArray) present = NULL;
        if (!pause_ms(move, POLL_MS, error) ||
            !prepared_xa_list(move->reader_conn, &present, error))
            return false;
        if (present == NULL)
            return true;
        prepared_xa_keep(xids, present);
    }
    *ret_clean = true;
    return true;
}

bool
move_xa_settle(struct move *move, GError **error)
{
    g_autoptr(GPtrArray) xids = NULL;
    if (!pause_ms(move, SETTLE_MS, error) || !prepared_xa_list(move->reader_conn, &xids, error))
        return false;
    if (xids == NULL)
        return go_on_without(move);
    if (xids->len > 0) {
        g_autofree char *names = prepared_xa_names(xids);
        log_info("move", log_msg("waiting for prepared XA transactions to end"),
                 log_int("wait_s", WAIT_S), log_str("xids", names));
    }
    bool clean = false;
    if (!wait_for_end(move, xids, &clean, error))
        return false;
    if (!clean)
        return go_on_without(move);
    /* Chunks will show the rows of those that were committed. A server that does not have them yet,
     * to which `read_from` may be changed, must not be read. */
    g_free(move->state->horizon);
    move->state->horizon = NULL;
    if (!conn_query_value(move->reader_conn, "SELECT @@GLOBAL.gtid_executed", &move->state->horizon,
                          error))
        return false;
    g_strdelimit(move->state->horizon, "\n", ' ');
    move->state->xa_clean = true;
    failpoint_reach(FAILPOINT_XA_SETTLED);
    return true;
}

bool
move_xa_unknown_accept(void *inbox, uint64_t seq, const char *xid, GError **error)
{
    (void)inbox;
    (void)seq;
    (void)error;
    log_debug("stream", log_msg("XA COMMIT of a transaction that does not concern the stream"),
              log_str("xid", xid));
    return true;
}

bool
move_xa_unknown_refuse(void *inbox, uint64_t seq, const char *xid, GError **error)
{
    (void)inbox;
    (void)seq;
    g_set_error(
        error, MT_ERROR, MT_ERROR_DATA,
        "XA COMMIT of %s, which was prepared before the position from which this run reads: "
        "whether it changed moved tables before this move began is not known, because XA "
        "RECOVER was not allowed then; GRANT XA_RECOVER_ADMIN ON *.* to the move's user on "
        "the server that is read, then `run --fresh`",
        xid);
    return false;
}
