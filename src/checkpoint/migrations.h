/*
 * The checkpoint's schema as a numbered list of migrations, and what a build
 * may do with a checkpoint that another build has written (docs/checkpoint.md).
 *
 * A migration is known by its number *and* its name.
 */
#ifndef CHECKPOINT_MIGRATIONS_H
#define CHECKPOINT_MIGRATIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One statement. MySQL's DDL is atomic per statement and commits by itself, so
 * a migration may be cut off between two of its steps: `done` is a query that
 * gives non-zero when this step need not run (NULL: the statement may simply
 * run again). {db} is the checkpoint's database, {db_text} its name as a string.
 */
struct migration_step {
    const char *sql;
    const char *done;
};

struct migration {
    unsigned id;
    const char *name;
    /* Older builds may go on with it: it only added what they ignore. */
    bool backward_compatible;
    const struct migration_step *steps;
    size_t steps_count;
};

/* This build's list, by ascending number. */
const struct migration *migrations_list(size_t *ret_count);

/* Creates schema_migrations where it is missing: a template as in struct migration_step. */
const char *migrations_table_sql(void);

/* A row of schema_migrations. */
struct applied_migration {
    unsigned id;
    char *name;
    bool backward_compatible;
    bool finished;    /* false: begun, and perhaps cut off in the middle */
    char *applied_at; /* begun_at while it is not finished */
    char *applied_by;
};

void applied_migration_free(struct applied_migration *applied);

/* What there is to do. */
struct migration_plan {
    GPtrArray *missing; /* const struct migration, by ascending number: to be applied */
    GPtrArray *unknown; /* struct applied_migration, borrowed: compatible, only to be warned of */
    /* The first of `missing` that changes what is stored, in a checkpoint that may hold moves: until
     * it is applied this build must not read them. NULL: none. */
    const struct migration *changing;
};

/* Frees what is in it. */
void migration_plan_clear(struct migration_plan *plan);

/*
 * Decides. `applied` holds struct applied_migration; empty: a new checkpoint.
 * False with MT_ERROR_CHECKPOINT, which names the migration, the build that
 * applied it and the ways out, when this build must not touch the checkpoint.
 * Pure. Clear *ret_plan with migration_plan_clear().
 */
G_GNUC_WARN_UNUSED_RESULT bool migration_plan_make(const GPtrArray *applied,
                                                   const struct migration *known,
                                                   size_t known_count, bool strict,
                                                   struct migration_plan *ret_plan, GError **error);

#endif
