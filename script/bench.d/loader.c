/*
 * The bare loader: how fast rows that are in memory already can be put into a
 * server by a method and a number of connections. It also fills the source, and
 * makes a backlog of single-row transactions.
 *
 *   loader PORT load|insert CONNECTIONS ROWS TABLE
 *   loader PORT file CONNECTIONS PATH TABLE
 *   loader PORT update CONNECTIONS CHANGES TABLE_PREFIX TABLES ROWS_EACH
 *   loader PORT sql CONNECTIONS PATH -
 *   loader PORT steady|put CONNECTIONS CHANGES_A_SECOND TABLE ROWS ROWS_A_TRANSACTION
 *
 * The password is the empty one of root@127.0.0.1. Prints `seconds user system`.
 * The rows: id 1…ROWS, k, c of 119 characters, pad of 59, the same in every run; `file`: those of a
 * file as SELECT … INTO OUTFILE writes it. `sql`: the file's lines, each a transaction.
 * `steady` updates random rows until SIGTERM or until the table is gone, and prints
 * `changes seconds last`: when the last COMMIT was answered, in seconds since the epoch. `put`: by REPLACE
 * of whole rows, those that `load` makes.
 */
#include <mysql.h>
#include <mysqld_error.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define PART_BYTES ((size_t)8 << 20)
#define INSERT_ROWS 1000
#define UPDATES_A_PACKET 200
#define CONNECTIONS_MAX 64
#define C_LENGTH 119
#define PAD_LENGTH 59

/* Bytes for one LOAD DATA, or one whole statement. */
struct part {
    char *bytes;
    size_t length;
    size_t position;
};

struct job {
    int port;
    const char *method;
    unsigned connections;
    uint64_t count;
    const char *table;
    const char *table_or_path; /* the word after the number of connections */
    unsigned tables;
    uint64_t rows_each;

    struct part *parts;
    size_t parts_count;
    size_t parts_room;
    pthread_mutex_t mutex;
    size_t next;
};

static void
die(const char *what, MYSQL *handle)
{
    fprintf(stderr, "loader: %s: %s\n", what, handle != NULL ? mysql_error(handle) : "failed");
    exit(1);
}

/* --- rows ------------------------------------------------------------------------------- */

static uint64_t
mixed(uint64_t number)
{
    number += 0x9e3779b97f4a7c15ULL;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9ULL;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebULL;
    return number ^ (number >> 31);
}

/* Digits in groups of eleven, as sysbench makes them. */
static size_t
append_digits(char *place, size_t length, uint64_t seed)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < length; i++) {
        if (i % 16 == 0)
            bits = mixed(seed + i);
        place[i] = i % 12 == 11 ? '-' : (char)('0' + (bits >> (i % 16 * 4)) % 10);
    }
    return length;
}

static size_t
append_row(char *place, uint64_t id, uint64_t rows, bool load)
{
    char *start = place;
    unsigned k = (unsigned)(mixed(id) % rows) + 1;
    place += sprintf(place, load ? "%llu\t%u\t" : "(%llu,%u,'", (unsigned long long)id, k);
    place += append_digits(place, C_LENGTH, id * 131);
    place += sprintf(place, load ? "\t" : "','");
    place += append_digits(place, PAD_LENGTH, id * 137);
    place += sprintf(place, load ? "\n" : "')");
    return (size_t)(place - start);
}

static struct part *
part_add(struct job *job, size_t room)
{
    if (job->parts_count == job->parts_room) {
        job->parts_room = job->parts_room * 2 + 16;
        job->parts = realloc(job->parts, job->parts_room * sizeof *job->parts);
    }
    struct part *part = &job->parts[job->parts_count++];
    *part = (struct part){.bytes = room > 0 ? malloc(room) : NULL};
    if (room > 0 && part->bytes == NULL)
        die("memory", NULL);
    return part;
}

static void
prepare_rows(struct job *job, bool load)
{
    struct part *part = NULL;
    uint64_t in_part = 0;
    for (uint64_t id = 1; id <= job->count; id++) {
        if (part == NULL) {
            part = part_add(job, load ? PART_BYTES + 1024 : (size_t)INSERT_ROWS * 256);
            in_part = 0;
            if (!load)
                part->length += (size_t)sprintf(part->bytes, "INSERT INTO %s (id,k,c,pad) VALUES ",
                                                job->table);
        } else if (!load) {
            part->bytes[part->length++] = ',';
        }
        part->length += append_row(part->bytes + part->length, id, job->count, load);
        in_part++;
        if (load ? part->length >= PART_BYTES : in_part == INSERT_ROWS)
            part = NULL;
    }
}

/* Single-row transactions, many a packet, so that the server is what takes the time. */
static void
prepare_updates(struct job *job)
{
    struct part *part = NULL;
    for (uint64_t i = 0; i < job->count; i++) {
        if (i % UPDATES_A_PACKET == 0)
            part = part_add(job, (size_t)UPDATES_A_PACKET * 256);
        uint64_t random = mixed(i * 3 + 1);
        char *place = part->bytes + part->length;
        size_t length = (size_t)sprintf(place, "UPDATE %s%u SET k=%u,c='", job->table,
                                        (unsigned)(random % job->tables) + 1,
                                        (unsigned)(random >> 40) + 1);
        length += append_digits(place + length, C_LENGTH, random);
        length += (size_t)sprintf(place + length, "' WHERE id=%llu;",
                                  (unsigned long long)((random >> 8) % job->rows_each + 1));
        part->length += length;
    }
}

/* --- files ------------------------------------------------------------------------------ */

static char *
read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        die(path, NULL);
    *ret_length = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*ret_length + 1);
    if (bytes == NULL || fread(bytes, 1, *ret_length, file) != *ret_length)
        die(path, NULL);
    fclose(file);
    return bytes;
}

/* The end of the line that begins here: an escaped newline is data. */
static size_t
line_end(const char *bytes, size_t length, size_t from)
{
    while (from < length && bytes[from] != '\n')
        from += bytes[from] == '\\' ? 2 : 1;
    return from < length ? from + 1 : length;
}

/* Cuts a file into parts of whole lines: of so many bytes, or of so many lines. */
static void
prepare_file(struct job *job, size_t part_bytes, unsigned part_lines)
{
    size_t length = 0;
    char *bytes = read_file(job->table_or_path, &length);
    for (size_t from = 0, to; from < length; from = to) {
        unsigned lines = 0;
        for (to = from; to < length && to - from < part_bytes && lines < part_lines; lines++)
            to = line_end(bytes, length, to);
        struct part *part = part_add(job, 0);
        *part = (struct part){.bytes = bytes + from, .length = to - from};
    }
}

/* --- sending ---------------------------------------------------------------------------- */

static int
local_init(void **pointer, const char *name, void *part)
{
    (void)name;
    *pointer = part;
    return 0;
}

static int
local_read(void *pointer, char *buffer, unsigned length)
{
    struct part *part = pointer;
    size_t left = part->length - part->position;
    size_t take = left < length ? left : length;
    memcpy(buffer, part->bytes + part->position, take);
    part->position += take;
    return (int)take;
}

static void
local_end(void *pointer)
{
    (void)pointer;
}

static int
local_error(void *pointer, char *message, unsigned length)
{
    (void)pointer;
    snprintf(message, length, "no local file");
    return 1;
}

static MYSQL *
connected(const struct job *job)
{
    MYSQL *handle = mysql_init(NULL);
    unsigned local = 1;
    unsigned tls = SSL_MODE_DISABLED;
    bool get_key = true;
    mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &local);
    mysql_options(handle, MYSQL_OPT_SSL_MODE, &tls);
    mysql_options(handle, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &get_key);
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(handle, "127.0.0.1", "root", "", NULL, (unsigned)job->port, NULL,
                           CLIENT_MULTI_STATEMENTS) == NULL)
        die("connect", handle);
    return handle;
}

static void
run(MYSQL *handle, const char *sql, size_t length)
{
    int status = mysql_real_query(handle, sql, length);
    while (status == 0) {
        MYSQL_RES *rows = mysql_store_result(handle);
        mysql_free_result(rows);
        status = mysql_next_result(handle);
    }
    if (status > 0)
        die(sql, handle);
}

static void *
send_parts(void *argument)
{
    struct job *job = argument;
    MYSQL *handle = connected(job);
    char sql[512];
    int sql_length = snprintf(
        sql, sizeof sql,
        "LOAD DATA LOCAL INFILE 'rows' IGNORE INTO TABLE %s CHARACTER SET binary", job->table);
    bool load = strcmp(job->method, "load") == 0 || strcmp(job->method, "file") == 0;
    for (;;) {
        pthread_mutex_lock(&job->mutex);
        struct part *part = job->next < job->parts_count ? &job->parts[job->next++] : NULL;
        pthread_mutex_unlock(&job->mutex);
        if (part == NULL)
            break;
        if (load) {
            mysql_set_local_infile_handler(handle, local_init, local_read, local_end, local_error,
                                           part);
            run(handle, sql, (size_t)sql_length);
        } else {
            run(handle, part->bytes, part->length);
        }
    }
    mysql_close(handle);
    return NULL;
}

static double
now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double
cpu(struct timeval value)
{
    return (double)value.tv_sec + (double)value.tv_usec / 1e6;
}

static void
send_all(struct job *job)
{
    pthread_t threads[CONNECTIONS_MAX];
    struct rusage before;
    struct rusage after;
    getrusage(RUSAGE_SELF, &before);
    double start = now();
    for (unsigned i = 0; i < job->connections; i++)
        if (pthread_create(&threads[i], NULL, send_parts, job) != 0)
            die("thread", NULL);
    for (unsigned i = 0; i < job->connections; i++)
        pthread_join(threads[i], NULL);
    double seconds = now() - start;
    getrusage(RUSAGE_SELF, &after);
    printf("%.4f %.4f %.4f\n", seconds, cpu(after.ru_utime) - cpu(before.ru_utime),
           cpu(after.ru_stime) - cpu(before.ru_stime));
}

/* --- a steady load ---------------------------------------------------------------------- */

static volatile sig_atomic_t stopping;

static void
stop(int number)
{
    (void)number;
    stopping = 1;
}

struct steady {
    const struct job *job;
    unsigned number;
    uint64_t changes;
    double last; /* real time of the last answer */
};

static double
real_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
sleep_until(double time)
{
    double left = time - now();
    if (left > 0)
        nanosleep(&(struct timespec){.tv_sec = (time_t)left,
                                     .tv_nsec = (long)((left - (double)(time_t)left) * 1e9)},
                  NULL);
}

static uint64_t
random_row(const struct steady *steady, uint64_t turn, unsigned place)
{
    return mixed(turn * 64 + place + steady->number) % steady->job->rows_each + 1;
}

static size_t
build_update(const struct steady *steady, char *sql, uint64_t turn)
{
    char *place = sql + sprintf(sql, "UPDATE %s SET k=k+1 WHERE id IN (0", steady->job->table);
    for (unsigned i = 0; i < steady->job->tables; i++)
        place += sprintf(place, ",%llu", (unsigned long long)random_row(steady, turn, i));
    place += sprintf(place, ")");
    return (size_t)(place - sql);
}

static size_t
build_put(const struct steady *steady, char *sql, uint64_t turn)
{
    const struct job *job = steady->job;
    char *place = sql + sprintf(sql, "REPLACE INTO %s (id,k,c,pad) VALUES ", job->table);
    for (unsigned i = 0; i < job->tables; i++) {
        if (i > 0)
            *place++ = ',';
        place += append_row(place, random_row(steady, turn, i), job->rows_each, false);
    }
    return (size_t)(place - sql);
}

/* Changes rows in one transaction; false when the table is gone. */
static bool
change_some(struct steady *steady, MYSQL *handle, char *sql, uint64_t turn)
{
    bool put = strcmp(steady->job->method, "put") == 0;
    size_t length = put ? build_put(steady, sql, turn) : build_update(steady, sql, turn);
    if (mysql_real_query(handle, sql, (unsigned long)length) != 0) {
        if (mysql_errno(handle) == ER_NO_SUCH_TABLE)
            return false;
        if (!put || mysql_errno(handle) != ER_LOCK_DEADLOCK)
            die(sql, handle);
        return true;
    }
    steady->last = real_now();
    steady->changes += put ? steady->job->tables : mysql_affected_rows(handle);
    return true;
}

static void *
load_steadily(void *argument)
{
    struct steady *steady = argument;
    const struct job *job = steady->job;
    MYSQL *handle = connected(job);
    char *sql = malloc(256 * ((size_t)job->tables + 1));
    double pause = (double)job->connections * job->tables / (double)job->count;
    double due = now() + pause * steady->number / job->connections;
    for (uint64_t turn = 1; !stopping; turn++, due += pause) {
        sleep_until(due);
        if (!change_some(steady, handle, sql, turn * CONNECTIONS_MAX + steady->number))
            break;
    }
    free(sql);
    mysql_close(handle);
    return NULL;
}

static void
run_steady(struct job *job)
{
    pthread_t threads[CONNECTIONS_MAX];
    struct steady steady[CONNECTIONS_MAX];
    uint64_t changes = 0;
    double last = 0;
    signal(SIGTERM, stop);
    double start = now();
    for (unsigned i = 0; i < job->connections; i++) {
        steady[i] = (struct steady){.job = job, .number = i};
        if (pthread_create(&threads[i], NULL, load_steadily, &steady[i]) != 0)
            die("thread", NULL);
    }
    for (unsigned i = 0; i < job->connections; i++) {
        pthread_join(threads[i], NULL);
        changes += steady[i].changes;
        last = steady[i].last > last ? steady[i].last : last;
    }
    printf("%llu %.6f %.6f\n", (unsigned long long)changes, now() - start, last);
}

int
main(int argc, char **argv)
{
    bool is_steady = argc == 8 && (strcmp(argv[2], "steady") == 0 || strcmp(argv[2], "put") == 0);
    bool update = argc == 8 && strcmp(argv[2], "update") == 0;
    if (argc != 6 && !update && !is_steady) {
        fprintf(stderr, "usage: loader PORT load|insert|file|update|sql|steady|put CONNECTIONS COUNT|PATH "
                        "TABLE …\n");
        return 2;
    }
    struct job job = {
        .port = atoi(argv[1]),
        .method = argv[2],
        .connections = (unsigned)atoi(argv[3]),
        .count = strtoull(argv[4], NULL, 10),
        .table_or_path = argv[4],
        .table = argv[5],
        .mutex = PTHREAD_MUTEX_INITIALIZER,
    };
    bool rows = strcmp(job.method, "file") == 0;
    bool statements = strcmp(job.method, "sql") == 0;
    if (job.connections == 0 || job.connections > CONNECTIONS_MAX ||
        (job.count == 0 && !rows && !statements))
        return 2;
    mysql_library_init(0, NULL, NULL);
    if (is_steady) {
        job.rows_each = strtoull(argv[6], NULL, 10);
        job.tables = (unsigned)atoi(argv[7]); /* rows a transaction */
        run_steady(&job);
        return 0;
    }
    if (update) {
        job.tables = (unsigned)atoi(argv[6]);
        job.rows_each = strtoull(argv[7], NULL, 10);
        prepare_updates(&job);
    } else if (rows) {
        prepare_file(&job, PART_BYTES, UINT32_MAX);
    } else if (statements) {
        prepare_file(&job, PART_BYTES, UPDATES_A_PACKET);
    } else {
        prepare_rows(&job, strcmp(job.method, "load") == 0);
    }
    send_all(&job);
    return 0;
}
