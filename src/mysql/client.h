/* The client library as a whole. */
#ifndef MYSQL_CLIENT_H
#define MYSQL_CLIENT_H

#include <glib.h>
#include <stdbool.h>

/* Prepares the library. To be called by the main thread before any other exists:
 * the library's own start is not thread-safe. MT_ERROR_FAILED when it cannot. */
G_GNUC_WARN_UNUSED_RESULT bool client_begin(GError **error);

/* Releases what the library keeps. After every connection is closed. */
void client_end(void);

/* The library's version, "9.7.0". */
const char *client_version(void);

#endif
