/*
 * Triggers: read from a server, compared, and created on another one.
 *
 * A trigger's text is its server's own ("SQL Original Statement" of SHOW CREATE
 * TRIGGER), which since 8.0 has two parts: a head that the server writes anew
 * every time, in UTF-8, with the names as they are now (after a RENAME, too);
 * and the body, byte for byte as it was sent, in the client character set of
 * the session that created it. The head is written anew for the target; the body
 * is kept.
 */
#ifndef SCHEMA_TRIGGER_H
#define SCHEMA_TRIGGER_H

#include <glib.h>
#include <stdbool.h>

#include "mysql/conn.h"
#include "schema/table.h"

struct trigger {
    unsigned table; /* index of its moved table */
    char *name;
    char *timing; /* BEFORE, AFTER */
    char *event;  /* INSERT, UPDATE, DELETE */
    char *definer_user;
    char *definer_host;
    char *sql_mode;
    char *client_charset;
    char *connection_collation;
    char *database_collation;
    char *body; /* bytes of client_charset */
};

void trigger_free(struct trigger *trigger);

/* Where a moved table's triggers are looked for. */
enum trigger_place {
    TRIGGERS_OF_SOURCE,  /* before the RENAME */
    TRIGGERS_OF_RENAMED, /* on the source after it */
    TRIGGERS_OF_TARGET,
};

/*
 * All of them, without definer and body: struct trigger by table, event, timing and then in the order
 * in which they fire. A user without TRIGGER on a table sees none of its triggers: the caller knows
 * about that.
 */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *triggers_list(struct conn *conn, const GPtrArray *moved_tables,
                                                   enum trigger_place place, GError **error);
/* The same, whole. A statement that is not understood is MT_ERROR_PREFLIGHT. */
G_GNUC_WARN_UNUSED_RESULT GPtrArray *triggers_read(struct conn *conn, const GPtrArray *moved_tables,
                                                   enum trigger_place place, GError **error);

/* Checks that all renamed tables are there, and that the user may see their triggers. */
G_GNUC_WARN_UNUSED_RESULT bool triggers_are_visible(struct conn *source,
                                                    const GPtrArray *moved_tables, GError **error);

/*
 * The statement that creates it on the table's target, in its own client character set. `beside` is
 * NULL or another trigger's name of the same event, which it is to fire after (`follows`) or before.
 * *ret_sql is NULL, without error, when the character set lacks a character of the names. Caller
 * frees.
 */
struct trigger_neighbour {
    const char *name;
    bool follows;
};
G_GNUC_WARN_UNUSED_RESULT bool trigger_statement(struct conn *target, const struct trigger *trigger,
                                                 const struct moved_table *moved,
                                                 const struct trigger_neighbour *beside,
                                                 char **ret_sql, GError **error);

/* Makes the session one like that in which the trigger was created, and again what it was before.
 * After a failure of the latter the connection is of no more use. */
G_GNUC_WARN_UNUSED_RESULT bool trigger_session_begin(struct conn *target,
                                                     const struct trigger *trigger, GError **error);
G_GNUC_WARN_UNUSED_RESULT bool trigger_session_end(struct conn *target, GError **error);

/*
 * Creates on the target those of `wanted` that are not there, and reads back what it made; under the
 * lease's DDL lock. MT_ERROR_TARGET names the trigger when one of that name is there and another,
 * or when the server refuses it.
 */
G_GNUC_WARN_UNUSED_RESULT bool triggers_create(struct conn *target, const GPtrArray *wanted,
                                               const GPtrArray *moved_tables, GError **error);

#endif
