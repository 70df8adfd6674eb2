#include <criterion/criterion.h>

#include "schema/create_scan_int.h"

static void
expect_token(struct create_scan *scan, enum create_token_kind kind, const char *text,
             unsigned depth)
{
    struct create_token token = create_scan_next(scan);
    g_autofree char *found = g_strndup(token.start, token.length);
    cr_expect_eq(token.kind, kind, "%s", found);
    cr_expect_str_eq(found, text);
    cr_expect_eq(token.depth, depth, "%s: depth %u", found, token.depth);
}

Test(create_scan, tokens_and_depth)
{
    struct create_scan scan = create_scan_of(
        "CREATE `a``b` (x 'it''s \\' (' , \"q\" (1)) /*!50100 P */");
    expect_token(&scan, CREATE_TOKEN_WORD, "CREATE", 0);
    expect_token(&scan, CREATE_TOKEN_NAME, "`a``b`", 0);
    expect_token(&scan, CREATE_TOKEN_SIGN, "(", 0);
    expect_token(&scan, CREATE_TOKEN_WORD, "x", 1);
    expect_token(&scan, CREATE_TOKEN_STRING, "'it''s \\' ('", 1);
    expect_token(&scan, CREATE_TOKEN_SIGN, ",", 1);
    expect_token(&scan, CREATE_TOKEN_STRING, "\"q\"", 1);
    expect_token(&scan, CREATE_TOKEN_SIGN, "(", 1);
    expect_token(&scan, CREATE_TOKEN_WORD, "1", 2);
    expect_token(&scan, CREATE_TOKEN_SIGN, ")", 1);
    expect_token(&scan, CREATE_TOKEN_SIGN, ")", 0);
    expect_token(&scan, CREATE_TOKEN_WORD, "P", 0);
    expect_token(&scan, CREATE_TOKEN_END, "", 0);
    expect_token(&scan, CREATE_TOKEN_END, "", 0);
}

Test(create_scan, unterminated_quotes_end)
{
    static const char *const broken[] = {"`a", "'a\\", "'a''", "\"", "/*!", "'\\'"};
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        struct create_scan scan = create_scan_of(broken[i]);
        cr_expect_eq(create_scan_next(&scan).kind, CREATE_TOKEN_END, "%s", broken[i]);
    }
}

Test(create_scan, names)
{
    struct create_scan scan = create_scan_of("`a``.\\`");
    struct create_token token = create_scan_next(&scan);
    g_autofree char *name = create_token_name(&token);
    cr_expect_str_eq(name, "a`.\\");
}
