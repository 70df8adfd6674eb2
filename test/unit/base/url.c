#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/url.h"

Test(url, is_shown_without_what_can_carry_a_token)
{
    static const char *const cases[][2] = {
        {"http://a/b", "http://a/b"},
        {"http://a/b?token=t", "http://a/b"},
        {"http://a/b#token", "http://a/b"},
        {"http://a?x#y?z", "http://a"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = url_text(cases[i][0]);
        cr_expect_str_eq(text, cases[i][1]);
        free(text);
    }
    cr_expect_null(url_text(NULL));
}
