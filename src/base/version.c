#include "base/version.h"

/* The Makefile defines these for this file alone. */
#ifndef MT_VERSION
#define MT_VERSION "0"
#endif
#ifndef MT_COMMIT
#define MT_COMMIT "unknown"
#endif
#ifndef MT_BUILD
#define MT_BUILD "unknown"
#endif

const char *
build_version(void)
{
    return MT_VERSION;
}

const char *
build_commit(void)
{
    return MT_COMMIT;
}

const char *
build_variant(void)
{
    return MT_BUILD;
}

const char *
build_identity(void)
{
    return "move-tables " MT_VERSION " (" MT_COMMIT ")";
}
