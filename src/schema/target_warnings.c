#include "schema/target_warnings.h"

#include <string.h>

#include "base/error.h"
#include "mysql/words.h"

#define ROWS_MAX 1000

unsigned
target_warnings_rows_max(const struct table *table)
{
    unsigned warnings = 1; /* the row is there already */
    for (unsigned i = 0; i < table->columns->len; i++)
        warnings += table_column(table, i)->generated ? 2 : 0; /* of the old row and the new one */
    return MAX(1, ROWS_MAX / warnings);
}

bool
target_warning_is_computed(const struct table *table, const char *code, const char *message)
{
    /* "… for functional index '…'" */
    if (g_str_equal(code, "3751") || g_str_equal(code, "3752"))
        return true;
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (!column->generated)
            continue;
        g_autofree char *named = g_strdup_printf("for column '%s' at row ", column->name);
        if (strstr(message, named) != NULL)
            return true;
    }
    return false;
}

static bool
is_harmless(const struct table *table, const char *code, const char *message)
{
    return g_str_equal(code, "1062") || target_warning_is_computed(table, code, message);
}

bool
target_warnings_accept(struct conn *conn, const struct moved_table *table, bool *ret_all_seen,
                       GError **error)
{
    unsigned count = conn_warning_count(conn);
    *ret_all_seen = true;
    if (count == 0)
        return true;
    g_autoptr(result) warnings = conn_query(conn, "SHOW WARNINGS", error);
    if (warnings == NULL)
        return false;
    for (size_t row = 0; row < result_rows(warnings); row++) {
        const char *code = result_get(warnings, row, "Code");
        const char *message = result_get(warnings, row, "Message");
        if (is_harmless(table->source, code, message))
            continue;
        g_autofree char *words = server_words_without_values(
            (unsigned)g_ascii_strtoull(code, NULL, 10), message);
        g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                    "target table %s.%s does not take a row of %s.%s as it is: %s (warning %s)",
                    table->to_schema, table->to_table, table->source->schema, table->source->name,
                    words, code);
        return false;
    }
    *ret_all_seen = count <= result_rows(warnings);
    return true;
}

bool
target_warnings_unseen(const struct moved_table *table, GError **error)
{
    g_set_error(error, MT_ERROR, MT_ERROR_TARGET,
                "target: max_error_count is too small to see every warning of %u rows of %s.%s; "
                "SET GLOBAL max_error_count = 1024",
                target_warnings_rows_max(table->source), table->to_schema, table->to_table);
    return false;
}
