/* What most commands begin with: the file, and a connection to the target. */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include <glib.h>
#include <stdbool.h>

#include "base/auto.h"
#include "config/config.h"
#include "mysql/conn.h"

/* Not copied: conn borrows the servers, these borrow the config. */
struct session {
    struct config *config;
    struct server source;
    struct server reader; /* read_from, or the source */
    struct server target;
    struct conn *conn; /* to the target; NULL until session_connect() */
};

/* Reads the file. Free with session_free(). */
G_GNUC_WARN_UNUSED_RESULT struct session *session_open(const char *path,
                                                       enum config_secrets secrets, GError **error);
void session_free(struct session *session);
STRUCT_AUTOPTR(session, session_free)

/* One attempt to connect to the target. `purpose` as in conn_open(). */
G_GNUC_WARN_UNUSED_RESULT bool session_connect(struct session *session, const char *purpose,
                                               GError **error);

/* The target's clock, which the checkpoint's times are of: microseconds since the epoch. Connected
 * sessions only. */
G_GNUC_WARN_UNUSED_RESULT bool session_target_clock(struct session *session, int64_t *ret_us,
                                                    GError **error);

#endif
