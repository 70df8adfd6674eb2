/* How the servers stand to each other, and retention. */
#include <string.h>

#include "mysql/quote.h"
#include "schema/inspect.h"
#include "schema/preflight_int.h"

/* What a copy does at least, bytes a second: for the estimate of its duration only. */
enum { COPY_BYTES_PER_S_LOW = 10 * 1024 * 1024, RETENTION_MIN_S = 24 * 3600 };

/* Keys of the checkpoint's tables have more than the 768 bytes that pages of 4 KiB take. */
enum { PAGE_SIZE_MIN = 8192 };

static const char *
uuid_of(const struct server_facts *facts)
{
    return server_variable(facts, "server_uuid");
}

static void
check_different_servers(struct preflight *preflight)
{
    const char *source = uuid_of(&preflight->source);
    bool same = g_str_equal(source, uuid_of(&preflight->target)) ||
                g_str_equal(uuid_of(&preflight->reader), uuid_of(&preflight->target));
    if (same)
        preflight_error(preflight, "servers", "name another server under `target`",
                        "source and target are the same server (server_uuid %s)",
                        uuid_of(&preflight->target));
    else
        preflight_ok(preflight, "servers", "source %s and target %s are different servers", source,
                     uuid_of(&preflight->target));
}

/* GTID_SUBTRACT(one, other), asked on `facts`. Caller frees. */
static char *
gtid_subtract(const struct server_facts *facts, const char *one, const char *other, GError **error)
{
    g_autofree char *a = quoted_string(one);
    g_autofree char *b = quoted_string(other);
    g_autofree char *sql = g_strdup_printf("SELECT GTID_SUBTRACT(%s, %s)", a, b);
    char *difference = NULL;
    return conn_query_value(facts->conn, sql, &difference, error) ? difference : NULL;
}

static bool
same_set(const struct server_facts *facts, const char *one, const char *other, bool *ret_same,
         GError **error)
{
    g_autofree char *left = gtid_subtract(facts, one, other, error);
    g_autofree char *right = left != NULL ? gtid_subtract(facts, other, one, error) : NULL;
    if (left == NULL || right == NULL)
        return false;
    *ret_same = left[0] == '\0' && right[0] == '\0';
    return true;
}

/* A replica has part of what the source executed, and nothing of its own. */
static bool
check_reader(struct preflight *preflight, GError **error)
{
    const char *subject = "read_from replication";
    const struct server_facts *source = &preflight->source;
    const struct server_facts *reader = &preflight->reader;
    if (g_str_equal(uuid_of(source), uuid_of(reader))) {
        preflight_warning(preflight, subject, "leave read_from out",
                          "read_from is the source itself");
        return true;
    }
    /* Read again, and after the replica's: it was asked before, so all it had must be here. */
    g_autofree char *executed = NULL;
    if (!conn_query_value(source->conn, "SELECT @@GLOBAL.gtid_executed", &executed, error))
        return false;
    g_autofree char *behind = gtid_subtract(source, executed, reader->gtid_executed, error);
    g_autofree char *errant = behind != NULL
                                  ? gtid_subtract(source, reader->gtid_executed, executed, error)
                                  : NULL;
    bool nothing_shared = false;
    if (errant == NULL || !same_set(source, behind, executed, &nothing_shared, error))
        return false;
    if (nothing_shared && executed[0] != '\0')
        preflight_error(preflight, subject, "name a replica of the source, or leave read_from out",
                        "read_from has none of the source's transactions: it is no replica of it");
    else if (errant[0] != '\0')
        preflight_warning(preflight, subject,
                          "look what they are: SHOW BINLOG EVENTS on the replica",
                          "read_from executed transactions that the source has not: %.200s. If "
                          "they touch moved tables, the target gets them too",
                          errant);
    else
        preflight_ok(preflight, subject, "read_from is a replica of the source");
    return true;
}

static void
check_row_format(struct preflight *preflight)
{
    const char *subject = "target innodb_default_row_format";
    const char *source = server_variable(&preflight->source, "innodb_default_row_format");
    const char *target = server_variable(&preflight->target, "innodb_default_row_format");
    if (g_ascii_strcasecmp(target, "dynamic") != 0 && !preflight->options->resuming)
        preflight_error(preflight, subject, "SET GLOBAL innodb_default_row_format = 'dynamic'",
                        "innodb_default_row_format is %s: the keys of the checkpoint's tables need "
                        "rows of the format DYNAMIC",
                        target);
    else if (!g_str_equal(source, target))
        preflight_warning(preflight, subject, "set innodb_default_row_format alike",
                          "innodb_default_row_format is %s on the target and %s on the source: "
                          "tables that name no ROW_FORMAT get another one",
                          target, source);
}

/* What of a definition does not fit smaller pages (or COMPRESSED in larger ones) only the target's
 * CREATE TABLE knows in every case: create.c says then what to do. */
static void
check_page_size(struct preflight *preflight)
{
    const char *subject = "target innodb_page_size";
    gint64 source = server_variable_int(&preflight->source, "innodb_page_size");
    gint64 target = server_variable_int(&preflight->target, "innodb_page_size");
    if (target < PAGE_SIZE_MIN && !preflight->options->resuming)
        preflight_error(preflight, subject,
                        "name a target that was initialised with innodb_page_size = 8K or more",
                        "innodb_page_size is %" G_GINT64_FORMAT
                        ": the keys of the checkpoint's tables need pages of 8 KiB",
                        target);
    else if (target != source)
        preflight_warning(preflight, subject,
                          "compare row sizes, index lengths (3072 bytes in pages of 16 KiB, 1536 "
                          "in pages of 8 KiB) and KEY_BLOCK_SIZE with the target's limits, or "
                          "name a target with the same page size",
                          "innodb_page_size is %" G_GINT64_FORMAT
                          " on the target and %" G_GINT64_FORMAT
                          " on the source: a definition may not fit, and its CREATE TABLE fail",
                          target, source);
}

static void
check_limits(struct preflight *preflight)
{
    gint64 source = server_variable_int(&preflight->source, "max_allowed_packet");
    gint64 target = server_variable_int(&preflight->target, "max_allowed_packet");
    if (target < source) {
        g_autofree char *cure = g_strdup_printf(
            "SET PERSIST max_allowed_packet = %" G_GINT64_FORMAT, source);
        preflight_warning(preflight, "target max_allowed_packet", cure,
                          "max_allowed_packet is %" G_GINT64_FORMAT
                          " on the target and %" G_GINT64_FORMAT
                          " on the source: a row that the source took may be too "
                          "large for the target",
                          target, source);
    } else {
        preflight_ok(preflight, "target max_allowed_packet", "%" G_GINT64_FORMAT " bytes", target);
    }
    check_page_size(preflight);
    check_row_format(preflight);
}

static bool
has_upper_case(const char *name)
{
    g_autofree char *lower = g_utf8_strdown(name, -1);
    return !g_str_equal(lower, name);
}

/* A server that stores names in lower case gives them back like that, in its binlog and elsewhere, and
 * a name in capital letters would never be found again. False when it is reported. */
static bool
check_stored_lower(struct preflight *preflight, const struct server_facts *facts, const char *name)
{
    if (!g_str_equal(server_variable(facts, "lower_case_table_names"), "1") ||
        !has_upper_case(name))
        return true;
    g_autofree char *subject = g_strdup_printf("%s lower_case_table_names", facts->label);
    g_autofree char *lower = g_utf8_strdown(name, -1);
    g_autofree char *cure = g_strdup_printf("write %s in the file", lower);
    preflight_error(preflight, subject, cure,
                    "lower_case_table_names is 1 on the %s: it stores %s in lower case",
                    facts->label, name);
    return false;
}

static void
check_different_case(struct preflight *preflight)
{
    const char *subject = "target lower_case_table_names";
    const char *source = server_variable(&preflight->source, "lower_case_table_names");
    const char *target = server_variable(&preflight->target, "lower_case_table_names");
    if (g_str_equal(source, target))
        return;
    for (unsigned i = 0; i < preflight->config->tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(preflight->config->tables,
                                                             struct table_mapping, i);
        if (!has_upper_case(mapping->to_schema) && !has_upper_case(mapping->to_table))
            continue;
        preflight_error(preflight, subject, "map it to a name in lower case",
                        "lower_case_table_names is %s on the target and %s on the source: %s.%s "
                        "would not be the same name",
                        target, source, mapping->to_schema, mapping->to_table);
        return;
    }
    preflight_warning(preflight, subject, NULL,
                      "lower_case_table_names is %s on the target and %s on the source", target,
                      source);
}

static void
check_lower_case(struct preflight *preflight)
{
    bool alike = g_str_equal(server_variable(&preflight->source, "lower_case_table_names"),
                             server_variable(&preflight->target, "lower_case_table_names"));
    /* {table} itself is in lower case, or reported below. */
    bool fine = check_stored_lower(preflight, &preflight->source,
                                   preflight->config->cutover.moved_name);
    for (unsigned i = 0; i < preflight->config->tables->len; i++) {
        const struct table_mapping *mapping = &g_array_index(preflight->config->tables,
                                                             struct table_mapping, i);
        g_autofree char *from = g_strdup_printf("%s.%s", mapping->from_schema, mapping->from_table);
        g_autofree char *to = g_strdup_printf("%s.%s", mapping->to_schema, mapping->to_table);
        fine &= check_stored_lower(preflight, &preflight->source, from) &&
                (!alike || check_stored_lower(preflight, &preflight->target, to));
    }
    if (fine)
        check_different_case(preflight);
}

/* Nobody else has a list of what each version brought to definitions. */
static void
check_older_target(struct preflight *preflight)
{
    if (server_version_older(preflight->target.version, preflight->source.version))
        preflight_warning(preflight, "target version",
                          "upgrade the target, or try the definitions there before the move",
                          "MySQL %s is older than the source's %s: a definition that it does not "
                          "know fails when it is created, or is found to differ right after that",
                          preflight->target.version, preflight->source.version);
}

bool
preflight_topology(struct preflight *preflight, GError **error)
{
    check_different_servers(preflight);
    if (preflight->has_reader && !check_reader(preflight, error))
        return false;
    check_older_target(preflight);
    check_limits(preflight);
    check_lower_case(preflight);
    return true;
}

void
preflight_retention(struct preflight *preflight)
{
    const struct server_facts *reader = &preflight->reader;
    g_autofree char *subject = g_strdup_printf("%s binlog retention", reader->label);
    const char *purge = server_variable(reader, "binlog_expire_logs_auto_purge");
    gint64 seconds = server_variable_int(reader, "binlog_expire_logs_seconds");
    if (seconds == 0 || g_str_equal(purge, "OFF")) {
        preflight_ok(preflight, subject, "binlogs are not purged by age");
        return;
    }
    uint64_t bytes = 0;
    for (unsigned i = 0; i < preflight->moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(preflight->moved_tables, i);
        bytes += table->source->estimated_bytes;
    }
    gint64 estimate = (gint64)(bytes / COPY_BYTES_PER_S_LOW) + 60;
    gint64 wanted = MAX(3 * estimate, RETENTION_MIN_S);
    if (seconds >= wanted) {
        preflight_ok(preflight, subject, "binlogs are kept for %" G_GINT64_FORMAT " s", seconds);
        return;
    }
    g_autofree char *cure = g_strdup_printf(
        "SET GLOBAL binlog_expire_logs_seconds = %" G_GINT64_FORMAT, wanted);
    preflight_warning(preflight, subject, cure,
                      "binlogs are kept for %" G_GINT64_FORMAT
                      " s; copying may take %" G_GINT64_FORMAT
                      " s, and a move that is interrupted longer than binlogs are "
                      "kept must begin again",
                      seconds, estimate);
}
