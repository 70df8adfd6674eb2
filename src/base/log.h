/*
 * Log lines on stderr: `time level component message key=value …`, or JSON.
 *
 * Usage: log_info("copy", log_msg("chunk committed"), log_str("table", name),
 *                 log_int("rows", n));
 *
 * Never pass a password or a row's values. Thread-safe: one line is one
 * write(2).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum log_field_type { LOG_FIELD_END, LOG_FIELD_MESSAGE, LOG_FIELD_STRING, LOG_FIELD_INT };

struct log_field {
    enum log_field_type type;
    const char *key;
    const char *string;
    int64_t integer;
};

static inline struct log_field
log_msg(const char *message)
{
    return (struct log_field){.type = LOG_FIELD_MESSAGE, .string = message};
}

static inline struct log_field
log_str(const char *key, const char *value)
{
    return (struct log_field){.type = LOG_FIELD_STRING, .key = key, .string = value};
}

static inline struct log_field
log_int(const char *key, int64_t value)
{
    return (struct log_field){.type = LOG_FIELD_INT, .key = key, .integer = value};
}

#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.type = LOG_FIELD_END}})
#define log_debug(component, ...) log_emit(LOG_LEVEL_DEBUG, component, LOG_FIELDS(__VA_ARGS__))
#define log_info(component, ...) log_emit(LOG_LEVEL_INFO, component, LOG_FIELDS(__VA_ARGS__))
#define log_warning(component, ...) log_emit(LOG_LEVEL_WARNING, component, LOG_FIELDS(__VA_ARGS__))
#define log_error(component, ...) log_emit(LOG_LEVEL_ERROR, component, LOG_FIELDS(__VA_ARGS__))

/* Sets the least level that is written, and the format. Call before threads start. */
void log_configure(enum log_level least, enum log_format format);

/* Called around every line so that a live progress display can clear and
 * repaint itself, with `context`; `before` and `after` may be NULL. Call before
 * threads start. */
void log_set_display_hooks(void (*before)(void *context), void (*after)(void *context),
                           void *context);

/* Writes one line; `fields` ends with LOG_FIELD_END (LOG_FIELDS() adds it). Thread-safe. */
void log_emit(enum log_level level, const char *component, const struct log_field *fields);

/* The line itself, without newline: what log_emit writes. Pure. Caller frees. */
char *log_format_line(enum log_format format, enum log_level level, const char *time_text,
                      const char *component, const struct log_field *fields);

#endif
