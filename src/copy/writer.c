/* The writers: rule 4. */
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "mysql/retry.h"
#include "copy/copier_int.h"
#include "copy/sent_row.h"
#include "schema/row_name.h"
#include "schema/target_warnings.h"

#define RETRY_FIRST_MS 5
#define RETRY_MAX_MS 1000

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

/* Sends rows, and looks at what the target says of them. */
static bool
send(struct copier *copier, struct conn *conn, const struct sent_rows *sent, bool *ret_all_seen,
     GError **error)
{
    bool done = sent->is_insert ? conn_exec_bytes(conn, sent->bytes, sent->length, error)
                                : conn_load_local(conn, copier->loads[sent->table->index],
                                                  sent->bytes, sent->length, error);
    if (done && target_warnings_accept(conn, sent->table, ret_all_seen, error))
        return true;
    sent_row_name(sent, error);
    return false;
}

/* After a resume whole parts may be duplicates: again, in slices whose warnings can all be seen. */
static bool
load_in_slices(struct copier *copier, struct conn *conn, const struct sent_rows *sent,
               GError **error)
{
    struct sent_rows slice = *sent;
    const char *end = sent->bytes + sent->length;
    while (slice.bytes < end) {
        bool all_seen = false;
        slice.length = load_slice_length(slice.bytes, (size_t)(end - slice.bytes),
                                         target_warnings_rows_max(sent->table->source));
        if (!send(copier, conn, &slice, &all_seen, error))
            return false;
        if (!all_seen)
            return target_warnings_unseen(sent->table, error);
        slice.bytes += slice.length;
    }
    return true;
}

/* Each row by itself: whatever is the matter with one of them has a name then, and no two of them are
 * too large together. */
static bool
load_one_by_one(struct copier *copier, struct conn *conn, const struct sent_rows *sent,
                GError **error)
{
    g_autoptr(GString) statement = g_string_new(NULL);
    struct sent_place place = {0};
    struct sent_rows row;
    while (sent_rows_next(sent, &place, statement, &row)) {
        bool all_seen = false;
        if (!send(copier, conn, &row, &all_seen, error))
            return false;
        if (!all_seen)
            return target_warnings_unseen(sent->table, error);
    }
    return true;
}

static bool
load(struct copier *copier, struct conn *conn, const struct part *part, bool one_by_one,
     GError **error)
{
    struct sent_rows sent = {
        .table = part->chunk->range->walk->table,
        .bytes = part->bytes->str,
        .length = part->bytes->len,
        .is_insert = part->is_insert,
        .is_one_row = part->rows == 1,
    };
    bool all_seen = true;
    if (one_by_one)
        return load_one_by_one(copier, conn, &sent, error);
    if (!send(copier, conn, &sent, &all_seen, error))
        return false;
    if (all_seen)
        return true;
    if (part->is_insert)
        return target_warnings_unseen(sent.table, error);
    /* What was not seen may hide a changed value: none of it may stay. */
    return conn_exec(conn, "ROLLBACK", error) && lease_begin(copier->options.lease, conn, error) &&
           load_in_slices(copier, conn, &sent, error);
}

static bool
write_once(struct copier *copier, struct conn **conn, const struct part *part, bool one_by_one,
           GError **error)
{
    if (!conn_ensure(conn, &copier->options.target, "copy writer", true, error))
        return false;
    /* Dying before the commit: the rows are gone and the range is not in the checkpoint. */
    if (!lease_begin(copier->options.lease, *conn, error) ||
        !load(copier, *conn, part, one_by_one, error) ||
        (part->reals != NULL && !exact_reals_run(part->reals, *conn, error)) ||
        (part->check != NULL && !stored_check_run(part->check, *conn, error)))
        return false;
    failpoint_reach(FAILPOINT_CHUNK_BEFORE_COMMIT);
    if (!conn_exec_at(*conn, "COMMIT", FAILPOINT_CHUNK_COMMIT_SENT, error))
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
    bool one_by_one = false;
    GError *failure = NULL;
    while (!write_once(copier, conn, part, one_by_one, &failure)) {
        if (*conn != NULL && (g_error_matches(failure, MT_ERROR, MT_ERROR_TARGET_LOST) ||
                              !conn_exec(*conn, "ROLLBACK", NULL)))
            conn_break(*conn);
        log_debug("copy", log_msg("writing failed"), log_str("error", failure->message));
        if (!one_by_one && part->rows > 1 && g_error_matches(failure, MT_ERROR, MT_ERROR_DATA) &&
            !row_is_named(failure)) {
            one_by_one = true;
            g_clear_error(&failure);
        } else if (!retry_again(&retry, &failure)) {
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
