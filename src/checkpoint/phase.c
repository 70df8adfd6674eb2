#include "checkpoint/phase.h"

#include <glib.h>

static const char *const names[] = {
#define PHASE_NAME(suffix, name) [PHASE_##suffix] = name,
    PHASE_LIST(PHASE_NAME)
#undef PHASE_NAME
};

const char *
phase_name(enum phase phase)
{
    g_return_val_if_fail((unsigned)phase < G_N_ELEMENTS(names), "unknown");
    return names[phase];
}

bool
phase_parse(const char *name, enum phase *ret_phase)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_strcmp0(name, names[i]) == 0) {
            *ret_phase = (enum phase)i;
            return true;
        }
    }
    return false;
}
