"""Compares moved tables of the local clusters row by row, byte by byte, without the tool.

Called by `compare`, whose header says what the arguments mean.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../test/integration/lib"))
from movetest import compare  # noqa: E402

SEEDED = ("shop.orders", "shop.items", "shop.customers")


def exists(address, schema, table):
    return bool(compare.ask(address, "SELECT 1 FROM information_schema.tables WHERE table_schema = "
                            f"{compare.literal(schema)} AND table_name = {compare.literal(table)}"))


def names_of(text):
    """(schema, table) on the source and on the target."""
    left, _, right = text.partition("=")
    return tuple(tuple(name.split(".", 1)) for name in (left, right or left))


def find_on_source(source, schema, table):
    """Where the source has it: under its moved name, under its own, or not (None)."""
    return next(((schema, name) for name in (f"_{table}_moved", table) if exists(source, schema, name)), None)


def why_not(left, found, there):
    """Why a seeded table isn't compared, and whether that is a fault."""
    if found is None:
        return ("on the target only" if there else "on neither side"), False
    if found == left:
        return "on the source only, not moved yet", False
    return f"renamed on the source ({'.'.join(found)}), but NOT ON THE TARGET", True


def compare_one(source, target, found, right):
    """Prints the verdict; whether they are equal."""
    counts, differences = compare.compare(source, target, [(found, right)])
    for name, rows in counts.items():
        verdict = "DIFFERENT" if differences else "equal"
        print(f"{name}: {rows} rows, {verdict} (source: {'.'.join(found)})")
    for difference in differences:
        print(f"  {difference.what}")
    return not differences


def main(named):
    base = int(os.environ.get("MT_PORT_BASE", "3307"))
    source = compare.Address("127.0.0.1", base, "root", "opensesame")
    target = compare.Address("127.0.0.1", base + 2, "root", "opensesame")
    compared, good = 0, True
    for text in named or SEEDED:
        left, right = names_of(text)
        found = find_on_source(source, *left)
        there = exists(target, *right)
        if found and there:
            good = compare_one(source, target, found, right) and good
            compared += 1
            continue
        reason, fault = why_not(left, found, there)
        print(f"{text}: not compared: {reason}")
        good = good and not fault and not named
    if not compared:
        print("compare: nothing was compared", file=sys.stderr)
    return 0 if good and compared else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except compare.CompareError as e:
        sys.exit(f"compare: {e}")
