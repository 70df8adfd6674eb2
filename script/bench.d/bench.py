#!/usr/bin/env python3
"""script/bench: see there."""
import argparse
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import applying  # noqa: E402
import both  # noqa: E402
import copying  # noqa: E402
import cutting  # noqa: E402
import growing  # noqa: E402
from lab import Lab  # noqa: E402

CASES = {'copy': copying.measure, 'apply': applying.measure, 'both': both.measure,
         'cutover': cutting.measure, 'growth': growing.measure}
USUAL = ('copy', 'apply')


def parsed(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(prog='script/bench', description=__doc__,
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('what', nargs='?', choices=[*CASES, 'usual', 'all'], default='usual',
                        help='usual: copy and apply')
    common = parser.add_argument_group('all cases')
    common.add_argument('--runs', type=int, default=3, help='of each way')
    common.add_argument('--pool', default='1G', help='buffer pool of each server')
    common.add_argument('--memory', type=int, default=256, help='memory: of the move, in MiB')
    common.add_argument('--yaml', action='append', default=[],
                        help="a line more for the move's file: 'copy: {readers: 2}'")
    common.add_argument('--csv', help='file for every single value')
    common.add_argument('--plot', help='SVG file: rates of every way, and memory over time')
    common.add_argument('--dir', default='/tmp', help='where servers and data go')
    common.add_argument('--port', type=int, default=25407, help='the first of three')
    common.add_argument('--keep', action='store_true', help='leave servers and data')
    copy = parser.add_argument_group('copy, both')
    copy.add_argument('--rows', type=int,
                      help='of the plain tables; the others have a part of it '
                      '(2000000; more than one case: 1000000)')
    copy.add_argument('--shapes', nargs='+', choices=[*copying.SHAPES], default=[],
                      help='of tables; without it: plain index')
    copy.add_argument('--connections', type=int, nargs='+', default=[2, 4], help='of the loader')
    copy.add_argument('--methods', nargs='+', choices=['load', 'insert'], default=['load'],
                      help='load: LOAD DATA LOCAL; insert: with local_infile=OFF on the target')
    copy.add_argument('--with', dest='peers', nargs='+', choices=['mysqldump', 'mydumper'],
                      default=[], help='also measure')
    copy.add_argument('--peer', help='also measure this command line; {source_port}, {target_port}, '
                      '{database}, {tables} and {folder} are filled in')
    copy.add_argument('--rate', type=int, default=2000, help='both: row changes a second')
    apply = parser.add_argument_group('apply')
    apply.add_argument('--changes', type=int, default=300000, help='of the backlog')
    apply.add_argument('--apply-rows', type=int, default=100000, help='of each of the four tables')
    apply.add_argument('--kinds', nargs='+', choices=applying.KINDS, default=[],
                       help='of changes; without it: single')
    apply.add_argument('--backlog-mib', type=int, default=1024, help='kind large: bytes of events')
    apply.add_argument('--no-replica', dest='replica', action='store_false',
                       help='without the native replica')
    apply.add_argument('--replica-seconds', type=int, default=30,
                       help='its rate is that of so many seconds, or of all of it')
    cut = parser.add_argument_group('cutover')
    cut.add_argument('--cutovers', type=int, default=50, help='how many')
    cut.add_argument('--cutover-rate', type=int, default=500, help='writes a second meanwhile')
    growth = parser.add_argument_group('growth')
    growth.add_argument('--growing', nargs='+', choices=['rows', 'tables', 'columns'], default=[],
                        help='without it: all three')
    growth.add_argument('--growth', type=int, nargs='+', default=[100000, 1000000, 10000000],
                        help='numbers of rows')
    growth.add_argument('--many', type=int, nargs='+', default=[100, 1000, 10000],
                        help='numbers of tables')
    options = parser.parse_args(arguments)
    if options.rows is None:
        options.rows = 1000000 if options.what in ('usual', 'all') else 2000000
    return options


def main():
    """Measures and prints."""
    options = parsed(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = {'usual': USUAL, 'all': tuple(CASES)}.get(options.what, (options.what,))
    lab = Lab(options)
    try:
        lab.open()
        for name in chosen:
            CASES[name](lab)
        print(lab.describe() + '\n')
        print('\n'.join(lab.tables), end='')
        if options.csv:
            lab.report.write_csv(options.csv)
        if options.plot:
            lab.report.write_plot(options.plot)
    finally:
        lab.close()


if __name__ == '__main__':
    main()
