/* The nearest right word to a wrong one: for messages about keys, commands and options. Pure. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`;
 * letters' case and `-` versus `_` cost nothing. Words longer than 63 bytes
 * are compared by their first 63. */
size_t edit_distance(const char *a, const char *b);

/* The candidate nearest to `word`, or NULL when none is near enough to be
 * what was meant (about a third of its letters). Borrowed from candidates. */
const char *nearest_word(const char *word, const char *const *candidates, size_t count);

#endif
