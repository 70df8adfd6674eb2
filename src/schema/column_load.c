/*
 * LOAD DATA's default format (manual, "LOAD DATA Statement", FIELDS ESCAPED BY):
 * fields end with a tab, lines with a newline, a backslash escapes, \N is NULL.
 * The statement says CHARACTER SET binary, so bytes pass unchanged.
 */
#include "schema/column_text.h"

#include <string.h>

#include "mysql/quote.h"
#include "schema/column_form.h"
#include "schema/column_real.h"
#include "schema/lost_dates.h"

enum { BLOCK_BYTES = 16 };

static inline bool
needs_escape(unsigned char byte)
{
    return (byte == '\\') | (byte == '\t') | (byte == '\n');
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

static void
append_escaped_byte(GString *file, char byte)
{
    if (!needs_escape((unsigned char)byte)) {
        g_string_append_c(file, byte);
        return;
    }
    g_string_append_c(file, '\\');
    g_string_append_c(file, byte == '\t' ? 't' : byte == '\n' ? 'n' : byte);
}

static void
append_escaped(GString *file, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    const char *clean = bytes; /* from here to `bytes` nothing needs an escape */
    while ((size_t)(end - bytes) >= BLOCK_BYTES) {
        if (block_needs_escape(bytes)) {
            g_string_append_len(file, clean, bytes - clean);
            for (size_t i = 0; i < BLOCK_BYTES; i++)
                append_escaped_byte(file, bytes[i]);
            clean = bytes + BLOCK_BYTES;
        }
        bytes += BLOCK_BYTES;
    }
    for (; bytes < end; bytes++)
        if (needs_escape((unsigned char)*bytes)) {
            g_string_append_len(file, clean, bytes - clean);
            append_escaped_byte(file, *bytes);
            clean = bytes + 1;
        }
    g_string_append_len(file, clean, end - clean);
}

/* Whether the text can hold any byte. */
static bool
text_is_free(const struct column *column)
{
    enum column_form form = column_form(column->type);
    return form == FORM_STRING || form == FORM_LONG;
}

bool
column_load_append(GString *file, const struct column *column, struct column_text text)
{
    char buffer[COLUMN_REAL_BYTES];
    if ((column->fixed_digits && !column_real_fit(column, buffer, &text)) ||
        lost_dates_holds(column, text))
        return false;
    if (text.data == NULL)
        g_string_append_len(file, "\\N", 2);
    else if (text_is_free(column))
        append_escaped(file, text.data, text.length);
    else
        g_string_append_len(file, text.data, (gssize)text.length);
    return true;
}

void
column_load_target_append(GString *list, GString *assignments, const struct column *column,
                          unsigned number)
{
    bool is_number = column_form(column->type) == FORM_ORDINAL;
    if (!is_number && column->type != COLUMN_JSON) {
        quote_identifier(list, column->name);
        return;
    }
    g_string_append_printf(list, "@v%u", number);
    if (assignments->len > 0)
        g_string_append(assignments, ", ");
    quote_identifier(assignments, column->name);
    if (is_number)
        /* As text, '1' would be the bits 0x31, or a label named 1. */
        g_string_append_printf(assignments, " = CAST(@v%u AS UNSIGNED)", number);
    else
        /* A binary string is refused for JSON (error 3144). */
        g_string_append_printf(assignments, " = CONVERT(@v%u USING utf8mb4)", number);
}
