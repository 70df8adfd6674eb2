#include "schema/preflight.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "schema/inspect.h"
#include "schema/preflight_int.h"

void
finding_free(struct finding *finding)
{
    if (finding == NULL)
        return;
    g_free(finding->subject);
    g_free(finding->message);
    g_free(finding->cure);
    g_free(finding);
}

static void
free_finding(void *finding)
{
    finding_free(finding);
}

static void
free_moved_table(void *table)
{
    moved_table_free(table);
}

/* Takes `message`. */
static void
add_finding(struct preflight *preflight, enum finding_level level, const char *subject,
            const char *cure, char *message)
{
    struct finding *finding = g_new0(struct finding, 1);
    finding->level = level;
    finding->subject = g_strdup(subject);
    finding->message = message;
    finding->cure = g_strdup(cure);
    g_ptr_array_add(preflight->findings, finding);
}

void
preflight_ok(struct preflight *preflight, const char *subject, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_finding(preflight, FINDING_OK, subject, NULL, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void
preflight_warning(struct preflight *preflight, const char *subject, const char *cure,
                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_finding(preflight, FINDING_WARNING, subject, cure, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void
preflight_error(struct preflight *preflight, const char *subject, const char *cure,
                const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_finding(preflight, FINDING_ERROR, subject, cure, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static bool
read_facts(struct preflight *preflight, GError **error)
{
    const struct preflight_connections *conns = preflight->conns;
    preflight->has_reader = conns->reader != NULL && conns->reader != conns->source_primary;
    preflight->source = (struct server_facts){.label = "source", .conn = conns->source_primary};
    preflight->target = (struct server_facts){.label = "target", .conn = conns->target};
    if (!server_facts_read(&preflight->source, error) ||
        !server_facts_read(&preflight->target, error))
        return false;
    if (!preflight->has_reader) {
        preflight->reader = preflight->source;
        return true;
    }
    preflight->reader = (struct server_facts){.label = "read_from", .conn = conns->reader};
    return server_facts_read(&preflight->reader, error);
}

static bool
run_checks(struct preflight *preflight, GError **error)
{
    if (!read_facts(preflight, error))
        return false;
    preflight_settings(preflight, &preflight->source);
    if (preflight->has_reader)
        preflight_settings(preflight, &preflight->reader);
    preflight_settings(preflight, &preflight->target);
    if (!preflight_topology(preflight, error) || !preflight_source_tables(preflight, error) ||
        !preflight_relations(preflight, error) || !preflight_triggers(preflight, error) ||
        !preflight_zones(preflight, error) || !preflight_target_tables(preflight, error) ||
        !preflight_grants(preflight, error))
        return false;
    preflight_retention(preflight);
    return true;
}

GPtrArray *
preflight_run(const struct config *config, const struct preflight_connections *conns,
              const struct preflight_options *options, GError **error)
{
    struct preflight preflight = {
        .config = config,
        .conns = conns,
        .options = options,
        .findings = g_ptr_array_new_with_free_func(free_finding),
        .moved_tables = g_ptr_array_new_with_free_func(free_moved_table),
        .referenced = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };
    bool done = run_checks(&preflight, error);
    server_facts_clear(&preflight.source);
    server_facts_clear(&preflight.target);
    if (preflight.has_reader)
        server_facts_clear(&preflight.reader);
    g_ptr_array_unref(preflight.moved_tables);
    g_hash_table_unref(preflight.referenced);
    g_clear_pointer(&preflight.target_schemas, g_hash_table_unref);
    if (done)
        return preflight.findings;
    g_ptr_array_unref(preflight.findings);
    return NULL;
}

GPtrArray *
preflight_run_triggers(const struct config *config, const struct preflight_connections *conns,
                       GPtrArray *moved_tables, GError **error)
{
    struct preflight preflight = {
        .config = config,
        .conns = conns,
        .findings = g_ptr_array_new_with_free_func(free_finding),
        .moved_tables = moved_tables,
        .source = {.label = "source", .conn = conns->source_primary},
        .target = {.label = "target", .conn = conns->target},
    };
    bool done = server_facts_read(&preflight.source, error) &&
                server_facts_read(&preflight.target, error) &&
                preflight_triggers(&preflight, error);
    server_facts_clear(&preflight.source);
    server_facts_clear(&preflight.target);
    if (done)
        return preflight.findings;
    g_ptr_array_unref(preflight.findings);
    return NULL;
}

bool
preflight_passed(const GPtrArray *findings)
{
    for (unsigned i = 0; i < findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(findings, i);
        if (finding->level == FINDING_ERROR)
            return false;
    }
    return true;
}
