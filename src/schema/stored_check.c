#include "schema/stored_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "mysql/quote.h"
#include "schema/key.h"
#include "schema/row_name.h"

struct stored_check {
    const struct moved_table *table;
    GArray *identity; /* unsigned: columns that tell which row, and which version of it */
    GArray *compared; /* unsigned: columns to compare */
    GString *where;
    GString *lines; /* a line a row: the fields of both lists, as LOAD DATA has them */
    unsigned rows;
    struct column_text *values;
};

/* A line: first what identifies the row, then what is compared. */
struct line {
    const char *start;
    size_t identity_length;
    size_t length;
};

bool
stored_check_wanted(const struct table *table)
{
    for (unsigned i = 0; i < table->columns->len; i++)
        if (table_column(table, i)->compared)
            return true;
    return false;
}

struct stored_check *
stored_check_new(const struct moved_table *table, bool whole)
{
    struct stored_check *check = g_new0(struct stored_check, 1);
    const struct table *source = table->source;
    check->table = table;
    check->identity = g_array_new(FALSE, FALSE, sizeof(unsigned));
    check->compared = g_array_new(FALSE, FALSE, sizeof(unsigned));
    check->where = g_string_new(NULL);
    check->lines = g_string_new(NULL);
    check->values = g_new0(struct column_text, source->columns->len);
    for (unsigned i = 0; i < source->columns->len; i++) {
        if (table_column(source, i)->compared)
            g_array_append_val(check->compared, i);
        else if (whole && !table_column(source, i)->generated)
            g_array_append_val(check->identity, i);
    }
    if (!whole)
        g_array_append_vals(check->identity, source->key_columns->data, source->key_columns->len);
    return check;
}

void
stored_check_free(struct stored_check *check)
{
    if (check == NULL)
        return;
    g_array_unref(check->identity);
    g_array_unref(check->compared);
    g_string_free(check->where, TRUE);
    g_string_free(check->lines, TRUE);
    g_free(check->values);
    g_free(check);
}

struct column_text *
stored_check_row(struct stored_check *check)
{
    return check->values;
}

static void
append_field(GString *line, const struct column *column, struct column_text text)
{
    if (!column_load_append(line, column, text))
        g_string_append_c(line, '?'); /* refused by whoever writes it */
    g_string_append_c(line, '\t');
}

static void
append_fields(const struct stored_check *check, const GArray *columns,
              const struct column_text *values, GString *line)
{
    for (unsigned i = 0; i < columns->len; i++) {
        unsigned index = g_array_index(columns, unsigned, i);
        append_field(line, table_column(check->table->source, index), values[index]);
    }
}

static void
key_parts(const struct table *table, const struct column_text *values,
          struct column_text parts[KEY_PARTS_MAX])
{
    g_assert(table->key_columns->len <= KEY_PARTS_MAX);
    for (unsigned part = 0; part < table->key_columns->len; part++)
        parts[part] = values[table_key_column_index(table, part)];
}

void
stored_check_add(struct stored_check *check, const struct column_text *values)
{
    const struct table *table = check->table->source;
    struct column_text parts[KEY_PARTS_MAX];
    key_parts(table, values, parts);
    if (check->rows == 0)
        key_in_begin(check->where, table);
    key_in_append(check->where, table, parts, check->rows == 0);
    append_fields(check, check->identity, values, check->lines);
    append_fields(check, check->compared, values, check->lines);
    g_string_append_c(check->lines, '\n');
    check->rows++;
}

/* Bytes of the line's first `fields` fields, each with the tab that ends it. */
static size_t
fields_length(const char *line, size_t length, unsigned fields)
{
    size_t i = 0;
    for (; i < length && fields > 0; i++) {
        if (line[i] == '\\')
            i++;
        else if (line[i] == '\t')
            fields--;
    }
    return MIN(i, length);
}

static int
compare_lines(const void *one, const void *other)
{
    const struct line *a = one;
    const struct line *b = other;
    size_t length = MIN(a->identity_length, b->identity_length);
    int order = memcmp(a->start, b->start, length);
    return order != 0 ? order
                      : (a->identity_length > b->identity_length) -
                            (a->identity_length < b->identity_length);
}

static struct line
line_of(const struct stored_check *check, const char *start, size_t length)
{
    return (struct line){.start = start,
                         .length = length,
                         .identity_length = fields_length(start, length, check->identity->len)};
}

/* The lines by identity. The caller frees them. */
static struct line *
sorted_lines(const struct stored_check *check)
{
    struct line *lines = g_new(struct line, check->rows);
    const char *start = check->lines->str;
    const char *end = start + check->lines->len;
    for (unsigned i = 0; i < check->rows; i++) {
        const char *stop = start;
        while (stop < end && *stop != '\n')
            stop += *stop == '\\' ? 2 : 1;
        lines[i] = line_of(check, start, (size_t)(stop - start));
        start = stop + 1;
    }
    qsort(lines, check->rows, sizeof *lines, compare_lines);
    return lines;
}

static void
append_select_list(const struct stored_check *check, const GArray *columns, GString *sql)
{
    for (unsigned i = 0; i < columns->len; i++) {
        unsigned index = g_array_index(columns, unsigned, i);
        g_string_append(sql, g_str_has_suffix(sql->str, "SELECT ") ? "" : ",");
        column_select_append(sql, table_column(check->table->source, index));
    }
}

/* The first compared column in which two lines differ. */
static const struct column *
column_that_differs(const struct stored_check *check, const struct line *one,
                    const struct line *other)
{
    unsigned i = 0;
    for (; i + 1 < check->compared->len; i++) {
        unsigned fields = check->identity->len + i + 1;
        size_t a = fields_length(one->start, one->length, fields);
        if (a != fields_length(other->start, other->length, fields) ||
            memcmp(one->start, other->start, a) != 0)
            break;
    }
    return table_column(check->table->source, g_array_index(check->compared, unsigned, i));
}

static void
refuse(const struct stored_check *check, const struct column *column,
       const struct column_text *values, GError **error)
{
    const struct table *table = check->table->source;
    struct column_text parts[KEY_PARTS_MAX];
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "the target computes another value for the STORED column `%s` than the source has: "
                "its expression depends on settings of the session that wrote the row (sql_mode, "
                "lc_time_names and the like). Write the row again on the source with "
                "sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES' and the "
                "target's settings, or drop the column for the time of the move",
                column->name);
    key_parts(table, values, parts);
    row_name_prefix(error, table, parts);
}

/* A row of the SELECT: as what was added has it, or of another version. */
static bool
check_row(const struct stored_check *check, const struct line *lines, char **texts,
          const unsigned long *lengths, GString *scratch, GError **error)
{
    struct column_text *values = check->values;
    const GArray *lists[] = {check->identity, check->compared};
    unsigned field = 0;
    for (unsigned list = 0; list < G_N_ELEMENTS(lists); list++)
        for (unsigned i = 0; i < lists[list]->len; i++, field++)
            values[g_array_index(lists[list], unsigned, i)] = (struct column_text){
                .data = texts[field], .length = lengths[field]};
    g_string_truncate(scratch, 0);
    append_fields(check, check->identity, values, scratch);
    append_fields(check, check->compared, values, scratch);
    struct line line = line_of(check, scratch->str, scratch->len);
    const struct line *added = bsearch(&line, lines, check->rows, sizeof *lines, compare_lines);
    if (added == NULL ||
        (added->length == line.length && memcmp(added->start, line.start, line.length) == 0))
        return true;
    refuse(check, column_that_differs(check, added, &line), values, error);
    return false;
}

bool
stored_check_run(struct stored_check *check, struct conn *conn, GError **error)
{
    if (check->rows == 0)
        return true;
    g_autoptr(GString) sql = g_string_new("SELECT ");
    append_select_list(check, check->identity, sql);
    append_select_list(check, check->compared, sql);
    g_string_append(sql, " FROM ");
    quote_table(sql, check->table->to_schema, check->table->to_table);
    g_string_append_printf(sql, " WHERE %s", check->where->str);
    key_in_end(sql, check->table->source);
    g_autofree struct line *lines = sorted_lines(check);
    g_autoptr(GString) scratch = g_string_new(NULL);
    char **texts;
    unsigned long *lengths;
    if (!conn_rows_begin(conn, sql->str, sql->len, error))
        return false;
    int more;
    bool equal = true;
    while (equal && (more = conn_row_next(conn, &texts, &lengths, error)) == 1)
        equal = check_row(check, lines, texts, lengths, scratch, error);
    conn_rows_end(conn);
    return equal && more == 0;
}
