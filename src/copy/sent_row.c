#include "copy/sent_row.h"

#include <string.h>

#include "base/error.h"
#include "copy/copier_int.h"
#include "copy/select.h"
#include "schema/key.h"
#include "schema/row_name.h"

/* A row or a field of what was sent. */
struct span {
    const char *start;
    size_t length;
};

/* The number in "… at row 3"; 0: the message has none. */
static unsigned
row_in_words(const char *message)
{
    static const char words[] = " at row ";
    const char *found = g_strrstr(message, words);
    guint64 row = found != NULL ? g_ascii_strtoull(found + sizeof words - 1, NULL, 10) : 0;
    return row <= G_MAXUINT ? (unsigned)row : 0;
}

/* The bytes up to the first `stop` (or one of two) that is in no string and in no parentheses. */
static size_t
sql_span(const char *sql, size_t length, const char *stops)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        if (quoted && sql[i] == '\\') {
            i++;
        } else if (sql[i] == '\'') {
            quoted = !quoted;
        } else if (!quoted) {
            if (depth == 0 && sql[i] != '\0' && strchr(stops, sql[i]) != NULL)
                return i;
            depth += sql[i] == '(';
            depth -= sql[i] == ')' && depth > 0;
        }
    }
    return length;
}

/* LOAD DATA: a tab that no backslash escapes ends a field. */
static size_t
field_span(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\\')
            i++;
        else if (line[i] == '\t')
            return i;
    }
    return length;
}

/* The next row of `rest`, which is moved behind it. Of an INSERT without its parentheses. */
static bool
next_row(const struct sent_rows *sent, struct span *rest, struct span *ret_row)
{
    if (!sent->is_insert) {
        size_t length = load_slice_length(rest->start, rest->length, 1);
        *ret_row = (struct span){.start = rest->start, .length = length > 0 ? length - 1 : 0};
        rest->start += length;
        rest->length -= length;
        return length > 0;
    }
    size_t before = rest->length > 0 && *rest->start == ',' ? 1 : 0;
    if (rest->length <= before || rest->start[before] != '(')
        return false;
    const char *start = rest->start + before + 1;
    size_t left = rest->length - before - 1;
    size_t length = sql_span(start, left, ")");
    if (length == left)
        return false;
    *ret_row = (struct span){.start = start, .length = length};
    rest->start = start + length + 1;
    rest->length = left - length - 1;
    return true;
}

/* The rows alone: of an INSERT what is behind its head. */
static bool
begin_rows(const struct sent_rows *sent, struct span *ret_rest)
{
    *ret_rest = (struct span){.start = sent->bytes, .length = sent->length};
    if (!sent->is_insert)
        return true;
    g_autoptr(GString) head = g_string_new(NULL);
    insert_head_append(head, sent->table);
    if (sent->length < head->len)
        return false;
    ret_rest->start += head->len;
    ret_rest->length -= head->len;
    return true;
}

/* The row of that number, counted from 1. */
static bool
find_row(const struct sent_rows *sent, unsigned number, struct span *ret_row)
{
    struct span rest;
    if (!begin_rows(sent, &rest))
        return false;
    for (unsigned at = 1; next_row(sent, &rest, ret_row); at++)
        if (at == number)
            return true;
    return false;
}

bool
sent_rows_next(const struct sent_rows *sent, struct sent_place *place, GString *statement,
               struct sent_rows *ret_row)
{
    struct span rest;
    struct span row;
    if (!begin_rows(sent, &rest))
        return false;
    const char *first = rest.start;
    rest.start += place->offset;
    rest.length -= place->offset;
    if (!next_row(sent, &rest, &row))
        return false;
    place->offset = (size_t)(rest.start - first);
    *ret_row = *sent;
    ret_row->is_one_row = true;
    ret_row->bytes = row.start;
    ret_row->length = row.length + 1; /* with the newline */
    if (!sent->is_insert)
        return true;
    g_string_truncate(statement, 0);
    insert_head_append(statement, sent->table);
    g_string_append_c(statement, '(');
    g_string_append_len(statement, row.start, (gssize)row.length);
    g_string_append_c(statement, ')');
    insert_tail_append(statement, sent->table);
    ret_row->bytes = statement->str;
    ret_row->length = statement->len;
    return true;
}

/* The field of a column, as it was sent. */
static struct span
find_field(const struct sent_rows *sent, struct span row, unsigned index)
{
    const struct table *table = sent->table->source;
    for (unsigned i = 0;; i++) {
        bool written = !table_column(table, i)->generated;
        size_t length = sent->is_insert ? sql_span(row.start, row.length, ",")
                                        : field_span(row.start, row.length);
        if (i == index)
            return (struct span){.start = row.start, .length = length};
        size_t passed = written ? MIN(row.length, length + 1) : 0;
        row.start += passed;
        row.length -= passed;
    }
}

/* `_binary'…'` and `'…'` without what is around the string. */
static struct span
without_quotes(struct span literal)
{
    const char *quote = memchr(literal.start, '\'', literal.length);
    if (quote == NULL)
        return literal;
    size_t before = (size_t)(quote - literal.start) + 1;
    return (struct span){.start = quote + 1,
                         .length = literal.length > before ? literal.length - before - 1 : 0};
}

/* The escapes of LOAD DATA and of literals taken back. */
static void
append_unescaped(GString *text, struct span field)
{
    for (size_t i = 0; i < field.length; i++) {
        char byte = field.start[i];
        if (byte == '\\' && i + 1 < field.length) {
            byte = field.start[++i];
            byte = byte == 't' ? '\t' : byte == 'n' ? '\n' : byte == '0' ? '\0' : byte;
        }
        g_string_append_c(text, byte);
    }
}

static void
name_row(const struct sent_rows *sent, struct span row, GError **error)
{
    const struct table *table = sent->table->source;
    struct column_text parts[KEY_PARTS_MAX];
    unsigned count = table->key_columns->len;
    g_autoptr(GString) texts = g_string_sized_new(row.length + 1); /* nothing moves it */
    g_assert(count <= KEY_PARTS_MAX);
    for (unsigned part = 0; part < count; part++) {
        struct span field = find_field(sent, row, table_key_column_index(table, part));
        gsize start = texts->len;
        append_unescaped(texts, sent->is_insert ? without_quotes(field) : field);
        parts[part] = (struct column_text){.data = texts->str + start,
                                           .length = texts->len - start};
    }
    row_name_prefix(error, table, parts);
}

void
sent_row_name(const struct sent_rows *sent, GError **error)
{
    if (!g_error_matches(*error, MT_ERROR, MT_ERROR_DATA) &&
        !g_error_matches(*error, MT_ERROR, MT_ERROR_TARGET))
        return;
    bool is_data = g_error_matches(*error, MT_ERROR, MT_ERROR_DATA);
    unsigned number = sent->is_one_row ? 1 : row_in_words((*error)->message);
    struct span row;
    if (number > 0 && find_row(sent, number, &row))
        name_row(sent, row, error);
    else if (!is_data)
        row_name_prefix(error, sent->table->source, NULL);
}
