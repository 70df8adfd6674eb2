#include "schema/lost_dates.h"

#include "base/error.h"
#include "mysql/quote.h"
#include "schema/create_scan_int.h"

/* Those that count days. YEAR(), MONTH() and the like give the same for a constant. */
static bool
is_day_count(const struct create_token *token)
{
    static const char *const names[] = {"to_days",   "to_seconds", "weekday", "dayofweek",
                                        "dayofyear", "yearweek",   "datediff"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (create_token_is_word(token, names[i]))
            return true;
    return false;
}

static void
mark_column(struct table *table, const struct create_token *token)
{
    g_autofree char *name = create_token_name(token);
    for (unsigned i = 0; i < table->columns->len; i++) {
        struct column *column = g_ptr_array_index(table->columns, i);
        bool is_date = column->type == COLUMN_DATE || column->type == COLUMN_DATETIME;
        if (is_date && g_ascii_strcasecmp(column->name, name) == 0)
            column->partition_days = true;
    }
}

/* `PARTITION BY RANGE (to_days(`d`))`, and the same with SUBPARTITION: what stands outside of the outer
 * parentheses, until the next ones end. */
static void
mark_expression(struct create_scan *scan, struct table *table)
{
    bool counts_days = false;
    bool inside = false;
    for (;;) {
        struct create_token token = create_scan_next(scan);
        if (token.kind == CREATE_TOKEN_END || (inside && token.depth == 0))
            return;
        inside = inside || token.depth > 0;
        counts_days = counts_days || is_day_count(&token);
        if (counts_days && token.kind == CREATE_TOKEN_NAME)
            mark_column(table, &token);
    }
}

void
lost_dates_mark(struct table *table)
{
    struct create_scan scan = create_scan_of(table->create_sql);
    for (;;) {
        struct create_token token = create_scan_next(&scan);
        if (token.kind == CREATE_TOKEN_END)
            return;
        if (token.depth == 0 && create_token_is_word(&token, "BY"))
            mark_expression(&scan, table);
    }
}

static bool
read_number(const char *text, size_t digits, unsigned *ret_number)
{
    unsigned number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!g_ascii_isdigit(text[i]))
            return false;
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    *ret_number = number;
    return true;
}

bool
lost_dates_is_one(struct column_text text)
{
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    if (text.data == NULL || text.length < sizeof "0000-00-00" - 1 ||
        !read_number(text.data, 4, &year) || !read_number(text.data + 5, 2, &month) ||
        !read_number(text.data + 8, 2, &day))
        return false;
    /* Dates with zeros in them are NULL in both places. */
    return month >= 1 && month <= 12 && day > 28 &&
           day > g_date_get_days_in_month((GDateMonth)month, (GDateYear)(year > 0 ? year : 1));
}

void
lost_dates_refuse(const struct column *column, GError **error)
{
    g_set_error(error, MT_ERROR, MT_ERROR_DATA,
                "column `%s` holds a date that no calendar has (as 2020-02-31), and the table is "
                "partitioned by a count of days of it: MySQL looks for such a row in another "
                "partition than it is in. Correct the date on the source; then run again with "
                "--fresh",
                column->name);
}

bool
lost_dates_select_append(GString *sql, const struct table *table)
{
    g_autoptr(GString) condition = g_string_new(NULL);
    for (unsigned i = 0; i < table->columns->len; i++) {
        const struct column *column = table_column(table, i);
        if (!column->partition_days)
            continue;
        g_autoptr(GString) name = g_string_new(NULL);
        quote_identifier(name, column->name);
        g_string_append_printf(condition,
                               "%s(MONTH(%s) > 0 AND DAYOFMONTH(%s) > "
                               "DAYOFMONTH(LAST_DAY(CONCAT(LEFT(%s, 7), '-01'))))",
                               condition->len > 0 ? " OR " : "", name->str, name->str, name->str);
    }
    if (condition->len == 0)
        return false;
    g_autofree char *name = quoted_table(table->schema, table->name);
    g_string_append_printf(sql, "1 FROM %s WHERE %s LIMIT 1", name, condition->str);
    return true;
}
