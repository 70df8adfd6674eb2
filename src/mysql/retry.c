#include "mysql/retry.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/stop.h"

struct retry
retry_for(const struct server *server, int64_t first_ms, int64_t max_ms)
{
    return (struct retry){
        .limit_us = server->retry_s * 1000000,
        .pause_ms = first_ms,
        .pause_max_ms = max_ms,
    };
}

bool
retry_again(struct retry *retry, GError **failure)
{
    if (!mt_error_is_transient(*failure))
        return false;
    int64_t now_us = clock_monotonic_us();
    if (retry->give_up_us == 0)
        retry->give_up_us = now_us + retry->limit_us;
    if (now_us >= retry->give_up_us)
        return false;
    if (stop_wait_ms(retry->pause_ms)) {
        g_autoptr(GError) cause = g_steal_pointer(failure);
        g_set_error(failure, MT_ERROR, MT_ERROR_STOPPED, "stopped while trying again: %s",
                    cause->message);
        return false;
    }
    g_clear_error(failure);
    retry->pause_ms = MIN(retry->pause_ms * 2, retry->pause_max_ms);
    return true;
}
