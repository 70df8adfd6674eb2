/* Triggers as text. Pure. */
#ifndef SCHEMA_TRIGGER_TEXT_INT_H
#define SCHEMA_TRIGGER_TEXT_INT_H

#include <glib.h>
#include <stdbool.h>

#include "schema/trigger.h"

/* Takes definer and body from what SHOW CREATE TRIGGER printed. False when it is not understood;
 * a NUL in the body is not. */
G_GNUC_WARN_UNUSED_RESULT bool trigger_take_statement(struct trigger *trigger, const char *sql,
                                                      size_t length);

/* Everything of the statement before the body, in UTF-8. Caller frees. */
char *trigger_head(const struct trigger *trigger, const struct moved_table *moved,
                   const struct trigger_neighbour *beside);

/* `user`@`host`. Caller frees. */
char *trigger_definer(const struct trigger *trigger);

/* "trigger `name` of target table s.t". Caller frees. */
char *trigger_label(const struct trigger *trigger, const struct moved_table *moved);

/* How a trigger that was found differs from the one that is wanted: "its body differs"; NULL: in
 * nothing but the table's name and the schema's collation. Caller frees. */
char *trigger_difference(const struct trigger *wanted, const struct trigger *found);

/*
 * What the body names that has another name on the target, or is somewhere else: "schema `a`",
 * "table `b`", each once; NULL: nothing that can be told from the words alone. What was meant for a
 * column may be among them. Caller frees.
 */
char *trigger_foreign_names(const struct trigger *trigger, const GPtrArray *moved_tables);

/* Whether the body declares variables: only for those the database collation counts. */
bool trigger_declares(const struct trigger *trigger);

/* Its neighbour in an array as triggers_read() gives it, one step back (-1) or on (1), where that is
 * of the same table, event and time; else NULL. */
const struct trigger *trigger_next(const GPtrArray *triggers, guint place, int step);

#endif
