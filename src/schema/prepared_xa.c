#include "schema/prepared_xa.h"

#include <string.h>

#include "base/error.h"

/* The server's answer to XA RECOVER without the privilege; the usual one is only a warning of it. */
#define ERROR_XAER_RMERR 1401
#define ERROR_SPECIFIC_ACCESS_DENIED 1227

#define NAMES_MAX 10
/* The standard's limit for each part, XIDDATASIZE / 2. */
#define PART_BYTES_MAX 64

/* --- one row -------------------------------------------------------------------------------- */

static bool
is_number(const char *text)
{
    const char *digits = *text == '-' ? text + 1 : text;
    return *digits != '\0' && strspn(digits, "0123456789") == strlen(digits);
}

char *
prepared_xa_name(const char *format_id, gint64 gtrid_bytes, gint64 bqual_bytes, const char *data)
{
    if (format_id == NULL || data == NULL || !is_number(format_id) || gtrid_bytes < 0 ||
        gtrid_bytes > PART_BYTES_MAX || bqual_bytes < 0 || bqual_bytes > PART_BYTES_MAX)
        return NULL;
    if (g_str_has_prefix(data, "0x") || g_str_has_prefix(data, "0X"))
        data += 2;
    size_t gtrid_digits = (size_t)gtrid_bytes * 2;
    size_t bqual_digits = (size_t)bqual_bytes * 2;
    if (strlen(data) != gtrid_digits + bqual_digits ||
        strspn(data, "0123456789abcdefABCDEF") != strlen(data))
        return NULL;
    /* The binlog writes small digits. */
    g_autofree char *digits = g_ascii_strdown(data, -1);
    return g_strdup_printf("X'%.*s',X'%s',%s", (int)gtrid_digits, digits, digits + gtrid_digits,
                           format_id);
}

/* --- lists ---------------------------------------------------------------------------------- */

static bool
contains(const GPtrArray *xids, const char *xid)
{
    for (guint i = 0; i < xids->len; i++)
        if (g_str_equal(xids->pdata[i], xid))
            return true;
    return false;
}

void
prepared_xa_keep(GPtrArray *xids, const GPtrArray *present)
{
    for (guint i = xids->len; i > 0; i--)
        if (!contains(present, xids->pdata[i - 1]))
            g_ptr_array_remove_index(xids, i - 1);
}

char *
prepared_xa_names(const GPtrArray *xids)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < xids->len && i < NAMES_MAX; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", (const char *)xids->pdata[i]);
    if (xids->len > NAMES_MAX)
        g_string_append_printf(names, " and %u more", xids->len - NAMES_MAX);
    return g_string_free(names, FALSE);
}

/* --- asking --------------------------------------------------------------------------------- */

static bool
is_denied(const struct conn *conn)
{
    unsigned number = conn_errno(conn);
    return number == ERROR_XAER_RMERR || number == ERROR_SPECIFIC_ACCESS_DENIED;
}

bool
prepared_xa_list(struct conn *conn, GPtrArray **ret_xids, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(result) rows = conn_query(conn, "XA RECOVER CONVERT XID", &failure);
    if (rows == NULL) {
        if (!is_denied(conn)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        *ret_xids = NULL;
        return true;
    }
    g_autoptr(GPtrArray) xids = g_ptr_array_new_with_free_func(g_free);
    for (size_t row = 0; row < result_rows(rows); row++) {
        char *name = prepared_xa_name(
            result_get(rows, row, "formatID"), result_int(rows, row, "gtrid_length"),
            result_int(rows, row, "bqual_length"), result_get(rows, row, "data"));
        if (name == NULL) {
            g_set_error(error, MT_ERROR, MT_ERROR_SOURCE,
                        "XA RECOVER on the source: a row is not understood (data %s)",
                        result_get(rows, row, "data"));
            return false;
        }
        g_ptr_array_add(xids, name);
    }
    *ret_xids = g_steal_pointer(&xids);
    return true;
}
