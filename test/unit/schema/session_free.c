#include "schema/session_free.h"

#include <criterion/criterion.h>

static struct column columns[] = {
    {.name = (char[]){"i"}, .type = COLUMN_INT},
    {.name = (char[]){"v"}, .type = COLUMN_VARCHAR},
    {.name = (char[]){"c"}, .type = COLUMN_CHAR},
    {.name = (char[]){"d"}, .type = COLUMN_DATETIME},
    {.name = (char[]){"j"}, .type = COLUMN_JSON},
    {.name = (char[]){"date"}, .type = COLUMN_INT},
    {.name = (char[]){"back\\slash"}, .type = COLUMN_BLOB},
    {.name = (char[]){"\xc3\xa9"}, .type = COLUMN_BLOB},
    {.name = (char[]){"g"}, .type = COLUMN_INT, .generated = true},
    {.name = (char[]){"f"}, .type = COLUMN_INT, .generated = true, .session_free = true},
    {.name = (char[]){"p"}, .type = COLUMN_CHAR, .generated = true, .session_free = true},
};

static bool
is_free(const char *expression, enum column_type type)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        g_ptr_array_add(all, &columns[i]);
    struct column column = {.type = type};
    return expression_is_session_free(expression, &column, all);
}

Test(session_free, of_the_row_alone)
{
    cr_expect(is_free("(`i` * 2 + 1)", COLUMN_INT));
    cr_expect(is_free("concat(_utf8mb4\\'date(\\',`i`,`date`)", COLUMN_VARCHAR));
    cr_expect(is_free("if((`i` is null),NULL,1)", COLUMN_INT));
    cr_expect(is_free("cast(json_unquote(json_extract(`j`,_utf8mb4\\'$.a\\')) as unsigned)",
                      COLUMN_BIGINT));
    cr_expect(is_free("cast(`i` as char(10) charset latin1)", COLUMN_CHAR));
    cr_expect(is_free("md5(`v`)", COLUMN_CHAR));
    cr_expect(is_free("length(`\xc3\x83\xc2\xa9`)", COLUMN_INT)); /* encoded twice by the server */
    cr_expect(is_free("json_array(length(`back\\\\slash`))", COLUMN_JSON));
    cr_expect(is_free("(`f` + 1)", COLUMN_INT));
    cr_expect(is_free("if((`d` is null),NULL,(`c` is not null))", COLUMN_INT));
    cr_expect(is_free("concat(`v`,_latin1\\'it\\'\\'s \\\\\\\\\\')", COLUMN_VARCHAR));
}

Test(session_free, not_known_to_be)
{
    cr_expect_not(is_free("char_length(`c`)", COLUMN_INT)); /* PAD_CHAR_TO_FULL_LENGTH */
    cr_expect_not(is_free("cast(`d` as date)", COLUMN_DATE));
    cr_expect_not(is_free("`i`", COLUMN_DATETIME));
    cr_expect_not(is_free("(`i` / 7)", COLUMN_DECIMAL)); /* div_precision_increment */
    cr_expect_not(is_free("date(`v`)", COLUMN_VARCHAR));
    cr_expect_not(is_free("(`v` like _utf8mb4\\'a\\')", COLUMN_INT));
    cr_expect_not(is_free("`g`", COLUMN_INT));
    cr_expect_not(is_free("(`g` is null)", COLUMN_INT)); /* NO_ZERO_DATE makes NULLs */
    cr_expect_not(is_free("char_length(`p`)", COLUMN_INT));
    cr_expect_not(is_free("(`d` is true)", COLUMN_INT));
    cr_expect_not(is_free("`unknown`", COLUMN_INT));
    cr_expect_not(is_free("concat(`v`,\\'a", COLUMN_VARCHAR));
    cr_expect_not(is_free("`v", COLUMN_VARCHAR));
    cr_expect_not(is_free("aes_encrypt(`v`,_utf8mb4\\'k\\')", COLUMN_VARBINARY));
}
