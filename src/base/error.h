/*
 * Errors: one GError domain, one list.
 *
 * Every entry gives the enum's suffix, the exit code that `move-tables` ends
 * with, whether trying again can help, and the text for the manual. Library
 * code only ever sets these; nothing below cmd/ exits.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <glib.h>
#include <stdbool.h>

/* X(suffix, exit code, transient, description) */
#define MT_ERROR_LIST(X)                                                                           \
    X(FAILED, 1, false, "anything without a code of its own")                                      \
    X(USAGE, 2, false, "command line or YAML wrong: the file, line, key, and what is allowed")     \
    X(PREFLIGHT, 3, false, "a check failed; nothing was changed")                                  \
    X(SOURCE, 4, false, "source refuses; resumable")                                               \
    X(SOURCE_LOST, 4, true, "source unreachable after retries; resumable")                         \
    X(SOURCE_BUSY, 4, true, "the move's lock on the source is held by another session; resumable") \
    X(TARGET, 5, false, "target refuses; resumable")                                               \
    X(TARGET_LOST, 5, true, "target unreachable after retries; resumable")                         \
    X(TARGET_BUSY, 5, true, "target deadlock or lock wait, after retries; resumable")              \
    X(CHECKPOINT, 6, false,                                                                        \
      "checkpoint incompatible: other config, other source, position purged, or schema too new")   \
    X(DATA, 7, false,                                                                              \
      "data that cannot be moved faithfully, DDL on a moved table, or a difference was found")     \
    X(GAP, 7, false,                                                                               \
      "changes of the source that cannot be read again: only a new beginning helps")               \
    X(STOPPED, 8, false, "stopped by abort or a signal; resumable")                                \
    X(FENCED, 9, false, "another runner owns the move")                                            \
    X(HOOK, 10, false, "the data is moved; a completed delivery is not acknowledged yet")          \
    X(CUTOVER, 11, false, "cutover did not happen (veto, lock or drain time-out); undone")

enum mt_error {
#define MT_ERROR_ENUM(suffix, exit_code, transient, text) MT_ERROR_##suffix,
    MT_ERROR_LIST(MT_ERROR_ENUM)
#undef MT_ERROR_ENUM
};

#define MT_ERROR (mt_error_quark())
GQuark mt_error_quark(void);

/* The process exit code for an error; 1 for errors of another domain. */
int mt_error_exit_code(const GError *error);

/* True when the same step may succeed on a new attempt (lost connection,
 * deadlock, lock wait). False for errors of another domain. */
bool mt_error_is_transient(const GError *error);

#endif
