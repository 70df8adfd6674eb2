/*
 * How two definitions differ, line by line: SHOW CREATE TABLE prints one column,
 * key or constraint a line, then one line of options, then partitions.
 */
#include <string.h>

#include "schema/create_scan_int.h"
#include "schema/create_text_int.h"

struct definition {
    char **lines;
    GHashTable *set; /* of the lines, borrowed */
};

static void
definition_clear(struct definition *definition)
{
    g_hash_table_unref(definition->set);
    g_strfreev(definition->lines);
}

/* Lines without indentation and trailing comma: what comes last in one may not in the other. */
static struct definition
definition_of(const char *text)
{
    struct definition definition = {
        .lines = g_strsplit(text, "\n", -1),
        .set = g_hash_table_new(g_str_hash, g_str_equal),
    };
    for (char **line = definition.lines; *line != NULL; line++) {
        g_strstrip(*line);
        size_t length = strlen(*line);
        if (length > 0 && (*line)[length - 1] == ',') {
            (*line)[length - 1] = '\0';
            g_strchomp(*line); /* WITH PARSER ends in a space of its own */
        }
        g_hash_table_add(definition.set, *line);
    }
    return definition;
}

enum line_kind { LINE_COLUMN, LINE_KEY, LINE_CONSTRAINT, LINE_OPTIONS, LINE_OTHER };

static enum line_kind
line_kind(const char *line)
{
    if (line[0] == '`')
        return LINE_COLUMN;
    if (g_str_has_prefix(line, "CONSTRAINT "))
        return LINE_CONSTRAINT;
    if (line[0] == ')')
        return LINE_OPTIONS;
    if (g_str_has_prefix(line, "PRIMARY KEY") || g_str_has_prefix(line, "KEY ") ||
        g_str_has_prefix(line, "UNIQUE KEY ") || g_str_has_prefix(line, "FULLTEXT KEY ") ||
        g_str_has_prefix(line, "SPATIAL KEY "))
        return LINE_KEY;
    return LINE_OTHER;
}

/* The first quoted name with its backticks; "PRIMARY" for the primary key. Caller frees. */
static char *
line_name(const char *line)
{
    if (g_str_has_prefix(line, "PRIMARY KEY"))
        return g_strdup("`PRIMARY`");
    const char *start = strchr(line, '`');
    if (start == NULL)
        return g_strdup("");
    const char *end = start + 1;
    while (*end != '\0' && (*end != '`' || end[1] == '`'))
        end += *end == '`' ? 2 : 1;
    return g_strndup(start, (size_t)(end - start) + (*end == '`'));
}

static bool
has_object(const struct definition *definition, enum line_kind kind, const char *name)
{
    for (char **line = definition->lines; *line != NULL; line++) {
        g_autofree char *other = line_name(*line);
        if (line_kind(*line) == kind && g_str_equal(other, name))
            return true;
    }
    return false;
}

static void
append_clause(GString *alter, const char *verb, const char *text)
{
    if (alter->len > 0)
        g_string_append(alter, ", ");
    g_string_append(alter, verb);
    g_string_append(alter, text);
}

#define INVISIBLE " /*!80000 INVISIBLE */"

/* Whether a key stands there too, but for being visible or not: DROP and ADD of the same key in one
 * ALTER leaves that as it was. */
static bool
differs_in_visibility(const char *line, const struct definition *other)
{
    if (line_kind(line) != LINE_KEY)
        return false;
    g_autofree char *counterpart = g_str_has_suffix(line, INVISIBLE)
                                       ? g_strndup(line, strlen(line) - strlen(INVISIBLE))
                                       : g_strconcat(line, INVISIBLE, NULL);
    return g_hash_table_contains(other->set, counterpart);
}

/* What takes an object of the target away that the source has not, or not like this. */
static void
append_drop(GString *alter, const char *line, const struct definition *wanted)
{
    enum line_kind kind = line_kind(line);
    g_autofree char *name = line_name(line);
    if (differs_in_visibility(line, wanted))
        return;
    if (kind == LINE_COLUMN && !has_object(wanted, kind, name))
        append_clause(alter, "DROP COLUMN ", name);
    else if (kind == LINE_KEY)
        append_clause(alter, "DROP INDEX ", name);
    else if (kind == LINE_CONSTRAINT)
        append_clause(alter, "DROP CONSTRAINT ", name);
}

static void
append_add(GString *alter, const char *line, const char *previous_column,
           const struct definition *found)
{
    enum line_kind kind = line_kind(line);
    g_autofree char *name = line_name(line);
    if (differs_in_visibility(line, found)) {
        append_clause(alter, "ALTER INDEX ", name);
        g_string_append(alter, g_str_has_suffix(line, INVISIBLE) ? " INVISIBLE" : " VISIBLE");
    } else if (kind == LINE_COLUMN && has_object(found, kind, name)) {
        append_clause(alter, "MODIFY COLUMN ", line);
    } else if (kind == LINE_COLUMN) {
        append_clause(alter, "ADD COLUMN ", line);
        if (previous_column != NULL)
            g_string_append_printf(alter, " AFTER %s", previous_column);
        else
            g_string_append(alter, " FIRST");
    } else if (kind == LINE_OPTIONS) {
        append_clause(alter, "", line + 1 + (line[1] == ' '));
    } else {
        append_clause(alter, "ADD ", line);
    }
}

/* Lines that stand in both, but in another order (columns swapped), no ALTER here mends. */
static bool
same_order(const struct definition *wanted, const struct definition *found)
{
    char **other = found->lines;
    for (char **line = wanted->lines; *line != NULL; line++) {
        if (!g_hash_table_contains(found->set, *line))
            continue;
        while (*other != NULL && !g_hash_table_contains(wanted->set, *other))
            other++;
        if (*other == NULL || !g_str_equal(*line, *other))
            return false;
        other++;
    }
    return true;
}

static bool
has_other_lines(const struct definition *definition, const struct definition *against)
{
    for (char **line = definition->lines; *line != NULL; line++)
        if (line_kind(*line) == LINE_OTHER && !g_hash_table_contains(against->set, *line))
            return true;
    return false;
}

/* What an option is set to so that SHOW CREATE TABLE prints it no more. */
static const struct {
    const char *name;
    const char *reset;
} resets[] = {
    {"COMMENT", "COMMENT=''"},
    {"ROW_FORMAT", "ROW_FORMAT=DEFAULT"},
    {"KEY_BLOCK_SIZE", "KEY_BLOCK_SIZE=0"},
    {"STATS_PERSISTENT", "STATS_PERSISTENT=DEFAULT"},
    {"STATS_AUTO_RECALC", "STATS_AUTO_RECALC=DEFAULT"},
    {"STATS_SAMPLE_PAGES", "STATS_SAMPLE_PAGES=DEFAULT"},
    {"MAX_ROWS", "MAX_ROWS=0"},
    {"MIN_ROWS", "MIN_ROWS=0"},
    {"AVG_ROW_LENGTH", "AVG_ROW_LENGTH=0"},
    {"CHECKSUM", "CHECKSUM=0"},
    {"DELAY_KEY_WRITE", "DELAY_KEY_WRITE=0"},
    {"PACK_KEYS", "PACK_KEYS=DEFAULT"},
    {"COMPRESSION", "COMPRESSION=''"},
    {"AUTOEXTEND_SIZE", "AUTOEXTEND_SIZE=0"},
    {"ENGINE_ATTRIBUTE", "ENGINE_ATTRIBUTE=''"},
    {"SECONDARY_ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE=''"},
    {"COLLATE", ""}, /* goes with DEFAULT CHARSET, which is always there */
};

static bool
has_option(const char *options, const struct create_token *name)
{
    struct create_scan scan = create_scan_of(options);
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            return false;
        if (token.kind == CREATE_TOKEN_WORD && token.length == name->length &&
            strncmp(token.start, name->start, name->length) == 0)
            return true;
    }
}

/* The options that only the target has, taken back. False: one that no ALTER takes back. */
static bool
append_resets(GString *alter, const char *wanted, const char *found)
{
    struct create_scan scan = create_scan_of(found);
    struct create_token name = {0};
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            return true;
        if (create_token_is_word(&token, "TABLESPACE") && !has_option(wanted, &token))
            return false; /* stands without `=` */
        bool is_value = create_token_is_sign(&token, '=') && name.kind == CREATE_TOKEN_WORD;
        if (is_value && !has_option(wanted, &name)) {
            size_t i = 0;
            while (i < G_N_ELEMENTS(resets) && !create_token_is_word(&name, resets[i].name))
                i++;
            if (i == G_N_ELEMENTS(resets))
                return false;
            if (*resets[i].reset != '\0')
                g_string_append_printf(alter, " %s", resets[i].reset);
        }
        name = token;
    }
}

/* The line of options; "" where there is none. */
static const char *
options_line(const struct definition *definition)
{
    for (char **line = definition->lines; *line != NULL; line++)
        if (line_kind(*line) == LINE_OPTIONS)
            return *line;
    return "";
}

static char *
alter_text(const struct definition *wanted, const struct definition *found, const char *target)
{
    if (!same_order(wanted, found) || has_other_lines(wanted, found) ||
        has_other_lines(found, wanted))
        return NULL;
    g_autoptr(GString) alter = g_string_new(NULL);
    for (char **line = found->lines; *line != NULL; line++)
        if (!g_hash_table_contains(wanted->set, *line))
            append_drop(alter, *line, wanted);
    g_autofree char *previous_column = NULL;
    for (char **line = wanted->lines; *line != NULL; line++) {
        if (!g_hash_table_contains(found->set, *line))
            append_add(alter, *line, previous_column, found);
        if (line_kind(*line) == LINE_COLUMN) {
            g_free(previous_column);
            previous_column = line_name(*line);
        }
    }
    const char *options = options_line(wanted);
    if (!g_str_equal(options, options_line(found)) &&
        !append_resets(alter, options, options_line(found)))
        return NULL;
    if (alter->len == 0)
        return NULL;
    return g_strdup_printf("ALTER TABLE %s %s", target, alter->str);
}

static void
append_only_in(GString *lines, char sign, const struct definition *one,
               const struct definition *other)
{
    for (char **line = one->lines; *line != NULL; line++)
        if (!g_hash_table_contains(other->set, *line))
            g_string_append_printf(lines, "%s%c %s", lines->len > 0 ? "\n" : "", sign, *line);
}

/*
 * The statement without the character sets before its literals (`_utf8mb4'x'`), but `_binary`: an ALTER
 * of anything writes those of check constraints in the column's own, and prints the same characters.
 */
static char *
without_introducers(const char *sql)
{
    GString *text = g_string_new(NULL);
    struct create_scan scan = create_scan_of(sql);
    const char *copied = sql;
    struct create_token before = {0};
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            break;
        if (token.kind == CREATE_TOKEN_STRING && before.kind == CREATE_TOKEN_WORD &&
            before.start[0] == '_' && before.start + before.length == token.start &&
            !create_token_is_word(&before, "_binary")) {
            g_string_append_len(text, copied, before.start - copied);
            copied = token.start;
        }
        before = token;
    }
    g_string_append(text, copied);
    return g_string_free(text, FALSE);
}

static bool
same_definition(const char *wanted, const char *found)
{
    if (g_str_equal(wanted, found))
        return true;
    g_autofree char *one = without_introducers(wanted);
    g_autofree char *other = without_introducers(found);
    return g_str_equal(one, other);
}

struct create_difference *
create_difference_new(const char *wanted, const char *found, const char *target)
{
    if (same_definition(wanted, found))
        return NULL;
    struct definition one = definition_of(wanted);
    struct definition other = definition_of(found);
    GString *lines = g_string_new(NULL);
    append_only_in(lines, '-', &one, &other);
    append_only_in(lines, '+', &other, &one);
    if (lines->len == 0)
        g_string_append(lines, "the same lines in another order");
    struct create_difference *difference = g_new0(struct create_difference, 1);
    difference->lines = g_string_free(lines, FALSE);
    difference->cure = alter_text(&one, &other, target);
    definition_clear(&one);
    definition_clear(&other);
    return difference;
}

void
create_difference_free(struct create_difference *difference)
{
    if (difference == NULL)
        return;
    g_free(difference->lines);
    g_free(difference->cure);
    g_free(difference);
}
