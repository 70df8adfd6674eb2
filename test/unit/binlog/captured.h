/*
 * The binlog files and tables of test/data/binlog, as its `capture` wrote them.
 */
#ifndef TEST_UNIT_BINLOG_CAPTURED_H
#define TEST_UNIT_BINLOG_CAPTURED_H

#include <glib.h>
#include <stdint.h>

#include "base/cursor.h"
#include "schema/table.h"

/* A table, what its SELECT gave, and by which expressions. */
struct captured_table {
    struct table *table;    /* owned */
    GPtrArray *expressions; /* char *, a column */
    GPtrArray *rows;        /* char **, a field a column: hex, "-", "#" and a SHA-256 */
};

/* values.txt: struct captured_table by name. Unref when done. */
GHashTable *captured_tables(void);

/* A binlog file whole; g_bytes_unref() when done. */
GBytes *captured_file(const char *name);

struct captured_event {
    uint8_t type;
    struct cursor body; /* without header and checksum */
};

/* The event at *offset, which moves to the next one. False at the end. */
bool captured_next(GBytes *file, size_t *offset, struct captured_event *ret_event);

/* The nth (from 0) event of a type; the test fails if there is none. */
struct captured_event captured_find(GBytes *file, uint8_t type, unsigned nth);

/* A table and a column made by hand. The column's type is by DATA_TYPE. */
struct table *table_made(const char *schema, const char *name);
struct column *column_made(struct table *table, const char *name, const char *data_type);

#endif
