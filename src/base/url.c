#include "base/url.h"

#include <glib.h>
#include <string.h>

char *
url_text(const char *url)
{
    return url != NULL ? g_strndup(url, strcspn(url, "?#")) : NULL;
}
