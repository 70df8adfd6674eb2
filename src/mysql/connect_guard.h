/*
 * A limit for a connection attempt as a whole.
 *
 * The client library bounds the TCP connect and the wait for the server's greeting, but does the
 * TLS handshake on a blocking socket without any limit: a peer that vanishes there would hold the
 * caller for ever. A thread beside the attempt shuts its socket down when the time is over, which
 * fails the attempt as a lost connection.
 */
#ifndef MYSQL_CONNECT_GUARD_H
#define MYSQL_CONNECT_GUARD_H

#include <mysql.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct connect_guard {
    MYSQL *handle; /* borrowed: the one that is being connected */
    int64_t limit_us;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool ended;
    bool cut_off; /* the time was over; to be read after connect_guard_end() */
};

/* Call before mysql_real_connect(), in the thread that calls it. `guard` stays in place until
 * connect_guard_end(). */
void connect_guard_begin(struct connect_guard *guard, MYSQL *handle, int64_t limit_s);
/* Call when mysql_real_connect() has returned, however it ended. */
void connect_guard_end(struct connect_guard *guard);

#endif
