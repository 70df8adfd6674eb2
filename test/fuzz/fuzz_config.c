/*
 * The move's file, from its bytes to the config that everything else reads.
 *
 * Holds: an error exactly when there is no config, and it names the file; a config prints itself,
 * and what it prints is, where nothing was hidden, a file that gives the same again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* Every text that a later stage takes for granted is there. */
static void
check_complete(const struct config *config)
{
    check(config->move != NULL && config->tables->len > 0 && config->hooks != NULL);
    check(config->source.host != NULL || config->source.socket != NULL);
    check(config->target.host != NULL || config->target.socket != NULL);
    check(config->copy.readers > 0 && config->copy.writers > 0 && config->memory_bytes > 0);
    for (unsigned i = 0; i < config->tables->len; i++) {
        const struct table_mapping *table = &g_array_index(config->tables, struct table_mapping, i);
        check(table->from_schema != NULL && table->from_table != NULL);
        check(table->to_schema != NULL && table->to_table != NULL);
        g_autofree char *moved_as = config_moved_name(config, table->from_table);
        check(strcmp(moved_as, table->from_table) != 0);
    }
}

static void
check_printed(const struct config *config)
{
    g_autofree char *printed = config_to_yaml(config);
    g_autofree char *identity = config_identity_json(config);
    if (strstr(printed, ": given, not shown") != NULL)
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(config)
        again = config_load_text("printed", printed, strlen(printed), CONFIG_SECRETS_NONE, &error);
    check(again != NULL);
    g_autofree char *printed_again = config_to_yaml(again);
    g_autofree char *identity_again = config_identity_json(again);
    check(strcmp(printed, printed_again) == 0 && strcmp(identity, identity_again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy without a NUL behind it, so that reading on is seen. */
    char *text = malloc(size + 1);
    char *exact = text + 1;
    memcpy(exact, data, size);
    g_autoptr(GError) error = NULL;
    /* Without secrets: a fuzzer would go through the machine's files and environment. */
    g_autoptr(config)
        config = config_load_text("move.yaml", exact, size, CONFIG_SECRETS_NONE, &error);
    free(text);
    check((config == NULL) == (error != NULL));
    if (config == NULL) {
        check(g_error_matches(error, MT_ERROR, MT_ERROR_USAGE));
        check(strstr(error->message, "move.yaml") != NULL);
        return 0;
    }
    check_complete(config);
    check_printed(config);
    return 0;
}
