/*
 * Binary JSON documents (sql-common/json_binary.h of the server) as the text
 * that the server prints for them, or as the SQL expression that makes them.
 *
 *   document   1 type, value
 *   container  count | bytes | key entries | value entries | keys | values
 *              (count, bytes and offsets are 2 bytes wide in small containers
 *              and 4 in large ones; offsets count from the container's start)
 *   key entry  offset | 2 length            (objects only)
 *   value entry  1 type | offset, or the value itself where it is no wider
 *   string     length in 7-bit groups, lowest first | utf8mb4
 *   opaque     1 column type | length as above | bytes
 *
 * A document comes from the network: every offset is checked, and what is read
 * is counted. Parts of a real document never overlap, so more bytes read than
 * the document has mean offsets that were made to multiply the work.
 */
#include "binlog/value.h"

#include <string.h>

#include "base/error.h"
#include "binlog/layout_int.h"
#include "binlog/value_int.h"
#include "schema/json_expression.h"

/* The server's own limit (JSON_DOCUMENT_MAX_DEPTH) of containers within each other. */
#define DEPTH_MAX 100

#define PATH_SHOWN_BYTES_MAX 200

enum json_type {
    JSON_SMALL_OBJECT = 0x00,
    JSON_LARGE_OBJECT = 0x01,
    JSON_SMALL_ARRAY = 0x02,
    JSON_LARGE_ARRAY = 0x03,
    JSON_LITERAL = 0x04,
    JSON_INT16 = 0x05,
    JSON_UINT16 = 0x06,
    JSON_INT32 = 0x07,
    JSON_UINT32 = 0x08,
    JSON_INT64 = 0x09,
    JSON_UINT64 = 0x0a,
    JSON_DOUBLE = 0x0b,
    JSON_STRING = 0x0c,
    JSON_OPAQUE = 0x0f,
};

enum json_literal { JSON_NULL = 0, JSON_TRUE = 1, JSON_FALSE = 2 };

/* One container on the way from the document to the value being read. */
struct json_level {
    const struct json_level *parent;
    unsigned depth;
    const char *key; /* NULL in arrays */
    size_t key_length;
    uint32_t element;
};

/*
 * A document is read as text first, until a scalar shows that text is not enough:
 * then it is read again, as an expression.
 */
struct json_reader {
    GString *text;
    size_t budget; /* bytes of the document not accounted for yet */
    bool as_sql;
    bool needs_sql; /* the text was given up; no error is set */
    GError **error;
};

/* A container whose entries are being read. */
struct json_container {
    const uint8_t *bytes;
    size_t length;
    size_t width;      /* of count, bytes and offsets */
    size_t head_bytes; /* up to and including the value entries */
    bool is_object;
    uint32_t count;
};

static bool append_json(struct json_reader *reader, unsigned type, struct cursor value,
                        const struct json_level *level);

static void
append_path(GString *path, const struct json_level *level)
{
    if (level == NULL)
        return;
    append_path(path, level->parent);
    if (level->key == NULL)
        g_string_append_printf(path, "[%u]", level->element);
    else
        g_string_append(path, ".*"); /* a member's name is the row's, as its value is */
}

static bool
malformed(struct json_reader *reader, const struct json_level *level, const char *what)
{
    g_autoptr(GString) path = g_string_new("$");
    append_path(path, level);
    if (path->len > PATH_SHOWN_BYTES_MAX)
        g_string_truncate(path, PATH_SHOWN_BYTES_MAX);
    g_autofree char *shown = g_utf8_make_valid(path->str, -1);
    g_set_error(reader->error, MT_ERROR, MT_ERROR_DATA, "malformed JSON document at %s: %s", shown,
                what);
    return false;
}

/* Accounts for bytes read. False when more were read than the document has. */
static bool
spend(struct json_reader *reader, size_t bytes)
{
    if (bytes > reader->budget)
        return false;
    reader->budget -= bytes;
    return true;
}

/* A length in groups of seven bits, the lowest first; all but the last have the high bit. */
static size_t
take_length(struct cursor *value)
{
    uint64_t length = 0;
    for (unsigned i = 0; i < 5; i++) {
        uint64_t byte = cursor_uint(value, 1);
        length |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            if (length > UINT32_MAX)
                value->failed = true;
            return (size_t)length;
        }
    }
    value->failed = true;
    return 0;
}

/* A scalar of a column's type, which text cannot carry: its text is a number or a string. */
static bool
append_opaque(struct json_reader *reader, struct cursor value, const struct json_level *level)
{
    if (!reader->as_sql) {
        reader->needs_sql = true;
        return false;
    }
    unsigned column_type = (unsigned)cursor_uint(&value, 1);
    size_t length = take_length(&value);
    const uint8_t *bytes = cursor_bytes(&value, length);
    if (bytes == NULL || !spend(reader, length + 2))
        return malformed(reader, level, "an opaque value ends too early");
    const char *problem = json_opaque_append(reader->text, column_type, bytes, length);
    if (problem == NULL)
        return true;
    g_autoptr(GString) path = g_string_new("$");
    append_path(path, level);
    g_autofree char *shown = g_utf8_make_valid(path->str, -1);
    g_set_error(reader->error, MT_ERROR, MT_ERROR_DATA,
                "the JSON document holds a value of column type %s (%u) at %s, which %s",
                mysql_type_name((uint8_t)column_type), column_type, shown, problem);
    return false;
}

/* As the server quotes: runs of plain bytes at once. */
static void
append_quoted(GString *text, const uint8_t *bytes, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    size_t plain = 0;
    g_string_append_c(text, '"');
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = bytes[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        g_string_append_len(text, (const char *)bytes + plain, (gssize)(i - plain));
        plain = i + 1;
        static const char short_forms[0x20] = {
            ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
        char escaped[] = "\\u0000";
        if (byte >= 0x20) {
            escaped[1] = (char)byte;
            escaped[2] = '\0';
        } else if (short_forms[byte] != '\0') {
            escaped[1] = short_forms[byte];
            escaped[2] = '\0';
        } else {
            escaped[4] = hex[byte >> 4];
            escaped[5] = hex[byte & 15];
        }
        g_string_append(text, escaped);
    }
    g_string_append_len(text, (const char *)bytes + plain, (gssize)(length - plain));
    g_string_append_c(text, '"');
}

static bool
append_string(struct json_reader *reader, struct cursor value, const struct json_level *level)
{
    size_t length = take_length(&value);
    const uint8_t *bytes = cursor_bytes(&value, length);
    if (bytes == NULL || !spend(reader, length + 1))
        return malformed(reader, level, "a string ends too early");
    if (reader->as_sql)
        json_expression_string_append(reader->text, (const char *)bytes, length);
    else
        append_quoted(reader->text, bytes, length);
    return true;
}

static bool
append_double(struct json_reader *reader, struct cursor value, const struct json_level *level)
{
    const uint8_t *bytes = cursor_bytes(&value, 8);
    gsize start = reader->text->len;
    if (bytes == NULL || !spend(reader, 8))
        return malformed(reader, level, "a number ends too early");
    if (!text_append_double(reader->text, double_from_bytes(bytes)))
        return malformed(reader, level, "a double is not a finite number");
    const char *digits = reader->text->str + start;
    if (reader->as_sql) {
        /* Without an exponent it would be a DECIMAL. */
        if (strchr(digits, 'e') == NULL)
            g_string_append_len(reader->text, "e0", 2);
    } else if (strpbrk(digits, ".e") == NULL) {
        /* 1.0 must not become the integer 1. */
        g_string_append_len(reader->text, ".0", 2);
    }
    return true;
}

static bool
append_literal(struct json_reader *reader, struct cursor value, const struct json_level *level)
{
    switch ((enum json_literal)cursor_uint(&value, 1)) {
    case JSON_NULL:
        if (value.failed)
            break;
        g_string_append_len(reader->text, "null", 4);
        return true;
    case JSON_TRUE:
        g_string_append_len(reader->text, "true", 4);
        return true;
    case JSON_FALSE:
        g_string_append_len(reader->text, "false", 5);
        return true;
    default:
        break;
    }
    return malformed(reader, level, "a literal is none of null, true and false");
}

static bool
append_integer(struct json_reader *reader, unsigned type, struct cursor value,
               const struct json_level *level)
{
    static const uint8_t widths[] = {2, 2, 4, 4, 8, 8};
    unsigned width = widths[type - JSON_INT16];
    uint64_t number = cursor_uint(&value, width);
    if (value.failed)
        return malformed(reader, level, "a number ends too early");
    bool is_signed = type == JSON_INT16 || type == JSON_INT32 || type == JSON_INT64;
    unsigned unused_bits = 64 - 8 * width;
    /* As text, and as a literal, it is unsigned only where it must be; but the greatest signed
     * one is unsigned as text, too. */
    bool typed = is_signed ? width == 8 && number == INT64_MAX : number <= INT64_MAX;
    if (typed && !reader->as_sql) {
        reader->needs_sql = true;
        return false;
    }
    if (is_signed) {
        text_append_signed(reader->text, (int64_t)(number << unused_bits) >> unused_bits);
        return true;
    }
    if (typed)
        g_string_append(reader->text, "CAST(");
    text_append_unsigned(reader->text, number);
    if (typed)
        g_string_append(reader->text, " AS UNSIGNED)");
    return true;
}

/* The key of one entry, quoted. */
static bool
append_key(struct json_reader *reader, const struct json_container *container,
           struct json_level *level)
{
    size_t entry_bytes = container->width + 2;
    struct cursor entry = cursor_of(container->bytes + 2 * container->width +
                                        (size_t)level->element * entry_bytes,
                                    entry_bytes);
    size_t offset = (size_t)cursor_uint(&entry, container->width);
    size_t length = (size_t)cursor_uint(&entry, 2);
    if (offset > container->length || container->length - offset < length || !spend(reader, length))
        return malformed(reader, level->parent, "a key lies outside its object");
    level->key = (const char *)container->bytes + offset;
    level->key_length = length;
    if (reader->as_sql) {
        json_expression_string_append(reader->text, level->key, length);
        g_string_append_c(reader->text, ',');
    } else {
        append_quoted(reader->text, container->bytes + offset, length);
        g_string_append_len(reader->text, ": ", 2);
    }
    return true;
}

/* Literals and 16-bit integers stand in their entry, 32-bit ones only in wide entries. */
static bool
stands_in_entry(unsigned type, size_t width)
{
    return type == JSON_LITERAL || type == JSON_INT16 || type == JSON_UINT16 ||
           (width == 4 && (type == JSON_INT32 || type == JSON_UINT32));
}

static bool
append_element(struct json_reader *reader, const struct json_container *container,
               const struct json_level *level)
{
    size_t width = container->width;
    size_t keys_bytes = container->is_object ? (size_t)container->count * (width + 2) : 0;
    struct cursor entry = cursor_of(container->bytes + 2 * width + keys_bytes +
                                        (size_t)level->element * (1 + width),
                                    1 + width);
    unsigned type = (unsigned)cursor_uint(&entry, 1);
    if (stands_in_entry(type, width))
        return append_json(reader, type, entry, level);
    size_t offset = (size_t)cursor_uint(&entry, width);
    if (offset > container->length)
        return malformed(reader, level, "a value lies outside its container");
    return append_json(reader, type,
                       cursor_of(container->bytes + offset, container->length - offset), level);
}

/* Reads the head. False when the entries do not fit into the container, or it not into the value. */
static bool
container_open(struct json_container *container, unsigned type, struct cursor value)
{
    size_t left = cursor_left(&value);
    container->bytes = value.position;
    container->width = type == JSON_LARGE_OBJECT || type == JSON_LARGE_ARRAY ? 4 : 2;
    container->is_object = type == JSON_SMALL_OBJECT || type == JSON_LARGE_OBJECT;
    container->count = (uint32_t)cursor_uint(&value, container->width);
    container->length = (size_t)cursor_uint(&value, container->width);
    size_t key_bytes = container->is_object ? container->width + 2 : 0;
    container->head_bytes = 2 * container->width +
                            container->count * (key_bytes + container->width + 1);
    return !value.failed && container->length <= left && container->head_bytes <= container->length;
}

static void
append_begin(struct json_reader *reader, bool is_object)
{
    if (!reader->as_sql)
        g_string_append_c(reader->text, is_object ? '{' : '[');
    else if (is_object)
        json_expression_object_begin(reader->text);
    else
        json_expression_array_begin(reader->text);
}

static bool
append_container(struct json_reader *reader, unsigned type, struct cursor value,
                 const struct json_level *parent)
{
    struct json_level level = {.parent = parent, .depth = parent == NULL ? 1 : parent->depth + 1};
    struct json_container container;
    if (!container_open(&container, type, value) || !spend(reader, container.head_bytes))
        return malformed(reader, parent, "a container does not hold together");
    if (level.depth > DEPTH_MAX)
        return malformed(reader, parent, "it is nested too deeply");
    append_begin(reader, container.is_object);
    for (uint32_t i = 0; i < container.count; i++) {
        level.element = i;
        if (i > 0)
            g_string_append_len(reader->text, ", ", reader->as_sql ? 1 : 2);
        if (container.is_object && !append_key(reader, &container, &level))
            return false;
        if (!append_element(reader, &container, &level))
            return false;
    }
    g_string_append_c(reader->text, reader->as_sql ? ')' : container.is_object ? '}' : ']');
    return true;
}

/* A value of the given type at the cursor; level is NULL for the document itself. */
static bool
append_json(struct json_reader *reader, unsigned type, struct cursor value,
            const struct json_level *level)
{
    switch ((enum json_type)type) {
    case JSON_SMALL_OBJECT:
    case JSON_LARGE_OBJECT:
    case JSON_SMALL_ARRAY:
    case JSON_LARGE_ARRAY:
        return append_container(reader, type, value, level);
    case JSON_LITERAL:
        return append_literal(reader, value, level);
    case JSON_INT16:
    case JSON_UINT16:
    case JSON_INT32:
    case JSON_UINT32:
    case JSON_INT64:
    case JSON_UINT64:
        return append_integer(reader, type, value, level);
    case JSON_DOUBLE:
        return append_double(reader, value, level);
    case JSON_STRING:
        return append_string(reader, value, level);
    case JSON_OPAQUE:
        return append_opaque(reader, value, level);
    default:
        return malformed(reader, level, "a value has a type that is not known");
    }
}

static bool
append_as_sql(struct json_reader *reader, unsigned type, struct cursor value)
{
    bool is_scalar = type > JSON_LARGE_ARRAY;
    if (is_scalar)
        json_expression_scalar_begin(reader->text);
    if (!append_json(reader, type, value, NULL))
        return false;
    if (is_scalar)
        json_expression_scalar_end(reader->text);
    return true;
}

bool
json_binary_append(GString *text, const uint8_t *bytes, size_t length, bool *ret_is_expression,
                   GError **error)
{
    struct json_reader reader = {.text = text, .budget = length, .error = error};
    struct cursor document = cursor_of(bytes, length);
    gsize start = text->len;
    *ret_is_expression = false;
    /* What INSERT IGNORE leaves in a NOT NULL column; the server reads it so, too. */
    if (length == 0) {
        g_string_append_len(text, "null", 4);
        return true;
    }
    unsigned type = (unsigned)cursor_uint(&document, 1);
    if (append_json(&reader, type, document, NULL))
        return true;
    if (!reader.needs_sql)
        return false;
    g_string_truncate(text, start);
    reader.budget = length;
    reader.as_sql = true;
    *ret_is_expression = true;
    return append_as_sql(&reader, type, document);
}
