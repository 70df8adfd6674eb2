/*
 * The move's YAML file as a struct: every key, default and limit of the file is
 * declared once, in config/ (see docs/configuration.md).
 *
 * A config is read-only after config_load(); threads share it freely.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"

enum tls_mode {
    TLS_DISABLED,
    TLS_PREFERRED,
    TLS_REQUIRED,
    TLS_VERIFY_CA,
    TLS_VERIFY_IDENTITY,
};

struct tls_config {
    enum tls_mode mode;
    char *ca;
    char *cert;
    char *key;
};

/* One MySQL server and how to log in. `password` is resolved from password,
 * password_env or password_file when the file is loaded; it is never printed. */
struct endpoint {
    char *host; /* NULL when socket is set */
    uint16_t port;
    char *socket; /* NULL when host is set */
    char *user;
    char *password; /* NULL: none */
    struct tls_config tls;
};

struct table_mapping {
    char *from_schema;
    char *from_table;
    char *to_schema;
    char *to_table;
};

enum hook_event {
    HOOK_STARTED,
    HOOK_COPY_COMPLETED,
    HOOK_READY,
    HOOK_BEFORE_CUTOVER,
    HOOK_CUTOVER_ABORTED,
    HOOK_COMPLETED,
    HOOK_FAILED,
    HOOK_ROLLED_BACK,
    HOOK_EVENT_COUNT,
};

/* "completed" and the like: the last part of the CloudEvents type. */
const char *hook_event_name(enum hook_event event);

enum in_doubt_policy { IN_DOUBT_RETRY, IN_DOUBT_PROBE, IN_DOUBT_HOLD };

struct hook_header {
    char *name;
    char *value;
};

struct hook_endpoint {
    char *url;
    uint32_t events; /* bit (1 << enum hook_event) */
    char *secret;    /* resolved from secret, secret_env or secret_file; NULL: unsigned */
    int64_t timeout_ms;
    enum in_doubt_policy in_doubt;
    char *probe_url; /* NULL: none */
    GArray *headers; /* struct hook_header */
    char *ca;        /* PEM file for TLS, NULL: the system's */
};

enum cutover_mode { CUTOVER_MANUAL, CUTOVER_AUTO };
enum cutover_triggers { TRIGGERS_LEAVE, TRIGGERS_CREATE };

struct config {
    char *path; /* as given on the command line, for messages */
    char *move; /* [a-z0-9-]{1,64} */
    struct endpoint source;
    bool has_read_from;
    struct endpoint read_from; /* complete: what the file leaves out is the source's */
    struct endpoint target;
    GArray *tables; /* struct table_mapping, in the file's order, no duplicates */

    struct {
        unsigned readers;
        unsigned writers;
        int64_t chunk_ms;
        int64_t chunk_rows;
        int64_t chunk_bytes;
        unsigned defer_indexes; /* 0 or 1: which secondary indexes are built after the copy */
    } copy;
    struct {
        unsigned writers;
        int64_t batch_rows;
        int64_t batch_bytes;
        int64_t batch_ms;
    } apply;
    int64_t memory_bytes;
    struct {
        char *database;
        int64_t interval_ms;
    } checkpoint;
    struct {
        int64_t max_lag_ms;
    } throttle;
    struct {
        enum cutover_mode mode;
        char *flag_file; /* NULL: none */
        int64_t max_lag_ms;
        int64_t lock_wait_timeout_s;
        int64_t attempts;
        int64_t drain_timeout_s;
        int64_t hook_timeout_s; /* how long a hook is tried before the run goes on without */
        char *moved_name;       /* contains "{table}" */
        enum cutover_triggers triggers; /* of the source: whether the target gets them */
    } cutover;
    struct {
        int64_t timeout_s;      /* one connection attempt */
        int64_t retry_s;        /* how long a lost server is waited for */
        int64_t read_timeout_s; /* silence after which a connection counts as lost */
    } connect;
    GPtrArray *hooks; /* struct hook_endpoint */
    char *effective;  /* what config_to_yaml() gives */
};

/* Whose secrets are read: what a command does not need may be missing where it runs. */
enum config_secrets {
    CONFIG_SECRETS_NONE,
    CONFIG_SECRETS_TARGET,  /* the target's password: for commands that talk to the target only */
    CONFIG_SECRETS_SERVERS, /* the passwords of all servers */
    CONFIG_SECRETS_ALL,     /* and the hooks' */
};

/* Reads, validates and resolves a file. NULL with MT_ERROR_USAGE: file, line,
 * key, and what is allowed. Secrets are read here. Free with config_free(). */
G_GNUC_WARN_UNUSED_RESULT struct config *config_load(const char *path, GError **error);

/* As config_load(), reading only some secrets; the others are NULL. */
G_GNUC_WARN_UNUSED_RESULT struct config *config_load_for(const char *path,
                                                         enum config_secrets secrets,
                                                         GError **error);

/* As config_load_for(), of a text in memory; `path` is what messages call it. */
G_GNUC_WARN_UNUSED_RESULT struct config *config_load_text(const char *path, const char *text,
                                                          size_t length,
                                                          enum config_secrets secrets,
                                                          GError **error);

void config_free(struct config *config);
STRUCT_AUTOPTR(config, config_free)

/* The whole file with every default filled in, as YAML, without secrets. Caller frees. */
char *config_to_yaml(const struct config *config);

/* What a resumed move must find unchanged (the table mapping), as canonical
 * JSON for move_tables.move.config. Caller frees. */
char *config_identity_json(const struct config *config);

/* The name that a source table gets at cutover: moved_name with {table}
 * replaced. Caller frees. */
char *config_moved_name(const struct config *config, const char *table);

/* The server that is copied and streamed from: read_from, or the source itself. */
const struct endpoint *config_read_endpoint(const struct config *config);

/* Every key with default, limits and meaning: the table in docs/configuration.md. Caller frees. */
char *config_describe_keys(void);

/* Parses "8MiB", "250ms", "30s" and the like. False when it is not one, negative or too large. */
bool config_parse_bytes(const char *text, int64_t *ret_bytes);
bool config_parse_duration_ms(const char *text, int64_t *ret_ms);

#endif
