/* For conn's own files and for binlog/stream.c, which runs COM_BINLOG_DUMP_GTID on a conn. */
#ifndef MYSQL_CONN_INT_H
#define MYSQL_CONN_INT_H

#include <mysql.h>

#include "mysql/conn.h"

/* A LOAD DATA LOCAL in progress: the bytes that the client library asks for. */
struct local_file {
    const char *bytes;
    size_t length;
    size_t position;
};

struct conn {
    MYSQL *handle;
    struct server server; /* a copy; the endpoint stays borrowed */
    const char *purpose;
    MYSQL_RES *streaming; /* between conn_rows_begin and conn_rows_end */
    bool broken;          /* conn_break() */
    uint64_t
        silent_session; /* the server's number of it when it was lost by silence; 0: it was not */
    unsigned last_errno;
    int64_t asked_us;  /* when the server was last asked something, or last answered; monotonic */
    unsigned warnings; /* of the last statement */
    uint64_t affected_rows;
    char *server_uuid;
    struct local_file local_file;
};

/* The client library's handle. Borrowed. */
MYSQL *conn_handle(struct conn *conn);

/*
 * Sets *error from the handle's last failure: the one place where MySQL's error
 * numbers become our codes. `what` is the statement or the step; only its start
 * is shown, cut before anything that could be a row's value.
 */
void conn_fail(struct conn *conn, const char *what, GError **error);

/* As conn_fail for an error number and text that came another way. */
void conn_fail_with(const struct conn *conn, unsigned number, const char *text, const char *what,
                    GError **error);

#endif
