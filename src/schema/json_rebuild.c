#include "schema/json_rebuild.h"

#include <string.h>
#include <libdeflate.h>

#include "base/error.h"
#include "mysql/quote.h"
#include "schema/json_expression.h"
#include "schema/json_text.h"

/*
 * `$**[0]` finds every value that is no array, and the first of every array:
 * a value stands for its own first element where it is no array. The order is
 * the document's, each once. So a value has a number if it is no array or the
 * first of one: see is_numbered(). (The greatest INTEGER is read from text as
 * an UNSIGNED INTEGER.)
 */
void
json_marks_select_append(GString *sql, const struct column *column)
{
    g_string_append(sql, "(SELECT JSON_ARRAYAGG(CONCAT(n,' ',JSON_TYPE(v),' ',CRC32(v))) "
                         "FROM JSON_TABLE(");
    quote_identifier(sql, column->name);
    g_string_append(sql, ",'$**[0]' COLUMNS(n FOR ORDINALITY,v JSON PATH '$')) AS marked "
                         "WHERE IF(JSON_TYPE(v)='INTEGER',v=9223372036854775807,JSON_TYPE(v) NOT "
                         "IN ('OBJECT','ARRAY','STRING','DOUBLE','BOOLEAN','NULL')))");
}

static bool
is_numbered(const struct json_token *token)
{
    switch (token->kind) {
    case JSON_TOKEN_ARRAY_BEGIN:
        return token->first && token->in_array;
    case JSON_TOKEN_OBJECT_BEGIN:
    case JSON_TOKEN_STRING:
    case JSON_TOKEN_INTEGER:
    case JSON_TOKEN_DOUBLE:
    case JSON_TOKEN_LITERAL:
        return true;
    case JSON_TOKEN_CONTAINER_END:
    case JSON_TOKEN_KEY:
    case JSON_TOKEN_END:
        break;
    }
    return false;
}

/* The marks, one at a time. */
struct marks {
    struct json_text text;
    uint64_t number; /* of the mark in hand; 0: there are no more */
    const char *type;
    size_t type_length;
    uint64_t crc;
};

struct rebuilding {
    GString *sql;
    GString *scratch; /* of a string without its escapes */
    struct marks marks;
    uint64_t number;
    GError **error;
};

/* Takes a decimal number, and the space after it if there is one. */
static bool
take_number(const char **position, const char *end, uint64_t *ret_number)
{
    const char *start = *position;
    uint64_t number = 0;
    while (*position < end && g_ascii_isdigit(**position) && *position - start < 19)
        number = number * 10 + (uint64_t)(*(*position)++ - '0');
    *ret_number = number;
    return *position > start;
}

/* `"7 UNSIGNED INTEGER 2270993338"` */
static bool
parse_mark(struct marks *marks, const struct json_token *token)
{
    const char *position = token->text + 1;
    const char *end = token->text + token->length - 1;
    uint64_t before = marks->number;
    if (!take_number(&position, end, &marks->number) || marks->number <= before ||
        position == end || *position++ != ' ')
        return false;
    const char *space = memrchr(position, ' ', (size_t)(end - position));
    if (space == NULL)
        return false;
    marks->type = position;
    marks->type_length = (size_t)(space - position);
    position = space + 1;
    return take_number(&position, end, &marks->crc) && position == end;
}

/* The next mark. They must come in the document's order. */
static bool
next_mark(struct marks *marks)
{
    struct json_token token;
    if (!json_text_next(&marks->text, &token))
        return false;
    if (token.kind == JSON_TOKEN_STRING)
        return parse_mark(marks, &token);
    marks->number = 0;
    return token.kind == JSON_TOKEN_CONTAINER_END;
}

static bool
begin_marks(struct marks *marks, struct column_text text)
{
    struct json_token token;
    json_text_init(&marks->text, text.data, text.length);
    marks->number = 0;
    return json_text_next(&marks->text, &token) && token.kind == JSON_TOKEN_ARRAY_BEGIN &&
           next_mark(marks);
}

static bool
does_not_fit(GError **error)
{
    g_set_error_literal(error, MT_ERROR, MT_ERROR_DATA,
                        "the server's JSON_TABLE() lists the scalars of a JSON document in another "
                        "order than its text has them, or not all: max_allowed_packet of the "
                        "source cuts the list off, raise it there; with 1 GiB this would be a "
                        "defect, please report it with the server's version");
    return false;
}

static bool
mark_has_type(const struct marks *marks, const char *name)
{
    return strlen(name) == marks->type_length && memcmp(name, marks->type, marks->type_length) == 0;
}

static bool
refuse(const struct rebuilding *rebuilding)
{
    g_set_error(rebuilding->error, MT_ERROR, MT_ERROR_DATA,
                "the JSON document holds a scalar of type %.*s that no SQL expression makes: it "
                "would arrive as a JSON string; store it as one on the source",
                (int)rebuilding->marks.type_length, rebuilding->marks.type);
    return false;
}

/* `base64:type15:AP8=`, with a newline after every 76 digits. */
static bool
append_bytes(struct rebuilding *rebuilding, const struct json_token *token)
{
    static const char prefix[] = "base64:type";
    GString *scratch = rebuilding->scratch;
    g_string_truncate(scratch, 0);
    json_token_string_append(scratch, token);
    const char *position = scratch->str + sizeof prefix - 1;
    const char *end = scratch->str + scratch->len;
    uint64_t column_type;
    if (!g_str_has_prefix(scratch->str, prefix) || !take_number(&position, end, &column_type) ||
        column_type > UINT8_MAX || *position != ':')
        return refuse(rebuilding);
    g_autofree guchar *bytes = NULL;
    gsize length = 0;
    if (position[1] != '\0')
        bytes = g_base64_decode(position + 1, &length);
    return json_expression_bytes_append(rebuilding->sql, (unsigned)column_type, bytes, length) ||
           refuse(rebuilding);
}

/* It goes into a literal as it is. */
static bool
is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isdigit(text[i]) && strchr("-:. ", text[i]) == NULL)
            return false;
    return true;
}

/* The scalar that the mark in hand is about. */
static bool
append_marked(struct rebuilding *rebuilding, const struct json_token *token)
{
    static const struct {
        const char *name;
        enum json_scalar scalar;
        bool quoted; /* in JSON text */
    } types[] = {
        {"INTEGER", JSON_SCALAR_INTEGER, false},
        {"DECIMAL", JSON_SCALAR_DECIMAL, false},
        {"UNSIGNED INTEGER", JSON_SCALAR_UNSIGNED, false},
        {"DATETIME", JSON_SCALAR_DATETIME, true},
        {"TIMESTAMP", JSON_SCALAR_TIMESTAMP, true},
        {"DATE", JSON_SCALAR_DATE, true},
        {"TIME", JSON_SCALAR_TIME, true},
    };
    const struct marks *marks = &rebuilding->marks;
    bool is_string = token->kind == JSON_TOKEN_STRING;
    if ((!is_string && token->kind != JSON_TOKEN_INTEGER && token->kind != JSON_TOKEN_DOUBLE) ||
        libdeflate_crc32(0, token->text, token->length) != marks->crc)
        return does_not_fit(rebuilding->error);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (!mark_has_type(marks, types[i].name))
            continue;
        const char *text = token->text + is_string;
        size_t length = token->length - 2 * (size_t)is_string;
        if (is_string != types[i].quoted || !is_plain(text, length))
            return does_not_fit(rebuilding->error);
        json_expression_scalar_append(rebuilding->sql, types[i].scalar, text, length);
        return true;
    }
    return is_string ? append_bytes(rebuilding, token) : refuse(rebuilding);
}

static void
append_string(struct rebuilding *rebuilding, const struct json_token *token)
{
    if (memchr(token->text, '\\', token->length) == NULL) {
        json_expression_string_append(rebuilding->sql, token->text + 1, token->length - 2);
        return;
    }
    g_string_truncate(rebuilding->scratch, 0);
    json_token_string_append(rebuilding->scratch, token);
    json_expression_string_append(rebuilding->sql, rebuilding->scratch->str,
                                  rebuilding->scratch->len);
}

/* What JSON text tells exactly. */
static void
append_plain(struct rebuilding *rebuilding, const struct json_token *token)
{
    GString *sql = rebuilding->sql;
    switch (token->kind) {
    case JSON_TOKEN_OBJECT_BEGIN:
        json_expression_object_begin(sql);
        return;
    case JSON_TOKEN_ARRAY_BEGIN:
        json_expression_array_begin(sql);
        return;
    case JSON_TOKEN_CONTAINER_END:
        json_expression_end(sql);
        return;
    case JSON_TOKEN_KEY:
        append_string(rebuilding, token);
        g_string_append_c(sql, ',');
        return;
    case JSON_TOKEN_STRING:
        append_string(rebuilding, token);
        return;
    case JSON_TOKEN_DOUBLE:
        json_expression_double_append(sql, token->text, token->length);
        return;
    case JSON_TOKEN_INTEGER:
    case JSON_TOKEN_LITERAL:
        g_string_append_len(sql, token->text, (gssize)token->length);
        return;
    case JSON_TOKEN_END:
        return;
    }
}

static bool
append_token(struct rebuilding *rebuilding, const struct json_token *token, bool comma)
{
    if (comma)
        g_string_append_c(rebuilding->sql, ',');
    if (is_numbered(token) && ++rebuilding->number == rebuilding->marks.number)
        return append_marked(rebuilding, token) &&
               (next_mark(&rebuilding->marks) || does_not_fit(rebuilding->error));
    append_plain(rebuilding, token);
    return true;
}

static bool
append_document(struct rebuilding *rebuilding, struct column_text document)
{
    struct json_text parser;
    struct json_token token;
    bool is_scalar = document.length > 0 && *document.data != '{' && *document.data != '[';
    json_text_init(&parser, document.data, document.length);
    if (is_scalar)
        json_expression_scalar_begin(rebuilding->sql);
    do {
        bool after_value = parser.state == JSON_TEXT_AFTER;
        if (!json_text_next(&parser, &token)) {
            g_set_error_literal(rebuilding->error, MT_ERROR, MT_ERROR_DATA,
                                "the text of a JSON document is malformed");
            return false;
        }
        bool comma = after_value && token.kind != JSON_TOKEN_CONTAINER_END &&
                     token.kind != JSON_TOKEN_END;
        if (!append_token(rebuilding, &token, comma))
            return false;
    } while (token.kind != JSON_TOKEN_END);
    if (is_scalar)
        json_expression_scalar_end(rebuilding->sql);
    return rebuilding->marks.number == 0 || does_not_fit(rebuilding->error);
}

bool
json_rebuild_append(GString *sql, struct column_text document, struct column_text marks,
                    GError **error)
{
    g_autoptr(GString) scratch = g_string_new(NULL);
    struct rebuilding rebuilding = {.sql = sql, .scratch = scratch, .error = error};
    if (document.data == NULL || !begin_marks(&rebuilding.marks, marks))
        return does_not_fit(error);
    return append_document(&rebuilding, document);
}
