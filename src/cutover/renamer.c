#include "cutover/renamer.h"

#include <mysqld_error.h>
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "mysql/quote.h"

struct renamer {
    const struct config *config;
    struct server server;
    char *lock_name;
    pthread_mutex_t mutex;
    struct conn *conn; /* NULL after it was lost */
    uint64_t tenure;   /* how often the lock was taken */
};

/* GET_LOCK's names are at most 64 characters. */
static char *
lock_name_of(const char *move)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA1, move, -1);
    return g_strdup_printf("move-tables:rename:%s", digest);
}

/* Connects and takes the lock. `patient`: waits for a server that is away. */
static bool
connect_locked(struct renamer *renamer, unsigned wait_s, bool patient, GError **error)
{
    g_autoptr(conn) conn = patient ? conn_open_retrying(&renamer->server, "rename", error)
                                   : conn_open(&renamer->server, "rename", error);
    if (conn == NULL)
        return false;
    g_autoptr(result) lock = conn_queryf(
        conn, error, "SELECT GET_LOCK('%s', %u) AS got, IS_USED_LOCK('%s') AS holder",
        renamer->lock_name, wait_s, renamer->lock_name);
    if (lock == NULL)
        return false;
    if (result_int(lock, 0, "got") != 1) {
        g_set_error(error, MT_ERROR, MT_ERROR_FENCED,
                    "another runner of move \"%s\" holds its lock on the source (connection %s); "
                    "stop it with `move-tables abort`, or wait until it has ended",
                    renamer->config->move,
                    result_get(lock, 0, "holder") != NULL ? result_get(lock, 0, "holder") : "?");
        return false;
    }
    if (!conn_execf(conn, error,
                    "SET SESSION lock_wait_timeout=%" G_GINT64_FORMAT
                    ", wait_timeout=60, information_schema_stats_expiry=0",
                    renamer->config->cutover.lock_wait_timeout_s))
        return false;
    renamer->conn = g_steal_pointer(&conn);
    renamer->tenure++;
    return true;
}

struct renamer *
renamer_open(const struct config *config, unsigned wait_s, GError **error)
{
    struct renamer *renamer = g_new0(struct renamer, 1);
    renamer->config = config;
    renamer->server = server_of_source(config);
    renamer->lock_name = lock_name_of(config->move);
    pthread_mutex_init(&renamer->mutex, NULL);
    if (!connect_locked(renamer, wait_s, true, error)) {
        renamer_close(renamer);
        return NULL;
    }
    return renamer;
}

void
renamer_close(struct renamer *renamer)
{
    if (renamer == NULL)
        return;
    conn_close(renamer->conn);
    pthread_mutex_destroy(&renamer->mutex);
    g_free(renamer->lock_name);
    g_free(renamer);
}

/* Runs under the mutex: the connection, opened and locked again when it was lost. The caller
 * checks the lease after that and before it renames. */
static struct conn *
connection(struct renamer *renamer, bool patient, GError **error)
{
    if (renamer->conn == NULL)
        (void)connect_locked(renamer, (unsigned)renamer->config->cutover.lock_wait_timeout_s + 5,
                             patient, error);
    return renamer->conn;
}

static void
drop_if_lost(struct renamer *renamer, const GError *failure)
{
    if (g_error_matches(failure, MT_ERROR, MT_ERROR_SOURCE_LOST))
        g_clear_pointer(&renamer->conn, conn_close);
}

/* One query on the connection; NULL with the error. Caller holds the mutex. */
static struct result *
query(struct renamer *renamer, const char *sql, bool patient, GError **error)
{
    GError *failure = NULL;
    struct conn *conn = connection(renamer, patient, &failure);
    struct result *result = conn != NULL ? conn_query(conn, sql, &failure) : NULL;
    if (result == NULL) {
        drop_if_lost(renamer, failure);
        g_propagate_error(error, failure);
    }
    return result;
}

static struct result *
query_locked(struct renamer *renamer, const char *sql, GError **error)
{
    pthread_mutex_lock(&renamer->mutex);
    struct result *result = query(renamer, sql, true, error);
    pthread_mutex_unlock(&renamer->mutex);
    return result;
}

bool
renamer_keep(struct renamer *renamer, GError **error)
{
    pthread_mutex_lock(&renamer->mutex);
    g_autoptr(result) alive = query(renamer, "SELECT 1", false, error);
    pthread_mutex_unlock(&renamer->mutex);
    return alive != NULL;
}

bool
renamer_hold(struct renamer *renamer, uint64_t *ret_tenure, GError **error)
{
    pthread_mutex_lock(&renamer->mutex);
    g_autoptr(result) alive = query(renamer, "SELECT 1", true, error);
    *ret_tenure = renamer->tenure;
    pthread_mutex_unlock(&renamer->mutex);
    return alive != NULL;
}

bool
renamer_gtid_executed(struct renamer *renamer, char **ret_text, GError **error)
{
    g_autoptr(result) result = query_locked(renamer, "SELECT @@GLOBAL.gtid_executed", error);
    if (result == NULL)
        return false;
    *ret_text = g_strdup(result_at(result, 0, 0));
    return true;
}

/* --- looking ---------------------------------------------------------------------------- */

/* (TABLE_SCHEMA, TABLE_NAME) IN (…): the original and the moved names. */
static void
append_names(GString *sql, GPtrArray *moved_tables, bool originals, bool moved)
{
    const char *separator = "(";
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(moved_tables, i);
        const char *names[] = {originals ? table->source->name : NULL,
                               moved ? table->moved_as : NULL};
        for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
            if (names[n] == NULL)
                continue;
            g_string_append(sql, separator);
            g_string_append_c(sql, '(');
            quote_string(sql, table->source->schema);
            g_string_append_c(sql, ',');
            quote_string(sql, names[n]);
            g_string_append_c(sql, ')');
            separator = ",";
        }
    }
    g_string_append_c(sql, ')');
}

static bool
is_listed(const struct result *result, const char *schema, const char *name)
{
    for (size_t row = 0; row < result_rows(result); row++)
        if (g_strcmp0(result_get(result, row, "s"), schema) == 0 &&
            g_strcmp0(result_get(result, row, "t"), name) == 0)
            return true;
    return false;
}

bool
renamer_look(struct renamer *renamer, GPtrArray *moved_tables, enum source_tables *ret_where,
             char **ret_detail, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM "
                                          "information_schema.TABLES WHERE "
                                          "(TABLE_SCHEMA, TABLE_NAME) IN ");
    append_names(sql, moved_tables, true, true);
    g_autoptr(result) found = query_locked(renamer, sql->str, error);
    if (found == NULL)
        return false;

    guint originals = 0;
    guint renamed = 0;
    g_autoptr(GString) detail = g_string_new(NULL);
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(moved_tables, i);
        bool original = is_listed(found, table->source->schema, table->source->name);
        bool moved = is_listed(found, table->source->schema, table->moved_as);
        originals += original && !moved ? 1 : 0;
        renamed += moved && !original ? 1 : 0;
        g_string_append_printf(detail, "%s%s.%s: %s", i > 0 ? "; " : "", table->source->schema,
                               table->source->name,
                               original && moved ? "exists, and its moved name too"
                               : original        ? "not renamed"
                               : moved           ? "renamed"
                                                 : "gone under both names");
    }
    *ret_where = originals == moved_tables->len ? SOURCE_ORIGINAL
                 : renamed == moved_tables->len ? SOURCE_RENAMED
                                                : SOURCE_OTHER;
    *ret_detail = *ret_where == SOURCE_OTHER ? g_strdup(detail->str) : NULL;
    return true;
}

/* --- renaming --------------------------------------------------------------------------- */

char *
rename_statement(GPtrArray *moved_tables, const char *token, bool back)
{
    GString *sql = g_string_new("RENAME /* ");
    g_string_append_printf(sql, "%s */ TABLE ", token);
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(moved_tables, i);
        const char *original = table->source->name;
        g_string_append(sql, i > 0 ? ", " : "");
        quote_table(sql, table->source->schema, back ? table->moved_as : original);
        g_string_append(sql, " TO ");
        quote_table(sql, table->source->schema, back ? original : table->moved_as);
    }
    return g_string_free(sql, FALSE);
}

bool
renamer_rename(struct renamer *renamer, const struct rename_request *request,
               struct rename_outcome *ret_outcome, GError **error)
{
    g_autofree char *rename = rename_statement(request->moved_tables, request->token,
                                               request->back);
    g_autofree char *sql = g_strconcat(rename, "; SELECT @@GLOBAL.gtid_executed", NULL);
    GError *failure = NULL;
    g_autoptr(result) result = NULL;

    *ret_outcome = (struct rename_outcome){0};
    pthread_mutex_lock(&renamer->mutex);
    /* Never under another tenure than the one that the caller decided under: between the two,
     * another runner may have come and gone. */
    if (renamer->conn == NULL || renamer->tenure != request->tenure) {
        g_set_error(&failure, MT_ERROR, MT_ERROR_SOURCE_LOST,
                    "source (rename): the connection was lost before the RENAME");
    } else {
        failpoint_reach(request->back ? FAILPOINT_UNDO_BEFORE_RENAME : FAILPOINT_INTENT_SAVED);
        result = conn_query(renamer->conn, sql, &failure);
        ret_outcome->lock_timeout = result == NULL &&
                                    conn_errno(renamer->conn) == ER_LOCK_WAIT_TIMEOUT;
        drop_if_lost(renamer, failure);
    }
    pthread_mutex_unlock(&renamer->mutex);

    if (result != NULL) {
        ret_outcome->renamed = true;
        ret_outcome->gtid_executed = g_strdup(result_at(result, 0, 0));
        return true;
    }
    if (ret_outcome->lock_timeout) {
        g_error_free(failure);
        return true;
    }
    g_propagate_error(error, failure);
    return false;
}

bool
renamer_auto_increments(struct renamer *renamer, GPtrArray *moved_tables, uint64_t *ret_values,
                        GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t, "
                                          "AUTO_INCREMENT AS n FROM information_schema.TABLES "
                                          "WHERE (TABLE_SCHEMA, TABLE_NAME) IN ");
    append_names(sql, moved_tables, false, true);
    g_autoptr(result) found = query_locked(renamer, sql->str, error);
    if (found == NULL)
        return false;
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(moved_tables, i);
        ret_values[i] = 0;
        for (size_t row = 0; row < result_rows(found); row++)
            if (g_strcmp0(result_get(found, row, "s"), table->source->schema) == 0 &&
                g_strcmp0(result_get(found, row, "t"), table->moved_as) == 0)
                ret_values[i] = result_uint(found, row, "n");
    }
    return true;
}
