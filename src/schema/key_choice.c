#include "schema/key_choice_int.h"

#include "schema/column_text.h"

/* A unique key as a slice of the parts. */
struct candidate {
    const struct index_part *parts;
    size_t count;
};

static bool
find_column(const struct table *table, const char *name, unsigned *ret_index)
{
    for (unsigned i = 0; i < table->columns->len; i++)
        if (g_ascii_strcasecmp(table_column(table, i)->name, name) == 0 ||
            g_str_equal(table_column(table, i)->name, name)) {
            *ret_index = i;
            return true;
        }
    return false;
}

/* Why the key cannot be walked; NULL when it can. Caller frees. */
static char *
candidate_problem(const struct table *table, const struct candidate *candidate)
{
    for (size_t i = 0; i < candidate->count; i++) {
        const struct index_part *part = &candidate->parts[i];
        unsigned index = 0;
        if (!part->is_visible)
            return g_strdup_printf("unique key `%s` is invisible", part->index_name);
        if (part->column_name == NULL || !find_column(table, part->column_name, &index))
            return g_strdup_printf("unique key `%s` holds an expression", part->index_name);
        const struct column *column = table_column(table, index);
        if (part->is_prefix)
            return g_strdup_printf("unique key `%s` holds only a prefix of column `%s`",
                                   part->index_name, column->name);
        if (column->nullable)
            return g_strdup_printf("unique key `%s` holds the nullable column `%s`",
                                   part->index_name, column->name);
        if (!column_type_allowed_in_key(column))
            return g_strdup_printf("unique key `%s` holds the %s column `%s`, which cannot be "
                                   "compared exactly",
                                   part->index_name, column->data_type, column->name);
    }
    return NULL;
}

/* Bytes that the key's values take at most; whoever has fewer is the cheaper one to walk. */
static uint64_t
candidate_cost(const struct table *table, const struct candidate *candidate)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < candidate->count; i++) {
        unsigned index = 0;
        (void)find_column(table, candidate->parts[i].column_name, &index);
        const struct column *column = table_column(table, index);
        bytes += column->octet_length > 0 ? column->octet_length : 8;
    }
    return bytes;
}

static bool
is_better(const struct table *table, const struct candidate *one, const struct candidate *best)
{
    if (best->count == 0)
        return true;
    if (g_str_equal(best->parts[0].index_name, "PRIMARY"))
        return false;
    if (g_str_equal(one->parts[0].index_name, "PRIMARY"))
        return true;
    if (one->count != best->count)
        return one->count < best->count;
    return candidate_cost(table, one) < candidate_cost(table, best);
}

static void
take(struct table *table, const struct candidate *candidate)
{
    table->key_name = g_strdup(candidate->parts[0].index_name);
    for (size_t i = 0; i < candidate->count; i++) {
        unsigned index = 0;
        (void)find_column(table, candidate->parts[i].column_name, &index);
        g_array_append_val(table->key_columns, index);
        table->key_descending |= candidate->parts[i].is_descending ? 1U << i : 0;
    }
    /* MySQL reads an index backwards, but not one of parts in two directions. */
    if (table->key_descending == (1U << candidate->count) - 1)
        table->key_descending = 0;
}

void
key_choose(struct table *table, const struct index_part *parts, size_t count)
{
    g_autoptr(GString) problems = g_string_new(NULL);
    struct candidate best = {0};
    unsigned unique_keys = 0;
    for (size_t i = 0; i < count;) {
        struct candidate candidate = {.parts = &parts[i]};
        while (i < count && g_str_equal(parts[i].index_name, candidate.parts[0].index_name)) {
            candidate.count++;
            i++;
        }
        unique_keys++;
        g_autofree char *problem = candidate_problem(table, &candidate);
        if (problem != NULL)
            g_string_append_printf(problems, "%s%s", problems->len > 0 ? "; " : "", problem);
        else if (is_better(table, &candidate, &best))
            best = candidate;
    }
    if (best.count > 0) {
        take(table, &best);
        table->other_unique_keys = unique_keys - 1;
        return;
    }
    table->other_unique_keys = unique_keys;
    table->key_problem = problems->len > 0
                             ? g_string_free(g_steal_pointer(&problems), FALSE)
                             : g_strdup("it has neither a primary key nor a unique key");
}
