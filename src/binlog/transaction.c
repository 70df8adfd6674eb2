#include "binlog/transaction.h"

#include <string.h>

#include "base/error.h"
#include "binlog/assembler_int.h"

/* All prepared XA transactions together. One that is larger than this cannot be held. */
#define XA_HELD_BYTES_MAX (UINT64_C(64) * 1024 * 1024)

struct assembler *
assembler_new(const struct assembler_options *options, const struct transaction_sink *sink)
{
    struct assembler *assembler = g_new0(struct assembler, 1);
    assembler->options = *options;
    assembler->sink = *sink;
    assembler->names = moved_names_new(options->moved_tables, options->fold_case);
    assembler->layouts = g_new0(struct row_layout *, options->moved_tables->len + 1);
    assembler->payload = payload_reader_new();
    assembler->prepared = xa_store_new();
    assembler->maps = g_array_new(FALSE, FALSE, sizeof(struct mapped_table));
    assembler->savepoints = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    assembler->file = g_string_new("(no file yet)");
    /* The stream asks for CRC32: it holds before the first FORMAT_DESCRIPTION, too. */
    assembler->crc32 = true;
    return assembler;
}

void
assembler_free(struct assembler *assembler)
{
    if (assembler == NULL)
        return;
    assembler_reset(assembler);
    for (guint i = 0; i < assembler->options.moved_tables->len; i++)
        row_layout_free(assembler->layouts[i]);
    g_free(assembler->layouts);
    moved_names_free(assembler->names);
    payload_reader_free(assembler->payload);
    xa_store_free(assembler->prepared);
    g_array_unref(assembler->maps);
    g_hash_table_unref(assembler->savepoints);
    g_string_free(assembler->file, TRUE);
    g_free(assembler);
}

void
assembler_end_group(struct assembler *assembler)
{
    xa_transaction_free(assembler->state.xa);
    memset(&assembler->state, 0, sizeof assembler->state);
    g_array_set_size(assembler->maps, 0);
    if (g_hash_table_size(assembler->savepoints) > 0)
        g_hash_table_remove_all(assembler->savepoints);
}

void
assembler_reset(struct assembler *assembler)
{
    assembler_end_group(assembler);
    fragment_builder_clear(&assembler->builder);
    /* What was prepared is not complete: the source sends it again. */
    xa_store_clear(assembler->prepared);
    assembler->crc32 = true;
}

/* --- fragments --------------------------------------------------------------------------------- */

static bool
keep_fragment(struct assembler *assembler, struct fragment *fragment, GError **error)
{
    struct xa_transaction *xa = assembler->state.xa;
    xa->bytes += fragment_memory_bytes(fragment);
    g_ptr_array_add(xa->fragments, fragment);
    if (xa->bytes + xa_store_bytes(assembler->prepared) <= XA_HELD_BYTES_MAX)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "an XA transaction on the source is too large to be held until its XA COMMIT: it "
                "and the others that are prepared changed more than %" G_GUINT64_FORMAT
                " MiB of moved tables; commit what XA RECOVER shows, use smaller ones, and start "
                "again with --fresh",
                XA_HELD_BYTES_MAX / (1024 * 1024));
    return false;
}

bool
assembler_hand_over(struct assembler *assembler, bool last, GError **error)
{
    const struct group_state *state = &assembler->state;
    struct fragment *fragment = fragment_builder_take(&assembler->builder);
    fragment->seq = state->seq;
    fragment->gtid = state->head.gtid;
    fragment->commit_us = state->head.commit_us;
    fragment->last = last;
    fragment->prepared = state->prepared;
    fragment->layouts = assembler->layouts;
    if (state->xa != NULL)
        return keep_fragment(assembler, fragment, error);
    if (assembler->sink.fragment(assembler->sink.context, fragment, error))
        return true;
    assembler->sink_failed = true;
    return false;
}

/* What was kept of an XA transaction that turns out to be committed in one phase. */
static bool
release_kept(struct assembler *assembler, GError **error)
{
    struct xa_transaction *xa = g_steal_pointer(&assembler->state.xa);
    bool done = true;
    for (guint i = 0; done && i < xa->fragments->len; i++) {
        struct fragment *fragment = g_steal_pointer(&xa->fragments->pdata[i]);
        done = assembler->sink.fragment(assembler->sink.context, fragment, error);
    }
    assembler->sink_failed = !done;
    xa_transaction_free(xa);
    return done;
}

static bool
outside(GError **error)
{
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "malformed binlog: the end of a transaction whose GTID was not seen");
    return false;
}

bool
assembler_complete(struct assembler *assembler, GError **error)
{
    if (assembler->state.group == GROUP_NONE)
        return outside(error);
    if (assembler->state.xa != NULL && !release_kept(assembler, error))
        return false;
    if (!assembler_hand_over(assembler, true, error))
        return false;
    assembler_end_group(assembler);
    return true;
}

/* --- events ------------------------------------------------------------------------------------ */

static bool
feed_rotate(struct assembler *assembler, struct cursor body)
{
    size_t length = 0;
    uint64_t position = 0;
    const char *file = event_rotate_file(body, &length, &position);
    if (file != NULL) {
        g_string_truncate(assembler->file, 0);
        g_string_append_len(assembler->file, file, (gssize)length);
        assembler->next_position = (uint32_t)MIN(position, UINT32_MAX);
    }
    return true;
}

static bool
feed_gtid(struct assembler *assembler, uint8_t type, struct cursor body, GError **error)
{
    struct event_gtid head;
    if (!event_gtid_decode(type, body, &head, error))
        return false;
    if (assembler->state.group != GROUP_NONE) {
        /* Reading it once more may help: the source may have been writing it when it died. */
        g_autofree char *next = gtid_to_string(&head.gtid);
        g_set_error(error, MT_ERROR, MT_ERROR_SOURCE,
                    "the transaction does not end before the next one (%s)", next);
        return false;
    }
    uint64_t seq = 0;
    if (!assembler->sink.arrived(assembler->sink.context, &head.gtid, &seq, error)) {
        assembler->sink_failed = true;
        return false;
    }
    assembler->state = (struct group_state){.group = GROUP_OPENED, .head = head, .seq = seq};
    return true;
}

static bool
feed_xa_prepare(struct assembler *assembler, struct cursor body, GError **error)
{
    struct event_xa_prepare prepare;
    if (assembler->state.group != GROUP_XA)
        return outside(error);
    if (!event_xa_prepare_decode(body, &prepare, error))
        return false;
    if (prepare.one_phase) {
        g_free(prepare.xid);
        return assembler_complete(assembler, error);
    }
    if (assembler->state.changes == 0) {
        /* Nothing to hold, and P need not wait for it: it may stay prepared for days. */
        xa_store_put_harmless(assembler->prepared, prepare.xid);
        return assembler_complete(assembler, error);
    }
    if (!assembler_hand_over(assembler, false, error)) {
        g_free(prepare.xid);
        return false;
    }
    xa_store_put(assembler->prepared, prepare.xid, g_steal_pointer(&assembler->state.xa));
    assembler_end_group(assembler);
    return true;
}

static bool
refuse_anonymous(GError **error)
{
    g_set_error(error, MT_ERROR, MT_ERROR_GAP,
                "the source wrote a transaction without a GTID: gtid_mode was switched off there; "
                "set gtid_mode=ON and start again with --fresh");
    return false;
}

static bool
refuse_incident(struct cursor body, GError **error)
{
    g_autofree char *message = event_incident_message(body);
    g_set_error(error, MT_ERROR, MT_ERROR_GAP,
                "the source says that its binlog lacks changes (incident event: %s): what is lost "
                "cannot be applied; start again with --fresh",
                message);
    return false;
}

static bool
refuse_unknown(const struct event_header *header, GError **error)
{
    if ((header->flags & EVENT_FLAG_IGNORABLE) != 0)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "binlog event of unknown type %u, which the source does not mark as ignorable: a "
                "newer version of move-tables may know it",
                header->type);
    return false;
}

static bool feed_inner(struct assembler *assembler, const uint8_t *event, size_t length,
                       GError **error);

static bool
feed_payload(struct assembler *assembler, struct cursor body, GError **error)
{
    if (!payload_reader_begin(assembler->payload, body, error))
        return false;
    for (;;) {
        const uint8_t *event = NULL;
        size_t length = 0;
        int found = payload_next(assembler->payload, &event, &length, error);
        if (found <= 0)
            return found == 0;
        if (!feed_inner(assembler, event, length, error))
            return false;
    }
}

/* Events that belong to a transaction, compressed or not. */
static bool
feed_part(struct assembler *assembler, const struct event_header *header, struct cursor body,
          GError **error)
{
    if (assembler->state.group == GROUP_NONE)
        return outside(error);
    switch (header->type) {
    case EVENT_QUERY:
    case EVENT_EXECUTE_LOAD_QUERY:
        return assembler_feed_query(assembler, header->type, body, error);
    case EVENT_XID:
        return assembler_complete(assembler, error);
    case EVENT_XA_PREPARE:
        return feed_xa_prepare(assembler, body, error);
    case EVENT_TABLE_MAP:
        return assembler_feed_table_map(assembler, body, error);
    default: /* a rows event */
        return assembler_feed_rows(assembler, header->type, body, error);
    }
}

static bool
feed_body(struct assembler *assembler, const struct event_header *header, struct cursor body,
          GError **error)
{
    switch (header->type) {
    case EVENT_ROTATE:
        return feed_rotate(assembler, body);
    case EVENT_GTID:
    case EVENT_GTID_TAGGED:
        return feed_gtid(assembler, header->type, body, error);
    case EVENT_TRANSACTION_PAYLOAD:
        return feed_payload(assembler, body, error);
    case EVENT_QUERY:
    case EVENT_EXECUTE_LOAD_QUERY:
    case EVENT_XID:
    case EVENT_XA_PREPARE:
    case EVENT_TABLE_MAP:
    case EVENT_WRITE_ROWS_V1:
    case EVENT_UPDATE_ROWS_V1:
    case EVENT_DELETE_ROWS_V1:
    case EVENT_WRITE_ROWS:
    case EVENT_UPDATE_ROWS:
    case EVENT_DELETE_ROWS:
    case EVENT_PARTIAL_UPDATE_ROWS:
        return feed_part(assembler, header, body, error);
    case EVENT_ANONYMOUS_GTID:
        return refuse_anonymous(error);
    case EVENT_INCIDENT:
        return refuse_incident(body, error);
    case EVENT_FORMAT_DESCRIPTION: /* was looked at for the checksum */
    case EVENT_STOP:
    case EVENT_INTVAR: /* what a statement needs to be run again, and the file of a LOAD DATA */
    case EVENT_RAND:
    case EVENT_USER_VAR:
    case EVENT_APPEND_BLOCK:
    case EVENT_DELETE_FILE:
    case EVENT_BEGIN_LOAD_QUERY:
    case EVENT_HEARTBEAT:
    case EVENT_HEARTBEAT_V2:
    case EVENT_IGNORABLE:
    case EVENT_ROWS_QUERY:
    case EVENT_PREVIOUS_GTIDS:
    case EVENT_TRANSACTION_CONTEXT:
    case EVENT_VIEW_CHANGE:
        return true;
    default:
        return refuse_unknown(header, error);
    }
}

/* An event out of a payload: no checksum, no position. Payloads do not nest. */
static bool
feed_inner(struct assembler *assembler, const uint8_t *event, size_t length, GError **error)
{
    struct event_header header;
    if (!event_header_decode(event, length, &header, error))
        return false;
    struct cursor body = cursor_of(event + EVENT_HEADER_BYTES, length - EVENT_HEADER_BYTES);
    switch (header.type) {
    case EVENT_TRANSACTION_PAYLOAD:
    case EVENT_GTID:
    case EVENT_GTID_TAGGED:
    case EVENT_FORMAT_DESCRIPTION:
    case EVENT_ROTATE:
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "malformed Transaction_payload event: a %s event cannot be within it",
                    event_type_name(header.type));
        return false;
    default:
        return feed_body(assembler, &header, body, error);
    }
}

static bool
feed(struct assembler *assembler, const uint8_t *event, size_t length, GError **error)
{
    struct event_header header;
    /* For the message, should the header be what is damaged. Events without a place in the file
     * (the source makes them when a stream begins) tell none. */
    assembler->position = assembler->next_position;
    if (!event_header_decode(event, length, &header, error))
        return false;
    if (header.end_position >= length) {
        assembler->position = header.end_position - (uint32_t)length;
        assembler->next_position = header.end_position;
    }
    struct cursor whole = cursor_of(event + EVENT_HEADER_BYTES, length - EVENT_HEADER_BYTES);
    bool crc32 = assembler->crc32;
    size_t tail = crc32 ? EVENT_CHECKSUM_BYTES : 0;
    if (header.type == EVENT_FORMAT_DESCRIPTION) {
        /* It says itself whether it has one; its last four bytes are there in any case. */
        struct event_format format;
        if (!event_format_decode(whole, &format, error))
            return false;
        crc32 = format.crc32;
        tail = 0;
    }
    if (crc32 && !event_checksum_matches(event, length)) {
        g_set_error(error, MT_ERROR, MT_ERROR_SOURCE,
                    "%s event of %zu bytes: its checksum does not match: it was damaged on the "
                    "way, or the source's binlog is",
                    event_type_name(header.type), length);
        return false;
    }
    assembler->crc32 = crc32;
    struct cursor body = cursor_of(event + EVENT_HEADER_BYTES, length - EVENT_HEADER_BYTES - tail);
    return feed_body(assembler, &header, body, error);
}

bool
assembler_feed(struct assembler *assembler, const uint8_t *event, size_t length, GError **error)
{
    assembler->sink_failed = false;
    if (feed(assembler, event, length, error))
        return true;
    if (!assembler->sink_failed && assembler->state.group != GROUP_NONE) {
        g_autofree char *gtid = gtid_to_string(&assembler->state.head.gtid);
        g_prefix_error(error,
                       "source binlog %s, position %u, transaction %s: ", assembler->file->str,
                       assembler->position, gtid);
    } else if (!assembler->sink_failed) {
        g_prefix_error(error, "source binlog %s, position %u: ", assembler->file->str,
                       assembler->position);
    }
    return false;
}
