#include "base/error.h"

#include <stdatomic.h>

struct error_entry {
    int exit_code;
    bool transient;
};

static const struct error_entry entries[] = {
#define ERROR_ENTRY(suffix, code, is_transient, text) \
    [MT_ERROR_##suffix] = {.exit_code = code, .transient = is_transient},
    MT_ERROR_LIST(ERROR_ENTRY)
#undef ERROR_ENTRY
};

/* Not G_DEFINE_QUARK: the first errors of a run may be made by two threads at once. */
GQuark
mt_error_quark(void)
{
    static atomic_uint quark;
    GQuark known = atomic_load(&quark);
    if (known == 0) {
        known = g_quark_from_static_string("mt-error");
        atomic_store(&quark, known);
    }
    return known;
}

static const struct error_entry *
entry_of(const GError *error)
{
    if (error == NULL || error->domain != MT_ERROR || error->code < 0 ||
        (size_t)error->code >= G_N_ELEMENTS(entries))
        return NULL;
    return &entries[error->code];
}

int
mt_error_exit_code(const GError *error)
{
    const struct error_entry *entry = entry_of(error);
    return entry != NULL ? entry->exit_code : 1;
}

bool
mt_error_is_transient(const GError *error)
{
    const struct error_entry *entry = entry_of(error);
    return entry != NULL && entry->transient;
}
