/*
 * g_autoptr for structs without a typedef: `g_autoptr(config) config = …` frees
 * a struct config when it goes out of scope.
 *
 * GLib's own macro pastes the type's name, which `struct config` cannot take
 * part in; this defines the two names that g_autoptr() looks for.
 */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

#include <glib.h>

#define STRUCT_AUTOPTR(tag, free_function)                                            \
    typedef struct tag *tag##_autoptr;                                                \
    static inline G_GNUC_UNUSED void glib_autoptr_cleanup_##tag(struct tag **pointer) \
    {                                                                                 \
        if (*pointer != NULL)                                                         \
            free_function(*pointer);                                                  \
    }

#endif
