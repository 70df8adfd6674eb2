#include <criterion/criterion.h>
#include <string.h>

#include "schema/column_text.h"

static struct column_text
text_of(const char *data, size_t length)
{
    return (struct column_text){.data = data, .length = length};
}

#define TEXT(literal) text_of(literal, sizeof(literal) - 1)

static struct column
column_of(enum column_type type, const char *column_type)
{
    static char name[] = "c`1";
    struct column column = {.name = name, .type = type, .precision = 10, .scale = 3};
    column.column_type = g_strdup(column_type);
    return column;
}

static void
expect_select(enum column_type type, const char *column_type, const char *expected)
{
    struct column column = column_of(type, column_type);
    g_autoptr(GString) sql = g_string_new(NULL);
    column_select_append(sql, &column);
    cr_expect_str_eq(sql->str, expected, "%s: %s", column_type, sql->str);
    g_free(column.column_type);
}

Test(column_text, select_expressions)
{
    expect_select(COLUMN_INT, "int", "`c``1`");
    expect_select(COLUMN_INT, "int(5) unsigned zerofill", "CAST(`c``1` AS UNSIGNED)");
    expect_select(COLUMN_DECIMAL, "decimal(10,3) unsigned zerofill",
                  "CAST(`c``1` AS DECIMAL(10,3))");
    expect_select(COLUMN_FLOAT, "float", "CAST(`c``1` AS DOUBLE)");
    expect_select(COLUMN_DOUBLE, "double", "`c``1`");
    expect_select(COLUMN_DOUBLE, "double(10,2)", "CAST(`c``1` AS DOUBLE)");
    expect_select(COLUMN_BIT, "bit(3)", "CAST(`c``1` AS UNSIGNED)");
    expect_select(COLUMN_ENUM, "enum('a')", "CAST(`c``1` AS UNSIGNED)");
    expect_select(COLUMN_SET, "set('a')", "CAST(`c``1` AS UNSIGNED)");
    expect_select(COLUMN_JSON, "json", "`c``1`");
}

static void
expect_literal(enum column_type type, struct column_text text, const char *expected)
{
    struct column column = column_of(type, "");
    g_autoptr(GString) sql = g_string_new(NULL);
    cr_assert(column_literal_append(sql, &column, text));
    cr_expect_str_eq(sql->str, expected, "%s", sql->str);
    g_free(column.column_type);
}

Test(column_text, literals)
{
    expect_literal(COLUMN_BIGINT, TEXT("18446744073709551615"), "18446744073709551615");
    expect_literal(COLUMN_DECIMAL, TEXT("-0.10"), "-0.10");
    expect_literal(COLUMN_DOUBLE, TEXT("-0"), "-0e0");
    expect_literal(COLUMN_DOUBLE, TEXT("1e300"), "1e300");
    expect_literal(COLUMN_FLOAT, TEXT("1.2345670461654663"), "1.2345670461654663e0");
    expect_literal(COLUMN_ENUM, TEXT("3"), "3");
    expect_literal(COLUMN_DATETIME, TEXT("2020-02-31 00:00:00"), "'2020-02-31 00:00:00'");
    expect_literal(COLUMN_VARCHAR, TEXT("a'\\\0b"), "_binary'a\\'\\\\\\0b'");
    expect_literal(COLUMN_JSON, TEXT("{}"), "CONVERT(_binary'{}' USING utf8mb4)");
    expect_literal(COLUMN_BLOB, TEXT(""), "_binary''");
    expect_literal(COLUMN_INT, text_of(NULL, 0), "NULL");
}

static void
expect_key_literal(enum column_type type, const char *charset, struct column_text text,
                   const char *expected)
{
    struct column column = column_of(type, "");
    column.charset = g_strdup(charset);
    g_autoptr(GString) sql = g_string_new(NULL);
    column_key_literal_append(sql, &column, text);
    cr_expect(g_ascii_strcasecmp(sql->str, expected) == 0, "%s", sql->str);
    g_free(column.charset);
    g_free(column.column_type);
}

Test(column_text, key_literals_name_the_character_set)
{
    expect_key_literal(COLUMN_VARCHAR, "latin1", TEXT("\xe9"), "_latin1 x'e9'");
    expect_key_literal(COLUMN_CHAR, "utf8mb3", TEXT("a"), "_utf8mb4 x'61'");
    expect_key_literal(COLUMN_CHAR, "ucs2", TEXT("\0a"), "_utf16 x'0061'");
    expect_key_literal(COLUMN_CHAR, "ucs2", TEXT("\xd7\xff\xe0\0"), "_utf16 x'd7ffe000'");
    expect_key_literal(COLUMN_CHAR, "ucs2", TEXT("\0a\xd8\0"), "_ucs2 x'0061d800'");
    expect_key_literal(COLUMN_CHAR, "ucs2", TEXT("\xdf\xff"), "_ucs2 x'dfff'");
    expect_key_literal(COLUMN_BINARY, NULL, TEXT("\0\xff"), "_binary x'00ff'");
    expect_key_literal(COLUMN_INT, NULL, TEXT("-5"), "-5");
    expect_key_literal(COLUMN_YEAR, NULL, TEXT("0000"), "0000");
}

Test(column_text, types_of_keys)
{
    for (int type = COLUMN_TINYINT; type <= COLUMN_UNSUPPORTED; type++) {
        struct column column = {.type = (enum column_type)type};
        bool refused = type == COLUMN_FLOAT || type == COLUMN_TEXT || type == COLUMN_BLOB ||
                       type == COLUMN_JSON || type == COLUMN_GEOMETRY || type == COLUMN_VECTOR ||
                       type == COLUMN_UNSUPPORTED;
        cr_expect_eq(column_type_allowed_in_key(&column), !refused, "type %d", type);
    }
}

Test(column_text, sets_in_a_key)
{
    struct column column = {.type = COLUMN_SET, .members = 53};
    cr_expect(column_type_allowed_in_key(&column));
    column.members = 54; /* compared as doubles, two of its values may be equal */
    cr_expect_not(column_type_allowed_in_key(&column));
}
