#include "schema/table.h"

#include "schema/inspect.h"

void
column_free(struct column *column)
{
    if (column == NULL)
        return;
    g_free(column->name);
    g_free(column->data_type);
    g_free(column->column_type);
    g_free(column->charset);
    g_free(column->collation);
    g_free(column->zero_literal);
    g_free(column);
}

void
table_free(struct table *table)
{
    if (table == NULL)
        return;
    g_free(table->schema);
    g_free(table->name);
    if (table->columns != NULL)
        g_ptr_array_unref(table->columns);
    g_free(table->key_name);
    if (table->key_columns != NULL)
        g_array_unref(table->key_columns);
    g_free(table->key_problem);
    g_free(table->engine);
    g_free(table->schema_collation);
    g_free(table->create_sql);
    g_free(table->digest);
    g_free(table);
}

void
moved_table_free(struct moved_table *table)
{
    if (table == NULL)
        return;
    table_free(table->source);
    g_free(table->to_schema);
    g_free(table->to_table);
    g_free(table->moved_as);
    g_free(table);
}
