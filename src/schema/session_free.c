#include "schema/session_free.h"

#include <string.h>

#include "schema/session_free_int.h"

/*
 * Words that give the same in every session. Not here, among others: DATE() and its like (zero and
 * invalid dates), DATE_FORMAT() (lc_time_names), WEEK() (default_week_format), LIKE (its escape), AES_ENCRYPT()
 * (block_encryption_mode).
 */
static const char *const words[] = {
    "abs",
    "and",
    "array",
    "as",
    "ascii",
    "between",
    "binary",
    "bit_count",
    "bit_length",
    "case",
    "cast",
    "ceiling",
    "char",
    "char_length",
    "character_length",
    "charset",
    "coalesce",
    "concat",
    "concat_ws",
    "crc32",
    "decimal",
    "div",
    "else",
    "end",
    "false",
    "floor",
    "greatest",
    "hex",
    "if",
    "ifnull",
    "in",
    "instr",
    "is",
    "isnull",
    "json",
    "json_array",
    "json_extract",
    "json_keys",
    "json_length",
    "json_object",
    "json_type",
    "json_unquote",
    "json_valid",
    "lcase",
    "least",
    "left",
    "length",
    "locate",
    "lower",
    "lpad",
    "ltrim",
    "md5",
    "mod",
    "not",
    "null",
    "nullif",
    "octet_length",
    "or",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "sha",
    "sha1",
    "sha2",
    "sign",
    "signed",
    "substr",
    "substring",
    "substring_index",
    "then",
    "trim",
    "true",
    "ucase",
    "unhex",
    "unsigned",
    "upper",
    "when",
    "xor",
};

/* PAD_CHAR_TO_FULL_LENGTH pads CHAR; how dates are taken and fractions are cut depends as well. */
static bool
type_is_session_free(enum column_type type)
{
    switch (type) {
    case COLUMN_CHAR:
    case COLUMN_DATE:
    case COLUMN_TIME:
    case COLUMN_DATETIME:
    case COLUMN_TIMESTAMP:
    case COLUMN_YEAR:
    case COLUMN_GEOMETRY:
    case COLUMN_VECTOR:
    case COLUMN_UNSUPPORTED:
        return false;
    case COLUMN_TINYINT:
    case COLUMN_SMALLINT:
    case COLUMN_MEDIUMINT:
    case COLUMN_INT:
    case COLUMN_BIGINT:
    case COLUMN_DECIMAL:
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
    case COLUMN_BIT:
    case COLUMN_VARCHAR:
    case COLUMN_BINARY:
    case COLUMN_VARBINARY:
    case COLUMN_TEXT:
    case COLUMN_BLOB:
    case COLUMN_ENUM:
    case COLUMN_SET:
    case COLUMN_JSON:
        break;
    }
    return true;
}

/* How a name stands in GENERATION_EXPRESSION: each byte beyond ASCII as if it were a character. */
static char *
name_as_printed(const char *name)
{
    GString *text = g_string_new(NULL);
    for (const char *c = name; *c != '\0'; c++)
        g_string_append_unichar(text, (unsigned char)*c);
    return g_string_free(text, FALSE);
}

/* Whether a value is NULL is the same everywhere, unless it is computed. */
static bool
only_null_matters(const struct create_scan *scan)
{
    struct create_scan ahead = *scan;
    struct create_token word = create_scan_next(&ahead);
    if (!create_token_is_word(&word, "is"))
        return false;
    word = create_scan_next(&ahead);
    if (create_token_is_word(&word, "not"))
        word = create_scan_next(&ahead);
    return create_token_is_word(&word, "null");
}

static bool
name_is_session_free(const struct create_scan *behind, const struct create_token *token,
                     const GPtrArray *columns)
{
    g_autofree char *name = create_token_name(token);
    for (unsigned i = 0; i < columns->len; i++) {
        const struct column *column = g_ptr_array_index(columns, i);
        g_autofree char *printed = name_as_printed(column->name);
        if (g_ascii_strcasecmp(column->name, name) != 0 && g_ascii_strcasecmp(printed, name) != 0)
            continue;
        if (column->generated && !column->session_free)
            return false;
        return type_is_session_free(column->type) || only_null_matters(behind);
    }
    return false;
}

static bool
word_is_session_free(const struct create_token *token)
{
    if (g_ascii_isdigit(token->start[0]) || token->start[0] == '_')
        return true; /* a number, or the character set before a literal */
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (create_token_is_word(token, words[i]))
            return true;
    return false;
}

bool
create_token_is_session_free(struct create_scan *scan, const struct create_token *token,
                             const GPtrArray *columns)
{
    switch (token->kind) {
    case CREATE_TOKEN_NAME:
        return name_is_session_free(scan, token, columns);
    case CREATE_TOKEN_WORD:
        /* A character set's name: `charset latin1`. */
        if (create_token_is_word(token, "charset"))
            return create_scan_next(scan).kind == CREATE_TOKEN_WORD;
        return word_is_session_free(token);
    case CREATE_TOKEN_SIGN:
        return strchr("(),+-*%<>=!.", token->start[0]) != NULL;
    case CREATE_TOKEN_STRING:
    case CREATE_TOKEN_END:
        break;
    }
    return true;
}

/* Quotes and backslashes are escaped there, in names as well. */
static GString *
without_escapes(const char *expression)
{
    GString *text = g_string_new(NULL);
    for (const char *c = expression; *c != '\0'; c++) {
        if (*c == '\\' && c[1] != '\0')
            c++;
        g_string_append_c(text, *c);
    }
    return text;
}

bool
expression_is_session_free(const char *expression, const struct column *column,
                           const GPtrArray *columns)
{
    if (!type_is_session_free(column->type) && column->type != COLUMN_CHAR)
        return false;
    g_autoptr(GString) text = without_escapes(expression);
    struct create_scan scan = create_scan_of(text->str);
    for (;;) {
        const char *rest = scan.position;
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END) /* or a quote that does not end */
            return rest[strspn(rest, " ")] == '\0';
        if (!create_token_is_session_free(&scan, &token, columns))
            return false;
    }
}
