/* Where a move stands, as its checkpoint tells it, for people and for programs. Pure. */
#ifndef CLI_STATUS_TEXT_H
#define CLI_STATUS_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "checkpoint/checkpoint.h"

struct status_view {
    const char *move;
    const char *file;               /* the move's; NULL: "FILE" */
    const struct move_state *state; /* NULL: the move has not begun */
    const GPtrArray *deliveries;    /* struct delivery; may be NULL */
    const GPtrArray *index_builds;  /* struct index_build; may be NULL */
    const struct schema_fit *fit;   /* may be NULL */
    int64_t now_us;                 /* the target's clock, as the times in state */
    const char *flag_file;          /* cutover.flag_file; NULL: none */
    bool cutover_auto;              /* cutover.mode: auto */
    bool runner_alive;
};

/* Milliseconds until the copy is done at the last saved rate; -1: not known. */
int64_t status_eta_ms(const struct move_state *state);

/* What must not be overlooked: the application may be without its tables and nobody is at work on
 * it. NULL: nothing. */
const char *status_alarm(const struct status_view *view);

/* What there is to do or to wait for; NULL: nothing. */
const char *status_next_step(const struct status_view *view);

/* A few facts, a line for each table, the hooks, and what comes next. */
void status_text_append(GString *text, const struct status_view *view, bool colour);

/* Ends with a newline. Caller frees. */
char *status_to_json(const struct status_view *view);

/* The outbox alone: for `hooks`. */
struct deliveries_view {
    const GPtrArray *deliveries; /* struct delivery */
    const char *file;            /* the move's, for what there is to type */
    int64_t now_us;              /* the target's clock */
    bool runner_alive;
};

/* Two lines or more for each delivery, none when there is none. */
void deliveries_text_append(GString *text, const struct deliveries_view *view);
/* Ends with a newline. Caller frees. */
char *deliveries_to_json(const struct deliveries_view *view);

#endif
