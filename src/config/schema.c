#include "config/schema_int.h"

#include <cyaml/cyaml.h>
#include <string.h>

#include "base/error.h"

/* libcyaml's schema is made from the key tables, so that no key is declared twice. `arena` keeps
 * what was allocated for it. */
static cyaml_schema_value_t schema_mapping(const struct section *section, GPtrArray *arena);

static cyaml_schema_value_t
schema_value(const struct key *key, GPtrArray *arena)
{
    cyaml_schema_value_t value = {.data_size = key->size, .flags = CYAML_FLAG_OPTIONAL};
    switch (key->kind) {
    case KEY_TEXT:
        value.type = CYAML_STRING;
        value.flags |= CYAML_FLAG_POINTER;
        value.data_size = sizeof(char);
        value.string.max = CYAML_UNLIMITED;
        break;
    case KEY_NUMBER:
    case KEY_BYTES:
    case KEY_DURATION:
    case KEY_CHOICE:
    case KEY_CHOICES:
        value.type = CYAML_UINT;
        break;
    case KEY_SECTION:
        value = schema_mapping(key->section, arena);
        value.flags = CYAML_FLAG_OPTIONAL;
        break;
    case KEY_SECTIONS:
    case KEY_PAIRS: {
        cyaml_schema_value_t *entry = g_new(cyaml_schema_value_t, 1);
        g_ptr_array_add(arena, entry);
        *entry = schema_mapping(key->section, arena);
        value.type = CYAML_SEQUENCE;
        value.flags |= CYAML_FLAG_POINTER;
        value.data_size = key->section->size;
        value.sequence.entry = entry;
        value.sequence.max = CYAML_UNLIMITED;
        break;
    }
    }
    return value;
}

static cyaml_schema_value_t
schema_mapping(const struct section *section, GPtrArray *arena)
{
    size_t count = 0;
    while (section->keys[count].name != NULL)
        count++;
    /* One more, zeroed: the end. */
    cyaml_schema_field_t *fields = g_new0(cyaml_schema_field_t, count + 1);
    g_ptr_array_add(arena, fields);
    cyaml_schema_field_t *field = fields;
    for (size_t i = 0; i < count; i++) {
        const struct key *key = &section->keys[i];
        if (key->not_stored)
            continue;
        field->key = key->name;
        field->data_offset = key->offset;
        field->count_offset = key->count_offset;
        field->count_size = sizeof(unsigned);
        field->value = schema_value(key, arena);
        field++;
    }
    return (cyaml_schema_value_t){
        .type = CYAML_MAPPING, .data_size = section->size, .mapping = {.fields = fields}};
}

/* libcyaml's allocator: with it everything loaded can be taken over by the config. */
static void *
allocate(void *context G_GNUC_UNUSED, void *pointer, size_t size)
{
    if (size == 0) {
        g_free(pointer);
        return NULL;
    }
    return g_realloc(pointer, size);
}

static void G_GNUC_PRINTF(3, 0)
    collect_log(cyaml_log_t level G_GNUC_UNUSED, void *context, const char *format, va_list args)
{
    g_string_append_vprintf(context, format, args);
}

struct loaded *
schema_load(json_t *normal, GError **error)
{
    g_autoptr(GPtrArray) arena = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) log = g_string_new(NULL);
    cyaml_schema_value_t schema = schema_mapping(config_file_section(), arena);
    schema.flags = CYAML_FLAG_POINTER;
    const cyaml_config_t settings = {.log_fn = collect_log,
                                     .log_ctx = log,
                                     .log_level = CYAML_LOG_ERROR,
                                     .mem_fn = allocate,
                                     .flags = CYAML_CFG_NO_ALIAS};
    char *text = json_dumps(normal, JSON_INDENT(1));
    if (text == NULL) {
        g_set_error_literal(error, MT_ERROR, MT_ERROR_FAILED, "configuration: out of memory");
        return NULL;
    }
    cyaml_data_t *loaded = NULL;
    cyaml_err_t status = cyaml_load_data((const uint8_t *)text, strlen(text), &settings, &schema,
                                         &loaded, NULL);
    free(text);
    if (status != CYAML_OK) {
        g_set_error(error, MT_ERROR, MT_ERROR_FAILED, "configuration: libcyaml: %s: %s",
                    cyaml_strerror(status), log->str);
        return NULL;
    }
    return loaded;
}
