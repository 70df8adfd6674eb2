#include "cmd/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"

enum { EXIT_STOPPED = 8 };

struct signals {
    pthread_t thread;
    sigset_t set; /* SIGUSR1 in it ends the thread */
};

static void *
wait_for_signals(void *argument)
{
    const struct signals *signals = argument;
    bool stopping = false;
    for (;;) {
        int number = 0;
        if (sigwait(&signals->set, &number) != 0)
            continue;
        if (number == SIGUSR1)
            return NULL;
        if (stopping)
            _exit(EXIT_STOPPED);
        stopping = true;
        log_info("signals",
                 log_msg("stopping: the step under way is finished or undone; "
                         "a second signal ends at once"),
                 log_str("signal", number == SIGINT ? "SIGINT" : "SIGTERM"));
        stop_request();
    }
}

struct signals *
signals_begin(GError **error)
{
    struct signals *signals = g_new0(struct signals, 1);
    sigemptyset(&signals->set);
    sigaddset(&signals->set, SIGTERM);
    sigaddset(&signals->set, SIGINT);
    sigaddset(&signals->set, SIGUSR1);
    int status = pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
    if (status == 0)
        status = pthread_create(&signals->thread, NULL, wait_for_signals, signals);
    if (status == 0)
        return signals;
    g_set_error(error, MT_ERROR, MT_ERROR_FAILED, "cannot start the signal thread: %s",
                g_strerror(status));
    g_free(signals);
    return NULL;
}

void
signals_end(struct signals *signals)
{
    if (signals == NULL)
        return;
    pthread_kill(signals->thread, SIGUSR1);
    pthread_join(signals->thread, NULL);
    g_free(signals);
}
