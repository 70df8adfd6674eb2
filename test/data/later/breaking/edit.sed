# edits: 3
/{\.id = 1, /a #include "test/data/later/breaking/migrations.inc"
# save.c: the form is written …
s/^ *set_text(sql, "copied_to", table->copied_to);$/        g_autofree char *form = table->copied_to != NULL ? g_strconcat("key:", table->copied_to, NULL) : NULL;\n        set_text(sql, "copied_to", form);/
# state.c: … and read; a bound without it is no bound that this build knows.
s/^ *table->copied_to = g_strdup(result_get(rows, i, "copied_to"));$/        const char *form = result_get(rows, i, "copied_to");\n        if (form != NULL \&\& !g_str_has_prefix(form, "key:"))\n            g_error("copied_to without its form: %s", form);\n        table->copied_to = form != NULL ? g_strdup(form + 4) : NULL;/
