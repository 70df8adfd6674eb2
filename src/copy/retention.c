#include "copy/retention.h"

#include "base/clock.h"
#include "base/log.h"
#include "mysql/quote.h"

#define LOOK_EVERY_US (10 * G_USEC_PER_SEC)

static const char cure[] =
    "SET GLOBAL binlog_expire_logs_auto_purge = OFF on the server that is read from, or raise "
    "binlog_expire_logs_seconds there, until the move is ready; or stop the run, and raise "
    "innodb_online_alter_log_max_size on the target if its indexes are built without changes being "
    "applied";

unsigned
retention_fifths(int64_t lag_ms, int64_t kept_s)
{
    if (lag_ms < 0 || kept_s <= 0)
        return 0;
    return (unsigned)MIN(lag_ms / (kept_s * 200), 1000);
}

/* 0: binlogs are not purged by age. */
static bool
read_kept(struct conn *conn, int64_t *ret_seconds, GError **error)
{
    /* Before 8.0.29 there is no binlog_expire_logs_auto_purge. */
    g_autoptr(result)
        rows = conn_query(conn, "SHOW GLOBAL VARIABLES LIKE 'binlog\\_expire\\_logs\\_%'", error);
    if (rows == NULL)
        return false;
    *ret_seconds = 0;
    bool purged = true;
    for (size_t i = 0; i < result_rows(rows); i++) {
        const char *name = result_at(rows, i, 0);
        const char *value = result_at(rows, i, 1);
        if (g_strcmp0(name, "binlog_expire_logs_seconds") == 0)
            *ret_seconds = g_ascii_strtoll(value, NULL, 10);
        else if (g_strcmp0(name, "binlog_expire_logs_auto_purge") == 0)
            purged = g_strcmp0(value, "OFF") != 0;
    }
    if (!purged)
        *ret_seconds = 0;
    return true;
}

static bool
read_purged(const struct retention *retention, bool *ret_purged, GError **error)
{
    g_autofree char *position = applier_position_text(retention->applier);
    g_autofree char *quoted = quoted_string(position);
    g_autoptr(result) row = conn_queryf(
        retention->conn, error, "SELECT GTID_SUBSET(@@GLOBAL.gtid_purged, %s) AS held", quoted);
    if (row == NULL)
        return false;
    *ret_purged = result_int(row, 0, "held") == 0;
    return true;
}

static void
warn(struct retention *retention, int64_t lag_ms, int64_t kept_s, bool purged)
{
    unsigned fifths = retention_fifths(lag_ms, kept_s);
    if (fifths > retention->told)
        log_warning("copy",
                    log_msg("changes wait to be applied while indexes are built, and the binlogs "
                            "that hold them are kept for a limited time"),
                    log_int("lag_s", lag_ms / 1000), log_int("binlogs_kept_s", kept_s),
                    log_int("percent", lag_ms / (kept_s * 10)), log_str("cure", cure));
    retention->told = fifths; /* once more when it has fallen and grows again */
    if (purged && !retention->told_purged)
        log_warning("copy",
                    log_msg("binlogs were purged that hold changes not applied yet: this run has "
                            "them or is reading them, but a new run, or a stream that is "
                            "interrupted, cannot read them again"),
                    log_int("lag_s", lag_ms / 1000), log_str("cure", cure));
    retention->told_purged = purged;
}

static bool
look(struct retention *retention, GError **error)
{
    int64_t kept_s;
    bool purged;
    if (!conn_ensure(&retention->conn, &retention->reader, "binlog retention", false, error) ||
        !read_kept(retention->conn, &kept_s, error) || !read_purged(retention, &purged, error))
        return false;
    warn(retention, applier_lag_ms(retention->applier), kept_s, purged);
    return true;
}

void
retention_look(struct retention *retention)
{
    g_autoptr(GError) trouble = NULL;
    int64_t now_us = clock_monotonic_us();
    if (now_us < retention->due_us)
        return;
    retention->due_us = now_us + LOOK_EVERY_US;
    if (look(retention, &trouble))
        return;
    log_debug("copy", log_msg("binlog retention not seen"), log_str("error", trouble->message));
    g_clear_pointer(&retention->conn, conn_close);
}

void
retention_clear(struct retention *retention)
{
    g_clear_pointer(&retention->conn, conn_close);
}
