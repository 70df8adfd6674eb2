#include "copy/index_build.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/thread.h"
#include "copy/index_build_int.h"
#include "copy/retention.h"
#include "mysql/retry.h"
#include "schema/inspect.h"

#define DUPLICATE_KEY_NAME_1061 1061
#define ONLINE_LOG_TOO_BIG_1799 1799
#define ALTER_TIMEOUT_S (7 * 86400) /* the session's lock says earlier that it is gone */
#define PAUSE_MS 1000
#define BUSY_PAUSE_MS 5000
#define WATCH_MS 500

/* --- waiting and stopping --------------------------------------------------------------- */

static void
wake(void *argument)
{
    struct builder *builder = argument;
    pthread_mutex_lock(&builder->mutex);
    pthread_cond_broadcast(&builder->cond);
    pthread_mutex_unlock(&builder->mutex);
}

/* Under the mutex. */
static bool
must_stop(const struct builder *builder)
{
    return builder->stopping || stop_requested();
}

/* False when all is to be stopped. */
static bool
pause_ms(struct builder *builder, int64_t ms)
{
    int64_t deadline_us = clock_monotonic_us() + ms * 1000;
    pthread_mutex_lock(&builder->mutex);
    while (!must_stop(builder) &&
           clock_cond_wait_until(&builder->cond, &builder->mutex, deadline_us))
        ;
    bool go_on = !must_stop(builder);
    pthread_mutex_unlock(&builder->mutex);
    return go_on;
}

static bool
set_stopped(GError **error)
{
    g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED,
                        "stopped while secondary indexes were built; run again to go on");
    return false;
}

/* Says that the connection may be interrupted from here on, or (NULL) no more. False when all is to be
 * stopped: nothing may be sent then. */
static bool
set_at_work(struct worker *worker, struct conn *conn, bool altering)
{
    struct builder *builder = worker->builder;
    pthread_mutex_lock(&builder->mutex);
    bool go_on = conn == NULL || !must_stop(builder);
    worker->at_work = conn != NULL && go_on;
    worker->altering = worker->at_work && altering;
    worker->session = worker->at_work ? conn_thread_id(conn) : 0;
    worker->at_work_us = clock_monotonic_us();
    pthread_mutex_unlock(&builder->mutex);
    return go_on;
}

/* --- one table -------------------------------------------------------------------------- */

/* What the table lacks by now. */
static bool
look_at_table(struct worker *worker, const struct moved_table *table,
              struct deferral_state *ret_state, GError **error)
{
    g_autoptr(table) found = NULL;
    if (!inspect_table(worker->conn, table->to_schema, table->to_table, &found, error) ||
        (found != NULL &&
         !deferral_look(worker->builder->deferral, table, found, ret_state, error)))
        return false;
    if (found != NULL && ret_state->difference == NULL)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_TARGET,
                "target table %s.%s is not what this move made, so its indexes are not built "
                "(- source, + target):\n%s",
                table->to_schema, table->to_table,
                found != NULL ? ret_state->difference : "it is not there");
    deferral_state_clear(ret_state);
    return false;
}

/* After the ALTER: nothing may be missing, and nothing else be another. */
static bool
check_built(struct worker *worker, const struct moved_table *table, GError **error)
{
    struct deferral_state state = {0};
    if (!look_at_table(worker, table, &state, error))
        return false;
    bool whole = state.missing == NULL;
    if (!whole)
        g_set_error(error, MT_ERROR, MT_ERROR_TARGET, "target table %s.%s lacks %s after %s",
                    table->to_schema, table->to_table, state.missing, state.alter);
    deferral_state_clear(&state);
    return whole;
}

/* What is built by hand is found there by the next run. */
static void
add_cure(GError *failure, const char *table, const char *sql)
{
    char *message = g_strdup_printf("%s; if the server does not build the indexes of %s like this, "
                                    "do it by hand and run again: %s",
                                    failure->message, table, sql);
    g_free(failure->message);
    failure->message = message;
}

static bool
alter(struct worker *worker, const struct moved_table *table, const struct deferral_state *state,
      GError **error)
{
    g_autofree char *name = g_strdup_printf("%s.%s", table->to_schema, table->to_table);
    int64_t began_us = clock_monotonic_us();
    log_info("copy", log_msg("building secondary indexes"), log_str("table", name),
             log_str("indexes", state->missing));
    failpoint_reach(FAILPOINT_INDEX_BUILD_BEGUN);
    if (!set_at_work(worker, worker->conn, true))
        return set_stopped(error);
    GError *failure = NULL;
    if (!conn_exec_at(worker->conn, state->alter, FAILPOINT_INDEX_BUILD_SENT, &failure)) {
        worker->refused = conn_errno(worker->conn);
        if (g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET))
            add_cure(failure, name, state->alter);
        g_propagate_error(error, failure);
        return false;
    }
    failpoint_reach(FAILPOINT_INDEX_BUILD_DONE);
    if (!set_at_work(worker, worker->conn, false))
        return set_stopped(error);
    if (!check_built(worker, table, error))
        return false;
    log_info("copy", log_msg("secondary indexes built"), log_str("table", name),
             log_int("ms", (clock_monotonic_us() - began_us) / 1000));
    return true;
}

/* Under the place's lock. A NULL table: the lock was all that was wanted. */
static bool
build_locked(struct worker *worker, const struct moved_table *table, GError **error)
{
    struct deferral_state state = {0};
    if (table == NULL)
        return true;
    if (!look_at_table(worker, table, &state, error))
        return false;
    bool done = state.alter == NULL || alter(worker, table, &state, error);
    deferral_state_clear(&state);
    return done;
}

/* *ret_done is false, without error, while another session has the place. */
static bool
build_once(struct worker *worker, const struct moved_table *table, bool *ret_done, GError **error)
{
    struct builder *builder = worker->builder;
    const struct lease *lease = builder->options->lease;
    *ret_done = false;
    worker->refused = 0;
    if (!conn_ensure(&worker->conn, &builder->server, "index build", true, error))
        return false;
    if (!set_at_work(worker, worker->conn, false))
        return set_stopped(error);
    bool taken = false;
    if (!lease_build_begin(lease, worker->place, worker->conn, &taken, error))
        return false;
    if (taken) {
        *ret_done = build_locked(worker, table, error);
        lease_build_end(lease, worker->place, worker->conn);
    }
    return !taken || *ret_done;
}

/* --- failures --------------------------------------------------------------------------- */

/* More was changed while the indexes were built than the server keeps for them: the next time nothing
 * is applied meanwhile. */
static void
hold_applier(struct worker *worker, const char *why)
{
    log_warning(
        "copy",
        log_msg("more was changed than innodb_online_alter_log_max_size of the target holds: "
                "the indexes are built again while nothing is applied, and the lag grows "
                "meanwhile; to keep applying, stop the run, raise that variable on the "
                "target, and run again"),
        log_str("error", why));
    worker->held = true;
    applier_hold(worker->builder->options->applier);
}

static void
release_applier(struct worker *worker)
{
    if (worker->held)
        applier_release(worker->builder->options->applier);
    worker->held = false;
}

/* What to do after a failure: true to do it again. */
static bool
try_again(struct worker *worker, GError **failure)
{
    bool lost = g_error_matches(*failure, MT_ERROR, MT_ERROR_TARGET_LOST);
    if (g_error_matches(*failure, MT_ERROR, MT_ERROR_FENCED))
        return false;
    if (!pause_ms(worker->builder, 0)) {
        /* It was cut off, whatever it says. */
        g_clear_error(failure);
        return set_stopped(failure);
    }
    if (lost && worker->conn == NULL)
        return false; /* for as long as connect.retry_s there was no other */
    if (!lost && worker->refused == ONLINE_LOG_TOO_BIG_1799 && !worker->held) {
        hold_applier(worker, (*failure)->message);
        return true;
    }
    if (!lost && worker->refused == DUPLICATE_KEY_NAME_1061)
        return true; /* somebody else has built it: look again */
    if (!lost && !g_error_matches(*failure, MT_ERROR, MT_ERROR_TARGET_BUSY))
        return false;
    log_warning("copy",
                log_msg(lost ? "connection lost while indexes were built; if the server goes on "
                               "with it, its end is waited for"
                             : "the indexes could not be built, because the table is in use on the "
                               "target; trying again"),
                log_str("error", (*failure)->message));
    /* Closed, and not ended on the server: an ALTER that goes on there is half the work. */
    if (lost)
        g_clear_pointer(&worker->conn, conn_close);
    return pause_ms(worker->builder, lost ? PAUSE_MS : BUSY_PAUSE_MS);
}

static bool
build(struct worker *worker, const struct moved_table *table, GError **error)
{
    bool done = false;
    bool told = false;
    while (!done) {
        GError *failure = NULL;
        bool right = build_once(worker, table, &done, &failure);
        (void)set_at_work(worker, NULL, false);
        if (right && !done) {
            if (!told)
                log_info("copy", log_msg("an earlier session still builds indexes on the target; "
                                         "waiting for its end"));
            told = true;
            if (!pause_ms(worker->builder, PAUSE_MS))
                return set_stopped(error);
        } else if (!right && !try_again(worker, &failure)) {
            g_propagate_error(error, failure);
            return false;
        } else {
            g_clear_error(&failure);
        }
    }
    return true;
}

/* --- the workers ------------------------------------------------------------------------ */

static struct moved_table *
take_table(struct worker *worker)
{
    struct builder *builder = worker->builder;
    struct moved_table *table = NULL;
    pthread_mutex_lock(&builder->mutex);
    /* Not more at once than the file allows connections that write. */
    if (!must_stop(builder) && worker->place < builder->options->config->copy.writers &&
        builder->next < builder->tables->len)
        table = g_ptr_array_index(builder->tables, builder->next++);
    pthread_mutex_unlock(&builder->mutex);
    return table;
}

static void
note_built(struct builder *builder, struct moved_table *table)
{
    pthread_mutex_lock(&builder->mutex);
    table->indexes_missing = false;
    builder->built++;
    progress_set_indexes(builder->options->progress, builder->built, builder->tables->len);
    pthread_mutex_unlock(&builder->mutex);
}

/* What an earlier runner may still be building, at any place, ends before anything is begun: else it
 * would be begun twice. */
static bool
outlast(struct worker *worker, GError **error)
{
    struct builder *builder = worker->builder;
    if (!builder->options->outlast)
        return true;
    if (!build(worker, NULL, error))
        return false;
    pthread_mutex_lock(&builder->mutex);
    builder->outlasted++;
    pthread_cond_broadcast(&builder->cond);
    while (builder->outlasted < LEASE_BUILD_PLACES && !must_stop(builder))
        pthread_cond_wait(&builder->cond, &builder->mutex);
    bool go_on = !must_stop(builder);
    pthread_mutex_unlock(&builder->mutex);
    return go_on || set_stopped(error);
}

static bool
work(struct worker *worker, GError **error)
{
    if (!outlast(worker, error))
        return false;
    for (struct moved_table *table; (table = take_table(worker)) != NULL;) {
        bool done = build(worker, table, error);
        release_applier(worker);
        if (!done)
            return false;
        note_built(worker->builder, table);
    }
    return true;
}

static void *
worker_main(void *argument)
{
    struct worker *worker = argument;
    struct builder *builder = worker->builder;
    GError *failure = NULL;
    bool done = work(worker, &failure);
    g_clear_pointer(&worker->conn, conn_close);
    pthread_mutex_lock(&builder->mutex);
    worker->ended = true;
    if (!done && builder->failure == NULL)
        builder->failure = g_steal_pointer(&failure);
    builder->stopping = builder->stopping || !done;
    pthread_cond_broadcast(&builder->cond);
    pthread_mutex_unlock(&builder->mutex);
    g_clear_error(&failure);
    return NULL;
}

/* --- supervising ------------------------------------------------------------------------ */

static bool
all_ended(const struct builder *builder)
{
    for (unsigned i = 0; i < LEASE_BUILD_PLACES; i++)
        if (!builder->workers[i].ended)
            return false;
    return true;
}

/* Until all have ended. */
static void
supervise(struct builder *builder)
{
    struct retention retention = {.reader = server_quick(&builder->options->reader),
                                  .applier = builder->options->applier};
    for (;;) {
        pthread_mutex_lock(&builder->mutex);
        int64_t deadline_us = clock_monotonic_us() + WATCH_MS * 1000;
        while (!all_ended(builder) && !must_stop(builder) &&
               clock_cond_wait_until(&builder->cond, &builder->mutex, deadline_us))
            ;
        bool ended = all_ended(builder);
        bool stop = must_stop(builder);
        pthread_mutex_unlock(&builder->mutex);
        if (ended)
            break;
        if (stop) {
            index_build_cut_off(builder);
            break;
        }
        index_build_watch(builder);
        retention_look(&retention);
    }
    retention_clear(&retention);
}

/* --- the whole -------------------------------------------------------------------------- */

static gint
larger_first(gconstpointer one, gconstpointer other)
{
    const struct moved_table *first = *(struct moved_table *const *)one;
    const struct moved_table *second = *(struct moved_table *const *)other;
    uint64_t bytes = first->source->estimated_bytes;
    uint64_t other_bytes = second->source->estimated_bytes;
    return bytes > other_bytes ? -1 : bytes < other_bytes;
}

static GPtrArray *
tables_to_build(const GPtrArray *moved_tables)
{
    GPtrArray *tables = g_ptr_array_new();
    for (guint i = 0; i < moved_tables->len; i++) {
        struct moved_table *table = g_ptr_array_index(moved_tables, i);
        if (table->indexes_missing)
            g_ptr_array_add(tables, table);
    }
    g_ptr_array_sort(tables, larger_first);
    return tables;
}

static void
run_workers(struct builder *builder)
{
    pthread_mutex_init(&builder->mutex, NULL);
    clock_cond_init(&builder->cond);
    stop_on_request(wake, builder);
    for (unsigned i = 0; i < LEASE_BUILD_PLACES; i++) {
        builder->workers[i].builder = builder;
        builder->workers[i].place = i;
        thread_start(&builder->workers[i].thread, worker_main, &builder->workers[i]);
    }
    supervise(builder);
    for (unsigned i = 0; i < LEASE_BUILD_PLACES; i++)
        pthread_join(builder->workers[i].thread, NULL);
    stop_forget(wake, builder);
    pthread_cond_destroy(&builder->cond);
    pthread_mutex_destroy(&builder->mutex);
}

/* Whether a session of an earlier runner is still at it. One that had not got its lock when the move
 * was taken over does not begin any more. */
static bool
is_being_built(const struct index_build_options *options, bool *ret_building, GError **error)
{
    struct server quick = server_quick(&options->target);
    g_autoptr(conn) conn = conn_open_retrying(&quick, "index watch", error);
    *ret_building = false;
    for (unsigned place = 0; conn != NULL && place < LEASE_BUILD_PLACES; place++) {
        uint64_t session = 0;
        if (!lease_build_session(conn, options->config, place, &session, error))
            return false;
        *ret_building = *ret_building || session != 0;
    }
    return conn != NULL;
}

static bool
look_for_builds(const struct index_build_options *options, bool *ret_building, GError **error)
{
    struct retry retry = retry_for(&options->target, PAUSE_MS, PAUSE_MS);
    GError *failure = NULL;
    *ret_building = false;
    while (options->outlast && !is_being_built(options, ret_building, &failure)) {
        if (!retry_again(&retry, &failure)) {
            g_propagate_error(error, failure);
            return false;
        }
    }
    return true;
}

bool
index_build_run(const struct index_build_options *options, GError **error)
{
    struct builder builder = {.options = options, .server = options->target};
    bool building;
    if (!look_for_builds(options, &building, error))
        return false;
    builder.tables = tables_to_build(options->moved_tables);
    builder.server.read_timeout_s = ALTER_TIMEOUT_S;
    if (builder.tables->len > 0 || building) {
        builder.deferral = deferral_of(options->moved_tables);
        progress_set_indexes(options->progress, 0, builder.tables->len);
        run_workers(&builder);
        progress_set_indexes(options->progress, 0, 0);
        deferral_free(builder.deferral);
        conn_close(builder.watch_conn);
    }
    g_ptr_array_unref(builder.tables);
    if (builder.failure == NULL)
        return true;
    g_propagate_error(error, builder.failure);
    return false;
}
