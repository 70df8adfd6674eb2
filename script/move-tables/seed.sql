-- Three tables that people recognise, with an integer, a composite and a string key.
-- {rows} is the number of orders; rows are a function of their number, so two
-- seeds of the same size are equal.

-- [schema]
CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;
CREATE TABLE shop.customers (
    code       VARCHAR(24) NOT NULL,
    name       VARCHAR(80) NOT NULL,
    email      VARCHAR(120) NOT NULL,
    balance    DECIMAL(14, 2) NOT NULL DEFAULT 0,
    rating     FLOAT NULL,
    settings   JSON NULL,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (code),
    UNIQUE KEY email (email)
);
CREATE TABLE shop.orders (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    customer   VARCHAR(24) NOT NULL,
    status     ENUM('new', 'paid', 'sent', 'returned') NOT NULL DEFAULT 'new',
    total      DECIMAL(12, 2) NOT NULL,
    note       VARCHAR(200) NULL,
    placed_at  DATETIME(3) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    PRIMARY KEY (id),
    KEY customer (customer, placed_at),
    KEY status (status)
);
CREATE TABLE shop.items (
    order_id BIGINT UNSIGNED NOT NULL,
    line     SMALLINT UNSIGNED NOT NULL,
    sku      VARCHAR(32) NOT NULL,
    quantity INT NOT NULL DEFAULT 1,
    price    DECIMAL(10, 2) NOT NULL,
    digest   BINARY(16) NULL,
    PRIMARY KEY (order_id, line),
    KEY sku (sku)
);

-- [rows] for the orders {from}..{to}
INSERT INTO shop.customers (code, name, email, balance, rating, settings, created_at)
SELECT CONCAT('c-', LPAD((n - 1) DIV 5, 8, '0')), CONCAT('Customer ', (n - 1) DIV 5), CONCAT('c', (n - 1) DIV 5, '@shop.example'),
       (CRC32(n) % 1000000) / 100, (CRC32(n + 7) % 500) / 97,
       JSON_OBJECT('lang', ELT(1 + n % 3, 'en', 'fr', 'ja'), 'mail', n % 2 = 0, 'limit', n % 7 * 1.5e0),
       TIMESTAMP'2024-01-01 00:00:00' + INTERVAL n SECOND
FROM (WITH RECURSIVE s (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n < {to}) SELECT n FROM s WHERE n % 5 = 1) AS s;
INSERT INTO shop.orders (id, customer, status, total, note, placed_at, updated_at)
SELECT n, CONCAT('c-', LPAD(CRC32(n) % ((n - 1) DIV 5 + 1), 8, '0')), 1 + CRC32(n + 1) % 4, (CRC32(n + 2) % 5000000) / 100,
       IF(n % 3 = 0, NULL, CONCAT('order ', n, ' ', REPEAT(CHAR(97 + n % 26), n % 60))),
       TIMESTAMP'2025-01-01 00:00:00' + INTERVAL n * 1013 % 31000000000 * 1000 MICROSECOND,
       TIMESTAMP'2025-06-01 00:00:00' + INTERVAL n SECOND
FROM (WITH RECURSIVE s (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n < {to}) SELECT n FROM s) AS s;
INSERT INTO shop.items (order_id, line, sku, quantity, price, digest)
SELECT n, l.line, CONCAT('sku-', CRC32(n * 3 + l.line) % 5000), 1 + n % 9, (CRC32(n + l.line) % 100000) / 100,
       IF(n % 11 = 0, NULL, UNHEX(LEFT(SHA2(n * 3 + l.line, 256), 32)))
FROM (WITH RECURSIVE s (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n < {to}) SELECT n FROM s) AS s
JOIN (SELECT 1 AS line UNION ALL SELECT 2 UNION ALL SELECT 3) AS l ON l.line <= 1 + n % 3;
