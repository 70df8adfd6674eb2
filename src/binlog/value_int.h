/*
 * Writers of column text from stored bytes, one for each kind of value. Each
 * appends to text; lengths were checked by the layout. False only where the
 * bytes can be wrong in themselves; then *ret_problem says how, and what was
 * appended is of no use.
 */
#ifndef BINLOG_VALUE_INT_H
#define BINLOG_VALUE_INT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "binlog/layout_int.h"

/* Decimal digits of a number. */
void text_append_unsigned(GString *text, uint64_t value);
void text_append_signed(GString *text, int64_t value);
/* The same with leading zeros up to `digits` (at most 20). */
void text_append_padded(GString *text, uint64_t value, unsigned digits);

/* As MySQL prints a DOUBLE: the least digits that give the same double back,
 * without exponent from 1e-15 up to 1e15, and above while there is a fraction. False: not a finite number. */
G_GNUC_WARN_UNUSED_RESULT bool text_append_double(GString *text, double value);

/* The double stored in 8 little-endian bytes, the float in 4. */
double double_from_bytes(const uint8_t *bytes);
double float_from_bytes(const uint8_t *bytes);

/* DECIMAL(precision, scale) from decimal_stored_bytes() bytes. */
G_GNUC_WARN_UNUSED_RESULT bool decimal_append(GString *text, const uint8_t *bytes,
                                              unsigned precision, unsigned scale,
                                              const char **ret_problem);

/* 3 bytes. */
void date_append(GString *text, const uint8_t *bytes);
/* 3, 5, 4 bytes and fraction_bytes(fsp). */
void time_append(GString *text, const uint8_t *bytes, unsigned fsp);
void datetime_append(GString *text, const uint8_t *bytes, unsigned fsp);
void timestamp_append(GString *text, const uint8_t *bytes, unsigned fsp);

/*
 * A scalar of a JSON document that is stored as a column's value, as the SQL
 * expression that makes it. NULL, or what is wrong with it ("which …"): then
 * nothing useful was appended.
 */
G_GNUC_WARN_UNUSED_RESULT const char *json_opaque_append(GString *sql, unsigned column_type,
                                                         const uint8_t *bytes, size_t length);

#endif
