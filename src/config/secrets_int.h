/* Passwords and signing secrets, from where the file says they are. */
#ifndef CONFIG_SECRETS_INT_H
#define CONFIG_SECRETS_INT_H

#include "config/problems_int.h"

/*
 * The value of an environment variable or a file (either may be NULL); one
 * line end at the file's end is dropped. NULL with a problem added at
 * `key_path`_env or `key_path`_file when it is not there. NULL without a
 * problem when neither is given. A file that everybody may read is warned of.
 */
char *secret_resolve(const char *key_path, const char *variable, const char *file,
                     struct problems *problems);

/* Overwrites and frees. */
void secret_free(char *secret);

#endif
