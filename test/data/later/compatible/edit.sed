# edits: 3
# migrations.c: one more.
/{\.id = 1, /a #include "test/data/later/compatible/migrations.inc"
# save.c: both are written with the progress.
/g_string_append(sql, ", `heartbeat_at` = NOW(6), `lag_ms` = ");/i set_text(sql, "throttled_by", "nothing");
/add_tables_progress(sql, checkpoint, progress, digests);/i\
    sql_add(sql, config, "; INSERT INTO {db}.`verify_range` (`move`, `ordinal`, `checked_at`)"\
            " VALUES ({move}, 1, NOW(6)) ON DUPLICATE KEY UPDATE `checked_at` = NOW(6)");
