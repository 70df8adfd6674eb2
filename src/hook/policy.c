/* What an answer means, and when to try again. Pure. */
#include <string.h>

#include "hook/hook.h"

/* 0.5 s, 1 s, 2 s, … 60 s: a receiver that restarts is found soon, one that is down is left alone. */
#define BACKOFF_FIRST_MS 500
#define BACKOFF_MAX_MS 60000
/* A receiver may ask for this much patience and no more. */
#define RETRY_AFTER_MAX_MS 3600000

enum delivery_verdict
hook_verdict(int status)
{
    if (status >= 200 && status <= 299)
        return VERDICT_DELIVERED;
    /* None: transport. 409: an earlier attempt is still being worked on. */
    if (status < 200 || status >= 500 || status == 408 || status == 409 || status == 425 ||
        status == 429)
        return VERDICT_RETRY;
    return VERDICT_REFUSED;
}

bool
hook_leaves_doubt(const struct delivery_result *result)
{
    if (result->verdict != VERDICT_RETRY)
        return false;
    return result->status == 0 ? result->left : result->status >= 500 && result->status != 503;
}

enum probe_verdict
hook_probe_verdict(int status)
{
    if (status >= 200 && status <= 299)
        return PROBE_ARRIVED;
    return status == 404 ? PROBE_ABSENT : PROBE_UNKNOWN;
}

char *
hook_probe_url(const char *probe_url, const char *event_id)
{
    GString *url = g_string_new(probe_url);
    if (g_string_replace(url, "{id}", event_id, 0) == 0)
        g_string_append_printf(url, "%sid=%s", strchr(probe_url, '?') != NULL ? "&" : "?",
                               event_id);
    return g_string_free(url, FALSE);
}

int64_t
hook_backoff_ms(unsigned attempts, double random01, int64_t retry_after_ms)
{
    int64_t full_ms = BACKOFF_FIRST_MS;
    for (unsigned i = 1; i < attempts && full_ms < BACKOFF_MAX_MS; i++)
        full_ms *= 2;
    full_ms = MIN(full_ms, BACKOFF_MAX_MS);
    /* Half fixed, half random: many movers must not come back in step. */
    int64_t backoff_ms = full_ms / 2 + (int64_t)((double)(full_ms / 2) * random01);
    return MAX(backoff_ms, MIN(retry_after_ms, RETRY_AFTER_MAX_MS));
}
