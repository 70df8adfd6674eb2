#include "schema/deferred.h"

#include "mysql/quote.h"
#include "schema/create_keys_int.h"
#include "schema/create_text_int.h"
#include "schema/inspect.h"

struct deferral {
    GPtrArray *moved_tables;
    GHashTable *referenced; /* "`schema`.`table`.`column`" that a foreign key begins with */
};

/* Column names are compared without regard to case, as the server does. Caller frees. */
static char *
column_id(const char *schema, const char *table, const char *column)
{
    g_autoptr(GString) id = g_string_new(NULL);
    g_autofree char *folded = g_utf8_casefold(column, -1);
    quote_table(id, schema, table);
    g_string_append_c(id, '.');
    quote_identifier(id, folded);
    return g_string_free(g_steal_pointer(&id), FALSE);
}

static void
note_references(struct deferral *deferral, const struct table *table)
{
    g_autoptr(create_keys) keys = create_keys_of(table->create_sql);
    for (guint i = 0; i < keys->foreigns->len; i++) {
        const struct create_foreign *foreign = g_ptr_array_index(keys->foreigns, i);
        const char *schema = foreign->parent_schema != NULL ? foreign->parent_schema
                                                            : table->schema;
        if (foreign->column != NULL)
            g_hash_table_add(deferral->referenced,
                             column_id(table->schema, table->name, foreign->column));
        if (foreign->parent_column != NULL)
            g_hash_table_add(deferral->referenced,
                             column_id(schema, foreign->parent_table, foreign->parent_column));
    }
}

struct deferral *
deferral_of(GPtrArray *moved_tables)
{
    struct deferral *deferral = g_new0(struct deferral, 1);
    deferral->moved_tables = moved_tables;
    deferral->referenced = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < moved_tables->len; i++) {
        const struct moved_table *table = g_ptr_array_index(moved_tables, i);
        note_references(deferral, table->source);
    }
    return deferral;
}

void
deferral_free(struct deferral *deferral)
{
    if (deferral == NULL)
        return;
    g_hash_table_unref(deferral->referenced);
    g_free(deferral);
}

/* --- which ------------------------------------------------------------------------------ */

static const struct column *
find_column(const struct table *table, const char *name)
{
    g_autofree char *folded = g_utf8_casefold(name, -1);
    for (guint i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        g_autofree char *other = g_utf8_casefold(column->name, -1);
        if (g_str_equal(folded, other))
            return column;
    }
    return NULL;
}

/* The server keeps indexes over virtual columns and expressions behind the others, and those with an
 * expression cannot be put in another place. */
static bool
stands_before_expression(const struct create_keys *keys, guint place)
{
    for (guint i = place + 1; i < keys->keys->len; i++) {
        const struct create_key *other = g_ptr_array_index(keys->keys, i);
        if (other->kind == CREATE_KEY_PLAIN && other->has_expression)
            return true;
    }
    return false;
}

static bool
is_over_virtual(const struct table *table, const struct create_key *key)
{
    for (guint i = 0; i < key->columns->len; i++) {
        const struct column *column = find_column(table, g_ptr_array_index(key->columns, i));
        if (column != NULL && column->generated && !column->stored)
            return true;
    }
    return false;
}

/* Why the key is there from the beginning; NULL: it may come later. */
static const char *
obstacle(const struct deferral *deferral, const struct table *table, const struct create_keys *keys,
         guint place)
{
    const struct create_key *key = g_ptr_array_index(keys->keys, place);
    if (key->kind == CREATE_KEY_UNIQUE)
        return "unique";
    if (key->kind == CREATE_KEY_FULLTEXT)
        return "FULLTEXT: not built while rows are written";
    if (key->kind == CREATE_KEY_SPATIAL)
        return "SPATIAL: not built while rows are written";
    if (key->has_expression)
        return "has an expression: not built while rows are written";
    const char *first_name = g_ptr_array_index(key->columns, 0);
    g_autofree char *id = column_id(table->schema, table->name, first_name);
    if (g_hash_table_contains(deferral->referenced, id))
        return "a foreign key may need it";
    const struct column *first = find_column(table, first_name);
    if (first == NULL || first->auto_increment)
        return "AUTO_INCREMENT may need it";
    if (is_over_virtual(table, key) && stands_before_expression(keys, place))
        return "stands before one with an expression";
    return NULL;
}

GHashTable *
deferral_names(const struct deferral *deferral, const struct moved_table *table)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(create_keys) keys = create_keys_of(table->source->create_sql);
    for (guint i = 0; i < keys->keys->len; i++) {
        const struct create_key *key = g_ptr_array_index(keys->keys, i);
        if (key->kind == CREATE_KEY_PLAIN && obstacle(deferral, table->source, keys, i) == NULL)
            g_hash_table_add(names, g_strdup(key->name));
    }
    return names;
}

static void
append_name(GString *text, const char *name)
{
    g_string_append(text, text->len > 0 ? ", " : "");
    quote_identifier(text, name);
}

char *
deferral_describe(const struct deferral *deferral, const struct moved_table *table)
{
    g_autoptr(create_keys) keys = create_keys_of(table->source->create_sql);
    g_autoptr(GString) deferred = g_string_new(NULL);
    g_autoptr(GString) kept = g_string_new(NULL);
    for (guint i = 0; i < keys->keys->len; i++) {
        const struct create_key *key = g_ptr_array_index(keys->keys, i);
        if (key->kind == CREATE_KEY_PRIMARY)
            continue;
        const char *why = obstacle(deferral, table->source, keys, i);
        append_name(why == NULL ? deferred : kept, key->name);
        if (why != NULL)
            g_string_append_printf(kept, " (%s)", why);
    }
    if (deferred->len == 0 && kept->len == 0)
        return NULL;
    return g_strdup_printf("built after the copy: %s%s%s",
                           deferred->len > 0 ? deferred->str : "none",
                           kept->len > 0 ? "; there from the beginning: " : "", kept->str);
}

/* --- statements ------------------------------------------------------------------------- */

char *
deferral_create_statement(const struct deferral *deferral, const struct moved_table *table,
                          GError **error)
{
    g_autofree char *sql = create_statement_for_target(table, deferral->moved_tables, error);
    if (sql == NULL)
        return NULL;
    g_autoptr(GHashTable) names = deferral_names(deferral, table);
    return create_statement_without(sql, names);
}

static GHashTable *
key_names(const struct create_keys *keys)
{
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < keys->keys->len; i++)
        g_hash_table_add(names,
                         ((const struct create_key *)g_ptr_array_index(keys->keys, i))->name);
    return names;
}

/* Those that may be deferred and that the target has not. */
static GHashTable *
missing_names(const struct deferral *deferral, const struct moved_table *table,
              const struct table *found)
{
    GHashTable *missing = deferral_names(deferral, table);
    g_autoptr(create_keys) there = create_keys_of(found->create_sql);
    for (guint i = 0; i < there->keys->len; i++) {
        const struct create_key *key = g_ptr_array_index(there->keys, i);
        g_hash_table_remove(missing, key->name);
    }
    return missing;
}

static char *
names_in_order(const struct moved_table *table, GHashTable *names)
{
    g_autoptr(create_keys) keys = create_keys_of(table->source->create_sql);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < keys->keys->len; i++) {
        const struct create_key *key = g_ptr_array_index(keys->keys, i);
        if (g_hash_table_contains(names, key->name))
            append_name(text, key->name);
    }
    return text->len > 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

bool
deferral_compare(const struct deferral *deferral, const struct moved_table *table,
                 const struct table *found, char **ret_missing,
                 struct create_difference **ret_difference, GError **error)
{
    g_autofree char *whole = create_statement_for_target(table, deferral->moved_tables, error);
    if (whole == NULL)
        return false;
    g_autoptr(GHashTable) missing = missing_names(deferral, table, found);
    g_autofree char *wanted = create_statement_without(whole, missing);
    g_autofree char *target = quoted_table(table->to_schema, table->to_table);
    g_autofree char *wanted_text = create_statement_comparable(wanted);
    g_autofree char *found_text = create_statement_comparable(found->create_sql);
    *ret_difference = create_difference_new(wanted_text, found_text, target);
    *ret_missing = names_in_order(table, missing);
    return true;
}

static void
append_clause(GString *sql, const char *verb, const char *text)
{
    g_string_append(sql, sql->len > 0 ? ", " : "");
    g_string_append(sql, verb);
    g_string_append(sql, text);
}

char *
deferral_alter_statement(const struct deferral *deferral, const struct moved_table *table,
                         const struct table *found)
{
    g_autoptr(GHashTable) missing = missing_names(deferral, table, found);
    if (g_hash_table_size(missing) == 0)
        return NULL;
    g_autoptr(create_keys) wanted = create_keys_of(table->source->create_sql);
    g_autoptr(create_keys) there = create_keys_of(found->create_sql);
    g_autoptr(GHashTable) there_names = key_names(there);
    g_autoptr(GString) clauses = g_string_new(NULL);
    for (guint i = 0; i < wanted->keys->len; i++) {
        const struct create_key *key = g_ptr_array_index(wanted->keys, i);
        bool is_missing = g_hash_table_contains(missing, key->name);
        /* Unique ones come before all others by themselves, and FULLTEXT behind them. */
        bool moves = clauses->len > 0 && g_hash_table_contains(there_names, key->name) &&
                     !key->has_expression &&
                     (key->kind == CREATE_KEY_PLAIN || key->kind == CREATE_KEY_SPATIAL);
        if (moves) {
            append_clause(clauses, "DROP KEY ", "");
            quote_identifier(clauses, key->name);
        }
        if (moves || is_missing)
            append_clause(clauses, "ADD ", key->definition);
    }
    g_autofree char *target = quoted_table(table->to_schema, table->to_table);
    return g_strdup_printf("ALTER TABLE %s %s, ALGORITHM=INPLACE, LOCK=NONE", target, clauses->str);
}

bool
deferral_look(const struct deferral *deferral, const struct moved_table *table,
              const struct table *found, struct deferral_state *ret_state, GError **error)
{
    g_autoptr(create_difference) difference = NULL;
    *ret_state = (struct deferral_state){0};
    if (!deferral_compare(deferral, table, found, &ret_state->missing, &difference, error))
        return false;
    if (ret_state->missing != NULL)
        ret_state->alter = deferral_alter_statement(deferral, table, found);
    if (difference != NULL)
        ret_state->difference = g_strdup(difference->lines);
    return true;
}

void
deferral_state_clear(struct deferral_state *state)
{
    g_clear_pointer(&state->missing, g_free);
    g_clear_pointer(&state->alter, g_free);
    g_clear_pointer(&state->difference, g_free);
}
