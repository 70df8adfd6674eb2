/* Numbers for people. Pure; the caller frees every text. */
#ifndef CLI_HUMAN_H
#define CLI_HUMAN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* 1,234,567 */
char *human_count(uint64_t number);

/* 999, 12.3 k, 4.56 M: three digits that matter. */
char *human_rate(double per_s);

/* 850 ms, 12.3 s, 4m 05s, 2h 03m, 3d 04h; "?" below zero (not known). */
char *human_duration(int64_t ms);

/* 512 B, 1.5 KiB, 256.0 MiB */
char *human_bytes(uint64_t bytes);

/* 0 to 100, never 100 before all is done; 100 when there is nothing to do. */
unsigned human_percent(uint64_t done, uint64_t total);

/* Columns: pads with spaces to `width` characters (UTF-8), on the left with `right_aligned`;
 * a longer text is cut with … */
void human_append_cell(GString *line, const char *text, unsigned width, bool right_aligned);

#endif
