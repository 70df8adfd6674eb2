/* Index builds under way: for index_build.c and for what watches them. */
#ifndef COPY_INDEX_BUILD_INT_H
#define COPY_INDEX_BUILD_INT_H

#include <pthread.h>

#include "copy/index_build.h"
#include "schema/deferred.h"

struct builder;

/* One connection that builds. */
struct worker {
    struct builder *builder;
    unsigned place;
    pthread_t thread;
    struct conn *conn; /* the thread's own, but see `at_work` */
    bool held;         /* the applier, for the table in hand */
    unsigned refused;  /* the server's error number for the last ALTER; 0: none */

    /* Guarded by the builder's mutex. */
    bool at_work;       /* it may wait for the server: others may interrupt its connection */
    bool altering;      /* for an ALTER, as long as that takes */
    uint64_t session;   /* of the connection */
    int64_t at_work_us; /* since when */
    bool ended;
};

struct builder {
    const struct index_build_options *options;
    struct server server;
    struct deferral *deferral;
    GPtrArray *tables;       /* struct moved_table with indexes_missing, the largest first */
    struct conn *watch_conn; /* the main thread's */
    int64_t watch_due_us;

    pthread_mutex_t mutex;
    pthread_cond_t cond;
    unsigned outlasted; /* workers that know of no older session at their place */
    guint next;
    guint built;
    bool stopping;
    GError *failure; /* the first one */
    struct worker workers[LEASE_BUILD_PLACES];
};

/* Once a second: interrupts what waits for a session that is gone, or for too long. Of the main
 * thread. */
void index_build_watch(struct builder *builder);

/* Ends what the workers wait for. An ALTER is killed, which undoes it, unless the move is another
 * runner's by now: that one waits for it, and finds it done. Of the main thread. */
void index_build_cut_off(struct builder *builder);

#endif
