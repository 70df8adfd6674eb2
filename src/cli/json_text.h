/* Texts in JSON. */
#ifndef CLI_JSON_TEXT_H
#define CLI_JSON_TEXT_H

#include <jansson.h>
#include <stdint.h>

/* A JSON string of any bytes (what is not UTF-8 is replaced); null for NULL. The caller owns it. */
json_t *json_text(const char *text);

/* A time, null for 0. The caller owns it. */
json_t *json_time(int64_t real_us);

/* Prints and releases the value. Caller frees (g_free). */
char *json_print(json_t *value);

#endif
