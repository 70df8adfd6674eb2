#include "mysql/client.h"

#include <mysql.h>

#include "base/error.h"

bool
client_begin(GError **error)
{
    if (mysql_library_init(0, NULL, NULL) == 0)
        return true;
    g_set_error_literal(error, MT_ERROR, MT_ERROR_FAILED, "the MySQL client library did not start");
    return false;
}

void
client_end(void)
{
    mysql_library_end();
}

const char *
client_version(void)
{
    return mysql_get_client_info();
}
