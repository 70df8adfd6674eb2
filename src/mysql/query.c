/* Statements and results. */
#include "mysql/conn.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/stop.h"
#include "mysql/conn_int.h"

struct result {
    MYSQL_RES *rows;
    MYSQL_FIELD *fields; /* borrowed from rows */
    unsigned columns;
    /* Where each row is: rows are a list, and seeking by number would walk it for every value. */
    MYSQL_ROW_OFFSET *places;
};

static void
note_outcome(struct conn *conn)
{
    conn->affected_rows = mysql_affected_rows(conn->handle);
    conn->warnings = mysql_warning_count(conn->handle);
}

/* What is sent together. */
struct statements {
    const char *sql;
    size_t length;
    enum failpoint sent; /* reached between sending and the first answer */
};

/* The same as mysql_real_query(), in its two halves. */
static int
send_and_wait(MYSQL *handle, const struct statements *statements)
{
    if (mysql_send_query(handle, statements->sql, statements->length) != 0)
        return 1;
    failpoint_reach(statements->sent);
    return mysql_read_query_result(handle) ? 1 : 0;
}

/* Runs the statements and reads every result; the last one that has rows goes to *ret_last. */
static bool
run_all(struct conn *conn, const struct statements *statements, MYSQL_RES **ret_last,
        GError **error)
{
    g_return_val_if_fail(conn->streaming == NULL, false);
    conn->last_errno = 0;
    conn->asked_us = clock_monotonic_us();
    MYSQL_RES *last = NULL;
    int status = send_and_wait(conn->handle, statements);
    while (status == 0) {
        MYSQL_RES *rows = mysql_store_result(conn->handle);
        if (rows == NULL && mysql_errno(conn->handle) != 0) {
            status = 1;
            break;
        }
        note_outcome(conn);
        if (rows != NULL) {
            mysql_free_result(last);
            last = rows;
        }
        status = mysql_next_result(conn->handle);
    }
    if (status > 0) {
        conn_fail(conn, statements->sql, error);
        mysql_free_result(last);
        return false;
    }
    if (ret_last != NULL)
        *ret_last = last;
    else
        mysql_free_result(last);
    return true;
}

bool
conn_exec_bytes(struct conn *conn, const char *sql, size_t length, GError **error)
{
    const struct statements statements = {sql, length, FAILPOINT_NONE};
    return run_all(conn, &statements, NULL, error);
}

bool
conn_exec_at(struct conn *conn, const char *sql, enum failpoint sent, GError **error)
{
    const struct statements statements = {sql, strlen(sql), sent};
    return run_all(conn, &statements, NULL, error);
}

bool
conn_exec(struct conn *conn, const char *sql, GError **error)
{
    return conn_exec_at(conn, sql, FAILPOINT_NONE, error);
}

bool
conn_execf(struct conn *conn, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sql = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return conn_exec(conn, sql, error);
}

struct result *
conn_query(struct conn *conn, const char *sql, GError **error)
{
    return conn_query_at(conn, sql, FAILPOINT_NONE, error);
}

struct result *
conn_query_at(struct conn *conn, const char *sql, enum failpoint sent, GError **error)
{
    MYSQL_RES *rows = NULL;
    const struct statements statements = {sql, strlen(sql), sent};
    if (!run_all(conn, &statements, &rows, error))
        return NULL;
    if (rows == NULL) {
        conn_fail_with(conn, 0, "the statement gave no rows", sql, error);
        return NULL;
    }
    struct result *result = g_new0(struct result, 1);
    result->rows = rows;
    result->fields = mysql_fetch_fields(rows);
    result->columns = mysql_num_fields(rows);
    result->places = g_new(MYSQL_ROW_OFFSET, mysql_num_rows(rows));
    for (uint64_t i = 0; i < mysql_num_rows(rows); i++) {
        result->places[i] = mysql_row_tell(rows);
        (void)mysql_fetch_row(rows);
    }
    return result;
}

struct result *
conn_queryf(struct conn *conn, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sql = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return conn_query(conn, sql, error);
}

void
result_free(struct result *result)
{
    if (result == NULL)
        return;
    mysql_free_result(result->rows);
    g_free(result->places);
    g_free(result);
}

size_t
result_rows(const struct result *result)
{
    return mysql_num_rows(result->rows);
}

static int
column_of(const struct result *result, const char *name)
{
    for (unsigned i = 0; i < result->columns; i++)
        if (g_ascii_strcasecmp(result->fields[i].name, name) == 0)
            return (int)i;
    return -1;
}

const char *
result_at(const struct result *result, size_t row, size_t column)
{
    if (column >= result->columns || row >= result_rows(result))
        return NULL;
    mysql_row_seek(result->rows, result->places[row]);
    MYSQL_ROW values = mysql_fetch_row(result->rows);
    return values[column];
}

const char *
result_get(const struct result *result, size_t row, const char *name)
{
    int column = column_of(result, name);
    return column < 0 ? NULL : result_at(result, row, (size_t)column);
}

size_t
result_length(const struct result *result, size_t row, const char *name)
{
    int column = column_of(result, name);
    if (column < 0 || result_at(result, row, (size_t)column) == NULL)
        return 0;
    return mysql_fetch_lengths(result->rows)[column];
}

int64_t
result_int(const struct result *result, size_t row, const char *name)
{
    const char *text = result_get(result, row, name);
    return text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
}

uint64_t
result_uint(const struct result *result, size_t row, const char *name)
{
    const char *text = result_get(result, row, name);
    return text != NULL ? g_ascii_strtoull(text, NULL, 10) : 0;
}

bool
conn_query_value(struct conn *conn, const char *sql, char **ret_value, GError **error)
{
    g_autoptr(result) result = conn_query(conn, sql, error);
    if (result == NULL)
        return false;
    *ret_value = g_strdup(result_at(result, 0, 0));
    return true;
}

bool
conn_wait_executed(struct conn *conn, const char *gtids, unsigned timeout_s, bool *ret_executed,
                   GError **error)
{
    g_autofree char *sql = g_strdup_printf("SELECT WAIT_FOR_EXECUTED_GTID_SET('%s', 1) AS late",
                                           gtids);
    for (unsigned waited_s = 0; waited_s < timeout_s; waited_s++) {
        if (waited_s > 0 && stop_requested()) {
            g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED,
                                "stopped while waiting for transactions to become visible");
            return false;
        }
        g_autoptr(result) result = conn_query(conn, sql, error);
        if (result == NULL)
            return false;
        *ret_executed = result_int(result, 0, "late") == 0;
        if (*ret_executed)
            return true;
    }
    *ret_executed = false;
    return true;
}

/* --- row by row ------------------------------------------------------------------------- */

bool
conn_rows_begin(struct conn *conn, const char *sql, size_t length, GError **error)
{
    g_return_val_if_fail(conn->streaming == NULL, false);
    conn->last_errno = 0;
    conn->asked_us = clock_monotonic_us();
    if (mysql_real_query(conn->handle, sql, length) != 0) {
        conn_fail(conn, sql, error);
        return false;
    }
    conn->streaming = mysql_use_result(conn->handle);
    if (conn->streaming == NULL) {
        conn_fail(conn, sql, error);
        return false;
    }
    return true;
}

int
conn_row_next(struct conn *conn, char ***ret_values, unsigned long **ret_lengths, GError **error)
{
    MYSQL_ROW row = mysql_fetch_row(conn->streaming);
    if (row == NULL) {
        if (mysql_errno(conn->handle) != 0) {
            conn_fail(conn, "reading rows", error);
            return -1;
        }
        return 0;
    }
    *ret_values = row;
    *ret_lengths = mysql_fetch_lengths(conn->streaming);
    return 1;
}

void
conn_rows_end(struct conn *conn)
{
    mysql_free_result(conn->streaming);
    conn->streaming = NULL;
}

bool
conn_load_local(struct conn *conn, const char *sql, const char *bytes, size_t length,
                GError **error)
{
    conn->local_file = (struct local_file){.bytes = bytes, .length = length};
    bool done = conn_exec(conn, sql, error);
    conn->local_file = (struct local_file){0};
    return done;
}
