/*
 * From the file's text to a tree in one normal shape.
 *
 * libcyaml reports neither a key's nearest right name nor, in words a DBA would
 * use, its line; and it takes one shape per key. So libyaml reads the document
 * first: here every key and value is checked against the tables of keys_int.h,
 * and what libcyaml then gets has plain numbers, one shape per key, and every
 * default filled in.
 */
#ifndef CONFIG_DOCUMENT_INT_H
#define CONFIG_DOCUMENT_INT_H

#include <glib.h>
#include <jansson.h>

#include "config/problems_int.h"

/*
 * Checks `text` (length bytes) and gives the normal shape: JSON, which is YAML.
 * *ret_effective, when not NULL, is the file with every default, as YAML,
 * without secrets; the caller frees it. NULL when problems were found, which are
 * then in `problems`; the lines of all keys are there in any case.
 */
G_GNUC_WARN_UNUSED_RESULT json_t *document_normalize(const char *text, size_t length,
                                                     struct problems *problems,
                                                     char **ret_effective);

#endif
