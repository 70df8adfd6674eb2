/*
 * Which table is a moved one: names of TABLE_MAP events and of statements
 * against the move's source tables. Read-only once made; threads may share it.
 */
#ifndef BINLOG_MOVED_NAMES_H
#define BINLOG_MOVED_NAMES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "schema/table.h"

#define MOVED_NONE (-1)

/* A schema and a table as they stand in an event; not NUL-terminated. */
struct table_name {
    const char *schema;
    size_t schema_length;
    const char *table;
    size_t table_length;
};

struct moved_names;

/*
 * `moved_tables` holds struct moved_table and is borrowed. With `fold_case`
 * (lower_case_table_names is not 0 on the source) names are compared without
 * regard to case.
 */
struct moved_names *moved_names_new(const GPtrArray *moved_tables, bool fold_case);
void moved_names_free(struct moved_names *names);
STRUCT_AUTOPTR(moved_names, moved_names_free)

/* The index (struct moved_table) of a table, or MOVED_NONE. No allocation. */
int moved_names_find(const struct moved_names *names, struct table_name name);

/*
 * The same for names in a statement. Where bytes beyond ASCII cannot be compared
 * (`utf8` is false, or case is folded), a moved table that could be meant counts.
 */
int moved_names_find_in_statement(const struct moved_names *names, struct table_name name,
                                  bool utf8);

/* The first moved table of a schema named in a statement, or MOVED_NONE. */
int moved_names_find_schema(const struct moved_names *names, const char *schema, size_t length,
                            bool utf8);

#endif
