/* Which build this is. The one object that knows is compiled again for every commit. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

/* "0.1.0" */
const char *build_version(void);

/* The abbreviated commit, with "-dirty" when the tree was; "unknown" outside a checkout. */
const char *build_commit(void);

/* "release", "asan", …: make's BUILD. */
const char *build_variant(void);

/* "move-tables 0.1.0 (89e7b0e6a1c2)": how a build signs what it leaves in a checkpoint. */
const char *build_identity(void);

#endif
