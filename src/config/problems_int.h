/* What is wrong with a file: all of it, with the line of each. Belongs to one thread. */
#ifndef CONFIG_PROBLEMS_INT_H
#define CONFIG_PROBLEMS_INT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"

struct problems;

/* `file` as it shall appear in messages; copied. */
struct problems *problems_new(const char *file);
void problems_free(struct problems *problems);
STRUCT_AUTOPTR(problems, problems_free)

/* Remembers where a key (`hooks[1].url`) stands, from 1. */
void problems_set_line(struct problems *problems, const char *key_path, size_t line);

/* The line of a key; of the nearest mapping around it when the key itself is not in the file. */
size_t problems_line(const struct problems *problems, const char *key_path);

/* Adds `file:line: key_path: message`. key_path may be "" for the file as a whole. */
void problems_add(struct problems *problems, size_t line, const char *key_path, const char *format,
                  ...) G_GNUC_PRINTF(4, 5);

/* As problems_add with the line found by problems_line(). */
void problems_add_at(struct problems *problems, const char *key_path, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* True while none was added. */
bool problems_none(const struct problems *problems);

/* Sets MT_ERROR_USAGE with all problems by line, one a line of the message. Returns false. */
bool problems_to_error(struct problems *problems, GError **error);

#endif
