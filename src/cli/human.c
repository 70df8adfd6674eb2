#include "cli/human.h"

#include <string.h>

char *
human_count(uint64_t number)
{
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    size_t length = strlen(digits);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            g_string_append_c(text, ',');
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

char *
human_rate(double per_s)
{
    static const char units[] = " kMGT";
    size_t unit = 0;
    /* 999.5 would be shown as 1000. */
    while (per_s >= 999.5 && unit < sizeof(units) - 2) {
        per_s /= 1000;
        unit++;
    }
    if (unit == 0)
        return g_strdup_printf("%.0f", per_s);
    int decimals = per_s < 9.995 ? 2 : per_s < 99.95 ? 1 : 0;
    return g_strdup_printf("%.*f %c", decimals, per_s, units[unit]);
}

char *
human_duration(int64_t ms)
{
    if (ms < 0)
        return g_strdup("?");
    if (ms < 1000)
        return g_strdup_printf("%" G_GINT64_FORMAT " ms", ms);
    int64_t s = ms / 1000;
    if (s < 60)
        return g_strdup_printf("%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT " s", s, ms % 1000 / 100);
    int64_t m = s / 60;
    if (m < 60)
        return g_strdup_printf("%" G_GINT64_FORMAT "m %02" G_GINT64_FORMAT "s", m, s % 60);
    int64_t h = m / 60;
    if (h < 24)
        return g_strdup_printf("%" G_GINT64_FORMAT "h %02" G_GINT64_FORMAT "m", h, m % 60);
    return g_strdup_printf("%" G_GINT64_FORMAT "d %02" G_GINT64_FORMAT "h", h / 24, h % 24);
}

char *
human_bytes(uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double amount = (double)bytes;
    size_t unit = 0;
    while (amount >= 1023.95 && unit + 1 < G_N_ELEMENTS(units)) {
        amount /= 1024;
        unit++;
    }
    return g_strdup_printf("%.*f %s", unit == 0 ? 0 : 1, amount, units[unit]);
}

unsigned
human_percent(uint64_t done, uint64_t total)
{
    if (done >= total)
        return 100;
    return MIN((unsigned)(100.0 * (double)done / (double)total), 99U);
}

void
human_append_cell(GString *line, const char *text, unsigned width, bool right_aligned)
{
    glong length = g_utf8_strlen(text, -1);
    if (length > (glong)width) {
        g_autofree char *start = g_utf8_substring(text, 0, (glong)width - 1);
        g_string_append_printf(line, "%s…", start);
        return;
    }
    int padding = (int)((glong)width - length);
    if (right_aligned)
        g_string_append_printf(line, "%*s%s", padding, "", text);
    else
        g_string_append_printf(line, "%s%*s", text, padding, "");
}
