/* Which indexes are being built on the target just now, by whoever: as its sessions tell it. */
#ifndef CHECKPOINT_INDEX_BUILDS_H
#define CHECKPOINT_INDEX_BUILDS_H

#include <glib.h>
#include <stdint.h>

#include "config/config.h"
#include "mysql/conn.h"

struct index_build {
    char *table; /* as table_name_format() */
    int64_t seconds;
};

/* The ALTERs of the move's sessions: an array of struct index_build, freed with it. */
GPtrArray *index_builds_list(struct conn *target, const struct config *config, GError **error);

/* The table of "ALTER TABLE `schema`.`table` …", as table_name_format(); NULL for anything else. Pure.
 * Caller frees. */
char *index_build_table(const char *sql);

#endif
