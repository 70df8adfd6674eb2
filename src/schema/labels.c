#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "schema/labels_int.h"

/* The server reads a number out of at most so many bytes. */
enum { NUMBER_BYTES_MAX = 5 };

/* One label as it is printed: quotes doubled, backslashes escape. */
struct label {
    const char *start;
    size_t length;
};

/* Moves *position behind the next label; false when there is none left. */
static bool
label_next(const char **position, struct label *ret_label)
{
    const char *p = strchr(*position, '\'');
    if (p == NULL)
        return false;
    const char *start = ++p;
    for (; *p != '\0' && (*p != '\'' || p[1] == '\''); p++)
        if ((*p == '\'' || *p == '\\') && p[1] != '\0')
            p++;
    *ret_label = (struct label){.start = start, .length = (size_t)(p - start)};
    *position = *p != '\0' ? p + 1 : p;
    return true;
}

unsigned
labels_count(const char *column_type)
{
    unsigned count = 0;
    struct label label;
    while (label_next(&column_type, &label))
        count++;
    return count;
}

/*
 * The one number of zeros that the label may be equal to (0: none), or all of them
 * (NUMBER_BYTES_MAX + 1). A letter or another digit counts in every collation; signs
 * may be ignored by one; what is not ASCII (or printed as '?', because MySQL cannot
 * print it) may be another form of 0.
 */
static unsigned
equal_zeros(struct label label)
{
    unsigned zeros = 0;
    bool unknown = false;
    for (const char *p = label.start; p < label.start + label.length; p = g_utf8_next_char(p)) {
        gunichar character = g_utf8_get_char(p);
        if (g_unichar_isalpha(character) || (character >= '1' && character <= '9'))
            return 0;
        zeros += character == '0' ? 1 : 0;
        unknown = unknown || character == '?' || character >= 0x80;
    }
    return unknown ? NUMBER_BYTES_MAX + 1 : zeros;
}

/* The character set to write the zeros in, and the bytes of one zero in hex; NULL: plain ASCII. */
static const char *
zero_unit(const char *charset, const char **ret_prefix)
{
    static const struct {
        const char *charset;
        const char *prefix;
        const char *unit;
    } wide[] = {
        {"ucs2", "_utf16 x'", "0030"}, /* the same bytes; _ucs2 itself is deprecated */
        {"utf16", "_utf16 x'", "0030"},
        {"utf16le", "_utf16le x'", "3000"},
        {"utf32", "_utf32 x'", "00000030"},
    };
    for (size_t i = 0; charset != NULL && i < G_N_ELEMENTS(wide); i++)
        if (g_str_equal(wide[i].charset, charset)) {
            *ret_prefix = wide[i].prefix;
            return wide[i].unit;
        }
    *ret_prefix = "'";
    return "0";
}

char *
labels_zero_literal(const char *column_type, const char *charset)
{
    bool taken[NUMBER_BYTES_MAX + 2] = {false};
    struct label label;
    while (label_next(&column_type, &label)) {
        unsigned zeros = equal_zeros(label);
        if (zeros > NUMBER_BYTES_MAX)
            return NULL;
        taken[zeros] = true;
    }
    const char *prefix;
    const char *unit = zero_unit(charset, &prefix);
    size_t unit_bytes = *prefix == '\'' ? 1 : strlen(unit) / 2;
    for (unsigned zeros = 1; zeros * unit_bytes <= NUMBER_BYTES_MAX; zeros++) {
        if (taken[zeros])
            continue;
        GString *literal = g_string_new(prefix);
        for (unsigned i = 0; i < zeros; i++)
            g_string_append(literal, unit);
        g_string_append_c(literal, '\'');
        return g_string_free(literal, FALSE);
    }
    return NULL;
}
