#include "cli/status_text.h"

#include <jansson.h>
#include <string.h>

#include "base/progress.h"
#include "base/url.h"
#include "checkpoint/index_builds.h"
#include "checkpoint/outbox.h"
#include "cli/human.h"
#include "cli/json_text.h"
#include "cli/progress_text.h"
#include "cli/schema_text.h"

enum { BAR_WIDTH = 22, NAME_MOST = 40 };

int64_t
status_eta_ms(const struct move_state *state)
{
    uint64_t remaining = 0;
    bool all_done = true;
    for (unsigned i = 0; i < state->tables->len; i++) {
        const struct table_state *table = g_ptr_array_index(state->tables, i);
        all_done = all_done && table->copy_done;
        if (!table->copy_done && table->rows_estimated > table->rows_copied)
            remaining += table->rows_estimated - table->rows_copied;
    }
    if (all_done)
        return 0;
    return remaining == 0 ? -1 : progress_eta_ms(remaining, (double)state->copy_rows_per_s);
}

/* "12.3 s ago", "never". Caller frees. */
static char *
ago(int64_t now_us, int64_t then_us)
{
    if (then_us == 0)
        return g_strdup("never");
    g_autofree char *duration = human_duration(MAX(now_us - then_us, 0) / 1000);
    return g_strdup_printf("%s ago", duration);
}

static void G_GNUC_PRINTF(3, 4)
    append_fact(GString *text, const char *name, const char *format, ...)
{
    g_autofree char *label = g_strconcat(name, ":", NULL);
    human_append_cell(text, label, 14, false);
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(text, format, args);
    va_end(args);
    g_string_append_c(text, '\n');
}

/* Pausing holds the copy alone: it says nothing of a move whose copy is done. */
static bool
copy_is_paused(const struct move_state *state)
{
    return state->paused && state->phase == PHASE_COPYING;
}

const char *
status_alarm(const struct status_view *view)
{
    if (view->state == NULL || view->runner_alive)
        return NULL;
    if (view->state->phase == PHASE_FENCING)
        return "the cutover is open and NO RUNNER is alive: the application may be WITHOUT ITS "
               "TABLES. `move-tables run FILE`, now, finishes or undoes the cutover";
    if (view->state->phase == PHASE_DRAINING)
        return "the cutover is open and NO RUNNER is alive: the source's tables are renamed, the "
               "application is WITHOUT ITS TABLES. `move-tables run FILE`, now, finishes or undoes "
               "the cutover";
    if (view->state->phase == PHASE_DRAINED && view->state->last_error != NULL)
        return "the data is moved, but a run ended before `completed` was sent, and NO RUNNER is "
               "alive: the application may be WITHOUT ITS TABLES. See the last error, then "
               "`move-tables run FILE`, now";
    return NULL;
}

/* Whether a run ends without having sent everything, until somebody decides. */
static bool
is_anything_held(const GPtrArray *deliveries)
{
    for (unsigned i = 0; deliveries != NULL && i < deliveries->len; i++)
        if (((const struct delivery *)g_ptr_array_index(deliveries, i))->state == DELIVERY_IN_DOUBT)
            return true;
    return false;
}

/* Whether there are deliveries, and nothing more will come of any of them but what is there. */
static bool
is_everybody_told(const GPtrArray *deliveries)
{
    for (unsigned i = 0; deliveries != NULL && i < deliveries->len; i++) {
        const struct delivery *delivery = g_ptr_array_index(deliveries, i);
        bool gate = g_strcmp0(delivery->event, "before_cutover") == 0;
        if (delivery->state != DELIVERY_DELIVERED && !(gate && delivery->state == DELIVERY_REFUSED))
            return false;
    }
    return deliveries != NULL && deliveries->len > 0;
}

static const char *
next_step_without_runner(const struct status_view *view)
{
    const struct move_state *state = view->state;
    if (state->phase == PHASE_FENCING || state->phase == PHASE_DRAINING)
        return "`move-tables run FILE`, now: it finishes or undoes the cutover";
    if (state->phase >= PHASE_DRAINED && is_anything_held(view->deliveries))
        return "the data is moved, but a delivery is in doubt: decide it with `move-tables hooks "
               "FILE resolve`, then `move-tables run FILE`";
    if (state->phase >= PHASE_DRAINED && is_everybody_told(view->deliveries))
        return "the data is moved, and everybody is told: `move-tables run FILE` ends the move";
    if (state->phase >= PHASE_DRAINED)
        return "the data is moved, `completed` is not acknowledged yet: `move-tables run FILE` "
               "delivers it";
    if (copy_is_paused(state))
        return "`move-tables run` goes on from here, still paused; then `move-tables resume` goes "
               "on copying";
    return "`move-tables run` goes on from here";
}

const char *
status_next_step(const struct status_view *view)
{
    const struct move_state *state = view->state;
    if (state == NULL)
        return "`move-tables run` begins it";
    if (state->phase == PHASE_COMPLETED)
        return "done; `move-tables clean` removes what the move left behind";
    if (!view->runner_alive)
        return next_step_without_runner(view);
    if (copy_is_paused(state))
        return "`move-tables resume` goes on copying";
    if (state->phase == PHASE_READY && !state->cutover_requested && !view->cutover_auto)
        return "`move-tables cutover` finishes the move";
    if (state->phase == PHASE_DRAINING)
        return "nothing: the runner finishes or undoes the cutover within cutover.drain_timeout_s";
    return NULL;
}

static void
append_runner(GString *text, const struct status_view *view)
{
    const struct move_state *state = view->state;
    g_autofree char *seen = ago(view->now_us, state->heartbeat_us);
    const char *owner = state->owner != NULL ? state->owner : "nobody";
    if (view->runner_alive)
        append_fact(text, "runner", "%s, saved %s", owner, seen);
    else
        append_fact(text, "runner", "none (last: %s, saved %s)", owner, seen);
    if (state->build != NULL)
        append_fact(text, "build", "%s", state->build);
}

static void
append_cutover(GString *text, const struct status_view *view)
{
    const struct move_state *state = view->state;
    if (state->attempt > 0)
        append_fact(text, "cutover", "attempt %u", state->attempt);
    if (state->cutover_requested && state->phase <= PHASE_READY)
        append_fact(text, "cutover", "requested");
    if (view->flag_file != NULL && state->phase <= PHASE_READY)
        append_fact(text, "flag file",
                    "cutover.flag_file: %s (no cutover begins while the runner's host has it)",
                    view->flag_file);
    if (state->fenced_us != 0 && state->drained_us != 0) {
        g_autofree char *gone = human_duration((state->drained_us - state->fenced_us) / 1000);
        append_fact(text, "unavailable",
                    "%s (from RENAME, or from the recovery of a run that died in between, to "
                    "drained)",
                    gone);
    }
    if (state->last_error != NULL)
        append_fact(text, "last error", "%s", state->last_error);
}

static void
append_table(GString *text, const struct table_state *table, unsigned name_width)
{
    unsigned percent = table->copy_done
                           ? 100
                           : MIN(human_percent(table->rows_copied, table->rows_estimated), 99U);
    if (!table->copy_done && table->rows_copied == 0)
        percent = 0;
    g_autofree char *percent_text = g_strdup_printf("%u%%", percent);
    uint64_t rows = table->rows_final > 0 ? table->rows_final : table->rows_copied;
    g_autofree char *rows_text = human_count(rows);
    g_string_append(text, "  ");
    human_append_cell(text, table->source_table, name_width, false);
    g_string_append_c(text, ' ');
    progress_bar_append(text, percent, BAR_WIDTH);
    human_append_cell(text, percent_text, 5, true);
    human_append_cell(text, rows_text, 16, true);
    g_string_append(text, " rows");
    if (strcmp(table->source_table, table->target_table) != 0)
        g_string_append_printf(text, "  -> %s", table->target_table);
    g_string_append_c(text, '\n');
}

static void
append_index_builds(GString *text, const struct status_view *view)
{
    for (guint i = 0; view->index_builds != NULL && i < view->index_builds->len; i++) {
        const struct index_build *build = g_ptr_array_index(view->index_builds, i);
        g_autofree char *since = human_duration(build->seconds * 1000);
        append_fact(text, "indexes", "being built for %s since %s", build->table, since);
    }
}

static void
append_phase(GString *text, const struct status_view *view, bool colour)
{
    const struct move_state *state = view->state;
    g_autofree char *phase = g_strdup_printf("%s%s%s%s", colour ? "\033[1m" : "",
                                             phase_name(state->phase), colour ? "\033[0m" : "",
                                             copy_is_paused(state) ? " (paused)" : "");
    append_fact(text, "phase", "%s", phase);
    append_runner(text, view);
    if (view->fit != NULL)
        schema_text_append(text, view->fit);
    if (state->phase < PHASE_DRAINED) {
        g_autofree char *lag = human_duration(state->lag_ms);
        append_fact(text, "lag", "%s", lag);
    }
    if (state->phase == PHASE_COPYING) {
        g_autofree char *rate = human_rate((double)state->copy_rows_per_s);
        g_autofree char *eta = human_duration(status_eta_ms(state));
        append_fact(text, "copy", "%s rows/s, ETA %s", rate, eta);
    }
    append_index_builds(text, view);
    g_autofree char *changes = human_count(state->changes_applied);
    append_fact(text, "applied", "%s row changes, by %s run", changes,
                view->runner_alive ? "this" : "the last");
    append_cutover(text, view);
}

/* Whether it may have arrived: as stored, or because whoever was sending it is gone. */
static bool
is_in_doubt(const struct delivery *delivery, bool runner_alive)
{
    return delivery->state == DELIVERY_IN_DOUBT ||
           (delivery->state == DELIVERY_SENDING && !runner_alive);
}

/* When something happened to it, or will. */
static void
append_when(GString *text, const struct delivery *delivery, int64_t now_us)
{
    int64_t then_us = delivery->created_us;
    if (delivery->state == DELIVERY_DELIVERED && delivery->delivered_us != 0)
        then_us = delivery->delivered_us;
    else if (delivery->sent_us != 0)
        then_us = delivery->sent_us;
    g_autofree char *when = ago(now_us, then_us);
    g_string_append_printf(text, ", %s", when);
    if (delivery->state == DELIVERY_PENDING && delivery->next_attempt_us > now_us) {
        g_autofree char *next = human_duration((delivery->next_attempt_us - now_us) / 1000);
        g_string_append_printf(text, ", again in %s", next);
    }
}

static void
append_notes(GString *text, const struct delivery *delivery, const struct deliveries_view *view)
{
    if (delivery->last_error != NULL && delivery->state != DELIVERY_DELIVERED)
        g_string_append_printf(text, "  %16s%s\n", "", delivery->last_error);
    if (delivery->resolved_by != NULL)
        g_string_append_printf(text, "  %16sdecided by hand, by %s\n", "", delivery->resolved_by);
    if (delivery->state == DELIVERY_IN_DOUBT)
        g_string_append_printf(text,
                               "  %16sin doubt, it may have arrived: `move-tables hooks %s resolve "
                               "%s delivered` (it did) or `resend` (it did not)\n",
                               "", view->file != NULL ? view->file : "FILE", delivery->event_id);
    else if (is_in_doubt(delivery, view->runner_alive))
        g_string_append_printf(text,
                               "  %16sin doubt, it may have arrived: its runner is gone; the next "
                               "one does what hooks[].in_doubt says\n",
                               "");
}

void
deliveries_text_append(GString *text, const struct deliveries_view *view)
{
    for (unsigned i = 0; i < view->deliveries->len; i++) {
        const struct delivery *delivery = g_ptr_array_index(view->deliveries, i);
        g_autofree char *url = url_text(delivery->endpoint);
        g_string_append(text, "  ");
        human_append_cell(text, delivery->event, 16, false);
        human_append_cell(text, delivery_state_name(delivery->state), 10, false);
        g_string_append_printf(text, " %u attempt%s", delivery->attempts,
                               delivery->attempts == 1 ? "" : "s");
        if (delivery->last_status != 0)
            g_string_append_printf(text, ", last answer %d", delivery->last_status);
        append_when(text, delivery, view->now_us);
        g_string_append_printf(text, "  %s\n  %16s%s\n", url, "", delivery->event_id);
        append_notes(text, delivery, view);
    }
}

void
status_text_append(GString *text, const struct status_view *view, bool colour)
{
    unsigned name_width = 8;
    const char *alarm = status_alarm(view);
    if (alarm != NULL)
        g_string_append_printf(text, "%sATTENTION: %s.%s\n\n", colour ? "\033[1;31m" : "", alarm,
                               colour ? "\033[0m" : "");
    append_fact(text, "move", "%s", view->move);
    if (view->state == NULL) {
        append_fact(text, "phase", "not begun: there is no checkpoint of it on the target");
        return;
    }
    append_phase(text, view, colour);
    g_string_append_c(text, '\n');
    for (unsigned i = 0; i < view->state->tables->len; i++) {
        const struct table_state *table = g_ptr_array_index(view->state->tables, i);
        glong length = g_utf8_strlen(table->source_table, -1);
        name_width = MAX(name_width, (unsigned)MIN(length, NAME_MOST));
    }
    for (unsigned i = 0; i < view->state->tables->len; i++)
        append_table(text, g_ptr_array_index(view->state->tables, i), name_width);
    if (view->deliveries != NULL && view->deliveries->len > 0) {
        g_string_append(text, "\nhooks:\n");
        struct deliveries_view hooks = {.deliveries = view->deliveries,
                                        .file = view->file,
                                        .now_us = view->now_us,
                                        .runner_alive = view->runner_alive};
        deliveries_text_append(text, &hooks);
    }
    const char *next = status_next_step(view);
    if (next != NULL)
        g_string_append_printf(text, "\nnext: %s\n", next);
}

/* --- JSON --- */

static json_t *
delivery_json(const struct delivery *delivery, bool runner_alive)
{
    /* Without its query, which can carry a token. */
    g_autofree char *url = url_text(delivery->endpoint);
    json_t *entry = json_pack(
        "{s:o, s:o, s:o, s:s, s:b, s:I, s:I, s:o}", "id", json_text(delivery->event_id), "event",
        json_text(delivery->event), "endpoint", json_text(url), "state",
        delivery_state_name(delivery->state), "in_doubt", (int)is_in_doubt(delivery, runner_alive),
        "attempts", (json_int_t)delivery->attempts, "last_status",
        (json_int_t)delivery->last_status, "last_error", json_text(delivery->last_error));
    json_t *times = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o}", "created_at", json_time(delivery->created_us), "sent_at",
        json_time(delivery->sent_us), "next_attempt_at", json_time(delivery->next_attempt_us),
        "delivered_at", json_time(delivery->delivered_us), "resolved_at",
        json_time(delivery->resolved_us), "resolved_by", json_text(delivery->resolved_by));
    json_object_update(entry, times);
    json_decref(times);
    return entry;
}

static json_t *
deliveries_json(const GPtrArray *deliveries, bool runner_alive)
{
    json_t *list = json_array();
    for (unsigned i = 0; deliveries != NULL && i < deliveries->len; i++)
        json_array_append_new(list, delivery_json(g_ptr_array_index(deliveries, i), runner_alive));
    return list;
}

char *
deliveries_to_json(const struct deliveries_view *view)
{
    return json_print(
        json_pack("{s:o}", "hooks", deliveries_json(view->deliveries, view->runner_alive)));
}

static json_t *
tables_json(const GPtrArray *tables)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < tables->len; i++) {
        const struct table_state *table = g_ptr_array_index(tables, i);
        json_t *entry = json_pack(
            "{s:o, s:o, s:o, s:o, s:I, s:I, s:b, s:I}", "from", json_text(table->source_table),
            "to", json_text(table->target_table), "moved_as", json_text(table->moved_as), "key",
            json_text(table->key_name), "rows_estimated", (json_int_t)table->rows_estimated,
            "rows_copied", (json_int_t)table->rows_copied, "copy_done", (int)table->copy_done,
            "rows_final", (json_int_t)table->rows_final);
        json_array_append_new(list, entry);
    }
    return list;
}

static json_t *
index_builds_json(const GPtrArray *builds)
{
    json_t *list = json_array();
    for (guint i = 0; builds != NULL && i < builds->len; i++) {
        const struct index_build *build = g_ptr_array_index(builds, i);
        json_array_append_new(list, json_pack("{s:o, s:I}", "table", json_text(build->table),
                                              "seconds", (json_int_t)build->seconds));
    }
    return list;
}

/* A number that -1 stands for "not known" of. */
static json_t *
known(int64_t number)
{
    return number < 0 ? json_null() : json_integer(number);
}

char *
status_to_json(const struct status_view *view)
{
    const struct move_state *state = view->state;
    json_t *all = json_pack("{s:o}", "move", json_text(view->move));
    if (state == NULL) {
        json_object_set_new(all, "phase", json_null());
        json_object_set_new(all, "runner_alive", json_boolean(view->runner_alive));
        return json_print(all);
    }
    json_t *facts = json_pack(
        "{s:o, s:s, s:b, s:b, s:I, s:o, s:I, s:I, s:o}", "move_id", json_text(state->move_id),
        "phase", phase_name(state->phase), "paused", (int)state->paused, "cutover_requested",
        (int)state->cutover_requested, "attempt", (json_int_t)state->attempt, "lag_ms",
        known(state->lag_ms), "changes_applied", (json_int_t)state->changes_applied,
        "copy_rows_per_s", (json_int_t)state->copy_rows_per_s, "eta_ms",
        known(status_eta_ms(state)));
    json_object_update(all, facts);
    json_decref(facts);
    facts = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "position", json_text(state->position),
        "horizon", json_text(state->horizon), "drain_gtid", json_text(state->drain_gtid),
        "last_error", json_text(state->last_error), "created_at", json_time(state->created_us),
        "updated_at", json_time(state->updated_us), "fenced_at", json_time(state->fenced_us),
        "drained_at", json_time(state->drained_us), "completed_at", json_time(state->completed_us));
    json_object_update(all, facts);
    json_decref(facts);
    facts = json_pack("{s:b, s:o, s:I, s:o, s:o, s:o, s:o}", "runner_alive",
                      (int)view->runner_alive, "owner", json_text(state->owner), "epoch",
                      (json_int_t)state->epoch, "build", json_text(state->build), "heartbeat_at",
                      json_time(state->heartbeat_us), "tables", tables_json(state->tables), "hooks",
                      deliveries_json(view->deliveries, view->runner_alive));
    json_object_update(all, facts);
    json_decref(facts);
    json_object_set_new(all, "index_builds", index_builds_json(view->index_builds));
    if (view->fit != NULL)
        json_object_set_new(all, "schema", schema_json(view->fit));
    json_object_set_new(all, "alarm", json_text(status_alarm(view)));
    json_object_set_new(all, "next", json_text(status_next_step(view)));
    return json_print(all);
}
