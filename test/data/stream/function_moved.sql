SET GLOBAL log_bin_trust_function_creators = ON;
CREATE FUNCTION touch_orders() RETURNS INT MODIFIES SQL DATA NOT DETERMINISTIC BEGIN INSERT INTO orders VALUES (600, '', 1); RETURN 1; END;
SET binlog_format = STATEMENT;
SELECT touch_orders();
DROP FUNCTION touch_orders;
