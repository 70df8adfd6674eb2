#include "binlog/event.h"

#include <string.h>
#include <libdeflate.h>

#include "base/error.h"
#include "binlog/gtid_int.h"

const char *
event_type_name(uint8_t type)
{
    static const char *const names[] = {
#define EVENT_TYPE_NAME(suffix, number, name) [number] = (name),
        EVENT_TYPE_LIST(EVENT_TYPE_NAME)
#undef EVENT_TYPE_NAME
    };
    return type < G_N_ELEMENTS(names) && names[type] != NULL ? names[type] : "unknown";
}

static bool
malformed(GError **error, const char *name)
{
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "malformed %s event: the binlog is damaged, or written by a server whose format "
                "is not known",
                name);
    return false;
}

static uint32_t
load_u32(const uint8_t *bytes)
{
    uint32_t value = 0;
    memcpy(&value, bytes, sizeof value);
    return GUINT32_FROM_LE(value);
}

/* Runs for every event of the source: plain loads, no cursor. */
bool
event_header_decode(const uint8_t *event, size_t length, struct event_header *ret_header,
                    GError **error)
{
    uint32_t told = length >= EVENT_HEADER_BYTES ? load_u32(event + 9) : 0;
    if (length < EVENT_HEADER_BYTES || told != length) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "malformed binlog event: its header says %u bytes, there are %zu", told,
                    length);
        return false;
    }
    *ret_header = (struct event_header){
        .time_s = load_u32(event),
        .type = event[4],
        .server_id = load_u32(event + 5),
        .length = told,
        .end_position = load_u32(event + 13),
        .flags = (uint16_t)(event[17] | event[18] << 8),
    };
    return true;
}

bool
event_checksum_matches(const uint8_t *event, size_t length)
{
    if (length < EVENT_HEADER_BYTES + EVENT_CHECKSUM_BYTES)
        return false;
    size_t covered = length - EVENT_CHECKSUM_BYTES;
    if (event[4] != EVENT_FORMAT_DESCRIPTION)
        return libdeflate_crc32(0, event, covered) == load_u32(event + covered);

    /* The server computes it before it marks the file as being written. */
    uint8_t header[EVENT_HEADER_BYTES];
    memcpy(header, event, sizeof header);
    header[17] = (uint8_t)(header[17] & ~EVENT_FLAG_BINLOG_IN_USE);
    uint32_t crc = libdeflate_crc32(0, header, sizeof header);
    crc = libdeflate_crc32(crc, event + sizeof header, covered - sizeof header);
    return crc == load_u32(event + covered);
}

/*
 *   u16 binlog version (4); char server_version[50]; u32 created; u8 header length (19)
 *   u8 post-header lengths[…]; u8 checksum algorithm; u32 checksum
 */
bool
event_format_decode(struct cursor body, struct event_format *ret_format, GError **error)
{
    struct event_format format = {.crc32 = false};
    uint64_t version = cursor_uint(&body, 2);
    const uint8_t *server = cursor_bytes(&body, 50);
    cursor_uint(&body, 4);
    uint64_t header_bytes = cursor_uint(&body, 1);
    size_t left = cursor_left(&body);
    if (body.failed || server == NULL || version != 4 || header_bytes != EVENT_HEADER_BYTES ||
        left < 1 + EVENT_CHECKSUM_BYTES)
        return malformed(error, "Format_desc");
    cursor_bytes(&body, left - 1 - EVENT_CHECKSUM_BYTES);
    uint64_t algorithm = cursor_uint(&body, 1);
    if (algorithm > 1) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "the binlog's events carry a checksum of an unknown algorithm (%u): only "
                    "CRC32 and NONE are known",
                    (unsigned)algorithm);
        return false;
    }
    memcpy(format.server_version, server, 50);
    format.crc32 = algorithm == 1;
    *ret_format = format;
    return true;
}

/* u64 position; char file[to the end] */
const char *
event_rotate_file(struct cursor body, size_t *ret_length, uint64_t *ret_position)
{
    uint64_t position = cursor_uint(&body, 8);
    size_t length = cursor_left(&body);
    const uint8_t *file = cursor_bytes(&body, length);
    if (file == NULL || length == 0)
        return NULL;
    *ret_length = length;
    *ret_position = position;
    return (const char *)file;
}

/* --- GTID --------------------------------------------------------------------------------- */

#define COMMIT_TIME_BITS UINT64_C(0x7fffffffffffff)

/*
 *   u8 flags; u8 uuid[16]; u64 number; u8 2; u64 last committed; u64 sequence number
 *   u56 immediate commit time in us (highest bit: an original one follows); …
 */
static bool
gtid_plain_decode(struct cursor body, struct event_gtid *ret_gtid)
{
    struct event_gtid found = {.commit_us = 0};
    cursor_uint(&body, 1);
    const uint8_t *uuid = cursor_bytes(&body, 16);
    uint64_t number = cursor_uint(&body, 8);
    if (body.failed || uuid == NULL || number < 1 || number >= GTID_NUMBER_END)
        return false;
    memcpy(found.gtid.uuid, uuid, 16);
    found.gtid.number = (int64_t)number;
    /* Servers before 5.7 end here, before 8.0 without times. */
    cursor_bytes(&body, 1 + 8 + 8);
    found.commit_us = (int64_t)(cursor_uint(&body, 7) & COMMIT_TIME_BITS);
    *ret_gtid = found;
    return true;
}

/* libs/mysql/serialization: as many low 1 bits in the first byte as bytes follow,
 * then a 0, then the value. */
static uint64_t
take_varlen(struct cursor *cursor)
{
    uint64_t first = cursor_uint(cursor, 1);
    size_t more = (size_t)__builtin_ctzll(~first);
    if (more == 0)
        return first >> 1;
    uint64_t rest = cursor_uint(cursor, more);
    if (more >= 7) /* the first byte has no room for a value: 0x7f, 0xff */
        return rest;
    return first >> (more + 1) | rest << (7 - more);
}

/* The same with the sign as lowest bit. */
static int64_t
take_varlen_signed(struct cursor *cursor)
{
    uint64_t value = take_varlen(cursor);
    return (int64_t)(value >> 1 ^ -(value & 1));
}

enum tagged_field {
    TAGGED_FLAGS,
    TAGGED_UUID,
    TAGGED_NUMBER,
    TAGGED_TAG,
    TAGGED_LAST_COMMITTED,
    TAGGED_SEQUENCE_NUMBER,
    TAGGED_COMMIT_TIME,
    TAGGED_ORDER_END,
};

static void
take_tagged_field(struct cursor *body, uint64_t field, struct event_gtid *found)
{
    switch (field) {
    case TAGGED_FLAGS:
        take_varlen(body);
        break;
    case TAGGED_UUID: /* an array: every byte is an integer of its own */
        for (unsigned i = 0; i < 16; i++)
            found->gtid.uuid[i] = (uint8_t)take_varlen(body);
        break;
    case TAGGED_NUMBER:
        found->gtid.number = take_varlen_signed(body);
        break;
    case TAGGED_TAG: {
        size_t length = (size_t)take_varlen(body);
        const uint8_t *tag = cursor_bytes(body, length);
        if (tag == NULL || !gtid_tag_take((const char *)tag, length, found->gtid.tag))
            body->failed = true;
        break;
    }
    case TAGGED_LAST_COMMITTED:
    case TAGGED_SEQUENCE_NUMBER:
        take_varlen_signed(body);
        break;
    case TAGGED_COMMIT_TIME:
        found->commit_us = (int64_t)(take_varlen(body) & COMMIT_TIME_BITS);
        break;
    default:
        body->failed = true;
    }
}

/*
 *   varlen version (1); varlen size of this message; varlen last field that must be known
 *   fields × { varlen id; value }, ids ascending
 * Nothing behind the commit time is of interest.
 */
static bool
gtid_tagged_decode(struct cursor body, struct event_gtid *ret_gtid)
{
    struct event_gtid found = {.commit_us = 0};
    size_t length = cursor_left(&body);
    uint64_t version = take_varlen(&body);
    uint64_t told = take_varlen(&body);
    take_varlen(&body);
    /* Fields are optional: without the size, one that is cut off before its tag would be another
     * transaction. */
    if (body.failed || version != 1 || told > length)
        return false;
    unsigned seen = 0;
    while (cursor_left(&body) > 0) {
        uint64_t field = take_varlen(&body);
        if (body.failed || field >= TAGGED_ORDER_END)
            break;
        take_tagged_field(&body, field, &found);
        seen |= 1U << field;
    }
    unsigned needed = 1U << TAGGED_UUID | 1U << TAGGED_NUMBER;
    if (body.failed || (seen & needed) != needed || found.gtid.number < 1 ||
        found.gtid.number >= GTID_NUMBER_END)
        return false;
    *ret_gtid = found;
    return true;
}

bool
event_gtid_decode(uint8_t type, struct cursor body, struct event_gtid *ret_gtid, GError **error)
{
    bool sound = type == EVENT_GTID_TAGGED ? gtid_tagged_decode(body, ret_gtid)
                                           : gtid_plain_decode(body, ret_gtid);
    return sound ? true : malformed(error, event_type_name(type));
}

/* --- QUERY -------------------------------------------------------------------------------- */

/* More databases than the server lists: told as one of no name, as the server itself does where
 * foreign keys may lead anywhere. */
#define DATABASES_TOO_MANY 254

static void
take_databases(struct cursor *status, struct event_query *query)
{
    uint64_t count = cursor_uint(status, 1);
    if (status->failed)
        return;
    if (count >= DATABASES_TOO_MANY) {
        query->databases = cursor_of((const uint8_t *)"", 1);
        query->databases_told = true;
        return;
    }
    const uint8_t *start = status->position;
    for (uint64_t i = 0; i < count; i++)
        while (cursor_uint(status, 1) != 0)
            ;
    if (status->failed)
        return;
    query->databases = cursor_of(start, (size_t)(status->position - start));
    query->databases_told = true;
}

/* Bytes of the status variables that have a fixed size; 0 for the others. */
static size_t
status_bytes(uint64_t code)
{
    static const uint8_t bytes[] = {
        [0] = 4,  /* flags2 */
        [3] = 4,  /* auto_increment_increment, _offset */
        [7] = 2,  /* lc_time_names */
        [8] = 2,  /* character set of the database */
        [9] = 8,  /* tables of a multi-table update */
        [10] = 4, /* master_data_written */
        [13] = 3, /* microseconds */
    };
    return code < sizeof bytes ? bytes[code] : 0;
}

/* Ends at the first one that is not known: what is of interest comes before. */
static void
take_status(struct cursor status, struct event_query *query)
{
    while (cursor_left(&status) > 0 && !status.failed) {
        uint64_t code = cursor_uint(&status, 1);
        size_t bytes = status_bytes(code);
        if (bytes > 0) {
            cursor_bytes(&status, bytes);
        } else if (code == 1) {
            query->sql_mode = cursor_uint(&status, 8);
        } else if (code == 4) { /* character_set_client, collations of connection and server */
            query->charset = (uint16_t)cursor_uint(&status, 2);
            cursor_uint(&status, 4);
        } else if (code == 5 || code == 6) { /* time zone, catalog */
            cursor_bytes(&status, (size_t)cursor_uint(&status, 1));
        } else if (code == 11) { /* invoker: user, host */
            cursor_bytes(&status, (size_t)cursor_uint(&status, 1));
            cursor_bytes(&status, (size_t)cursor_uint(&status, 1));
        } else {
            if (code == 12)
                take_databases(&status, query);
            return;
        }
    }
}

/*
 *   u32 thread; u32 seconds; u8 schema length; u16 error; u16 status length
 *   EXECUTE_LOAD_QUERY: u32 file; u32 name from; u32 name to; u8 duplicates
 *   status variables; char schema[]; u8 0; char statement[to the end]
 */
bool
event_query_decode(uint8_t type, struct cursor body, struct event_query *ret_query, GError **error)
{
    struct event_query query = {.schema = NULL};
    cursor_bytes(&body, 4 + 4);
    query.schema_length = (size_t)cursor_uint(&body, 1);
    cursor_bytes(&body, 2);
    size_t status_length = (size_t)cursor_uint(&body, 2);
    if (type == EVENT_EXECUTE_LOAD_QUERY)
        cursor_bytes(&body, 4 + 4 + 4 + 1);
    const uint8_t *status = cursor_bytes(&body, status_length);
    query.schema = (const char *)cursor_bytes(&body, query.schema_length);
    cursor_uint(&body, 1);
    query.sql_length = cursor_left(&body);
    query.sql = (const char *)cursor_bytes(&body, query.sql_length);
    if (body.failed || status == NULL || query.schema == NULL || query.sql == NULL)
        return malformed(error, event_type_name(type));
    take_status(cursor_of(status, status_length), &query);
    *ret_query = query;
    return true;
}

/* --- XA, INCIDENT ---------------------------------------------------------------------------- */

static void
append_hex(GString *text, const uint8_t *bytes, size_t length)
{
    g_string_append(text, "X'");
    for (size_t i = 0; i < length; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
    g_string_append_c(text, '\'');
}

/* u8 one phase; u32 format; u32 length of gtrid; u32 length of bqual; both */
bool
event_xa_prepare_decode(struct cursor body, struct event_xa_prepare *ret_prepare, GError **error)
{
    bool one_phase = cursor_uint(&body, 1) != 0;
    uint64_t format = cursor_uint(&body, 4);
    size_t gtrid_length = (size_t)cursor_uint(&body, 4);
    size_t bqual_length = (size_t)cursor_uint(&body, 4);
    const uint8_t *gtrid = cursor_bytes(&body, gtrid_length);
    const uint8_t *bqual = cursor_bytes(&body, bqual_length);
    if (body.failed || gtrid == NULL || bqual == NULL || gtrid_length > 64 || bqual_length > 64)
        return malformed(error, "XA_prepare");
    GString *xid = g_string_new(NULL);
    append_hex(xid, gtrid, gtrid_length);
    g_string_append_c(xid, ',');
    append_hex(xid, bqual, bqual_length);
    g_string_append_printf(xid, ",%" G_GUINT64_FORMAT, format);
    *ret_prepare = (struct event_xa_prepare){
        .one_phase = one_phase,
        .xid = g_string_free(xid, FALSE),
    };
    return true;
}

/* u16 incident; u8 length; char message[length] */
char *
event_incident_message(struct cursor body)
{
    cursor_uint(&body, 2);
    size_t length = (size_t)cursor_uint(&body, 1);
    const uint8_t *message = cursor_bytes(&body, length);
    if (message == NULL)
        return g_strdup("no message");
    return g_utf8_make_valid((const char *)message, (gssize)length);
}
