/*
 * The bare loader: how fast rows that are in memory already can be put into a
 * server by a method and a number of connections. It also fills the source, and
 * makes a backlog of single-row transactions.
 *
 *   loader PORT load|insert CONNECTIONS ROWS TABLE
 *   loader PORT update CONNECTIONS CHANGES TABLE_PREFIX TABLES ROWS_EACH
 *
 * The password is the empty one of root@127.0.0.1. Prints `seconds user system`.
 * The rows: id 1…ROWS, k, c of 119 characters, pad of 59, the same in every run.
 */
#include <mysql.h>
#include <pthread.h>
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
    *part = (struct part){.bytes = malloc(room)};
    if (part->bytes == NULL)
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
    int sql_length = snprintf(sql, sizeof sql,
                              "LOAD DATA LOCAL INFILE 'rows' IGNORE INTO TABLE %s "
                              "CHARACTER SET binary (id,k,c,pad)",
                              job->table);
    bool load = strcmp(job->method, "load") == 0;
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

int
main(int argc, char **argv)
{
    bool update = argc == 8 && strcmp(argv[2], "update") == 0;
    if (argc != 6 && !update) {
        fprintf(stderr, "usage: loader PORT load|insert|update CONNECTIONS COUNT TABLE …\n");
        return 2;
    }
    struct job job = {
        .port = atoi(argv[1]),
        .method = argv[2],
        .connections = (unsigned)atoi(argv[3]),
        .count = strtoull(argv[4], NULL, 10),
        .table = argv[5],
        .mutex = PTHREAD_MUTEX_INITIALIZER,
    };
    if (job.connections == 0 || job.connections > CONNECTIONS_MAX || job.count == 0)
        return 2;
    mysql_library_init(0, NULL, NULL);
    if (update) {
        job.tables = (unsigned)atoi(argv[6]);
        job.rows_each = strtoull(argv[7], NULL, 10);
        prepare_updates(&job);
    } else {
        prepare_rows(&job, strcmp(job.method, "load") == 0);
    }
    send_all(&job);
    return 0;
}
