SET GLOBAL binlog_checksum = NONE;
INSERT INTO orders VALUES (800, 'bare', 1);
