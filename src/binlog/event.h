/*
 * Binlog events: the common header, the checksum, and the bodies that say what
 * a transaction is. Row bodies are in rows.h.
 *
 * Pure: bytes in, structs out. Formats: MySQL Internals, "Binary Log Event",
 * and libs/mysql/binlog/event of the server. All integers are little-endian.
 */
#ifndef BINLOG_EVENT_H
#define BINLOG_EVENT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "binlog/gtid.h"

#define EVENT_HEADER_BYTES 19
#define EVENT_CHECKSUM_BYTES 4

/* X(suffix, number, the server's name) */
#define EVENT_TYPE_LIST(X)                            \
    X(QUERY, 2, "Query")                              \
    X(STOP, 3, "Stop")                                \
    X(ROTATE, 4, "Rotate")                            \
    X(INTVAR, 5, "Intvar")                            \
    X(APPEND_BLOCK, 9, "Append_block")                \
    X(DELETE_FILE, 11, "Delete_file")                 \
    X(RAND, 13, "RAND")                               \
    X(USER_VAR, 14, "User var")                       \
    X(FORMAT_DESCRIPTION, 15, "Format_desc")          \
    X(XID, 16, "Xid")                                 \
    X(BEGIN_LOAD_QUERY, 17, "Begin_load_query")       \
    X(EXECUTE_LOAD_QUERY, 18, "Execute_load_query")   \
    X(TABLE_MAP, 19, "Table_map")                     \
    X(WRITE_ROWS_V1, 23, "Write_rows_v1")             \
    X(UPDATE_ROWS_V1, 24, "Update_rows_v1")           \
    X(DELETE_ROWS_V1, 25, "Delete_rows_v1")           \
    X(INCIDENT, 26, "Incident")                       \
    X(HEARTBEAT, 27, "Heartbeat")                     \
    X(IGNORABLE, 28, "Ignorable")                     \
    X(ROWS_QUERY, 29, "Rows_query")                   \
    X(WRITE_ROWS, 30, "Write_rows")                   \
    X(UPDATE_ROWS, 31, "Update_rows")                 \
    X(DELETE_ROWS, 32, "Delete_rows")                 \
    X(GTID, 33, "Gtid")                               \
    X(ANONYMOUS_GTID, 34, "Anonymous_Gtid")           \
    X(PREVIOUS_GTIDS, 35, "Previous_gtids")           \
    X(TRANSACTION_CONTEXT, 36, "Transaction_context") \
    X(VIEW_CHANGE, 37, "View_change")                 \
    X(XA_PREPARE, 38, "XA_prepare")                   \
    X(PARTIAL_UPDATE_ROWS, 39, "Update_rows_partial") \
    X(TRANSACTION_PAYLOAD, 40, "Transaction_payload") \
    X(HEARTBEAT_V2, 41, "Heartbeat_v2")               \
    X(GTID_TAGGED, 42, "Gtid_tagged_log_event")

enum event_type {
#define EVENT_TYPE_ENUM(suffix, number, name) EVENT_##suffix = (number),
    EVENT_TYPE_LIST(EVENT_TYPE_ENUM)
#undef EVENT_TYPE_ENUM
};

/* As SHOW BINLOG EVENTS names it; "unknown" otherwise. */
const char *event_type_name(uint8_t type);

enum event_flag {
    EVENT_FLAG_BINLOG_IN_USE = 0x1, /* FORMAT_DESCRIPTION of the file being written */
    EVENT_FLAG_ARTIFICIAL = 0x20,
    EVENT_FLAG_IGNORABLE = 0x80,
};

/*
 *  0      4     5          9       13             17     19
 *  +------+-----+----------+-------+--------------+------+------
 *  | time | type| server id| length| end position | flags| body …
 *  +------+-----+----------+-------+--------------+------+------
 */
struct event_header {
    uint32_t time_s;
    uint8_t type;
    uint32_t server_id;
    uint32_t length; /* header, body and checksum */
    uint32_t end_position;
    uint16_t flags;
};

/* False with MT_ERROR_DATA when there are fewer bytes than a header, or than it promises. */
G_GNUC_WARN_UNUSED_RESULT bool event_header_decode(const uint8_t *event, size_t length,
                                                   struct event_header *ret_header, GError **error);

/* True when the last four bytes are the CRC32 of what precedes them. */
bool event_checksum_matches(const uint8_t *event, size_t length);

struct event_format {
    char server_version[51];
    bool crc32; /* the following events end with a checksum */
};

/* FORMAT_DESCRIPTION, from behind the common header to the event's end: it carries
 * its own checksum and says which one the others have. */
G_GNUC_WARN_UNUSED_RESULT bool event_format_decode(struct cursor body,
                                                   struct event_format *ret_format, GError **error);

/* ROTATE: the next file's name, borrowed, not NUL-terminated, and where to read on in it; NULL when
 * malformed. */
const char *event_rotate_file(struct cursor body, size_t *ret_length, uint64_t *ret_position);

struct event_gtid {
    struct gtid gtid;
    int64_t commit_us; /* immediate_commit_timestamp, real time; 0: not told */
};

/* GTID and GTID_TAGGED. False with MT_ERROR_DATA when malformed. */
G_GNUC_WARN_UNUSED_RESULT bool event_gtid_decode(uint8_t type, struct cursor body,
                                                 struct event_gtid *ret_gtid, GError **error);

/* QUERY and EXECUTE_LOAD_QUERY. Strings are borrowed and not NUL-terminated. */
struct event_query {
    const char *schema; /* the default database */
    size_t schema_length;
    const char *sql; /* in the session's client character set */
    size_t sql_length;
    uint64_t sql_mode; /* 0 when the event does not tell */
    uint16_t charset;  /* collation number of the client character set; 0: not told */
    /* Databases that the statement changed, each NUL-terminated; empty and
     * databases_told false when the event does not tell (or there were too many). */
    struct cursor databases;
    bool databases_told;
};

#define SQL_MODE_ANSI_QUOTES UINT64_C(0x4)
#define SQL_MODE_NO_BACKSLASH_ESCAPES UINT64_C(0x100000)

G_GNUC_WARN_UNUSED_RESULT bool event_query_decode(uint8_t type, struct cursor body,
                                                  struct event_query *ret_query, GError **error);

/* XA_PREPARE: ends an XA group. */
struct event_xa_prepare {
    bool one_phase; /* XA COMMIT … ONE PHASE: an ordinary commit */
    char *xid;      /* as QUERY events write it: X'6731',X'',1; caller frees */
};

G_GNUC_WARN_UNUSED_RESULT bool event_xa_prepare_decode(struct cursor body,
                                                       struct event_xa_prepare *ret_prepare,
                                                       GError **error);

/* INCIDENT: the server's words about what was lost. Caller frees. Never NULL. */
char *event_incident_message(struct cursor body);

#endif
