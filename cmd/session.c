#include "cmd/session.h"

#include "base/clock.h"

struct session *
session_open(const char *path, enum config_secrets secrets, GError **error)
{
    struct config *config = config_load_for(path, secrets, error);
    if (config == NULL)
        return NULL;
    struct session *session = g_new0(struct session, 1);
    session->config = config;
    struct server source = server_of_source(config);
    struct server reader = server_of_reader(config);
    /* Checks of many tables, and DROP TABLE, may take their time. */
    session->source = server_slow(&source);
    session->reader = server_slow(&reader);
    session->target = server_of_target(config);
    return session;
}

void
session_free(struct session *session)
{
    if (session == NULL)
        return;
    if (session->conn != NULL)
        conn_close(session->conn);
    config_free(session->config);
    g_free(session);
}

bool
session_connect(struct session *session, const char *purpose, GError **error)
{
    session->conn = conn_open(&session->target, purpose, error);
    return session->conn != NULL;
}

bool
session_target_clock(struct session *session, int64_t *ret_us, GError **error)
{
    g_autofree char *text = NULL;
    if (!conn_query_value(session->conn, "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)",
                          &text, error))
        return false;
    *ret_us = text != NULL ? g_ascii_strtoll(text, NULL, 10) : clock_real_us();
    return true;
}
