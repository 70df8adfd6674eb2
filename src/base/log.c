#include "base/log.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* Set before threads start. */
static struct {
    enum log_level least;
    enum log_format format;
    void (*before)(void *context);
    void (*after)(void *context);
    void *context;
} settings = {.least = LOG_LEVEL_INFO};

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

void
log_configure(enum log_level least, enum log_format format)
{
    settings.least = least;
    settings.format = format;
}

void
log_set_display_hooks(void (*before)(void *context), void (*after)(void *context), void *context)
{
    settings.context = context;
    settings.before = before;
    settings.after = after;
}

/* Appends text inside double quotes; control characters as \u00XX (JSON's rules serve both). */
static void
append_quoted(GString *line, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_string_append_c(line, '"');
    for (const char *p = valid; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            g_string_append_printf(line, "\\%c", c);
        else if (c == '\n')
            g_string_append(line, "\\n");
        else if (c < 0x20)
            g_string_append_printf(line, "\\u%04x", c);
        else
            g_string_append_c(line, (char)c);
    }
    g_string_append_c(line, '"');
}

static void
append_text_value(GString *line, const char *text)
{
    if (*text != '\0' && strpbrk(text, " \"\\=\n\r\t") == NULL)
        g_string_append(line, text);
    else
        append_quoted(line, text);
}

static void
append_field(GString *line, enum log_format format, const struct log_field *field)
{
    bool json = format == LOG_FORMAT_JSON;
    if (field->type == LOG_FIELD_MESSAGE) {
        if (json) {
            g_string_append(line, ",\"message\":");
            append_quoted(line, field->string);
        } else {
            g_string_append_printf(line, " %s", field->string);
        }
        return;
    }
    g_string_append(line, json ? ",\"" : " ");
    g_string_append(line, field->key);
    g_string_append(line, json ? "\":" : "=");
    if (field->type == LOG_FIELD_INT)
        g_string_append_printf(line, "%" G_GINT64_FORMAT, field->integer);
    else if (field->string == NULL)
        g_string_append(line, json ? "null" : "-");
    else if (json)
        append_quoted(line, field->string);
    else
        append_text_value(line, field->string);
}

char *
log_format_line(enum log_format format, enum log_level level, const char *time_text,
                const char *component, const struct log_field *fields)
{
    GString *line = g_string_sized_new(160);
    if (format == LOG_FORMAT_JSON)
        g_string_append_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"component\":\"%s\"",
                               time_text, level_names[level], component);
    else
        g_string_append_printf(line, "%s %s %s", time_text, level_names[level], component);
    for (; fields->type != LOG_FIELD_END; fields++)
        append_field(line, format, fields);
    if (format == LOG_FORMAT_JSON)
        g_string_append_c(line, '}');
    return g_string_free(line, FALSE);
}

void
log_emit(enum log_level level, const char *component, const struct log_field *fields)
{
    if (level < settings.least)
        return;
    g_autofree char *now = clock_format_utc(clock_real_us());
    g_autofree char *text = log_format_line(settings.format, level, now, component, fields);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    if (settings.before != NULL)
        settings.before(settings.context);
    size_t length = strlen(line);
    for (size_t done = 0; done < length;) {
        ssize_t n = write(STDERR_FILENO, line + done, length - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (settings.after != NULL)
        settings.after(settings.context);
}
