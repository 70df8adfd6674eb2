#include "config/problems_int.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"

enum { SHOWN = 20 };

struct problem {
    size_t line;
    unsigned number; /* keeps the order of those on one line */
    char *text;
};

struct problems {
    char *file;
    GHashTable *lines; /* key path → line */
    GPtrArray *list;   /* struct problem */
};

static void
problem_free(void *data)
{
    struct problem *problem = data;
    g_free(problem->text);
    g_free(problem);
}

struct problems *
problems_new(const char *file)
{
    struct problems *problems = g_new0(struct problems, 1);
    problems->file = g_strdup(file);
    problems->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    problems->list = g_ptr_array_new_with_free_func(problem_free);
    return problems;
}

void
problems_free(struct problems *problems)
{
    if (problems == NULL)
        return;
    g_free(problems->file);
    g_hash_table_unref(problems->lines);
    g_ptr_array_unref(problems->list);
    g_free(problems);
}

void
problems_set_line(struct problems *problems, const char *key_path, size_t line)
{
    g_hash_table_insert(problems->lines, g_strdup(key_path), GSIZE_TO_POINTER(line));
}

size_t
problems_line(const struct problems *problems, const char *key_path)
{
    g_autofree char *path = g_strdup(key_path);
    for (;;) {
        void *line = g_hash_table_lookup(problems->lines, path);
        if (line != NULL)
            return GPOINTER_TO_SIZE(line);
        size_t length = strlen(path);
        if (length == 0)
            return 1;
        while (length > 0 && strchr(".[", path[length - 1]) == NULL)
            length--;
        path[length > 0 ? length - 1 : 0] = '\0';
    }
}

static void G_GNUC_PRINTF(4, 0) add(struct problems *problems, size_t line, const char *key_path,
                                    const char *format, va_list args)
{
    g_autofree char *message = g_strdup_vprintf(format, args);
    struct problem *problem = g_new0(struct problem, 1);
    problem->line = line;
    problem->number = problems->list->len;
    problem->text = g_strdup_printf("%s:%zu: %s%s%s", problems->file, line, key_path,
                                    key_path[0] != '\0' ? ": " : "", message);
    g_ptr_array_add(problems->list, problem);
}

void
problems_add(struct problems *problems, size_t line, const char *key_path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, line, key_path, format, args);
    va_end(args);
}

void
problems_add_at(struct problems *problems, const char *key_path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, problems_line(problems, key_path), key_path, format, args);
    va_end(args);
}

bool
problems_none(const struct problems *problems)
{
    return problems->list->len == 0;
}

static int
by_line(const void *a, const void *b)
{
    const struct problem *left = *(struct problem *const *)a;
    const struct problem *right = *(struct problem *const *)b;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

bool
problems_to_error(struct problems *problems, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_ptr_array_sort(problems->list, by_line);
    for (unsigned i = 0; i < problems->list->len && i < SHOWN; i++) {
        const struct problem *problem = g_ptr_array_index(problems->list, i);
        g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "", problem->text);
    }
    if (problems->list->len > SHOWN)
        g_string_append_printf(text, "\n… and %u more", problems->list->len - SHOWN);
    g_set_error_literal(error, MT_ERROR, MT_ERROR_USAGE, text->str);
    return false;
}
