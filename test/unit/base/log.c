#include "base/log.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

static char *
text_line(const struct log_field *fields)
{
    return log_format_line(LOG_FORMAT_TEXT, LOG_LEVEL_INFO, "T", "copy", fields);
}

Test(log, text)
{
    g_autofree char *line = text_line(LOG_FIELDS(log_msg("chunk committed"),
                                                 log_str("table", "shop.orders"),
                                                 log_int("rows", -12), log_str("by", NULL)));
    cr_expect_str_eq(line, "T info copy chunk committed table=shop.orders rows=-12 by=-");
}

Test(log, text_values_are_quoted_where_needed)
{
    g_autofree char *line = text_line(LOG_FIELDS(
        log_msg("m"), log_str("a", "two words"), log_str("b", ""), log_str("c", "x=y"),
        log_str("d", "say \"hi\""), log_str("e", "back\\slash"), log_str("f", "two\nlines")));
    cr_expect_str_eq(line, "T info copy m a=\"two words\" b=\"\" c=\"x=y\" d=\"say \\\"hi\\\"\" "
                           "e=\"back\\\\slash\" f=\"two\\nlines\"");
    cr_expect_null(strchr(line, '\n')); /* a line stays one */
}

Test(log, levels_have_names)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    for (int level = LOG_LEVEL_DEBUG; level <= (int)LOG_LEVEL_ERROR; level++) {
        g_autofree char *line = log_format_line(LOG_FORMAT_TEXT, (enum log_level)level, "T", "c",
                                                LOG_FIELDS(log_msg("m")));
        g_autofree char *expected = g_strdup_printf("T %s c m", names[level]);
        cr_expect_str_eq(line, expected);
    }
}

Test(log, json_parses_whatever_is_in_it)
{
    static const char nasty[] = "q\" b\\ n\n t\t \x01 \xff \xc3\xa9";
    g_autofree char *line = log_format_line(LOG_FORMAT_JSON, LOG_LEVEL_WARNING, "T", "copy",
                                            LOG_FIELDS(log_msg(nasty), log_str("s", nasty),
                                                       log_int("n", INT64_MIN),
                                                       log_str("none", NULL)));
    json_error_t problem;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &problem);
    cr_assert_neq(object, NULL, "%s: %s", problem.text, line);
    cr_expect_str_eq(json_string_value(json_object_get(object, "time")), "T");
    cr_expect_str_eq(json_string_value(json_object_get(object, "level")), "warning");
    cr_expect_str_eq(json_string_value(json_object_get(object, "component")), "copy");
    cr_expect_eq(json_integer_value(json_object_get(object, "n")), INT64_MIN);
    cr_expect(json_is_null(json_object_get(object, "none")));
    /* What is not UTF-8 becomes U+FFFD; the rest is as it was. */
    static const char expected[] = "q\" b\\ n\n t\t \x01 \xef\xbf\xbd \xc3\xa9";
    cr_expect_str_eq(json_string_value(json_object_get(object, "message")), expected);
    cr_expect_str_eq(json_string_value(json_object_get(object, "s")), expected);
    json_decref(object);
}

static void
note_before(void *context)
{
    g_string_append(context, "before ");
}

static void
note_after(void *context)
{
    g_string_append(context, "after ");
}

Test(log, emits_what_is_not_below_the_level)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    int real = dup(STDERR_FILENO);
    cr_assert_neq(dup2(ends[1], STDERR_FILENO), -1);
    g_autoptr(GString) calls = g_string_new(NULL);
    log_set_display_hooks(note_before, note_after, calls);
    log_configure(LOG_LEVEL_WARNING, LOG_FORMAT_TEXT);
    log_debug("c", log_msg("one"));
    log_info("c", log_msg("two"));
    log_warning("c", log_msg("three"));
    log_error("c", log_msg("four"), log_int("n", 4));
    dup2(real, STDERR_FILENO);
    close(ends[1]);
    char bytes[1024] = "";
    ssize_t length = read(ends[0], bytes, sizeof bytes - 1);
    cr_assert_gt(length, 0);
    g_auto(GStrv) lines = g_strsplit(bytes, "\n", -1);
    cr_assert_eq(g_strv_length(lines), 3);
    cr_expect(g_str_has_suffix(lines[0], "Z warning c three"), "%s", lines[0]);
    cr_expect(g_str_has_suffix(lines[1], "Z error c four n=4"), "%s", lines[1]);
    cr_expect_str_eq(lines[2], "");
    cr_expect_str_eq(calls->str, "before after before after ");
}
