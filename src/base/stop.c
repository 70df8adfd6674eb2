#include "base/stop.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"

#define WAKERS_MAX 32

struct waker {
    void (*wake)(void *);
    void *argument;
};

/* The one stop flag of the process (the other mutable global is the log level). */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    atomic_bool requested; /* written under the mutex; read by anybody */
    struct waker wakers[WAKERS_MAX];
    size_t wakers_count;
} stop = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t stop_once = PTHREAD_ONCE_INIT;

static void
stop_init(void)
{
    clock_cond_init(&stop.cond);
}

void
stop_request(void)
{
    pthread_once(&stop_once, stop_init);
    pthread_mutex_lock(&stop.mutex);
    if (!stop.requested) {
        stop.requested = true;
        pthread_cond_broadcast(&stop.cond);
        /* Called under the mutex: after stop_forget() returns, a waker's argument may be freed.
         * Wakers only lock their own mutex and signal; whoever holds such a mutex may ask
         * stop_requested(), which takes none. */
        for (size_t i = 0; i < stop.wakers_count; i++)
            stop.wakers[i].wake(stop.wakers[i].argument);
    }
    pthread_mutex_unlock(&stop.mutex);
}

bool
stop_requested(void)
{
    return atomic_load(&stop.requested);
}

bool
stop_wait_ms(int64_t timeout_ms)
{
    pthread_once(&stop_once, stop_init);
    int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;
    pthread_mutex_lock(&stop.mutex);
    while (!stop.requested && clock_cond_wait_until(&stop.cond, &stop.mutex, deadline_us))
        ;
    bool requested = stop.requested;
    pthread_mutex_unlock(&stop.mutex);
    return requested;
}

void
stop_on_request(void (*wake)(void *), void *argument)
{
    pthread_mutex_lock(&stop.mutex);
    g_assert(stop.wakers_count < WAKERS_MAX);
    stop.wakers[stop.wakers_count++] = (struct waker){.wake = wake, .argument = argument};
    if (stop.requested)
        wake(argument);
    pthread_mutex_unlock(&stop.mutex);
}

void
stop_forget(void (*wake)(void *), void *argument)
{
    pthread_mutex_lock(&stop.mutex);
    for (size_t i = 0; i < stop.wakers_count; i++) {
        if (stop.wakers[i].wake == wake && stop.wakers[i].argument == argument) {
            stop.wakers[i] = stop.wakers[--stop.wakers_count];
            break;
        }
    }
    pthread_mutex_unlock(&stop.mutex);
}

void
stop_reset(void)
{
    pthread_mutex_lock(&stop.mutex);
    stop.requested = false;
    pthread_mutex_unlock(&stop.mutex);
}
