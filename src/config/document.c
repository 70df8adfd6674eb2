#include "config/document_int.h"

#include <string.h>
#include <yaml.h>

#include "base/nearest.h"
#include "config/keys_int.h"
#include "config/scalar_int.h"

/* One pass over the document. */
struct walk {
    yaml_document_t *document;
    struct problems *problems;
    GString *effective;
    bool item_begins; /* the next line of `effective` is the first of a list's item */
};

/* Where a value stands: node is NULL when the file has none. */
struct place {
    yaml_node_t *node;
    yaml_node_t *around; /* what is left out here is taken from there; NULL: nothing is */
    size_t line;
    const char *path;
    unsigned depth;
};

static json_t *walk_section(struct walk *walk, const struct section *section, struct place place);

/* --- nodes --- */

static size_t
node_line(const yaml_node_t *node)
{
    return node->start_mark.line + 1;
}

static struct scalar
node_scalar(const yaml_node_t *node, struct place place)
{
    return (struct scalar){.text = (const char *)node->data.scalar.value,
                           .length = node->data.scalar.length,
                           .line = place.line,
                           .path = place.path};
}

/* YAML's ways to say "nothing": only when not quoted. */
static bool
node_is_null(const yaml_node_t *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(nulls); i++) {
        if (strcmp((const char *)node->data.scalar.value, nulls[i]) == 0)
            return true;
    }
    return false;
}

/* The text of a pair's key; NULL when it is not a plain text. */
static const char *
pair_name(struct walk *walk, const yaml_node_pair_t *pair)
{
    const yaml_node_t *node = yaml_document_get_node(walk->document, pair->key);
    return node != NULL && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
                                                          : NULL;
}

/* The value of `name` in a mapping, NULL when it is not there or null. */
static yaml_node_t *
lookup(struct walk *walk, const yaml_node_t *mapping, const char *name, size_t *ret_line)
{
    if (mapping == NULL || mapping->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        const char *key = pair_name(walk, pair);
        if (key == NULL || strcmp(key, name) != 0)
            continue;
        yaml_node_t *value = yaml_document_get_node(walk->document, pair->value);
        if (value == NULL || node_is_null(value))
            return NULL;
        if (ret_line != NULL)
            *ret_line = node_line(yaml_document_get_node(walk->document, pair->key));
        return value;
    }
    return NULL;
}

/* --- the file with every default --- */

static void G_GNUC_PRINTF(3, 4) show(struct walk *walk, unsigned depth, const char *format, ...)
{
    unsigned spaces = depth * 2;
    if (walk->item_begins) {
        g_string_append_printf(walk->effective, "%*s- ", (int)(spaces - 2), "");
        walk->item_begins = false;
    } else {
        g_string_append_printf(walk->effective, "%*s", (int)spaces, "");
    }
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(walk->effective, format, args);
    va_end(args);
    g_string_append_c(walk->effective, '\n');
}

static void
show_scalar(struct walk *walk, const struct key *key, struct scalar scalar, struct place place)
{
    if (key->secret) {
        show(walk, place.depth, "# %s: given, not shown", key->name);
    } else if (key->kind == KEY_TEXT) {
        json_t *text = json_stringn(scalar.text, scalar.length);
        char *quoted = text == NULL ? NULL : json_dumps(text, JSON_ENCODE_ANY);
        show(walk, place.depth, "%s: %s", key->name, quoted == NULL ? "null" : quoted);
        free(quoted);
        json_decref(text);
    } else {
        show(walk, place.depth, "%s: %s", key->name, scalar.text);
    }
}

/* --- values --- */

static void
wrong_shape(struct walk *walk, const struct key *key, struct place place)
{
    g_autofree char *allowed = key_allowed(key);
    problems_add(walk->problems, place.line, place.path, "must be %s", allowed);
}

static json_t *
walk_scalar(struct walk *walk, const struct key *key, struct place place)
{
    struct scalar scalar = {.text = key->fallback, .line = place.line, .path = place.path};
    if (place.node != NULL) {
        if (place.node->type != YAML_SCALAR_NODE) {
            wrong_shape(walk, key, place);
            return NULL;
        }
        scalar = node_scalar(place.node, place);
    } else if (key->fallback != NULL) {
        scalar.length = strlen(key->fallback);
    } else {
        /* Of a group, only the key that was chosen is shown. */
        if (key->group == NULL)
            show(walk, place.depth, "%s: null", key->name);
        return NULL;
    }
    show_scalar(walk, key, scalar, place);
    return scalar_normalize(key, scalar, walk->problems);
}

static json_t *
walk_choices(struct walk *walk, const struct key *key, struct place place)
{
    uint32_t bits = 0;
    g_autoptr(GString) names = g_string_new(NULL);
    if (place.node != NULL && place.node->type != YAML_SEQUENCE_NODE) {
        wrong_shape(walk, key, place);
        return NULL;
    }
    for (int i = 0; place.node == NULL && key->choices[i] != NULL; i++)
        bits |= UINT32_C(1) << i;
    if (place.node != NULL) {
        const yaml_node_item_t *end = place.node->data.sequence.items.top;
        for (const yaml_node_item_t *item = place.node->data.sequence.items.start; item < end;
             item++) {
            const yaml_node_t *node = yaml_document_get_node(walk->document, *item);
            struct place here = place;
            here.line = node_line(node);
            if (node->type != YAML_SCALAR_NODE) {
                wrong_shape(walk, key, here);
                continue;
            }
            int choice = scalar_choice(key, node_scalar(node, here), walk->problems);
            if (choice >= 0)
                bits |= UINT32_C(1) << choice;
        }
        if (place.node->data.sequence.items.start == end)
            problems_add(walk->problems, place.line, place.path,
                         "must not be empty; leave it out for all");
    }
    for (int i = 0; key->choices[i] != NULL; i++) {
        if (bits & UINT32_C(1) << i)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", key->choices[i]);
    }
    show(walk, place.depth, "%s: [%s]", key->name, names->str);
    return json_integer(bits);
}

static json_t *
walk_pairs(struct walk *walk, const struct key *key, struct place place)
{
    static const struct key text = {
        .name = "value", .kind = KEY_TEXT, .most = 8192, .secret = true};
    json_t *pairs = json_array();
    if (place.node != NULL && place.node->type != YAML_MAPPING_NODE) {
        wrong_shape(walk, key, place);
        return pairs;
    }
    if (place.node == NULL ||
        place.node->data.mapping.pairs.start == place.node->data.mapping.pairs.top) {
        show(walk, place.depth, "%s: {}", key->name);
        return pairs;
    }
    show(walk, place.depth, "# %s: given, not shown", key->name);
    for (const yaml_node_pair_t *pair = place.node->data.mapping.pairs.start;
         pair < place.node->data.mapping.pairs.top; pair++) {
        const char *name = pair_name(walk, pair);
        const yaml_node_t *node = yaml_document_get_node(walk->document, pair->value);
        if (name == NULL || node->type != YAML_SCALAR_NODE) {
            wrong_shape(walk, key, place);
            continue;
        }
        g_autofree char *path = g_strdup_printf("%s.%s", place.path, name);
        struct place here = {.line = node_line(node), .path = path};
        problems_set_line(walk->problems, path, here.line);
        json_t *value = scalar_normalize(&text, node_scalar(node, here), walk->problems);
        if (value != NULL)
            json_array_append_new(pairs, json_pack("{s:s, s:o}", "name", name, "value", value));
    }
    return pairs;
}

static json_t *
walk_sections(struct walk *walk, const struct key *key, struct place place)
{
    json_t *list = json_array();
    if (place.node != NULL && place.node->type != YAML_SEQUENCE_NODE) {
        wrong_shape(walk, key, place);
        return list;
    }
    if (place.node == NULL ||
        place.node->data.sequence.items.start == place.node->data.sequence.items.top) {
        show(walk, place.depth, "%s: []", key->name);
        if (key->required && place.node != NULL)
            problems_add(walk->problems, place.line, place.path, "must have at least one entry");
        return list;
    }
    show(walk, place.depth, "%s:", key->name);
    unsigned number = 0;
    for (const yaml_node_item_t *item = place.node->data.sequence.items.start;
         item < place.node->data.sequence.items.top; item++) {
        g_autofree char *path = g_strdup_printf("%s[%u]", place.path, number++);
        yaml_node_t *node = yaml_document_get_node(walk->document, *item);
        struct place here = {
            .node = node, .line = node_line(node), .path = path, .depth = place.depth + 2};
        problems_set_line(walk->problems, path, here.line);
        walk->item_begins = true;
        json_array_append_new(list, walk_section(walk, key->section, here));
        walk->item_begins = false;
    }
    return list;
}

static json_t *
walk_value(struct walk *walk, const struct key *key, struct place place)
{
    switch (key->kind) {
    case KEY_CHOICES:
        return walk_choices(walk, key, place);
    case KEY_PAIRS:
        return walk_pairs(walk, key, place);
    case KEY_SECTIONS:
        return walk_sections(walk, key, place);
    case KEY_SECTION:
        if (place.node == NULL && (key->inherits || key->required)) {
            show(walk, place.depth, "%s: null", key->name);
            return NULL;
        }
        show(walk, place.depth, "%s:", key->name);
        place.depth++;
        return walk_section(walk, key->section, place);
    case KEY_TEXT:
    case KEY_NUMBER:
    case KEY_BYTES:
    case KEY_DURATION:
    case KEY_CHOICE:
        return walk_scalar(walk, key, place);
    }
    return NULL;
}

/* A key whose feature a later version brings takes only the value that switches it off. */
static void
check_available(struct walk *walk, const struct key *key, struct place place, json_t *value)
{
    if (key->off == NULL || place.node == NULL)
        return;
    if (strcmp(key->off, "null") == 0) {
        if (key->kind != KEY_SECTIONS || json_array_size(value) > 0)
            problems_add(walk->problems, place.line, place.path,
                         "is not available in this version; use null, or leave it out");
        return;
    }
    struct scalar scalar = {.text = key->off, .length = strlen(key->off), .path = place.path};
    json_t *off = scalar_normalize(key, scalar, walk->problems);
    if (value != NULL && !json_equal(value, off))
        problems_add(walk->problems, place.line, place.path,
                     "\"%s\" is not available in this version; use \"%s\"",
                     (const char *)place.node->data.scalar.value, key->off);
    json_decref(off);
}

/* --- sections --- */

static void
unknown_key(struct walk *walk, const struct section *section, struct place place, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const struct key *key = section->keys; key->name != NULL; key++)
        g_ptr_array_add(names, (void *)(uintptr_t)key->name);
    const char *nearest = nearest_word(name, (const char *const *)names->pdata, names->len);
    g_ptr_array_add(names, NULL);
    g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
    g_autofree char *hint = nearest == NULL ? g_strdup("")
                                            : g_strdup_printf("; is \"%s\" meant?", nearest);
    problems_add(walk->problems, place.line, place.path, "unknown key%s Allowed here: %s",
                 nearest == NULL ? "." : hint, all);
}

/* Names that are not keys of the section, and keys given twice. */
static void
check_names(struct walk *walk, const struct section *section, struct place place)
{
    const yaml_node_pair_t *start = place.node->data.mapping.pairs.start;
    for (const yaml_node_pair_t *pair = start; pair < place.node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key_node = yaml_document_get_node(walk->document, pair->key);
        const char *name = pair_name(walk, pair);
        if (name == NULL) {
            problems_add(walk->problems, node_line(key_node), place.path, "a key must be text");
            continue;
        }
        g_autofree char *path = g_strdup_printf("%s%s%s", place.path,
                                                place.path[0] != '\0' ? "." : "", name);
        struct place here = {.line = node_line(key_node), .path = path};
        const struct key *key = section->keys;
        while (key->name != NULL && strcmp(key->name, name) != 0)
            key++;
        if (key->name == NULL)
            unknown_key(walk, section, here, name);
        for (const yaml_node_pair_t *earlier = start; earlier < pair; earlier++) {
            const char *earlier_name = pair_name(walk, earlier);
            if (earlier_name != NULL && strcmp(earlier_name, name) == 0) {
                problems_add(walk->problems, here.line, path,
                             "is given twice; the first is on line %zu",
                             node_line(yaml_document_get_node(walk->document, earlier->key)));
                break;
            }
        }
    }
}

/* How many keys of a group are given in a mapping; *ret_names lists all that could be. */
static unsigned
count_group(struct walk *walk, const struct section *section, const yaml_node_t *mapping,
            const char *group, GString *names)
{
    unsigned given = 0;
    for (const struct key *key = section->keys; key->name != NULL; key++) {
        if (g_strcmp0(key->group, group) != 0)
            continue;
        if (names != NULL)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", key->name);
        given += lookup(walk, mapping, key->name, NULL) != NULL;
    }
    return given;
}

static void
check_groups(struct walk *walk, const struct section *section, struct place place)
{
    const char *checked = NULL;
    for (const struct key *key = section->keys; key->name != NULL; key++) {
        if (key->group == NULL || g_strcmp0(key->group, checked) == 0)
            continue;
        checked = key->group;
        g_autoptr(GString) names = g_string_new(NULL);
        unsigned given = count_group(walk, section, place.node, key->group, names);
        bool required = g_strcmp0(section->required_group, key->group) == 0;
        if (given > 1)
            problems_add(walk->problems, place.line, place.path, "give only one of: %s",
                         names->str);
        else if (given == 0 && required)
            problems_add(walk->problems, place.line, place.path, "give one of: %s", names->str);
    }
}

/* The value of a key: from its own mapping, or from what the mapping inherits. */
static yaml_node_t *
find_value(struct walk *walk, const struct section *section, const struct key *key,
           struct place place, size_t *ret_line)
{
    yaml_node_t *node = lookup(walk, place.node, key->name, ret_line);
    if (node == NULL && key->fallback_key != NULL)
        node = lookup(walk, place.node, key->fallback_key, ret_line);
    if (node != NULL || place.around == NULL || key->not_inherited)
        return node;
    if (key->group != NULL && count_group(walk, section, place.node, key->group, NULL) > 0)
        return NULL;
    return lookup(walk, place.around, key->name, ret_line);
}

static json_t *
walk_short_form(struct walk *walk, const struct section *section, struct place place)
{
    json_t *normal = json_object();
    struct scalar scalar = node_scalar(place.node, place);
    for (const struct key *key = section->keys; key->name != NULL; key++) {
        if (strcmp(key->name, section->short_form) != 0 &&
            g_strcmp0(key->fallback_key, section->short_form) != 0)
            continue;
        show_scalar(walk, key, scalar, place);
        json_t *value = scalar_normalize(key, scalar, walk->problems);
        if (value == NULL)
            break;
        json_object_set_new(normal, key->name, value);
    }
    return normal;
}

static json_t *
walk_section(struct walk *walk, const struct section *section, struct place place)
{
    json_t *normal = json_object();
    if (place.node != NULL && place.node->type == YAML_SCALAR_NODE && section->short_form != NULL) {
        json_decref(normal);
        return walk_short_form(walk, section, place);
    }
    if (place.node != NULL && place.node->type != YAML_MAPPING_NODE) {
        problems_add(walk->problems, place.line, place.path, "must be a mapping of keys");
        return normal;
    }
    if (place.node != NULL) {
        check_names(walk, section, place);
        check_groups(walk, section, place);
    }
    for (const struct key *key = section->keys; key->name != NULL; key++) {
        g_autofree char *path = g_strdup_printf("%s%s%s", place.path,
                                                place.path[0] != '\0' ? "." : "", key->name);
        struct place here = {.line = place.line, .path = path, .depth = place.depth};
        here.node = find_value(walk, section, key, place, &here.line);
        here.around = key->inherits ? place.node : NULL;
        if (here.node != NULL)
            problems_set_line(walk->problems, path, here.line);
        else if (key->required)
            problems_add(walk->problems, here.line, path, "is missing: %s", key->meaning);
        json_t *value = walk_value(walk, key, here);
        check_available(walk, key, here, value);
        if (value != NULL && !key->not_stored)
            json_object_set_new(normal, key->name, value);
        else
            json_decref(value);
    }
    return normal;
}

/* --- the document --- */

static bool
load_document(const char *text, size_t length, yaml_document_t *document, struct problems *problems)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        problems_add(problems, 1, "", "out of memory");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    bool loaded = yaml_parser_load(&parser, document);
    if (!loaded) {
        bool reader = parser.error == YAML_READER_ERROR;
        problems_add(problems, parser.problem_mark.line + 1, "", "not valid YAML: %s%s%s",
                     parser.problem != NULL ? parser.problem : "out of memory",
                     parser.context != NULL ? " " : "",
                     parser.context != NULL ? parser.context
                                            : (reader ? "; the file must be UTF-8 text" : ""));
    }
    yaml_parser_delete(&parser);
    return loaded;
}

json_t *
document_normalize(const char *text, size_t length, struct problems *problems, char **ret_effective)
{
    yaml_document_t document;
    if (!load_document(text, length, &document, problems))
        return NULL;
    g_autoptr(GString) effective = g_string_new(NULL);
    struct walk walk = {.document = &document, .problems = problems, .effective = effective};
    struct place place = {.node = yaml_document_get_root_node(&document), .line = 1, .path = ""};
    json_t *normal = NULL;
    if (place.node == NULL)
        problems_add(problems, 1, "", "the file is empty");
    else
        normal = walk_section(&walk, config_file_section(), place);
    yaml_document_delete(&document);
    if (!problems_none(problems)) {
        json_decref(normal);
        return NULL;
    }
    if (ret_effective != NULL)
        *ret_effective = g_string_free(g_steal_pointer(&effective), FALSE);
    return normal;
}
