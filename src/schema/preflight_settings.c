/* Settings of one server: what the stream and the apply rest on. */
#include <stdio.h>
#include <string.h>

#include "schema/preflight_int.h"

/* A variable that must have a value, on every server of the move. */
static const struct {
    const char *name;
    const char *wanted;
    const char *why;
    const char *cure;
} settings[] = {
    {"log_bin", "ON", "there is no binlog to follow",
     "set log_bin and server_id in the server's configuration file and restart it"},
    {"binlog_format", "ROW", "changes must be logged as rows",
     "SET PERSIST binlog_format = 'ROW'; sessions that are open keep theirs: let them reconnect"},
    {"binlog_row_image", "FULL", "changes are applied as whole rows",
     "SET PERSIST binlog_row_image = 'FULL'; sessions that are open keep theirs: let them "
     "reconnect"},
    {"binlog_row_value_options", "", "partial JSON updates cannot be applied as whole rows",
     "SET PERSIST binlog_row_value_options = ''; sessions that are open keep theirs: let them "
     "reconnect"},
};

static void
check_settings(struct preflight *preflight, const struct server_facts *facts)
{
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_autofree char *subject = g_strdup_printf("%s %s", facts->label, settings[i].name);
        const char *value = server_variable(facts, settings[i].name);
        if (g_ascii_strcasecmp(value, settings[i].wanted) == 0)
            preflight_ok(preflight, subject, "%s = %s", settings[i].name,
                         value[0] != '\0' ? value : "(empty)");
        else
            preflight_error(preflight, subject, settings[i].cure, "%s is %s: %s", settings[i].name,
                            value[0] != '\0' ? value : "(empty)", settings[i].why);
    }
}

/* Before each server's change, all servers of its topology must have taken the one before. */
static const char *const gtid_steps[] = {
    "SET PERSIST enforce_gtid_consistency = WARN (watch the error log until it stays quiet)",
    "SET PERSIST enforce_gtid_consistency = ON",
    "SET PERSIST gtid_mode = OFF_PERMISSIVE",
    "SET PERSIST gtid_mode = ON_PERMISSIVE",
    "wait until SHOW STATUS LIKE 'Ongoing_anonymous_transaction_count' is 0 and replicas caught up",
    "SET PERSIST gtid_mode = ON",
};

/* The steps that are left from where the server is. Caller frees. */
static char *
gtid_cure(const struct server_facts *facts)
{
    const char *mode = server_variable(facts, "gtid_mode");
    const char *enforce = server_variable(facts, "enforce_gtid_consistency");
    size_t first = 0;
    if (g_str_equal(mode, "ON"))
        return g_strdup("SET PERSIST enforce_gtid_consistency = ON");
    if (g_str_equal(enforce, "ON"))
        first = g_str_equal(mode, "ON_PERMISSIVE")    ? 4
                : g_str_equal(mode, "OFF_PERMISSIVE") ? 3
                                                      : 2;
    else if (g_str_equal(enforce, "WARN"))
        first = 1;
    GString *cure = g_string_new(NULL);
    for (size_t i = first; i < G_N_ELEMENTS(gtid_steps); i++)
        g_string_append_printf(cure, "%s%s", cure->len > 0 ? "; then " : "", gtid_steps[i]);
    g_string_append(cure, ". No restart is needed; do each step on every server of the topology "
                          "before the next");
    return g_string_free(cure, FALSE);
}

static void
check_gtid(struct preflight *preflight, const struct server_facts *facts)
{
    g_autofree char *subject = g_strdup_printf("%s gtid_mode", facts->label);
    const char *mode = server_variable(facts, "gtid_mode");
    const char *enforce = server_variable(facts, "enforce_gtid_consistency");
    if (g_str_equal(mode, "ON") && g_str_equal(enforce, "ON")) {
        preflight_ok(preflight, subject, "gtid_mode = ON, enforce_gtid_consistency = ON");
        return;
    }
    g_autofree char *cure = gtid_cure(facts);
    preflight_error(preflight, subject, cure,
                    "gtid_mode is %s and enforce_gtid_consistency is %s: positions are GTID sets, "
                    "without exception",
                    mode, enforce);
}

static void
check_version(struct preflight *preflight, const struct server_facts *facts)
{
    g_autofree char *subject = g_strdup_printf("%s version", facts->label);
    unsigned major = 0;
    unsigned minor = 0;
    const char *comment = server_variable(facts, "version_comment");
    bool is_mariadb = strstr(facts->version, "MariaDB") != NULL ||
                      strstr(comment, "MariaDB") != NULL;
    if (is_mariadb)
        preflight_error(preflight, subject, "use MySQL 8.0 or newer",
                        "%s is MariaDB: its GTIDs and its binlog are others", facts->version);
    else if (sscanf(facts->version, "%u.%u", &major, &minor) != 2 || major < 8)
        preflight_error(preflight, subject, "upgrade to MySQL 8.0 or newer",
                        "version %s is older than 8.0", facts->version);
    else
        preflight_ok(preflight, subject, "MySQL %s", facts->version);
}

static void
check_writable(struct preflight *preflight, const struct server_facts *facts)
{
    g_autofree char *subject = g_strdup_printf("%s read_only", facts->label);
    bool super = g_str_equal(server_variable(facts, "super_read_only"), "ON");
    bool read_only = super || g_str_equal(server_variable(facts, "read_only"), "ON");
    bool innodb = g_str_equal(server_variable(facts, "innodb_read_only"), "ON");
    if (innodb)
        preflight_error(preflight, subject, "restart it without innodb_read_only",
                        "innodb_read_only is ON");
    else if (read_only)
        preflight_error(preflight, subject,
                        "name the primary under its host, or, if this is the primary: SET GLOBAL "
                        "super_read_only = OFF, GLOBAL read_only = OFF",
                        "%s is ON: this looks like a replica",
                        super ? "super_read_only" : "read_only");
    else
        preflight_ok(preflight, subject, "the server takes writes");
}

/* A session's locks, and those of rows that are only read, end at the member that has them: on two
 * members two runners could both believe that the move is theirs, and writes pass a RENAME. */
static void
check_group(struct preflight *preflight, const struct server_facts *facts)
{
    g_autofree char *subject = g_strdup_printf("%s group_replication", facts->label);
    if (server_variable(facts, "group_replication_group_name")[0] == '\0')
        return;
    if (g_str_equal(server_variable(facts, "group_replication_single_primary_mode"), "ON"))
        preflight_ok(preflight, subject, "a group with a single primary");
    else
        preflight_error(preflight, subject,
                        "SELECT group_replication_switch_to_single_primary_mode()",
                        "the group has more than one primary "
                        "(group_replication_single_primary_mode is OFF), and the locks that keep "
                        "a move safe do not reach beyond one server");
}

static void
check_local_infile(struct preflight *preflight, const struct server_facts *facts)
{
    if (g_str_equal(server_variable(facts, "local_infile"), "ON"))
        preflight_ok(preflight, "target local_infile", "rows are loaded with LOAD DATA LOCAL");
    else
        preflight_warning(preflight, "target local_infile", "SET GLOBAL local_infile = ON",
                          "local_infile is OFF: rows are written with INSERT, at about half the "
                          "speed of LOAD DATA LOCAL");
}

static bool
logs_replica_updates(const struct server_facts *facts)
{
    return g_str_equal(server_variable(facts, "log_replica_updates"), "ON") ||
           g_str_equal(server_variable(facts, "log_slave_updates"), "ON");
}

/* What a source that is a replica itself gets from its own source is not in its binlog then. */
static void
check_source_logs(struct preflight *preflight, const struct server_facts *facts)
{
    const char *subject = "source log_replica_updates";
    static const char cure[] =
        "set log_replica_updates = ON in its configuration file and restart it";
    if (logs_replica_updates(facts))
        return;
    g_autoptr(GError) unseen = NULL;
    g_autoptr(result) status = conn_query(facts->conn, "SHOW REPLICA STATUS", &unseen);
    if (status == NULL)
        preflight_warning(preflight, subject, cure,
                          "log_replica_updates is OFF, and whether the source is a replica cannot "
                          "be seen (%s): what it replicates is not in its binlog",
                          unseen->message);
    else if (result_rows(status) > 0)
        preflight_error(preflight, subject, cure,
                        "log_replica_updates is OFF, and the source is a replica: what it "
                        "replicates is not in its binlog");
    else
        preflight_ok(preflight, subject, "log_replica_updates is OFF, and it is no replica");
}

void
preflight_settings(struct preflight *preflight, const struct server_facts *facts)
{
    check_version(preflight, facts);
    check_settings(preflight, facts);
    check_gtid(preflight, facts);
    if (facts == &preflight->reader) {
        if (logs_replica_updates(facts))
            preflight_ok(preflight, "read_from log_replica_updates", "log_replica_updates = ON");
        else
            preflight_error(preflight, "read_from log_replica_updates",
                            "set log_replica_updates = ON in its configuration file and restart "
                            "it, or leave read_from out",
                            "log_replica_updates is OFF: the replica's binlog lacks the source's "
                            "changes");
    } else {
        check_writable(preflight, facts);
        check_group(preflight, facts);
        if (facts == &preflight->source && !preflight->has_reader)
            check_source_logs(preflight, facts);
    }
    if (facts == &preflight->target)
        check_local_infile(preflight, facts);
}
