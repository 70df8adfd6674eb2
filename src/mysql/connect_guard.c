#include "mysql/connect_guard.h"

#include <sys/socket.h>

#include "base/clock.h"
#include "base/thread.h"

static void *
guard_main(void *argument)
{
    struct connect_guard *guard = argument;
    pthread_mutex_lock(&guard->mutex);
    while (!guard->ended) {
        int64_t deadline_us = clock_monotonic_us() + guard->limit_us;
        while (!guard->ended && clock_cond_wait_until(&guard->cond, &guard->mutex, deadline_us))
            ;
        /* Before the TCP connection stands there is no descriptor yet, and the library's own
         * limit; the handle's memory is zero then. */
        int descriptor = guard->handle->net.vio != NULL ? guard->handle->net.fd : 0;
        if (!guard->ended && descriptor > 0) {
            guard->cut_off = true;
            shutdown(descriptor, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&guard->mutex);
    return NULL;
}

void
connect_guard_begin(struct connect_guard *guard, MYSQL *handle, int64_t limit_s)
{
    *guard = (struct connect_guard){.handle = handle, .limit_us = limit_s * 1000000};
    pthread_mutex_init(&guard->mutex, NULL);
    clock_cond_init(&guard->cond);
    thread_start(&guard->thread, guard_main, guard);
}

void
connect_guard_end(struct connect_guard *guard)
{
    pthread_mutex_lock(&guard->mutex);
    guard->ended = true;
    pthread_cond_signal(&guard->cond);
    pthread_mutex_unlock(&guard->mutex);
    pthread_join(guard->thread, NULL);
    pthread_cond_destroy(&guard->cond);
    pthread_mutex_destroy(&guard->mutex);
}
