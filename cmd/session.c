#include "cmd/session.h"

static struct server
server_of(const struct config *config, const struct endpoint *endpoint, enum side side)
{
    return (struct server){.endpoint = endpoint,
                           .side = side,
                           .connect_timeout_s = config->connect.timeout_s,
                           .retry_s = config->connect.retry_s};
}

struct session *
session_open(const char *path, enum config_secrets secrets, GError **error)
{
    struct config *config = config_load_for(path, secrets, error);
    if (config == NULL)
        return NULL;
    struct session *session = g_new0(struct session, 1);
    session->config = config;
    session->source = server_of(config, &config->source, SIDE_SOURCE);
    session->reader = server_of(config, config_read_endpoint(config), SIDE_SOURCE);
    session->target = server_of(config, &config->target, SIDE_TARGET);
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
