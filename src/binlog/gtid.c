#include "binlog/gtid.h"

#include <string.h>

#include "binlog/gtid_int.h"

void
gtid_append_uuid(GString *text, const uint8_t uuid[16])
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            g_string_append_c(text, '-');
        g_string_append_c(text, digits[uuid[i] >> 4]);
        g_string_append_c(text, digits[uuid[i] & 15]);
    }
}

char *
gtid_to_string(const struct gtid *gtid)
{
    GString *text = g_string_sized_new(64);
    gtid_append_uuid(text, gtid->uuid);
    if (gtid->tag[0] != '\0')
        g_string_append_printf(text, ":%s", gtid->tag);
    g_string_append_printf(text, ":%" G_GINT64_FORMAT, gtid->number);
    return g_string_free(text, FALSE);
}

bool
gtid_tag_take(const char *bytes, size_t length, char ret_tag[GTID_TAG_MAX + 1])
{
    if (length > GTID_TAG_MAX)
        return false;
    char tag[GTID_TAG_MAX + 1] = "";
    for (size_t i = 0; i < length; i++) {
        char c = g_ascii_tolower(bytes[i]);
        bool digit_allowed = i > 0;
        if (!(c >= 'a' && c <= 'z') && c != '_' && !(digit_allowed && g_ascii_isdigit(c)))
            return false;
        tag[i] = c;
    }
    memcpy(ret_tag, tag, sizeof tag);
    return true;
}
