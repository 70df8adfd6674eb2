"""Compares tables of two servers row by row and byte by byte.

Shares no code with move-tables. The mysql client of each side writes its rows
in key order, every value in a form that hides nothing (bytes as hex, floats as
doubles, ENUM and SET also by number, JSON with its type, geometry as WKB with
SRID); two equal tables are two equal streams.
"""

import collections
import difflib
import os
import re
import subprocess

Address = collections.namedtuple('Address', 'host port user password')
Difference = collections.namedtuple('Difference', 'table what')

GEOMETRIES = ('geometry', 'point', 'linestring', 'polygon', 'multipoint', 'multilinestring',
              'multipolygon', 'geomcollection', 'geometrycollection')
BLOCK_BYTES = 1 << 20
# HEX() of more than max_allowed_packet would be NULL on both sides: equal by mistake.
HEX_LIMIT_BYTES = 4 << 20


class CompareError(Exception):
    """A server could not be asked."""


def address_of(server):
    """An Address from anything with host, port, user and password."""
    return Address(server.host, server.port, server.user, server.password)


def quoted(name):
    """An identifier in backticks."""
    return '`' + name.replace('`', '``') + '`'


def client(address, sql):
    """A mysql client that writes the rows of one statement to its standard output."""
    command = ['mysql', '--no-defaults', '--protocol=TCP', f'--host={address.host}',
               f'--port={address.port}', f'--user={address.user}', '--ssl-mode=DISABLED',
               '--get-server-public-key', '--default-character-set=utf8mb4', '--batch',
               '--skip-column-names', '--quick', '--raw', '--max-allowed-packet=1G',
               "--init-command=SET time_zone='+00:00', sql_mode='', "
               'information_schema_stats_expiry=0',
               '--execute=' + sql]
    return subprocess.Popen(command, env=dict(os.environ, MYSQL_PWD=address.password),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def finish(process, address):
    """Waits for a client; its words when it failed."""
    words = process.stderr.read().decode('utf-8', 'replace').strip()
    process.stdout.close()
    process.stderr.close()
    if process.wait() != 0:
        raise CompareError(f'{address.host}:{address.port}: {words}')


def answer(process, address):
    """All rows of a client's small result, as lists of text; waits for its end."""
    out = process.stdout.read().decode('utf-8', 'surrogateescape')
    finish(process, address)
    return [line.split('\t') for line in out.split('\n')[:-1]]


def ask(address, sql):
    """All rows of a small result."""
    return answer(client(address, sql), address)


def literal(text):
    """A string literal that survives any byte."""
    return "CONVERT(X'" + text.encode('utf-8').hex() + "' USING utf8mb4)"


def is_table(name):
    """A condition on information_schema, whose own comparison takes `T` for `t` where those are two tables."""
    return (f"table_name = {literal(name)} AND "
            f"(@@lower_case_table_names > 0 OR HEX(table_name) = '{name.encode('utf-8').hex().upper()}')")


def shape_client(address, schema, table):
    """A client that writes what shape() reads: columns, and parts of unique keys."""
    where = f'WHERE table_schema = {literal(schema)} AND {is_table(table)}'
    return client(address, f"SELECT 'column', HEX(column_name), data_type FROM information_schema.columns {where} "
                           "ORDER BY ordinal_position; SELECT 'key', HEX(index_name), COALESCE(HEX(column_name), ''), "
                           f'nullable, COALESCE(sub_part, 0) FROM information_schema.statistics {where} '
                           "AND non_unique = 0 ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index")


def shape(process, address):
    """(columns, key) of a table.

    Columns are (name, data type) in order; names come as hex, as they may hold any character. The key: columns of
    the primary key, or of the first unique key without NULLs; [] without.
    """
    rows = answer(process, address)
    columns = [(bytes.fromhex(row[1]).decode('utf-8'), row[2].lower()) for row in rows if row[0] == 'column']
    keys = collections.OrderedDict()
    unfit = set()
    for _, index, column, nullable, prefix in (row for row in rows if row[0] == 'key'):
        keys.setdefault(index, []).append(bytes.fromhex(column).decode('utf-8'))
        if nullable == 'YES' or prefix != '0' or not column:  # without a name: an expression
            unfit.add(index)
    return columns, next((names for index, names in keys.items() if index not in unfit), [])


def columns_of(address, schema, table):
    """(name, data type) in order."""
    return shape(shape_client(address, schema, table), address)[0]


def expressions(name, kind):
    """SQL that shows all there is to one value."""
    column = quoted(name)
    if kind in ('float', 'double'):  # (M,D) would print a fixed number of digits
        return [f'CAST({column} AS DOUBLE)']
    if kind in ('enum', 'set'):  # `+ 0` would be a double
        return [f'CAST({column} AS UNSIGNED)', f'HEX(CAST({column} AS BINARY))']
    if kind == 'bit':
        return [f'HEX(CAST({column} AS UNSIGNED))']
    if kind == 'json':
        # The type of every value inside: `[0]` of what is no array is itself.
        types = (f"(SELECT JSON_ARRAYAGG(CONCAT(n, JSON_TYPE(v))) FROM JSON_TABLE({column}, "
                 "'$**[0]' COLUMNS (n FOR ORDINALITY, v JSON PATH '$')) AS every)")
        return [f'JSON_TYPE({column})', bytes_of(f'CAST({types} AS CHAR CHARACTER SET utf8mb4)'),
                bytes_of(f'CAST({column} AS CHAR CHARACTER SET utf8mb4)')]
    if kind in GEOMETRIES:  # the stored bytes: SRID and WKB; functions refuse what may be stored
        return [bytes_of(column)]
    if kind in ('char', 'varchar', 'binary', 'varbinary', 'vector') or \
            kind.endswith(('text', 'blob')):
        return [bytes_of(column)]
    return [column]


def bytes_of(expression):
    """Hex, or digest and length of what is too long for it."""
    return (f'IF(LENGTH({expression}) > {HEX_LIMIT_BYTES}, '
            f"CONCAT('sha512:', SHA2({expression}, 512), ':', LENGTH({expression})), "
            f'HEX({expression}))')


def rows_query(process, address, schema, table):
    """The statement that writes a table in key order; process is its shape_client()."""
    columns, key = shape(process, address)
    if not columns:
        raise CompareError(f'{address.host}:{address.port}: there is no table {schema}.{table}')
    fields = [text for name, kind in columns for text in expressions(name, kind)]
    order = ', '.join(quoted(name) for name in key) if key else \
        ', '.join(str(n + 1) for n in range(len(fields)))
    return (f'SELECT {", ".join(fields)} FROM {quoted(schema)}.{quoted(table)} '
            f'ORDER BY {order}')


def definition_client(address, schema, table):
    """A client that writes what definition() reads."""
    return client(address, f'SHOW CREATE TABLE {quoted(schema)}.{quoted(table)}')


def definition(process, address):
    """SHOW CREATE TABLE without the name and AUTO_INCREMENT; and AUTO_INCREMENT."""
    out = process.stdout.read().decode('utf-8', 'surrogateescape').rstrip('\n')
    finish(process, address)
    body = out[out.index('CREATE TABLE'):]
    body = body[body.index('(\n'):]
    counter = re.search(r'^\) .*?\bAUTO_INCREMENT=(\d+) ', body, re.MULTILINE)
    body = re.sub(r'(?m)^(\) .*?)\bAUTO_INCREMENT=\d+ ', r'\1', body)
    # A collation implies its character set: printed or not, it is the same column.
    body = re.sub(r' CHARACTER SET \w+(?= COLLATE)', '', body)
    # Any ALTER prints a check's literals in the column's character set instead: the same characters.
    body = re.sub(r"(?m)^(  CONSTRAINT .*)$",
                  lambda m: re.sub(r"(?<=[ (,])_(?!binary)[a-z0-9]+(?=')", '', m.group(1)), body)
    return body, int(counter.group(1)) if counter else None


def streams_equal(left, right):
    """(equal, rows) of two clients' outputs, read to the end."""
    rows, equal = 0, True
    while True:
        a = left.stdout.read(BLOCK_BYTES)
        b = right.stdout.read(BLOCK_BYTES)
        equal = equal and a == b
        rows += a.count(b'\n')
        if not a and not b:
            return equal, rows


def explain(source, source_sql, target, target_sql, limit=4):
    """Which rows differ: read again, slowly. Shows at most `limit` of each kind."""
    def lines(address, sql):
        process = client(address, sql)
        found = collections.Counter(process.stdout.read().split(b'\n')[:-1])
        finish(process, address)
        return found

    a, b = lines(source, source_sql), lines(target, target_sql)
    only_a, only_b = list((a - b).elements()), list((b - a).elements())
    text = f'{len(only_a)} rows only on the source, {len(only_b)} only on the target'
    if not only_a and not only_b:
        return 'the same rows in another order'
    if len(only_a) == len(only_b):  # in key order: most likely the same rows
        for one, other in list(zip(only_a, only_b))[:limit]:
            text += '\n    ' + fields_that_differ(one.split(b'\t'), other.split(b'\t'))
    for mark, found in (('-', only_a), ('+', only_b)):
        for line in found[:limit]:
            shown = line.decode('ascii', 'replace').replace('\t', ' | ')
            text += f'\n    {mark} {shown[:400]}'
    return text


def fields_that_differ(one, other):
    """Their numbers in the SELECT and both values, from a little before the first byte that differs."""
    found = []
    for number, (a, b) in enumerate(zip(one, other)):
        if a != b:
            start = max(0, len(os.path.commonprefix((a, b))) - 20)
            found.append(f'field {number} at {start}: {a[start:start + 100]!r} is not {b[start:start + 100]!r}')
    return '; '.join(found)


def compare_rows(source, source_table, target, target_table):
    """(rows, differences) of one pair; tables as (schema, name)."""
    # Both sides at once, here and below: to start a client takes longer than what it is asked.
    left, right = shape_client(source, *source_table), shape_client(target, *target_table)
    source_sql = rows_query(left, source, *source_table)
    target_sql = rows_query(right, target, *target_table)
    left, right = client(source, source_sql), client(target, target_sql)
    equal, rows = streams_equal(left, right)
    finish(left, source)
    finish(right, target)
    if equal:
        return rows, []
    name = '.'.join(target_table)
    return rows, [Difference(name, explain(source, source_sql, target, target_sql))]


REFERENCE = re.compile('(REFERENCES )(?:`((?:[^`]|``)*)`[.])?`((?:[^`]|``)*)`')


def referring_to_targets(body, schema, target_schema, pairs):
    """A source's definition whose foreign keys name the target's tables.

    RENAME makes them follow the renamed tables; the schema stands there when it is another one.
    """
    names = dict(pairs)

    def replaced(found):
        named = tuple((part or schema).replace('``', '`') for part in found.groups()[1:])
        to_schema, to_table = names.get(named, named)
        text = quoted(to_table)
        return found.group(1) + (text if to_schema == target_schema else f'{quoted(to_schema)}.{text}')
    return REFERENCE.sub(replaced, body)


def constraints_sorted(body):
    """They are printed by name, and RENAME gives those other names that begin with the table's."""
    lines = body.split('\n')
    places = [n for n, line in enumerate(lines) if line.startswith('  CONSTRAINT ')]
    for place, line in zip(places, sorted(lines[n].rstrip(',') for n in places)):
        lines[place] = line + ',' * lines[place].endswith(',')
    return '\n'.join(lines)


def compare_definitions(source, source_table, target, target_table, pairs=()):
    """Differences of SHOW CREATE TABLE and of AUTO_INCREMENT.

    RENAME also renames generated constraint names; they are told apart by the
    table's name at their beginning, which is put back.
    """
    clients = definition_client(source, *source_table), definition_client(target, *target_table)
    left, left_counter = definition(clients[0], source)
    right, right_counter = definition(clients[1], target)
    old, new = (name.replace('`', '``') for name in (source_table[1], target_table[1]))
    left = re.sub('(CONSTRAINT `)' + re.escape(old) + '(_(?:chk|ibfk)_)',
                  lambda m: m.group(1) + new + m.group(2), left)
    left = referring_to_targets(left, source_table[0], target_table[0], pairs)
    left, right = constraints_sorted(left), constraints_sorted(right)
    found = []
    if left != right:
        lines = difflib.unified_diff(left.split('\n'), right.split('\n'), 'source', 'target',
                                     n=0, lineterm='')
        found.append(Difference('.'.join(target_table), 'definitions differ\n' + '\n'.join(lines)))
    if left_counter != right_counter:
        found.append(Difference('.'.join(target_table), 'AUTO_INCREMENT is '
                                f'{left_counter} on the source, {right_counter} on the target'))
    return found


def compare(source, target, pairs, definitions=True):
    """Compares pairs of ((schema, table), (schema, table)).

    Returns (rows per target table, list of Difference).
    """
    counts, differences = {}, []
    for source_table, target_table in pairs:
        rows, found = compare_rows(source, source_table, target, target_table)
        counts['.'.join(target_table)] = rows
        differences += found
        if definitions:
            differences += compare_definitions(source, source_table, target, target_table, pairs)
    return counts, differences
