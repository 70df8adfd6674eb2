/* The readers: rules 1 to 3. */
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "copy/copier_int.h"
#include "copy/typed_row.h"
#include "copy/select.h"
#include "mysql/retry.h"
#include "schema/lost_dates.h"
#include "schema/row_name.h"

#define VISIBILITY_TIMEOUT_S 60
#define LOAD_ROWS_MAX 50000 /* the server counts warnings in 16 bits */
#define INSERT_BYTES_MAX ((size_t)1 << 20)
#define DDL_GRACE_MS 2000
#define RETRY_FIRST_MS 20
#define RETRY_MAX_MS 3000

/* What one reader thread owns. */
struct reader {
    struct copier *copier;
    struct conn *conn;
    GString *sql;
};

/* --- SQL -------------------------------------------------------------------------------- */

/* A range that ends with such a date would leave rows out. */
static bool
end_is_found(const struct table *table, const struct bound *bound, GError **error)
{
    for (unsigned part = 0; part < table->key_columns->len; part++) {
        const struct column *column = table_column(table, table_key_column_index(table, part));
        if (lost_dates_holds(column, bound_texts(bound)[part])) {
            lost_dates_refuse(column, error);
            row_name_prefix(error, table, bound_texts(bound));
            return false;
        }
    }
    return true;
}

/* Finds the key that ends the next range; NULL when it is the table's last. */
static bool
find_upper(struct reader *reader, const struct table *table, const struct bound *lower,
           uint64_t rows, struct bound **ret_upper, GError **error)
{
    char **values;
    unsigned long *lengths;
    g_string_truncate(reader->sql, 0);
    select_bound_append(reader->sql, table, lower, rows);
    if (!conn_rows_begin(reader->conn, reader->sql->str, reader->sql->len, error))
        return false;
    int found = conn_row_next(reader->conn, &values, &lengths, error);
    if (found == 1) {
        unsigned parts = table->key_columns->len;
        struct column_text texts[16];
        g_assert(parts <= G_N_ELEMENTS(texts));
        for (unsigned i = 0; i < parts; i++)
            texts[i] = (struct column_text){.data = values[i], .length = lengths[i]};
        *ret_upper = bound_new(texts, parts);
    }
    conn_rows_end(reader->conn);
    if (found == 1 && !end_is_found(table, *ret_upper, error)) {
        g_clear_pointer(ret_upper, bound_unref);
        return false;
    }
    return found >= 0;
}

/* Rule 2: everything that has arrived must be visible to the SELECT. */
static bool
wait_visible(struct reader *reader, const char *arrived, GError **error)
{
    if (*arrived == '\0')
        return true;
    bool visible = false;
    if (!conn_wait_executed(reader->conn, arrived, VISIBILITY_TIMEOUT_S, &visible, error))
        return false;
    if (visible)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_SOURCE,
                "source: transactions that the stream has sent are not visible after %d s (%s)",
                VISIBILITY_TIMEOUT_S, arrived);
    return false;
}

static struct gtid_set *
query_executed(struct conn *conn, GError **error)
{
    g_autofree char *text = NULL;
    if (!conn_query_value(conn, "SELECT @@GLOBAL.gtid_executed", &text, error))
        return NULL;
    return gtid_set_parse(text, error);
}

/* The same on the copier's spare connection, while the reader's own is in the middle of a result.
 */
static struct gtid_set *
query_executed_aside(struct copier *copier, GError **error)
{
    struct gtid_set *executed = NULL;
    pthread_mutex_lock(&copier->facts_mutex);
    if (copier->facts == NULL)
        copier->facts = conn_open_retrying(&copier->options.reader, "copy facts", error);
    if (copier->facts != NULL) {
        executed = query_executed(copier->facts, error);
        if (executed == NULL)
            g_clear_pointer(&copier->facts, conn_close);
    }
    pthread_mutex_unlock(&copier->facts_mutex);
    return executed;
}

/* --- rows to parts ---------------------------------------------------------------------- */

/*
 * The parts being filled. Rows whose texts tell everything go to `plain`; rows with a
 * value that only an SQL expression makes go to `typed`, an INSERT, and to `plain` as
 * well where that is one.
 */
struct open_parts {
    struct part *plain;
    struct part *typed; /* NULL until there is such a row */
};

static void
open_parts_free(struct open_parts *parts)
{
    g_clear_pointer(&parts->plain, part_free);
    g_clear_pointer(&parts->typed, part_free);
}

static bool
part_full(const struct copier *copier, const struct part *part)
{
    if ((part->check != NULL && part->rows >= STORED_CHECK_ROWS_MAX) ||
        exact_reals_count(part->reals) >= EXACT_REALS_MAX)
        return true;
    if (part->is_insert)
        return part->bytes->len >= MIN(copier->part_bytes, INSERT_BYTES_MAX) ||
               part->rows >= part->rows_max;
    return part->bytes->len >= copier->part_bytes || part->rows >= LOAD_ROWS_MAX;
}

/* Completes a part and hands it over; takes `part` and `visible` in any case. */
static bool
hand_over(struct copier *copier, struct part *part, struct gtid_set *visible, GError **error)
{
    part->visible = visible;
    part->chunk->rows += part->rows;
    part->chunk->bytes += part->bytes->len;
    if (part->is_insert)
        insert_tail_append(part->bytes, part->chunk->range->walk->table);
    if (copier_put(copier, part))
        return true;
    g_set_error_literal(error, MT_ERROR, MT_ERROR_STOPPED, "stopped");
    return false;
}

/* Hands a full part over in the middle of a result. Always takes *part; gives a new one. */
static bool
hand_over_early(struct copier *copier, struct part **part, GError **error)
{
    struct chunk *chunk = (*part)->chunk;
    bool is_insert = (*part)->is_insert;
    struct gtid_set *visible = query_executed_aside(copier, error);
    if (visible == NULL) {
        part_free(g_steal_pointer(part));
        return false;
    }
    if (!hand_over(copier, g_steal_pointer(part), visible, error))
        return false;
    *part = is_insert ? part_new_insert(chunk) : part_new(copier, chunk);
    return true;
}

static bool
take_row(struct reader *reader, struct chunk *chunk, struct open_parts *parts,
         struct typed_row *row, GError **error)
{
    bool typed = typed_row_needs_insert(row);
    if (typed && !parts->plain->is_insert && parts->typed == NULL)
        parts->typed = part_new_insert(chunk);
    struct part **part = typed && !parts->plain->is_insert ? &parts->typed : &parts->plain;
    row->reals = &(*part)->reals;
    if ((*part)->is_insert ? !typed_row_append((*part)->bytes, row, (*part)->rows == 0, error)
                           : !loaded_row_append((*part)->bytes, row, error))
        return false;
    if ((*part)->check != NULL)
        typed_row_check(row, (*part)->check);
    (*part)->rows++;
    return !part_full(reader->copier, *part) || hand_over_early(reader->copier, part, error);
}

/* Rule 3: reads the range. *ret_parts: the last rows, not handed over yet. The caller frees them,
 * on failure as well. */
static bool
read_rows(struct reader *reader, struct chunk *chunk, struct open_parts *ret_parts, GError **error)
{
    struct typed_row row;
    int more;
    bool taken = true;
    const struct table *table = chunk->range->walk->table->source;
    ret_parts->plain = part_new(reader->copier, chunk);

    g_string_truncate(reader->sql, 0);
    select_rows_append(reader->sql, table, chunk->range->lower, chunk->range->upper);
    if (!conn_rows_begin(reader->conn, reader->sql->str, reader->sql->len, error))
        return false;
    typed_row_init(&row, chunk->range->walk->table);
    while (taken && (more = conn_row_next(reader->conn, &row.values, &row.lengths, error)) == 1)
        taken = take_row(reader, chunk, ret_parts, &row, error);
    typed_row_clear(&row);
    if (taken)
        conn_rows_end(reader->conn);
    else /* cut short by us: do not read the rest away */
        g_clear_pointer(&reader->conn, conn_close);
    return taken && more == 0;
}

/* Hands the chunk's last rows over; takes *part unless there are none, or no answer. */
static bool
hand_over_last(struct reader *reader, struct part **part, GError **error)
{
    if (*part == NULL || (*part)->rows == 0)
        return true;
    /* Asked after the rows were read: it covers every transaction that they may show. */
    struct gtid_set *visible = query_executed(reader->conn, error);
    return visible != NULL && hand_over(reader->copier, g_steal_pointer(part), visible, error);
}

static bool
read_chunk_once(struct reader *reader, struct chunk *chunk, const char *arrived, GError **error)
{
    struct open_parts parts = {0};
    bool complete = wait_visible(reader, arrived, error) &&
                    read_rows(reader, chunk, &parts, error) &&
                    hand_over_last(reader, &parts.plain, error) &&
                    hand_over_last(reader, &parts.typed, error);
    open_parts_free(&parts);
    return complete;
}

/* --- the loop --------------------------------------------------------------------------- */

/* One attempt: a loop of attempts is around it. */
static bool
connect_reader(struct reader *reader, GError **error)
{
    if (reader->conn == NULL)
        reader->conn = conn_open(&reader->copier->options.reader, "copy reader", error);
    return reader->conn != NULL;
}

/* After a failure: true when the step should be done again, on a new connection. */
static bool
try_again(struct reader *reader, struct retry *retry, GError **failure)
{
    if (!mt_error_is_transient(*failure))
        return false;
    if (retry->give_up_us == 0) /* once for each outage */
        log_info("copy", log_msg("source connection lost, reading again"),
                 log_str("error", (*failure)->message));
    g_clear_pointer(&reader->conn, conn_close);
    return retry_again(retry, failure);
}

static bool
read_range_once(struct reader *reader, struct range *range, GError **error)
{
    /* Before the pin, which holds the applier up. */
    if (!connect_reader(reader, error))
        return false;
    g_autofree char *arrived = NULL;
    struct chunk *chunk = copier_pin(reader->copier, range, &arrived);
    bool complete = read_chunk_once(reader, chunk, arrived, error);
    copier_read_done(reader->copier, chunk, complete);
    return complete;
}

/* Pinned anew for every attempt: rows of an earlier one stay under its own pin. */
static bool
read_range(struct reader *reader, struct range *range, GError **error)
{
    struct retry retry = retry_for(&reader->copier->options.reader, RETRY_FIRST_MS, RETRY_MAX_MS);
    GError *failure = NULL;
    while (!read_range_once(reader, range, &failure)) {
        if (!try_again(reader, &retry, &failure)) {
            g_propagate_error(error, failure);
            return false;
        }
    }
    return true;
}

static bool
find_range(struct reader *reader, struct table_walk *walk, const struct bound *lower, uint64_t rows,
           struct bound **ret_upper, GError **error)
{
    struct retry retry = retry_for(&reader->copier->options.reader, RETRY_FIRST_MS, RETRY_MAX_MS);
    GError *failure = NULL;
    *ret_upper = NULL;
    while (!connect_reader(reader, &failure) ||
           !find_upper(reader, walk->table->source, lower, rows, ret_upper, &failure)) {
        if (!try_again(reader, &retry, &failure)) {
            g_propagate_error(error, failure);
            return false;
        }
    }
    return true;
}

/* Finds and reads ranges until there are none left. False on a failure. */
static bool
walk_tables(struct reader *reader, GError **error)
{
    struct bound *lower;
    uint64_t rows;
    struct table_walk *walk;
    while ((walk = copier_claim(reader->copier, &lower, &rows)) != NULL) {
        struct bound *upper;
        if (!find_range(reader, walk, lower, rows, &upper, error)) {
            bound_unref(lower);
            copier_unclaim(reader->copier, walk);
            return false;
        }
        struct range *range = copier_publish(reader->copier, walk, lower, upper);
        if (!read_range(reader, range, error))
            return false;
    }
    return true;
}

void *
copy_reader_main(void *argument)
{
    struct reader reader = {.copier = argument, .sql = g_string_new(NULL)};
    g_autoptr(GError) error = NULL;
    if (!walk_tables(&reader, &error)) {
        /* A table that changed under the SELECT: the stream knows the statement and who was first;
         * give it the time to say so. */
        if (g_error_matches(error, MT_ERROR, MT_ERROR_DATA))
            (void)stop_wait_ms(DDL_GRACE_MS);
        copier_fail(reader.copier, error);
    }
    conn_close(reader.conn);
    g_string_free(reader.sql, TRUE);
    return NULL;
}
