#include "cli/findings_text.h"

#include <jansson.h>

#include "cli/human.h"
#include "cli/json_text.h"

enum { SUBJECT_MOST = 40 };

static const char *const level_names[] = {
    [FINDING_OK] = "ok",
    [FINDING_WARNING] = "warning",
    [FINDING_ERROR] = "error",
};
static const char *const level_colours[] = {
    [FINDING_OK] = "\033[32m",
    [FINDING_WARNING] = "\033[33m",
    [FINDING_ERROR] = "\033[31m",
};

/* Continues after a line break at the same place. */
static void
append_indented(GString *text, const char *lines, unsigned indent)
{
    for (const char *at = lines; *at != '\0'; at++) {
        g_string_append_c(text, *at);
        if (*at == '\n' && at[1] != '\0')
            g_string_append_printf(text, "%*s", (int)indent, "");
    }
    g_string_append_c(text, '\n');
}

static void
append_finding(GString *text, const struct finding *finding, unsigned width, bool colour)
{
    unsigned indent = 9 + width + 2;
    if (colour)
        g_string_append(text, level_colours[finding->level]);
    human_append_cell(text, level_names[finding->level], 7, false);
    g_string_append(text, colour ? "\033[0m  " : "  ");
    /* A subject too long for its column keeps its whole name: it is what people search for. */
    if (g_utf8_strlen(finding->subject, -1) > (glong)width)
        g_string_append(text, finding->subject);
    else
        human_append_cell(text, finding->subject, width, false);
    g_string_append(text, "  ");
    append_indented(text, finding->message, indent);
    if (finding->cure != NULL) {
        g_string_append_printf(text, "%*s-> ", (int)indent, "");
        append_indented(text, finding->cure, indent + 3);
    }
}

void
findings_text_append(GString *text, const GPtrArray *findings, bool colour)
{
    unsigned counts[G_N_ELEMENTS(level_names)] = {0};
    unsigned width = 0;
    for (unsigned i = 0; i < findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(findings, i);
        glong length = g_utf8_strlen(finding->subject, -1);
        width = MAX(width, (unsigned)MIN(length, SUBJECT_MOST));
        counts[finding->level]++;
    }
    for (unsigned i = 0; i < findings->len; i++)
        append_finding(text, g_ptr_array_index(findings, i), width, colour);
    g_string_append_printf(text, "\n%u ok, %u warning%s, %u error%s: %s\n", counts[FINDING_OK],
                           counts[FINDING_WARNING], counts[FINDING_WARNING] == 1 ? "" : "s",
                           counts[FINDING_ERROR], counts[FINDING_ERROR] == 1 ? "" : "s",
                           counts[FINDING_ERROR] == 0 ? "ready to run" : "mend the errors first");
}

char *
findings_to_json(const GPtrArray *findings)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(findings, i);
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:o, s:o}", "level", level_names[finding->level], "subject",
                            json_text(finding->subject), "message", json_text(finding->message),
                            "cure", json_text(finding->cure)));
    }
    return json_print(
        json_pack("{s:b, s:o}", "passed", (int)preflight_passed(findings), "findings", list));
}
