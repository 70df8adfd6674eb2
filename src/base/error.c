#include "base/error.h"

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

G_DEFINE_QUARK(mt - error, mt_error)

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
