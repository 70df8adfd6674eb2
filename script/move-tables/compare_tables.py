"""Compares moved tables of the local clusters row by row, byte by byte, without the tool.

TABLE is schema.table, or schema.table=schema.table where the names differ. On the source the
table is looked for under its own name and under the name that a cutover gives it.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../test/integration/lib"))
from movetest import compare  # noqa: E402


def exists(address, schema, table):
    return bool(compare.ask(address, "SELECT 1 FROM information_schema.tables WHERE table_schema = "
                            f"{compare.literal(schema)} AND table_name = {compare.literal(table)}"))


def pair_of(text, source):
    left, _, right = text.partition("=")
    schema, _, table = left.partition(".")
    target = (right or left).partition(".")
    for name in (f"_{table}_moved", table):
        if exists(source, schema, name):
            return (schema, name), (target[0], target[2])
    raise SystemExit(f"compare: the source has neither {left} nor {schema}._{table}_moved")


def main():
    base = int(os.environ.get("MT_PORT_BASE", "3307"))
    p = argparse.ArgumentParser(prog="compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("tables", nargs="*", metavar="TABLE", default=["shop.orders", "shop.items", "shop.customers"],
                   help="default: the seeded ones")
    args = p.parse_args()
    source = compare.Address("127.0.0.1", base, "root", "opensesame")
    target = compare.Address("127.0.0.1", base + 2, "root", "opensesame")
    bad = 0
    for text in args.tables:
        left, right = pair_of(text, source)
        if not exists(target, *right):
            print(f"{'.'.join(right)}: not on the target")
            bad = 1
            continue
        counts, differences = compare.compare(source, target, [(left, right)])
        for name, rows in counts.items():
            verdict = "DIFFERENT" if differences else "equal"
            print(f"{name}: {rows} rows, {verdict} (source: {'.'.join(left)})")
        for difference in differences:
            print(f"  {difference.what}")
            bad = 1
    return bad


if __name__ == "__main__":
    try:
        sys.exit(main())
    except compare.CompareError as e:
        sys.exit(f"compare: {e}")
