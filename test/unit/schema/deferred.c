#include <criterion/criterion.h>
#include <string.h>

#include "schema/create_text_int.h"
#include "schema/deferred.h"
#include "schema/inspect.h"

static GPtrArray *moved_tables;

static void
free_moved(void *moved)
{
    moved_table_free(moved);
}

static struct moved_table *
add_moved(const char *schema, const char *name, const char *create_sql)
{
    struct moved_table *moved = g_new0(struct moved_table, 1);
    moved->source = g_new0(struct table, 1);
    moved->source->schema = g_strdup(schema);
    moved->source->name = g_strdup(name);
    moved->source->create_sql = g_strdup(create_sql);
    moved->source->columns = g_ptr_array_new_with_free_func((GDestroyNotify)column_free);
    moved->to_schema = g_strdup("new");
    moved->to_table = g_strdup(name);
    g_ptr_array_add(moved_tables, moved);
    return moved;
}

static struct column *
add_column(struct moved_table *moved, const char *name)
{
    struct column *column = g_new0(struct column, 1);
    column->name = g_strdup(name);
    g_ptr_array_add(moved->source->columns, column);
    return column;
}

/* A table of the columns id (AUTO_INCREMENT), a, b, v (VIRTUAL) and these keys. */
static struct moved_table *
add_table(const char *name, const char *keys)
{
    g_autofree char *sql = g_strdup_printf(
        "CREATE TABLE `%s` (\n  `id` int,\n  `a` int,\n  `b` int,"
        "\n  `v` int,\n  PRIMARY KEY (`id`)%s\n) ENGINE=InnoDB",
        name, keys);
    struct moved_table *moved = add_moved("shop", name, sql);
    add_column(moved, "id")->auto_increment = true;
    (void)add_column(moved, "a");
    (void)add_column(moved, "b");
    add_column(moved, "v")->generated = true;
    return moved;
}

static void
begin(void)
{
    moved_tables = g_ptr_array_new_with_free_func(free_moved);
}

static void
end(void)
{
    g_ptr_array_unref(moved_tables);
}

/* What check says of the table's indexes. */
static void
expect_described(const struct moved_table *moved, const char *wanted)
{
    g_autoptr(deferral) deferral = deferral_of(moved_tables);
    g_autofree char *text = deferral_describe(deferral, moved);
    cr_expect_str_eq(text != NULL ? text : "", wanted);
}

/* What is sent when the target is like the source but for its keys. */
static void
expect_alter(const struct moved_table *moved, const char *keys_found, const char *wanted)
{
    g_autoptr(deferral) deferral = deferral_of(moved_tables);
    struct moved_table *found = add_table(moved->to_table, keys_found);
    g_autofree char *sql = deferral_alter_statement(deferral, moved, found->source);
    if (wanted == NULL)
        cr_expect_null(sql, "%s", sql);
    else
        cr_expect_str_eq(sql != NULL ? sql : "", wanted);
    g_ptr_array_remove(moved_tables, found);
}

TestSuite(deferred, .init = begin, .fini = end);

Test(deferred, only_plain_indexes)
{
    expect_described(
        add_table("t", ",\n  UNIQUE KEY `u` (`a`),\n  KEY `k` (`a`(3) DESC) COMMENT 'x',"
                       "\n  KEY `i` (`b`) /*!80000 INVISIBLE */,\n  SPATIAL KEY `s` (`b`)"
                       ",\n  KEY `e` ((`a` + 1)),\n  FULLTEXT KEY `f` (`b`)"),
        "built after the copy: `k`, `i`; there from the beginning: `u` (unique), `s` "
        "(SPATIAL: not built while rows are written), `e` (has an expression: not built "
        "while rows are written), `f` (FULLTEXT: not built while rows are written)");
}

Test(deferred, a_table_without_secondary_indexes_says_nothing)
{
    expect_described(add_table("t", ""), "");
}

Test(deferred, what_auto_increment_may_need_stays)
{
    expect_described(add_table("t", ",\n  KEY `k` (`ID`,`a`),\n  KEY `l` (`a`,`id`)"),
                     "built after the copy: `l`; there from the beginning: `k` (AUTO_INCREMENT may "
                     "need it)");
}

Test(deferred, what_foreign_keys_may_need_stays_at_both_ends)
{
    const struct moved_table *child = add_table(
        "child", ",\n  KEY `c` (`a`,`b`),\n  KEY `o` (`b`),\n  CONSTRAINT `f` FOREIGN KEY (`A`) "
                 "REFERENCES `parent` (`b`)");
    const struct moved_table *parent = add_table("parent", ",\n  KEY `p` (`b`),\n  KEY `q` (`a`)");
    const struct moved_table *other = add_table("other", ",\n  KEY `p` (`b`)");
    expect_described(child,
                     "built after the copy: `o`; there from the beginning: `c` (a foreign key "
                     "may need it)");
    expect_described(parent, "built after the copy: `q`; there from the beginning: `p` (a foreign "
                             "key may need it)");
    expect_described(other, "built after the copy: `p`");
}

Test(deferred, virtual_columns_only_behind_expressions)
{
    expect_described(
        add_table("t", ",\n  KEY `v1` (`a`,`v`),\n  KEY `e` ((`a` + 1)),\n  KEY `v2` (`v`)"),
        "built after the copy: `v2`; there from the beginning: `v1` (stands before one "
        "with an expression), `e` (has an expression: not built while rows are written)");
}

Test(deferred, created_without_them)
{
    const struct moved_table *moved = add_table("t", ",\n  KEY `k` (`a`),\n  UNIQUE KEY `u` (`b`)");
    g_autoptr(deferral) deferral = deferral_of(moved_tables);
    g_autofree char *sql = deferral_create_statement(deferral, moved, NULL);
    cr_expect_str_eq(sql,
                     "CREATE TABLE `new`.`t` (\n  `id` int,\n  `a` int,\n  `b` int,\n  `v` int,\n"
                     "  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`b`)\n) ENGINE=InnoDB");
}

Test(deferred, one_alter_adds_all_in_order)
{
    const struct moved_table *moved = add_table(
        "t", ",\n  UNIQUE KEY `u` (`b`),\n  KEY `k` (`a`),\n  KEY `l` (`b`) COMMENT 'x, ''y'");
    expect_alter(moved, ",\n  UNIQUE KEY `u` (`b`)",
                 "ALTER TABLE `new`.`t` ADD KEY `k` (`a`), ADD KEY `l` (`b`) COMMENT 'x, ''y', "
                 "ALGORITHM=INPLACE, LOCK=NONE");
    expect_alter(moved, ",\n  UNIQUE KEY `u` (`b`),\n  KEY `k` (`a`),\n  KEY `l` (`b`)", NULL);
}

Test(deferred, what_stands_behind_is_put_back_in_its_place)
{
    const struct moved_table *moved = add_table(
        "t",
        ",\n  KEY `x` (`id`),\n  KEY `k` (`a`),\n  SPATIAL KEY `s` (`b`),\n  KEY `a``i` (`id`),\n"
        "  KEY `l` (`b`),\n  KEY `e` ((`a` + 1)),\n  FULLTEXT KEY `f` (`b`)");
    expect_alter(
        moved,
        ",\n  KEY `x` (`id`),\n  SPATIAL KEY `s` (`b`),\n  KEY `a``i` (`id`),\n  KEY `e` ((`a`"
        " + 1)),\n  FULLTEXT KEY `f` (`b`)",
        "ALTER TABLE `new`.`t` ADD KEY `k` (`a`), DROP KEY `s`, ADD SPATIAL KEY `s` (`b`), "
        "DROP KEY `a``i`, ADD KEY `a``i` (`id`), ADD KEY `l` (`b`), ALGORITHM=INPLACE, "
        "LOCK=NONE");
}

Test(deferred, a_target_may_lack_them_and_nothing_else)
{
    const struct moved_table *moved = add_table("t", ",\n  UNIQUE KEY `u` (`b`),\n  KEY `k` (`a`)");
    static const struct {
        const char *keys;
        const char *missing;
        bool differs;
    } found[] = {
        {",\n  UNIQUE KEY `u` (`b`)", "`k`", false},
        {",\n  UNIQUE KEY `u` (`b`),\n  KEY `k` (`a`)", NULL, false},
        {",\n  KEY `k` (`a`)", NULL, true},
        {",\n  UNIQUE KEY `u` (`b`),\n  KEY `k` (`b`)", NULL, true},
        {",\n  UNIQUE KEY `u` (`b`),\n  KEY `other` (`a`)", "`k`", true},
    };
    g_autoptr(deferral) deferral = deferral_of(moved_tables);
    for (size_t i = 0; i < G_N_ELEMENTS(found); i++) {
        struct moved_table *target = add_table("t", found[i].keys);
        struct deferral_state state;
        cr_assert(deferral_look(deferral, moved, target->source, &state, NULL));
        cr_expect_eq(g_strcmp0(state.missing, found[i].missing), 0, "%zu: %s", i, state.missing);
        cr_expect_eq(state.difference != NULL, found[i].differs, "%zu: %s", i, state.difference);
        cr_expect_eq(state.alter != NULL, found[i].missing != NULL);
        deferral_state_clear(&state);
        g_ptr_array_remove(moved_tables, target);
    }
}
