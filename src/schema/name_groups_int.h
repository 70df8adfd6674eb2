/* Names of tables as information_schema is asked for them: those of one schema together, so that
 * thousands of tables cost tens of queries. Pure. */
#ifndef SCHEMA_NAME_GROUPS_INT_H
#define SCHEMA_NAME_GROUPS_INT_H

#include <glib.h>

#include "base/auto.h"

struct name_group {
    char *schema;   /* as a literal */
    GString *names; /* as literals: 'a','b' */
    GArray *places; /* unsigned, one a name: the caller's numbers */
};

/* An empty array of struct name_group, which are freed with it. */
GPtrArray *name_groups_new(void);

/* Adds a table under the caller's number. */
void name_groups_add(GPtrArray *groups, const char *schema, const char *name, unsigned place);

/* The caller's number of the name that FIELD(column, names) has found, which counts from 1 and
 * compares as the server does. */
unsigned name_group_place(const struct name_group *group, guint64 field);

static inline const struct name_group *
name_group(const GPtrArray *groups, guint index)
{
    return g_ptr_array_index(groups, index);
}

#endif
