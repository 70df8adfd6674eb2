#include "base/nearest.h"

#include <glib.h>
#include <string.h>

enum { LONGEST = 63 };

static char
folded(char c)
{
    return c == '_' ? '-' : g_ascii_tolower(c);
}

/* Optimal string alignment, three rows kept. */
size_t
edit_distance(const char *a, const char *b)
{
    size_t a_length = MIN(strlen(a), (size_t)LONGEST);
    size_t b_length = MIN(strlen(b), (size_t)LONGEST);
    size_t rows[3][LONGEST + 1] = {{0}};
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *above_that = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replace = folded(a[i - 1]) == folded(b[j - 1]) ? 0 : 1;
            size_t best = MIN(above[j] + 1, row[j - 1] + 1);
            best = MIN(best, above[j - 1] + replace);
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                folded(a[i - 2]) == folded(b[j - 1]))
                best = MIN(best, above_that[j - 2] + 1);
            row[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

const char *
nearest_word(const char *word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    size_t least = MAX(strlen(word) / 3, (size_t)2) + 1;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, candidates[i]);
        /* Two edits turn any two-letter word into any other. */
        if (distance < least && distance < strlen(candidates[i])) {
            least = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
