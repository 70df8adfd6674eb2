#include <criterion/criterion.h>

#include "hook/hook.h"

static char *
sign(const char *secret, const char *id, int64_t timestamp_s, const char *body)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(body, strlen(body));
    return hook_signature(secret, id, timestamp_s, bytes);
}

/* The vector that the reference libraries of Standard Webhooks test themselves with. */
Test(signature, agrees_with_the_reference)
{
    g_autofree char *signature = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                      "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                                      "{\"test\": 2432232314}");
    cr_expect_str_eq(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

Test(signature, a_secret_without_prefix_is_taken_as_it_is)
{
    g_autofree char *signature = sign("plain secret", "id", 7, "");
    cr_expect_str_eq(signature, "v1,Wc3FyGbqaxH5wXcNpzeRBbuE8nc7gJJy2RA+Yf8NQqk=");
}

Test(signature, covers_id_time_and_body)
{
    g_autofree char *signature = sign("s", "id", 7, "body");
    g_autofree char *other_id = sign("s", "ie", 7, "body");
    g_autofree char *other_time = sign("s", "id", 8, "body");
    g_autofree char *other_body = sign("s", "id", 7, "bodz");
    g_autofree char *other_secret = sign("t", "id", 7, "body");
    cr_expect_str_neq(signature, other_id);
    cr_expect_str_neq(signature, other_time);
    cr_expect_str_neq(signature, other_body);
    cr_expect_str_neq(signature, other_secret);
}
