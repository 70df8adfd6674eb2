/*
 * The one retry loop: a step that failed transiently (a lost connection, a
 * deadlock, a lock wait) is tried again, with growing pauses, for as long as
 * connect.retry_s says.
 *
 *     struct retry retry = retry_for(server, 5, 1000);
 *     GError *failure = NULL;
 *     while (!step(&failure))
 *         if (!retry_again(&retry, &failure))
 *             return propagate…
 *
 * The time counts from the first failure: a step that hung for longer than that
 * before it failed is still tried once more.
 */
#ifndef MYSQL_RETRY_H
#define MYSQL_RETRY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "mysql/conn.h"

struct retry {
    int64_t limit_us;
    int64_t give_up_us; /* 0 before the first failure */
    int64_t pause_ms;
    int64_t pause_max_ms;
};

/* A loop's state: for server->retry_s, with pauses that double from first_ms to max_ms. */
struct retry retry_for(const struct server *server, int64_t first_ms, int64_t max_ms);

/*
 * After a failure: true when the step should be done again, after the pause,
 * with *failure cleared. False when it is not transient or the time is up, with
 * *failure as it was; or when a stop was requested, with *failure MT_ERROR_STOPPED.
 */
G_GNUC_WARN_UNUSED_RESULT bool retry_again(struct retry *retry, GError **failure);

#endif
