# edits: 5
/{\.id = 1, /a #include "test/data/later/moving/migrations.inc"
# save.c: into the new place, in the same transaction.
/^ *set_text(sql, "copied_to", table->copied_to);$/d
/^ *quote_string(sql, table->source_table);$/a\
        if (table->copied_to != NULL) {\
            sql_add(sql, checkpoint->config,\
                    "; INSERT INTO {db}.`copied_range` (`move`, `source_table`, `upto`) VALUES ({move}, ");\
            add_text(sql, table->source_table);\
            quote_string(sql, table->copied_to);\
            g_string_append(sql, ") ON DUPLICATE KEY UPDATE `upto` = VALUES(`upto`)");\
        }
# state.c: from there.
s/^ *config, "SELECT \* FROM {db}.`move_table` WHERE `move` = {move} ORDER BY `ordinal`");$/        config, "SELECT t.*, r.`upto` FROM {db}.`move_table` t LEFT JOIN {db}.`copied_range` r ON r.`move` = t.`move` AND r.`source_table` = t.`source_table` WHERE t.`move` = {move} ORDER BY t.`ordinal`");/
s/result_get(rows, i, "copied_to")/result_get(rows, i, "upto")/
