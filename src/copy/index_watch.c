/* Watching the connections that build indexes, from beside them. */
#include "base/clock.h"
#include "base/log.h"
#include "copy/index_build_int.h"

#define SECOND_US G_USEC_PER_SEC

/* A worker's connection that waits for an ALTER without a limit: its session's lock tells whether it
 * is still there. What is quick has the limit of any slow statement. */
static void
watch_worker(struct builder *builder, struct worker *worker)
{
    struct server quick = server_quick(&builder->options->target);
    int64_t limit_us = server_slow(&builder->options->target).read_timeout_s * SECOND_US;
    pthread_mutex_lock(&builder->mutex);
    uint64_t session = worker->session;
    int64_t began_us = worker->at_work_us;
    bool altering = worker->at_work && worker->altering;
    bool gone = worker->at_work && !altering && clock_monotonic_us() - began_us > limit_us;
    pthread_mutex_unlock(&builder->mutex);
    if (altering) {
        g_autoptr(GError) trouble = NULL;
        uint64_t holder = session;
        if (!conn_ensure(&builder->watch_conn, &quick, "index watch", false, &trouble) ||
            !lease_build_session(builder->watch_conn, builder->options->config, worker->place,
                                 &holder, &trouble))
            g_clear_pointer(&builder->watch_conn, conn_close);
        gone = trouble == NULL && holder != session;
    }
    if (!gone)
        return;
    pthread_mutex_lock(&builder->mutex);
    if (worker->at_work && worker->session == session && worker->at_work_us == began_us) {
        log_warning("copy", log_msg("a connection that builds indexes is gone"),
                    log_int("session", (int64_t)session));
        conn_interrupt(worker->conn);
        worker->at_work = false;
    }
    pthread_mutex_unlock(&builder->mutex);
}

void
index_build_watch(struct builder *builder)
{
    int64_t now_us = clock_monotonic_us();
    if (now_us < builder->watch_due_us)
        return;
    builder->watch_due_us = now_us + SECOND_US;
    for (unsigned i = 0; i < LEASE_BUILD_PLACES; i++)
        watch_worker(builder, &builder->workers[i]);
}

void
index_build_cut_off(struct builder *builder)
{
    g_autoptr(GError) trouble = NULL;
    struct server quick = server_quick(&builder->options->target);
    g_clear_pointer(&builder->watch_conn, conn_close);
    bool ours = conn_ensure(&builder->watch_conn, &quick, "index watch", false, &trouble) &&
                lease_check(builder->options->lease, builder->watch_conn, &trouble);
    pthread_mutex_lock(&builder->mutex);
    for (unsigned i = 0; i < LEASE_BUILD_PLACES; i++) {
        struct worker *worker = &builder->workers[i];
        if (!worker->at_work)
            continue;
        if (ours && worker->altering &&
            !conn_execf(builder->watch_conn, &trouble, "KILL %" G_GUINT64_FORMAT, worker->session))
            ours = false;
        conn_interrupt(worker->conn);
        worker->at_work = false;
    }
    pthread_mutex_unlock(&builder->mutex);
    if (trouble != NULL)
        log_debug("copy", log_msg("index builds cut off"), log_str("error", trouble->message));
}
