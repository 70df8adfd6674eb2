/*
 * JSON documents as SQL expressions, for scalars that JSON text has no form for.
 *
 * A document with a DECIMAL in it, written as text, would arrive with a DOUBLE.
 * As an expression every value keeps its type:
 *
 *   JSON_OBJECT(_utf8mb4'price',1.50,_utf8mb4'at',TIMESTAMP'2020-01-02 03:04:05.000000')
 *
 * The whole document is written that way: text for its untyped parts and
 * JSON_REPLACE() for the others takes the server quadratic time, and repeats
 * the keys on the way to every scalar. Commas are the caller's, between the
 * values of an array and between keys and values of an object; integers and
 * null, true and false are written as in JSON.
 *
 * Tried with MySQL 9.7: JSON_TYPE(), the text and the bytes stored are the
 * source's (but for the precision stored beside a DECIMAL, which nothing shows).
 *
 * Pure functions, thread-safe.
 */
#ifndef SCHEMA_JSON_EXPRESSION_H
#define SCHEMA_JSON_EXPRESSION_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Scalars that are told by their type and their text in the document. */
enum json_scalar {
    JSON_SCALAR_DECIMAL,
    JSON_SCALAR_DATE,
    JSON_SCALAR_TIME,
    JSON_SCALAR_DATETIME,
    JSON_SCALAR_TIMESTAMP,
    JSON_SCALAR_INTEGER,
    JSON_SCALAR_UNSIGNED,
};

/* Begins JSON_OBJECT(…): members follow. */
void json_expression_object_begin(GString *sql);
/* Begins JSON_ARRAY(…): elements follow. */
void json_expression_array_begin(GString *sql);
/* Ends either. */
void json_expression_end(GString *sql);

/* Around a document that is a scalar itself: a bare one would be text to the server. */
void json_expression_scalar_begin(GString *sql);
void json_expression_scalar_end(GString *sql);

/* A string or a key: UTF-8, not escaped. */
void json_expression_string_append(GString *sql, const char *bytes, size_t length);

/* A double by its shortest decimal text. */
void json_expression_double_append(GString *sql, const char *text, size_t length);

/* One of the above by its text (without quotes). */
void json_expression_scalar_append(GString *sql, enum json_scalar type, const char *text,
                                   size_t length);

/* A binary scalar ("base64:type<N>:…" in JSON text): `column_type` is N, a
 * MYSQL_TYPE_*. False, and nothing appended, when no expression makes one of that type. */
G_GNUC_WARN_UNUSED_RESULT bool json_expression_bytes_append(GString *sql, unsigned column_type,
                                                            const void *bytes, size_t length);

#endif
