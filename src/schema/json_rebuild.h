/*
 * Documents read as text, written again with the types that their text lost.
 *
 * Beside the text the server gives marks: which scalars are of a type that the
 * text does not tell, as a JSON array of "<number> <JSON_TYPE> <CRC32 of its text>".
 */
#ifndef SCHEMA_JSON_REBUILD_H
#define SCHEMA_JSON_REBUILD_H

#include <glib.h>
#include <stdbool.h>

#include "schema/column_text.h"
#include "schema/table.h"

/* Appends a SELECT expression that gives the marks of a JSON column's document; NULL when its
 * text is the whole truth. */
void json_marks_select_append(GString *sql, const struct column *column);

/*
 * Appends the SQL expression (schema/json_expression.h) of a document by its text
 * and its marks. MT_ERROR_DATA when a scalar is of a type that no expression
 * makes, or when marks and text do not fit together. Pure, thread-safe.
 */
G_GNUC_WARN_UNUSED_RESULT bool json_rebuild_append(GString *sql, struct column_text document,
                                                   struct column_text marks, GError **error);

#endif
