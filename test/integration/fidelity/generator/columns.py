"""Columns: every type with its attributes, defaults, and the values that go into it."""

import dataclasses
import typing

from . import texts, values

INTEGERS = {'TINYINT': 8, 'SMALLINT': 16, 'MEDIUMINT': 24, 'INT': 32, 'BIGINT': 64}
GEOMETRIES = ('geometry', 'point', 'linestring', 'polygon', 'multipoint', 'multilinestring',
              'multipolygon', 'geometrycollection')


@dataclasses.dataclass
class Column:
    """One column. The functions take a random generator and give SQL."""

    kind: str
    type_sql: str
    value: typing.Callable
    key_value: typing.Callable = None  # out of few values; None: cannot be in a key
    prefix: bool = False               # an index needs (n)
    charset: str = None
    has_default: bool = True           # may have a literal default
    name: str = ''
    nullable: bool = True
    attributes: str = ''
    generated: str = ''                # 'VIRTUAL', 'STORED'
    expression: str = ''
    srid: int = None

    @property
    def text(self):
        """Whether it holds characters."""
        return self.charset not in (None, 'binary')

    def definition(self):
        """Its line in CREATE TABLE."""
        text = f'{quoted(self.name)} {self.type_sql}'
        if self.generated:
            text += f' GENERATED ALWAYS AS ({self.expression}) {self.generated}'
        text += ' NULL' if self.nullable else ' NOT NULL'
        if self.srid is not None:
            text += f' SRID {self.srid}'
        return f'{text} {self.attributes}'

    def some(self, rng):
        """A value, or NULL where that may be."""
        if self.nullable and rng.random() < 0.12:
            return 'NULL'
        return self.value(rng)


def quoted(name):
    """An identifier in backticks."""
    return '`' + name.replace('`', '``') + '`'


def label_literal(text):
    """A label in a definition."""
    return "'" + text.replace('\\', '\\\\').replace("'", "''") + "'"


# --- one function a family ----------------------------------------------------------------

def integer(rng):
    name = rng.choice(tuple(INTEGERS))
    bits = INTEGERS[name]
    unsigned = rng.random() < 0.4
    low, high = (0, 2 ** bits - 1) if unsigned else (-2 ** (bits - 1), 2 ** (bits - 1) - 1)
    zerofill = unsigned and rng.random() < 0.3
    sql = name + (f'({rng.choice((3, 10, 20))})' if zerofill else '')
    sql += ' UNSIGNED' * unsigned + ' ZEROFILL' * zerofill

    def key(r):
        if r.random() < 0.2:
            return str(r.choice((low, high, low + 1, high - 1)))
        return str(max(low, r.randrange(-60, 68)))
    return Column('integer', sql, lambda r: str(values.some_integer(r, low, high)), key)


def boolean(_):
    return Column('boolean', 'BOOL', lambda r: r.choice(('TRUE', 'FALSE', '127', '-128')))


def decimal(rng):
    precision = rng.choice((1, 5, 9, 10, 18, 19, 30, 65))
    scale = min(precision, rng.choice((0, 1, 5, 9, 30)), 30)
    unsigned = rng.random() < 0.3
    sql = f'DECIMAL({precision},{scale})' + ' UNSIGNED' * unsigned
    sql += ' ZEROFILL' * (unsigned and rng.random() < 0.4)

    def key(r):
        if r.random() < 0.2:
            return values.some_decimal(r, precision, scale, unsigned)
        sign = '' if unsigned else r.choice(('', '-'))
        return f'{sign}{r.randrange(60) if precision - scale > 1 else 0}.{r.randrange(10)}'
    return Column('decimal', sql, lambda r: values.some_decimal(r, precision, scale, unsigned), key)


def few_digits(rng, unsigned, most, digits):
    """A value for (M,D) of D digits: not every statement rounds what has more, and such a row is refused."""
    scale = int(digits.strip('()').split(',')[1])
    return values.as_double(repr(round(rng.uniform(0 if unsigned else -most, most), scale)))


def floating(rng):
    unsigned = rng.random() < 0.15
    digits = rng.choice(('', '', '(7,3)', '(10,2)', '(30,10)', '(5,0)'))
    if rng.random() < 0.5:
        return Column('float', f'FLOAT{digits}' + ' UNSIGNED' * unsigned, lambda r: (
            few_digits(r, unsigned, 500.0, digits) if digits else values.some_float(r, unsigned)))
    zerofill = ' ZEROFILL' * (unsigned and bool(digits))
    digits = digits.replace('(5,0)', rng.choice(('(5,0)', '(53,30)', '(255,30)', '(20,15)')))

    def some(r):
        if not digits:
            return values.some_double(r, unsigned)
        whole, scale = (int(n) for n in digits.strip('()').split(','))
        return few_digits(r, unsigned, 10.0 ** min(whole - scale, 300) / 2, digits)

    def key(r):
        if digits or r.random() < 0.5:
            return f'{r.randrange(50)}e0' if unsigned else f'{r.randrange(-30, 30)}e0'
        return values.some_double(r, unsigned)
    return Column('double', f'DOUBLE{digits}' + ' UNSIGNED' * unsigned + zerofill,
                  some, key)


def bit(rng):
    bits = rng.choice((1, 5, 8, 9, 31, 32, 33, 63, 64))
    top = 2 ** bits - 1
    return Column('bit', f'BIT({bits})',
                  lambda r: str(r.choice((0, 1, top, top // 2 + 1, r.randint(0, top)))),
                  lambda r: str(r.choice((0, top, r.randrange(min(80, top + 1))))))


def year(_):
    def some(r):
        return str(r.choice((0, 1901, 2155, 2000, 1970, r.randint(1901, 2155))))
    return Column('year', 'YEAR', some, some)


def date(_):
    def key(r):
        if r.random() < 0.15:
            return f"'{values.some_date(r)}'"
        return f"'2020-{r.randint(1, 12):02}-{r.randint(1, 9):02}'"
    return Column('date', 'DATE', lambda r: f"'{values.some_date(r)}'", key)


def fsp_of(rng):
    return rng.choice((0, 0, 1, 2, 3, 4, 5, 6))


def time(rng):
    fsp = fsp_of(rng)

    def key(r):
        if r.random() < 0.2:
            return f"'{values.some_time(r, fsp)}'"
        return f"'{r.choice(('', '-'))}00:0{r.randrange(2)}:{r.randrange(60):02}'"
    return Column('time', f'TIME({fsp})', lambda r: f"'{values.some_time(r, fsp)}'", key)


def datetime(rng):
    fsp = fsp_of(rng)

    def some(r):
        return f"'{values.some_date(r)} {values.some_clock(r)}{values.fraction(r, fsp)}'"

    def key(r):
        return some(r) if r.random() < 0.2 else f"'2020-01-01 00:0{r.randrange(2)}:{r.randrange(60):02}'"
    return Column('datetime', f'DATETIME({fsp})', some, key)


def timestamp(rng):
    fsp = fsp_of(rng)

    def some(r):
        if r.random() < 0.08:
            return "'0000-00-00 00:00:00'"
        return f"'{values.some_timestamp(r, fsp)}'"

    def key(r):
        if r.random() < 0.3:
            return some(r)
        return f"'2025-10-26 {r.randrange(4):02}:0{r.randrange(2)}:{r.randrange(60):02}+00:00'"
    return Column('timestamp', f'TIMESTAMP({fsp})', some, key)


def string(rng):
    charset, collation = texts.some_charset(rng)
    pick = rng.random()
    kind, most = rng.choice((('CHAR', 255), ('VARCHAR', 1000))) if pick < 0.7 else ('TEXT', 0)
    if kind == 'TEXT':
        return text(rng, charset, collation)
    length = rng.choice((0, 1, 2, 10, 10, 40, 63, 64, 100, 255, most))
    if charset == 'binary':
        return binary(rng)
    sql = f'{kind}({length}) CHARACTER SET {charset} COLLATE {collation}'
    made = Column(kind.lower(), sql, lambda r: values.some_string(r, charset, length),
                  charset=charset, prefix=length * texts.BYTES_PER_CHARACTER.get(charset, 1) > 700)
    if 8 <= length <= 100:
        made.key_value = lambda r: texts.literal(texts.key_text(r, charset, length))
    return made


def text(rng, charset, collation):
    size = rng.choice(('TINYTEXT', 'TEXT', 'MEDIUMTEXT', 'LONGTEXT'))
    if charset == 'binary':
        size = size.replace('TEXT', 'BLOB')
        sql = size
    else:
        sql = f'{size} CHARACTER SET {charset} COLLATE {collation}'

    def some(r):
        longest = 60 if size.startswith('TINY') else 400
        if not size.startswith('TINY') and r.random() < 0.03:
            return values.large(r, texts.literal(r.choice(texts.PLAIN + texts.CHARSETS[charset][1])))
        return values.some_string(r, charset, longest)
    return Column('text', sql, some, prefix=True, charset=charset, has_default=False)


def binary(rng):
    kind, length = rng.choice((('BINARY', 1), ('BINARY', 8), ('BINARY', 16), ('BINARY', 255),
                               ('VARBINARY', 0), ('VARBINARY', 1), ('VARBINARY', 20),
                               ('VARBINARY', 300), ('VARBINARY', 700)))
    made = Column(kind.lower(), f'{kind}({length})',
                  lambda r: texts.bytes_literal(values.some_bytes(r, length)))
    if 8 <= length <= 20:
        def key(r):
            tail = r.choice((b'', b'\0', b' ', b'\0\0'))
            return texts.bytes_literal(bytes((r.choice((0, 32, 127, 128, 255)), r.randrange(60)))
                                       + tail)
        made.key_value = key
    return made


def blob(rng):
    size = rng.choice(('TINYBLOB', 'BLOB', 'MEDIUMBLOB', 'LONGBLOB'))

    def some(r):
        if not size.startswith('TINY') and r.random() < 0.03:
            return values.large(r, texts.bytes_literal(r.randbytes(1)))
        return texts.bytes_literal(values.some_bytes(r, 255))
    return Column('blob', size, some, prefix=True, has_default=False)


def labels_of(rng, charset, count):
    """Distinct labels that every collation tells apart."""
    letters = [c for c in texts.CHARSETS[charset][1] if ord(c[0]) < 0x10000 and c.isalpha()
               and charset != 'binary'] or ['x']
    shapes = ('m{n}', "it's {n}", 'a"b{n}', 'back\\{n}', '{c}{n}', '{n}', 'x y {n}', '%{n}')
    if texts.BYTES_PER_CHARACTER.get(charset) != 4:  # where it may stand for any character: refused
        shapes += ('?{n}',)
    if charset == 'binary':
        charset = 'ascii'
    found = []
    for n in range(1, count + 1):
        found.append(rng.choice(shapes).format(n=n + 100, c=rng.choice(letters)))
    return found


def enum(rng):
    charset, collation = texts.some_charset(rng)
    if charset == 'binary':
        charset, collation = 'latin1', 'latin1_bin'
    count = rng.choice((1, 2, 3, 17, 255, 256, 300))
    labels = labels_of(rng, charset, count)
    if rng.random() < 0.3:  # labels that look like numbers, other ones' ordinals
        labels[0] = '2'
        if count > 2 and charset != 'utf32' and rng.random() < 0.5:  # '0' there: refused when met
            labels[1], labels[2] = '0', '1'
    sql = f"ENUM({', '.join(map(label_literal, labels))}) CHARACTER SET {charset} COLLATE {collation}"

    def some(r):
        pick = r.random()
        if pick < 0.08:
            return '0'  # the error value: kept where the session is not strict
        if pick < 0.3:
            return texts.literal(r.choice(labels))
        return str(r.choice((1, count, r.randint(1, count))))

    def key(r):
        return str(r.randint(1, count) if r.random() > 0.03 else 0)
    return Column('enum', sql, some, key if count > 10 else None)


def set_of(rng):
    charset, collation = texts.some_charset(rng)
    if charset == 'binary':
        charset, collation = 'latin1', 'latin1_bin'
    count = rng.choice((1, 3, 8, 9, 12, 33, 63, 64))
    labels = labels_of(rng, charset, count)
    sql = f"SET({', '.join(map(label_literal, labels))}) CHARACTER SET {charset} COLLATE {collation}"
    top = 2 ** count - 1

    def some(r):
        return str(r.choice((0, 1, top, top // 2 + 1, r.randint(0, top))))
    return Column('set', sql, some, some if 8 <= count <= 53 else None)  # more: refused in a key


def json(_):
    return Column('json', 'JSON', values.some_json, has_default=False)


def geometry(rng):
    kind = rng.choice(GEOMETRIES)
    srid = rng.choice((None, None, 0, 4326))
    return Column('geometry', kind.upper(), lambda r: values.some_geometry(r, kind, srid), srid=srid,
                  has_default=False)


def vector(rng):
    dimensions = rng.choice((1, 3, 16, 400))
    return Column('vector', f'VECTOR({dimensions})',
                  lambda r: values.some_vector(r, r.choice((dimensions, max(1, dimensions - 1)))),
                  has_default=False)


FAMILIES = (integer, integer, boolean, decimal, floating, floating, bit, year, date, time, datetime,
            timestamp, string, string, string, string, binary, blob, enum, enum, set_of, json, json,
            geometry, vector)
KEY_FAMILIES = (integer, integer, decimal, floating, bit, year, date, time, datetime, timestamp, string,
                string, string, string, binary, enum, set_of)

AUTOMATIC = {'timestamp': 'CURRENT_TIMESTAMP({0})', 'datetime': 'CURRENT_TIMESTAMP({0})'}
EXPRESSIONS = {
    'json': ('(JSON_ARRAY())', "(JSON_OBJECT('a', 1.5))", '(CAST(NULL AS JSON))'),
    'blob': ("(X'00FF')", "(REPEAT('a', 3))"), 'text': ("('its')", "(UPPER('x'))"),
    'geometry': ('(ST_GeomFromText(\'GEOMETRYCOLLECTION EMPTY\', {1}))',),
    'vector': ("(STRING_TO_VECTOR('[1]'))",), 'integer': ('(1 + 1)', '(ABS(-3))'),
    'double': ('(RAND())', '(PI())'), 'varchar': ("(LEFT('abc', 1))",),
    'date': ('(CURDATE() + INTERVAL 1 DAY)',), 'binary': ("(X'01')",),
}


def add_default(rng, column):
    """A DEFAULT of any form; what the server does not take it says itself."""
    pick = rng.random()
    if pick < 0.45:
        return
    if column.kind in AUTOMATIC and pick < 0.75:
        fsp = column.type_sql[column.type_sql.index('(') + 1:-1]
        call = AUTOMATIC[column.kind].format(fsp)
        column.attributes += rng.choice((f' DEFAULT {call}', f' DEFAULT {call} ON UPDATE {call}',
                                         f' ON UPDATE {call}'))
    elif column.kind in EXPRESSIONS and pick < 0.8:
        column.attributes += ' DEFAULT ' + rng.choice(EXPRESSIONS[column.kind]).format(
            '', column.srid or 0)
    elif column.has_default:
        value = column.some(rng) if column.nullable else column.value(rng)
        if column.kind in ('enum', 'set', 'bit'):
            value = {'enum': None, 'set': "''", 'bit': "b'1'"}[column.kind] or 'NULL'
            if not column.nullable and value == 'NULL':
                return
        elif value.startswith('_utf8mb4 '):
            value = label_literal(bytes.fromhex(value[11:-1]).decode('utf-8', 'replace'))
        column.attributes += f' DEFAULT {value}'


def some_column(rng, name):
    """Any column that is not part of a key."""
    column = rng.choice(FAMILIES)(rng)
    column.name = name
    # A VECTOR that is NOT NULL gets zero bytes from INSERT IGNORE: refused when met.
    column.nullable = rng.random() < 0.65 or column.kind == 'vector'
    add_default(rng, column)
    if rng.random() < 0.15:
        comment = texts.some_text(rng, 'utf8mb3', 30)
        column.attributes += ' COMMENT ' + label_literal(comment)
    if rng.random() < 0.08:
        column.attributes += rng.choice((' COLUMN_FORMAT DYNAMIC', ' COLUMN_FORMAT FIXED'))
    if rng.random() < 0.06:
        column.attributes += ' INVISIBLE'
    return column


def key_column(rng, name):
    """A column for a key: NOT NULL, out of few values."""
    while True:
        column = rng.choice(KEY_FAMILIES)(rng)
        if column.key_value is not None and not column.prefix and \
                not (column.kind == 'year' and rng.random() < 0.5):
            break
    column.name = name
    column.nullable = False
    return column


def generated_column(rng, name, others):
    """A column computed from others, or None when there is nothing to compute from."""
    plain = [c for c in others if not c.generated and 'AUTO_INCREMENT' not in c.attributes]
    choices = []
    for column in plain:
        this = quoted(column.name)
        if column.kind == 'integer':
            choices += [('VARCHAR(30)', f"CONCAT('n', {this})"), ('DECIMAL(30,2)', f'{this} / 3')]
        elif column.kind in ('char', 'varchar', 'text'):
            if column.kind == 'char':  # or PAD_CHAR_TO_FULL_LENGTH would make it another value
                this = f'RTRIM({this})'
            choices += [('INT', f'CHAR_LENGTH({this})'), ('VARBINARY(300)', f'LEFT(HEX({this}), 9)')]
        elif column.kind == 'json':
            choices += [('INT', f'JSON_LENGTH({this})'), ('VARCHAR(20)', f'JSON_TYPE({this})')]
        elif column.kind in ('binary', 'varbinary', 'blob'):
            choices += [('BINARY(20)', f'LEFT({this}, 20)'), ('JSON', f'JSON_ARRAY(LENGTH({this}))')]
        elif column.kind in ('double', 'float'):
            choices += [('DOUBLE', f'{this} * 0.5e0')]
        elif column.kind == 'datetime':
            # Not DATE(): of a zero date its value depends on the session's sql_mode. Stored, it may
            # be another (a warning of the checks); an index over it ends the server (InnoDB's
            # assertion when such a row is rolled back: 9.7.4).
            choices += [('INT', f'DAYOFMONTH({this})')]
        elif column.kind == 'enum':
            choices += [('INT', f'{this} + 0')]
    if not choices:
        return None
    kind, expression = rng.choice(choices)
    column = Column('generated', kind, None)
    column.name, column.expression = name, expression
    column.generated = rng.choice(('VIRTUAL', 'STORED'))
    return column
