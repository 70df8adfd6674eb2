/* What a build tells of a checkpoint that another build has written. Pure. */
#ifndef CLI_SCHEMA_TEXT_H
#define CLI_SCHEMA_TEXT_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "checkpoint/checkpoint.h"

/* A fact for `status` where the schema is not just this build's; else nothing. */
void schema_text_append(GString *text, const struct schema_fit *fit);

/* {"number": this build's, "missing": …, "unknown": [{"id", "name", …}]}. The caller owns it. */
json_t *schema_json(const struct schema_fit *fit);

/* A move of which this build can read no more than every build can. */
struct core_view {
    const char *move;
    const struct move_core *core; /* NULL: there is no such move */
    const struct schema_fit *fit;
    const char *problem; /* why no more can be read */
    int64_t now_us;      /* the target's clock */
    bool runner_alive;
};

/* Its facts, and that there is more. */
void core_text_append(GString *text, const struct core_view *view);

/* As status_to_json(), with fewer members and `problem`. Caller frees. */
char *core_to_json(const struct core_view *view);

#endif
