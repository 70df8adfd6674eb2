/* Quoting. Pure; everything appends to a GString that the caller owns. */
#ifndef MYSQL_QUOTE_H
#define MYSQL_QUOTE_H

#include <glib.h>
#include <stddef.h>

/* `name`, backticks doubled. */
void quote_identifier(GString *sql, const char *name);

/* `schema`.`table` */
void quote_table(GString *sql, const char *schema, const char *table);

/* 'text' for a session whose client character set is utf8mb4 and whose sql_mode
 * has no NO_BACKSLASH_ESCAPES (every session of ours). NULL gives NULL. */
void quote_string(GString *sql, const char *text);

/* _utf8mb4'…' with any bytes that are UTF-8. */
void quote_utf8(GString *sql, const char *text, size_t length);

/* _binary'…' with any bytes. */
void quote_bytes(GString *sql, const char *bytes, size_t length);

/* x'0a1b…' */
void quote_hex(GString *sql, const void *bytes, size_t length);

/* As quote_table/quote_string, newly allocated. */
char *quoted_table(const char *schema, const char *table);
char *quoted_string(const char *text);

#endif
