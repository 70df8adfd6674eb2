#include "config/scalar_int.h"

#include <string.h>

#include "base/nearest.h"

struct unit {
    const char *name;
    int64_t size;
};

static const struct unit byte_units[] = {
    {"GiB", INT64_C(1) << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}};
static const struct unit time_units[] = {
    {"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1}};

/* Decimal digits only: no sign, no space, no hexadecimal. Gives the rest of the text. */
static const char *
parse_digits(const char *text, int64_t *ret_number)
{
    if (!g_ascii_isdigit(*text))
        return NULL;
    int64_t number = 0;
    for (; g_ascii_isdigit(*text); text++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *text - '0', &number))
            return NULL;
    }
    *ret_number = number;
    return text;
}

static bool
parse_with_unit(const char *text, const struct unit *units, size_t count, int64_t *ret_number)
{
    int64_t number = 0;
    const char *rest = parse_digits(text, &number);
    if (rest == NULL)
        return false;
    if (*rest == '\0' && number == 0) {
        *ret_number = 0;
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rest, units[i].name) == 0)
            return !__builtin_mul_overflow(number, units[i].size, ret_number);
    }
    return false;
}

bool
config_parse_bytes(const char *text, int64_t *ret_bytes)
{
    return parse_with_unit(text, byte_units, G_N_ELEMENTS(byte_units), ret_bytes);
}

bool
config_parse_duration_ms(const char *text, int64_t *ret_ms)
{
    return parse_with_unit(text, time_units, G_N_ELEMENTS(time_units), ret_ms);
}

static char *
with_unit(int64_t number, const struct unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (number != 0 && number % units[i].size == 0)
            return g_strdup_printf("%" G_GINT64_FORMAT "%s", number / units[i].size, units[i].name);
    }
    return g_strdup("0");
}

char *
bytes_to_text(int64_t bytes)
{
    return with_unit(bytes, byte_units, G_N_ELEMENTS(byte_units));
}

char *
duration_to_text(int64_t ms)
{
    return with_unit(ms, time_units, G_N_ELEMENTS(time_units));
}

static char *
choices_text(const struct key *key)
{
    g_autofree char *all = g_strjoinv(", ", (char **)(uintptr_t)key->choices);
    return g_strdup_printf("one of: %s", all);
}

char *
key_allowed(const struct key *key)
{
    g_autofree char *least = NULL;
    g_autofree char *most = NULL;
    switch (key->kind) {
    case KEY_TEXT:
        return g_strdup("text");
    case KEY_NUMBER:
        return g_strdup_printf("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                               key->least, key->most);
    case KEY_BYTES:
        least = bytes_to_text(key->least);
        most = bytes_to_text(key->most);
        return g_strdup_printf("a size from %s to %s, in B, KiB, MiB or GiB", least, most);
    case KEY_DURATION:
        least = duration_to_text(key->least);
        most = duration_to_text(key->most);
        return g_strdup_printf("a time from %s to %s, in ms, s, m or h", least, most);
    case KEY_CHOICE:
        return choices_text(key);
    case KEY_CHOICES: {
        g_autofree char *choices = choices_text(key);
        return g_strdup_printf("a list, each %s", choices);
    }
    case KEY_SECTION:
        return g_strdup("a mapping of keys");
    case KEY_SECTIONS:
        return g_strdup("a list");
    case KEY_PAIRS:
        return g_strdup("a mapping of names to texts");
    }
    return g_strdup("text");
}

/* A value as it may stand in a message: short, and nothing that a terminal would obey. */
static char *
shown(const char *text)
{
    enum { LONGEST_SHOWN = 80 };
    bool cut = g_utf8_strlen(text, -1) > LONGEST_SHOWN;
    g_autofree char *start = cut ? g_utf8_substring(text, 0, LONGEST_SHOWN) : g_strdup(text);
    GString *safe = g_string_new(NULL);
    for (const char *at = start; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        g_string_append_unichar(safe, g_unichar_iscntrl(c) ? '?' : c);
    }
    g_string_append(safe, cut ? "…" : "");
    return g_string_free(safe, FALSE);
}

static void
refuse(const struct key *key, struct scalar scalar, struct problems *problems)
{
    g_autofree char *allowed = key_allowed(key);
    const char *nearest = key->choices == NULL
                              ? NULL
                              : nearest_word(scalar.text, key->choices,
                                             g_strv_length((char **)(uintptr_t)key->choices));
    g_autofree char *hint = nearest == NULL ? NULL
                                            : g_strdup_printf(" (is \"%s\" meant?)", nearest);
    g_autofree char *value = shown(scalar.text);
    if (key->secret)
        problems_add(problems, scalar.line, scalar.path, "must be %s", allowed);
    else
        problems_add(problems, scalar.line, scalar.path, "\"%s\" is not allowed%s; must be %s",
                     value, hint == NULL ? "" : hint, allowed);
}

int
scalar_choice(const struct key *key, struct scalar scalar, struct problems *problems)
{
    for (int i = 0; key->choices[i] != NULL; i++) {
        if (strcmp(key->choices[i], scalar.text) == 0)
            return i;
    }
    refuse(key, scalar, problems);
    return -1;
}

/* Control characters have no place in a name, a path, an address or a password, and the second
 * reading would not take all of them. */
static bool
text_is_printable(const char *text)
{
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (g_unichar_iscntrl(c) || c == 0xfeff || (c & 0xfffe) == 0xfffe)
            return false;
    }
    return true;
}

static json_t *
normalize_text(const struct key *key, struct scalar scalar, struct problems *problems)
{
    if (strlen(scalar.text) != scalar.length || !g_utf8_validate(scalar.text, -1, NULL) ||
        !text_is_printable(scalar.text)) {
        problems_add(problems, scalar.line, scalar.path,
                     "contains a control character (a line break, perhaps); write it on one line");
        return NULL;
    }
    int64_t length = g_utf8_strlen(scalar.text, -1);
    if (length < key->least || (key->most > 0 && length > key->most)) {
        if (length == 0)
            problems_add(problems, scalar.line, scalar.path, "must not be empty");
        else
            problems_add(problems, scalar.line, scalar.path,
                         "has %" G_GINT64_FORMAT " characters; must have %" G_GINT64_FORMAT
                         " to %" G_GINT64_FORMAT,
                         length, key->least, key->most);
        return NULL;
    }
    return json_stringn(scalar.text, scalar.length);
}

json_t *
scalar_normalize(const struct key *key, struct scalar scalar, struct problems *problems)
{
    int64_t number = 0;
    const char *rest = NULL;
    bool right = false;
    if (key->kind == KEY_TEXT)
        return normalize_text(key, scalar, problems);
    if (key->kind == KEY_CHOICE) {
        int choice = scalar_choice(key, scalar, problems);
        return choice < 0 ? NULL : json_integer(choice);
    }
    if (key->kind == KEY_NUMBER) {
        rest = parse_digits(scalar.text, &number);
        right = rest != NULL && *rest == '\0';
    } else if (key->kind == KEY_BYTES) {
        right = config_parse_bytes(scalar.text, &number);
    } else if (key->kind == KEY_DURATION) {
        right = config_parse_duration_ms(scalar.text, &number);
    }
    if (!right || number < key->least || number > key->most) {
        refuse(key, scalar, problems);
        return NULL;
    }
    return json_integer(number);
}
