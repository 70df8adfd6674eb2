#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"
#include "schema/create_text_int.h"
#include "schema/inspect.h"

static void
free_moved(void *moved)
{
    moved_table_free(moved);
}

static struct moved_table *
add_moved(GPtrArray *moved_tables, const char *schema, const char *name, const char *create_sql)
{
    struct moved_table *moved = g_new0(struct moved_table, 1);
    moved->source = g_new0(struct table, 1);
    moved->source->schema = g_strdup(schema);
    moved->source->name = g_strdup(name);
    moved->source->create_sql = g_strdup(create_sql);
    moved->source->columns = g_ptr_array_new();
    moved->to_schema = g_strdup("new");
    moved->to_table = g_strdup(name);
    g_ptr_array_add(moved_tables, moved);
    return moved;
}

/* As 9.7 prints it. */
static const char orders[] =
    "CREATE TABLE `orders` (\n"
    "  `id` int NOT NULL AUTO_INCREMENT,\n"
    "  `AUTO_INCREMENT=5` varchar(9) DEFAULT 'REFERENCES `x`' COMMENT 'AUTO_INCREMENT=7 it''s',\n"
    "  PRIMARY KEY (`id`),\n"
    "  CONSTRAINT `orders_chk_1` CHECK ((`AUTO_INCREMENT=5` <> _utf8mb4'a\\'b(\\\\'))\n"
    ") ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT CHARSET=utf8mb4 COMMENT='AUTO_INCREMENT=9 `orders`'\n"
    "/*!50100 PARTITION BY HASH (`id`)\nPARTITIONS 3 */";

static const char items[] = "CREATE TABLE `items` (\n"
                            "  `o` int NOT NULL,\n"
                            "  CONSTRAINT `f1` FOREIGN KEY (`o`) REFERENCES `orders` (`id`),\n"
                            "  CONSTRAINT `f2` FOREIGN KEY (`o`) REFERENCES `other`.`a``b` (`id`)\n"
                            ") ENGINE=InnoDB";

Test(create_text, only_name_and_auto_increment_change)
{
    g_autoptr(GPtrArray) moved_tables = g_ptr_array_new_with_free_func(free_moved);
    struct moved_table *moved = add_moved(moved_tables, "shop", "orders", orders);
    GError *error = NULL;
    g_autofree char *sql = create_statement_for_target(moved, moved_tables, &error);
    g_autoptr(GString) expected = g_string_new(orders);
    g_string_replace(expected, "TABLE `orders`", "TABLE `new`.`orders`", 1);
    g_string_replace(expected, " AUTO_INCREMENT=77", "", 1);
    cr_assert_not_null(sql);
    cr_expect_str_eq(sql, expected->str);
}

Test(create_text, references_follow_their_tables)
{
    g_autoptr(GPtrArray) moved_tables = g_ptr_array_new_with_free_func(free_moved);
    struct moved_table *child = add_moved(moved_tables, "shop", "items", items);
    struct moved_table *parent = add_moved(moved_tables, "shop", "orders", orders);
    struct moved_table *far = add_moved(moved_tables, "other", "a`b", orders);
    g_free(parent->to_table);
    parent->to_table = g_strdup("orders2");
    g_free(far->to_schema);
    far->to_schema = g_strdup("far`");
    GError *error = NULL;
    g_autofree char *sql = create_statement_for_target(child, moved_tables, &error);
    cr_assert_not_null(sql);
    cr_expect_not_null(strstr(sql, "REFERENCES `orders2` (`id`)"), "%s", sql);
    cr_expect_not_null(strstr(sql, "REFERENCES `far```.`a``b` (`id`)"), "%s", sql);
}

Test(create_text, reference_out_of_the_set_is_refused)
{
    g_autoptr(GPtrArray) moved_tables = g_ptr_array_new_with_free_func(free_moved);
    struct moved_table *child = add_moved(moved_tables, "shop", "items", items);
    GError *error = NULL;
    cr_expect_null(create_statement_for_target(child, moved_tables, &error));
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_PREFLIGHT));
    cr_expect_not_null(strstr(error->message, "shop.orders"));
    g_error_free(error);
}

Test(create_text, normalized)
{
    g_autofree char *one = create_statement_normalized(
        "CREATE TABLE `a` (\n  `x` int CHARACTER SET utf8 COLLATE utf8_bin\n) AUTO_INCREMENT=3 E=1");
    g_autofree char *other = create_statement_normalized(
        "CREATE TABLE `s`.`b` (\n  `x` int CHARACTER SET utf8mb3 COLLATE utf8mb3_bin\n) E=1");
    cr_expect_str_eq(one, other);
    g_autofree char *view = create_statement_normalized("CREATE nonsense");
    cr_expect_str_eq(view, "CREATE nonsense");
    g_autofree char *commented = create_statement_normalized(orders);
    cr_expect_not_null(strstr(commented, "COMMENT='AUTO_INCREMENT=9 `orders`'"));
    cr_expect_null(strstr(commented, "AUTO_INCREMENT=77"));
}

Test(create_text, a_collation_implies_its_character_set)
{
    g_autofree char *one = create_statement_comparable(
        "CREATE TABLE `a` (\n `x` char(1) COLLATE ucs2_bin,\n `CHARACTER` int COMMENT 'CHARACTER SET "
        "a COLLATE b',\n `y` char(1) CHARACTER SET ucs2)");
    g_autofree char *other = create_statement_comparable(
        "CREATE TABLE `a` (\n `x` char(1) CHARACTER SET ucs2 COLLATE ucs2_bin,\n `CHARACTER` int "
        "COMMENT 'CHARACTER SET a COLLATE b',\n `y` char(1) CHARACTER SET ucs2)");
    cr_expect_str_eq(one, other);
    cr_expect_not_null(strstr(one, "'CHARACTER SET a COLLATE b'"));
    cr_expect_not_null(strstr(one, "`y` char(1) CHARACTER SET ucs2)"));
}

Test(create_text, doubtful_characters)
{
    g_autoptr(GPtrArray) moved_tables = g_ptr_array_new_with_free_func(free_moved);
    struct table *table = add_moved(moved_tables, "s", "t", orders)->source;
    cr_expect_null(create_statement_doubtful_text(table));
    g_free(table->create_sql);
    table->create_sql = g_strdup("CREATE TABLE `t` (\n `a` int COMMENT 'why?' DEFAULT '?',"
                                 " CHECK (`b` <> _latin1'?'))");
    cr_expect_null(create_statement_doubtful_text(table));
    g_free(table->create_sql);
    table->create_sql = g_strdup("CREATE TABLE `t` (CHECK (`b` <> _utf8mb4'x?'))");
    g_autofree char *literal = create_statement_doubtful_text(table);
    cr_expect_str_eq(literal, "literal 'x?'");
    static char name[] = "e", type[] = "enum('?')", latin1[] = "latin1", utf8mb4[] = "utf8mb4";
    struct column column = {.name = name, .column_type = type, .type = COLUMN_ENUM};
    g_ptr_array_add(table->columns, &column);
    column.charset = utf8mb4;
    g_autofree char *label = create_statement_doubtful_text(table);
    cr_expect_str_eq(label, "column `e` enum('?')");
    column.charset = latin1;
    g_autofree char *next = create_statement_doubtful_text(table);
    cr_expect_str_eq(next, "literal 'x?'");
}
