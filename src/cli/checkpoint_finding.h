/* What `check` says of a move that has begun. Pure. */
#ifndef CLI_CHECKPOINT_FINDING_H
#define CLI_CHECKPOINT_FINDING_H

#include <glib.h>
#include <stdbool.h>

#include "checkpoint/checkpoint.h"
#include "config/config.h"
#include "schema/preflight.h"

/* Whether `run` makes its first checks again: not when the source's tables may be renamed. */
bool checkpoint_wants_preflight(const struct move_state *state);

/* What another build has made of the schema; NULL: nothing that needs to be told. An error when this
 * build cannot go on with it, as `run` says. Free with finding_free(). */
struct finding *schema_finding(const struct schema_fit *fit);

/* Ok: where `run` goes on. An error when the checkpoint is of other tables than the file says, as
 * `run` refuses it. Free with finding_free(). */
struct finding *checkpoint_finding(const struct config *config, const struct move_state *state);

#endif
