/*
 * A bounded reader over bytes: what every decoder of foreign bytes consumes.
 *
 * A read past the end returns zero (or NULL), moves nothing and sets `failed`,
 * so that a decoder may read a whole record and check once. Never reads outside
 * [start, end).
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
    const uint8_t *position;
    const uint8_t *end;
    bool failed;
};

static inline struct cursor
cursor_of(const void *bytes, size_t length)
{
    const uint8_t *start = bytes;
    return (struct cursor){.position = start, .end = start + length, .failed = false};
}

static inline size_t
cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->position);
}

/* length bytes at the cursor, borrowed from the underlying memory; NULL when fewer are left. */
static inline const uint8_t *
cursor_bytes(struct cursor *cursor, size_t length)
{
    if (cursor->failed || cursor_left(cursor) < length) {
        cursor->failed = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->position;
    cursor->position += length;
    return bytes;
}

/* Little-endian unsigned integer of 1 to 8 bytes. */
static inline uint64_t
cursor_uint(struct cursor *cursor, size_t width)
{
    const uint8_t *bytes = cursor_bytes(cursor, width);
    uint64_t value = 0;
    if (bytes != NULL)
        for (size_t i = 0; i < width; i++)
            value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* Big-endian unsigned integer of 1 to 8 bytes. */
static inline uint64_t
cursor_uint_be(struct cursor *cursor, size_t width)
{
    const uint8_t *bytes = cursor_bytes(cursor, width);
    uint64_t value = 0;
    if (bytes != NULL)
        for (size_t i = 0; i < width; i++)
            value = value << 8 | bytes[i];
    return value;
}

/* Length-encoded integer of MySQL's protocol (protocol manual, "Protocol::LengthEncodedInteger").
 * 0xfb (NULL) and 0xff fail. */
static inline uint64_t
cursor_uint_lenenc(struct cursor *cursor)
{
    uint64_t first = cursor_uint(cursor, 1);
    if (first < 0xfb)
        return first;
    if (first == 0xfc)
        return cursor_uint(cursor, 2);
    if (first == 0xfd)
        return cursor_uint(cursor, 3);
    if (first == 0xfe)
        return cursor_uint(cursor, 8);
    cursor->failed = true;
    return 0;
}

#endif
