#include <criterion/criterion.h>
#include <microhttpd.h>

#include "hook/deliver_int.h"

/* A receiver in this process: answers with a status and remembers the last request. */
struct receiver {
    struct MHD_Daemon *daemon;
    char *url;
    unsigned status;
    const char *header; /* of the answer, with its value; NULL: none */
    const char *value;
    size_t answer_bytes;
    unsigned requests;
    GString *body;
    GHashTable *headers; /* lower case */
};

static enum MHD_Result
note_header(void *argument, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct receiver *receiver = argument;
    g_hash_table_insert(receiver->headers, g_ascii_strdown(name, -1), g_strdup(value));
    return MHD_YES;
}

static enum MHD_Result
answer(void *argument, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *upload, size_t *upload_size, void **state)
{
    (void)url;
    (void)method;
    (void)version;
    struct receiver *receiver = argument;
    if (*state == NULL) {
        *state = receiver;
        receiver->requests++;
        g_string_truncate(receiver->body, 0);
        MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, receiver);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        g_string_append_len(receiver->body, upload, (gssize)*upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    char *text = g_strnfill(receiver->answer_bytes, 'x');
    struct MHD_Response *response = MHD_create_response_from_buffer(receiver->answer_bytes, text,
                                                                    MHD_RESPMEM_MUST_COPY);
    g_free(text);
    if (receiver->header != NULL)
        MHD_add_response_header(response, receiver->header, receiver->value);
    enum MHD_Result result = MHD_queue_response(connection, receiver->status, response);
    MHD_destroy_response(response);
    return result;
}

static void
receiver_start(struct receiver *receiver)
{
    receiver->body = g_string_new(NULL);
    receiver->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    receiver->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer,
                                        receiver, MHD_OPTION_END);
    cr_assert_neq(receiver->daemon, NULL);
    unsigned port = MHD_get_daemon_info(receiver->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    receiver->url = g_strdup_printf("http://127.0.0.1:%u/hook", port);
}

static void
receiver_stop(struct receiver *receiver)
{
    MHD_stop_daemon(receiver->daemon);
    g_string_free(receiver->body, TRUE);
    g_hash_table_unref(receiver->headers);
    g_free(receiver->url);
}

static struct delivery_result
post(const struct hook_endpoint *endpoint, const char *text)
{
    g_autoptr(channel) channel = channel_new(endpoint);
    g_autoptr(GBytes) body = g_bytes_new_static(text, strlen(text));
    struct delivery_result result;
    channel_post(channel, "an-id", body, NULL, &result);
    return result;
}

static const char *
sent(const struct receiver *receiver, const char *name)
{
    const char *value = g_hash_table_lookup(receiver->headers, name);
    return value != NULL ? value : "";
}

Test(deliver, sends_what_the_contract_says)
{
    struct receiver receiver = {.status = 204};
    receiver_start(&receiver);
    g_autoptr(GArray) extra = g_array_new(FALSE, FALSE, sizeof(struct hook_header));
    struct hook_header team = {.name = (char *)"X-Team", .value = (char *)"payments"};
    g_array_append_val(extra, team);
    struct hook_endpoint endpoint = {.url = receiver.url,
                                     .secret = (char *)"whsec_c2VjcmV0",
                                     .timeout_ms = 5000,
                                     .headers = extra};
    struct delivery_result result = post(&endpoint, "{\"a\":1}");
    cr_expect_eq(result.verdict, VERDICT_DELIVERED);
    cr_expect_eq(result.status, 204);
    cr_expect_eq(result.detail, NULL);
    cr_expect_str_eq(receiver.body->str, "{\"a\":1}");
    cr_expect_str_eq(sent(&receiver, "content-type"), "application/cloudevents+json");
    cr_expect_str_eq(sent(&receiver, "webhook-id"), "an-id");
    cr_expect_str_eq(sent(&receiver, "idempotency-key"), "\"an-id\"");
    cr_expect_str_eq(sent(&receiver, "x-team"), "payments");
    cr_expect(g_str_has_prefix(sent(&receiver, "user-agent"), "move-tables/"));
    cr_expect_str_eq(sent(&receiver, "expect"), "");

    g_autoptr(GBytes) body = g_bytes_new_static("{\"a\":1}", 7);
    int64_t timestamp_s = g_ascii_strtoll(sent(&receiver, "webhook-timestamp"), NULL, 10);
    g_autofree char *signature = hook_signature("secret", "an-id", timestamp_s, body);
    cr_expect_gt(timestamp_s, 1700000000);
    cr_expect_str_eq(sent(&receiver, "webhook-signature"), signature);
    receiver_stop(&receiver);
}

Test(deliver, does_not_follow_redirects)
{
    struct receiver elsewhere = {.status = 200};
    receiver_start(&elsewhere);
    struct receiver receiver = {.status = 307, .header = "Location", .value = elsewhere.url};
    receiver_start(&receiver);
    struct hook_endpoint endpoint = {.url = receiver.url, .timeout_ms = 5000};
    struct delivery_result result = post(&endpoint, "{}");
    cr_expect_eq(result.verdict, VERDICT_REFUSED);
    cr_expect_eq(result.status, 307);
    cr_expect_eq(elsewhere.requests, 0);
    g_free(result.detail);
    receiver_stop(&receiver);
    receiver_stop(&elsewhere);
}

Test(deliver, reads_retry_after)
{
    struct receiver receiver = {
        .status = 429, .header = "Retry-After", .value = "17", .answer_bytes = 3};
    receiver_start(&receiver);
    struct hook_endpoint endpoint = {.url = receiver.url, .timeout_ms = 5000};
    struct delivery_result result = post(&endpoint, "{}");
    cr_expect_eq(result.verdict, VERDICT_RETRY);
    cr_expect_eq(result.retry_after_ms, 17000);
    cr_expect_str_eq(result.detail, "HTTP 429: xxx");
    g_free(result.detail);
    receiver_stop(&receiver);
}

/* The status has come; the rest of a long answer is not waited for. */
Test(deliver, bounds_the_answer)
{
    struct receiver receiver = {.status = 403, .answer_bytes = 4 * 1024 * 1024};
    receiver_start(&receiver);
    struct hook_endpoint endpoint = {.url = receiver.url, .timeout_ms = 5000};
    struct delivery_result result = post(&endpoint, "{}");
    cr_expect_eq(result.verdict, VERDICT_REFUSED);
    cr_expect_eq(result.status, 403);
    cr_expect_lt(strlen(result.detail), 300);
    g_free(result.detail);
    receiver_stop(&receiver);
}

Test(deliver, an_unreachable_receiver_is_tried_again)
{
    struct receiver receiver = {.status = 200};
    receiver_start(&receiver);
    g_autofree char *url = g_strdup(receiver.url);
    receiver_stop(&receiver);
    struct hook_endpoint endpoint = {.url = url, .timeout_ms = 5000};
    struct delivery_result result = post(&endpoint, "{}");
    cr_expect_eq(result.verdict, VERDICT_RETRY);
    cr_expect_eq(result.status, 0);
    cr_expect_neq(result.detail, NULL);
    g_free(result.detail);
}

Test(deliver, an_abandoned_request_ends)
{
    struct receiver receiver = {.status = 200};
    receiver_start(&receiver);
    struct hook_endpoint endpoint = {.url = receiver.url, .timeout_ms = 5000};
    g_autoptr(channel) channel = channel_new(&endpoint);
    g_autoptr(GBytes) body = g_bytes_new_static("{}", 2);
    atomic_bool abandon = true;
    struct delivery_result result;
    channel_post(channel, "an-id", body, &abandon, &result);
    cr_expect_eq(result.verdict, VERDICT_RETRY);
    cr_expect_eq(receiver.requests, 0);
    g_free(result.detail);
    receiver_stop(&receiver);
}
