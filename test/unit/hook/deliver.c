#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hook/deliver_int.h"

/* A receiver in this process: answers every request with one status (0: hangs up) and remembers
 * the last. */
struct receiver {
    unsigned status;
    const char *header; /* of the answer, with its value; NULL: none */
    const char *value;
    size_t answer_bytes;
    const char *answer; /* instead of answer_bytes; NULL: those */
    int listener;
    pthread_t thread;
    char *url;
    unsigned requests;
    char *head; /* of the last request: lines, ended by an empty one */
    char *body;
};

/* Reads one request. False when the connection ended first. */
static bool
read_request(struct receiver *receiver, int connection)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char bytes[4096];
    for (;;) {
        const char *end = strstr(text->str, "\r\n\r\n");
        const char *length = end != NULL ? strstr(text->str, "Content-Length: ") : NULL;
        if (end != NULL) {
            size_t head = (size_t)(end - text->str) + 4;
            size_t body = length != NULL ? strtoul(length + strlen("Content-Length: "), NULL, 10)
                                         : 0;
            if (text->len - head >= body) {
                g_free(receiver->head);
                g_free(receiver->body);
                receiver->head = g_strndup(text->str, head);
                receiver->body = g_strdup(text->str + head);
                return true;
            }
        }
        ssize_t got = read(connection, bytes, sizeof bytes);
        if (got <= 0)
            return false;
        g_string_append_len(text, bytes, got);
    }
}

static void
write_all(int connection, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(connection, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the client has seen enough */
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void
serve(struct receiver *receiver, int connection)
{
    if (!read_request(receiver, connection))
        return;
    receiver->requests++;
    if (receiver->status == 0)
        return;
    g_autofree char *body = receiver->answer != NULL ? g_strdup(receiver->answer)
                                                     : g_strnfill(receiver->answer_bytes, 'x');
    g_autofree char *head = g_strdup_printf(
        "HTTP/1.1 %u Whatever\r\nContent-Length: %zu\r\nConnection: close\r\n%s%s%s%s\r\n",
        receiver->status, strlen(body), receiver->header != NULL ? receiver->header : "",
        receiver->header != NULL ? ": " : "", receiver->header != NULL ? receiver->value : "",
        receiver->header != NULL ? "\r\n" : "");
    write_all(connection, head, strlen(head));
    write_all(connection, body, strlen(body));
}

/* Ends when the listener is shut down. */
static void *
receive_all(void *argument)
{
    struct receiver *receiver = argument;
    for (int connection; (connection = accept(receiver->listener, NULL, NULL)) >= 0;) {
        serve(receiver, connection);
        close(connection);
    }
    return NULL;
}

static void
receiver_start(struct receiver *receiver)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    receiver->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_geq(receiver->listener, 0);
    cr_assert_eq(bind(receiver->listener, (struct sockaddr *)&address, length), 0);
    cr_assert_eq(listen(receiver->listener, 8), 0);
    cr_assert_eq(getsockname(receiver->listener, (struct sockaddr *)&address, &length), 0);
    receiver->url = g_strdup_printf("http://127.0.0.1:%u/hook", ntohs(address.sin_port));
    cr_assert_eq(pthread_create(&receiver->thread, NULL, receive_all, receiver), 0);
}

/* After this, what was received may be looked at. */
static void
receiver_stop(struct receiver *receiver)
{
    shutdown(receiver->listener, SHUT_RDWR);
    pthread_join(receiver->thread, NULL);
    close(receiver->listener);
}

static void
receiver_clear(struct receiver *receiver)
{
    g_free(receiver->url);
    g_free(receiver->head);
    g_free(receiver->body);
}

/* The value of a header of the last request; "" when it was not sent. Caller frees. */
static char *
sent(const struct receiver *receiver, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(receiver->head, "\r\n", -1);
    g_autofree char *prefix = g_strconcat(name, ": ", NULL);
    for (char **line = lines; *line != NULL; line++)
        if (g_ascii_strncasecmp(*line, prefix, strlen(prefix)) == 0)
            return g_strdup(*line + strlen(prefix));
    return g_strdup("");
}

static void
expect_sent(const struct receiver *receiver, const char *name, const char *expected)
{
    g_autofree char *value = sent(receiver, name);
    cr_expect_str_eq(value, expected, "%s: %s", name, value);
}

static struct delivery_result
post(const struct hook_endpoint *endpoint, const char *text)
{
    g_autoptr(channel) channel = channel_new(endpoint);
    g_autoptr(GBytes) body = g_bytes_new_static(text, strlen(text));
    struct delivery_result result;
    struct channel_request request = {.event_id = "an-id", .body = body};
    channel_post(channel, &request, &result);
    return result;
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
    receiver_stop(&receiver);
    cr_assert_eq(receiver.requests, 1);
    cr_expect_str_eq(receiver.body, "{\"a\":1}");
    expect_sent(&receiver, "content-type", "application/cloudevents+json");
    expect_sent(&receiver, "webhook-id", "an-id");
    expect_sent(&receiver, "idempotency-key", "\"an-id\"");
    expect_sent(&receiver, "x-team", "payments");
    expect_sent(&receiver, "expect", "");
    g_autofree char *agent = sent(&receiver, "user-agent");
    cr_expect(g_str_has_prefix(agent, "move-tables/"));

    g_autoptr(GBytes) body = g_bytes_new_static("{\"a\":1}", 7);
    g_autofree char *timestamp = sent(&receiver, "webhook-timestamp");
    int64_t timestamp_s = g_ascii_strtoll(timestamp, NULL, 10);
    g_autofree char *signature = hook_signature("secret", "an-id", timestamp_s, body);
    cr_expect_gt(timestamp_s, 1700000000);
    expect_sent(&receiver, "webhook-signature", signature);
    receiver_clear(&receiver);
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
    g_free(result.detail);
    receiver_stop(&receiver);
    receiver_stop(&elsewhere);
    cr_expect_eq(elsewhere.requests, 0);
    receiver_clear(&receiver);
    receiver_clear(&elsewhere);
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
    receiver_clear(&receiver);
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
    receiver_clear(&receiver);
}

Test(deliver, an_unreachable_receiver_is_tried_again)
{
    struct receiver receiver = {.status = 200};
    receiver_start(&receiver);
    receiver_stop(&receiver);
    struct hook_endpoint endpoint = {.url = receiver.url, .timeout_ms = 5000};
    struct delivery_result result = post(&endpoint, "{}");
    cr_expect_eq(result.verdict, VERDICT_RETRY);
    cr_expect_eq(result.status, 0);
    cr_expect_neq(result.detail, NULL);
    g_free(result.detail);
    receiver_clear(&receiver);
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
    struct channel_request request = {.event_id = "an-id", .body = body, .abandon = &abandon};
    channel_post(channel, &request, &result);
    cr_expect_eq(result.verdict, VERDICT_RETRY);
    g_free(result.detail);
    receiver_stop(&receiver);
    cr_expect_eq(receiver.requests, 0);
    receiver_clear(&receiver);
}

struct permission {
    bool given;
    unsigned asked;
};

static bool
may_leave(void *argument)
{
    struct permission *permission = argument;
    permission->asked++;
    return permission->given;
}

static struct delivery_result
post_with(const struct hook_endpoint *endpoint, struct permission *permission)
{
    g_autoptr(channel) channel = channel_new(endpoint);
    g_autoptr(GBytes) body = g_bytes_new_static("{}", 2);
    struct channel_request request = {
        .event_id = "an-id", .body = body, .may_leave = may_leave, .context = permission};
    struct delivery_result result;
    channel_post(channel, &request, &result);
    return result;
}

/* The connection is made, and not a byte of the request follows. */
Test(deliver, what_may_not_leave_does_not)
{
    struct receiver receiver = {.status = 200};
    receiver_start(&receiver);
    struct hook_endpoint endpoint = {.url = receiver.url, .timeout_ms = 5000};
    struct permission permission = {.given = false};
    struct delivery_result result = post_with(&endpoint, &permission);
    cr_expect_eq(permission.asked, 1);
    cr_expect_eq(result.verdict, VERDICT_RETRY);
    cr_expect_not(result.left);
    cr_expect(g_str_has_prefix(result.detail, "not sent:"), "%s", result.detail);
    g_free(result.detail);

    permission.given = true;
    result = post_with(&endpoint, &permission);
    cr_expect_eq(result.verdict, VERDICT_DELIVERED);
    cr_expect(result.left);
    receiver_stop(&receiver);
    cr_expect_eq(receiver.requests, 1);
    receiver_clear(&receiver);
}

/* Nobody is asked, and nothing is in doubt, when there is no connection to send on. */
Test(deliver, what_could_not_connect_has_not_left)
{
    struct receiver receiver = {.status = 200};
    receiver_start(&receiver);
    receiver_stop(&receiver);
    struct hook_endpoint endpoint = {.url = receiver.url, .timeout_ms = 5000};
    struct permission permission = {.given = true};
    struct delivery_result result = post_with(&endpoint, &permission);
    cr_expect_eq(permission.asked, 0);
    cr_expect_eq(result.status, 0);
    cr_expect_not(result.left);
    g_free(result.detail);
    receiver_clear(&receiver);
}

/* Status 0 hangs up after the request was read: it left, and nobody knows what came of it. */
Test(deliver, what_got_no_answer_may_have_arrived)
{
    struct receiver receiver = {.status = 0};
    receiver_start(&receiver);
    struct hook_endpoint endpoint = {.url = receiver.url, .timeout_ms = 5000};
    struct permission permission = {.given = true};
    struct delivery_result result = post_with(&endpoint, &permission);
    cr_expect_eq(result.verdict, VERDICT_RETRY);
    cr_expect_eq(result.status, 0);
    cr_expect(result.left);
    g_free(result.detail);
    receiver_stop(&receiver);
    cr_expect_eq(receiver.requests, 1);
    receiver_clear(&receiver);
}

static struct delivery_result
probe(const struct hook_endpoint *endpoint)
{
    g_autoptr(channel) channel = channel_new(endpoint);
    struct channel_request request = {.event_id = "an-id"};
    struct delivery_result result;
    channel_probe(channel, &request, &result);
    return result;
}

Test(deliver, a_probe_is_a_signed_get)
{
    struct receiver receiver = {.status = 404};
    receiver_start(&receiver);
    g_autofree char *probe_url = g_strconcat(receiver.url, "/{id}/state", NULL);
    struct hook_endpoint endpoint = {.url = (char *)"http://127.0.0.1:9/elsewhere",
                                     .probe_url = probe_url,
                                     .secret = (char *)"whsec_c2VjcmV0",
                                     .timeout_ms = 5000,
                                     .in_doubt = IN_DOUBT_PROBE};
    struct delivery_result result = probe(&endpoint);
    cr_expect_eq(result.status, 404);
    g_free(result.detail);
    receiver_stop(&receiver);
    cr_assert_eq(receiver.requests, 1);
    cr_expect(g_str_has_prefix(receiver.head, "GET /hook/an-id/state HTTP/1.1"), "%s",
              receiver.head);
    expect_sent(&receiver, "webhook-id", "an-id");
    expect_sent(&receiver, "idempotency-key", "");
    expect_sent(&receiver, "content-type", "");
    cr_expect_str_eq(receiver.body, "");
    g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
    g_autofree char *timestamp = sent(&receiver, "webhook-timestamp");
    g_autofree char *signature = hook_signature("secret", "an-id",
                                                g_ascii_strtoll(timestamp, NULL, 10), nothing);
    expect_sent(&receiver, "webhook-signature", signature);
    receiver_clear(&receiver);
}

/* The same channel: a probe leaves nothing behind that the next request would carry. */
Test(deliver, a_post_after_a_probe_is_a_post)
{
    struct receiver receiver = {.status = 200};
    receiver_start(&receiver);
    struct hook_endpoint endpoint = {
        .url = receiver.url, .probe_url = receiver.url, .timeout_ms = 5000};
    g_autoptr(channel) channel = channel_new(&endpoint);
    g_autoptr(GBytes) body = g_bytes_new_static("{\"a\":1}", 7);
    struct channel_request request = {.event_id = "an-id", .body = body};
    struct delivery_result result;
    channel_probe(channel, &request, &result);
    cr_expect_eq(result.status, 200);
    channel_post(channel, &request, &result);
    cr_expect_eq(result.verdict, VERDICT_DELIVERED);
    receiver_stop(&receiver);
    cr_expect(g_str_has_prefix(receiver.head, "POST /hook HTTP/1.1"), "%s", receiver.head);
    cr_expect_str_eq(receiver.body, "{\"a\":1}");
    receiver_clear(&receiver);
}

/* A receiver, or a proxy before it, that repeats what it was sent. */
Test(deliver, an_answer_shows_no_secret)
{
    g_autofree char *padding = g_strnfill(180, '.');
    g_autofree char *answer = g_strconcat("no Bearer t0ken! at /x?key=hush here", padding,
                                          "Bearer t0ken!", NULL);
    struct receiver receiver = {.status = 403, .answer = answer};
    receiver_start(&receiver);
    g_autoptr(GArray) extra = g_array_new(FALSE, FALSE, sizeof(struct hook_header));
    struct hook_header token = {.name = (char *)"Authorization", .value = (char *)"Bearer t0ken!"};
    g_array_append_val(extra, token);
    g_autofree char *url = g_strconcat(receiver.url, "?key=hush", NULL);
    struct hook_endpoint endpoint = {.url = url, .timeout_ms = 5000, .headers = extra};
    struct delivery_result result = post(&endpoint, "{}");
    cr_expect_eq(result.status, 403);
    cr_expect(strstr(result.detail, "no [...] at /x?[...] here") != NULL, "%s", result.detail);
    /* The second one would be cut in its middle: not even a part of it is shown. */
    cr_expect(strstr(result.detail, "Bear") == NULL, "%s", result.detail);
    cr_expect(strstr(result.detail, "hush") == NULL, "%s", result.detail);
    g_free(result.detail);
    receiver_stop(&receiver);
    receiver_clear(&receiver);
}

static int64_t
retry_after(const char *value)
{
    struct receiver receiver = {.status = 503, .header = "Retry-After", .value = value};
    receiver_start(&receiver);
    struct hook_endpoint endpoint = {.url = receiver.url, .timeout_ms = 5000};
    struct delivery_result result = post(&endpoint, "{}");
    cr_expect_eq(result.status, 503);
    g_free(result.detail);
    receiver_stop(&receiver);
    receiver_clear(&receiver);
    return result.retry_after_ms;
}

/* RFC 9110, 10.2.3: seconds, or a date in each of its three forms. */
Test(deliver, retry_after_may_be_a_date)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) later = g_date_time_add_seconds(now, 90);
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autofree char *value = g_date_time_format(later, forms[i]);
        int64_t wait_ms = retry_after(value);
        cr_expect(wait_ms > 60000 && wait_ms <= 90000, "%s: %" G_GINT64_FORMAT, value, wait_ms);
    }
}

Test(deliver, retry_after_that_says_nothing_is_left_out)
{
    static const char *const nothing[] = {"0", "-5", "soon", "Fri, 01 Jan 2021 00:00:00 GMT",
                                          "17x"};
    for (size_t i = 0; i < G_N_ELEMENTS(nothing); i++)
        cr_expect_leq(retry_after(nothing[i]), 17000, "%s", nothing[i]);
    cr_expect_eq(retry_after("Fri, 01 Jan 2021 00:00:00 GMT"), -1);
    cr_expect_eq(retry_after("soon"), -1);
    /* However much is asked for, it is never more than an hour (policy). */
    int64_t endless = retry_after("99999999999999999999");
    cr_expect_leq(hook_backoff_ms(1, 0, endless), 3600000);
}
