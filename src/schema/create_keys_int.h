/*
 * The keys of a CREATE TABLE statement as SHOW CREATE TABLE prints it: which there are, and the
 * statement without some of them. Pure.
 */
#ifndef SCHEMA_CREATE_KEYS_INT_H
#define SCHEMA_CREATE_KEYS_INT_H

#include <glib.h>
#include <stdbool.h>

#include "base/auto.h"

enum create_key_kind {
    CREATE_KEY_PRIMARY,
    CREATE_KEY_UNIQUE,
    CREATE_KEY_PLAIN, /* KEY: neither of the others */
    CREATE_KEY_FULLTEXT,
    CREATE_KEY_SPATIAL,
};

struct create_key {
    enum create_key_kind kind;
    char *name;          /* unquoted; "PRIMARY" */
    char *definition;    /* as printed, without the comma: "KEY `k` (`a`)" */
    GPtrArray *columns;  /* char *: unquoted, in its order; expressions left out */
    bool has_expression; /* any of its parts is one */
};

/* A foreign key: the first of its columns, which decides which index can serve it. */
struct create_foreign {
    char *column;
    char *parent_schema; /* NULL: the table's own */
    char *parent_table;
    char *parent_column;
};

struct create_keys {
    GPtrArray *keys;     /* struct create_key, in the statement's order */
    GPtrArray *foreigns; /* struct create_foreign */
};

/* Reads them. Free with create_keys_free(). */
struct create_keys *create_keys_of(const char *create_sql);
void create_keys_free(struct create_keys *keys);
STRUCT_AUTOPTR(create_keys, create_keys_free)

/* The statement without the plain keys whose (unquoted) names are in the set; every other character
 * is kept. Caller frees. */
char *create_statement_without(const char *create_sql, GHashTable *names);

#endif
