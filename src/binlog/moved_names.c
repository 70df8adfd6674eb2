#include "binlog/moved_names.h"

#include <string.h>

/* Names have 64 characters of up to 3 bytes; an event has one byte for a length. */
#define NAME_BYTES_MAX 255

struct moved_names {
    const GPtrArray *moved_tables;
    bool fold_case;
    GHashTable *by_name; /* struct name_key → index + 1 */
};

/* Two length-prefixed names. */
struct name_key {
    size_t length;
    char bytes[2 * (NAME_BYTES_MAX + 1)];
};

static guint
key_hash(gconstpointer pointer)
{
    const struct name_key *key = pointer;
    guint hash = 2166136261U;
    for (size_t i = 0; i < key->length; i++)
        hash = (hash ^ (uint8_t)key->bytes[i]) * 16777619U;
    return hash;
}

static gboolean
key_equal(gconstpointer a, gconstpointer b)
{
    const struct name_key *one = a;
    const struct name_key *other = b;
    return one->length == other->length && memcmp(one->bytes, other->bytes, one->length) == 0;
}

static void
key_append(struct name_key *key, const char *name, size_t length, bool fold_case)
{
    key->bytes[key->length++] = (char)length;
    for (size_t i = 0; i < length; i++)
        key->bytes[key->length++] = fold_case ? g_ascii_tolower(name[i]) : name[i];
}

static bool
key_of(struct name_key *key, struct table_name name, bool fold_case)
{
    if (name.schema_length > NAME_BYTES_MAX || name.table_length > NAME_BYTES_MAX)
        return false;
    key->length = 0;
    key_append(key, name.schema, name.schema_length, fold_case);
    key_append(key, name.table, name.table_length, fold_case);
    return true;
}

static const struct table *
source_table(const struct moved_names *names, guint index)
{
    const struct moved_table *moved = g_ptr_array_index(names->moved_tables, index);
    return moved->source;
}

struct moved_names *
moved_names_new(const GPtrArray *moved_tables, bool fold_case)
{
    struct moved_names *names = g_new0(struct moved_names, 1);
    names->moved_tables = moved_tables;
    names->fold_case = fold_case;
    names->by_name = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct table *table = source_table(names, i);
        struct table_name name = {table->schema, strlen(table->schema), table->name,
                                  strlen(table->name)};
        struct name_key *key = g_new(struct name_key, 1);
        if (key_of(key, name, fold_case))
            g_hash_table_insert(names->by_name, key, GUINT_TO_POINTER(i + 1));
        else
            g_free(key);
    }
    return names;
}

void
moved_names_free(struct moved_names *names)
{
    if (names == NULL)
        return;
    g_hash_table_unref(names->by_name);
    g_free(names);
}

int
moved_names_find(const struct moved_names *names, struct table_name name)
{
    struct name_key key;
    if (!key_of(&key, name, names->fold_case))
        return MOVED_NONE;
    return (int)GPOINTER_TO_UINT(g_hash_table_lookup(names->by_name, &key)) - 1;
}

/* Could these bytes be this name? `any_character_set`: beyond ASCII everything could be; so could
 * a '?', which the server puts for characters that names cannot have. */
static bool
could_be(const struct moved_names *names, const char *name, const char *bytes, size_t length,
         bool any_character_set)
{
    if (any_character_set && (!g_str_is_ascii(name) || strchr(name, '?') != NULL))
        for (size_t i = 0; i < length; i++)
            if ((uint8_t)bytes[i] >= 0x80)
                return true;
    if (strlen(name) != length)
        return false;
    return names->fold_case ? g_ascii_strncasecmp(name, bytes, length) == 0
                            : memcmp(name, bytes, length) == 0;
}

/* Characters of four bytes are '?' in names. */
static bool
has_long_characters(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((uint8_t)bytes[i] >= 0xf0)
            return true;
    return false;
}

int
moved_names_find_schema(const struct moved_names *names, const char *schema, size_t length,
                        bool utf8)
{
    bool unsure = !utf8 || names->fold_case || has_long_characters(schema, length);
    for (guint i = 0; i < names->moved_tables->len; i++)
        if (could_be(names, source_table(names, i)->schema, schema, length, unsure))
            return (int)i;
    return MOVED_NONE;
}

int
moved_names_find_in_statement(const struct moved_names *names, struct table_name name, bool utf8)
{
    if (utf8 && !names->fold_case && !has_long_characters(name.schema, name.schema_length) &&
        !has_long_characters(name.table, name.table_length))
        return moved_names_find(names, name);
    for (guint i = 0; i < names->moved_tables->len; i++) {
        const struct table *table = source_table(names, i);
        if (could_be(names, table->schema, name.schema, name.schema_length, true) &&
            could_be(names, table->name, name.table, name.table_length, true))
            return (int)i;
    }
    return MOVED_NONE;
}
