#include "mysql/quote.h"

#include <criterion/criterion.h>
#include <string.h>

Test(quote, identifiers)
{
    g_autoptr(GString) sql = g_string_new("a ");
    quote_identifier(sql, "plain");
    quote_identifier(sql, "we`ird``");
    quote_identifier(sql, "");
    cr_expect_str_eq(sql->str, "a `plain``we``ird```````");
    g_autofree char *table = quoted_table("s.p", "t\"'\\");
    cr_expect_str_eq(table, "`s.p`.`t\"'\\`");
}

Test(quote, strings)
{
    g_autofree char *plain = quoted_string("plain");
    g_autofree char *escaped = quoted_string("it's \\ \"x\"\n%_");
    g_autofree char *null = quoted_string(NULL);
    g_autofree char *empty = quoted_string("");
    cr_expect_str_eq(plain, "'plain'");
    cr_expect_str_eq(escaped, "'it\\'s \\\\ \"x\"\n%_'");
    cr_expect_str_eq(null, "NULL");
    cr_expect_str_eq(empty, "''");
}

/* What a server makes of a literal's inside. */
static GString *
unescaped(const char *inside, size_t length)
{
    GString *bytes = g_string_new(NULL);
    for (size_t i = 0; i < length; i++) {
        cr_assert_neq(inside[i], '\'');
        cr_assert_neq(inside[i], '\0');
        if (inside[i] != '\\') {
            g_string_append_c(bytes, inside[i]);
            continue;
        }
        cr_assert_lt(++i, length);
        cr_assert_neq(strchr("'\\0", inside[i]), NULL);
        g_string_append_c(bytes, inside[i] == '0' ? '\0' : inside[i]);
    }
    return bytes;
}

Test(quote, every_byte)
{
    char bytes[512];
    for (unsigned i = 0; i < 256; i++) {
        bytes[i] = (char)i;
        bytes[511 - i] = (char)i;
    }
    g_autoptr(GString) sql = g_string_new(NULL);
    quote_bytes(sql, bytes, sizeof bytes);
    cr_assert(g_str_has_prefix(sql->str, "_binary'"));
    cr_assert_eq(sql->str[sql->len - 1], '\'');
    g_autoptr(GString) back = unescaped(sql->str + 8, sql->len - 9);
    cr_assert_eq(back->len, sizeof bytes);
    cr_expect_eq(memcmp(back->str, bytes, sizeof bytes), 0);
}

Test(quote, hex)
{
    g_autoptr(GString) sql = g_string_new("k=");
    quote_hex(sql, "\x00\x7f\xff\x1a", 4);
    g_string_append_c(sql, ',');
    quote_hex(sql, "", 0);
    cr_expect_str_eq(sql->str, "k=x'007fff1a',x''");
}
