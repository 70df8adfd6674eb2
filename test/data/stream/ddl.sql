INSERT INTO orders VALUES (700, '', 1);
ALTER TABLE orders ADD extra INT;
INSERT INTO orders VALUES (701, '', 1, 1);
ALTER TABLE orders DROP extra;
