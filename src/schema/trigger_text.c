#include "schema/trigger_text_int.h"

#include <string.h>

#include "binlog/event.h"
#include "binlog/sql_lexer.h"
#include "mysql/quote.h"
#include "schema/create_scan_int.h"

void
trigger_free(struct trigger *trigger)
{
    if (trigger == NULL)
        return;
    g_free(trigger->name);
    g_free(trigger->timing);
    g_free(trigger->event);
    g_free(trigger->definer_user);
    g_free(trigger->definer_host);
    g_free(trigger->sql_mode);
    g_free(trigger->client_charset);
    g_free(trigger->connection_collation);
    g_free(trigger->database_collation);
    g_free(trigger->body);
    g_free(trigger);
}

/* --- the statement ---------------------------------------------------------------------- */

/*
 * The head as the server writes it; what is quoted is one token, so nothing in a name is taken for
 * syntax. 'W': that word, 'n': a quoted name, anything else: that sign; a dot: any word.
 *
 *   CREATE DEFINER=`user`@`host` TRIGGER `name` BEFORE INSERT ON `table` FOR EACH ROW body
 */
static const char *const head_shape[] = {
    "CREATE", "DEFINER", "=",  "`", "@",   "`",    "TRIGGER", "`",
    ".",      ".",       "ON", "`", "FOR", "EACH", "ROW",
};
enum { HEAD_USER = 3, HEAD_HOST = 5 };

static bool
has_shape(const struct create_token *token, const char *shape)
{
    switch (*shape) {
    case '`':
        return token->kind == CREATE_TOKEN_NAME;
    case '.':
        return token->kind == CREATE_TOKEN_WORD;
    case '=':
    case '@':
        return create_token_is_sign(token, *shape);
    default:
        return create_token_is_word(token, shape);
    }
}

bool
trigger_take_statement(struct trigger *trigger, const char *sql, size_t length)
{
    g_autofree char *user = NULL;
    g_autofree char *host = NULL;
    struct create_scan scan = create_scan_of(sql);
    struct create_token token = {0};
    for (size_t i = 0; i < G_N_ELEMENTS(head_shape); i++) {
        token = create_scan_next(&scan);
        if (!has_shape(&token, head_shape[i]))
            return false;
        if (i == HEAD_USER)
            user = create_token_name(&token);
        else if (i == HEAD_HOST)
            host = create_token_name(&token);
    }
    const char *body = token.start + token.length;
    if (*body != ' ' || strlen(sql) != length)
        return false;
    g_free(trigger->definer_user);
    g_free(trigger->definer_host);
    g_free(trigger->body);
    trigger->definer_user = g_steal_pointer(&user);
    trigger->definer_host = g_steal_pointer(&host);
    trigger->body = g_strdup(body + 1);
    return true;
}

char *
trigger_definer(const struct trigger *trigger)
{
    GString *text = g_string_new(NULL);
    quote_identifier(text, trigger->definer_user);
    g_string_append_c(text, '@');
    quote_identifier(text, trigger->definer_host);
    return g_string_free(text, FALSE);
}

char *
trigger_head(const struct trigger *trigger, const struct moved_table *moved,
             const struct trigger_neighbour *beside)
{
    GString *sql = g_string_new("CREATE DEFINER=");
    g_autofree char *definer = trigger_definer(trigger);
    g_string_append(sql, definer);
    g_string_append(sql, " TRIGGER ");
    quote_table(sql, moved->to_schema, trigger->name);
    g_string_append_printf(sql, " %s %s ON ", trigger->timing, trigger->event);
    quote_table(sql, moved->to_schema, moved->to_table);
    g_string_append(sql, " FOR EACH ROW ");
    if (beside != NULL) {
        g_string_append(sql, beside->follows ? "FOLLOWS " : "PRECEDES ");
        quote_identifier(sql, beside->name);
        g_string_append_c(sql, ' ');
    }
    return g_string_free(sql, FALSE);
}

char *
trigger_label(const struct trigger *trigger, const struct moved_table *moved)
{
    GString *text = g_string_new("trigger ");
    quote_identifier(text, trigger->name);
    g_string_append_printf(text, " of target table %s.%s", moved->to_schema, moved->to_table);
    return g_string_free(text, FALSE);
}

/* --- comparing -------------------------------------------------------------------------- */

char *
trigger_difference(const struct trigger *wanted, const struct trigger *found)
{
    g_autofree char *wanted_definer = trigger_definer(wanted);
    g_autofree char *found_definer = trigger_definer(found);
    const struct {
        const char *what;
        const char *wanted;
        const char *found;
    } parts[] = {
        {"time", wanted->timing, found->timing},
        {"event", wanted->event, found->event},
        {"definer", wanted_definer, found_definer},
        {"sql_mode", wanted->sql_mode, found->sql_mode},
        {"client character set", wanted->client_charset, found->client_charset},
        {"connection collation", wanted->connection_collation, found->connection_collation},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (!g_str_equal(parts[i].wanted, parts[i].found))
            return g_strdup_printf("its %s is %s instead of %s", parts[i].what, parts[i].found,
                                   parts[i].wanted);
    if (wanted->table != found->table)
        return g_strdup("it is on another table");
    return g_str_equal(wanted->body, found->body) ? NULL : g_strdup("its body is another");
}

const struct trigger *
trigger_next(const GPtrArray *triggers, guint place, int step)
{
    const struct trigger *from = g_ptr_array_index(triggers, place);
    if ((step < 0 && place == 0) || (step > 0 && place + 1 >= triggers->len))
        return NULL;
    const struct trigger *other = g_ptr_array_index(triggers, step < 0 ? place - 1 : place + 1);
    bool same = other->table == from->table && g_str_equal(other->event, from->event) &&
                g_str_equal(other->timing, from->timing);
    return same ? other : NULL;
}

/* --- what the body names ---------------------------------------------------------------- */

/* Those character sets that the lexer has to know, as collation numbers. */
static uint16_t
charset_number(const char *name)
{
    static const struct {
        const char *name;
        uint16_t number;
    } sets[] = {{"big5", 1}, {"sjis", 13}, {"gbk", 28}, {"cp932", 95}, {"gb18030", 248}};
    for (size_t i = 0; i < G_N_ELEMENTS(sets); i++)
        if (g_str_equal(sets[i].name, name))
            return sets[i].number;
    return 0;
}

static struct sql_lexer
lexer_of(const struct trigger *trigger)
{
    uint64_t mode = 0;
    if (strstr(trigger->sql_mode, "ANSI_QUOTES") != NULL)
        mode |= SQL_MODE_ANSI_QUOTES;
    if (strstr(trigger->sql_mode, "NO_BACKSLASH_ESCAPES") != NULL)
        mode |= SQL_MODE_NO_BACKSLASH_ESCAPES;
    const struct event_query query = {
        .sql = trigger->body,
        .sql_length = strlen(trigger->body),
        .sql_mode = mode,
        .charset = charset_number(trigger->client_charset),
    };
    return sql_lexer_of(&query, READING_AS_TOLD);
}

static bool
may_be(const struct token *token, const char *name)
{
    return (token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED) &&
           token->length == strlen(name) &&
           g_ascii_strncasecmp(token->text, name, token->length) == 0;
}

static void
note(GString *found, const char *kind, const char *name)
{
    g_autoptr(GString) text = g_string_new(kind);
    g_string_append_c(text, ' ');
    quote_identifier(text, name);
    if (strstr(found->str, text->str) == NULL)
        g_string_append_printf(found, "%s%s", found->len > 0 ? ", " : "", text->str);
}

/* A name, and what stands around it. */
struct named {
    struct token qualifier; /* kind END: none */
    struct token name;
    bool qualifies; /* a dot follows */
};

static void
compare_name(const struct named *named, const struct moved_table *own,
             const struct moved_table *moved, GString *found)
{
    bool other_schema = !g_str_equal(moved->source->schema, moved->to_schema);
    bool other_table = !g_str_equal(moved->source->name, moved->to_table);
    bool qualified = named->qualifier.kind != TOKEN_END;
    if (named->qualifies && !qualified && other_schema &&
        may_be(&named->name, moved->source->schema))
        note(found, "schema", moved->source->schema);
    if (!may_be(&named->name, moved->source->name))
        return;
    if (qualified ? other_table && may_be(&named->qualifier, moved->source->schema)
                  : g_str_equal(moved->source->schema, own->source->schema) &&
                        (other_table || !g_str_equal(moved->to_schema, own->to_schema)))
        note(found, "table", moved->source->name);
}

char *
trigger_foreign_names(const struct trigger *trigger, const GPtrArray *moved_tables)
{
    const struct moved_table *own = g_ptr_array_index(moved_tables, trigger->table);
    struct sql_lexer lexer = lexer_of(trigger);
    struct named named = {.qualifier = {.kind = TOKEN_END}};
    g_autoptr(GString) found = g_string_new(NULL);
    for (;;) {
        named.name = sql_lexer_next(&lexer);
        if (named.name.kind == TOKEN_END)
            break;
        struct token next = sql_lexer_peek(&lexer);
        named.qualifies = token_is_symbol(&next, '.');
        for (guint i = 0; i < moved_tables->len; i++)
            compare_name(&named, own, g_ptr_array_index(moved_tables, i), found);
        /* After `a.` the next name is qualified by a. */
        if (named.qualifies) {
            (void)sql_lexer_next(&lexer);
            named.qualifier = named.name;
        } else {
            named.qualifier.kind = TOKEN_END;
        }
    }
    return found->len > 0 ? g_string_free(g_steal_pointer(&found), FALSE) : NULL;
}

bool
trigger_declares(const struct trigger *trigger)
{
    struct sql_lexer lexer = lexer_of(trigger);
    for (;;) {
        struct token token = sql_lexer_next(&lexer);
        if (token.kind == TOKEN_END)
            return false;
        if (token_is(&token, "DECLARE"))
            return true;
    }
}
