#include <criterion/criterion.h>
#include <string.h>

#include "schema/inspect.h"
#include "schema/trigger_text_int.h"

static void
free_moved(void *moved)
{
    moved_table_free(moved);
}

static struct moved_table *
add_moved(GPtrArray *moved_tables, const char *schema, const char *name, const char *to_schema,
          const char *to_table)
{
    struct moved_table *moved = g_new0(struct moved_table, 1);
    moved->index = moved_tables->len;
    moved->source = g_new0(struct table, 1);
    moved->source->schema = g_strdup(schema);
    moved->source->name = g_strdup(name);
    moved->to_schema = g_strdup(to_schema);
    moved->to_table = g_strdup(to_table);
    g_ptr_array_add(moved_tables, moved);
    return moved;
}

/* Of table 0, AFTER INSERT, with this body. */
static struct trigger *
trigger_of(const char *body)
{
    struct trigger *trigger = g_new0(struct trigger, 1);
    trigger->name = g_strdup("a`b");
    trigger->timing = g_strdup("AFTER");
    trigger->event = g_strdup("INSERT");
    trigger->definer_user = g_strdup("o'`n");
    trigger->definer_host = g_strdup("%");
    trigger->sql_mode = g_strdup("");
    trigger->client_charset = g_strdup("utf8mb4");
    trigger->connection_collation = g_strdup("utf8mb4_0900_ai_ci");
    trigger->database_collation = g_strdup("utf8mb4_0900_ai_ci");
    trigger->body = g_strdup(body);
    return trigger;
}

static bool
take(struct trigger *trigger, const char *sql)
{
    return trigger_take_statement(trigger, sql, strlen(sql));
}

Test(trigger_text, body_begins_behind_the_head_whatever_the_names_say)
{
    struct trigger *trigger = trigger_of("");
    /* As 9.7 prints it: the names in UTF-8, the body in sjis, with a backslash in its second byte. */
    cr_assert(take(trigger,
                   "CREATE DEFINER=`u``@``x`@`%` TRIGGER `ON ``t`` FOR EACH ROW` BEFORE "
                   "UPDATE ON ` FOR EACH ROW ```` ` FOR EACH ROW \t SET @a = '\x95\x5c' "));
    cr_expect_str_eq(trigger->definer_user, "u`@`x");
    cr_expect_str_eq(trigger->definer_host, "%");
    cr_expect_str_eq(trigger->body, "\t SET @a = '\x95\x5c' ");
    trigger_free(trigger);
}

Test(trigger_text, what_is_no_such_statement_is_not_understood)
{
    struct trigger *trigger = trigger_of("kept");
    static const char *const others[] = {
        "",
        "CREATE TRIGGER `n` BEFORE INSERT ON `t` FOR EACH ROW x",
        "CREATE DEFINER=`u`@`h` TRIGGER `n` BEFORE INSERT ON t FOR EACH ROW x",
        "CREATE DEFINER=`u`@`h` TRIGGER `n` BEFORE INSERT ON `s`.`t` FOR EACH ROW x",
        "CREATE DEFINER=`u`@`h` TRIGGER `n` BEFORE INSERT ON `t` FOR EACH ROW",
        "CREATE DEFINER=`u`@`h` TRIGGER `n` BEFORE INSERT ON `t",
        "CREATE DEFINER=`u`@`h` EVENT `n` BEFORE INSERT ON `t` FOR EACH ROW x",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        cr_expect_not(take(trigger, others[i]), "%s", others[i]);
    static const char nul[] =
        "CREATE DEFINER=`u`@`h` TRIGGER `n` BEFORE INSERT ON `t` FOR EACH ROW "
        "SET @a = '\0'";
    cr_expect_not(trigger_take_statement(trigger, nul, sizeof(nul) - 1), "a NUL in the body");
    cr_expect_str_eq(trigger->body, "kept");
    cr_expect_str_eq(trigger->definer_host, "%");
    trigger_free(trigger);
}

Test(trigger_text, head_names_the_target_and_the_neighbour)
{
    g_autoptr(GPtrArray) moved_tables = g_ptr_array_new_with_free_func(free_moved);
    struct moved_table *moved = add_moved(moved_tables, "s", "t", "new", "t`2");
    struct trigger *trigger = trigger_of("x");
    g_autofree char *plain = trigger_head(trigger, moved, NULL);
    cr_expect_str_eq(plain, "CREATE DEFINER=`o'``n`@`%` TRIGGER `new`.`a``b` AFTER INSERT ON "
                            "`new`.`t``2` FOR EACH ROW ");
    g_autofree char *behind = trigger_head(
        trigger, moved, &(struct trigger_neighbour){.name = "p`", .follows = true});
    cr_expect(g_str_has_suffix(behind, " FOR EACH ROW FOLLOWS `p``` "), "%s", behind);
    g_autofree char *before = trigger_head(trigger, moved, &(struct trigger_neighbour){"p", false});
    cr_expect(g_str_has_suffix(before, " FOR EACH ROW PRECEDES `p` "), "%s", before);
    g_autofree char *label = trigger_label(trigger, moved);
    cr_expect_str_eq(label, "trigger `a``b` of target table new.t`2");
    trigger_free(trigger);
}

/* What is said when `place` of the one that is found has another text. */
static void
expect_difference(size_t offset, const char *text, const char *said)
{
    struct trigger *wanted = trigger_of("x");
    struct trigger *found = trigger_of("x");
    char **place = (char **)(void *)((char *)found + offset);
    g_free(*place);
    *place = g_strdup(text);
    g_autofree char *difference = trigger_difference(wanted, found);
    cr_expect_str_eq(difference, said);
    trigger_free(wanted);
    trigger_free(found);
}

Test(trigger_text, every_part_of_a_definition_counts)
{
    struct trigger *wanted = trigger_of("x");
    struct trigger *found = trigger_of("x");
    g_free(found->database_collation);
    found->database_collation = g_strdup("latin1_swedish_ci");
    cr_expect_null(trigger_difference(wanted, found));
    found->table = 1;
    g_autofree char *elsewhere = trigger_difference(wanted, found);
    cr_expect_str_eq(elsewhere, "it is on another table");
    trigger_free(wanted);
    trigger_free(found);
    expect_difference(offsetof(struct trigger, timing), "BEFORE",
                      "its time is BEFORE instead of AFTER");
    expect_difference(offsetof(struct trigger, event), "DELETE",
                      "its event is DELETE instead of INSERT");
    expect_difference(offsetof(struct trigger, definer_host), "h",
                      "its definer is `o'``n`@`h` instead of `o'``n`@`%`");
    expect_difference(offsetof(struct trigger, sql_mode), "ANSI_QUOTES",
                      "its sql_mode is ANSI_QUOTES instead of ");
    expect_difference(offsetof(struct trigger, client_charset), "sjis",
                      "its client character set is sjis instead of utf8mb4");
    expect_difference(offsetof(struct trigger, connection_collation), "c",
                      "its connection collation is c instead of utf8mb4_0900_ai_ci");
    expect_difference(offsetof(struct trigger, body), "y", "its body is another");
}

/* shop.orders stays, shop.items becomes shop.goods, shop.log moves to other.log. */
static void
expect_names(const char *body, const char *charset, const char *mode, const char *names)
{
    g_autoptr(GPtrArray) moved_tables = g_ptr_array_new_with_free_func(free_moved);
    add_moved(moved_tables, "shop", "orders", "shop", "orders");
    add_moved(moved_tables, "shop", "items", "shop", "goods");
    add_moved(moved_tables, "shop", "log", "other", "log");
    struct trigger *trigger = trigger_of(body);
    g_free(trigger->client_charset);
    g_free(trigger->sql_mode);
    trigger->client_charset = g_strdup(charset);
    trigger->sql_mode = g_strdup(mode);
    g_autofree char *found = trigger_foreign_names(trigger, moved_tables);
    cr_expect_str_eq(found != NULL ? found : "", names, "%s: %s", body, found);
    trigger_free(trigger);
}

Test(trigger_text, names_that_mean_something_else_on_the_target)
{
    expect_names("UPDATE orders SET v = NEW.v, a = 'items' /* items */", "utf8mb4", "", "");
    expect_names("UPDATE `items` SET v = Items.v", "utf8mb4", "", "table `items`");
    expect_names("UPDATE other.items, x.`log` SET NEW.items = 1", "utf8mb4", "", "");
    expect_names("INSERT INTO log SELECT shop.items.a FROM t", "utf8mb4", "",
                 "table `log`, schema `shop`, table `items`");
    expect_names("UPDATE \"items\" SET a = \"log\"", "utf8mb4", "", "");
    expect_names("UPDATE \"items\" SET a = 'log'", "utf8mb4", "ONLY_FULL_GROUP_BY,ANSI_QUOTES",
                 "table `items`");
    /* In sjis the backslash belongs to the character; elsewhere it escapes the quote. */
    expect_names("SET @a = '\x95\x5c'; SET @b = items", "sjis", "", "table `items`");
    expect_names("SET @a = 'x\\'; SET @b = items'", "latin1", "", "");
    expect_names("SET @a = 'x\\'; SET @b = items", "latin1", "NO_BACKSLASH_ESCAPES",
                 "table `items`");
}

Test(trigger_text, a_declaration_is_a_word)
{
    struct trigger *with = trigger_of("begin declare x int; end");
    struct trigger *without = trigger_of(
        "SET @a = 'DECLARE', @declared = 1, @b = `DECLARE` -- DECLARE");
    cr_expect(trigger_declares(with));
    cr_expect_not(trigger_declares(without));
    trigger_free(with);
    trigger_free(without);
}

Test(trigger_text, neighbours_are_of_the_same_event)
{
    g_autoptr(GPtrArray) triggers = g_ptr_array_new();
    struct trigger *all[4];
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        all[i] = trigger_of("x");
        g_ptr_array_add(triggers, all[i]);
    }
    g_free(all[2]->event);
    all[2]->event = g_strdup("UPDATE");
    all[3]->table = 1;
    cr_expect_null(trigger_next(triggers, 0, -1));
    cr_expect_eq(trigger_next(triggers, 0, 1), all[1]);
    cr_expect_eq(trigger_next(triggers, 1, -1), all[0]);
    cr_expect_null(trigger_next(triggers, 1, 1));
    cr_expect_null(trigger_next(triggers, 2, -1));
    cr_expect_null(trigger_next(triggers, 3, -1));
    cr_expect_null(trigger_next(triggers, 3, 1));
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        trigger_free(all[i]);
}
