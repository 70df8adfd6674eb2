/* SQL of the checkpoint: templates, times, and who says what about missing tables. Pure. */
#ifndef CHECKPOINT_SQL_INT_H
#define CHECKPOINT_SQL_INT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "mysql/conn.h"

/* In `requires`: nothing but a new beginning. A build that does not know the word stops at it, too. */
#define CHECKPOINT_GAP "--fresh"

/* The microsecond part of a DATETIME(6) text or value. */
#define US_PER_S 1000000

/* Appends the template with {db} as the quoted checkpoint database, {db_text}
 * the same as a string, and {move} as the move's name as a string. */
void sql_add(GString *sql, const struct config *config, const char *template);

/* The same, newly allocated. */
char *sql_of(const struct config *config, const char *template);

/* Microseconds since the epoch as a DATETIME(6) literal in UTC; NULL for 0. */
void sql_add_time(GString *sql, int64_t real_us);

/* `2026-11-20 12:00:00.123456` (the fraction may be shorter or missing) as
 * microseconds since the epoch; 0 for NULL or what is not a time. */
int64_t sql_parse_time(const char *text);

/* sql_parse_time() of a column. */
int64_t result_time_us(const struct result *result, size_t row, const char *name);

/* True when the connection's last error says that the database or the table does not exist. */
bool sql_is_missing_table(const struct conn *conn);
/* True when it says that a table was made or changed after the transaction's snapshot. */
bool sql_is_changed_table(const struct conn *conn);

/* A failed reading of the checkpoint, as others should see it: MT_ERROR_PREFLIGHT with the cure when
 * the user may not read, else a copy of the failure. */
void sql_set_read_error(const struct conn *conn, const struct config *config, const GError *failure,
                        GError **error);

/* True when it says that the user may not. */
bool sql_is_denied(const struct conn *conn);

#endif
