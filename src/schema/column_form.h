/*
 * Which types are written alike: the one list that reading, literals, fields of
 * LOAD DATA and the choice of keys go by, so that a new type is put in one place.
 */
#ifndef SCHEMA_COLUMN_FORM_H
#define SCHEMA_COLUMN_FORM_H

#include "schema/table.h"

enum column_form {
    FORM_INTEGER,  /* decimal digits, YEAR too */
    FORM_DECIMAL,  /* decimal digits with a point */
    FORM_REAL,     /* shortest decimal text of a double */
    FORM_ORDINAL,  /* BIT, ENUM, SET: a number in place of what MySQL would print */
    FORM_TEMPORAL, /* a string in which nothing needs an escape */
    FORM_STRING,   /* up to 65,535 bytes, of any value: may be a whole key */
    FORM_LONG,     /* bytes of any value: never a whole key */
};

static inline enum column_form
column_form(enum column_type type)
{
    switch (type) {
    case COLUMN_TINYINT:
    case COLUMN_SMALLINT:
    case COLUMN_MEDIUMINT:
    case COLUMN_INT:
    case COLUMN_BIGINT:
    case COLUMN_YEAR:
        return FORM_INTEGER;
    case COLUMN_DECIMAL:
        return FORM_DECIMAL;
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        return FORM_REAL;
    case COLUMN_BIT:
    case COLUMN_ENUM:
    case COLUMN_SET:
        return FORM_ORDINAL;
    case COLUMN_DATE:
    case COLUMN_TIME:
    case COLUMN_DATETIME:
    case COLUMN_TIMESTAMP:
        return FORM_TEMPORAL;
    case COLUMN_CHAR:
    case COLUMN_VARCHAR:
    case COLUMN_BINARY:
    case COLUMN_VARBINARY:
        return FORM_STRING;
    case COLUMN_TEXT:
    case COLUMN_BLOB:
    case COLUMN_JSON:
    case COLUMN_GEOMETRY:
    case COLUMN_VECTOR:
    case COLUMN_UNSUPPORTED:
        break;
    }
    return FORM_LONG;
}

#endif
