#include "mysql/quote.h"

#include <stdbool.h>
#include <string.h>

void
quote_identifier(GString *sql, const char *name)
{
    g_string_append_c(sql, '`');
    for (const char *p = name; *p != '\0'; p++) {
        if (*p == '`')
            g_string_append_c(sql, '`');
        g_string_append_c(sql, *p);
    }
    g_string_append_c(sql, '`');
}

void
quote_table(GString *sql, const char *schema, const char *table)
{
    quote_identifier(sql, schema);
    g_string_append_c(sql, '.');
    quote_identifier(sql, table);
}

enum { BLOCK_BYTES = 16 };

static inline bool
needs_escape(unsigned char byte)
{
    return (byte == '\'') | (byte == '\\') | (byte == '\0');
}

/* Without a branch per byte and in bytes, so that the compiler makes vector code of it. */
static inline bool
block_needs_escape(const char *bytes)
{
    unsigned char found = 0;
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        found |= needs_escape((unsigned char)bytes[i]);
    return found != 0;
}

/* The first byte from `bytes` on that needs an escape, or `end`. */
static const char *
find_escape(const char *bytes, const char *end)
{
    while (end - bytes >= BLOCK_BYTES && !block_needs_escape(bytes))
        bytes += BLOCK_BYTES;
    while (bytes < end && !needs_escape((unsigned char)*bytes))
        bytes++;
    return bytes;
}

/* Appends the bytes with ', \ and NUL escaped: the three that a string literal needs. */
static void
append_escaped(GString *sql, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    for (;;) {
        const char *special = find_escape(bytes, end);
        g_string_append_len(sql, bytes, special - bytes);
        if (special == end)
            return;
        g_string_append_c(sql, '\\');
        g_string_append_c(sql, *special == '\0' ? '0' : *special);
        bytes = special + 1;
    }
}

void
quote_string(GString *sql, const char *text)
{
    if (text == NULL) {
        g_string_append(sql, "NULL");
        return;
    }
    g_string_append_c(sql, '\'');
    append_escaped(sql, text, strlen(text));
    g_string_append_c(sql, '\'');
}

void
quote_utf8(GString *sql, const char *text, size_t length)
{
    g_string_append(sql, "_utf8mb4'");
    append_escaped(sql, text, length);
    g_string_append_c(sql, '\'');
}

void
quote_bytes(GString *sql, const char *bytes, size_t length)
{
    g_string_append(sql, "_binary'");
    append_escaped(sql, bytes, length);
    g_string_append_c(sql, '\'');
}

void
quote_hex(GString *sql, const void *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    g_string_append(sql, "x'");
    size_t start = sql->len;
    g_string_set_size(sql, start + 2 * length);
    for (size_t i = 0; i < length; i++) {
        sql->str[start + 2 * i] = digits[p[i] >> 4];
        sql->str[start + 2 * i + 1] = digits[p[i] & 15];
    }
    g_string_append_c(sql, '\'');
}

char *
quoted_table(const char *schema, const char *table)
{
    GString *sql = g_string_new(NULL);
    quote_table(sql, schema, table);
    return g_string_free(sql, FALSE);
}

char *
quoted_string(const char *text)
{
    GString *sql = g_string_new(NULL);
    quote_string(sql, text);
    return g_string_free(sql, FALSE);
}
