#include "config/keys_int.h"

static const char *const tls_modes[] = {"disabled",  "preferred",       "required",
                                        "verify_ca", "verify_identity", NULL};
static const char *const cutover_modes[] = {"manual", "auto", NULL};
static const char *const cutover_triggers[] = {"leave", "create", NULL};
static const char *const switches[] = {"false", "true", NULL};
static const char *const verify_modes[] = {"off", "inline", NULL};
static const char *const verify_before_cutover[] = {"off", "required", NULL};
static const struct key tls_keys[] = {
    {.name = "mode",
     .kind = KEY_CHOICE,
     AT(struct tls_config, mode),
     .choices = tls_modes,
     .fallback = "preferred",
     .meaning = "how the connection is encrypted and the server checked"},
    {.name = "ca",
     .kind = KEY_TEXT,
     AT(struct tls_config, ca),
     .least = 1,
     .most = TEXT_LENGTH,
     .meaning = "PEM file of the authorities that are trusted"},
    {.name = "cert",
     .kind = KEY_TEXT,
     AT(struct tls_config, cert),
     .least = 1,
     .most = TEXT_LENGTH,
     .meaning = "PEM file of the client's certificate"},
    {.name = "key",
     .kind = KEY_TEXT,
     AT(struct tls_config, key),
     .least = 1,
     .most = TEXT_LENGTH,
     .meaning = "PEM file of the client's key"},
    {.name = NULL},
};
static const struct section tls_section = {.keys = tls_keys, .size = sizeof(struct tls_config)};

#define ENDPOINT_KEYS                                                                 \
    {.name = "host",                                                                  \
     .kind = KEY_TEXT,                                                                \
     AT(struct loaded_endpoint, endpoint.host),                                       \
     .least = 1,                                                                      \
     .most = 255,                                                                     \
     .group = "address",                                                              \
     .not_inherited = true,                                                           \
     .meaning = "name or address"},                                                   \
        {.name = "port",                                                              \
         .kind = KEY_NUMBER,                                                          \
         AT(struct loaded_endpoint, endpoint.port),                                   \
         .least = 1,                                                                  \
         .most = 65535,                                                               \
         .fallback = "3306",                                                          \
         .meaning = "TCP port"},                                                      \
        {.name = "socket",                                                            \
         .kind = KEY_TEXT,                                                            \
         AT(struct loaded_endpoint, endpoint.socket),                                 \
         .least = 1,                                                                  \
         .most = 107,                                                                 \
         .group = "address",                                                          \
         .not_inherited = true,                                                       \
         .meaning = "path of a Unix socket, instead of `host`"},                      \
        {.name = "user",                                                              \
         .kind = KEY_TEXT,                                                            \
         AT(struct loaded_endpoint, endpoint.user),                                   \
         .least = 1,                                                                  \
         .most = 32,                                                                  \
         .required = true,                                                            \
         .meaning = "MySQL account"},                                                 \
        {.name = "password_env",                                                      \
         .kind = KEY_TEXT,                                                            \
         AT(struct loaded_endpoint, password_env),                                    \
         .least = 1,                                                                  \
         .most = TEXT_LENGTH,                                                         \
         .group = "password",                                                         \
         .meaning = "environment variable that holds the password"},                  \
        {.name = "password_file",                                                     \
         .kind = KEY_TEXT,                                                            \
         AT(struct loaded_endpoint, password_file),                                   \
         .least = 1,                                                                  \
         .most = TEXT_LENGTH,                                                         \
         .group = "password",                                                         \
         .meaning = "file that holds the password; a newline at its end is dropped"}, \
        {.name = "password",                                                          \
         .kind = KEY_TEXT,                                                            \
         AT(struct loaded_endpoint, endpoint.password),                               \
         .most = TEXT_LENGTH,                                                         \
         .group = "password",                                                         \
         .secret = true,                                                              \
         .meaning = "the password itself; prefer the other two"},                     \
        {.name = "tls",                                                               \
         .kind = KEY_SECTION,                                                         \
         AT(struct loaded_endpoint, endpoint.tls),                                    \
         .section = &tls_section,                                                     \
         .meaning = "encryption of the connection"}

static const struct key endpoint_keys[] = {ENDPOINT_KEYS, {.name = NULL}};
static const struct section endpoint_section = {
    .keys = endpoint_keys, .size = sizeof(struct loaded_endpoint), .required_group = "address"};

/* A struct loaded_source begins with the primary's struct loaded_endpoint. */
static const struct key source_keys[] = {
    ENDPOINT_KEYS,
    {.name = "read_from",
     .kind = KEY_SECTION,
     AT(struct loaded_source, read_from),
     .section = &endpoint_section,
     .inherits = true,
     .not_inherited = true,
     .meaning = "a replica of the source to copy and stream from; what is left out is taken "
                "from `source`"},
    {.name = NULL},
};
static const struct section source_section = {
    .keys = source_keys, .size = sizeof(struct loaded_source), .required_group = "address"};

static const struct key table_keys[] = {
    {.name = "from",
     .kind = KEY_TEXT,
     AT(struct loaded_table, from),
     .required = true,
     .least = 3,
     .most = TEXT_LENGTH,
     .meaning = "`schema.table` on the source"},
    {.name = "to",
     .kind = KEY_TEXT,
     AT(struct loaded_table, to),
     .fallback_key = "from",
     .least = 3,
     .most = TEXT_LENGTH,
     .meaning = "`schema.table` on the target; default: the same name"},
    {.name = NULL},
};
/* Shown as `{from: shop.orders, to: shop.orders}`. */
static const struct section table_section = {
    .keys = table_keys, .size = sizeof(struct loaded_table), .short_form = "from"};

static const struct key copy_keys[] = {
    {.name = "readers",
     .kind = KEY_NUMBER,
     IN(copy, readers),
     .least = 1,
     .most = 64,
     .fallback = "4",
     .meaning = "connections that read chunks, at most"},
    {.name = "writers",
     .kind = KEY_NUMBER,
     IN(copy, writers),
     .least = 1,
     .most = 64,
     .fallback = "4",
     .meaning = "connections that write chunks, at most: as many work as make it faster"},
    {.name = "chunk_ms",
     .kind = KEY_NUMBER,
     IN(copy, chunk_ms),
     .least = 10,
     .most = 60000,
     .fallback = "250",
     .meaning = "time that one chunk should take"},
    {.name = "chunk_rows",
     .kind = KEY_NUMBER,
     IN(copy, chunk_rows),
     .least = 1,
     .most = 1000000,
     .fallback = "1000",
     .meaning = "rows of a table's first chunk; `chunk_ms` makes no chunk smaller"},
    {.name = "chunk_bytes",
     .kind = KEY_BYTES,
     IN(copy, chunk_bytes),
     .least = 64 * KIB,
     .most = GIB,
     .fallback = "8MiB",
     .meaning = "size that a chunk ends at, whatever its time"},
    {.name = "defer_indexes",
     .kind = KEY_CHOICE,
     IN(copy, defer_indexes),
     .choices = switches,
     .fallback = "false",
     .meaning = "whether target tables are created without those secondary indexes that can be "
                "built after the copy, before `ready`"},
    {.name = NULL},
};
static const struct section copy_section = {.keys = copy_keys, .size = PART_SIZE(copy)};

static const struct key apply_keys[] = {
    {.name = "writers",
     .kind = KEY_NUMBER,
     IN(apply, writers),
     .least = 1,
     .most = 64,
     .fallback = "4",
     .meaning = "connections that apply changes"},
    {.name = "batch_rows",
     .kind = KEY_NUMBER,
     IN(apply, batch_rows),
     .least = 1,
     .most = 10000000,
     .fallback = "20000",
     .meaning = "row changes that a batch ends at"},
    {.name = "batch_bytes",
     .kind = KEY_BYTES,
     IN(apply, batch_bytes),
     .least = 64 * KIB,
     .most = 16 * GIB,
     .fallback = "32MiB",
     .meaning = "size that a batch ends at"},
    {.name = "batch_ms",
     .kind = KEY_NUMBER,
     IN(apply, batch_ms),
     .least = 1,
     .most = 60000,
     .fallback = "200",
     .meaning = "age that a batch ends at"},
    {.name = NULL},
};
static const struct section apply_section = {.keys = apply_keys, .size = PART_SIZE(apply)};

static const struct key checkpoint_keys[] = {
    {.name = "database",
     .kind = KEY_TEXT,
     IN(checkpoint, database),
     .least = 1,
     .most = NAME_LENGTH,
     .fallback = "move_tables",
     .meaning = "database on the target that holds the checkpoint"},
    {.name = "interval_ms",
     .kind = KEY_NUMBER,
     IN(checkpoint, interval_ms),
     .least = 50,
     .most = 600000,
     .fallback = "1000",
     .meaning = "how often the position is saved"},
    {.name = NULL},
};
static const struct section checkpoint_section = {.keys = checkpoint_keys,
                                                  .size = PART_SIZE(checkpoint)};

static const struct key throttle_keys[] = {
    {.name = "max_lag_ms",
     .kind = KEY_NUMBER,
     IN(throttle, max_lag_ms),
     .least = 1,
     .most = HOUR_MS,
     .fallback = "1500",
     .meaning = "copying waits while the moved stream is further behind than this"},
    {.name = "replicas",
     .kind = KEY_SECTIONS,
     .not_stored = true,
     .section = &endpoint_section,
     .off = "null",
     .meaning = "replicas whose lag counts too"},
    {.name = "max_threads_running",
     .kind = KEY_NUMBER,
     .not_stored = true,
     .least = 1,
     .most = 1000000,
     .off = "null",
     .meaning = "copying waits while either side runs more"},
    {.name = "query",
     .kind = KEY_TEXT,
     .not_stored = true,
     .most = TEXT_LENGTH,
     .off = "null",
     .meaning = "copying waits while it gives anything but zero"},
    {.name = "http",
     .kind = KEY_TEXT,
     .not_stored = true,
     .most = TEXT_LENGTH,
     .off = "null",
     .meaning = "copying waits while it answers anything but 200"},
    {.name = NULL},
};
static const struct section throttle_section = {.keys = throttle_keys, .size = PART_SIZE(throttle)};

static const struct key verify_keys[] = {
    {.name = "mode",
     .kind = KEY_CHOICE,
     .not_stored = true,
     .choices = verify_modes,
     .fallback = "off",
     .off = "off",
     .meaning = "comparing both sides while the move runs"},
    {.name = "before_cutover",
     .kind = KEY_CHOICE,
     .not_stored = true,
     .choices = verify_before_cutover,
     .fallback = "off",
     .off = "off",
     .meaning = "whether a cutover needs a verified state"},
    {.name = NULL},
};
static const struct section verify_section = {.keys = verify_keys};

static const struct key cutover_keys[] = {
    {.name = "mode",
     .kind = KEY_CHOICE,
     IN(cutover, mode),
     .choices = cutover_modes,
     .fallback = "manual",
     .meaning = "`auto` cuts over as soon as the move is ready, `manual` waits for the command"},
    {.name = "flag_file",
     .kind = KEY_TEXT,
     IN(cutover, flag_file),
     .least = 1,
     .most = TEXT_LENGTH,
     .meaning = "while this file exists, the cutover waits"},
    {.name = "max_lag_ms",
     .kind = KEY_NUMBER,
     IN(cutover, max_lag_ms),
     .least = 1,
     .most = HOUR_MS,
     .fallback = "500",
     .meaning = "the cutover waits until the lag is below"},
    {.name = "lock_wait_timeout_s",
     .kind = KEY_NUMBER,
     IN(cutover, lock_wait_timeout_s),
     .least = 1,
     .most = 3600,
     .fallback = "3",
     .meaning = "how long one RENAME may wait for its locks (and queries behind it)"},
    {.name = "attempts",
     .kind = KEY_NUMBER,
     IN(cutover, attempts),
     .least = 1,
     .most = 1000,
     .fallback = "10",
     .meaning = "how often RENAME is tried before the cutover is given up"},
    {.name = "drain_timeout_s",
     .kind = KEY_NUMBER,
     IN(cutover, drain_timeout_s),
     .least = 1,
     .most = DAY_S,
     .fallback = "30",
     .meaning = "how long after RENAME everything must be applied; then it is undone"},
    {.name = "hook_timeout_s",
     .kind = KEY_NUMBER,
     IN(cutover, hook_timeout_s),
     .least = 1,
     .most = DAY_S,
     .fallback = "60",
     .meaning = "how long before_cutover is tried before the cutover is undone, and completed "
                "before the run ends with 10"},
    {.name = "moved_name",
     .kind = KEY_TEXT,
     IN(cutover, moved_name),
     .least = 1,
     .most = NAME_LENGTH,
     .fallback = "_{table}_moved",
     .meaning = "what a table of the source is called afterwards; contains `{table}`"},
    {.name = "triggers",
     .kind = KEY_CHOICE,
     IN(cutover, triggers),
     .choices = cutover_triggers,
     .fallback = "leave",
     .meaning = "`create` gives the target the triggers of the source's tables, after the last "
                "change and before `completed` is sent; `leave` does not"},
    {.name = NULL},
};
static const struct section cutover_section = {.keys = cutover_keys, .size = PART_SIZE(cutover)};

static const struct key reverse_keys[] = {
    {.name = "window",
     .kind = KEY_DURATION,
     .not_stored = true,
     .least = 0,
     .most = INT64_C(30) * DAY_S * 1000,
     .fallback = "0s",
     .off = "0s",
     .meaning = "how long the source is kept up to date after the move, for a way back"},
    {.name = NULL},
};
static const struct section reverse_section = {.keys = reverse_keys};

static const struct key control_keys[] = {
    {.name = "listen",
     .kind = KEY_TEXT,
     .not_stored = true,
     .most = TEXT_LENGTH,
     .off = "null",
     .meaning = "address of the status page"},
    {.name = "token_env",
     .kind = KEY_TEXT,
     .not_stored = true,
     .most = TEXT_LENGTH,
     .off = "null",
     .meaning = "environment variable that holds its token"},
    {.name = NULL},
};
static const struct section control_section = {.keys = control_keys};

static const struct key connect_keys[] = {
    {.name = "timeout_s",
     .kind = KEY_NUMBER,
     IN(connect, timeout_s),
     .least = 1,
     .most = 3600,
     .fallback = "10",
     .meaning = "how long one connection attempt may take"},
    {.name = "retry_s",
     .kind = KEY_NUMBER,
     IN(connect, retry_s),
     .least = 0,
     .most = DAY_S,
     .fallback = "120",
     .meaning = "how long a lost server is waited for"},
    {.name = "read_timeout_s",
     .kind = KEY_NUMBER,
     IN(connect, read_timeout_s),
     .least = 1,
     .most = 3600,
     .fallback = "60",
     .meaning = "how long a server that owes an answer may be silent before the connection "
                "counts as lost"},
    {.name = NULL},
};
static const struct section connect_section = {.keys = connect_keys, .size = PART_SIZE(connect)};

static const struct key file_keys[] = {
    {.name = "move",
     .kind = KEY_TEXT,
     PART(move),
     .required = true,
     .least = 1,
     .most = 64,
     .meaning = "name of the move, of `a`-`z`, `0`-`9` and `-`; the checkpoint is kept under it"},
    {.name = "source",
     .kind = KEY_SECTION,
     AT(struct loaded, source),
     .required = true,
     .section = &source_section,
     .meaning = "the cluster that the tables leave: its primary"},
    {.name = "target",
     .kind = KEY_SECTION,
     AT(struct loaded, target),
     .required = true,
     .section = &endpoint_section,
     .meaning = "the cluster that they move to: its primary"},
    {.name = "tables",
     .kind = KEY_SECTIONS,
     AT(struct loaded, tables),
     COUNT_AT(struct loaded, table_count),
     .required = true,
     .section = &table_section,
     .meaning = "what is moved: `schema.table`, or `{from: …, to: …}`; backticks quote a name "
                "that contains a dot"},
    {.name = "copy",
     .kind = KEY_SECTION,
     PART(copy),
     .section = &copy_section,
     .meaning = "copying what is there"},
    {.name = "apply",
     .kind = KEY_SECTION,
     PART(apply),
     .section = &apply_section,
     .meaning = "applying what changes"},
    {.name = "memory",
     .kind = KEY_BYTES,
     PART(memory_bytes),
     .least = 64 * MIB,
     .most = 1024 * GIB,
     .fallback = "256MiB",
     .meaning = "upper bound for everything buffered"},
    {.name = "checkpoint",
     .kind = KEY_SECTION,
     PART(checkpoint),
     .section = &checkpoint_section,
     .meaning = "where the move stands, kept on the target"},
    {.name = "throttle",
     .kind = KEY_SECTION,
     PART(throttle),
     .section = &throttle_section,
     .meaning = "when copying waits"},
    {.name = "verify",
     .kind = KEY_SECTION,
     .not_stored = true,
     .section = &verify_section,
     .meaning = "comparing both sides"},
    {.name = "cutover",
     .kind = KEY_SECTION,
     PART(cutover),
     .section = &cutover_section,
     .meaning = "the change-over"},
    {.name = "reverse",
     .kind = KEY_SECTION,
     .not_stored = true,
     .section = &reverse_section,
     .meaning = "the way back"},
    {.name = "hooks",
     .kind = KEY_SECTIONS,
     AT(struct loaded, hooks),
     COUNT_AT(struct loaded, hook_count),
     .section = &config_hook_section,
     .meaning = "who is told of events"},
    {.name = "control",
     .kind = KEY_SECTION,
     .not_stored = true,
     .section = &control_section,
     .meaning = "status page and API over HTTP"},
    {.name = "connect",
     .kind = KEY_SECTION,
     PART(connect),
     .section = &connect_section,
     .meaning = "connections to the servers"},
    {.name = NULL},
};
static const struct section file_section = {.keys = file_keys, .size = sizeof(struct loaded)};

const struct section *
config_file_section(void)
{
    return &file_section;
}
