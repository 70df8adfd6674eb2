/*
 * Definitions of tables as inspected on a server, and the key that a move
 * walks, folds and deletes by. Read-only after inspection: threads share them.
 */
#ifndef SCHEMA_TABLE_H
#define SCHEMA_TABLE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"

/* By information_schema.COLUMNS.DATA_TYPE. */
enum column_type {
    COLUMN_TINYINT,
    COLUMN_SMALLINT,
    COLUMN_MEDIUMINT,
    COLUMN_INT,
    COLUMN_BIGINT,
    COLUMN_DECIMAL,
    COLUMN_FLOAT,
    COLUMN_DOUBLE,
    COLUMN_BIT,
    COLUMN_YEAR,
    COLUMN_DATE,
    COLUMN_TIME,
    COLUMN_DATETIME,
    COLUMN_TIMESTAMP,
    COLUMN_CHAR,
    COLUMN_VARCHAR,
    COLUMN_BINARY,
    COLUMN_VARBINARY,
    COLUMN_TEXT, /* TINYTEXT … LONGTEXT */
    COLUMN_BLOB, /* TINYBLOB … LONGBLOB */
    COLUMN_ENUM,
    COLUMN_SET,
    COLUMN_JSON,
    COLUMN_GEOMETRY, /* every subtype */
    COLUMN_VECTOR,
    COLUMN_UNSUPPORTED,
};

struct column {
    char *name;
    char *data_type;   /* information_schema's DATA_TYPE, for messages */
    char *column_type; /* information_schema's COLUMN_TYPE: `int unsigned` */
    enum column_type type;
    bool is_unsigned;
    bool nullable;
    bool generated;      /* VIRTUAL or STORED: in row images, never written */
    bool stored;         /* generated, and STORED */
    bool session_free;   /* generated, and computed from the row alone: see session_free.h */
    bool partition_days; /* DATE, DATETIME: see lost_dates.h */
    bool compared;       /* stored, and not session_free: see stored_check.h */
    bool invisible;
    bool auto_increment;
    char *charset;         /* NULL unless a character type */
    char *collation;       /* NULL unless a character type */
    uint64_t octet_length; /* CHARACTER_OCTET_LENGTH; BINARY(n): n */
    unsigned precision;    /* NUMERIC_PRECISION: DECIMAL, BIT */
    unsigned scale;        /* NUMERIC_SCALE: DECIMAL */
    unsigned fsp;          /* DATETIME_PRECISION: TIME, DATETIME, TIMESTAMP */
    unsigned members;      /* ENUM, SET */
    bool fixed_digits;     /* FLOAT(M,D), DOUBLE(M,D): what is stored is rounded */
    double fixed_unit;     /* fixed_digits: 10^D */
    double fixed_limit;    /* fixed_digits: the largest value, 10^(M-D) - 10^-D */
    char *zero_literal;    /* ENUM: what stores its error value 0 as it is; NULL: nothing does */
};

/* Of an index: MySQL allows no more. */
#define KEY_PARTS_MAX 16

struct table {
    char *schema;
    char *name;
    GPtrArray *columns; /* struct column, in ordinal position: as in row images */
    /* The key: PRIMARY, else a unique key over NOT NULL whole columns. */
    char *key_name;          /* index name, unquoted; NULL when no key qualifies */
    GArray *key_columns;     /* unsigned: indexes into columns, in key order */
    unsigned key_descending; /* bit n: part n is walked down; of a key that is all of it, none is */
    char *key_problem;       /* why key_name is NULL, for messages */
    unsigned other_unique_keys; /* unique keys besides the chosen one, functional ones included */
    bool unique_array;          /* one is over `CAST(… AS … ARRAY)`: see apply/statement.h */
    char *engine;               /* "VIEW" for a view */
    char *schema_collation;     /* the schema's default */
    char *create_sql;           /* SHOW CREATE TABLE as the server gives it */
    char *digest;               /* hex SHA-256 of create_sql without name and AUTO_INCREMENT */
    uint64_t estimated_rows;
    uint64_t estimated_bytes;
    uint64_t auto_increment; /* next value; 0: the table has none */
};

static inline const struct column *
table_column(const struct table *table, unsigned index)
{
    return g_ptr_array_index(table->columns, index);
}

static inline unsigned
table_key_column_index(const struct table *table, unsigned part)
{
    return g_array_index(table->key_columns, unsigned, part);
}

void column_free(struct column *column);
void table_free(struct table *table);
STRUCT_AUTOPTR(table, table_free)

/* One moved table: both sides. `index` is its place in the move, used as table
 * number everywhere (events, chunks, checkpoint). */
struct moved_table {
    unsigned index;
    struct table *source; /* owned */
    char *to_schema;
    char *to_table;
    char *moved_as; /* the source table's name after the RENAME */
    /* The target lacked indexes that may be built after the copy (schema/deferred.h), when it was
     * last looked at. */
    bool indexes_missing;
};

#endif
