#include <criterion/criterion.h>
#include <glib.h>

#include "schema/labels_int.h"

static void
expect_zero(const char *column_type, const char *charset, const char *expected)
{
    g_autofree char *literal = labels_zero_literal(column_type, charset);
    if (expected == NULL)
        cr_expect_null(literal, "%s: %s", column_type, literal);
    else
        cr_expect_str_eq(literal != NULL ? literal : "NULL", expected, "%s: %s", column_type,
                         literal);
}

Test(labels, count)
{
    cr_expect_eq(labels_count("enum('a')"), 1);
    cr_expect_eq(labels_count("set('a','b,c','it''s','','\\\\','\\'x')"), 6);
    cr_expect_eq(labels_count("enum('''')"), 1);
}

Test(labels, zero_is_a_text_that_is_no_label)
{
    expect_zero("enum('a','b')", "utf8mb4", "'0'");
    expect_zero("enum('a','0')", "utf8mb4", "'00'");
    expect_zero("enum('0','00','1','10','-')", "latin1", "'000'");
    expect_zero("enum('0','00','000','0000','00000')", "latin1", NULL);
    expect_zero("enum('')", "sjis", "'0'");
}

Test(labels, zero_is_not_what_a_collation_may_take_for_one)
{
    expect_zero("enum('+0')", "utf8mb4", "'00'");                      /* signs may be ignored */
    expect_zero("enum('\xef\xbc\x90')", "utf8mb4", NULL);              /* a wide 0 */
    expect_zero("enum('?')", "utf8mb4", NULL);                         /* printed so: anything */
    expect_zero("enum('0\xe2\x80\x8d')", "utf8mb4", NULL);             /* an ignorable character */
    expect_zero("enum('\xef\xbc\x90x?','\xc3\xa9')", "latin1", "'0'"); /* letters always count */
}

Test(labels, zero_in_wide_character_sets)
{
    expect_zero("enum('a')", "utf16", "_utf16 x'0030'");
    expect_zero("enum('a','0')", "ucs2", "_utf16 x'00300030'");
    expect_zero("enum('a')", "utf16le", "_utf16le x'3000'");
    expect_zero("enum('a')", "utf32", "_utf32 x'00000030'");
    expect_zero("enum('0')", "utf32", NULL); /* two are more bytes than the server reads */
}
