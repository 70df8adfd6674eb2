/*
 * What a QUERY event's statement means for a move.
 *
 * Pure. Two questions: which part of a transaction it is, and whether it
 * changes a moved table in a way that row events do not show.
 */
#ifndef BINLOG_STATEMENT_H
#define BINLOG_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "binlog/event.h"
#include "binlog/moved_names.h"

/* The statements that frame transactions, as the server writes them. */
enum statement_kind {
    STATEMENT_OTHER, /* everything else: DDL, statement-format changes, GRANT … */
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_SAVEPOINT,
    STATEMENT_ROLLBACK_TO,
    STATEMENT_XA_START,
    STATEMENT_XA_END,
    STATEMENT_XA_COMMIT,
    STATEMENT_XA_ROLLBACK,
};

/* *ret_name is the savepoint (as written, with its quotes) or the xid
 * (X'6731',X'',1), borrowed from the statement; of length 0 otherwise. */
enum statement_kind statement_kind_of(const struct event_query *query, const char **ret_name,
                                      size_t *ret_length);

enum statement_effect {
    EFFECT_NONE,   /* nothing that concerns a moved table */
    EFFECT_DDL,    /* changes a moved table's definition, name or whole contents */
    EFFECT_CHANGE, /* changes rows of a moved table, told as a statement */
    EFFECT_BESIDE, /* the same of something else in a moved table's database */
    EFFECT_UNSURE, /* runs code that may change rows of a moved table's database */
};

/*
 * What a statement of kind STATEMENT_OTHER does to moved tables; *ret_table is
 * the (first) moved table's index.
 *
 * DDL: ALTER, CREATE, DROP, RENAME (in and out), TRUNCATE TABLE, also with
 * partitions; EXCHANGE PARTITION WITH it; CREATE and DROP INDEX ON it; DROP and
 * ALTER DATABASE; CREATE TRIGGER ON it. Not: temporary tables; CREATE TABLE IF
 * NOT EXISTS (the server writes it also when the table was there, and
 * applications run it whenever they start); ANALYZE, OPTIMIZE, FLUSH, GRANT, views.
 *
 * A change told as a statement is found where it names the moved table. Where it
 * does not, but changed something in a moved table's database, the moved table may be
 * among it, by way of a view, a trigger or a function: the event tells databases, not
 * tables. SELECT and DO are only written for what the functions in them changed: unsure.
 */
enum statement_effect statement_effect_of(const struct event_query *query,
                                          const struct moved_names *names, int *ret_table);

/* True for a RENAME TABLE statement that contains `token`. */
bool statement_is_own_rename(const struct event_query *query, const char *token);

#endif
