/* Tokens of an expression, for whatever is computed from the row alone. Pure. */
#ifndef SCHEMA_SESSION_FREE_INT_H
#define SCHEMA_SESSION_FREE_INT_H

#include "schema/create_scan_int.h"
#include "schema/session_free.h"

/* True when no setting of a session changes what this token gives, over `columns`. `scan` stands behind the
 * token, and is moved where another one belongs to it. */
bool create_token_is_session_free(struct create_scan *scan, const struct create_token *token,
                                  const GPtrArray *columns);

#endif
