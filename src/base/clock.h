/* Time. Monotonic for durations, real time only for what people read. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Monotonic microseconds. */
int64_t clock_monotonic_us(void);

/* Microseconds since the epoch. */
int64_t clock_real_us(void);

/* `2026-11-20T12:00:00.123Z`. Caller frees. */
char *clock_format_utc(int64_t real_us);

/* A condition variable on the monotonic clock (timed waits do not jump). */
void clock_cond_init(pthread_cond_t *cond);

/* Waits on cond until deadline_us (monotonic). False when the deadline passed. */
bool clock_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_us);

#endif
