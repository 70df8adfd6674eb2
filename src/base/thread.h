/* Starting threads. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* As pthread_create() with default attributes. A process that cannot have another thread ends
 * with a message: there is nothing useful that it could still do. */
void thread_start(pthread_t *ret_thread, void *(*run)(void *), void *argument);

#endif
