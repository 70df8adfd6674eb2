"""Values as SQL expressions, by type: the extremes as often as the ordinary."""

import struct

from . import texts


def some_integer(rng, low, high):
    """Any integer of the type."""
    pick = rng.random()
    if pick < 0.35:
        return rng.choice((low, low + 1, high, high - 1, 0, 1, max(low, -1), high // 2,
                           high // 2 + 1))
    if pick < 0.7:
        return max(low, min(high, rng.randrange(-200, 200)))
    return rng.randint(low, high)


def some_decimal(rng, precision, scale, unsigned):
    """Text of a DECIMAL."""
    pick = rng.random()
    whole, digits = precision - scale, '9' * precision
    if pick < 0.15:
        text = '0'
    elif pick < 0.35:
        text = (digits[:whole] or '0') + ('.' + digits[:scale] if scale else '')
    elif pick < 0.5:
        text = '0.' + '0' * (scale - 1) + '1' if scale else '1'
    else:
        text = ''.join(rng.choice('0123456789') for _ in range(rng.randint(0, whole))) or '0'
        if scale:
            text += '.' + ''.join(rng.choice('0123456789') for _ in range(rng.randint(1, scale)))
    return ('-' if not unsigned and rng.random() < 0.4 else '') + text


DOUBLES = ('0', '-0', '1', '-1', '0.1', '0.30000000000000004', '1.7976931348623157e308',
           '-1.7976931348623157e308', '2.2250738585072014e-308', '4.9e-324', '-4.9e-324',
           '9007199254740993', '1e22', '1e23', '123456789012345680', '5e-324', '1.5', '100')
FLOATS = ('0', '-0', '1', '1.234567', '3.4028234663852886e38', '-3.4028234663852886e38',
          '1.1754943508222875e-38', '1.401298464324817e-45', '-1.401298464324817e-45', '16777217',
          '0.1', '33554431', '1.00000011920929')


def as_double(text):
    """A literal that is a double, never a DECIMAL."""
    return text if 'e' in text or 'E' in text else text + 'e0'


def some_double(rng, unsigned):
    """Any finite double."""
    if rng.random() < 0.4:
        text = rng.choice(DOUBLES)
    else:
        value = struct.unpack('<d', rng.randbytes(8))[0]
        if value != value or value in (float('inf'), float('-inf')):
            value = rng.uniform(-1e6, 1e6)
        text = repr(value)
    return as_double(text.lstrip('-') if unsigned else text)


def some_float(rng, unsigned):
    """Any finite float, as the double that it is."""
    if rng.random() < 0.4:
        text = rng.choice(FLOATS)
    else:
        value = struct.unpack('<f', rng.randbytes(4))[0]
        if value != value or value in (float('inf'), float('-inf')):
            value = rng.uniform(-1e6, 1e6)
        text = repr(value)
    return as_double(text.lstrip('-') if unsigned else text)


def fraction(rng, fsp):
    """'' or '.ddd'."""
    if not fsp:
        return ''
    return '.' + rng.choice(('0' * fsp, '9' * fsp, '0' * (fsp - 1) + '1',
                             ''.join(rng.choice('0123456789') for _ in range(fsp))))


def some_date(rng):
    """'YYYY-MM-DD', also ones that no calendar has."""
    if rng.random() < 0.3:
        return rng.choice(('0000-00-00', '2020-00-00', '2020-02-00', '2020-02-31', '9999-12-31',
                           '1000-01-01', '0001-01-01', '2024-02-29', '1970-01-01', '0000-01-01'))
    return f'{rng.randint(1900, 2100):04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}'


def some_clock(rng):
    """'HH:MM:SS'."""
    return rng.choice(('00:00:00', '23:59:59',
                       f'{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}'))


def some_time(rng, fsp):
    """A TIME."""
    if rng.random() < 0.3:
        text = rng.choice(('838:59:59', '-838:59:59', '00:00:00', '-00:00:01', '838:59:58'))
        part = '' if text.endswith('838:59:59') else fraction(rng, fsp)
    else:
        text = (f'{rng.choice(("", "-"))}{rng.randrange(839):02}:{rng.randrange(60):02}:'
                f'{rng.randrange(59):02}')
        part = fraction(rng, fsp)
    return text + part


def some_timestamp(rng, fsp):
    """A TIMESTAMP with its offset: the same moment in every session."""
    if rng.random() < 0.3:
        text, part = rng.choice((('1970-01-01 00:00:01', fraction(rng, fsp)),
                                 ('2038-01-19 03:14:07', '.' + '9' * fsp if fsp else ''),
                                 ('2025-03-30 01:59:59', fraction(rng, fsp)),
                                 ('2025-10-26 00:30:00', fraction(rng, fsp))))
        return text + part + '+00:00'
    return (f'{rng.randint(1971, 2037)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02} '
            f'{some_clock(rng)}{fraction(rng, fsp)}+{rng.choice(("00:00", "05:30", "13:00"))}')


def some_bytes(rng, longest):
    """Bytes, of every kind that pads and escapes trip over."""
    pick = rng.random()
    length = min(longest, rng.choice((0, 1, 2, 3, 7, 16, 40, longest)))
    if pick < 0.5:
        return rng.randbytes(length)
    if pick < 0.7:
        return (b'a\0' * longest)[:length]
    if pick < 0.85:
        return rng.randbytes(length)[:-1] + rng.choice((b'\0', b' ', b'\\'))[:length]
    return rng.choice((b'\\', b"'", b'\n', b'\t', b'\xff', b' ', b'\0'))[:longest] * min(length, 3)


def some_string(rng, charset, longest):
    """SQL for a string column: text, or bytes as they come."""
    if charset == 'binary':
        return texts.bytes_literal(some_bytes(rng, longest))
    if rng.random() < 0.08:
        return texts.bytes_literal(some_bytes(rng, min(longest, 8)))
    return texts.literal(texts.some_text(rng, charset, longest))


def large(rng, expression_of):
    """SQL for a string of up to a few hundred KiB."""
    count = rng.choice((300, 5000, 17000, 70000, 200000))
    return f"REPEAT({expression_of}, {count})"


# --- JSON -------------------------------------------------------------------------------

def json_scalar(rng):
    """SQL for any scalar that a document can hold, those without a JSON form included."""
    pick = rng.randrange(22)
    if pick == 0:
        return 'NULL'
    if pick == 1:
        return rng.choice(('TRUE', 'FALSE', "CAST('true' AS JSON)", "CAST('false' AS JSON)",
                           "CAST('null' AS JSON)"))
    if pick < 6:
        return str(rng.choice((0, 1, -1, 32767, 32768, -32768, -32769, 2147483647, 2147483648,
                               -2147483648, -2147483649, 9223372036854775807,
                               -9223372036854775808, rng.randint(-10**6, 10**6))))
    if pick == 6:
        return f'CAST({rng.choice((0, 1, 65535, 4294967296, 2**63, 2**64 - 1))} AS UNSIGNED)'
    if pick < 10:
        return some_double(rng, False)
    if pick < 12:
        scale = rng.choice((0, 1, 2, 30))
        precision = scale + rng.choice((1, 5, 35))
        return f'CAST({some_decimal(rng, precision, scale, False)} AS DECIMAL({precision},{scale}))'
    if pick == 12:
        return f"CAST('{some_date(rng)}' AS DATE)"
    if pick == 13:
        return f"CAST('{some_time(rng, 6)}' AS TIME(6))"
    if pick == 14:
        return f"CAST('{some_date(rng)} {some_clock(rng)}{fraction(rng, 6)}' AS DATETIME(6))"
    if pick == 15:
        return texts.bytes_literal(some_bytes(rng, rng.choice((3, 300))))
    if pick == 16:
        return "CAST(CAST('2020-01-02 03:04:05.000006+00:00' AS DATETIME(6)) AS JSON)"
    if pick == 17:
        return f'CAST({some_integer(rng, 1901, 2155)} AS YEAR)'
    return texts.literal(texts.some_text(rng, 'utf8mb4', rng.choice((10, 10, 130, 400))))


def json_key(rng):
    """SQL for a member's name: any characters."""
    return texts.literal(texts.some_text(rng, 'utf8mb4', rng.choice((3, 3, 8, 60))))


def json_value(rng, depth=0):
    """SQL for a document or a part of one."""
    pick = rng.random()
    if depth >= 4 or pick < 0.4:
        return json_scalar(rng)
    count = rng.choice((0, 1, 2, 3, 6))
    if pick < 0.65:
        return 'JSON_ARRAY(' + ', '.join(json_value(rng, depth + 1) for _ in range(count)) + ')'
    return 'JSON_OBJECT(' + ', '.join(f'{json_key(rng)}, {json_value(rng, depth + 1)}'
                                      for _ in range(count)) + ')'


def json_large(rng):
    """SQL for documents that need the large binary form, or are very deep."""
    pick = rng.randrange(4)
    if pick == 0:
        return f"JSON_ARRAY(REPEAT('x', {rng.choice((65530, 70000, 120000))}), {json_scalar(rng)})"
    if pick == 1:
        return f"CAST(CONCAT('[', REPEAT('1.5,', {rng.choice((10, 9000))}), '1]') AS JSON)"
    if pick == 2:
        depth = rng.choice((30, 99))
        return 'JSON_ARRAY(' * depth + json_scalar(rng) + ')' * depth
    return ("JSON_OBJECT(" + ', '.join(f"'k{n}', {json_scalar(rng)}" for n in range(150)) + ')')


def some_json(rng):
    """SQL for a JSON column."""
    pick = rng.random()
    if pick < 0.06:
        return json_large(rng)
    if pick < 0.2:  # a scalar as the whole document
        return f"JSON_EXTRACT(JSON_ARRAY({json_scalar(rng)}), '$[0]')"
    value = json_value(rng)
    return value if value.startswith('JSON_') else f'JSON_ARRAY({value})'


# --- geometry ---------------------------------------------------------------------------

def coordinate(rng):
    """One ordinate; in the range of every SRS that is used."""
    return rng.choice(('0', '-0', '1', '-45.25', '89.99999999999999', '0.1', '1e-300',
                       repr(rng.uniform(-89, 89))))


def point(rng):
    """'x y'."""
    return f'{coordinate(rng)} {coordinate(rng)}'


def points(rng, least):
    """'x y, x y, …'."""
    return ', '.join(point(rng) for _ in range(least + rng.randrange(4)))


def ring(rng):
    """A closed ring."""
    x, y, d = rng.randrange(-40, 40), rng.randrange(-40, 40), rng.choice((1, 0.1, 0.30000000000000004))
    return f'({x} {y}, {x + d} {y}, {x + d} {y + d}, {x} {y + d}, {x} {y})'


def some_wkt(rng, kind, depth=0):
    """Well-known text of a subtype; kind 'geometry' is any."""
    if kind == 'geometry':
        kind = rng.choice(('point', 'linestring', 'polygon', 'multipoint', 'multilinestring',
                           'multipolygon', 'geometrycollection'))
    if kind == 'point':
        return f'POINT({point(rng)})'
    if kind == 'linestring':
        return f'LINESTRING({points(rng, 2)})'
    if kind == 'polygon':
        return f'POLYGON({ring(rng)})'
    if kind == 'multipoint':
        return f'MULTIPOINT({points(rng, 1)})'
    if kind == 'multilinestring':
        return f'MULTILINESTRING(({points(rng, 2)}), ({points(rng, 2)}))'
    if kind == 'multipolygon':
        return f'MULTIPOLYGON(({ring(rng)}), ({ring(rng)}))'
    if depth > 1 or rng.random() < 0.2:
        return 'GEOMETRYCOLLECTION EMPTY'
    inner = ', '.join(some_wkt(rng, 'geometry', depth + 1) for _ in range(rng.randint(1, 3)))
    return f'GEOMETRYCOLLECTION({inner})'


def some_geometry(rng, kind, srid):
    """SQL for a geometry; without an SRID of the column any."""
    number = srid if srid is not None else rng.choice((0, 0, 4326, 3857))
    return f"ST_GeomFromText('{some_wkt(rng, kind)}', {number})"


def some_vector(rng, dimensions):
    """SQL for a VECTOR, as text or as its bytes."""
    if rng.random() < 0.3:
        numbers = ','.join(repr(rng.uniform(-10, 10)) for _ in range(dimensions))
        return f"STRING_TO_VECTOR('[{numbers}]')"
    data = b''.join(struct.pack('<f', float(some_float(rng, False))) for _ in range(dimensions))
    return texts.bytes_literal(data)
