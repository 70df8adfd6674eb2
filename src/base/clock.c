#include "base/clock.h"

#include <errno.h>
#include <glib.h>
#include <time.h>

static int64_t
clock_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
clock_monotonic_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t
clock_real_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

char *
clock_format_utc(int64_t real_us)
{
    time_t seconds = (time_t)(real_us / 1000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    return g_strdup_printf("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                           parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                           parts.tm_sec, (int)(real_us % 1000000 / 1000));
}

void
clock_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool
clock_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_us)
{
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_us / 1000000),
        .tv_nsec = (long)(deadline_us % 1000000) * 1000,
    };
    return pthread_cond_timedwait(cond, mutex, &deadline) != ETIMEDOUT;
}
