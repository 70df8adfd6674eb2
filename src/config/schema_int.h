/* From the normal shape to structs, by libcyaml. */
#ifndef CONFIG_SCHEMA_INT_H
#define CONFIG_SCHEMA_INT_H

#include <glib.h>
#include <jansson.h>

#include "config/keys_int.h"

/* Fills a struct loaded; every string and array in it is g_malloc()ed and the
 * caller's, and so is the struct (g_free). NULL with MT_ERROR_FAILED only when
 * the tables of keys_int.h and libcyaml disagree. */
G_GNUC_WARN_UNUSED_RESULT struct loaded *schema_load(json_t *normal, GError **error);

#endif
