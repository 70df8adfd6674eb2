/*
 * Connections: the only home of <mysql.h> besides binlog/stream.c.
 *
 * A conn belongs to one thread at a time. Every failing call sets an MT_ERROR
 * whose code tells the side at fault and whether trying again can help
 * (mt_error_is_transient); the message names host, purpose, statement's start
 * and the server's words. After a *_LOST error the connection is dead: close
 * it and open another.
 */
#ifndef MYSQL_CONN_H
#define MYSQL_CONN_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/failpoint.h"
#include "config/config.h"

enum side { SIDE_SOURCE, SIDE_TARGET };

/* "source" or "target". */
const char *side_name(enum side side);

/* Where to connect and how: shared by all connections of one side. Borrowed
 * pointers must outlive the connections. */
struct server {
    const struct endpoint *endpoint;
    enum side side;
    int64_t connect_timeout_s;
    int64_t retry_s;
    int64_t read_timeout_s; /* silence after which a connection counts as lost */
    int64_t lock_wait_s;    /* for a row of the target */
};

/* The sides of a config as servers; they borrow from the config. */
struct server server_of_source(const struct config *config); /* where RENAME runs */
struct server server_of_reader(const struct config *config); /* read_from, or the source */
struct server server_of_target(const struct config *config);

/* The same for a connection whose statements are all short: lost after 20 s of silence, or earlier
 * when the file says so. */
struct server server_quick(const struct server *server);
/* The same for a connection whose statements may take long (DDL, COUNT(*), the checks): five times
 * connect.read_timeout_s. */
struct server server_slow(const struct server *server);

struct conn;

/*
 * Opens a connection and sets the session that every statement relies on.
 *   source: UTC, character_set_results=binary (raw bytes), sql_mode fixed
 *   target: UTC, fixed strict sql_mode with NO_AUTO_VALUE_ON_ZERO and
 *           ALLOW_INVALID_DATES and no NO_ZERO_*, foreign_key_checks=0, short
 *           innodb_lock_wait_timeout, LOAD DATA LOCAL possible
 * `purpose` ("copy reader 2") is a literal or lives as long as the conn; it
 * appears in messages. One attempt; see conn_open_retrying().
 */
G_GNUC_WARN_UNUSED_RESULT struct conn *conn_open(const struct server *server, const char *purpose,
                                                 GError **error);

/* As conn_open(), trying again with back-off for server->retry_s while the
 * error is transient. A stop request ends it with MT_ERROR_STOPPED. */
G_GNUC_WARN_UNUSED_RESULT struct conn *conn_open_retrying(const struct server *server,
                                                          const char *purpose, GError **error);

/*
 * Makes *conn usable: opens it when it is NULL or broken (conn_break()), `patient` as
 * conn_open_retrying(). What was lost by silence alone the server may still be serving, with its
 * transaction's locks, until its own time-outs: that session is ended first. False: *conn as it was.
 */
G_GNUC_WARN_UNUSED_RESULT bool conn_ensure(struct conn **conn, const struct server *server,
                                           const char *purpose, bool patient, GError **error);
/* After a failure that left it unusable: conn_ensure() will open another one in its place. */
void conn_break(struct conn *conn);

/* Closes it; NULL is allowed. */
void conn_close(struct conn *conn);
STRUCT_AUTOPTR(conn, conn_close)

/* The server it was opened to. Borrowed. */
const struct server *conn_server(const struct conn *conn);

/* Runs one statement, or several separated by ';', whose results are thrown away. */
G_GNUC_WARN_UNUSED_RESULT bool conn_exec(struct conn *conn, const char *sql, GError **error);
G_GNUC_WARN_UNUSED_RESULT bool conn_exec_bytes(struct conn *conn, const char *sql, size_t length,
                                               GError **error);

/* As conn_exec with printf formatting. For numbers and already quoted text only. */
G_GNUC_WARN_UNUSED_RESULT bool conn_execf(struct conn *conn, GError **error, const char *format,
                                          ...) G_GNUC_PRINTF(3, 4);

/* As conn_exec(), reaching the point when the statements were sent and their answer was not read:
 * whoever dies there does not know whether they were executed. FAILPOINT_NONE: no point. */
G_GNUC_WARN_UNUSED_RESULT bool conn_exec_at(struct conn *conn, const char *sql, enum failpoint sent,
                                            GError **error);

/* Of the last statement. */
uint64_t conn_affected_rows(const struct conn *conn);
unsigned conn_warning_count(const struct conn *conn);
/* MySQL's error number of the last failure, 0 if none. */
unsigned conn_errno(const struct conn *conn);
uint64_t conn_thread_id(const struct conn *conn);

/* A whole result in memory: for metadata and checkpoints, never for row data. */
struct result;

/* Of several statements separated by ';': the last result. */
G_GNUC_WARN_UNUSED_RESULT struct result *conn_query(struct conn *conn, const char *sql,
                                                    GError **error);
/* As conn_query(), with a point as in conn_exec_at(). */
G_GNUC_WARN_UNUSED_RESULT struct result *conn_query_at(struct conn *conn, const char *sql,
                                                       enum failpoint sent, GError **error);
G_GNUC_WARN_UNUSED_RESULT struct result *conn_queryf(struct conn *conn, GError **error,
                                                     const char *format, ...) G_GNUC_PRINTF(3, 4);
void result_free(struct result *result);
STRUCT_AUTOPTR(result, result_free)

/* How many rows it has. */
size_t result_rows(const struct result *result);
/* The value of column `name` (case-insensitive); NULL when it is SQL NULL or the result has no
 * such column. Borrowed from the result. NUL-terminated. */
const char *result_get(const struct result *result, size_t row, const char *name);
const char *result_at(const struct result *result, size_t row, size_t column);
size_t result_length(const struct result *result, size_t row, const char *name);
/* As result_get, read as integer; 0 for NULL. */
int64_t result_int(const struct result *result, size_t row, const char *name);
uint64_t result_uint(const struct result *result, size_t row, const char *name);

/* First column of the first row; NULL in *ret_value when it is NULL or there is no row. Caller
 * frees. */
G_GNUC_WARN_UNUSED_RESULT bool conn_query_value(struct conn *conn, const char *sql,
                                                char **ret_value, GError **error);

/*
 * Waits until the server has executed a GTID set (as text), at most timeout_s. *ret_executed tells
 * whether it has. Asks anew every second: a dead connection or a stop request (MT_ERROR_STOPPED) is
 * noticed while it waits.
 */
G_GNUC_WARN_UNUSED_RESULT bool conn_wait_executed(struct conn *conn, const char *gtids,
                                                  unsigned timeout_s, bool *ret_executed,
                                                  GError **error);

/*
 * Row by row, without buffering the result (mysql_use_result): for chunks.
 * Between begin and end no other statement may run on the connection.
 * conn_row_next: 1 = a row (pointers valid until the next call), 0 = end, -1 = error.
 */
G_GNUC_WARN_UNUSED_RESULT bool conn_rows_begin(struct conn *conn, const char *sql, size_t length,
                                               GError **error);
int conn_row_next(struct conn *conn, char ***ret_values, unsigned long **ret_lengths,
                  GError **error);
/* Reads away what is left. Safe after an error. */
void conn_rows_end(struct conn *conn);

/*
 * LOAD DATA LOCAL INFILE with the bytes taken from memory. `sql` must name any
 * file; the client library never opens one. Warnings are the caller's to look at.
 */
G_GNUC_WARN_UNUSED_RESULT bool conn_load_local(struct conn *conn, const char *sql,
                                               const char *bytes, size_t length, GError **error);

/* From another thread: makes a blocked call on the connection fail (shuts the socket down). */
void conn_interrupt(struct conn *conn);

#endif
