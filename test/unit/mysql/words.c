#include "mysql/words.h"

#include <criterion/criterion.h>
#include <glib.h>

static void
expect_words(unsigned number, const char *text, const char *expected)
{
    g_autofree char *words = server_words_without_values(number, text);
    cr_expect_str_eq(words, expected);
}

Test(words, values_are_left_out)
{
    expect_words(1366, "Incorrect string value: '\\xE9secret' for column 'c' at row 3",
                 "Incorrect string value: '[...]' for column 'c' at row 3");
    /* A value that looks like the rest of the message. */
    expect_words(1366, "Incorrect integer value: 'a' for column 'b' for column 'c' at row 3",
                 "Incorrect integer value: '[...]' for column 'c' at row 3");
    expect_words(1292, "Incorrect datetime value: '2020-13-01' for column 'd' at row 1",
                 "Incorrect datetime value: '[...]' for column 'd' at row 1");
    expect_words(1292, "Truncated incorrect DOUBLE value: 'secret'",
                 "Truncated incorrect DOUBLE value: '[...]");
    expect_words(1062, "Duplicate entry 'secret-5' for key 't.PRIMARY'",
                 "Duplicate entry '[...]' for key 't.PRIMARY'");
    expect_words(1526, "Table has no partition for value 17",
                 "Table has no partition for value [...]");
    expect_words(1300, "Invalid utf8mb4 character string: 'FF80'",
                 "Invalid utf8mb4 character string: '[...]");
}

Test(words, other_messages_are_left_as_they_are)
{
    expect_words(1265, "Data truncated for column 'e' at row 1",
                 "Data truncated for column 'e' at row 1");
    expect_words(1146, "Table 'a.value: 'b' doesn't exist", "Table 'a.value: 'b' doesn't exist");
    expect_words(1062, "something else", "something else");
    expect_words(0, "", "");
}
