#include "hook/deliver_int.h"

#include <curl/curl.h>
#include <string.h>

#include "base/clock.h"
#include "base/version.h"

/* More than this of an answer is not read, and this much of it is shown. */
#define ANSWER_MAX_BYTES (64 * 1024)
#define ANSWER_SHOWN_BYTES 200
/* So much is kept, so that a token that is cut off can be told from one that is not. */
#define ANSWER_KEPT_BYTES 4096
/* What is shorter is no secret, and may be a part of any word. */
#define CONCEALED_LEAST 4

struct channel {
    const struct hook_endpoint *endpoint;
    CURL *handle;
    char curl_error[CURL_ERROR_SIZE];
    const struct channel_request *request; /* in progress */
    bool left;                             /* it, or a part of it, may have left */
    bool forbidden;                        /* may_leave() said no */
    size_t answer_bytes;                   /* received so far, headers excluded */
    GString *answer;                       /* its first bytes */
};

/* --- callbacks ----------------------------------------------------------------------------- */

static size_t
receive(char *bytes, size_t size, size_t count, void *argument)
{
    struct channel *channel = argument;
    size_t length = size * count;
    if (channel->answer->len < ANSWER_KEPT_BYTES)
        g_string_append_len(channel->answer, bytes,
                            (gssize)MIN(length, ANSWER_KEPT_BYTES - channel->answer->len));
    channel->answer_bytes += length;
    /* The status is what counts: an endless answer is cut off, and stays an answer. */
    return channel->answer_bytes > ANSWER_MAX_BYTES ? CURL_WRITEFUNC_ERROR : length;
}

static int
look_up(void *argument, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    const struct channel *channel = argument;
    const atomic_bool *abandon = channel->request->abandon;
    return abandon != NULL && atomic_load(abandon) ? 1 : 0;
}

/* The connection is made, or a kept one is used again; from here on the request leaves. */
static int
before_request(void *argument, char *ip, char *local_ip, int port, int local_port)
{
    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    struct channel *channel = argument;
    const struct channel_request *request = channel->request;
    channel->forbidden = request->may_leave != NULL && !request->may_leave(request->context);
    if (channel->forbidden)
        return CURL_PREREQFUNC_ABORT;
    channel->left = true;
    return CURL_PREREQFUNC_OK;
}

/* --- the channel --------------------------------------------------------------------------- */

static void
set_fixed_options(struct channel *channel)
{
    CURL *handle = channel->handle;
    const struct hook_endpoint *endpoint = channel->endpoint;
    curl_easy_setopt(handle, CURLOPT_URL, endpoint->url);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    /* The file alone says where events go: not the environment, not .netrc. */
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    if (endpoint->ca != NULL)
        curl_easy_setopt(handle, CURLOPT_CAINFO, endpoint->ca);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)endpoint->timeout_ms);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)endpoint->timeout_ms);
    curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, channel->curl_error);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, channel);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look_up);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, channel);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(handle, CURLOPT_PREREQDATA, channel);
    curl_easy_setopt(handle, CURLOPT_POST, 1L);
    /* curl silently sends again when a kept connection turns out to be dead. */
    if (endpoint->in_doubt != IN_DOUBT_RETRY)
        curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
}

struct channel *
channel_new(const struct hook_endpoint *endpoint)
{
    struct channel *channel = g_new0(struct channel, 1);
    channel->endpoint = endpoint;
    channel->answer = g_string_new(NULL);
    channel->handle = curl_easy_init();
    g_assert(channel->handle != NULL);
    set_fixed_options(channel);
    return channel;
}

void
channel_free(struct channel *channel)
{
    if (channel == NULL)
        return;
    curl_easy_cleanup(channel->handle);
    g_string_free(channel->answer, TRUE);
    g_free(channel);
}

/* --- one request --------------------------------------------------------------------------- */

static void
add_header(struct curl_slist **headers, const char *name, const char *value)
{
    /* curl sends a header without a value only when it is written with a semicolon. */
    g_autofree char *line = *value != '\0' ? g_strdup_printf("%s: %s", name, value)
                                           : g_strdup_printf("%s;", name);
    struct curl_slist *longer = curl_slist_append(*headers, line);
    g_assert(longer != NULL);
    *headers = longer;
}

/* The headers of a POST, or, body NULL, of a probe. */
static struct curl_slist *
headers_for(const struct hook_endpoint *endpoint, const char *event_id, GBytes *body)
{
    struct curl_slist *headers = NULL;
    int64_t now_s = clock_real_us() / 1000000;
    g_autofree char *timestamp = g_strdup_printf("%" G_GINT64_FORMAT, now_s);
    g_autofree char *key = g_strdup_printf("\"%s\"", event_id);
    g_autofree char *agent = g_strdup_printf("move-tables/%s", build_version());
    g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
    add_header(&headers, "webhook-id", event_id);
    add_header(&headers, "webhook-timestamp", timestamp);
    if (endpoint->secret != NULL) {
        g_autofree char *signature = hook_signature(endpoint->secret, event_id, now_s,
                                                    body != NULL ? body : nothing);
        add_header(&headers, "webhook-signature", signature);
    }
    if (body != NULL) {
        add_header(&headers, "Content-Type", "application/cloudevents+json");
        add_header(&headers, "Idempotency-Key", key);
    }
    add_header(&headers, "User-Agent", agent);
    for (guint i = 0; endpoint->headers != NULL && i < endpoint->headers->len; i++) {
        const struct hook_header *header = &g_array_index(endpoint->headers, struct hook_header, i);
        if (g_ascii_strcasecmp(header->name, "User-Agent") != 0)
            add_header(&headers, header->name, header->value);
    }
    /* No `Expect: 100-continue`: it would cost a round trip in the cutover. */
    struct curl_slist *all = curl_slist_append(headers, "Expect:");
    g_assert(all != NULL);
    return all;
}

/* An answer may repeat what it was sent, a token among it. */
static void
conceal(GString *text, const char *secret)
{
    if (secret != NULL && strlen(secret) >= CONCEALED_LEAST)
        g_string_replace(text, secret, "[...]", 0);
}

static void
conceal_all(GString *text, const struct hook_endpoint *endpoint)
{
    const char *query = strchr(endpoint->url, '?');
    const char *probe_query = endpoint->probe_url != NULL ? strchr(endpoint->probe_url, '?') : NULL;
    conceal(text, query != NULL ? query + 1 : NULL);
    conceal(text, probe_query != NULL ? probe_query + 1 : NULL);
    conceal(text, endpoint->secret);
    for (guint i = 0; endpoint->headers != NULL && i < endpoint->headers->len; i++)
        conceal(text, g_array_index(endpoint->headers, struct hook_header, i).value);
}

/* The start of the answer, for people: printable, one line. */
static char *
shown_answer(const struct channel *channel)
{
    g_autofree char *text = g_utf8_make_valid(channel->answer->str, (gssize)channel->answer->len);
    for (char *c = text; *c != '\0'; c++)
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    g_autoptr(GString) shown = g_string_new(g_strstrip(text));
    conceal_all(shown, channel->endpoint);
    /* Only now is it cut: half a token at the end would not be found. */
    const char *end = shown->str;
    while (*end != '\0' && g_utf8_next_char(end) <= shown->str + ANSWER_SHOWN_BYTES)
        end = g_utf8_next_char(end);
    return g_strndup(shown->str, (gsize)(end - shown->str));
}

static void
read_result(struct channel *channel, CURLcode code, struct delivery_result *result)
{
    long status = 0;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(channel->handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(channel->handle, CURLINFO_RETRY_AFTER, &retry_after_s);
    /* An answer that broke off after its status line is still the receiver's answer; a 1xx is
     * not one yet. */
    result->status = status >= 200 ? (int)status : 0;
    result->verdict = hook_verdict(result->status);
    result->left = channel->left;
    result->retry_after_ms = retry_after_s > 0 ? (int64_t)retry_after_s * 1000 : -1;
    if (result->verdict == VERDICT_DELIVERED)
        return;
    if (result->status == 0) {
        const char *words = *channel->curl_error != '\0' ? channel->curl_error
                                                         : curl_easy_strerror(code);
        if (channel->forbidden)
            words = "not sent: it could not be confirmed that the move is still this runner's";
        else if (code == CURLE_ABORTED_BY_CALLBACK)
            words = "abandoned: the cutover no longer waits";
        result->detail = g_strdup(words);
        return;
    }
    g_autofree char *answer = shown_answer(channel);
    const char *more = result->status <= 399 ? " (redirects are not followed)" : "";
    result->detail = g_strdup_printf("HTTP %d%s%s%s", result->status, more,
                                     *answer != '\0' ? ": " : "", answer);
}

/* One request with the options that are set by now. `body` as in headers_for(). */
static void
perform(struct channel *channel, const struct channel_request *request, GBytes *body,
        struct delivery_result *ret_result)
{
    *ret_result = (struct delivery_result){.retry_after_ms = -1};
    channel->request = request;
    channel->left = false;
    channel->forbidden = false;
    channel->answer_bytes = 0;
    channel->curl_error[0] = '\0';
    g_string_truncate(channel->answer, 0);

    struct curl_slist *headers = headers_for(channel->endpoint, request->event_id, body);
    curl_easy_setopt(channel->handle, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(channel->handle);
    read_result(channel, code, ret_result);
    curl_easy_setopt(channel->handle, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    channel->request = NULL;
}

void
channel_post(struct channel *channel, const struct channel_request *request,
             struct delivery_result *ret_result)
{
    gsize length = 0;
    gconstpointer bytes = g_bytes_get_data(request->body, &length);
    curl_easy_setopt(channel->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    curl_easy_setopt(channel->handle, CURLOPT_POSTFIELDS, bytes);
    perform(channel, request, request->body, ret_result);
    curl_easy_setopt(channel->handle, CURLOPT_POSTFIELDS, NULL);
}

void
channel_probe(struct channel *channel, const struct channel_request *request,
              struct delivery_result *ret_result)
{
    g_autofree char *url = hook_probe_url(channel->endpoint->probe_url, request->event_id);
    curl_easy_setopt(channel->handle, CURLOPT_URL, url);
    curl_easy_setopt(channel->handle, CURLOPT_HTTPGET, 1L);
    perform(channel, request, NULL, ret_result);
    curl_easy_setopt(channel->handle, CURLOPT_URL, channel->endpoint->url);
    curl_easy_setopt(channel->handle, CURLOPT_POST, 1L);
}
