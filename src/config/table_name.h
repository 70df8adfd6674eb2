/* `schema.table` as people write it. Pure. */
#ifndef CONFIG_TABLE_NAME_H
#define CONFIG_TABLE_NAME_H

#include <stdbool.h>

/*
 * Splits `schema.table`; either part may be quoted with backticks (doubled
 * inside) to contain a dot. Gives unquoted names, which the caller frees. False
 * leaves both untouched: *ret_problem is a literal that says what is wrong.
 */
bool table_name_parse(const char *text, char **ret_schema, char **ret_table,
                      const char **ret_problem);

/* The shortest text that table_name_parse() takes apart again. Caller frees. */
char *table_name_format(const char *schema, const char *table);

/* What is wrong with an identifier (a literal); NULL when nothing is. */
const char *identifier_problem(const char *name);

#endif
