/*
 * What the row path costs, in instructions and in allocations: `cost CASE TIMES`
 * under callgrind, which counts what happens inside measured_*(). See run.
 *
 *   load     a row of four columns (BIGINT, INT, CHAR(120), CHAR(60)) as a line of LOAD DATA
 *   events   the transactions of test/data/stream/transactions.binlog, decoded and checked
 *   apply    the same, folded into batches and written as DELETE and REPLACE
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply/batch.h"
#include "apply/statement.h"
#include "binlog/transaction.h"
#include "schema/column_text.h"
#include "schema/table.h"

#define MAGIC_BYTES 4
#define FEEDS_A_BATCH 100
#define FRAGMENT_BYTES ((size_t)1 << 20)

/* Every allocation of the program, the libraries' as well: glibc lets a program put its own in the
 * place of malloc() and the like. */
static unsigned long allocations;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

void *
malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *
realloc(void *block, size_t size)
{
    allocations++;
    return __libc_realloc(block, size);
}

static void
die(const char *what)
{
    fprintf(stderr, "cost: %s\n", what);
    exit(1);
}

static struct table *
table_made(const char *schema, const char *name)
{
    struct table *table = g_new0(struct table, 1);
    table->schema = g_strdup(schema);
    table->name = g_strdup(name);
    table->columns = g_ptr_array_new_with_free_func((GDestroyNotify)column_free);
    table->key_columns = g_array_new(FALSE, FALSE, sizeof(unsigned));
    return table;
}

static void
add_column(struct table *table, const char *name, enum column_type type, uint64_t octets)
{
    struct column *column = g_new0(struct column, 1);
    column->name = g_strdup(name);
    column->type = type;
    column->octet_length = octets;
    column->charset = octets > 0 ? g_strdup("latin1") : NULL;
    column->nullable = true;
    g_ptr_array_add(table->columns, column);
}

/* --- load ------------------------------------------------------------------------------- */

__attribute__((noinline)) static void
measured_load(GString *file, const struct table *table, unsigned times)
{
    static const char c[] = "68487932199-96439406143-93774651418-41631865787-96406072701-"
                            "20604855487-25459966574-28203206787-41238978918-19503783441";
    static const char pad[] = "22195207048-70116052123-74140395089-76317954521-98694025897";
    for (unsigned i = 0; i < times; i++) {
        const struct column_text texts[] = {
            {.data = "1234567890", .length = 10},
            {.data = "498765", .length = 6},
            {.data = c, .length = sizeof c - 1},
            {.data = pad, .length = sizeof pad - 1},
        };
        for (unsigned n = 0; n < G_N_ELEMENTS(texts); n++)
            if (!column_load_append(file, table_column(table, n), texts[n]))
                die("a value was refused");
        if (file->len > 8 << 20)
            g_string_truncate(file, 0);
    }
}

static void
load(unsigned times)
{
    g_autoptr(GString) file = g_string_sized_new(9 << 20);
    struct table *table = table_made("shop", "t");
    add_column(table, "id", COLUMN_BIGINT, 0);
    add_column(table, "k", COLUMN_INT, 0);
    add_column(table, "c", COLUMN_CHAR, 480);
    add_column(table, "pad", COLUMN_CHAR, 240);
    unsigned long before = allocations;
    measured_load(file, table, times);
    printf("%lu allocations\n", allocations - before);
    table_free(table);
}

/* --- events and apply ------------------------------------------------------------------- */

struct stage {
    GPtrArray *moved_tables;
    struct assembler *assembler;
    struct batch *batch; /* NULL: fragments are only counted */
    struct statement_buffers buffers;
    uint64_t seq;
    uint64_t changes;
};

static bool
arrived(void *context, const struct gtid *gtid, uint64_t *ret_seq, GError **error)
{
    (void)gtid;
    (void)error;
    *ret_seq = ++((struct stage *)context)->seq;
    return true;
}

static bool
take(void *context, struct fragment *fragment, GError **error)
{
    struct stage *stage = context;
    stage->changes += fragment->changes->len;
    if (stage->batch != NULL)
        return batch_add(stage->batch, fragment, error);
    fragment_free(fragment);
    return true;
}

/* One statement a table and operation, as the writers build them. */
static void
write_out(struct stage *stage)
{
    g_autofree uint32_t *chosen = g_new(uint32_t, batch_entries(stage->batch) + 1);
    for (unsigned table = 0; table < stage->moved_tables->len; table++) {
        for (int put = 0; put < 2; put++) {
            struct slice slice = {
                .table = g_ptr_array_index(stage->moved_tables, table),
                .batch = stage->batch,
                .entries = chosen,
                .is_put = put == 1,
            };
            for (size_t i = 0; i < batch_entries(stage->batch); i++) {
                const struct batch_entry *entry = batch_entry(stage->batch, i);
                if (entry->table == table && entry->is_put == slice.is_put)
                    chosen[slice.count++] = (uint32_t)i;
            }
            if (slice.count > 0 && !statement_build(&stage->buffers, &slice, NULL))
                die("a statement could not be built");
        }
    }
    batch_clear(stage->batch);
}

static void
feed(struct stage *stage, GBytes *file)
{
    gsize size = 0;
    const uint8_t *bytes = g_bytes_get_data(file, &size);
    for (gsize at = MAGIC_BYTES; at < size;) {
        uint32_t length;
        memcpy(&length, bytes + at + 9, sizeof length);
        g_autoptr(GError) error = NULL;
        if (!assembler_feed(stage->assembler, bytes + at, GUINT32_FROM_LE(length), &error))
            die(error->message);
        at += GUINT32_FROM_LE(length);
    }
}

__attribute__((noinline)) static void
measured_events(struct stage *stage, GBytes *file, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        feed(stage, file);
        if (stage->batch != NULL && (i + 1) % FEEDS_A_BATCH == 0)
            write_out(stage);
    }
}

static void
add_moved(GPtrArray *moved_tables, struct table *table, const char *key)
{
    struct moved_table *moved = g_new0(struct moved_table, 1);
    static const unsigned first = 0;
    g_array_append_val(table->key_columns, first);
    table->key_name = g_strdup(key);
    moved->index = moved_tables->len;
    moved->source = table;
    moved->to_schema = g_strdup(table->schema);
    moved->to_table = g_strdup(table->name);
    moved->moved_as = g_strdup("moved");
    g_ptr_array_add(moved_tables, moved);
}

/* Over the tables of test/data/stream/setup.sql. */
static void
events(unsigned times, bool apply)
{
    struct stage stage = {.moved_tables = g_ptr_array_new()};
    struct table *orders = table_made("shop", "orders");
    add_column(orders, "id", COLUMN_INT, 0);
    add_column(orders, "v", COLUMN_VARCHAR, 60000);
    add_column(orders, "n", COLUMN_BIGINT, 0);
    struct table *items = table_made("shop", "items");
    add_column(items, "id", COLUMN_INT, 0);
    add_column(items, "v", COLUMN_VARCHAR, 800);
    add_column(items, "n", COLUMN_BIGINT, 0);
    add_moved(stage.moved_tables, orders, "PRIMARY");
    add_moved(stage.moved_tables, items, "PRIMARY");
    struct assembler_options options = {
        .moved_tables = stage.moved_tables,
        .fragment_bytes = FRAGMENT_BYTES,
        .rename_token = "token",
    };
    struct transaction_sink sink = {.context = &stage, .arrived = arrived, .fragment = take};
    stage.assembler = assembler_new(&options, &sink);
    stage.batch = apply ? batch_new(2) : NULL;
    statement_buffers_init(&stage.buffers);
    g_autofree char *bytes = NULL;
    gsize length = 0;
    if (!g_file_get_contents("test/data/stream/transactions.binlog", &bytes, &length, NULL))
        die("run it at the top of the checkout");
    g_autoptr(GBytes) file = g_bytes_new_static(bytes, length);
    unsigned long before = allocations;
    measured_events(&stage, file, times);
    printf("%lu allocations, %" G_GUINT64_FORMAT " transactions, %" G_GUINT64_FORMAT " changes\n",
           allocations - before, stage.seq, stage.changes);
}

int
main(int argc, char **argv)
{
    if (argc != 3)
        die("usage: cost load|events|apply TIMES");
    unsigned times = (unsigned)strtoul(argv[2], NULL, 10);
    if (strcmp(argv[1], "load") == 0)
        load(times);
    else if (strcmp(argv[1], "events") == 0)
        events(times, false);
    else if (strcmp(argv[1], "apply") == 0)
        events(times, true);
    else
        die("no such case");
    return 0;
}
