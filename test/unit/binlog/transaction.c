#include "binlog/transaction.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/error.h"
#include "binlog/event.h"
#include "recorder.h"

#define UUID "11111111-2222-3333-4444-555555555555"
#define PLENTY 100000

static void
check_lines(struct recorder *recorder, const char *expected)
{
    cr_expect_str_eq(recorder->lines->str, expected);
}

/* The whole file is taken, and this is told. */
static void
check_file(const char *name, size_t fragment_bytes, const char *expected)
{
    struct recorder *recorder = recorder_new(fragment_bytes);
    g_autoptr(GError) error = NULL;
    cr_expect(recorder_feed_file(recorder, name, &error), "%s: %s", name,
              error != NULL ? error->message : "");
    check_lines(recorder, expected);
    recorder_free(recorder);
}

/* The file is refused, with all of these words. */
static void
check_refused(const char *name, const char *lines, const char *const *words)
{
    struct recorder *recorder = recorder_new(PLENTY);
    g_autoptr(GError) error = NULL;
    cr_expect(not(recorder_feed_file(recorder, name, &error)), "%s was taken", name);
    cr_assert_eq(mt_error_exit_code(error), 7, "%s", name);
    for (; *words != NULL; words++)
        cr_expect(strstr(error->message, *words) != NULL, "%s: '%s' is not in: %s", name, *words,
                  error->message);
    check_lines(recorder, lines);
    recorder_free(recorder);
}

/* Multi-table statements, savepoints, empty transactions, DDL elsewhere, CREATE … SELECT, tagged
 * GTIDs, Rows_query; the last INSERT is split because of its size. */
Test(transaction, ordinary)
{
    check_file("transactions", 500,
               "arrived 1 :29\n"
               "1 :29 +0.1 +1.10 +1.11 last\n"
               "arrived 2 :30\n"
               "2 :30 last\n"
               "arrived 3 :31\n"
               "3 :31 0.1>0.2 last\n"
               "arrived 4 :32\n"
               "4 :32 0.2>0.2 1.10>1.10 last\n"
               "arrived 5 :33\n"
               "5 :33 -1.10 -1.11 last\n"
               "arrived 6 :34\n"
               "6 :34 +0.3 +0.5 last\n"
               "arrived 7 :1000\n"
               "7 :1000 last\n"
               "arrived 8 :35\n"
               "8 :35 last\n"
               "arrived 9 :36\n"
               "9 :36 last\n"
               "arrived 10 :37\n"
               "10 :37 last\n"
               "arrived 11 :38\n"
               "11 :38 last\n"
               "arrived 12 :39\n"
               "12 :39 last\n"
               "arrived 13 :40\n"
               "13 :40 last\n"
               "arrived 14 :blue:1\n"
               "14 :blue:1 +0.6 last\n"
               "arrived 15 :41\n"
               "15 :41 +0.7 last\n"
               "arrived 16 :42\n"
               "16 :42 +0.100\n"
               "16 :42 +0.101\n"
               "16 :42 +0.102\n"
               "16 :42 +0.103 last\n"
               "arrived 17 :43\n"
               "17 :43 last\n");
}

Test(transaction, position)
{
    struct recorder *recorder = recorder_new(PLENTY);
    cr_assert(recorder_feed_file(recorder, "transactions", NULL));
    g_autofree char *text = gtid_set_to_string(recorder->complete);
    cr_expect_str_eq(text, UUID ":29-43:1000:blue:1");
    recorder_free(recorder);
}

Test(transaction, compressed)
{
    check_file("compressed", PLENTY,
               "arrived 1 :5\n"
               "1 :5 +0.200 +0.201 0.200>0.200 last\n"
               "arrived 2 :6\n"
               "2 :6 +0.202 last\n"
               "arrived 3 :7\n"
               "3 :7 last\n"
               "arrived 4 :green:1\n"
               "4 :green:1 +0.203 last\n"
               "arrived 5 :8\n"
               "arrived 6 :9\n"
               "6 :9 +0.204\n"
               "6 :9 last :8\n");
}

/* What is prepared comes with its commit, in its place; the other moves nothing. */
Test(transaction, xa)
{
    check_file("xa", PLENTY,
               "arrived 1 :44\n"
               "arrived 2 :45\n"
               "arrived 3 :46\n"
               "3 :46 last\n"
               "arrived 4 :47\n"
               "4 :47 +0.302 last\n"
               "arrived 5 :48\n"
               "5 :48 +0.300\n"
               "5 :48 last :44\n"
               "arrived 6 :49\n"
               "6 :49 last\n"
               "arrived 7 :50\n"
               "7 :50 last :45\n"
               "arrived 8 :51\n"
               "8 :51 +0.303 last\n");
}

Test(transaction, without_checksums)
{
    check_file("no_checksum", PLENTY, "arrived 1 :18\n1 :18 +0.800 last\n");
}

/* Triggers of the other table may have led the change to the moved one. */
Test(transaction, statements_on_other_tables)
{
    static const char *const beside[] = {"changed something in the database of moved table "
                                         "`shop`.`orders` (INSERT statement)",
                                         NULL};
    check_refused("statement_other", "arrived 1 :23\n", beside);
}

/* A RENAME with our token is a transaction without rows; one without it is refused (ddl). */
Test(transaction, own_rename)
{
    check_file("renamed", PLENTY,
               "arrived 1 :19\n1 :19 last\narrived 2 :20\n2 :20 last\n"
               "arrived 3 :21\n3 :21 last\n");
}

Test(transaction, refusals)
{
    static const char *const ddl[] = {"`shop`.`orders`", "ALTER TABLE orders ADD extra INT",
                                      UUID ":11", "position 616", NULL};
    static const char *const statement[] = {"`shop`.`orders`", "binlog_format", "INSERT", NULL};
    static const char *const load[] = {"`shop`.`orders`", "binlog_format", "LOAD", NULL};
    static const char *const function[] = {"SELECT `shop`.`touch_orders`()", NULL};
    static const char *const anonymous[] = {"gtid_mode", NULL};
    check_refused("ddl", "arrived 1 :10\n1 :10 +0.700 last\narrived 2 :11\n", ddl);
    check_refused("statement_moved", "arrived 1 :22\n", statement);
    check_refused("load_moved", "arrived 1 :17\n", load);
    check_refused("function_moved", "arrived 1 :14\n1 :14 last\narrived 2 :15\n", function);
    check_refused("zz_anonymous", "", anonymous);
}

/* A row's values must not get into a message. */
Test(transaction, refusal_hides_values)
{
    struct recorder *recorder = recorder_new(PLENTY);
    g_autoptr(GError) error = NULL;
    cr_assert(not(recorder_feed_file(recorder, "statement_moved", &error)));
    cr_expect(strstr(error->message, "by statement") == NULL);
    recorder_free(recorder);
}

/* Feeds the first `count` events of a file. */
static bool
feed_some(struct recorder *recorder, const char *name, guint from, guint count, GError **error)
{
    g_autoptr(GBytes) file = recorder_file(name);
    g_autoptr(GArray) events = recorder_events(file);
    const uint8_t *bytes = g_bytes_get_data(file, NULL);
    for (guint i = 2 * from; i < 2 * (from + count) && i + 1 < events->len; i += 2)
        if (!recorder_feed(recorder, bytes + g_array_index(events, guint32, i),
                           g_array_index(events, guint32, i + 1), error))
            return false;
    return true;
}

/* Wherever the connection was lost: the whole file once more gives every transaction whole. */
Test(transaction, reset_anywhere)
{
    static const char *const names[] = {"transactions", "compressed", "xa", "renamed"};
    for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
        struct recorder *once = recorder_new(500);
        cr_assert(recorder_feed_file(once, names[n], NULL));
        g_autoptr(GBytes) file = recorder_file(names[n]);
        g_autoptr(GArray) events = recorder_events(file);
        for (guint cut = 0; cut <= events->len / 2; cut++) {
            struct recorder *recorder = recorder_new(500);
            cr_assert(feed_some(recorder, names[n], 0, cut, NULL));
            assembler_reset(recorder->assembler);
            g_string_truncate(recorder->lines, 0);
            recorder->seq = 0;
            cr_assert(recorder_feed_file(recorder, names[n], NULL), "%s cut at %u", names[n], cut);
            cr_expect_str_eq(recorder->lines->str, once->lines->str);
            cr_expect(gtid_set_equal(recorder->complete, once->complete));
            recorder_free(recorder);
        }
        recorder_free(once);
    }
}

/* Every byte of every event is covered by its checksum. */
Test(transaction, checksum)
{
    g_autoptr(GBytes) file = recorder_file("xa");
    g_autoptr(GArray) events = recorder_events(file);
    const uint8_t *bytes = g_bytes_get_data(file, NULL);
    for (guint i = 0; i + 1 < events->len; i += 2) {
        guint32 length = g_array_index(events, guint32, i + 1);
        for (guint32 at = 0; at < length; at += 7) {
            bool length_field = at >= 9 && at < 13;
            bool in_use = bytes[g_array_index(events, guint32, i) + 4] == EVENT_FORMAT_DESCRIPTION;
            if (length_field || in_use)
                continue;
            struct recorder *recorder = recorder_new(PLENTY);
            uint8_t *event = g_memdup2(bytes + g_array_index(events, guint32, i), length);
            event[at] ^= 0x10;
            g_autoptr(GError) error = NULL;
            cr_expect(not(recorder_feed(recorder, event, length, &error)), "event %u byte %u",
                      i / 2, at);
            cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_SOURCE) ||
                      g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
            g_free(event);
            recorder_free(recorder);
        }
    }
}

/* The server sets the flag after it computed the checksum. */
Test(transaction, format_of_a_file_in_use)
{
    g_autoptr(GBytes) file = recorder_file("xa");
    g_autoptr(GArray) events = recorder_events(file);
    const uint8_t *bytes = g_bytes_get_data(file, NULL);
    guint32 length = g_array_index(events, guint32, 1);
    uint8_t *event = g_memdup2(bytes + 4, length);
    struct recorder *recorder = recorder_new(PLENTY);
    event[17] |= EVENT_FLAG_BINLOG_IN_USE;
    cr_expect(recorder_feed(recorder, event, length, NULL));
    event[30] ^= 1;
    cr_expect(not(recorder_feed(recorder, event, length, NULL)));
    g_free(event);
    recorder_free(recorder);
}

static bool
feed_made(struct recorder *recorder, uint8_t type, uint16_t flags, const char *body, size_t length,
          GError **error)
{
    g_autoptr(GBytes) event = recorder_event(type, flags, (const uint8_t *)body, length);
    gsize total = 0;
    const uint8_t *bytes = g_bytes_get_data(event, &total);
    return recorder_feed(recorder, bytes, total, error);
}

#define FEED(recorder, type, flags, body, error) \
    feed_made(recorder, type, flags, body, sizeof body - 1, error)

#define GTID_BODY "\1AAAAAAAAAAAAAAAA\5\0\0\0\0\0\0\0"
#define QUERY_HEAD "\1\0\0\0\0\0\0\0\4\0\0\0\0shop\0"

Test(transaction, events_without_meaning)
{
    struct recorder *recorder = recorder_new(PLENTY);
    g_autoptr(GError) error = NULL;
    cr_expect(FEED(recorder, EVENT_HEARTBEAT, 0, "binlog.000001", NULL));
    cr_expect(FEED(recorder, EVENT_HEARTBEAT_V2, 0, "\1\4abcd", NULL));
    cr_expect(FEED(recorder, EVENT_STOP, 0, "", NULL));
    cr_expect(FEED(recorder, EVENT_PREVIOUS_GTIDS, 0, "\0\0\0\0\0\0\0\0", NULL));
    cr_expect(FEED(recorder, 99, EVENT_FLAG_IGNORABLE, "?", NULL));
    cr_expect(not(FEED(recorder, 99, 0, "?", &error)));
    cr_expect(strstr(error->message, "type 99") != NULL, "%s", error->message);
    check_lines(recorder, "");
    recorder_free(recorder);
}

Test(transaction, file_and_position_in_messages)
{
    struct recorder *recorder = recorder_new(PLENTY);
    g_autoptr(GError) error = NULL;
    cr_assert(
        FEED(recorder, EVENT_ROTATE, EVENT_FLAG_ARTIFICIAL, "\4\0\0\0\0\0\0\0binlog.000042", NULL));
    cr_assert(not(FEED(recorder, EVENT_INCIDENT, 0, "\1\0\7gap (!)", &error)));
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_GAP));
    cr_expect(strstr(error->message, "binlog.000042") != NULL, "%s", error->message);
    cr_expect(strstr(error->message, "gap (!)") != NULL, "%s", error->message);
    recorder_free(recorder);
}

/* Out of order: what a damaged or foreign binlog could hold. */
Test(transaction, malformed_order)
{
    static const struct {
        uint8_t type;
        const char *body;
        size_t length;
    } outside[] = {
        {EVENT_XID, "\0\0\0\0\0\0\0\0", 8},
        {EVENT_QUERY, QUERY_HEAD "BEGIN", sizeof QUERY_HEAD - 1 + 5},
        {EVENT_WRITE_ROWS, "\1\0\0\0\0\0\1\0\2\0", 10},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++) {
        struct recorder *recorder = recorder_new(PLENTY);
        g_autoptr(GError) error = NULL;
        cr_expect(not(
            feed_made(recorder, outside[i].type, 0, outside[i].body, outside[i].length, &error)));
        cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
        check_lines(recorder, "");
        recorder_free(recorder);
    }
}

Test(transaction, cut_off_transaction)
{
    struct recorder *recorder = recorder_new(PLENTY);
    g_autoptr(GError) error = NULL;
    cr_assert(FEED(recorder, EVENT_GTID, 0, GTID_BODY, NULL));
    cr_assert(FEED(recorder, EVENT_QUERY, 0, QUERY_HEAD "BEGIN", NULL));
    cr_assert(not(FEED(recorder, EVENT_GTID, 0, GTID_BODY, &error)));
    /* Worth another attempt: not MT_ERROR_DATA. */
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_SOURCE));
    recorder_free(recorder);
}

Test(transaction, rows_without_their_table_map)
{
    struct recorder *recorder = recorder_new(PLENTY);
    g_autoptr(GError) error = NULL;
    cr_assert(FEED(recorder, EVENT_GTID, 0, GTID_BODY, NULL));
    cr_assert(FEED(recorder, EVENT_QUERY, 0, QUERY_HEAD "BEGIN", NULL));
    cr_expect(FEED(recorder, EVENT_WRITE_ROWS, 0, "\377\377\377\0\0\0\1\0\2\0", NULL));
    cr_assert(not(FEED(recorder, EVENT_WRITE_ROWS, 0, "\1\0\0\0\0\0\1\0\2\0", &error)));
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    recorder_free(recorder);
}

#define XA_COMMIT QUERY_HEAD "XA COMMIT X'6b',X'',1"

Test(transaction, unknown_xa_commit)
{
    for (int accepts = 0; accepts < 2; accepts++) {
        struct recorder *recorder = recorder_new(PLENTY);
        recorder->accepts_unknown_xa = accepts == 1;
        cr_assert(FEED(recorder, EVENT_GTID, 0, GTID_BODY, NULL));
        cr_expect(FEED(recorder, EVENT_QUERY, 0, XA_COMMIT, NULL) == (accepts == 1));
        check_lines(recorder, accepts == 1 ? "arrived 1 :5\nxa 1 X'6b',X'',1\n1 :5 last\n"
                                           : "arrived 1 :5\nxa 1 X'6b',X'',1\n");
        recorder_free(recorder);
    }
}

Test(transaction, unknown_xa_rollback_is_harmless)
{
    struct recorder *recorder = recorder_new(PLENTY);
    cr_assert(FEED(recorder, EVENT_GTID, 0, GTID_BODY, NULL));
    cr_expect(FEED(recorder, EVENT_QUERY, 0, QUERY_HEAD "XA ROLLBACK X'6b',X'',1", NULL));
    check_lines(recorder, "arrived 1 :5\n1 :5 last\n");
    recorder_free(recorder);
}

/* The index of the first event of a type. */
static guint
find_event(const char *name, uint8_t type)
{
    g_autoptr(GBytes) file = recorder_file(name);
    g_autoptr(GArray) events = recorder_events(file);
    const uint8_t *bytes = g_bytes_get_data(file, NULL);
    for (guint i = 0; i + 1 < events->len; i += 2)
        if (bytes[g_array_index(events, guint32, i) + 4] == type)
            return i / 2;
    cr_assert(false, "no event of type %u in %s", type, name);
    return 0;
}

/* Only a transaction with a table that cannot roll back is in the binlog with its ROLLBACK. */
Test(transaction, rolled_back_but_in_the_binlog)
{
    guint rows = find_event("transactions", EVENT_WRITE_ROWS);
    static const struct {
        const char *statement;
        bool with_rows;
        bool taken;
    } cases[] = {
        {"ROLLBACK", false, true},           {"ROLLBACK", true, false},
        {"ROLLBACK TO `s`", false, true},    {"ROLLBACK TO `s`", true, false},
        {"ROLLBACK TO `after`", true, true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct recorder *recorder = recorder_new(PLENTY);
        GString *body = g_string_new_len(QUERY_HEAD, sizeof QUERY_HEAD - 1);
        g_string_append(body, cases[i].statement);
        cr_assert(
            feed_some(recorder, "transactions", 0, cases[i].with_rows ? rows + 1 : rows - 1, NULL));
        if (cases[i].with_rows)
            cr_assert(FEED(recorder, EVENT_QUERY, 0, QUERY_HEAD "SAVEPOINT `after`", NULL));
        g_autoptr(GError) error = NULL;
        bool taken = feed_made(recorder, EVENT_QUERY, 0, body->str, body->len, &error);
        cr_expect(taken == cases[i].taken, "%zu %s", i, error != NULL ? error->message : "");
        g_string_free(body, TRUE);
        recorder_free(recorder);
    }
}

Test(transaction, sink_ends_it)
{
    struct recorder *recorder = recorder_new(500);
    recorder->fragments_left = 2;
    g_autoptr(GError) error = NULL;
    cr_expect(not(recorder_feed_file(recorder, "transactions", &error)));
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_STOPPED));
    cr_expect_str_eq(error->message, "the sink is full");
    recorder_free(recorder);
}

/* However large the events: a fragment is at most its limit and one row. */
Test(transaction, fragments_are_bounded)
{
    struct recorder *recorder = recorder_new(1000);
    cr_assert(recorder_feed_file(recorder, "transactions", NULL));
    cr_expect(gt(sz, recorder->largest_fragment_bytes, 500));
    cr_expect(lt(sz, recorder->largest_fragment_bytes, 1600));
    recorder_free(recorder);
}
