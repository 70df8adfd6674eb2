#include "schema/name_groups_int.h"

#include "mysql/quote.h"

/* FIELD() compares one after another: more would cost more than the queries that they save. */
#define GROUP_MAX 200

static void
free_group(void *pointer)
{
    struct name_group *group = pointer;
    g_free(group->schema);
    g_string_free(group->names, TRUE);
    g_array_unref(group->places);
    g_free(group);
}

GPtrArray *
name_groups_new(void)
{
    return g_ptr_array_new_with_free_func(free_group);
}

/* The schema's last group, unless it is full. */
static struct name_group *
open_group(GPtrArray *groups, const char *schema)
{
    for (guint i = groups->len; i > 0; i--) {
        struct name_group *group = g_ptr_array_index(groups, i - 1);
        if (g_str_equal(group->schema, schema))
            return group->places->len < GROUP_MAX ? group : NULL;
    }
    return NULL;
}

void
name_groups_add(GPtrArray *groups, const char *schema, const char *name, unsigned place)
{
    g_autofree char *quoted = quoted_string(schema);
    struct name_group *group = open_group(groups, quoted);
    if (group == NULL) {
        group = g_new0(struct name_group, 1);
        group->schema = g_steal_pointer(&quoted);
        group->names = g_string_new(NULL);
        group->places = g_array_new(FALSE, FALSE, sizeof(unsigned));
        g_ptr_array_add(groups, group);
    }
    if (group->places->len > 0)
        g_string_append_c(group->names, ',');
    quote_string(group->names, name);
    g_array_append_val(group->places, place);
}

unsigned
name_group_place(const struct name_group *group, guint64 field)
{
    g_assert(field >= 1 && field <= group->places->len);
    return g_array_index(group->places, unsigned, field - 1);
}
