#include <criterion/criterion.h>

#include "base/nearest.h"

Test(nearest, distance)
{
    cr_expect_eq(edit_distance("", ""), 0);
    cr_expect_eq(edit_distance("abc", "abc"), 0);
    cr_expect_eq(edit_distance("abc", "acb"), 1);
    cr_expect_eq(edit_distance("abc", "ab"), 1);
    cr_expect_eq(edit_distance("abc", "xbc"), 1);
    cr_expect_eq(edit_distance("Chunk_Ms", "chunk-ms"), 0);
    cr_expect_eq(edit_distance("kitten", "sitting"), 3);
    cr_expect_eq(edit_distance("", "four"), 4);
}

Test(nearest, word)
{
    static const char *const words[] = {"check", "run", "status", "cutover", "clean"};
    cr_expect_str_eq(nearest_word("statsu", words, 5), "status");
    cr_expect_eq(nearest_word("preflight", words, 5), NULL);
    cr_expect_str_eq(nearest_word("rnu", words, 5), "run");
    cr_expect_str_eq(nearest_word("cleen", words, 5), "clean");
    cr_expect_eq(nearest_word("zzzzzzzz", words, 5), NULL);
}
