/* The writers: rule 4. */
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "mysql/retry.h"
#include "copy/copier_int.h"

#define ER_DUP_ENTRY_TEXT "1062"
#define SLICE_ROWS 1000 /* max_error_count is 1024 unless somebody changed it */
#define RETRY_FIRST_MS 5
#define RETRY_MAX_MS 1000

/*
 * LOAD DATA … IGNORE turns errors into warnings: only "duplicate key" may be among them.
 * *ret_all_seen is false when there are more warnings than the server lists (max_error_count).
 */
static bool
only_duplicates(struct conn *conn, const struct moved_table *table, bool *ret_all_seen,
                GError **error)
{
    *ret_all_seen = true;
    if (conn_warning_count(conn) == 0)
        return true;
    unsigned count = conn_warning_count(conn);
    g_autoptr(result) warnings = conn_query(conn, "SHOW WARNINGS", error);
    if (warnings == NULL)
        return false;
    for (size_t row = 0; row < result_rows(warnings); row++) {
        const char *code = result_get(warnings, row, "Code");
        if (g_strcmp0(code, ER_DUP_ENTRY_TEXT) == 0)
            continue;
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "target table %s.%s does not take a row of %s.%s as it is: %s (warning %s)",
                    table->to_schema, table->to_table, table->source->schema, table->source->name,
                    result_get(warnings, row, "Message"), code);
        return false;
    }
    *ret_all_seen = count <= result_rows(warnings);
    return true;
}

/* A newline inside a value is escaped, so that every newline byte that follows no backslash ends a
 * row. */
size_t
load_slice_length(const char *bytes, size_t length, unsigned rows)
{
    unsigned ended = 0;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\\')
            i++;
        else if (bytes[i] == '\n' && ++ended == rows)
            return i + 1;
    }
    return length;
}

/* After a resume whole parts may be duplicates: again, in slices whose warnings can all be seen. */
static bool
load_in_slices(struct conn *conn, const char *head, const struct part *part, GError **error)
{
    const struct moved_table *table = part->chunk->range->walk->table;
    for (size_t from = 0; from < part->bytes->len;) {
        bool all_seen = false;
        size_t length = load_slice_length(part->bytes->str + from, part->bytes->len - from,
                                          SLICE_ROWS);
        if (!conn_load_local(conn, head, part->bytes->str + from, length, error) ||
            !only_duplicates(conn, table, &all_seen, error))
            return false;
        if (!all_seen) {
            g_set_error(error, MT_ERROR, MT_ERROR_TARGET,
                        "target: max_error_count is too small to see every warning of %d rows; "
                        "SET GLOBAL max_error_count = 1024",
                        SLICE_ROWS);
            return false;
        }
        from += length;
    }
    return true;
}

static bool
load(struct copier *copier, struct conn *conn, const struct part *part, GError **error)
{
    const struct moved_table *table = part->chunk->range->walk->table;
    const char *statement = copier->loads[table->index];
    bool all_seen = true;
    if (part->is_insert)
        return conn_exec_bytes(conn, part->bytes->str, part->bytes->len, error);
    if (!conn_load_local(conn, statement, part->bytes->str, part->bytes->len, error) ||
        !only_duplicates(conn, table, &all_seen, error))
        return false;
    if (all_seen)
        return true;
    /* What was not seen may hide a changed value: none of it may stay. */
    return conn_exec(conn, "ROLLBACK", error) && lease_begin(copier->options.lease, conn, error) &&
           load_in_slices(conn, statement, part, error);
}

static bool
write_once(struct copier *copier, struct conn **conn, const struct part *part, GError **error)
{
    if (*conn == NULL)
        *conn = conn_open_retrying(&copier->options.target, "copy writer", error);
    if (*conn == NULL)
        return false;
    /* Dying before the commit: the rows are gone and the range is not in the checkpoint. */
    if (!lease_begin(copier->options.lease, *conn, error) || !load(copier, *conn, part, error))
        return false;
    failpoint_reach(FAILPOINT_CHUNK_BEFORE_COMMIT);
    if (!conn_exec(*conn, "COMMIT", error))
        return false;
    /* Dying after it: the rows are durable, the range is copied again on resume, over rows that
     * are left alone. */
    failpoint_reach(FAILPOINT_CHUNK_AFTER_COMMIT);
    return true;
}

/* A commit whose reply was lost may have happened: written again, the rows are left alone. */
static bool
write_part(struct copier *copier, struct conn **conn, const struct part *part, GError **error)
{
    if (!horizon_cover(copier->options.horizon, part->visible, error))
        return false;
    struct retry retry = retry_for(&copier->options.target, RETRY_FIRST_MS, RETRY_MAX_MS);
    GError *failure = NULL;
    while (!write_once(copier, conn, part, &failure)) {
        if (*conn != NULL && (g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST) ||
                              !conn_exec(*conn, "ROLLBACK", NULL)))
            g_clear_pointer(conn, conn_close);
        log_debug("copy", log_msg("writing failed"), log_str("error", failure->message));
        if (!retry_again(&retry, &failure)) {
            g_propagate_error(error, failure);
            return false;
        }
    }
    return true;
}

void *
copy_writer_main(void *argument)
{
    struct copier *copier = argument;
    struct conn *conn = NULL;
    struct part *part;
    while ((part = copier_take(copier)) != NULL) {
        g_autoptr(GError) error = NULL;
        bool durable = write_part(copier, &conn, part, &error);
        copier_part_done(copier, part, durable);
        if (!durable) {
            copier_fail(copier, error);
            break;
        }
    }
    conn_close(conn);
    return NULL;
}

bool
copier_load_possible(struct conn *target, bool *ret_possible, GError **error)
{
    g_autofree char *value = NULL;
    if (!conn_query_value(target, "SELECT @@GLOBAL.local_infile", &value, error))
        return false;
    *ret_possible = g_strcmp0(value, "1") == 0;
    return true;
}
