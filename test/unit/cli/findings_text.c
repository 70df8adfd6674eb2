#include <criterion/criterion.h>

#include <jansson.h>
#include <string.h>

#include "cli/findings_text.h"

static GPtrArray *
example(void)
{
    static struct finding list[] = {
        {FINDING_OK, (char *)(uintptr_t)"source version", (char *)(uintptr_t)"9.7.0", NULL},
        {FINDING_ERROR, (char *)(uintptr_t)"source gtid_mode", (char *)(uintptr_t)"is OFF",
         (char *)(uintptr_t)"SET GLOBAL gtid_mode = ON;"},
        {FINDING_WARNING, (char *)(uintptr_t)"table a.b", (char *)(uintptr_t)"bytes \xff here",
         NULL},
    };
    GPtrArray *findings = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(list); i++)
        g_ptr_array_add(findings, &list[i]);
    return findings;
}

Test(findings_text, aligned_with_the_cure_below)
{
    g_autoptr(GPtrArray) findings = example();
    g_autoptr(GString) text = g_string_new(NULL);
    findings_text_append(text, findings, false);
    cr_expect(g_str_has_prefix(text->str,
                               "ok       source version    9.7.0\n"
                               "error    source gtid_mode  is OFF\n"
                               "                           -> SET GLOBAL gtid_mode = ON;\n"
                               "warning  table a.b         bytes "),
              "%s", text->str);
    cr_expect(g_str_has_suffix(text->str, "\n1 ok, 1 warning, 1 error: mend the errors first\n"),
              "%s", text->str);
}

Test(findings_text, json)
{
    g_autoptr(GPtrArray) findings = example();
    g_autofree char *text = findings_to_json(findings);
    json_t *json = json_loads(text, 0, NULL);
    cr_assert(json != NULL);
    cr_expect(json_is_false(json_object_get(json, "passed")));
    json_t *list = json_object_get(json, "findings");
    cr_assert_eq(json_array_size(list), 3);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(list, 1), "cure")),
                     "SET GLOBAL gtid_mode = ON;");
    cr_expect(json_is_null(json_object_get(json_array_get(list, 0), "cure")));
    json_decref(json);
}
