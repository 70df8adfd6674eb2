#include <criterion/criterion.h>

#include "schema/prepared_xa.h"

static void
expect_name(const char *format, gint64 gtrid, gint64 bqual, const char *data, const char *expected)
{
    g_autofree char *name = prepared_xa_name(format, gtrid, bqual, data);
    cr_expect(g_strcmp0(name, expected) == 0, "%s %s: %s, not %s", format, data, name, expected);
}

/* As the binlog writes them, whatever bytes are in them. */
Test(prepared_xa, names)
{
    expect_name("1", 2, 0, "0x6162", "X'6162',X'',1");
    expect_name("1", 1, 2, "0x616263", "X'61',X'6263',1");
    expect_name("4294967295", 3, 1, "0x00FF27AA", "X'00ff27',X'aa',4294967295");
    expect_name("-1", 1, 0, "00", "X'00',X'',-1");
    expect_name("1", 0, 0, "0x", "X'',X'',1");
}

Test(prepared_xa, rows_that_make_no_sense)
{
    expect_name("1", 2, 0, "0x61", NULL);
    expect_name("1", 1, 0, "0x6162", NULL);
    expect_name("1", 1, 0, "0x6g", NULL);
    expect_name("1", -1, 2, "0x61", NULL);
    expect_name("1", 65, 0, "0x", NULL);
    expect_name("1'", 1, 0, "0x61", NULL);
    expect_name("", 1, 0, "0x61", NULL);
    expect_name("-", 1, 0, "0x61", NULL);
    expect_name(NULL, 1, 0, "0x61", NULL);
    expect_name("1", 1, 0, NULL, NULL);
}

static GPtrArray *
list(const char *words)
{
    GPtrArray *xids = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) split = g_strsplit_set(words, " ", -1);
    for (char **word = split; *word != NULL; word++)
        if (**word != '\0')
            g_ptr_array_add(xids, g_strdup(*word));
    return xids;
}

static void
expect_kept(const char *first, const char *later, const char *expected)
{
    g_autoptr(GPtrArray) xids = list(first);
    g_autoptr(GPtrArray) present = list(later);
    prepared_xa_keep(xids, present);
    g_autofree char *names = prepared_xa_names(xids);
    cr_expect_str_eq(names, expected);
}

/* What came later is not waited for: its rows are in the stream. */
Test(prepared_xa, only_what_was_there_at_first_is_waited_for)
{
    expect_kept("a b c", "c a", "a, c");
    expect_kept("a b", "c d", "");
    expect_kept("", "a", "");
    expect_kept("a", "", "");
    expect_kept("a b", "b x a", "a, b");
}

Test(prepared_xa, a_long_list_is_cut)
{
    g_autoptr(GPtrArray) xids = list("1 2 3 4 5 6 7 8 9 10 11 12");
    g_autofree char *names = prepared_xa_names(xids);
    cr_expect_str_eq(names, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more");
}
