#include "copy/bound.h"

#include <stdatomic.h>
#include <string.h>

#include "base/error.h"

struct bound {
    atomic_int references;
    size_t parts;
    struct column_text texts[]; /* their bytes follow the array */
};

struct bound *
bound_new(const struct column_text *texts, size_t parts)
{
    size_t bytes = 0;
    for (size_t i = 0; i < parts; i++)
        bytes += texts[i].length;
    struct bound *bound = g_malloc(sizeof *bound + parts * sizeof *texts + bytes);
    atomic_init(&bound->references, 1);
    bound->parts = parts;
    char *place = (char *)&bound->texts[parts];
    for (size_t i = 0; i < parts; i++) {
        if (texts[i].length > 0)
            memcpy(place, texts[i].data, texts[i].length);
        bound->texts[i] = (struct column_text){.data = place, .length = texts[i].length};
        place += texts[i].length;
    }
    return bound;
}

struct bound *
bound_ref(struct bound *bound)
{
    if (bound != NULL)
        atomic_fetch_add(&bound->references, 1);
    return bound;
}

void
bound_unref(struct bound *bound)
{
    if (bound != NULL && atomic_fetch_sub(&bound->references, 1) == 1)
        g_free(bound);
}

const struct column_text *
bound_texts(const struct bound *bound)
{
    return bound->texts;
}

char *
bound_to_json(const struct bound *bound)
{
    GString *json = g_string_new("[");
    for (size_t i = 0; i < bound->parts; i++) {
        g_string_append(json, i > 0 ? ",\"" : "\"");
        for (size_t j = 0; j < bound->texts[i].length; j++)
            g_string_append_printf(json, "%02x", (unsigned char)bound->texts[i].data[j]);
        g_string_append_c(json, '"');
    }
    g_string_append_c(json, ']');
    return g_string_free(json, FALSE);
}

/* Decodes one "hex" at *json into bytes and moves past it. */
static bool
parse_part(const char **json, GByteArray *bytes)
{
    const char *p = *json;
    if (*p++ != '"')
        return false;
    for (; g_ascii_isxdigit(p[0]) && g_ascii_isxdigit(p[1]); p += 2) {
        guint8 byte = (guint8)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1]));
        g_byte_array_append(bytes, &byte, 1);
    }
    if (*p++ != '"')
        return false;
    *json = p;
    return true;
}

static bool
parse_parts(const char *json, size_t parts, GByteArray *bytes, struct column_text *texts)
{
    const char *p = json;
    if (*p++ != '[')
        return false;
    for (size_t i = 0; i < parts; i++) {
        size_t before = bytes->len;
        if ((i > 0 && *p++ != ',') || !parse_part(&p, bytes))
            return false;
        texts[i].length = bytes->len - before;
    }
    if (strcmp(p, "]") != 0)
        return false;
    /* Only now: the array may have moved while it grew. */
    const char *place = (const char *)bytes->data;
    for (size_t i = 0; i < parts; i++) {
        texts[i].data = place;
        place += texts[i].length;
    }
    return true;
}

struct bound *
bound_from_json(const char *json, size_t parts, GError **error)
{
    GByteArray *bytes = g_byte_array_new();
    g_autofree struct column_text *texts = g_new0(struct column_text, parts);
    struct bound *bound = NULL;
    if (parse_parts(json, parts, bytes, texts))
        bound = bound_new(texts, parts);
    else
        g_set_error(error, MT_ERROR, MT_ERROR_CHECKPOINT,
                    "the checkpoint's copied_to is not a key of %zu parts: %s", parts, json);
    g_byte_array_unref(bytes);
    return bound;
}
