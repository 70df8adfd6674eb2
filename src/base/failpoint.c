#include "base/failpoint.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define FAILPOINT_EXIT_CODE 99

struct failpoint_entry {
    const char *name;
    const char *description;
};

static const struct failpoint_entry entries[FAILPOINT_COUNT] = {
#define FAILPOINT_ENTRY(suffix, point_name, text) \
    [FAILPOINT_##suffix] = {.name = point_name, .description = text},
    FAILPOINT_LIST(FAILPOINT_ENTRY)
#undef FAILPOINT_ENTRY
};

/* Set once before threads start; `left` is counted down by whichever thread gets there. */
static int armed_point = -1;
static atomic_long left;

bool
failpoint_arm_from_environment(GError **error)
{
    const char *setting = getenv("MOVE_TABLES_FAILPOINT");
    if (setting == NULL || *setting == '\0')
        return true;

    const char *colon = strchr(setting, ':');
    size_t length = colon != NULL ? (size_t)(colon - setting) : strlen(setting);
    guint64 count = 1;
    if (colon != NULL && !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXLONG, &count, NULL)) {
        g_set_error(
            error, MT_ERROR, MT_ERROR_USAGE,
            "MOVE_TABLES_FAILPOINT: \"%s\" is not a count; use name or name:n with n from 1",
            colon + 1);
        return false;
    }
    for (int point = 0; point < FAILPOINT_COUNT; point++) {
        if (strlen(entries[point].name) == length &&
            strncmp(entries[point].name, setting, length) == 0) {
            atomic_store(&left, (long)count);
            armed_point = point;
            return true;
        }
    }
    g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                "MOVE_TABLES_FAILPOINT: there is no failpoint \"%.*s\"; "
                "`move-tables version --failpoints` lists them",
                (int)length, setting);
    return false;
}

void
failpoint_reach(enum failpoint point)
{
    if (armed_point == (int)point && atomic_fetch_sub(&left, 1) == 1)
        _exit(FAILPOINT_EXIT_CODE);
}

const char *
failpoint_name(enum failpoint point)
{
    return entries[point].name;
}

const char *
failpoint_description(enum failpoint point)
{
    return entries[point].description;
}
