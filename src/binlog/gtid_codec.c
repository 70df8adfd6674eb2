/* GTID sets: text and binary forms. */
#include "binlog/gtid.h"

#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "binlog/gtid_int.h"

/* --- text -------------------------------------------------------------------------------- */

char *
gtid_set_to_string(const struct gtid_set *set)
{
    GString *text = g_string_new(NULL);
    const struct gtid_group *previous = NULL;
    for (guint i = 0; i < set->groups->len; i++) {
        const struct gtid_group *group = gtid_set_group(set, i);
        /* Tags of one UUID follow it: `uuid:1-3:tag:1-5`. */
        if (previous == NULL || memcmp(previous->uuid, group->uuid, 16) != 0) {
            if (previous != NULL)
                g_string_append_c(text, ',');
            gtid_append_uuid(text, group->uuid);
        }
        if (group->tag[0] != '\0')
            g_string_append_printf(text, ":%s", group->tag);
        for (guint j = 0; j < group->intervals->len; j++) {
            const struct gtid_interval *interval = gtid_group_interval(group, j);
            g_string_append_printf(text, ":%" G_GINT64_FORMAT, interval->first);
            if (interval->end - interval->first > 1)
                g_string_append_printf(text, "-%" G_GINT64_FORMAT, interval->end - 1);
        }
        previous = group;
    }
    return g_string_free(text, FALSE);
}

static void
skip_space(const char **at)
{
    while (g_ascii_isspace(**at))
        (*at)++;
}

static bool
take_uuid(const char **at, uint8_t ret_uuid[16])
{
    const char *text = *at;
    for (unsigned i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return false;
        if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]))
            return false;
        ret_uuid[i] = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        text += 2;
    }
    *at = text;
    return true;
}

static bool
take_number(const char **at, int64_t *ret_number)
{
    skip_space(at);
    int64_t number = 0;
    const char *text = *at;
    if (!g_ascii_isdigit(*text))
        return false;
    for (; g_ascii_isdigit(*text); text++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *text - '0', &number))
            return false;
    if (number < 1 || number >= GTID_NUMBER_END)
        return false;
    *at = text;
    *ret_number = number;
    skip_space(at);
    return true;
}

static bool
take_tag(const char **at, char ret_tag[GTID_TAG_MAX + 1])
{
    const char *start = *at;
    size_t length = 0;
    while (g_ascii_isalnum(start[length]) || start[length] == '_')
        length++;
    if (!gtid_tag_take(start, length, ret_tag))
        return false;
    *at = start + length;
    skip_space(at);
    return true;
}

static bool
take_interval(const char **at, struct gtid_interval *ret_interval)
{
    int64_t first = 0;
    if (!take_number(at, &first))
        return false;
    int64_t last = first;
    if (**at == '-') {
        (*at)++;
        if (!take_number(at, &last) || last < first)
            return false;
    }
    *ret_interval = (struct gtid_interval){.first = first, .end = last + 1};
    return true;
}

/* uuid ":" (tag ":")? interval (":" (tag ":")? interval)*, to "," or the end. */
static bool
take_uuid_set(const char **at, struct gtid_set *set)
{
    uint8_t uuid[16];
    char tag[GTID_TAG_MAX + 1] = "";
    if (!take_uuid(at, uuid))
        return false;
    skip_space(at);
    do {
        if (**at != ':')
            return false;
        (*at)++;
        skip_space(at);
        if (g_ascii_isalpha(**at) || **at == '_') {
            if (!take_tag(at, tag) || **at != ':')
                return false;
            (*at)++;
        }
        struct gtid_interval interval;
        if (!take_interval(at, &interval))
            return false;
        gtid_set_add_interval(set, uuid, tag, interval);
    } while (**at == ':');
    return **at == ',' || **at == '\0';
}

struct gtid_set *
gtid_set_parse(const char *text, GError **error)
{
    g_autoptr(gtid_set) set = gtid_set_new();
    const char *at = text;
    for (;;) {
        while (*at == ',' || g_ascii_isspace(*at))
            at++;
        if (*at == '\0')
            return g_steal_pointer(&set);
        if (!take_uuid_set(&at, set)) {
            g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                        "'%.60s' is not a GTID set: expected uuid:[tag:]number[-number]… at "
                        "character %zu, found '%.20s'",
                        text, (size_t)(at - text) + 1, at);
            return NULL;
        }
    }
}

/* --- binary ------------------------------------------------------------------------------
 *
 * Without tags (sql/rpl_gtid_set.cc, Gtid_set::encode):
 *   u64 groups
 *   groups × { u8 uuid[16]; u64 intervals; intervals × { u64 first; u64 end } }
 *
 * With a tag anywhere, since 8.3: the header's first and last byte are the
 * format, the number of groups stands between them, and after each UUID comes
 * the tag as a varint length (one byte: the length doubled) and its characters:
 *   u8 1; u48 groups; u8 1
 *   groups × { u8 uuid[16]; u8 length * 2; char tag[length]; u64 intervals; … }
 *
 * All little-endian; end is exclusive.
 */

#define FORMAT_TAGGED 1

static bool
set_has_tags(const struct gtid_set *set)
{
    for (guint i = 0; i < set->groups->len; i++)
        if (gtid_set_group(set, i)->tag[0] != '\0')
            return true;
    return false;
}

static void
append_u64(GByteArray *bytes, uint64_t value)
{
    uint64_t little = GUINT64_TO_LE(value);
    g_byte_array_append(bytes, (const uint8_t *)&little, sizeof little);
}

GByteArray *
gtid_set_encode(const struct gtid_set *set)
{
    GByteArray *bytes = g_byte_array_new();
    bool tagged = set_has_tags(set);
    uint64_t groups = set->groups->len;
    append_u64(bytes,
               tagged ? (uint64_t)FORMAT_TAGGED << 56 | groups << 8 | FORMAT_TAGGED : groups);
    for (guint i = 0; i < set->groups->len; i++) {
        const struct gtid_group *group = gtid_set_group(set, i);
        g_byte_array_append(bytes, group->uuid, 16);
        if (tagged) {
            size_t length = strlen(group->tag);
            uint8_t doubled = (uint8_t)(length * 2);
            g_byte_array_append(bytes, &doubled, 1);
            g_byte_array_append(bytes, (const uint8_t *)group->tag, (guint)length);
        }
        append_u64(bytes, group->intervals->len);
        for (guint j = 0; j < group->intervals->len; j++) {
            append_u64(bytes, (uint64_t)gtid_group_interval(group, j)->first);
            append_u64(bytes, (uint64_t)gtid_group_interval(group, j)->end);
        }
    }
    return bytes;
}

/* One group into the set. False when malformed. */
static bool
decode_group(struct cursor *cursor, bool tagged, struct gtid_set *set)
{
    const uint8_t *uuid = cursor_bytes(cursor, 16);
    char tag[GTID_TAG_MAX + 1] = "";
    if (tagged) {
        uint64_t doubled = cursor_uint(cursor, 1);
        size_t length = (size_t)(doubled >> 1);
        const uint8_t *name = cursor_bytes(cursor, length);
        if ((doubled & 1) != 0 || name == NULL || !gtid_tag_take((const char *)name, length, tag))
            return false;
    }
    uint64_t intervals = cursor_uint(cursor, 8);
    if (cursor->failed || uuid == NULL || intervals == 0 || intervals > cursor_left(cursor) / 16)
        return false;
    uint64_t previous_end = 0;
    for (uint64_t i = 0; i < intervals; i++) {
        uint64_t first = cursor_uint(cursor, 8);
        uint64_t end = cursor_uint(cursor, 8);
        if (first == 0 || first <= previous_end || end <= first || end > GTID_NUMBER_END)
            return false;
        struct gtid_interval interval = {.first = (int64_t)first, .end = (int64_t)end};
        gtid_set_add_interval(set, uuid, tag, interval);
        previous_end = end;
    }
    return true;
}

struct gtid_set *
gtid_set_decode(const uint8_t *bytes, size_t length, GError **error)
{
    struct cursor cursor = cursor_of(bytes, length);
    uint64_t header = cursor_uint(&cursor, 8);
    uint64_t format = header >> 56;
    uint64_t groups = header;
    bool sound = !cursor.failed && format <= FORMAT_TAGGED;
    if (format == FORMAT_TAGGED) {
        sound = sound && (header & 0xff) == FORMAT_TAGGED;
        groups = header >> 8 & 0xffffffffffff;
    }
    g_autoptr(gtid_set) set = gtid_set_new();
    for (uint64_t i = 0; sound && i < groups; i++)
        sound = decode_group(&cursor, format == FORMAT_TAGGED, set);
    if (!sound || cursor_left(&cursor) != 0) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA, "malformed binary GTID set of %zu bytes",
                    length);
        return NULL;
    }
    return g_steal_pointer(&set);
}
