/*
 * Values of a row image as column text (schema/column_text.h).
 *
 * Pure. Strings and blobs are returned in place; numbers, times and JSON are
 * written to the caller's scratch. What cannot be told exactly is an error
 * that names the column (MT_ERROR_DATA), never an approximation.
 */
#ifndef BINLOG_VALUE_H
#define BINLOG_VALUE_H

#include <glib.h>
#include <stdbool.h>

#include "binlog/rows.h"
#include "schema/column_text.h"

/*
 * Reads a whole image: ret_values[i] for every column i of the layout (NULL
 * columns get data == NULL; generated columns are skipped and get NULL too, but for those to compare).
 * `scratch` is emptied first and holds the formatted values until the next
 * call; ret_values has room for layout->columns_count.
 */
G_GNUC_WARN_UNUSED_RESULT bool row_values_read(const struct row_layout *layout,
                                               struct row_image image, GString *scratch,
                                               struct column_text *ret_values, GError **error);

/* As row_values_read() for the key's columns only: ret_values[k] for key part k. */
G_GNUC_WARN_UNUSED_RESULT bool row_key_values_read(const struct row_layout *layout,
                                                   struct row_image image, GString *scratch,
                                                   struct column_text *ret_values, GError **error);

/*
 * Appends a binary JSON document (json_binary.h of the server) as text; where it
 * holds a scalar whose type text cannot carry (DECIMAL, temporal, binary, an
 * unsigned integer that text would make signed), as the SQL expression that makes
 * it (schema/json_expression.h), with *ret_is_expression set. False with MT_ERROR_DATA when malformed, or when a
 * scalar is of a type that no expression makes (the message names it).
 */
G_GNUC_WARN_UNUSED_RESULT bool json_binary_append(GString *text, const uint8_t *bytes,
                                                  size_t length, bool *ret_is_expression,
                                                  GError **error);

#endif
