#include "binlog/statement.h"

#include <string.h>

#include "binlog/sql_lexer.h"

/* One statement under examination. */
struct scan {
    struct sql_lexer lexer;
    const struct event_query *query;
    const struct moved_names *names;
    bool utf8;
    int table; /* the moved table that was found, or MOVED_NONE */
};

/* An identifier without its quoting; longer ones than any name are cut. */
struct identifier {
    char bytes[300];
    size_t length;
};

/* --- which part of a transaction ------------------------------------------------------------ */

static bool
starts_with(const struct event_query *query, const char *prefix)
{
    size_t length = strlen(prefix);
    return query->sql_length >= length && memcmp(query->sql, prefix, length) == 0;
}

enum statement_kind
statement_kind_of(const struct event_query *query, const char **ret_name, size_t *ret_length)
{
    /* The server writes these itself, always in the same way. */
    static const struct {
        const char *text;
        enum statement_kind kind;
        bool whole;
    } frames[] = {
        {"BEGIN", STATEMENT_BEGIN, true},
        {"COMMIT", STATEMENT_COMMIT, true},
        {"SAVEPOINT ", STATEMENT_SAVEPOINT, false},
        {"ROLLBACK TO ", STATEMENT_ROLLBACK_TO, false},
        {"ROLLBACK", STATEMENT_ROLLBACK, true},
        {"XA START ", STATEMENT_XA_START, false},
        {"XA END ", STATEMENT_XA_END, false},
        {"XA COMMIT ", STATEMENT_XA_COMMIT, false},
        {"XA ROLLBACK ", STATEMENT_XA_ROLLBACK, false},
    };
    *ret_name = query->sql;
    *ret_length = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
        if (!starts_with(query, frames[i].text))
            continue;
        size_t length = strlen(frames[i].text);
        if (frames[i].whole && query->sql_length != length)
            continue;
        *ret_name = query->sql + length;
        *ret_length = query->sql_length - length;
        return frames[i].kind;
    }
    return STATEMENT_OTHER;
}

/* --- names ------------------------------------------------------------------------------------ */

static struct identifier
identifier_of(const struct token *token)
{
    struct identifier identifier = {.length = 0};
    for (size_t i = 0; i < token->length && identifier.length < sizeof identifier.bytes; i++) {
        identifier.bytes[identifier.length++] = token->text[i];
        if (token->kind == TOKEN_QUOTED && token->text[i] == token->quote)
            i++; /* a doubled quote */
    }
    return identifier;
}

static bool
is_identifier(const struct token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
}

static int
find(const struct scan *scan, const struct identifier *schema, const struct identifier *table)
{
    struct table_name name = {
        .schema = schema != NULL ? schema->bytes : scan->query->schema,
        .schema_length = schema != NULL ? schema->length : scan->query->schema_length,
        .table = table->bytes,
        .table_length = table->length,
    };
    return moved_names_find_in_statement(scan->names, name, scan->utf8);
}

static bool
accept_symbol(struct scan *scan, char symbol)
{
    struct token token = sql_lexer_peek(&scan->lexer);
    if (!token_is_symbol(&token, symbol))
        return false;
    sql_lexer_next(&scan->lexer);
    return true;
}

/* `[schema.]table` whose first identifier was taken already. True when it is a moved table. */
static bool
name_goes_on(struct scan *scan, const struct token *first)
{
    struct identifier one = identifier_of(first);
    int table = MOVED_NONE;
    if (accept_symbol(scan, '.')) {
        struct token second = sql_lexer_next(&scan->lexer);
        if (!is_identifier(&second))
            return false;
        struct identifier two = identifier_of(&second);
        table = find(scan, &one, &two);
    } else {
        table = find(scan, NULL, &one);
    }
    if (table == MOVED_NONE)
        return false;
    scan->table = table;
    return true;
}

/* A table's name. True when it is a moved table's. */
static bool
take_name(struct scan *scan)
{
    accept_symbol(scan, '.'); /* ODBC's `.table` */
    struct token first = sql_lexer_next(&scan->lexer);
    return is_identifier(&first) && name_goes_on(scan, &first);
}

static bool
accept(struct scan *scan, const char *keyword)
{
    return sql_lexer_accept(&scan->lexer, keyword);
}

static void
accept_if_exists(struct scan *scan)
{
    if (accept(scan, "IF"))
        accept(scan, "EXISTS");
}

/* Takes everything up to this keyword. False when there is none. */
static bool
skip_to(struct scan *scan, const char *keyword)
{
    for (;;) {
        struct token token = sql_lexer_next(&scan->lexer);
        if (token.kind == TOKEN_END)
            return false;
        if (token_is(&token, keyword))
            return true;
    }
}

static bool
names_after(struct scan *scan, const char *keyword)
{
    return skip_to(scan, keyword) && take_name(scan);
}

/* --- DDL ---------------------------------------------------------------------------------------- */

static bool
finds_schema(struct scan *scan, const char *schema, size_t length)
{
    int table = moved_names_find_schema(scan->names, schema, length, scan->utf8);
    if (table == MOVED_NONE)
        return false;
    scan->table = table;
    return true;
}

static bool
database_is_moved(struct scan *scan)
{
    accept_if_exists(scan);
    struct token token = sql_lexer_next(&scan->lexer);
    struct identifier schema = identifier_of(&token);
    return is_identifier(&token) && finds_schema(scan, schema.bytes, schema.length);
}

/* ALTER DATABASE may leave the name out; `ALTER DATABASE CHARACTER SET …`. */
static bool
alter_database(struct scan *scan)
{
    static const char *const options[] = {"DEFAULT", "CHARACTER",  "CHARSET",
                                          "COLLATE", "ENCRYPTION", "READ"};
    struct token token = sql_lexer_peek(&scan->lexer);
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (token_is(&token, options[i]) &&
            finds_schema(scan, scan->query->schema, scan->query->schema_length))
            return true;
    return database_is_moved(scan);
}

/* `RENAME [TO|AS|=] name` among an ALTER TABLE's actions; not RENAME COLUMN, INDEX, KEY. */
static bool
renames_to_moved(struct scan *scan)
{
    if (accept(scan, "COLUMN") || accept(scan, "INDEX") || accept(scan, "KEY"))
        return false;
    if (!accept(scan, "TO") && !accept(scan, "AS"))
        accept_symbol(scan, '=');
    return take_name(scan);
}

static bool
alter_table(struct scan *scan)
{
    accept_if_exists(scan);
    if (take_name(scan))
        return true;
    for (;;) {
        struct token token = sql_lexer_next(&scan->lexer);
        if (token.kind == TOKEN_END)
            return false;
        if (token_is(&token, "RENAME") && renames_to_moved(scan))
            return true;
        /* EXCHANGE PARTITION p WITH TABLE name */
        if (token_is(&token, "WITH") && accept(scan, "TABLE") && take_name(scan))
            return true;
    }
}

static bool
ddl_alter(struct scan *scan)
{
    struct token token = sql_lexer_next(&scan->lexer);
    if (token_is(&token, "TABLE"))
        return alter_table(scan);
    if (token_is(&token, "DATABASE") || token_is(&token, "SCHEMA"))
        return alter_database(scan);
    return false;
}

/* DEFINER = user[@host] */
static void
skip_definer(struct scan *scan)
{
    accept_symbol(scan, '=');
    sql_lexer_next(&scan->lexer);
    if (accept_symbol(scan, '@'))
        sql_lexer_next(&scan->lexer);
}

static bool
ddl_create(struct scan *scan)
{
    for (;;) {
        struct token token = sql_lexer_next(&scan->lexer);
        if (token_is(&token, "TABLE"))
            return !accept(scan, "IF") && take_name(scan);
        if (token_is(&token, "INDEX") || token_is(&token, "TRIGGER"))
            return names_after(scan, "ON");
        if (token_is(&token, "DEFINER"))
            skip_definer(scan);
        else if (!token_is(&token, "UNIQUE") && !token_is(&token, "FULLTEXT") &&
                 !token_is(&token, "SPATIAL") && token.kind != TOKEN_SYMBOL)
            return false; /* TEMPORARY among them */
    }
}

/* A list of names, with commas. */
static bool
list_has_moved(struct scan *scan)
{
    do {
        if (take_name(scan))
            return true;
    } while (accept_symbol(scan, ','));
    return false;
}

static bool
ddl_drop(struct scan *scan)
{
    struct token token = sql_lexer_next(&scan->lexer);
    if (token_is(&token, "TABLE") || token_is(&token, "TABLES")) {
        accept_if_exists(scan);
        return list_has_moved(scan);
    }
    if (token_is(&token, "INDEX"))
        return names_after(scan, "ON");
    if (token_is(&token, "DATABASE") || token_is(&token, "SCHEMA"))
        return database_is_moved(scan);
    return false;
}

static bool
ddl_rename(struct scan *scan)
{
    if (!accept(scan, "TABLE") && !accept(scan, "TABLES"))
        return false;
    do {
        if (take_name(scan) || (accept(scan, "TO") && take_name(scan)))
            return true;
    } while (accept_symbol(scan, ','));
    return false;
}

static bool
ddl_truncate(struct scan *scan)
{
    accept(scan, "TABLE");
    return take_name(scan);
}

/* --- rows, told as statements --------------------------------------------------------------------- */

static bool
change_insert(struct scan *scan)
{
    while (accept(scan, "LOW_PRIORITY") || accept(scan, "HIGH_PRIORITY") ||
           accept(scan, "DELAYED") || accept(scan, "IGNORE") || accept(scan, "INTO"))
        ;
    return take_name(scan);
}

/* Any mention before this keyword (NULL: anywhere): with several tables, joins and
 * aliases it is not told apart which of them is changed. */
static bool
mentions_before(struct scan *scan, const char *keyword)
{
    for (;;) {
        struct token token = sql_lexer_next(&scan->lexer);
        if (token.kind == TOKEN_END || (keyword != NULL && token_is(&token, keyword)))
            return false;
        if (is_identifier(&token) && name_goes_on(scan, &token))
            return true;
    }
}

static bool
change_update(struct scan *scan)
{
    return mentions_before(scan, "SET");
}

static bool
change_delete(struct scan *scan)
{
    return mentions_before(scan, "WHERE");
}

static bool
change_with(struct scan *scan)
{
    return mentions_before(scan, NULL);
}

static bool
change_load(struct scan *scan)
{
    return skip_to(scan, "INTO") && names_after(scan, "TABLE");
}

/* Is one of the databases that were changed a moved table's? An empty name is any of them. */
static bool
changes_moved_database(struct scan *scan)
{
    if (!scan->query->databases_told)
        return finds_schema(scan, scan->query->schema, scan->query->schema_length);
    struct cursor databases = scan->query->databases;
    while (cursor_left(&databases) > 0) {
        const char *name = (const char *)databases.position;
        size_t length = strnlen(name, cursor_left(&databases));
        if (length == 0) {
            scan->table = 0;
            return true;
        }
        if (finds_schema(scan, name, length))
            return true;
        cursor_bytes(&databases, MIN(length + 1, cursor_left(&databases)));
    }
    return false;
}

/*
 * INSERT or REPLACE into a table of another database, from a table of a moved table's: the databases
 * that are read are told as well, so this alone says nothing. Tools that compare replicas do it.
 */
static bool
only_reads(struct scan *scan)
{
    scan->lexer = sql_lexer_of(scan->query, READING_AS_TOLD);
    struct token token = sql_lexer_next(&scan->lexer);
    if (!token_is(&token, "INSERT") && !token_is(&token, "REPLACE"))
        return false;
    bool into = true;
    for (;;) {
        token = sql_lexer_next(&scan->lexer);
        if (token.kind == TOKEN_END)
            return false;
        if (!is_identifier(&token) || !accept_symbol(scan, '.'))
            continue;
        struct identifier schema = identifier_of(&token);
        bool moved = finds_schema(scan, schema.bytes, schema.length);
        if (into && moved)
            return false;
        struct token name = sql_lexer_next(&scan->lexer);
        struct token next = sql_lexer_peek(&scan->lexer);
        if (moved && is_identifier(&name) && !token_is_symbol(&next, '('))
            return true;
        into = false;
    }
}

/* --- the whole ------------------------------------------------------------------------------------- */

static enum statement_effect
effect_in(struct scan *scan)
{
    static const struct {
        const char *keyword;
        bool (*concerns)(struct scan *scan);
        enum statement_effect effect;
    } statements[] = {
        {"ALTER", ddl_alter, EFFECT_DDL},
        {"CREATE", ddl_create, EFFECT_DDL},
        {"DROP", ddl_drop, EFFECT_DDL},
        {"RENAME", ddl_rename, EFFECT_DDL},
        {"TRUNCATE", ddl_truncate, EFFECT_DDL},
        {"INSERT", change_insert, EFFECT_CHANGE},
        {"REPLACE", change_insert, EFFECT_CHANGE},
        {"UPDATE", change_update, EFFECT_CHANGE},
        {"DELETE", change_delete, EFFECT_CHANGE},
        {"WITH", change_with, EFFECT_CHANGE},
        {"LOAD", change_load, EFFECT_CHANGE},
        {"SELECT", changes_moved_database, EFFECT_UNSURE},
        {"DO", changes_moved_database, EFFECT_UNSURE},
    };
    struct token first = sql_lexer_next(&scan->lexer);
    for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
        if (!token_is(&first, statements[i].keyword))
            continue;
        if (statements[i].concerns(scan))
            return statements[i].effect;
        /* Another table's rows, or a view's; its triggers and functions may have changed more. */
        if (statements[i].effect != EFFECT_CHANGE || only_reads(scan) ||
            !changes_moved_database(scan))
            return EFFECT_NONE;
        return EFFECT_BESIDE;
    }
    return EFFECT_NONE;
}

enum statement_effect
statement_effect_of(const struct event_query *query, const struct moved_names *names,
                    int *ret_table)
{
    bool utf8 = charset_is_utf8(query->charset);
    int readings = utf8 ? 1 : READINGS;
    for (int reading = 0; reading < readings; reading++) {
        struct scan scan = {
            .lexer = sql_lexer_of(query, (enum sql_reading)reading),
            .query = query,
            .names = names,
            .utf8 = utf8,
            .table = MOVED_NONE,
        };
        enum statement_effect effect = effect_in(&scan);
        if (effect == EFFECT_NONE)
            continue;
        *ret_table = scan.table;
        return effect;
    }
    return EFFECT_NONE;
}

bool
statement_is_own_rename(const struct event_query *query, const char *token)
{
    struct sql_lexer lexer = sql_lexer_of(query, READING_AS_TOLD);
    return sql_lexer_accept(&lexer, "RENAME") && sql_lexer_accept(&lexer, "TABLE") &&
           memmem(query->sql, query->sql_length, token, strlen(token)) != NULL;
}
