#include "binlog/payload.h"

#include <string.h>
#include <zstd.h>

#include "base/error.h"
#include "binlog/event.h"

enum compression { COMPRESSION_ZSTD = 0, COMPRESSION_NONE = 255 };

/* The first room for an inner event; the server packs rows into events of 8 KiB. */
#define FIRST_ROOM_BYTES 16384
/* Room kept for the next payload; more goes back after a giant row. */
#define KEPT_ROOM_BYTES (1024 * 1024)

struct payload_reader {
    ZSTD_DCtx *context;
    enum compression compression;
    struct cursor input; /* not yet decompressed */
    uint64_t left_bytes; /* uncompressed bytes that the payload still promises */
    uint8_t *room;       /* the inner event being put together */
    size_t room_bytes;
    size_t filled_bytes;
};

struct payload_reader *
payload_reader_new(void)
{
    struct payload_reader *reader = g_new0(struct payload_reader, 1);
    reader->context = ZSTD_createDCtx();
    g_assert(reader->context != NULL);
    return reader;
}

void
payload_reader_free(struct payload_reader *reader)
{
    if (reader == NULL)
        return;
    ZSTD_freeDCtx(reader->context);
    g_free(reader->room);
    g_free(reader);
}

static bool
malformed(GError **error, const char *why)
{
    g_set_error(error, MT_ERROR, MT_ERROR_DATA, "malformed Transaction_payload event: %s", why);
    return false;
}

/*
 *   fields × { lenenc type; lenenc length; value }, type 0 ends them:
 *     1 payload size, 2 compression, 3 uncompressed size, each a lenenc integer
 *   payload
 */
bool
payload_reader_begin(struct payload_reader *reader, struct cursor body, GError **error)
{
    uint64_t compression = COMPRESSION_NONE;
    uint64_t size = 0;
    uint64_t uncompressed = 0;
    bool uncompressed_told = false;
    for (;;) {
        uint64_t type = cursor_uint_lenenc(&body);
        if (body.failed)
            return malformed(error, "its fields do not end");
        if (type == 0)
            break;
        size_t length = (size_t)cursor_uint_lenenc(&body);
        const uint8_t *bytes = cursor_bytes(&body, length);
        if (bytes == NULL)
            return malformed(error, "a field is longer than the event");
        struct cursor value = cursor_of(bytes, length);
        if (type == 1)
            size = cursor_uint_lenenc(&value);
        else if (type == 2)
            compression = cursor_uint_lenenc(&value);
        else if (type == 3)
            uncompressed = cursor_uint_lenenc(&value), uncompressed_told = true;
        if (value.failed)
            return malformed(error, "a field's value is cut off");
    }
    if (compression != COMPRESSION_ZSTD && compression != COMPRESSION_NONE) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "a transaction is compressed with an unknown algorithm (%" G_GUINT64_FORMAT
                    "): only ZSTD and NONE are known",
                    compression);
        return false;
    }
    if (size != cursor_left(&body))
        return malformed(error, "its size is not what is left of the event");
    reader->compression = (enum compression)compression;
    reader->input = body;
    reader->left_bytes = uncompressed_told ? uncompressed : size;
    reader->filled_bytes = 0;
    if (reader->room_bytes > KEPT_ROOM_BYTES) {
        g_free(g_steal_pointer(&reader->room));
        reader->room_bytes = 0;
    }
    ZSTD_DCtx_reset(reader->context, ZSTD_reset_session_only);
    return true;
}

/* Decompresses into the room until it holds `wanted` bytes. */
static bool
fill(struct payload_reader *reader, size_t wanted, GError **error)
{
    while (reader->filled_bytes < wanted) {
        ZSTD_inBuffer in = {reader->input.position, cursor_left(&reader->input), 0};
        ZSTD_outBuffer out = {reader->room, wanted, reader->filled_bytes};
        size_t result = ZSTD_decompressStream(reader->context, &out, &in);
        if (ZSTD_isError(result)) {
            g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                        "a compressed transaction cannot be decompressed: %s",
                        ZSTD_getErrorName(result));
            return false;
        }
        if (in.pos == 0 && out.pos == reader->filled_bytes)
            return malformed(error, "the compressed bytes end too early");
        cursor_bytes(&reader->input, in.pos);
        reader->filled_bytes = out.pos;
    }
    return true;
}

/* Grows with what has really come out, so that a wrong length allocates nothing. */
static bool
gather(struct payload_reader *reader, size_t wanted, GError **error)
{
    while (reader->filled_bytes < wanted) {
        if (reader->room_bytes < wanted && reader->filled_bytes == reader->room_bytes) {
            reader->room_bytes = MAX(FIRST_ROOM_BYTES, MIN(reader->room_bytes * 2, wanted));
            reader->room = g_realloc(reader->room, reader->room_bytes);
        }
        if (!fill(reader, MIN(wanted, reader->room_bytes), error))
            return false;
    }
    return true;
}

static int
next_inner(struct payload_reader *reader, const uint8_t **ret_event, size_t *ret_length,
           GError **error)
{
    const uint8_t *start = NULL;
    if (reader->compression == COMPRESSION_NONE) {
        start = reader->input.position;
    } else {
        reader->filled_bytes = 0;
        if (!gather(reader, EVENT_HEADER_BYTES, error))
            return -1;
        start = reader->room;
    }
    struct cursor length_field = cursor_of(start + 9, 4);
    size_t length = (size_t)cursor_uint(&length_field, 4);
    if (length < EVENT_HEADER_BYTES || length > reader->left_bytes) {
        malformed(error, "an inner event's length is not possible");
        return -1;
    }
    if (reader->compression == COMPRESSION_NONE) {
        cursor_bytes(&reader->input, length);
    } else {
        if (!gather(reader, length, error))
            return -1;
        start = reader->room; /* may have moved */
    }
    reader->left_bytes -= length;
    *ret_event = start;
    *ret_length = length;
    return 1;
}

int
payload_next(struct payload_reader *reader, const uint8_t **ret_event, size_t *ret_length,
             GError **error)
{
    if (reader->compression == COMPRESSION_NONE &&
        reader->left_bytes != cursor_left(&reader->input)) {
        malformed(error, "it promises another size than it has");
        return -1;
    }
    if (reader->left_bytes == 0)
        return 0;
    if (reader->left_bytes < EVENT_HEADER_BYTES) {
        malformed(error, "it ends within an inner event's header");
        return -1;
    }
    return next_inner(reader, ret_event, ret_length, error);
}
