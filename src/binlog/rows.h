/*
 * Row images: where each value stands in the bytes of a rows event.
 *
 * Pure: bytes in, structs out, no I/O. Formats: MySQL Internals,
 * "Table_map_event", "Rows_event"; libs/mysql/binlog/event/rows_event.h.
 */
#ifndef BINLOG_ROWS_H
#define BINLOG_ROWS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/cursor.h"
#include "schema/table.h"

/*
 * One column as the binlog stores it. Every stored value is either of a fixed
 * length or a little-endian length followed by so many bytes, so an image is
 * walked without knowing types.
 */
struct column_layout {
    const struct column *column; /* borrowed from the inspected table */
    uint8_t type;                /* real MYSQL_TYPE_* (ENUM/SET/CHAR taken out of STRING) */
    uint16_t meta;               /* as decoded for that type, see table_map_decode() */
    uint8_t kind;                /* enum value_kind: how its text is made */
    uint8_t prefix_bytes;        /* width of the length before the value; 0: fixed length */
    int8_t key_part;             /* its place in the key, or -1 */
    uint32_t value_bytes;        /* the fixed length, or the greatest one with a prefix */
};

/*
 * How a moved table's row images are read. Compiled from the inspected table
 * and the first TABLE_MAP seen for it; compared with every later one.
 */
struct row_layout {
    const struct table *table; /* borrowed */
    unsigned columns_count;
    struct column_layout *columns;
    unsigned key_parts;    /* 0: the table has no usable key */
    unsigned *key_columns; /* index into columns, in key order */
    unsigned key_span;     /* columns up to and including the key's last one in the image */
    uint8_t *fingerprint;  /* types and metadata as they came: for row_layout_matches() */
    size_t fingerprint_bytes;
};

void row_layout_free(struct row_layout *layout);
STRUCT_AUTOPTR(row_layout, row_layout_free)

/* A decoded TABLE_MAP_EVENT body; strings are borrowed from the event. */
struct table_map {
    uint64_t table_id;
    const char *schema;
    size_t schema_length;
    const char *name;
    size_t name_length;
    unsigned columns_count;
    const uint8_t *types;
    struct cursor metadata; /* the raw metadata block */
    struct cursor optional; /* optional metadata (signedness, charsets, names …) */
};

/*
 * Decodes a TABLE_MAP_EVENT body (after the common header, without checksum):
 *
 *   6 table id | 2 flags | 1 n, schema, NUL | 1 n, name, NUL | lenenc columns
 *   | 1 type a column | lenenc n, metadata | nullable bitmap | optional metadata
 *
 * The metadata block has, per column in order: FLOAT, DOUBLE 1 byte (width);
 * VARCHAR 2 (greatest length in bytes); BIT 2 (bits over, whole bytes);
 * DECIMAL 2 (precision, scale); BLOB, JSON, GEOMETRY, VECTOR 1 (width of the
 * length); TIME, DATETIME, TIMESTAMP 1 (fraction digits); STRING 2 (real type
 * and length); nothing for the others. MT_ERROR_DATA when malformed.
 */
G_GNUC_WARN_UNUSED_RESULT bool table_map_decode(struct cursor *body, struct table_map *ret_map,
                                                GError **error);

/* Builds the layout; MT_ERROR_DATA naming table and column when count or types
 * differ from what was inspected (somebody changed the table). */
G_GNUC_WARN_UNUSED_RESULT struct row_layout *row_layout_new(const struct table_map *map,
                                                            const struct table *table,
                                                            GError **error);

/* True when the map still describes what the layout was made from: cheap, called per event. */
bool row_layout_matches(const struct row_layout *layout, const struct table_map *map);

enum row_operation { ROW_INSERT, ROW_UPDATE, ROW_DELETE };

/* One row image: [null bitmap][values of the columns that are not NULL]. All columns present. */
struct row_image {
    const uint8_t *bytes;
    uint32_t length;
};

/* The rows of one WRITE/UPDATE/DELETE_ROWS_EVENT (v1 or v2), consumed by rows_next(). */
struct rows_reader {
    const struct row_layout *layout;
    enum row_operation operation;
    unsigned columns_count; /* as the event says; compared with the layout's */
    struct cursor body;
};

/*
 * Reads the head of a rows event's body. `event_type` is the binlog event type.
 * *ret_table_id tells which TABLE_MAP it belongs to; layout is set by the caller
 * afterwards. *ret_statement_end is STMT_END_F. MT_ERROR_DATA when the image is
 * not full (a session set binlog_row_image), when it is a partial JSON update,
 * or when the bytes are malformed.
 */
G_GNUC_WARN_UNUSED_RESULT bool rows_reader_begin(struct rows_reader *reader, uint8_t event_type,
                                                 struct cursor body, uint64_t *ret_table_id,
                                                 bool *ret_statement_end, GError **error);

/* The next row. 1: found; 0: no more; -1: malformed (MT_ERROR_DATA).
 * before is empty for inserts, after is empty for deletes. Images are borrowed. */
int rows_next(struct rows_reader *reader, struct row_image *ret_before, struct row_image *ret_after,
              GError **error);

/* Length in bytes of one column's value at the cursor; moves past it. False when malformed. */
G_GNUC_WARN_UNUSED_RESULT bool column_layout_skip(const struct column_layout *layout,
                                                  struct cursor *image);

/*
 * Appends the image's key as bytes: for every key part a length-prefixed copy
 * of its stored bytes, so that equal keys give equal bytes and different ones
 * different bytes. False (nothing useful appended) when malformed or NULL.
 */
G_GNUC_WARN_UNUSED_RESULT bool row_key_append(GByteArray *key, const struct row_layout *layout,
                                              struct row_image image);

#endif
