#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "checkpoint/sql_int.h"
#include "mysql/quote.h"

/* Server error numbers (reference manual, "Server Error Message Reference"). */
#define ERROR_DATABASE_DENIED 1044
#define ERROR_BAD_DATABASE 1049
#define ERROR_TABLE_DENIED 1142
#define ERROR_COLUMN_DENIED 1143
#define ERROR_NO_SUCH_TABLE 1146
#define ERROR_TABLE_CHANGED 1412

void
sql_add(GString *sql, const struct config *config, const char *template)
{
    const char *rest = template;
    for (const char *brace; (brace = strchr(rest, '{')) != NULL;) {
        g_string_append_len(sql, rest, brace - rest);
        if (g_str_has_prefix(brace, "{db}")) {
            quote_identifier(sql, config->checkpoint.database);
            rest = brace + strlen("{db}");
        } else if (g_str_has_prefix(brace, "{db_text}")) {
            quote_string(sql, config->checkpoint.database);
            rest = brace + strlen("{db_text}");
        } else if (g_str_has_prefix(brace, "{move}")) {
            quote_string(sql, config->move);
            rest = brace + strlen("{move}");
        } else {
            g_string_append_c(sql, '{');
            rest = brace + 1;
        }
    }
    g_string_append(sql, rest);
}

char *
sql_of(const struct config *config, const char *template)
{
    GString *sql = g_string_new(NULL);
    sql_add(sql, config, template);
    return g_string_free(sql, FALSE);
}

void
sql_add_time(GString *sql, int64_t real_us)
{
    if (real_us == 0) {
        g_string_append(sql, "NULL");
        return;
    }
    time_t seconds = (time_t)(real_us / US_PER_S);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    g_string_append_printf(sql, "'%04d-%02d-%02d %02d:%02d:%02d.%06d'", parts.tm_year + 1900,
                           parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                           parts.tm_sec, (int)(real_us % US_PER_S));
}

int64_t
sql_parse_time(const char *text)
{
    struct tm parts = {0};
    int read = 0;
    if (text == NULL ||
        sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
               &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &read) != 6)
        return 0;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;

    int64_t fraction_us = 0;
    const char *digit = text + read;
    if (*digit == '.') {
        digit++;
        for (int64_t unit = US_PER_S / 10; unit > 0 && g_ascii_isdigit(*digit); unit /= 10)
            fraction_us += (*digit++ - '0') * unit;
    }
    return (int64_t)timegm(&parts) * US_PER_S + fraction_us;
}

int64_t
result_time_us(const struct result *result, size_t row, const char *name)
{
    return sql_parse_time(result_get(result, row, name));
}

bool
sql_is_denied(const struct conn *conn)
{
    unsigned number = conn_errno(conn);
    return number == ERROR_DATABASE_DENIED || number == ERROR_TABLE_DENIED ||
           number == ERROR_COLUMN_DENIED;
}

void
sql_set_read_error(const struct conn *conn, const struct config *config, const GError *failure,
                   GError **error)
{
    if (sql_is_denied(conn))
        g_set_error(error, MT_ERROR, MT_ERROR_PREFLIGHT,
                    "%s; the target's user needs SELECT on `%s`.* to read the checkpoint "
                    "(`move-tables check` prints every missing GRANT)",
                    failure->message, config->checkpoint.database);
    else
        g_propagate_error(error, g_error_copy(failure));
}

bool
sql_is_changed_table(const struct conn *conn)
{
    return conn_errno(conn) == ERROR_TABLE_CHANGED;
}

bool
sql_is_missing_table(const struct conn *conn)
{
    unsigned number = conn_errno(conn);
    return number == ERROR_BAD_DATABASE || number == ERROR_NO_SUCH_TABLE;
}
