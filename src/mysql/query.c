/* Statements and results. */
#include "mysql/conn.h"

#include <string.h>

#include "base/error.h"
#include "mysql/conn_int.h"

struct result {
    MYSQL_RES *rows;
    MYSQL_FIELD *fields; /* borrowed from rows */
    unsigned columns;
};

static void
note_outcome(struct conn *conn)
{
    conn->affected_rows = mysql_affected_rows(conn->handle);
    conn->warnings = mysql_warning_count(conn->handle);
}

/* Runs the statements and reads every result; the last one that has rows goes to *ret_last. */
static bool
run_all(struct conn *conn, const char *sql, size_t length, MYSQL_RES **ret_last, GError **error)
{
    g_return_val_if_fail(conn->streaming == NULL, false);
    conn->last_errno = 0;
    MYSQL_RES *last = NULL;
    int status = mysql_real_query(conn->handle, sql, length);
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
        conn_fail(conn, sql, error);
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
    return run_all(conn, sql, length, NULL, error);
}

bool
conn_exec(struct conn *conn, const char *sql, GError **error)
{
    return run_all(conn, sql, strlen(sql), NULL, error);
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
    MYSQL_RES *rows = NULL;
    if (!run_all(conn, sql, strlen(sql), &rows, error))
        return NULL;
    if (rows == NULL) {
        conn_fail_with(conn, 0, "the statement gave no rows", sql, error);
        return NULL;
    }
    struct result *result = g_new0(struct result, 1);
    result->rows = rows;
    result->fields = mysql_fetch_fields(rows);
    result->columns = mysql_num_fields(rows);
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

bool
result_has(const struct result *result, const char *name)
{
    return column_of(result, name) >= 0;
}

const char *
result_at(const struct result *result, size_t row, size_t column)
{
    if (column >= result->columns || row >= result_rows(result))
        return NULL;
    mysql_data_seek(result->rows, row);
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

/* --- row by row ------------------------------------------------------------------------- */

bool
conn_rows_begin(struct conn *conn, const char *sql, size_t length, GError **error)
{
    g_return_val_if_fail(conn->streaming == NULL, false);
    conn->last_errno = 0;
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
