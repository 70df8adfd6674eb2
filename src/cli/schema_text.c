#include "cli/schema_text.h"

#include "checkpoint/migrations.h"
#include "cli/human.h"
#include "cli/json_text.h"

enum { LABEL_WIDTH = 14 };

static void
append_migration(GString *text, const struct applied_migration *row)
{
    g_string_append_printf(text, "migration %u '%s', %s by %s at %s UTC", row->id, row->name,
                           row->finished ? "applied" : "begun", row->applied_by, row->applied_at);
}

void
schema_text_append(GString *text, const struct schema_fit *fit)
{
    for (guint i = 0; i < fit->unknown->len; i++) {
        human_append_cell(text, "schema:", LABEL_WIDTH, false);
        g_string_append(text, "of a newer build; not shown is what it keeps by ");
        append_migration(text, g_ptr_array_index(fit->unknown, i));
        g_string_append_c(text, '\n');
    }
    if (fit->missing == 0 || fit->problem != NULL)
        return;
    human_append_cell(text, "schema:", LABEL_WIDTH, false);
    g_string_append_printf(text,
                           "of an older build; `run` with this one upgrades it (%u migration%s)\n",
                           fit->missing, fit->missing == 1 ? "" : "s");
}

json_t *
schema_json(const struct schema_fit *fit)
{
    json_t *unknown = json_array();
    for (guint i = 0; i < fit->unknown->len; i++) {
        const struct applied_migration *row = g_ptr_array_index(fit->unknown, i);
        json_array_append_new(
            unknown,
            json_pack("{s:I, s:o, s:b, s:b, s:o, s:o}", "id", (json_int_t)row->id, "name",
                      json_text(row->name), "backward_compatible", (int)row->backward_compatible,
                      "finished", (int)row->finished, "applied_by", json_text(row->applied_by),
                      "applied_at", json_text(row->applied_at)));
    }
    return json_pack("{s:I, s:I, s:o}", "number", (json_int_t)checkpoint_schema_number(), "missing",
                     (json_int_t)fit->missing, "unknown", unknown);
}

static void
append_time(GString *text, const char *label, int64_t now_us, int64_t then_us)
{
    if (then_us == 0)
        return;
    g_autofree char *ago = human_duration(MAX(now_us - then_us, 0) / 1000);
    human_append_cell(text, label, LABEL_WIDTH, false);
    g_string_append_printf(text, "%s ago\n", ago);
}

void
core_text_append(GString *text, const struct core_view *view)
{
    const struct move_core *core = view->core;
    human_append_cell(text, "move:", LABEL_WIDTH, false);
    g_string_append_printf(text, "%s\n", view->move);
    human_append_cell(text, "phase:", LABEL_WIDTH, false);
    if (core == NULL) {
        g_string_append(text, "not known: this build finds no move of that name\n");
    } else {
        g_string_append_printf(text, "%s\n", core->phase != NULL ? core->phase : "not known");
        human_append_cell(text, "runner:", LABEL_WIDTH, false);
        const char *owner = core->owner != NULL ? core->owner : "nobody";
        g_string_append_printf(text, view->runner_alive ? "%s\n" : "none (last: %s)\n", owner);
        human_append_cell(text, "build:", LABEL_WIDTH, false);
        g_string_append_printf(text, "%s\n", core->build != NULL ? core->build : "not known");
        append_time(text, "begun:", view->now_us, core->created_us);
        append_time(text, "written:", view->now_us, core->updated_us);
        append_time(text, "saved:", view->now_us, core->heartbeat_us);
    }
    schema_text_append(text, view->fit);
    human_append_cell(text, "not shown:", LABEL_WIDTH, false);
    g_string_append(text, "progress, lag, cutover and hooks, which this build cannot read\n");
}

char *
core_to_json(const struct core_view *view)
{
    const struct move_core *core = view->core;
    json_t *all = json_pack("{s:o, s:o, s:b, s:o, s:o}", "move", json_text(view->move), "problem",
                            json_text(view->problem), "runner_alive", (int)view->runner_alive,
                            "schema", schema_json(view->fit), "phase",
                            json_text(core != NULL ? core->phase : NULL));
    if (core != NULL) {
        json_t *facts = json_pack(
            "{s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "move_id", json_text(core->move_id), "build",
            json_text(core->build), "owner", json_text(core->owner), "epoch",
            (json_int_t)core->epoch, "created_at", json_time(core->created_us), "updated_at",
            json_time(core->updated_us), "heartbeat_at", json_time(core->heartbeat_us));
        json_object_update(all, facts);
        json_decref(facts);
    }
    return json_print(all);
}
