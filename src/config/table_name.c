#include "config/table_name.h"

#include <glib.h>
#include <string.h>

/* MySQL manual, "Identifier Length Limits" and "Schema Object Names". */
enum { IDENTIFIER_CHARACTERS = 64 };

const char *
identifier_problem(const char *name)
{
    size_t bytes = strlen(name);
    if (bytes == 0)
        return "a name is empty";
    if (g_utf8_strlen(name, -1) > IDENTIFIER_CHARACTERS)
        return "a name is longer than 64 characters";
    if (name[bytes - 1] == ' ')
        return "a name ends with a space";
    return NULL;
}

/* One name from the front of *text, which it moves behind. NULL: unterminated. */
static char *
take_name(const char **text)
{
    const char *at = *text;
    if (*at != '`') {
        size_t length = strcspn(at, ".`");
        *text = at + length;
        return g_strndup(at, length);
    }
    GString *name = g_string_new(NULL);
    for (at++; *at != '\0'; at++) {
        if (*at == '`' && at[1] != '`') {
            *text = at + 1;
            return g_string_free(name, FALSE);
        }
        if (*at == '`')
            at++;
        g_string_append_c(name, *at);
    }
    g_string_free(name, TRUE);
    return NULL;
}

bool
table_name_parse(const char *text, char **ret_schema, char **ret_table, const char **ret_problem)
{
    static const char *const shape =
        "must be schema.table (a name that contains a dot in backticks)";
    *ret_problem = shape;
    g_autofree char *schema = take_name(&text);
    if (schema == NULL || *text != '.')
        return false;
    text++;
    g_autofree char *table = take_name(&text);
    if (table == NULL || *text != '\0')
        return false;
    *ret_problem = identifier_problem(schema);
    if (*ret_problem == NULL)
        *ret_problem = identifier_problem(table);
    if (*ret_problem != NULL)
        return false;
    *ret_schema = g_steal_pointer(&schema);
    *ret_table = g_steal_pointer(&table);
    return true;
}

static void
append_name(GString *text, const char *name)
{
    if (strpbrk(name, ".`") == NULL) {
        g_string_append(text, name);
        return;
    }
    g_string_append_c(text, '`');
    for (; *name != '\0'; name++) {
        if (*name == '`')
            g_string_append_c(text, '`');
        g_string_append_c(text, *name);
    }
    g_string_append_c(text, '`');
}

char *
table_name_format(const char *schema, const char *table)
{
    GString *text = g_string_new(NULL);
    append_name(text, schema);
    g_string_append_c(text, '.');
    append_name(text, table);
    return g_string_free(text, FALSE);
}
