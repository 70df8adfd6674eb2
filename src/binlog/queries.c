/* QUERY events: what frames transactions, and what must not happen to a moved table. */
#include "binlog/assembler_int.h"

#include "base/error.h"
#include "binlog/statement.h"

/* A statement may be megabytes of values: only its start goes into a message. */
#define STATEMENT_SHOWN_BYTES 200

static char *
statement_text(const struct event_query *query)
{
    size_t shown = MIN(query->sql_length, (size_t)STATEMENT_SHOWN_BYTES);
    g_autofree char *start = g_utf8_make_valid(query->sql, (gssize)shown);
    return g_strconcat(start, shown < query->sql_length ? "…" : "", NULL);
}

static bool
refuse(const struct assembler *assembler, const struct event_query *query,
       enum statement_effect effect, int table, GError **error)
{
    g_autofree char *name = assembler_table_name(assembler, table);
    g_autofree char *text = statement_text(query);
    size_t word = 0; /* of a change only the verb is shown: the statement holds rows' values */
    while (word < query->sql_length && g_ascii_isalpha(query->sql[word]))
        word++;
    switch (effect) {
    case EFFECT_DDL:
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "DDL on moved table %s was run on the source (default database '%.*s'): %s; a "
                    "move cannot follow it: start again with --fresh once it is done",
                    name, (int)query->schema_length, query->schema, text);
        break;
    case EFFECT_CHANGE:
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "a session on the source changed moved table %s with binlog_format other than "
                    "ROW (%.*s statement): it cannot be applied as state; keep all sessions at "
                    "binlog_format=ROW and start again with --fresh",
                    name, (int)word, query->sql);
        break;
    case EFFECT_BESIDE:
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "a session on the source with binlog_format other than ROW changed something "
                    "in the database of moved table %s (%.*s statement): views, triggers or "
                    "functions may have led it to the table; keep all sessions at "
                    "binlog_format=ROW and start again with --fresh",
                    name, (int)word, query->sql);
        break;
    case EFFECT_UNSURE:
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "a session on the source with binlog_format other than ROW ran functions that "
                    "may have changed the database of moved table %s: %s; keep all sessions at "
                    "binlog_format=ROW and start again with --fresh",
                    name, text);
        break;
    case EFFECT_NONE:
        break;
    }
    return false;
}

/* A statement that frames nothing: within BEGIN … COMMIT, or a transaction by itself. */
static bool
other_statement(struct assembler *assembler, const struct event_query *query, GError **error)
{
    const char *token = assembler->options.rename_token;
    /* Our own RENAME is a transaction like any other: the cutover waits for a GTID set, of which it
     * is a part. */
    if (token == NULL || !statement_is_own_rename(query, token)) {
        int table = MOVED_NONE;
        enum statement_effect effect = statement_effect_of(query, assembler->names, &table);
        if (effect != EFFECT_NONE)
            return refuse(assembler, query, effect, table, error);
    }
    return assembler->state.group != GROUP_OPENED || assembler_complete(assembler, error);
}

/* --- rolled back --------------------------------------------------------------------------------
 *
 * What was rolled back is not in the binlog, unless the transaction also
 * changed a table that cannot roll back: then it is there, with the ROLLBACK.
 * enforce_gtid_consistency forbids such transactions; they are refused when they
 * concern a moved table, since fragments may have been handed over.
 */

static bool
refuse_rolled_back(GError **error)
{
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "a transaction on the source changed rows of a moved table, rolled them back, and "
                "is in the binlog all the same because it also changed a table that is not "
                "transactional; set enforce_gtid_consistency=ON and start again with --fresh");
    return false;
}

static void
remember_savepoint(struct assembler *assembler, const char *name, size_t length)
{
    /* Absent stands for none: a transaction without rows of moved tables costs nothing. */
    if (assembler->state.changes > 0)
        g_hash_table_replace(assembler->savepoints, g_strndup(name, length),
                             GSIZE_TO_POINTER((size_t)assembler->state.changes));
}

static bool
roll_back_to(struct assembler *assembler, const char *name, size_t length, GError **error)
{
    g_autofree char *key = g_strndup(name, length);
    size_t before = GPOINTER_TO_SIZE(g_hash_table_lookup(assembler->savepoints, key));
    return before == assembler->state.changes ? true : refuse_rolled_back(error);
}

/* --- XA --------------------------------------------------------------------------------------------
 *
 * Two GTIDs, two groups:
 *   GTID a, QUERY "XA START X'…',X'…',1", rows, QUERY "XA END X'…',X'…',1", XA_PREPARE
 *   GTID b, QUERY "XA COMMIT X'…',X'…',1" (or XA ROLLBACK)
 * and one for XA COMMIT … ONE PHASE: the same as a, with the flag in XA_PREPARE.
 */

/* Delivers what was prepared, under the GTID and arrival number of the XA COMMIT. */
static bool
commit_prepared(struct assembler *assembler, struct xa_transaction *prepared, GError **error)
{
    for (guint i = 0; i < prepared->fragments->len; i++) {
        struct fragment *fragment = g_steal_pointer(&prepared->fragments->pdata[i]);
        fragment->gtid = assembler->state.head.gtid;
        fragment->seq = assembler->state.seq;
        fragment->commit_us = assembler->state.head.commit_us;
        if (!assembler->sink.fragment(assembler->sink.context, fragment, error)) {
            assembler->sink_failed = true;
            return false;
        }
    }
    return true;
}

static bool
unknown_commit(struct assembler *assembler, const char *xid, size_t length, GError **error)
{
    g_autofree char *name = g_strndup(xid, length);
    if (assembler->sink.unknown_xa_commit != NULL) {
        bool accepted = assembler->sink.unknown_xa_commit(assembler->sink.context,
                                                          assembler->state.seq, name, error);
        assembler->sink_failed = !accepted;
        return accepted;
    }
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "XA transaction %s was prepared before the position from which the move reads: "
                "whether it changed moved tables is not known; start again with --fresh when XA "
                "RECOVER on the source shows none that is left over",
                name);
    return false;
}

static bool
end_prepared(struct assembler *assembler, const char *xid, size_t length, bool commit,
             GError **error)
{
    struct xa_transaction *prepared = xa_store_take(assembler->prepared, xid, length);
    bool done = true;
    bool harmless = prepared == NULL && xa_store_take_harmless(assembler->prepared, xid, length);
    if (prepared == NULL)
        done = harmless || !commit || unknown_commit(assembler, xid, length, error);
    else if (commit)
        done = commit_prepared(assembler, prepared, error);
    if (done && prepared != NULL)
        assembler->state.prepared = prepared->gtid;
    xa_transaction_free(prepared);
    return done && assembler_complete(assembler, error);
}

/* --- the whole ---------------------------------------------------------------------------------------- */

static bool
begin(struct assembler *assembler, enum group group, GError **error)
{
    if (assembler->state.group != GROUP_OPENED) {
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "malformed binlog: a transaction begins within another, or without a GTID");
        return false;
    }
    assembler->state.group = group;
    if (group == GROUP_XA)
        assembler->state.xa = xa_transaction_new(&assembler->state.head.gtid);
    return true;
}

static bool
roll_back(struct assembler *assembler, GError **error)
{
    return assembler->state.changes > 0 ? refuse_rolled_back(error)
                                        : assembler_complete(assembler, error);
}

bool
assembler_feed_query(struct assembler *assembler, uint8_t type, struct cursor body, GError **error)
{
    struct event_query query;
    if (!event_query_decode(type, body, &query, error))
        return false;
    const char *name = NULL;
    size_t length = 0;
    switch (statement_kind_of(&query, &name, &length)) {
    case STATEMENT_BEGIN:
        return begin(assembler, GROUP_STATEMENTS, error);
    case STATEMENT_XA_START:
        return begin(assembler, GROUP_XA, error);
    case STATEMENT_COMMIT:
        return assembler_complete(assembler, error);
    case STATEMENT_ROLLBACK:
        return roll_back(assembler, error);
    case STATEMENT_SAVEPOINT:
        remember_savepoint(assembler, name, length);
        return true;
    case STATEMENT_ROLLBACK_TO:
        return roll_back_to(assembler, name, length, error);
    case STATEMENT_XA_END:
        return true;
    case STATEMENT_XA_COMMIT:
        return end_prepared(assembler, name, length, true, error);
    case STATEMENT_XA_ROLLBACK:
        if (assembler->state.group == GROUP_XA)
            return roll_back(assembler, error);
        return end_prepared(assembler, name, length, false, error);
    case STATEMENT_OTHER:
        return other_statement(assembler, &query, error);
    }
    g_assert_not_reached();
}
