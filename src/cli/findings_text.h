/* What `check` found, for people and for programs. Pure. */
#ifndef CLI_FINDINGS_TEXT_H
#define CLI_FINDINGS_TEXT_H

#include <glib.h>
#include <stdbool.h>

#include "schema/preflight.h"

/* One line for each finding (struct finding), the cure indented under it, and a last line that
 * sums up. */
void findings_text_append(GString *text, const GPtrArray *findings, bool colour);

/* {"passed":…, "findings":[{"level","subject","message","cure"}]}. Caller frees. */
char *findings_to_json(const GPtrArray *findings);

#endif
