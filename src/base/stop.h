/*
 * The stop request: one per process, set by SIGTERM/SIGINT, by the `abort`
 * command, or by the first part of a run that fails.
 *
 * Whoever waits, waits here or on a condition that stop_request() reaches
 * through stop_on_request(): nothing in the program sleeps blindly.
 */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>
#include <stdint.h>

/* Asks everybody to stop. Idempotent, thread-safe, not for signal handlers. */
void stop_request(void);

/* Takes no lock: may be asked under any mutex. */
bool stop_requested(void);

/* Waits up to timeout_ms; true when a stop was requested (at once if it was before). */
bool stop_wait_ms(int64_t timeout_ms);

/* Registers a function that stop_request() calls (from the requesting thread),
 * so that a thread waiting on its own condition is woken. At most 32.
 * If the stop was already requested, it is called at once. */
void stop_on_request(void (*wake)(void *), void *argument);

/* Removes what stop_on_request() registered. */
void stop_forget(void (*wake)(void *), void *argument);

/* Clears the request: for tests and for the undo of a cutover after a stop. */
void stop_reset(void);

#endif
