#include <criterion/criterion.h>

#include <string.h>

#include "cli/progress_text.h"

static struct progress *
example(void)
{
    static const char *const names[] = {"shop.customers", "shop.items", "shop.orders"};
    struct progress *progress = progress_new(names, 3);
    progress_set_phase(progress, "copying");
    progress_set_lag_ms(progress, 120);
    progress_table_begin(progress, 0, 10, 0);
    progress_chunk_copied(progress, 0, 10, 100);
    progress_table_finished(progress, 0);
    progress_table_begin(progress, 1, 2000, 1000);
    return progress;
}

static unsigned
count_lines(const char *text)
{
    unsigned lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

Test(progress_text, bar)
{
    g_autoptr(GString) text = g_string_new(NULL);
    progress_bar_append(text, 0, 12);
    progress_bar_append(text, 50, 12);
    progress_bar_append(text, 100, 12);
    cr_expect_str_eq(text->str, "[          ][=====>    ][==========]");
}

Test(progress_text, one_line_for_each_table)
{
    g_autoptr(progress) progress = example();
    g_autoptr(progress_snapshot) snapshot = progress_snapshot(progress);
    g_autoptr(GString) text = g_string_new(NULL);
    const struct screen screen = {.columns = 160, .rows = 24};
    cr_expect_eq(progress_text_append(text, snapshot, &screen), 4);
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
    cr_expect(g_str_has_prefix(lines[0], "copying  tables 1/3  copy "), "%s", lines[0]);
    cr_expect(strstr(lines[0], "lag 120 ms") != NULL, "%s", lines[0]);
    cr_expect(strstr(lines[1], "shop.customers [====================] 100%") != NULL, "%s",
              lines[1]);
    cr_expect(g_str_has_suffix(lines[1], "done"), "%s", lines[1]);
    cr_expect(strstr(lines[2], " 50%         1,000 rows") != NULL, "%s", lines[2]);
    cr_expect(g_str_has_suffix(lines[3], "waits"), "%s", lines[3]);
    cr_expect_eq(strchr(text->str, '\033'), NULL);
}

Test(progress_text, fits_the_screen)
{
    g_autoptr(progress) progress = example();
    g_autoptr(progress_snapshot) snapshot = progress_snapshot(progress);
    g_autoptr(GString) text = g_string_new(NULL);
    const struct screen screen = {.columns = 20, .rows = 5, .colour = false};
    unsigned lines = progress_text_append(text, snapshot, &screen);
    cr_expect_eq(lines, count_lines(text->str));
    cr_expect_leq(lines, 5);
    /* The table that is being copied is there, the finished one is not. */
    cr_expect(strstr(text->str, "shop.items") != NULL);
    cr_expect_eq(strstr(text->str, "shop.customers"), NULL);
    cr_expect(strstr(text->str, "and 1 more") != NULL, "%s", text->str);
    g_auto(GStrv) each = g_strsplit(text->str, "\n", -1);
    for (char **line = each; *line != NULL; line++)
        cr_expect_leq(g_utf8_strlen(*line, -1), 20, "%s", *line);
}

Test(progress_text, says_why_it_waits)
{
    g_autoptr(progress) progress = example();
    progress_set_waiting(progress, "paused");
    g_autoptr(progress_snapshot) snapshot = progress_snapshot(progress);
    g_autoptr(GString) text = g_string_new(NULL);
    const struct screen screen = {.columns = 160, .rows = 24, .colour = true};
    progress_text_append(text, snapshot, &screen);
    cr_expect(strstr(text->str, "copying (waiting: paused, `move-tables resume` goes on)") != NULL,
              "%s", text->str);
    cr_expect(strchr(text->str, '\033') != NULL);
}
