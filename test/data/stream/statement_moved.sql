SET binlog_format = STATEMENT;
INSERT INTO orders VALUES (500, 'by statement', RAND() * 10);
