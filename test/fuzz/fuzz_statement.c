/*
 * Statements of QUERY events: [1 flags: 1 ANSI_QUOTES, 2 NO_BACKSLASH_ESCAPES,
 * 4 fold case, 8 another default database][1 character set][statement].
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "binlog/moved_names.h"
#include "binlog/sql_lexer.h"
#include "binlog/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Made once: `shop`.`orders`. */
static const struct moved_names *
moved_names_made(bool fold_case)
{
    static struct table table;
    static struct moved_table moved;
    static GPtrArray *tables;
    static struct moved_names *names[2];
    if (tables == NULL) {
        table.schema = g_strdup("shop");
        table.name = g_strdup("orders");
        moved.source = &table;
        tables = g_ptr_array_new();
        g_ptr_array_add(tables, &moved);
        names[0] = moved_names_new(tables, false);
        names[1] = moved_names_new(tables, true);
    }
    return names[fold_case ? 1 : 0];
}

/* Every token lies within the statement, and the lexer gets to the end. */
static void
check_tokens(const struct event_query *query, enum sql_reading reading)
{
    struct sql_lexer lexer = sql_lexer_of(query, reading);
    for (size_t tokens = 0;; tokens++) {
        struct token token = sql_lexer_next(&lexer);
        if (token.text < query->sql || token.text + token.length > query->sql + query->sql_length)
            abort();
        if (token.kind == TOKEN_END)
            return;
        if (tokens > query->sql_length)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    /* A copy without a NUL behind it, so that reading on is seen. */
    size_t length = size - 2;
    char *sql = malloc(length + 1);
    char *exact = sql + 1;
    memcpy(exact, data + 2, length);
    const char *schema = (data[0] & 8) != 0 ? "other" : "shop";
    struct event_query query = {
        .schema = schema,
        .schema_length = strlen(schema),
        .sql = exact,
        .sql_length = length,
        .sql_mode = ((data[0] & 1) != 0 ? SQL_MODE_ANSI_QUOTES : 0) |
                    ((data[0] & 2) != 0 ? SQL_MODE_NO_BACKSLASH_ESCAPES : 0),
        .charset = data[1],
    };
    for (int reading = 0; reading < READINGS; reading++)
        check_tokens(&query, (enum sql_reading)reading);
    const char *name = NULL;
    size_t name_length = 0;
    if (statement_kind_of(&query, &name, &name_length) != STATEMENT_OTHER &&
        name + name_length != exact + length)
        abort();
    int table = MOVED_NONE;
    enum statement_effect effect = statement_effect_of(&query, moved_names_made((data[0] & 4) != 0),
                                                       &table);
    if ((effect != EFFECT_NONE) != (table == 0))
        abort();
    statement_is_own_rename(&query, "/* t */");
    free(sql);
    return 0;
}
