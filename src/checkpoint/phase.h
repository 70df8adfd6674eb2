/* The phases of a move, in order. Stored by name in move_tables.move.phase. */
#ifndef CHECKPOINT_PHASE_H
#define CHECKPOINT_PHASE_H

#include <stdbool.h>

/* X(enum suffix, stored name) */
#define PHASE_LIST(X)           \
    X(COPYING, "copying")       \
    X(FOLLOWING, "following")   \
    X(READY, "ready")           \
    X(FENCING, "fencing")       \
    X(DRAINING, "draining")     \
    X(DRAINED, "drained")       \
    X(COMPLETING, "completing") \
    X(COMPLETED, "completed")

enum phase {
#define PHASE_ENUM(suffix, name) PHASE_##suffix,
    PHASE_LIST(PHASE_ENUM)
#undef PHASE_ENUM
};

const char *phase_name(enum phase phase);
/* False when the name is unknown (a newer build's). */
bool phase_parse(const char *name, enum phase *ret_phase);

#endif
