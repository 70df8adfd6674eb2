/* The XA transactions that are prepared on a server, as XA RECOVER lists them. */
#ifndef SCHEMA_PREPARED_XA_H
#define SCHEMA_PREPARED_XA_H

#include <glib.h>
#include <stdbool.h>

#include "mysql/conn.h"

/*
 * Asks the server. *ret_xids: their names (char *), freed with the array; NULL, with true, when
 * the user may not ask: XA RECOVER needs XA_RECOVER_ADMIN.
 */
G_GNUC_WARN_UNUSED_RESULT bool prepared_xa_list(struct conn *conn, GPtrArray **ret_xids,
                                                GError **error);

/*
 * A transaction's name as the binlog writes it and XA COMMIT takes it, X'6162',X'',1, from a row of
 * XA RECOVER CONVERT XID: the format's number, the lengths in bytes of the two parts, and both
 * parts together as 0x616263… NULL when the row makes no sense. Pure. Caller frees. Layout:
 * MySQL 8.4 reference manual, 15.3.8.1, "XA Transaction SQL Statements".
 */
char *prepared_xa_name(const char *format_id, gint64 gtrid_bytes, gint64 bqual_bytes,
                       const char *data);

/* Takes away from `xids` what is not among `present`, a later list. Pure. */
void prepared_xa_keep(GPtrArray *xids, const GPtrArray *present);

/* "X'61',X'',1, X'62',X'',1": the first few, and how many more there are. Pure. Caller frees. */
char *prepared_xa_names(const GPtrArray *xids);

#endif
