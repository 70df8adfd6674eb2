/* AUTO_INCREMENT: the target goes on counting where the source stopped. */
#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "cutover/steps_int.h"
#include "mysql/quote.h"

#define RAISE_PAUSE_MS 100

/* The target's next value; 0 when it cannot be told. */
static bool
target_value(struct conn *conn, const struct moved_table *table, uint64_t *ret_value,
             GError **error)
{
    g_autofree char *schema = quoted_string(table->to_schema);
    g_autofree char *name = quoted_string(table->to_table);
    g_autoptr(result)
        found = conn_queryf(conn, error,
                            "SELECT AUTO_INCREMENT AS n FROM information_schema.TABLES WHERE "
                            "TABLE_SCHEMA=%s AND TABLE_NAME=%s",
                            schema, name);
    if (found == NULL)
        return false;
    *ret_value = result_rows(found) > 0 ? result_uint(found, 0, "n") : 0;
    return true;
}

/* A server may take the ALTER, and count from elsewhere: no fault of the data, but the application's
 * next row may get a number that it has given before. */
static bool
check_raised(struct conn *conn, const struct moved_table *table, uint64_t value, GError **error)
{
    uint64_t present;
    if (!target_value(conn, table, &present, error))
        return false;
    g_autofree char *name = quoted_table(table->to_schema, table->to_table);
    g_autofree char *wanted = g_strdup_printf("%" G_GUINT64_FORMAT, value);
    g_autofree char *found = g_strdup_printf("%" G_GUINT64_FORMAT, present);
    if (present < value)
        log_warning("cutover",
                    log_msg("AUTO_INCREMENT of the target table is lower than the source's: see "
                            "ALTER TABLE ... AUTO_INCREMENT"),
                    log_str("table", name), log_str("source", wanted), log_str("target", found));
    return true;
}

static bool
raise_table(struct conn *conn, const struct moved_table *table, uint64_t value, GError **error)
{
    uint64_t present;
    if (!target_value(conn, table, &present, error))
        return false;
    if (present >= value)
        return true;
    g_autofree char *name = quoted_table(table->to_schema, table->to_table);
    log_debug("cutover", log_msg("AUTO_INCREMENT carried over"), log_str("table", table->to_table),
              log_int("value", (int64_t)value));
    g_autofree char *sql = g_strdup_printf("SET SESSION lock_wait_timeout = 1;"
                                           "ALTER TABLE %s AUTO_INCREMENT = %" G_GUINT64_FORMAT,
                                           name, value);
    return conn_exec_at(conn, sql, FAILPOINT_AUTO_INCREMENT_SENT, error) &&
           check_raised(conn, table, value, error);
}

/* Somebody's open transaction on the target table holds ALTER up, and ALTER holds up the applier:
 * it waits for a second at a time, and no longer than the drain may last. */
static bool
raise_before(struct conn *conn, const struct moved_table *table, uint64_t value,
             int64_t deadline_us, GError **error)
{
    for (;;) {
        g_autoptr(GError) failure = NULL;
        if (raise_table(conn, table, value, &failure))
            return true;
        bool busy = g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_BUSY);
        if (busy && clock_monotonic_us() < deadline_us && !stop_wait_ms(RAISE_PAUSE_MS))
            continue;
        if (busy)
            g_set_error(error, MT_ERROR, stop_requested() ? MT_ERROR_STOPPED : MT_ERROR_CUTOVER,
                        "AUTO_INCREMENT of target table %s.%s could not be raised: a transaction "
                        "on the target uses the table; end it, then cut over again (%s)",
                        table->to_schema, table->to_table, failure->message);
        else
            g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
}

static bool
any_auto_increment(const GPtrArray *tables)
{
    for (guint i = 0; i < tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(tables, i);
        for (unsigned c = 0; c < table->source->columns->len; c++)
            if (table_column(table->source, c)->auto_increment)
                return true;
    }
    return false;
}

/* Under the lease's DDL lock: a runner that was overtaken must not alter the target. */
static bool
raise_tables(struct cutover *cutover, const uint64_t *values, int64_t deadline_us, GError **error)
{
    bool raised = cutover_open_connections(cutover, deadline_us, error) &&
                  lease_ddl_begin(cutover->lease, &cutover->target_conn, error);
    for (guint i = 0; raised && i < cutover->moved_tables->len; i++)
        raised = values[i] == 0 ||
                 raise_before(cutover->target_conn, g_ptr_array_index(cutover->moved_tables, i),
                              values[i], deadline_us, error);
    lease_ddl_end(cutover->lease, cutover->target_conn);
    return raised;
}

/* The connections were opened before the RENAME, which may have waited for longer than the server
 * keeps a silent one; and the target may be restarted in between. */
static bool
raise_tables_retrying(struct cutover *cutover, const uint64_t *values, int64_t deadline_us,
                      GError **error)
{
    for (;;) {
        g_autoptr(GError) failure = NULL;
        if (raise_tables(cutover, values, deadline_us, &failure))
            return true;
        if (!g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST) ||
            clock_monotonic_us() >= deadline_us || stop_wait_ms(RAISE_PAUSE_MS)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        log_info("cutover", log_msg("connection lost while AUTO_INCREMENT is carried over; again"),
                 log_str("error", failure->message));
        /* The session may live on where the loss was not heard of, and holds the DDL lock: it is
         * ended before the lock is asked for again. */
        if (cutover->target_conn != NULL)
            conn_break(cutover->target_conn);
    }
}

bool
cutover_carry_auto_increment(struct cutover *cutover, int64_t deadline_us, GError **error)
{
    GPtrArray *tables = cutover->moved_tables;
    if (!any_auto_increment(tables))
        return true;
    g_autofree uint64_t *values = g_new0(uint64_t, tables->len);
    return renamer_auto_increments(cutover->renamer, tables, values, error) &&
           raise_tables_retrying(cutover, values, deadline_us, error);
}
