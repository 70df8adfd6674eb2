#include "cli/json_text.h"

#include <glib.h>
#include <stdlib.h>

#include "base/clock.h"

json_t *
json_text(const char *text)
{
    if (text == NULL)
        return json_null();
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

json_t *
json_time(int64_t real_us)
{
    g_autofree char *text = real_us == 0 ? NULL : clock_format_utc(real_us);
    return json_text(text);
}

char *
json_print(json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2));
    char *copy = g_strconcat(text != NULL ? text : "null", "\n", NULL);
    free(text);
    json_decref(value);
    return copy;
}
