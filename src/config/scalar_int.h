/* One value of the file against its key: pure but for the problems it adds. */
#ifndef CONFIG_SCALAR_INT_H
#define CONFIG_SCALAR_INT_H

#include <glib.h>
#include <jansson.h>

#include "config/keys_int.h"
#include "config/problems_int.h"

/* A value as found at a place of the file. */
struct scalar {
    const char *text;
    size_t length;
    size_t line;
    const char *path;
};

/*
 * The value for libcyaml: a string or an integer (choices: their index). NULL
 * with a problem added when it is not one that the key takes. The caller
 * decrefs.
 */
json_t *scalar_normalize(const struct key *key, struct scalar scalar, struct problems *problems);

/* The index of a choice, -1 if it is none: then a problem is added. */
int scalar_choice(const struct key *key, struct scalar scalar, struct problems *problems);

/* "a whole number from 1 to 64" and the like: what the key takes. Caller frees. */
char *key_allowed(const struct key *key);

/* "8MiB", "250ms": the shortest exact way to write it. Caller frees. */
char *bytes_to_text(int64_t bytes);
char *duration_to_text(int64_t ms);

#endif
