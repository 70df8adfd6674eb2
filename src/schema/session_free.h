/* Whether a generated column's value depends on the row alone. Pure. */
#ifndef SCHEMA_SESSION_FREE_H
#define SCHEMA_SESSION_FREE_H

#include <glib.h>
#include <stdbool.h>

#include "schema/table.h"

/*
 * True when no setting of the session that writes the row can change what `expression`
 * (information_schema's GENERATION_EXPRESSION, over `columns`) gives in `column`. False where that
 * is not known: sql_mode alone changes what dates, CHAR and `/` give.
 */
bool expression_is_session_free(const char *expression, const struct column *column,
                                const GPtrArray *columns);

#endif
