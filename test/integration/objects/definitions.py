"""Definitions that try to be unlike any other: a table's name, what stands behind it, and what makes the target another one."""

FAR = {
    'by_old_key': (r"(a VARCHAR(20), b INT, PRIMARY KEY (a, b)) PARTITION BY LINEAR KEY ALGORITHM=1 (a, b) PARTITIONS 5", None),
    'by_odd_lists': (r"""(a VARCHAR(9) CHARACTER SET sjis, b DATETIME, PRIMARY KEY (a, b)) PARTITION BY LIST COLUMNS (a) (
        PARTITION `p ``0`` x` VALUES IN ('it''s', _sjis X'835C'), PARTITION p1 VALUES IN ('\\', '', NULL))""".replace(', NULL', ''), None),
    'by_everything': (r"""(a INT, b INT, c DATE, PRIMARY KEY (a, b, c)) PARTITION BY RANGE (YEAR(c)) SUBPARTITION BY LINEAR KEY (b) (
        PARTITION p0 VALUES LESS THAN (2020) COMMENT = 'p; '' \\ "' MAX_ROWS = 10 MIN_ROWS = 1 (
            SUBPARTITION `s 0` COMMENT = 'x', SUBPARTITION s1 MAX_ROWS = 5),
        PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s2, SUBPARTITION `select`))""", None),
    'by_expression': (r"""(a INT, c TIMESTAMP NOT NULL, PRIMARY KEY (a, c)) PARTITION BY RANGE (UNIX_TIMESTAMP(c)) (
        PARTITION p0 VALUES LESS THAN (UNIX_TIMESTAMP('2020-01-01 00:00:00')), PARTITION p1 VALUES LESS THAN MAXVALUE)""", None),
    'options': (r"""(a INT PRIMARY KEY, v INT) AVG_ROW_LENGTH=7 CHECKSUM=1 DELAY_KEY_WRITE=1 PACK_KEYS=0 INSERT_METHOD=LAST
        CONNECTION='mysql://x''y' COMPRESSION='zlib' MIN_ROWS=2""", 'CHECKSUM=0'),
    'lz4': (r"(a INT PRIMARY KEY, v INT) COMPRESSION='lz4' ROW_FORMAT=DYNAMIC STATS_PERSISTENT=DEFAULT STATS_SAMPLE_PAGES=DEFAULT", 'DROP COLUMN v'),
    'block_of_index': (r"(a INT PRIMARY KEY, v INT, KEY k (v) KEY_BLOCK_SIZE=4 USING BTREE) KEY_BLOCK_SIZE=2 ROW_FORMAT=COMPRESSED", None),
    'second_engine': (r"""(a INT PRIMARY KEY, v INT NOT SECONDARY, w VARCHAR(9) COMMENT 'RAPID_COLUMN=ENCODING=SORTED',
        KEY k (v) SECONDARY_ENGINE_ATTRIBUTE='{"i": "it''s \\""}') SECONDARY_ENGINE=rapid""".replace(r' \\"', ''), None),
    'storage': (r"(a INT PRIMARY KEY, v INT COLUMN_FORMAT FIXED STORAGE MEMORY, w INT COLUMN_FORMAT DYNAMIC STORAGE DISK)", 'DROP COLUMN w'),
    'ngram': (r"(a INT PRIMARY KEY, v TEXT, w VARCHAR(99), FULLTEXT KEY n (v, w) WITH PARSER ngram COMMENT '`x`', FULLTEXT KEY plain (w))", 'DROP KEY plain'),
    'odd_comments': (r"""(a INT PRIMARY KEY COMMENT '', v INT COMMENT ' ', w INT COMMENT '*/ -- # ; \' \" \\ \0 \n \r \Z \t %s %n ?', KEY k (v) COMMENT '\\')
        COMMENT='*/;\n) ENGINE=MyISAM AUTO_INCREMENT=7 \\'""", 'DROP KEY k'),
    'odd_defaults': (r"""(a INT PRIMARY KEY, b BIT(64) DEFAULT b'1', c BINARY(3) DEFAULT 0x005c27, d VARBINARY(9) DEFAULT 'a\0\n\r\Z\\''"',
        e VARCHAR(19) DEFAULT '\n\t\0\Z%_\%\_', f CHAR(9) CHARACTER SET utf16 DEFAULT 'é', g VARCHAR(20) DEFAULT '💾',
        h ENUM('', ' x', 'it''s', '\\', ',') DEFAULT '', i SET('a', 'b''') DEFAULT 'a,b''', j DECIMAL(5,2) DEFAULT -0.50, k DOUBLE DEFAULT 1e-300,
        l YEAR DEFAULT 0, m TIME(6) DEFAULT '-838:59:59.000000', n DATE DEFAULT '1000-01-01', o TEXT DEFAULT ('it''s `x` \\'),
        p BIGINT UNSIGNED ZEROFILL DEFAULT 18446744073709551615, q BOOL DEFAULT TRUE, r INT(7) ZEROFILL DEFAULT 7,
        s VARCHAR(9) CHARACTER SET latin1 DEFAULT 'ü', t DATETIME(2) DEFAULT NOW(2) ON UPDATE NOW(2), u VECTOR(3),
        v INT DEFAULT ((1 + 2) * 3), w NCHAR(3), x NVARCHAR(3), y LONG, z CHAR BYTE, aa FLOAT(7,3) DEFAULT 1.5, ab REAL DEFAULT -0.0)""", None),
    'odd_checks': (r"(a INT PRIMARY KEY, v VARCHAR(9), CONSTRAINT `it's ``a``` CHECK (v <> 'it''s \\ "
                   '"' r"') NOT ENFORCED, CONSTRAINT " + 'x' * 64 + r" CHECK (v REGEXP '^[a-z''\\\\.]+$'), "
                   r"CHECK ((a | 1) & ~2 >> 1 <=> 3 OR NOT v LIKE '%\\_' ESCAPE '|'))", None),
    'odd_names': ("(`" + 'é' * 64 + "` INT PRIMARY KEY, `tab ble` INT, `a.b` INT, `.` INT, `'` INT, `\"` INT, `\\` INT, `％` INT, `ﷺ` INT, `ｅ` INT, "
                  "`a ``b` INT, `1` INT, `$x` INT, `--` INT, `/*x*/` INT, `primary` INT, `123e4` INT, `ＫＥＹ` INT, `\u202e` INT, "
                  "KEY `" + 'ß' * 64 + "` (`.`), KEY `/*!99999 x */` (`1`))", None),
    'places_of_srs': (r"(a INT PRIMARY KEY, `t` POINT NOT NULL SRID 0, u GEOMETRY SRID 4326, v MULTIPOLYGON, w GEOMETRYCOLLECTION, SPATIAL KEY (t))", None),
    'expressions': (r"""(a INT PRIMARY KEY, j JSON, v VARCHAR(20), KEY lower_v ((LOWER(v)), a DESC), KEY members ((CAST(j->'$.m[*]' AS CHAR(20) ARRAY))),
        KEY deep ((CAST(j->>'$."it''s"' AS CHAR(9)) COLLATE utf8mb4_bin)),
        g VARCHAR(60) AS (CONCAT(v, ' `x`, ', _latin1'y', '\\')) VIRTUAL INVISIBLE COMMENT 'g')""", None),
    'Self`s ünï': ('(a INT PRIMARY KEY, b INT, c INT, CONSTRAINT `' + 'f' * 64 + '` FOREIGN KEY (b) REFERENCES `Self``s ünï` (a) '
                   'ON DELETE SET NULL ON UPDATE SET NULL, CONSTRAINT other FOREIGN KEY (c) REFERENCES `Self``s ünï` (a) ON DELETE NO ACTION ON UPDATE RESTRICT)', None),
    'tâble': ('(a INT PRIMARY KEY)', None),
    'table': ('(b INT PRIMARY KEY)', None),
    'ends.': ('(b INT PRIMARY KEY)', None),
    ' begins': ('(b INT PRIMARY KEY)', None),
    'comma, "x" \'y\' \\z': ('(b INT PRIMARY KEY)', None),
}
