#include "schema/row_name.h"

#include "schema/key.h"

/* A key may have 3072 bytes. */
#define SHOWN_BYTES_MAX ((gsize)200)

void
row_name_prefix(GError **error, const struct table *table, const struct column_text *parts)
{
    if (parts == NULL) {
        g_prefix_error(error, "table %s.%s: ", table->schema, table->name);
        return;
    }
    g_autoptr(GString) key = g_string_new(NULL);
    key_in_begin(key, table);
    key_in_append(key, table, parts, true);
    key_in_end(key, table);
    if (key->len > SHOWN_BYTES_MAX)
        g_string_truncate(key, SHOWN_BYTES_MAX);
    g_autofree char *shown = g_utf8_make_valid(key->str, -1);
    g_prefix_error(error, "table %s.%s, row %s: ", table->schema, table->name, shown);
}

bool
row_is_named(const GError *error)
{
    return g_str_has_prefix(error->message, "table ");
}
