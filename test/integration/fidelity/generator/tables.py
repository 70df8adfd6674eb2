"""Tables: keys, indexes, partitions, options; and what hangs between them."""

from . import columns, texts
from .columns import quoted

SCHEMAS = ('fid', 'fid `2`. é"')
NAMES = ('plain', 'select', 'MixedCase', 'with space', 'd.o.t', "quo'te", 'back`tick', 'dou"ble',
         'таблица', '表ソ', 'a%b_c', 'back\\slash', 'sl/ash', 'q?', 'x' * 48, '$', '1st', '@v1', 'rows',
         '#hash', 'a--b', 'e\u0301')
COLUMN_NAMES = ('id', 'key', 'Group', 'a b', 'c`d', 'e"f', "g'h", 'i.j', 'столбец', '列ソ', '%s', '\\',
                '/*', '--', '@v1', '?', ';', 'NULL', 'x' * 64, 'values', 'ß', '(', ',', '\u200dz')

OPTIONS = ('ROW_FORMAT=DYNAMIC', 'ROW_FORMAT=COMPACT', 'ROW_FORMAT=REDUNDANT',
           'ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8', 'ROW_FORMAT=COMPRESSED', "COMPRESSION='zlib'",
           "COMPRESSION='lz4'", 'STATS_PERSISTENT=0', 'STATS_AUTO_RECALC=1 STATS_SAMPLE_PAGES=3',
           'MAX_ROWS=1000 MIN_ROWS=3', 'AVG_ROW_LENGTH=100', 'CHECKSUM=1', 'PACK_KEYS=1',
           "ENCRYPTION='N'", 'AUTOEXTEND_SIZE=4M', 'AUTO_INCREMENT=1000',
           'DELAY_KEY_WRITE=1')


class Table:
    """One table and how to write to it."""

    def __init__(self, schema, name):
        self.schema = schema
        self.name = name
        self.columns = []
        self.key = []       # Columns of the primary key, or of the unique key instead
        self.lines = []     # indexes and constraints
        self.options = ''
        self.partition = ''
        self.before = []    # statements that its CREATE needs
        self.unique = []    # single columns with a unique index of their own
        self.parents = {}   # name of a column: the Table whose key it refers to
        self.foreign_keys = []

    @property
    def quoted(self):
        """schema.table in backticks."""
        return f'{quoted(self.schema)}.{quoted(self.name)}'

    @property
    def written(self):
        """Columns that a statement may name a value for."""
        return [c for c in self.columns if not c.generated]

    def create(self):
        """CREATE TABLE."""
        lines = [c.definition() for c in self.columns] + self.lines
        body = ',\n  '.join(lines)
        return f'CREATE TABLE {self.quoted} (\n  {body}\n) ENGINE=InnoDB {self.options} {self.partition}'


class Names:
    """Distinct names, the awkward ones often."""

    def __init__(self, rng, pool):
        self.rng = rng
        self.pool = list(pool)
        rng.shuffle(self.pool)
        self.count = 0

    def next(self):
        """One more."""
        self.count += 1
        if self.pool and self.rng.random() < 0.5:
            return self.pool.pop()
        return f'c{self.count}'


def key_list(parts):
    """(`a`, `b` DESC)."""
    return '(' + ', '.join(parts) + ')'


def add_key(rng, table, names):
    """Its key, in one of many shapes."""
    shape = rng.random()
    if shape < 0.12:
        table.before.append('SET sql_generate_invisible_primary_key = ON')
        return
    if shape < 0.27:
        column = columns.integer(rng)
        column.name, column.nullable = names.next(), False
        column.attributes = 'AUTO_INCREMENT'
        table.key = [column]
    else:
        count = rng.choice((1, 1, 1, 2, 2, 3, 4)) if rng.random() < 0.96 else 16
        table.key = [columns.key_column(rng, names.next()) for _ in range(count)]
        if count == 16:
            for column in table.key:
                if column.charset or column.kind == 'enum':
                    column.__dict__.update(dict(columns.year(rng).__dict__, name=column.name,
                                                nullable=False))
    parts = [quoted(c.name) + rng.choice(('', '', '', ' DESC')) for c in table.key]
    if len(parts) > 1 or 'AUTO_INCREMENT' in table.key[0].attributes or rng.random() < 0.75:
        kind = 'PRIMARY KEY'
        if rng.random() < 0.2 and 'AUTO_INCREMENT' not in table.key[0].attributes:
            kind = 'UNIQUE KEY ' + quoted(names.next())
    else:
        kind = 'UNIQUE KEY ' + quoted(names.next())
    table.lines.append(f'{kind} {key_list(parts)}')


def add_indexes(rng, table, names):
    """Secondary indexes: plain, over prefixes, of expressions, unique, invisible, spatial, fulltext."""
    for column in table.columns:
        if column in table.key or rng.random() < 0.7:
            continue
        this, name = quoted(column.name), quoted(names.next())
        hidden = rng.choice(('', '', '', ' INVISIBLE', " COMMENT 'k''x'"))
        if column.kind == 'geometry':
            if not column.nullable and column.srid is not None:
                table.lines.append(f'SPATIAL KEY {name} ({this})')
        elif column.kind == 'json':
            table.lines.append(f"KEY {name} ((CAST({this}->'$.a' AS CHAR(40) ARRAY))){hidden}"
                               if rng.random() < 0.3 else
                               f'KEY {name} ((JSON_LENGTH({this}))){hidden}')
        elif column.kind == 'vector':
            continue
        elif column.kind == 'generated':
            if column.type_sql != 'JSON':
                table.lines.append(f'KEY {name} ({this}){hidden}')
        elif column.prefix:
            if column.charset != 'binary' and rng.random() < 0.2 and column.kind == 'text':
                table.lines.append(f'FULLTEXT KEY {name} ({this})')
            else:
                table.lines.append(f'KEY {name} ({this}({rng.choice((1, 3, 10))})){hidden}')
        # Not of the largest: what INSERT IGNORE leaves out of an index a strict session refuses (3752).
        elif column.kind == 'integer' and rng.random() < 0.5 and 'BIGINT' not in column.type_sql:
            unique = rng.choice(('', 'UNIQUE '))
            table.lines.append(f'{unique}KEY {name} (({this} DIV 2)){hidden}')
        elif column.kind not in ('bit', 'boolean', 'year', 'enum', 'set') and rng.random() < 0.4 and \
                (table.key or column.kind != 'float'):
            table.lines.append(f'UNIQUE KEY {name} ({this}){hidden}')
            table.unique.append(column)
        elif '(0)' not in column.type_sql or column.kind in ('time', 'datetime', 'timestamp'):
            table.lines.append(f'KEY {name} ({this}{rng.choice(("", " DESC"))}){hidden}')


def add_checks(rng, table):
    """CHECK constraints that most values pass."""
    for column in table.written:
        if column.kind == 'integer' and 'AUTO_INC' not in column.attributes and rng.random() < 0.15:
            table.lines.append(f'CONSTRAINT {quoted(f"check `{rng.randrange(10**6)}")} '
                               f'CHECK ({quoted(column.name)} <> 77)')
        elif column.kind == 'varchar' and rng.random() < 0.1:
            table.lines.append(f"CHECK ({quoted(column.name)} <> '%') NOT ENFORCED")


def add_partitions(rng, table):
    """PARTITION BY, where the keys allow it."""
    if not table.key or any('UNIQUE' in line or 'SPATIAL' in line or 'FULLTEXT' in line
                            for line in table.lines if not line.startswith('UNIQUE KEY')):
        return
    if sum('UNIQUE' in line or 'PRIMARY' in line for line in table.lines) > 1:
        return
    column = rng.choice(table.key)
    this = quoted(column.name)
    kinds = ['KEY']
    if column.kind == 'integer':
        kinds += ['HASH', 'LINEAR HASH', 'RANGE', 'SUB']
    if column.kind in ('date', 'datetime', 'char', 'varchar', 'binary', 'varbinary'):
        kinds.append('COLUMNS')
    kind = rng.choice(kinds)
    count = rng.randint(1, 5)
    if kind == 'KEY':
        table.partition = f'PARTITION BY {rng.choice(("", "LINEAR "))}KEY ({this}) PARTITIONS {count}'
    elif kind in ('HASH', 'LINEAR HASH'):
        table.partition = f'PARTITION BY {kind} ({this}) PARTITIONS {count}'
    elif kind in ('RANGE', 'SUB'):
        table.partition = f'PARTITION BY RANGE ({this})'
        if kind == 'SUB':
            table.partition += f' SUBPARTITION BY KEY ({this}) SUBPARTITIONS 2'
        table.partition += (" (PARTITION `p 0` VALUES LESS THAN (0) COMMENT = 'it''s', "
                            'PARTITION p1 VALUES LESS THAN (30), PARTITION p2 VALUES LESS THAN MAXVALUE)')
    else:
        low = {'date': "'2020-03-01'", 'datetime': "'2020-01-01 00:00:30'"}.get(column.kind, "'b'")
        table.partition = (f'PARTITION BY RANGE COLUMNS ({this}) (PARTITION p0 VALUES LESS THAN ({low}), '
                           'PARTITION p1 VALUES LESS THAN (MAXVALUE))')


def some_table(rng, schema, name):
    """Any table that can be moved."""
    table = Table(schema, name)
    names = Names(rng, COLUMN_NAMES)
    add_key(rng, table, names)
    others = [columns.some_column(rng, names.next()) for _ in range(rng.choice((1, 3, 5, 8, 14)))]
    table.columns = table.key + others
    for _ in range(rng.choice((0, 0, 1, 2))):
        made = columns.generated_column(rng, names.next(), table.columns)
        if made:
            table.columns.append(made)
    rng.shuffle(table.columns)
    if all(' INVISIBLE' in c.attributes for c in table.columns):
        table.columns[0].attributes = table.columns[0].attributes.replace(' INVISIBLE', '')
    add_indexes(rng, table, names)
    add_checks(rng, table)
    if rng.random() < 0.2:
        add_partitions(rng, table)
    if rng.random() < 0.4:
        table.options = rng.choice(OPTIONS)
        if table.partition and 'AUTOEXTEND' in table.options:
            table.options = ''
    if rng.random() < 0.2:
        table.options += ' COMMENT=' + columns.label_literal(texts.some_text(rng, 'utf8mb3', 40))
    if rng.random() < 0.4:
        charset, collation = texts.some_charset(rng)
        table.options += f' DEFAULT CHARSET={charset} COLLATE={collation}'
    return table


def some_schema(rng):
    """CREATE DATABASE statements."""
    found = []
    for name in SCHEMAS:
        charset, collation = texts.some_charset(rng)
        found.append(f'CREATE DATABASE {quoted(name)} CHARACTER SET {charset} COLLATE {collation}')
    return found
