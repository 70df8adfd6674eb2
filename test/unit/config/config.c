#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "config/config.h"

/* Writes text to a file of its own and loads it. */
static struct config *
load_text(const char *text, GError **error)
{
    char path[] = "/tmp/move-tables-config-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    struct config *config = config_load(path, error);
    unlink(path);
    return config;
}

#define HEAD "move: m1\nsource: {host: a, user: u}\ntarget: {host: b, user: u}\n"
#define LEAST HEAD "tables: [s.t]\n"

/* The file is refused, and the message has every part, in the given line. */
static void
expect_refused(const char *text, int line, const char *part, const char *other_part)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(config) config = load_text(text, &error);
    cr_assert(config == NULL, "accepted: %s", text);
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_USAGE));
    g_autofree char *place = g_strdup_printf(":%d: ", line);
    cr_expect(strstr(error->message, place) != NULL, "no %s in: %s", place, error->message);
    cr_expect(strstr(error->message, part) != NULL, "no '%s' in: %s", part, error->message);
    cr_expect(strstr(error->message, other_part) != NULL, "no '%s' in: %s", other_part,
              error->message);
}

Test(config, every_key)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(config) config = config_load("test/data/config/full.yaml", &error);
    cr_assert(config != NULL, "%s", error ? error->message : "");
    cr_expect_str_eq(config->move, "orders-to-shard7");
    cr_expect_str_eq(config->source.host, "db-a.example");
    cr_expect_eq(config->source.port, 3307);
    cr_expect_str_eq(config->source.password, "open sesame");
    cr_expect_eq(config->source.tls.mode, TLS_REQUIRED);
    cr_expect_str_eq(config->source.tls.key, "/key.pem");
    cr_assert(config->has_read_from);
    cr_expect_str_eq(config->read_from.host, "db-a-replica");
    cr_expect_eq(config->read_from.port, 3308);
    cr_expect_str_eq(config->read_from.user, "mover");
    cr_expect_str_eq(config->read_from.password, "open sesame");
    cr_expect_eq(config->read_from.tls.mode, TLS_REQUIRED);
    cr_expect_eq(config_read_endpoint(config), &config->read_from);
    cr_expect_eq(config->target.host, NULL);
    cr_expect_str_eq(config->target.socket, "/run/mysqld/b.sock");
    cr_expect_str_eq(config->target.password, "p:w # \"x\"");
    cr_expect_eq(config->target.tls.mode, TLS_PREFERRED);
    cr_expect_eq(config->copy.readers, 8);
    cr_expect_eq(config->copy.writers, 2);
    cr_expect_eq(config->copy.chunk_ms, 100);
    cr_expect_eq(config->copy.chunk_rows, 500);
    cr_expect_eq(config->copy.chunk_bytes, 4 << 20);
    cr_expect_eq(config->copy.defer_indexes, 1);
    cr_expect_eq(config->apply.writers, 6);
    cr_expect_eq(config->apply.batch_rows, 10000);
    cr_expect_eq(config->apply.batch_bytes, 16 << 20);
    cr_expect_eq(config->apply.batch_ms, 50);
    cr_expect_eq(config->memory_bytes, 1 << 30);
    cr_expect_str_eq(config->checkpoint.database, "moves");
    cr_expect_eq(config->checkpoint.interval_ms, 500);
    cr_expect_eq(config->throttle.max_lag_ms, 3000);
    cr_expect_eq(config->connect.timeout_s, 4);
    cr_expect_eq(config->connect.retry_s, 30);
    cr_expect_eq(config->connect.read_timeout_s, 15);
}

Test(config, every_key_of_cutover_tables_and_hooks)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(config) config = config_load("test/data/config/full.yaml", &error);
    cr_assert(config != NULL, "%s", error ? error->message : "");
    cr_expect_eq(config->cutover.mode, CUTOVER_AUTO);
    cr_expect_str_eq(config->cutover.flag_file, "/tmp/wait");
    cr_expect_eq(config->cutover.max_lag_ms, 250);
    cr_expect_eq(config->cutover.lock_wait_timeout_s, 5);
    cr_expect_eq(config->cutover.attempts, 3);
    cr_expect_eq(config->cutover.drain_timeout_s, 60);
    g_autofree char *moved = config_moved_name(config, "orders");
    cr_expect_str_eq(moved, "old_orders");

    cr_assert_eq(config->tables->len, 3);
    const struct table_mapping *tables = (const void *)config->tables->data;
    cr_expect_str_eq(tables[0].from_schema, "shop");
    cr_expect_str_eq(tables[0].to_table, "orders");
    cr_expect_str_eq(tables[1].to_schema, "shop7");
    cr_expect_str_eq(tables[2].from_schema, "odd.schema");
    cr_expect_str_eq(tables[2].to_table, "odd`table");
    g_autofree char *identity = config_identity_json(config);
    cr_expect_str_eq(identity, "{\"tables\":[{\"from\":\"shop.orders\",\"to\":\"shop.orders\"},"
                               "{\"from\":\"shop.items\",\"to\":\"shop7.items\"},"
                               "{\"from\":\"`odd.schema`.`odd``table`\","
                               "\"to\":\"`odd.schema`.`odd``table`\"}]}");

    cr_assert_eq(config->hooks->len, 2);
    const struct hook_endpoint *hook = g_ptr_array_index(config->hooks, 0);
    cr_expect_str_eq(hook->url, "https://platform.example/move-tables");
    cr_expect_eq(hook->events,
                 1u << HOOK_BEFORE_CUTOVER | 1u << HOOK_CUTOVER_ABORTED | 1u << HOOK_COMPLETED);
    cr_expect_str_eq(hook->secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    cr_expect_eq(hook->timeout_ms, 2500);
    cr_expect_str_eq(hook->ca, "/hook-ca.pem");
    cr_assert_eq(hook->headers->len, 2);
    cr_expect_str_eq(g_array_index(hook->headers, struct hook_header, 1).name, "Authorization");
    cr_expect_str_eq(g_array_index(hook->headers, struct hook_header, 1).value, "Bearer abc");
    hook = g_ptr_array_index(config->hooks, 1);
    cr_expect_eq(hook->events, (1u << HOOK_EVENT_COUNT) - 1);
    cr_expect_eq(hook->timeout_ms, 10000);
    cr_expect_eq(hook->headers->len, 0);
    cr_expect_eq(hook->secret, NULL);
}

Test(config, defaults)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(config) config = config_load("test/data/config/least.yaml", &error);
    cr_assert(config != NULL, "%s", error ? error->message : "");
    cr_expect_eq(config->source.port, 3306);
    cr_expect_eq(config->source.password, NULL);
    cr_expect_eq(config->source.tls.mode, TLS_PREFERRED);
    cr_expect_not(config->has_read_from);
    cr_expect_eq(config_read_endpoint(config), &config->source);
    cr_expect_eq(config->copy.readers, 4);
    cr_expect_eq(config->copy.chunk_bytes, 8 << 20);
    cr_expect_eq(config->copy.defer_indexes, 0);
    cr_expect_eq(config->apply.batch_rows, 20000);
    cr_expect_eq(config->memory_bytes, 256 << 20);
    cr_expect_str_eq(config->checkpoint.database, "move_tables");
    cr_expect_eq(config->throttle.max_lag_ms, 1500);
    cr_expect_eq(config->cutover.mode, CUTOVER_MANUAL);
    cr_expect_eq(config->cutover.flag_file, NULL);
    cr_expect_str_eq(config->cutover.moved_name, "_{table}_moved");
    cr_expect_eq(config->connect.retry_s, 120);
    cr_expect_eq(config->connect.read_timeout_s, 60);
    cr_expect_eq(config->hooks->len, 0);
}

Test(config, effective_file_loads_to_the_same)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(config) config = config_load("test/data/config/full.yaml", &error);
    cr_assert(config != NULL);
    g_autofree char *yaml = config_to_yaml(config);
    g_autoptr(config) again = load_text(yaml, &error);
    cr_assert(again != NULL, "%s\n%s", error ? error->message : "", yaml);
    g_autofree char *yaml_again = config_to_yaml(again);
    g_autoptr(GString) without_comments = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(yaml, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        if (strstr(*line, "given, not shown") == NULL)
            g_string_append_printf(without_comments, "%s\n", *line);
        else if (strstr(*line, "headers") != NULL)
            g_string_append(without_comments, "    headers: {}\n");
    }
    g_string_truncate(without_comments, without_comments->len - 1);
    cr_expect_str_eq(yaml_again, without_comments->str);
    cr_expect_eq(again->apply.batch_bytes, 16 << 20);
    cr_expect_eq(again->hooks->len, 2);
}

Test(config, effective_file_shows_defaults_and_no_secret)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(config) config = config_load("test/data/config/full.yaml", &error);
    cr_assert(config != NULL);
    g_autofree char *yaml = config_to_yaml(config);
    cr_expect_eq(strstr(yaml, "sesame"), NULL);
    cr_expect_eq(strstr(yaml, "whsec"), NULL);
    cr_expect_eq(strstr(yaml, "Bearer"), NULL);
    g_autoptr(config) least = config_load("test/data/config/least.yaml", &error);
    g_autofree char *defaults = config_to_yaml(least);
    cr_expect(strstr(defaults, "\n  chunk_bytes: 8MiB\n") != NULL, "%s", defaults);
    cr_expect(strstr(defaults, "\n  defer_indexes: false\n") != NULL, "%s", defaults);
    cr_expect(strstr(defaults, "\nmemory: 256MiB\n") != NULL, "%s", defaults);
    cr_expect(strstr(defaults, "\n  - from: \"s.t\"\n    to: \"s.t\"\n") != NULL, "%s", defaults);
}

Test(config, unknown_keys_are_named_with_the_nearest)
{
    expect_refused(LEAST "copy:\n  raeders: 2\n", 6, "copy.raeders: unknown key",
                   "is \"readers\" meant?");
    expect_refused(LEAST "hoks: []\n", 5, "hoks", "is \"hooks\" meant?");
    expect_refused(LEAST "qqqqq: 1\n", 5, "qqqqq", "Allowed here: move, source");
    expect_refused(LEAST "hooks:\n  - url: http://a\n    evnts: []\n", 7, "hooks[0].evnts",
                   "\"events\"");
    expect_refused(HEAD "tables: [{from: a.b, too: c.d}]\n", 4, "tables[0].too", "\"to\"");
}

Test(config, several_problems_are_all_told)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(config)
        config = load_text(LEAST "memory: 1MiB\ncopy: {readers: 0}\nbogus: 1\n", &error);
    cr_assert(config == NULL);
    g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
    cr_assert_eq(g_strv_length(lines), 3);
    cr_expect(strstr(lines[0], ":5: memory") != NULL);
    cr_expect(strstr(lines[1], ":6: copy.readers") != NULL);
    cr_expect(strstr(lines[2], ":7: bogus") != NULL);
}

Test(config, values_out_of_range)
{
    expect_refused(LEAST "copy: {readers: 65}\n", 5, "copy.readers", "from 1 to 64");
    expect_refused(LEAST "copy: {readers: -1}\n", 5, "copy.readers", "from 1 to 64");
    expect_refused(LEAST "copy: {readers: 0x4}\n", 5, "copy.readers", "from 1 to 64");
    expect_refused(LEAST "copy: {readers: 99999999999999999999}\n", 5, "copy.readers", "1 to 64");
    expect_refused(LEAST "copy: {chunk_ms: 250ms}\n", 5, "copy.chunk_ms", "whole number");
    expect_refused(LEAST "memory: 63MiB\n", 5, "memory", "from 64MiB");
    expect_refused(LEAST "memory: 256MB\n", 5, "memory", "B, KiB, MiB or GiB");
    expect_refused(LEAST "apply: {batch_bytes: 200MiB}\n", 5, "apply.batch_bytes", "memory");
    expect_refused(LEAST "cutover: {mode: atuo}\n", 5, "cutover.mode", "\"auto\"");
    expect_refused("move: m1\nsource: {host: a, user: u, port: 0}\ntarget: {host: b, user: u}\n"
                   "tables: [s.t]\n",
                   2, "source.port", "1 to 65535");
    expect_refused("move: M1\nsource: {host: a, user: u}\ntarget: {host: b, user: u}\n"
                   "tables: [s.t]\n",
                   1, "move", "a-z");
}

Test(config, wrong_shapes)
{
    expect_refused("- a\n", 1, "", "must be a mapping");
    expect_refused("", 1, "", "empty");
    expect_refused(LEAST "copy: [1]\n", 5, "copy", "must be a mapping");
    expect_refused(LEAST "memory: {a: b}\n", 5, "memory", "must be a size");
    expect_refused(LEAST "hooks: {url: http://a}\n", 5, "hooks", "must be a list");
    expect_refused(LEAST "hooks: [http://a]\n", 5, "hooks[0]", "must be a mapping");
    expect_refused(LEAST "move: m2\n", 5, "move", "twice; the first is on line 1");
    expect_refused(LEAST "copy: {readers: 1\n", 6, "not valid YAML", "");
    expect_refused("move: \xff\xfe\n", 1, "not valid YAML", "UTF-8");
    expect_refused(LEAST "checkpoint: {database: \"a\\nb\"}\n", 5, "checkpoint.database",
                   "control character");
}

Test(config, missing_keys)
{
    expect_refused("source: {host: a, user: u}\ntarget: {host: b, user: u}\ntables: [s.t]\n", 1,
                   "move: is missing", "");
    expect_refused(HEAD, 1, "tables: is missing", "");
    expect_refused(HEAD "tables: []\n", 4, "tables", "at least one");
    expect_refused("move: m1\nsource: {user: u}\ntarget: {host: b, user: u}\ntables: [s.t]\n", 2,
                   "source", "host, socket");
    expect_refused("move: m1\nsource: {host: a}\ntarget: {host: b, user: u}\ntables: [s.t]\n", 2,
                   "source.user: is missing", "");
    expect_refused(LEAST "hooks: [{timeout_ms: 1000}]\n", 5, "hooks[0].url: is missing", "");
}

Test(config, tables)
{
    expect_refused(HEAD "tables:\n - s.t\n - s.u\n - s.t\n", 7, "tables[2]", "on line 5");
    expect_refused(HEAD "tables:\n - s.t\n - {from: r.u, to: s.t}\n", 6, "tables[1]", "onto");
    expect_refused(HEAD "tables: [orders]\n", 4, "\"orders\"", "schema.table");
    expect_refused(HEAD "tables: [a.b.c]\n", 4, "\"a.b.c\"", "backticks");
    expect_refused(HEAD "tables: [\"`a.b\"]\n", 4, "tables[0]", "backticks");
    expect_refused(HEAD "tables: [s.t]\ncutover: {moved_name: gone}\n", 5, "cutover.moved_name",
                   "{table}");
    expect_refused(HEAD "tables: [s.t]\ncutover: {moved_name: \"{table}\"}\n", 5,
                   "cutover.moved_name", "and more");
    expect_refused(HEAD "tables: [s.t, s._t_moved]\n", 1, "cutover.moved_name", "moved itself");
    expect_refused(HEAD "tables: "
                        "[s.a234567890123456789012345678901234567890123456789012345678901]\n",
                   1, "cutover.moved_name", "longer than 64");
    expect_refused(HEAD "tables: [{from: s.t, to: move_tables.t}]\n", 4, "tables[0]", "checkpoint");
}

Test(config, what_a_later_version_brings_is_refused_by_name)
{
    static const char *const later[] = {"in this version; use \"off\"", "use null"};
    expect_refused(LEAST "verify: {mode: inline}\n", 5, "verify.mode: \"inline\" is not available",
                   later[0]);
    expect_refused(LEAST "verify: {before_cutover: required}\n", 5, "verify.before_cutover",
                   later[0]);
    expect_refused(LEAST "reverse: {window: 1h}\n", 5, "reverse.window: \"1h\"", "use \"0s\"");
    expect_refused(LEAST "throttle: {query: SELECT 1}\n", 5, "throttle.query: is not available",
                   later[1]);
    expect_refused(LEAST "throttle: {http: http://a}\n", 5, "throttle.http", later[1]);
    expect_refused(LEAST "throttle: {max_threads_running: 50}\n", 5, "throttle.max_threads_running",
                   later[1]);
    expect_refused(LEAST "throttle: {replicas: [{host: a, user: u}]}\n", 5, "throttle.replicas",
                   later[1]);
    expect_refused(LEAST "control: {listen: 127.0.0.1:80}\n", 5, "control.listen", later[1]);
    /* A wrong value of such a key is still a wrong value. */
    expect_refused(LEAST "verify: {mode: inlined}\n", 5, "verify.mode", "is \"inline\" meant?");
}

Test(config, later_keys_at_their_off_value_are_fine)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(config) config = load_text(
        LEAST "reverse: {window: 0ms}\nverify: {mode: off}\nthrottle: {replicas: []}\n", &error);
    cr_assert(config != NULL, "%s", error ? error->message : "");
    cr_expect_eq(config->throttle.max_lag_ms, 1500);
}

Test(config, hooks)
{
    expect_refused(LEAST "hooks: [{url: ftp://a/b}]\n", 5, "hooks[0].url", "http://");
    expect_refused(LEAST "hooks: [{url: a.example}]\n", 5, "hooks[0].url", "not a URL");
    expect_refused(LEAST "hooks: [{url: http://u:p@a/}]\n", 5, "hooks[0].url", "headers");
    expect_refused(LEAST "hooks: [{url: http://a}, {url: http://a}]\n", 5, "hooks[1].url",
                   "already");
    expect_refused(LEAST "hooks: [{url: http://a, events: [complete]}]\n", 5, "hooks[0].events",
                   "\"completed\"");
    expect_refused(LEAST "hooks: [{url: http://a, events: []}]\n", 5, "hooks[0].events",
                   "leave it out");
    expect_refused(LEAST "hooks: [{url: http://a, headers: {webhook-id: x}}]\n", 5,
                   "hooks[0].headers.webhook-id", "leave it out");
    expect_refused(LEAST "hooks: [{url: http://a, headers: {'a b': x}}]\n", 5,
                   "hooks[0].headers.a b", "header");
    expect_refused(LEAST "hooks: [{url: http://a, secret: x, secret_env: y}]\n", 5, "hooks[0]",
                   "only one of");
    expect_refused(LEAST "hooks: [{url: http://a, secret: 'whsec_not base64'}]\n", 5,
                   "hooks[0].secret", "not base64");
    expect_refused(LEAST "hooks: [{url: http://a, secret: whsec_}]\n", 5, "hooks[0].secret",
                   "not base64");
    expect_refused(LEAST "hooks: [{url: http://a, secret: whsec_c2VjcmV}]\n", 5, "hooks[0].secret",
                   "not base64");
}

Test(config, in_doubt_policies)
{
    expect_refused(LEAST "hooks: [{url: http://a, in_doubt: holding}]\n", 5, "hooks[0].in_doubt",
                   "retry, probe, hold");
    expect_refused(LEAST "hooks: [{url: http://a, in_doubt: probe}]\n", 5, "hooks[0].in_doubt",
                   "needs probe_url");
    expect_refused(LEAST "hooks: [{url: http://a, in_doubt: probe, probe_url: a/b}]\n", 5,
                   "hooks[0].probe_url", "not a URL");
    expect_refused(LEAST "hooks: [{url: http://a, in_doubt: probe, probe_url: 'http://a/#{id}'}]\n",
                   5, "hooks[0].probe_url", "\"#\"");
    g_autoptr(GError) error = NULL;
    g_autoptr(config) config = load_text(
        LEAST "hooks:\n"
              "  - {url: http://a, in_doubt: probe, probe_url: 'http://a/events/{id}'}\n"
              "  - {url: http://b, in_doubt: hold, probe_url: null}\n"
              "  - {url: http://c}\n",
        &error);
    cr_assert(config != NULL, "%s", error ? error->message : "");
    const struct hook_endpoint *probe = g_ptr_array_index(config->hooks, 0);
    const struct hook_endpoint *hold = g_ptr_array_index(config->hooks, 1);
    const struct hook_endpoint *retry = g_ptr_array_index(config->hooks, 2);
    cr_expect_eq(probe->in_doubt, IN_DOUBT_PROBE);
    cr_expect_str_eq(probe->probe_url, "http://a/events/{id}");
    cr_expect_eq(hold->in_doubt, IN_DOUBT_HOLD);
    cr_expect_null(hold->probe_url);
    cr_expect_eq(retry->in_doubt, IN_DOUBT_RETRY);
}

static struct config *
load_with_password(const char *key, const char *value, GError **error)
{
    g_autofree char *text = g_strdup_printf(
        "move: m1\nsource: {host: a, user: u, %s: %s}\ntarget: {host: b, user: u}\n"
        "tables: [s.t]\n",
        key, value);
    return load_text(text, error);
}

Test(config, password_from_the_environment)
{
    g_autoptr(GError) error = NULL;
    g_unsetenv("MT_TEST_PASSWORD");
    g_autoptr(config) missing = load_with_password("password_env", "MT_TEST_PASSWORD", &error);
    cr_assert(missing == NULL);
    cr_expect(strstr(error->message, ":2: source.password_env: environment variable "
                                     "MT_TEST_PASSWORD is not set") != NULL,
              "%s", error->message);
    g_clear_error(&error);
    g_setenv("MT_TEST_PASSWORD", "sesame", TRUE);
    g_autoptr(config) config = load_with_password("password_env", "MT_TEST_PASSWORD", &error);
    cr_assert(config != NULL);
    cr_expect_str_eq(config->source.password, "sesame");
}

Test(config, password_from_a_file)
{
    g_autoptr(GError) error = NULL;
    char path[] = "/tmp/move-tables-password-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(write(fd, "se same\n", 8) == 8);
    close(fd);
    g_autoptr(config) config = load_with_password("password_file", path, &error);
    unlink(path);
    cr_assert(config != NULL, "%s", error ? error->message : "");
    cr_expect_str_eq(config->source.password, "se same");
    g_autoptr(config) gone = load_with_password("password_file", path, &error);
    cr_assert(gone == NULL);
    cr_expect(strstr(error->message, "source.password_file: cannot read") != NULL);
    cr_expect(strstr(error->message, path) != NULL);
}

Test(config, secrets_that_are_not_needed_may_be_missing)
{
    g_autoptr(GError) error = NULL;
    char path[] = "/tmp/move-tables-config-XXXXXX";
    const char *text = "move: m1\nsource: {host: a, user: u, password_env: MT_TEST_NOT_SET}\n"
                       "target: {host: b, user: u, password: p}\ntables: [s.t]\n";
    g_unsetenv("MT_TEST_NOT_SET");
    int fd = mkstemp(path);
    cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    g_autoptr(config) config = config_load_for(path, CONFIG_SECRETS_TARGET, &error);
    g_autoptr(config) all = config_load_for(path, CONFIG_SECRETS_SERVERS, NULL);
    unlink(path);
    cr_assert(config != NULL, "%s", error ? error->message : "");
    cr_expect_str_eq(config->target.password, "p");
    cr_expect_eq(config->source.password, NULL);
    cr_expect_eq(all, NULL);
}

Test(config, read_from_with_its_own_password_does_not_inherit_one)
{
    g_autoptr(GError) error = NULL;
    g_setenv("MT_TEST_PASSWORD", "theirs", TRUE);
    g_autoptr(config)
        config = load_text("move: m1\nsource: {host: a, user: u, password: ours, port: 3310,\n"
                           "  read_from: {host: c, password_env: MT_TEST_PASSWORD}}\n"
                           "target: {host: b, user: u}\ntables: [s.t]\n",
                           &error);
    cr_assert(config != NULL, "%s", error ? error->message : "");
    cr_expect_str_eq(config->read_from.password, "theirs");
    cr_expect_eq(config->read_from.port, 3310);
    cr_expect_str_eq(config->source.password, "ours");
}

Test(config, tls)
{
    expect_refused("move: m1\nsource: {host: a, user: u, tls: {mode: verify_ca}}\n"
                   "target: {host: b, user: u}\ntables: [s.t]\n",
                   2, "source.tls", "ca");
    expect_refused("move: m1\nsource: {host: a, user: u}\n"
                   "target: {host: b, user: u, tls: {cert: c}}\ntables: [s.t]\n",
                   3, "target.tls", "both");
}

Test(config, file_that_is_not_there)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(config) config = config_load("/nonexistent/x.yaml", &error);
    cr_assert(config == NULL);
    cr_expect(g_error_matches(error, MT_ERROR, MT_ERROR_USAGE));
    cr_expect(strstr(error->message, "/nonexistent/x.yaml") != NULL);
}

Test(config, units)
{
    int64_t value = -1;
    cr_expect(config_parse_bytes("8MiB", &value) && value == 8 << 20);
    cr_expect(config_parse_bytes("1B", &value) && value == 1);
    cr_expect(config_parse_bytes("0", &value) && value == 0);
    cr_expect_not(config_parse_bytes("8", &value));
    cr_expect_not(config_parse_bytes("-8MiB", &value));
    cr_expect_not(config_parse_bytes("8 MiB", &value));
    cr_expect_not(config_parse_bytes("99999999999GiB", &value));
    cr_expect(config_parse_duration_ms("250ms", &value) && value == 250);
    cr_expect(config_parse_duration_ms("2h", &value) && value == 7200000);
    cr_expect_not(config_parse_duration_ms("2", &value));
    cr_expect_not(config_parse_duration_ms("2d", &value));
    cr_expect_not(config_parse_duration_ms("", &value));
}

Test(config, documentation_has_the_table_of_keys)
{
    g_autofree char *page = NULL;
    g_autofree char *table = config_describe_keys();
    cr_assert(g_file_get_contents("docs/configuration.md", &page, NULL, NULL));
    cr_expect(strstr(page, table) != NULL, "docs/configuration.md lacks this table:\n%s", table);
}
