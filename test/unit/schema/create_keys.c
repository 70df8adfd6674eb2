#include <criterion/criterion.h>
#include <stdint.h>

#include "schema/create_keys_int.h"

/* As 9.7 prints it. */
static const char sample[] =
    "CREATE TABLE `t,KEY (` (\n"
    "  `id` int NOT NULL AUTO_INCREMENT COMMENT 'KEY `no` (`id`)',\n"
    "  `KEY` varchar(9) DEFAULT '),',\n"
    "  `j` json DEFAULT NULL,\n"
    "  PRIMARY KEY (`id`),\n"
    "  UNIQUE KEY `u` (`KEY`(3)),\n"
    "  KEY `a``b` (`KEY`(4) DESC,`id`) COMMENT 'it''s, (' /*!80000 INVISIBLE */,\n"
    "  SPATIAL KEY `s` (`j`),\n"
    "  KEY `f` ((`id` + 1),`KEY`),\n"
    "  KEY `m` (`id`,(cast(json_extract(`j`,_utf8mb4'$.a') as unsigned array))),\n"
    "  KEY `last` (`j`) /*!80021 SECONDARY_ENGINE_ATTRIBUTE '{\"a\": 1}' */,\n"
    "  FULLTEXT KEY `ft` (`KEY`) /*!50100 WITH PARSER `ngram` */ ,\n"
    "  CONSTRAINT `c` CHECK ((`id` > 0)),\n"
    "  CONSTRAINT `one` FOREIGN KEY (`id`,`j`) REFERENCES `p` (`x`,`y`) ON DELETE RESTRICT,\n"
    "  CONSTRAINT `two` FOREIGN KEY (`KEY`) REFERENCES `o``s`.`q` (`z`)\n"
    ") ENGINE=InnoDB COMMENT='KEY `x` (`y`)'\n"
    "/*!50100 PARTITION BY KEY (id)\nPARTITIONS 2 */";

static const struct create_key *
key_at(const struct create_keys *keys, guint place)
{
    return g_ptr_array_index(keys->keys, place);
}

Test(create_keys, every_key_is_read_in_order)
{
    static const struct {
        enum create_key_kind kind;
        const char *name;
        const char *columns;
        bool has_expression;
    } wanted[] = {
        {CREATE_KEY_PRIMARY, "PRIMARY", "id", false}, {CREATE_KEY_UNIQUE, "u", "KEY", false},
        {CREATE_KEY_PLAIN, "a`b", "KEY id", false},   {CREATE_KEY_SPATIAL, "s", "j", false},
        {CREATE_KEY_PLAIN, "f", "KEY", true},         {CREATE_KEY_PLAIN, "m", "id", true},
        {CREATE_KEY_PLAIN, "last", "j", false},       {CREATE_KEY_FULLTEXT, "ft", "KEY", false},
    };
    g_autoptr(create_keys) keys = create_keys_of(sample);
    cr_assert_eq(keys->keys->len, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < keys->keys->len; i++) {
        const struct create_key *key = key_at(keys, i);
        g_ptr_array_add(key->columns, NULL);
        g_autofree char *columns = g_strjoinv(" ", (char **)key->columns->pdata);
        cr_expect_eq(key->kind, wanted[i].kind, "%s", key->name);
        cr_expect_str_eq(key->name, wanted[i].name);
        cr_expect_str_eq(columns, wanted[i].columns);
        cr_expect_eq(key->has_expression, wanted[i].has_expression, "%s", key->name);
    }
}

Test(create_keys, a_definition_is_what_is_printed)
{
    g_autoptr(create_keys) keys = create_keys_of(sample);
    cr_expect_str_eq(key_at(keys, 2)->definition,
                     "KEY `a``b` (`KEY`(4) DESC,`id`) COMMENT 'it''s, ("
                     "' /*!80000 INVISIBLE */");
    cr_expect_str_eq(key_at(keys, 6)->definition,
                     "KEY `last` (`j`) /*!80021 SECONDARY_ENGINE_ATTRIBUTE '{\"a\": 1}' */");
}

Test(create_keys, foreign_keys_are_read_from_both_ends)
{
    g_autoptr(create_keys) keys = create_keys_of(sample);
    cr_assert_eq(keys->foreigns->len, 2);
    const struct create_foreign *one = g_ptr_array_index(keys->foreigns, 0);
    const struct create_foreign *two = g_ptr_array_index(keys->foreigns, 1);
    cr_expect_str_eq(one->column, "id");
    cr_expect_null(one->parent_schema);
    cr_expect_str_eq(one->parent_table, "p");
    cr_expect_str_eq(one->parent_column, "x");
    cr_expect_str_eq(two->column, "KEY");
    cr_expect_str_eq(two->parent_schema, "o`s");
    cr_expect_str_eq(two->parent_table, "q");
    cr_expect_str_eq(two->parent_column, "z");
}

Test(create_keys, only_the_named_keys_are_left_out)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GString) wanted = g_string_new(sample);
    static const char *const left_out[] = {"a`b", "last", "u", "ft", "s", "PRIMARY", "id", "c"};
    for (size_t i = 0; i < G_N_ELEMENTS(left_out); i++)
        g_hash_table_add(names, (char *)(uintptr_t)left_out[i]);
    g_autofree char *sql = create_statement_without(sample, names);
    g_string_replace(
        wanted, ",\n  KEY `a``b` (`KEY`(4) DESC,`id`) COMMENT 'it''s, (' /*!80000 INVISIBLE */", "",
        0);
    g_string_replace(
        wanted, ",\n  KEY `last` (`j`) /*!80021 SECONDARY_ENGINE_ATTRIBUTE '{\"a\": 1}' */", "", 0);
    cr_expect_str_eq(sql, wanted->str);
}

Test(create_keys, the_last_item_can_be_left_out)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_add(names, (char *)(uintptr_t)"k");
    g_autofree char *sql = create_statement_without(
        "CREATE TABLE `t` (\n  `a` int,\n  KEY `k` (`a`)\n) ENGINE=InnoDB", names);
    cr_expect_str_eq(sql, "CREATE TABLE `t` (\n  `a` int\n) ENGINE=InnoDB");
}

Test(create_keys, no_statement_is_too_odd)
{
    static const char *const odd[] = {"",
                                      "CREATE TABLE `t`",
                                      "CREATE TABLE `t` (",
                                      "CREATE VIEW x",
                                      "CREATE TABLE `t` (\n  KEY",
                                      "CREATE TABLE `t` (,,KEY (("};
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
        g_autoptr(create_keys) keys = create_keys_of(odd[i]);
        g_autofree char *sql = create_statement_without(odd[i], names);
        cr_expect_str_eq(sql, odd[i]);
    }
}
