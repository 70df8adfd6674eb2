/* The keys of `hooks:`. */
#include "config/keys_int.h"

static const char *const in_doubt_policies[] = {"retry", "probe", "hold", NULL};
/* As enum hook_event. */
static const char *const event_names[] = {"started",        "copy_completed",  "ready",
                                          "before_cutover", "cutover_aborted", "completed",
                                          "failed",         "rolled_back",     NULL};

G_STATIC_ASSERT(G_N_ELEMENTS(event_names) == HOOK_EVENT_COUNT + 1);

const char *
hook_event_name(enum hook_event event)
{
    return event_names[event];
}

static const struct key pair_keys[] = {
    {.name = "name", .kind = KEY_TEXT, AT(struct hook_header, name)},
    {.name = "value", .kind = KEY_TEXT, AT(struct hook_header, value)},
    {.name = NULL},
};
static const struct section pair_section = {.keys = pair_keys, .size = sizeof(struct hook_header)};

static const struct key hook_keys[] = {
    {.name = "url",
     .kind = KEY_TEXT,
     AT(struct loaded_hook, hook.url),
     .required = true,
     .least = 1,
     .most = TEXT_LENGTH,
     .meaning = "http or https address that is POSTed to"},
    {.name = "events",
     .kind = KEY_CHOICES,
     AT(struct loaded_hook, hook.events),
     .choices = event_names,
     .meaning = "what is sent to it; default: all"},
    {.name = "secret_env",
     .kind = KEY_TEXT,
     AT(struct loaded_hook, secret_env),
     .least = 1,
     .most = TEXT_LENGTH,
     .group = "secret",
     .meaning = "environment variable that holds the signing secret"},
    {.name = "secret_file",
     .kind = KEY_TEXT,
     AT(struct loaded_hook, secret_file),
     .least = 1,
     .most = TEXT_LENGTH,
     .group = "secret",
     .meaning = "file that holds the signing secret; a newline at its end is dropped"},
    {.name = "secret",
     .kind = KEY_TEXT,
     AT(struct loaded_hook, hook.secret),
     .least = 1,
     .most = TEXT_LENGTH,
     .group = "secret",
     .secret = true,
     .meaning = "the signing secret itself; prefer the other two"},
    {.name = "timeout_ms",
     .kind = KEY_NUMBER,
     AT(struct loaded_hook, hook.timeout_ms),
     .least = 100,
     .most = 600000,
     .fallback = "10000",
     .meaning = "how long one request may take"},
    {.name = "in_doubt",
     .kind = KEY_CHOICE,
     AT(struct loaded_hook, hook.in_doubt),
     .choices = in_doubt_policies,
     .fallback = "retry",
     .meaning = "what follows a request whose answer is not known"},
    {.name = "probe_url",
     .kind = KEY_TEXT,
     AT(struct loaded_hook, hook.probe_url),
     .least = 1,
     .most = TEXT_LENGTH,
     .meaning =
         "where `in_doubt: probe` asks whether an event arrived; `{id}` in it is the event's id"},
    {.name = "headers",
     .kind = KEY_PAIRS,
     AT(struct loaded_hook, headers),
     COUNT_AT(struct loaded_hook, header_count),
     .section = &pair_section,
     .secret = true,
     .meaning = "further request headers"},
    {.name = "ca",
     .kind = KEY_TEXT,
     AT(struct loaded_hook, hook.ca),
     .least = 1,
     .most = TEXT_LENGTH,
     .meaning = "PEM file of the authorities that are trusted"},
    {.name = NULL},
};
const struct section config_hook_section = {.keys = hook_keys, .size = sizeof(struct loaded_hook)};

const struct section *
config_pair_section(void)
{
    return &pair_section;
}
