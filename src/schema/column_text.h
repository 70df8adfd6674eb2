/*
 * The one textual form of a value, shared by both paths.
 *
 * Bulk copy reads it from the server (the SELECT expression below); the binlog
 * decoder produces the same bytes from a row image (binlog/value.h). From
 * there one set of functions writes it: as literal, as key literal, or as a
 * field of LOAD DATA. So a value cannot depend on the path that it took.
 *
 *   integers, DECIMAL   decimal text as MySQL prints it
 *   FLOAT, DOUBLE       shortest decimal text that gives the same double back
 *                       (FLOAT: the value widened to double)
 *   BIT, ENUM, SET      unsigned decimal: the bits, the ordinal, the bitmap
 *   YEAR                four digits
 *   DATE … TIMESTAMP    MySQL's text with the column's fraction digits, in UTC
 *   CHAR, VARCHAR, TEXT the column's own bytes in its own character set
 *   BINARY(n)           n bytes: padded
 *   VARBINARY, BLOB     the bytes
 *   JSON                text in utf8mb4; where that does not tell a scalar's type,
 *                       a SQL expression (is_expression)
 *   GEOMETRY, VECTOR    the stored bytes (SRID + WKB; floats)
 *
 * Pure functions, thread-safe.
 */
#ifndef SCHEMA_COLUMN_TEXT_H
#define SCHEMA_COLUMN_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "schema/table.h"

/* A value: data == NULL is SQL NULL. Borrowed bytes. */
struct column_text {
    const char *data;
    size_t length;
    bool is_expression; /* SQL for a target session that makes the value: for literals only */
};

/* Appends the SELECT expression that gives the text form on a source session. */
void column_select_append(GString *sql, const struct column *column);

/*
 * Appends a SELECT expression that is not NULL when the column's value cannot be
 * told by its text alone: then it gives what is missing, for json_rebuild_append()
 * (schema/json_rebuild.h). False, and nothing appended, for columns whose text is
 * always exact. For the select list only: in WHERE the server's optimizer
 * evaluates it wrongly.
 */
bool column_guard_append(GString *sql, const struct column *column);

/* Appends a literal for INSERT/REPLACE VALUES on a target session. False, and nothing
 * appended: the column would store another value, see column_real_refuse(). */
G_GNUC_WARN_UNUSED_RESULT bool column_literal_append(GString *sql, const struct column *column,
                                                     struct column_text text);

/* Appends a literal that compares with the column under the column's own
 * collation and can use its index, on either side. */
void column_key_literal_append(GString *sql, const struct column *column, struct column_text text);

/* Appends the value as a field of LOAD DATA's default format (\N, \\, \t, \n
 * escaped), without terminator. False as of column_literal_append(). */
G_GNUC_WARN_UNUSED_RESULT bool column_load_append(GString *file, const struct column *column,
                                                  struct column_text text);

/* Of an ENUM column's value: true for its error value. A literal keeps it, LOAD DATA warns of it (1265). */
bool column_is_enum_zero(struct column_text text);

/* LOAD DATA's column list: appends `col` or @vN to list; where a variable is
 * needed also appends "`col` = expression(@vN)" to assignments. */
void column_load_target_append(GString *list, GString *assignments, const struct column *column,
                               unsigned number);

/* True when the column may be part of the chosen key (FLOAT, JSON, a SET of over 53 members may not). */
bool column_type_allowed_in_key(const struct column *column);

#endif
