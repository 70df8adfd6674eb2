#include "base/thread.h"

#include <glib.h>
#include <string.h>

void
thread_start(pthread_t *ret_thread, void *(*run)(void *), void *argument)
{
    int failure = pthread_create(ret_thread, NULL, run, argument);
    if (failure != 0)
        g_error("no further thread can be started: %s", strerror(failure));
}
