#include <jansson.h>

#include "base/failpoint.h"
#include "base/version.h"
#include "checkpoint/checkpoint.h"
#include "cli/json_text.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "mysql/client.h"

static char *
version_json(bool failpoints)
{
    json_t *version = json_pack("{s:s, s:s, s:s, s:s, s:I}", "version", build_version(), "commit",
                                build_commit(), "variant", build_variant(), "libmysqlclient",
                                client_version(), "checkpoint_schema",
                                (json_int_t)checkpoint_schema_number());
    if (failpoints) {
        json_t *list = json_array();
        for (int i = 0; i < FAILPOINT_COUNT; i++)
            json_array_append_new(list, json_pack("{s:s, s:s}", "name",
                                                  failpoint_name((enum failpoint)i), "description",
                                                  failpoint_description((enum failpoint)i)));
        json_object_set_new(version, "failpoints", list);
    }
    return json_print(version);
}

static char *
version_text(bool failpoints)
{
    GString *text = g_string_new(NULL);
    if (!failpoints) {
        g_string_printf(text,
                        "move-tables %s\ncommit %s (%s build)\nlibmysqlclient %s\n"
                        "checkpoint schema %u\n",
                        build_version(), build_commit(), build_variant(), client_version(),
                        checkpoint_schema_number());
        return g_string_free(text, FALSE);
    }
    for (int i = 0; i < FAILPOINT_COUNT; i++)
        g_string_append_printf(text, "%-24s %s\n", failpoint_name((enum failpoint)i),
                               failpoint_description((enum failpoint)i));
    return g_string_free(text, FALSE);
}

bool
command_version(const struct arguments *arguments, GError **error)
{
    bool failpoints = argument_given(arguments, OPTION_FAILPOINTS);
    g_autofree char *text = argument_given(arguments, OPTION_JSON) ? version_json(failpoints)
                                                                   : version_text(failpoints);
    return output_write(text, error);
}
