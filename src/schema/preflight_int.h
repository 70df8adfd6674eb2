/* Preflight's own parts: one file a subject, all adding to one list of findings. */
#ifndef SCHEMA_PREFLIGHT_INT_H
#define SCHEMA_PREFLIGHT_INT_H

#include <glib.h>
#include <stdbool.h>

#include "schema/grants_int.h"
#include "schema/preflight.h"
#include "schema/table.h"

/* What is asked of a server once. */
struct server_facts {
    const char *label; /* "source", "read_from", "target" */
    struct conn *conn; /* borrowed */
    GHashTable *variables;
    char *version;
    char *gtid_executed;
    struct grant_set *grants;
    char *account; /* quoted for GRANT: `user`@`host` */
};

struct preflight {
    const struct config *config;
    const struct preflight_connections *conns;
    const struct preflight_options *options;
    GPtrArray *findings; /* struct finding */
    struct server_facts source;
    struct server_facts reader; /* a copy of source's pointers without read_from */
    struct server_facts target;
    bool has_reader;         /* reader is a server of its own */
    GPtrArray *moved_tables; /* struct moved_table: those that are there */
    GHashTable *referenced;  /* quoted source names that foreign keys of the set refer to */
    GHashTable *listed; /* quoted source names of the file; only preflight_relations() has it */
    /* Target schemas, by what their tables are by default: an enum schema_default. NULL until asked for. */
    GHashTable *target_schemas;
    const struct deferral *deferral; /* of moved_tables; only preflight_target_tables() has it */
};

/* Add a finding; `subject` and `cure` (NULL: none) are copied. */
void preflight_ok(struct preflight *preflight, const char *subject, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void preflight_warning(struct preflight *preflight, const char *subject, const char *cure,
                       const char *format, ...) G_GNUC_PRINTF(4, 5);
void preflight_error(struct preflight *preflight, const char *subject, const char *cure,
                     const char *format, ...) G_GNUC_PRINTF(4, 5);

/* A global variable's value; "" when the server has no such variable. */
const char *server_variable(const struct server_facts *facts, const char *name);
gint64 server_variable_int(const struct server_facts *facts, const char *name);

/* Whether the version `one` (as VERSION() gives it) is older than `other`. Pure. */
bool server_version_older(const char *one, const char *other);

/* Reads facts->variables, version, gtid_executed, grants and account. */
G_GNUC_WARN_UNUSED_RESULT bool server_facts_read(struct server_facts *facts, GError **error);
void server_facts_clear(struct server_facts *facts);

/* The checks, in the order in which they run. Those that ask a server can fail. */
void preflight_settings(struct preflight *preflight, const struct server_facts *facts);
G_GNUC_WARN_UNUSED_RESULT bool preflight_topology(struct preflight *preflight, GError **error);
G_GNUC_WARN_UNUSED_RESULT bool preflight_source_tables(struct preflight *preflight, GError **error);
G_GNUC_WARN_UNUSED_RESULT bool preflight_relations(struct preflight *preflight, GError **error);
G_GNUC_WARN_UNUSED_RESULT bool preflight_triggers(struct preflight *preflight, GError **error);
/* Of preflight_triggers(): what creating them (struct trigger) on the target needs. */
G_GNUC_WARN_UNUSED_RESULT bool preflight_trigger_definers(struct preflight *preflight,
                                                          const GPtrArray *triggers,
                                                          GError **error);
G_GNUC_WARN_UNUSED_RESULT bool preflight_zones(struct preflight *preflight, GError **error);
G_GNUC_WARN_UNUSED_RESULT bool preflight_target_tables(struct preflight *preflight, GError **error);
/* Of preflight_target_tables(): what the definition needs of a target that has no such table. */
G_GNUC_WARN_UNUSED_RESULT bool preflight_target_options(struct preflight *preflight,
                                                        const struct moved_table *moved,
                                                        GError **error);
G_GNUC_WARN_UNUSED_RESULT bool preflight_grants(struct preflight *preflight, GError **error);
void preflight_retention(struct preflight *preflight);

/* `schema`.* as a GRANT takes it: with its wildcards escaped. Caller frees. */
char *schema_for_grant(const struct server_facts *facts, const char *schema);

#endif
