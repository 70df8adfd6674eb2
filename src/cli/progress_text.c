#include "cli/progress_text.h"

#include <string.h>

#include "cli/human.h"

enum { BAR_WIDTH = 22, NAME_LEAST = 8, NAME_MOST = 32 };

static const char bold[] = "\033[1m";
static const char green[] = "\033[32m";
static const char yellow[] = "\033[33m";
static const char plain[] = "\033[0m";

void
progress_bar_append(GString *text, unsigned percent, unsigned width)
{
    unsigned inner = width - 2;
    unsigned filled = percent * inner / 100;
    g_string_append_c(text, '[');
    for (unsigned i = 0; i < inner; i++)
        g_string_append_c(text, i < filled ? '=' : i == filled && percent > 0 ? '>' : ' ');
    g_string_append_c(text, ']');
}

/* Adds a line without its colours being counted; cuts it at the screen's edge. */
static void
append_line(GString *text, const char *line, const struct screen *screen, const char *colour)
{
    g_autofree char *cut = NULL;
    if (g_utf8_strlen(line, -1) > (glong)screen->columns) {
        cut = g_utf8_substring(line, 0, screen->columns);
        line = cut;
    }
    bool coloured = screen->colour && colour != NULL;
    g_string_append_printf(text, "%s%s%s\n", coloured ? colour : "", line, coloured ? plain : "");
}

static void
append_summary(GString *text, const struct progress_snapshot *snapshot, const struct screen *screen)
{
    g_autofree char *rows_per_s = human_rate(snapshot->rows_per_s);
    g_autofree char *changes_per_s = human_rate(snapshot->changes_per_s);
    g_autofree char *lag = human_duration(snapshot->lag_ms);
    g_autofree char *buffered = human_bytes(snapshot->buffered_bytes);
    g_autofree char *eta = human_duration(snapshot->eta_ms);
    g_autofree char *elapsed = human_duration(snapshot->elapsed_ms);
    g_autoptr(GString) line = g_string_new(snapshot->phase);
    if (snapshot->waiting != NULL)
        g_string_append_printf(line, " (waiting: %s)",
                               strcmp(snapshot->waiting, "paused") == 0
                                   ? "paused, `move-tables resume` goes on"
                                   : snapshot->waiting);
    g_string_append_printf(line, "  tables %u/%u", snapshot->tables_finished,
                           snapshot->table_count);
    bool copying = snapshot->tables_finished < snapshot->table_count;
    if (copying)
        g_string_append_printf(line, "  copy %s rows/s", rows_per_s);
    if (snapshot->indexes_of > 0)
        g_string_append_printf(line, "  indexes built %u/%u tables", snapshot->indexes_built,
                               snapshot->indexes_of);
    g_string_append_printf(line, "  apply %s changes/s  lag %s", changes_per_s, lag);
    if (copying)
        g_string_append_printf(line, "  ETA %s", eta);
    g_string_append_printf(line, "  buffered %s  elapsed %s", buffered, elapsed);
    append_line(text, line->str, screen, bold);
}

static void
append_table(GString *text, const struct progress_table *table, unsigned name_width,
             const struct screen *screen)
{
    unsigned percent = table->finished
                           ? 100
                           : MIN(human_percent(table->rows_copied, table->estimated_rows), 99U);
    if (!table->started)
        percent = 0;
    g_autofree char *percent_text = g_strdup_printf("%u%%", percent);
    g_autofree char *rows = human_count(table->rows_copied);
    g_autofree char *rate = human_rate(table->rows_per_s);
    g_autofree char *eta = human_duration(table->eta_ms);
    g_autoptr(GString) line = g_string_new("  ");
    human_append_cell(line, table->name, name_width, false);
    g_string_append_c(line, ' ');
    progress_bar_append(line, percent, BAR_WIDTH);
    human_append_cell(line, percent_text, 5, true);
    human_append_cell(line, rows, 14, true);
    g_string_append(line, " rows");
    if (table->finished) {
        g_string_append(line, "  done");
    } else if (table->started) {
        human_append_cell(line, rate, 9, true);
        g_string_append_printf(line, "/s  ETA %s", eta);
    } else {
        g_string_append(line, "  waits");
    }
    append_line(text, line->str, screen, table->finished ? green : table->started ? yellow : NULL);
}

/* Tables being copied come first, then those that wait, then those that are done. */
static int
rank(const struct progress_table *table)
{
    return table->finished ? 2 : table->started ? 0 : 1;
}

unsigned
progress_text_append(GString *text, const struct progress_snapshot *snapshot,
                     const struct screen *screen)
{
    unsigned lines = 1;
    unsigned room = screen->rows > 4 ? screen->rows - 3 : 1;
    unsigned name_width = NAME_LEAST;
    append_summary(text, snapshot, screen);
    for (unsigned i = 0; i < snapshot->table_count; i++) {
        glong length = g_utf8_strlen(snapshot->tables[i].name, -1);
        name_width = MAX(name_width, (unsigned)MIN(length, NAME_MOST));
    }
    /* With room for all of them the order is the file's: lines do not jump. */
    bool all = snapshot->table_count <= room;
    unsigned shown = 0;
    for (int wanted = 0; wanted <= (all ? 0 : 2); wanted++) {
        for (unsigned i = 0; i < snapshot->table_count && shown < room; i++) {
            const struct progress_table *table = &snapshot->tables[i];
            if (!all && rank(table) != wanted)
                continue;
            append_table(text, table, name_width, screen);
            shown++;
            lines++;
        }
    }
    if (shown < snapshot->table_count) {
        g_autofree char *line = g_strdup_printf("  … and %u more", snapshot->table_count - shown);
        append_line(text, line, screen, NULL);
        lines++;
    }
    return lines;
}
