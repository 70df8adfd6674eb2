#include "mysql/words.h"

#include <glib.h>
#include <mysqld_error.h>
#include <string.h>

/* Since 8.0.18; the client library's list may be older. */
#define CANNOT_CONVERT_STRING_3854 3854

/* The value stands after `before`; up to the last `after`, or to the end where there is none. */
static const struct {
    unsigned number;
    const char *before;
    const char *after;
} forms[] = {
    {ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, "value: '", "' for column "},
    {ER_TRUNCATED_WRONG_VALUE, "value: '", "' for column "},
    {ER_WRONG_VALUE, "value: '", "' for column "},
    {ER_WRONG_VALUE_FOR_TYPE, "value: '", "' for function "},
    {ER_INVALID_CHARACTER_STRING, "string: '", NULL},
    {ER_ILLEGAL_VALUE_FOR_TYPE, " '", "' value found"},
    {ER_DUP_ENTRY, "entry '", "' for key "},
    {ER_NO_PARTITION_FOR_GIVEN_VALUE, "for value ", NULL},
    {CANNOT_CONVERT_STRING_3854, "string '", "' from "},
};

/* Where the last `part` begins; NULL when it is not in `text`. */
static const char *
last_of(const char *text, const char *part)
{
    return part != NULL ? g_strrstr(text, part) : NULL;
}

char *
server_words_without_values(unsigned number, const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        if (forms[i].number != number)
            continue;
        const char *value = strstr(text, forms[i].before);
        if (value == NULL)
            break;
        value += strlen(forms[i].before);
        const char *rest = last_of(value, forms[i].after);
        return g_strdup_printf("%.*s[...]%s", (int)(value - text), text, rest != NULL ? rest : "");
    }
    return g_strdup(text);
}
