/* What no single key can tell: rules between keys. Pure but for the problems added. */
#ifndef CONFIG_RULES_INT_H
#define CONFIG_RULES_INT_H

#include "config/keys_int.h"
#include "config/problems_int.h"

/* Checks everything that needs more than one key; fills config.tables. */
void rules_check(struct loaded *loaded, struct problems *problems);

#endif
