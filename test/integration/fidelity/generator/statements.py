"""Statements that write to generated tables: every form of DML."""

import re

from .columns import quoted


def value_of(rng, table, column):
    """SQL of a value for a column; a key's out of few, a child's out of its parent's."""
    parent = table.parents.get(column.name)
    if parent is not None:
        if column.nullable and rng.random() < 0.2:
            return 'NULL'
        key = parent.key[0]
        if parent is table or rng.random() < 0.3:
            return key.key_value(rng)
        return (f'(SELECT {quoted(key.name)} FROM (SELECT {quoted(key.name)} FROM {parent.quoted} '
                f'ORDER BY RAND({rng.randrange(1000)}) LIMIT 1) AS p)')
    if column in table.key:
        if 'AUTO_INCREMENT' in column.attributes:
            return rng.choice(('NULL', 'DEFAULT', '0', column.key_value(rng), str(rng.randrange(127))))
        return column.key_value(rng)
    if column in table.unique and column.key_value is not None and rng.random() < 0.8:
        return column.key_value(rng)
    return column.some(rng)


def some_columns(rng, table):
    """Columns to name in an INSERT: nearly always all."""
    if rng.random() < 0.85:
        return table.written
    left_out = [c for c in table.written if c not in table.key and rng.random() < 0.3]
    return [c for c in table.written if c not in left_out] or table.written


def names_of(found):
    """(`a`, `b`)."""
    return '(' + ', '.join(quoted(c.name) for c in found) + ')'


def assignments(rng, table, alias='', keys=0.2):
    """SET of one to three columns."""
    pool = [c for c in table.written if c not in table.key]
    if table.key and (rng.random() < keys or not pool):
        pool = table.key
    found = rng.sample(pool, min(len(pool), rng.choice((1, 1, 2, 3)))) if pool else []
    parts = []
    for column in found:
        this = alias + quoted(column.name)
        value = changed(rng, table, column, this)
        parts.append(f'{this} = {rounded(column, value) if alias else value}')
    return ', '.join(parts)


def changed(rng, table, column, this):
    """A new value, often made of the old one."""
    pick = rng.random()
    if column.kind == 'json' and pick < 0.5:
        value = column.value(rng)
        part = f'/*in place*/{this}/*or not*/'
        return rng.choice((f"JSON_SET({part}, '$.a', {value})", f"JSON_REMOVE({part}, '$[0]')",
                           f"JSON_ARRAY_APPEND({this}, '$', {value})",
                           f"JSON_MERGE_PATCH({this}, {value})", f"JSON_REPLACE({part}, '$[0]', 1.5)",
                           f"JSON_INSERT({this}, '$[1]', JSON_ARRAY({this}))"))
    if column.charset and pick < 0.4:
        return rng.choice((f'UPPER({this})', f'LOWER({this})', f"CONCAT({this}, ' ')",
                           f'RTRIM({this})', f'REVERSE({this})'))
    if column.kind == 'integer' and pick < 0.3 and 'UNSIGNED' not in column.type_sql:
        return f'-{this}'
    if column.kind in ('integer', 'decimal', 'double') and pick < 0.4:
        return f'{this} + 1'
    return value_of(rng, table, column)


def condition(rng, table, alias=''):
    """WHERE of some rows."""
    pick = rng.random()
    if table.key and pick < 0.55:
        column = rng.choice(table.key)
        value = '5' if 'AUTO_INCREMENT' in column.attributes else column.key_value(rng)
        sign = rng.choice(('=', '=', '>', '<', '<>', '>='))
        return f'{alias}{quoted(column.name)} {sign} {value}'
    return f'RAND({rng.randrange(10**6)}) < {rng.choice((0.02, 0.1, 0.3))}'


def insert(rng, table, most=12):
    """INSERT, REPLACE, IGNORE, ON DUPLICATE KEY UPDATE; of one row or many."""
    found = some_columns(rng, table)
    rows = ', '.join('(' + ', '.join(value_of(rng, table, c) for c in found) + ')'
                     for _ in range(rng.randint(1, most)))
    verb = rng.choice(('INSERT', 'INSERT', 'INSERT IGNORE', 'INSERT IGNORE', 'REPLACE'))
    sql = f'{verb} INTO {table.quoted} {names_of(found)} VALUES {rows}'
    if verb == 'INSERT' and rng.random() < 0.6:
        update = assignments(rng, table, keys=0.05)
        if update:
            sql += ' ON DUPLICATE KEY UPDATE ' + update
    return sql


def rounded(column, sql):
    """For statements with a temporary table: a DOUBLE(M,D) takes its DOUBLE as it is, and is refused."""
    if sql == 'DEFAULT':
        return sql
    digits = re.fullmatch(r'(?:FLOAT|DOUBLE)\(\d+,(\d+)\).*', column.type_sql)
    return f'ROUND({sql}, {digits[1]})' if digits else sql


def insert_select(rng, table):
    """INSERT … SELECT of the table's own rows under other keys."""
    found = table.written
    parts = ', '.join(rounded(c, value_of(rng, table, c).replace('DEFAULT', 'NULL'))
                      if c in table.key or c in table.unique else quoted(c.name) for c in found)
    verb = rng.choice(('INSERT IGNORE', 'REPLACE', 'INSERT'))
    return (f'{verb} INTO {table.quoted} {names_of(found)} SELECT {parts} FROM {table.quoted} '
            f'ORDER BY RAND({rng.randrange(1000)}) LIMIT {rng.choice((1, 3, 20))}')


def update(rng, table):
    """UPDATE of some rows, also of keys."""
    change = assignments(rng, table)
    if not change:
        return delete(rng, table)
    ignore = rng.choice(('', '', ' IGNORE'))
    limit = f' LIMIT {rng.choice((1, 5, 50))}' if rng.random() < 0.8 else ''
    return f'UPDATE{ignore} {table.quoted} SET {change} WHERE {condition(rng, table)}{limit}'


def update_many(rng, table):
    """UPDATE of every row."""
    change = assignments(rng, table, keys=0.05)
    return f'UPDATE IGNORE {table.quoted} SET {change}' if change else delete(rng, table)


def delete(rng, table):
    """DELETE of a few rows."""
    return (f'DELETE FROM {table.quoted} WHERE {condition(rng, table)} '
            f'ORDER BY RAND({rng.randrange(1000)}) LIMIT {rng.choice((1, 3, 10))}')


def update_two(rng, table, other):
    """UPDATE of two tables in one statement."""
    one, two = assignments(rng, table, 'a.', 0), assignments(rng, other, 'b.', 0)
    if not one or not two or table is other:
        return update(rng, table)
    return (f'UPDATE IGNORE {table.quoted} AS a JOIN {other.quoted} AS b ON RAND(5) < 0.01 '
            f'SET {one}, {two} WHERE {condition(rng, table, "a.")}')


def delete_two(rng, table, other):
    """DELETE from two tables in one statement."""
    if table is other:
        return delete(rng, table)
    return (f'DELETE IGNORE a, b FROM {table.quoted} AS a JOIN {other.quoted} AS b ON RAND(7) < 0.001 '
            f'WHERE {condition(rng, table, "a.")}')


def load_data(rng, table, folder):
    """LOAD DATA LOCAL of integers, strings as hex, and the rest as the server likes it."""
    found = [c for c in table.written if c in table.key or c.kind in ('integer', 'varchar', 'blob')]
    lines = []
    if not found:
        return insert(rng, table)
    for _ in range(rng.randint(1, 15)):
        fields = [value_of(rng, table, c) for c in found]
        if any(f.startswith(('(', 'REPEAT')) or (c.text and f.startswith('X'))
               for f, c in zip(fields, found)):
            return insert(rng, table)
        lines.append('\t'.join(field_text(f) for f in fields))
    path = folder / f'load-{rng.randrange(10**9)}.txt'
    path.write_bytes('\n'.join(lines).encode() + b'\n')
    variables = ', '.join(f'@f{n}' for n in range(len(found)))
    changes = ', '.join(f'{quoted(c.name)} = {from_field(c, n)}' for n, c in enumerate(found))
    verb = rng.choice(('IGNORE', 'REPLACE', ''))
    return (f"LOAD DATA LOCAL INFILE '{path}' {verb} INTO TABLE {table.quoted} CHARACTER SET binary "
            f'({variables}) SET {changes}')


def field_text(sql):
    """A literal as a field: strings as hex, numbers and times bare."""
    if sql in ('NULL', 'DEFAULT'):
        return '\\N'
    return sql.removeprefix('_utf8mb4 ').removeprefix('X').strip("'")


def from_field(column, number):
    """SQL that gives the literal's value again."""
    field = f'@f{number}'
    if column.text:
        return f'CONVERT(UNHEX({field}) USING utf8mb4)'
    if column.kind in ('binary', 'varbinary', 'blob'):
        return f'UNHEX({field})'
    if column.kind in ('bit', 'set', 'enum', 'year'):
        return f'CAST({field} AS UNSIGNED)'
    return field


def swap(rng, table):
    """Two rows exchange a unique value: [statements], or None where nothing is unique."""
    found = [c for c in table.unique if c.nullable and c.kind in ('integer', 'char', 'varchar', 'decimal',
                                                                  'date', 'binary', 'varbinary')]
    if not found or not table.key:
        return None
    column = quoted(rng.choice(found).name)
    order = ', '.join(quoted(c.name) for c in table.key)
    pick = (f'SELECT {column} INTO {{}} FROM {table.quoted} WHERE {column} IS NOT NULL '
            f'ORDER BY {order} LIMIT 1 OFFSET {{}}')
    first = rng.randrange(4)
    return ['SET @one = NULL, @two = NULL', pick.format('@one', first),
            pick.format('@two', first + rng.randint(1, 4)),
            f'UPDATE {table.quoted} SET {column} = NULL WHERE {column} = @one',
            f'UPDATE {table.quoted} SET {column} = @one WHERE {column} = @two',
            f'UPDATE {table.quoted} SET {column} = @two WHERE {column} IS NULL ORDER BY {order} LIMIT 1']


def statement(rng, tables, folder):
    """Any one statement."""
    table, other = rng.choice(tables), rng.choice(tables)
    pick = rng.random()
    if pick < 0.4:
        return insert(rng, table)
    if pick < 0.48:
        return insert_select(rng, table)
    if pick < 0.74:
        return update(rng, table)
    if pick < 0.77:
        return update_many(rng, table)
    if pick < 0.87:
        return delete(rng, table)
    if pick < 0.91:
        return update_two(rng, table, other)
    if pick < 0.94:
        return delete_two(rng, table, other)
    return load_data(rng, table, folder)


def whole(sql):
    """Without changes of a part of a JSON document in place.

    A transaction that changes a row's key, then a part of its document, and is rolled back, leaves
    the document changed (InnoDB of 9.7.4; see docs/limits.md). The binlog does not have that.
    """
    return sql.replace('/*in place*/', 'COALESCE(').replace('/*or not*/', ')')


def transaction(rng, tables, folder):
    """BEGIN … with savepoints and partial rollbacks … COMMIT, or ROLLBACK."""
    found = [rng.choice(('BEGIN', 'START TRANSACTION WITH CONSISTENT SNAPSHOT'))]
    points = []
    for _ in range(rng.randint(2, 9)):
        pick = rng.random()
        if pick < 0.2:
            points.append(f'`p {len(points)}`')
            found.append(f'SAVEPOINT {points[-1]}')
        elif pick < 0.3 and points:
            found.append(f'ROLLBACK TO {rng.choice(points)}')
        elif pick < 0.35 and points:
            found.append(f'RELEASE SAVEPOINT {points.pop()}')
        found.append(whole(statement(rng, tables, folder)))
    found.append('COMMIT' if rng.random() < 0.85 else 'ROLLBACK')
    return found


def xa(rng, tables, folder):
    """An XA transaction, in one phase or two."""
    name = f"'x{rng.randrange(10**9)}', X'00ff', {rng.randrange(100)}"
    found = [f'XA START {name}']
    found += [whole(statement(rng, tables, folder)) for _ in range(rng.randint(1, 4))]
    found.append(f'XA END {name}')
    pick = rng.random()
    if pick < 0.2:
        return found + [f'XA COMMIT {name} ONE PHASE']
    if pick < 0.3:
        return found + [f'XA ROLLBACK {name}']
    return found + [f'XA PREPARE {name}', rng.choice((f'XA COMMIT {name}', f'XA COMMIT {name}',
                                                      f'XA ROLLBACK {name}'))]


def unit(rng, tables, folder):
    """Statements that belong together."""
    pick = rng.random()
    if pick < 0.5:
        return [statement(rng, tables, folder)]
    if pick < 0.85:
        return transaction(rng, tables, folder)
    if pick < 0.93:
        return xa(rng, tables, folder)
    swapping = swap(rng, rng.choice(tables))
    return ['BEGIN', *swapping, 'COMMIT'] if swapping else [insert(rng, rng.choice(tables), 60)]


SQL_MODES = ('', '', 'STRICT_TRANS_TABLES', 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES',
             'ALLOW_INVALID_DATES', 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO',
             'ALLOW_INVALID_DATES,PAD_CHAR_TO_FULL_LENGTH', 'ANSI', 'TRADITIONAL',
             'ALLOW_INVALID_DATES,NO_BACKSLASH_ESCAPES', 'TIME_TRUNCATE_FRACTIONAL,REAL_AS_FLOAT')


def session(rng):
    """Settings that a client may have."""
    zone = rng.choice(('+00:00', '+05:30', '-08:00', '+13:00', 'SYSTEM'))
    charset = rng.choice(('utf8mb4', 'utf8mb4', 'latin1', 'gbk', 'sjis', 'binary'))
    found = ['USE fid', 'SET NAMES utf8mb4',
             f"SET SESSION time_zone = '{zone}', sql_mode = '{rng.choice(SQL_MODES)}'",
             f"SET SESSION transaction_isolation = '{rng.choice(('READ-COMMITTED', 'REPEATABLE-READ'))}'",
             f'SET SESSION binlog_transaction_compression = {rng.choice(("ON", "OFF"))}',
             f'SET SESSION binlog_rows_query_log_events = {rng.choice(("ON", "OFF"))}']
    if rng.random() < 0.4:
        found.append(f"SET SESSION gtid_next = 'AUTOMATIC:{rng.choice(('tag', 'a_1', 'x' * 32))}'")
    if rng.random() < 0.2:
        found.append('SET SESSION foreign_key_checks = 0')
    if rng.random() < 0.1:
        found.append('SET SESSION unique_checks = 0')
    # The last: literals of the others would be in it.
    found.append(f'SET SESSION character_set_connection = {charset}')
    return found
