"""The comparator as a program: see script/compare."""

import re
import sys
import time

from movetest import compare


def address(text):
    """USER:PASSWORD@HOST:PORT."""
    found = re.fullmatch(r'([^:]+):(.*)@([^@:]+):(\d+)', text)
    if not found:
        sys.exit(f'compare: {text!r} is not USER:PASSWORD@HOST:PORT')
    user, password, host, port = found.groups()
    return compare.Address(host, int(port), user, password)


def table(text):
    """schema.table."""
    schema, dot, name = text.partition('.')
    if not dot or not schema or not name:
        sys.exit(f'compare: {text!r} is not schema.table')
    return schema, name


def main():
    """Compares, prints a line for each table, and every difference."""
    source, target = address(sys.argv[1]), address(sys.argv[2])
    different = False
    for text in sys.argv[3:]:
        left, equals, right = text.partition('=')
        pair = (table(left), table(right if equals else left))
        began = time.monotonic()
        try:
            counts, differences = compare.compare(source, target, [pair])
        except compare.CompareError as error:
            print(f'compare: {error}', file=sys.stderr)
            sys.exit(2)
        rows = sum(counts.values())
        word = 'different' if differences else 'equal'
        print(f'{word}  {text}  {rows} rows, {time.monotonic() - began:.1f} s')
        for difference in differences:
            print(f'  {difference.table}: {difference.what}')
        different = different or bool(differences)
    sys.exit(1 if different else 0)


if __name__ == '__main__':
    main()
