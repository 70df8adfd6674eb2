/* Privileges as SHOW GRANTS prints them. Pure. */
#ifndef SCHEMA_GRANTS_INT_H
#define SCHEMA_GRANTS_INT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* X(suffix, name as SHOW GRANTS prints it) */
#define PRIVILEGE_LIST(X)                       \
    X(SELECT, "SELECT")                         \
    X(INSERT, "INSERT")                         \
    X(UPDATE, "UPDATE")                         \
    X(DELETE, "DELETE")                         \
    X(CREATE, "CREATE")                         \
    X(DROP, "DROP")                             \
    X(ALTER, "ALTER")                           \
    X(INDEX, "INDEX")                           \
    X(REFERENCES, "REFERENCES")                 \
    X(TRIGGER, "TRIGGER")                       \
    X(SHOW_VIEW, "SHOW VIEW")                   \
    X(FILE, "FILE")                             \
    X(PROCESS, "PROCESS")                       \
    X(REPLICATION_SLAVE, "REPLICATION SLAVE")   \
    X(REPLICATION_CLIENT, "REPLICATION CLIENT") \
    X(XA_RECOVER_ADMIN, "XA_RECOVER_ADMIN")     \
    X(SUPER, "SUPER")                           \
    X(SYSTEM_USER, "SYSTEM_USER")               \
    X(SET_USER_ID, "SET_USER_ID")               \
    X(SET_ANY_DEFINER, "SET_ANY_DEFINER")       \
    X(ALLOW_NONEXISTENT_DEFINER, "ALLOW_NONEXISTENT_DEFINER")

enum privilege {
#define PRIVILEGE_ENUM(suffix, name) PRIVILEGE_##suffix,
    PRIVILEGE_LIST(PRIVILEGE_ENUM)
#undef PRIVILEGE_ENUM
        PRIVILEGE_COUNT
};

#define PRIVILEGE_BIT(suffix) (UINT32_C(1) << PRIVILEGE_##suffix)

struct grant_set;

/* `patterns`: % and _ in schema names are wildcards (they are not while partial_revokes is ON). */
struct grant_set *grant_set_new(bool patterns);
void grant_set_free(struct grant_set *set);

/* Adds one line of SHOW GRANTS. Roles, routines, proxies and privileges on
 * single columns are left out; a partial revoke takes away. */
void grant_set_add_line(struct grant_set *set, const char *line);

/* Which of `wanted` are not held. schema NULL: globally; table NULL: on the whole schema. */
uint32_t grant_set_missing(const struct grant_set *set, uint32_t wanted, const char *schema,
                           const char *table);

/* "SELECT, INSERT". Caller frees. */
char *privilege_names(uint32_t privileges);

#endif
