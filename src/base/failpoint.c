#include "base/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
static bool stops_there;
static atomic_long left;
static int trace_fd = -1;

/* MOVE_TABLES_FAILPOINT_ACTION: dies there (the default), or stops there until it is continued. */
static bool
read_action(GError **error)
{
    const char *action = getenv("MOVE_TABLES_FAILPOINT_ACTION");
    stops_there = g_strcmp0(action, "stop") == 0;
    if (stops_there || action == NULL || *action == '\0' || strcmp(action, "exit") == 0)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_USAGE,
                "MOVE_TABLES_FAILPOINT_ACTION: there is no action \"%s\"; use exit or stop",
                action);
    return false;
}

/* Stays open to the end of the process: every thread writes whole lines to it. */
static bool
open_trace(GError **error)
{
    const char *path = getenv("MOVE_TABLES_FAILPOINT_TRACE");
    if (path == NULL || *path == '\0')
        return true;
    trace_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (trace_fd >= 0)
        return true;
    g_set_error(error, MT_ERROR, MT_ERROR_USAGE, "MOVE_TABLES_FAILPOINT_TRACE: %s: %s", path,
                g_strerror(errno));
    return false;
}

static void
trace(enum failpoint point)
{
    g_autofree char *line = g_strdup_printf("%s\n", entries[point].name);
    /* A line that is not written is missed by the test that reads it. */
    if (write(trace_fd, line, strlen(line)) < 0)
        return;
}

bool
failpoint_arm_from_environment(GError **error)
{
    if (!open_trace(error))
        return false;
    const char *setting = getenv("MOVE_TABLES_FAILPOINT");
    if (setting == NULL || *setting == '\0')
        return true;
    if (!read_action(error))
        return false;

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
    if (point == FAILPOINT_NONE)
        return;
    if (trace_fd >= 0)
        trace(point);
    if (armed_point != (int)point || atomic_fetch_sub(&left, 1) != 1)
        return;
    if (!stops_there)
        _exit(FAILPOINT_EXIT_CODE);
    /* All threads at once; whoever continues the process has changed the world meanwhile. */
    (void)raise(SIGSTOP);
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
