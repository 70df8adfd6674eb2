#!/usr/bin/env python3
"""script/bench: see there."""
import argparse
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import servers  # noqa: E402
import tool  # noqa: E402
from report import Report  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
COLUMNS = 'id BIGINT NOT NULL PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL'
TABLES = 4


def say(text):
    """Progress, beside the results."""
    print(f'bench: {text}', file=sys.stderr, flush=True)


class Bench:
    """What the cases share: servers, the loader, the report."""

    def __init__(self, options):
        self.options = options
        self.binary = os.environ.get('MT_BENCH_BINARY') or str(TOP / 'build' / 'move-tables')
        self.report = Report()
        self.folder = tempfile.mkdtemp(prefix='move-tables-bench-', dir=options.dir)
        self.loader = os.path.join(self.folder, 'loader')
        self.servers = []
        self.tables = []
        self.build_loader()
        self.template = servers.make_template(self.folder)
        self.source = self.server('source', 0)
        self.target = self.server('target', 1)

    def server(self, name, place):
        """A server over a fresh copy of the template; not started."""
        made = servers.Server(self.folder, name, self.options.port + place, self.options.pool)
        made.copy_from(self.template)
        self.servers.append(made)
        return made

    def build_loader(self):
        """The bare loader, with the same client library."""
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'mysqlclient'], check=True,
                               capture_output=True, text=True).stdout.split()
        subprocess.run(['gcc', '-std=gnu17', '-O2', '-pthread', '-o', self.loader,
                        str(TOP / 'script' / 'bench.d' / 'loader.c'), *flags], check=True)

    def load(self, server, method, connections, count, table, *more):
        """Runs the loader: seconds and CPU seconds."""
        done = subprocess.run([self.loader, str(server.port), method, str(connections), str(count),
                               table, *map(str, more)], check=True, stdout=subprocess.PIPE,
                              text=True)
        seconds, user, system = map(float, done.stdout.split())
        return seconds, user + system

    def quickly(self, server, on):
        """Durability off while data is made, on while something is measured."""
        server.query(f'SET GLOBAL sync_binlog={0 if on else 1},'
                     f' GLOBAL innodb_flush_log_at_trx_commit={2 if on else 1}')

    def fill(self, table, rows, index):
        """The table on the source."""
        self.quickly(self.source, True)
        self.source.query('CREATE DATABASE IF NOT EXISTS bench')
        self.source.query(f'CREATE TABLE {table} ({COLUMNS})')
        self.load(self.source, 'load', 2, rows, table)
        if index:
            self.source.query(f'ALTER TABLE {table} ADD KEY (k)')
        self.source.query(f'ANALYZE TABLE {table}')
        self.quickly(self.source, False)

    def empty_target(self, index):
        """The target as before a run, quiet, with an empty table for the loader."""
        for name in ('bench', 'move_tables'):
            self.target.query(f'DROP DATABASE IF EXISTS {name}')
        self.target.query('RESET BINARY LOGS AND GTIDS')
        self.target.query('CREATE DATABASE bench')
        if index is not None:
            self.target.query(f'CREATE TABLE bench.t ({COLUMNS}{", KEY (k)" if index else ""})')
        self.target.settle()

    def run_tool(self, tables, interval_ms=1000):
        """The tool until `ready`."""
        config = {'source': self.source.port, 'target': self.target.port, 'tables': tables,
                  'interval_ms': interval_ms, 'memory': self.options.memory}
        return tool.Run(self.binary, self.folder, config, self.options.yaml)

    def close(self):
        """Stops and removes, or says what is left."""
        if self.options.keep:
            for server in self.servers:
                say(f'left: {server.name} on 127.0.0.1:{server.port}, root without password, '
                    f'pid {server.process.pid if server.process else "-"}')
            say(f'left: {self.folder}')
            return
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


# --- copy ---------------------------------------------------------------------------------

def told(bench, case, way, count, seconds, cpu_s, rss_mib=None):
    """One run: its line, and its place in the report. CPU: (program, source, target) seconds."""
    million = [None if value is None else value / count * 1e6 for value in cpu_s]
    quantities = {'rate': count / seconds, 'cpu': million[0], 'source_cpu': million[1],
                  'target_cpu': million[2], 'rss_mib': rss_mib}
    bench.report.add(case, way, **{k: v for k, v in quantities.items() if v is not None})
    costs = ' / '.join('-' if value is None else f'{value:.2f}' for value in million)
    say(f'{case}: {way}: {count / seconds / 1000:.1f} k/s, CPU s/M {costs}'
        + (f', {rss_mib:.0f} MiB' if rss_mib else ''))


class Meter:
    """CPU seconds of two servers over a time."""

    def __init__(self, *measured):
        self.measured = measured
        self.before = [server.cpu_s() if server else None for server in measured]

    def read(self):
        """Since it was made; None for a server that does not take part."""
        return [server.cpu_s() - before if server else None
                for server, before in zip(self.measured, self.before)]


def copy_loader(bench, case, method, connections, index):
    """The reference."""
    rows = bench.options.rows
    bench.empty_target(index)
    meter = Meter(None, bench.target)
    seconds, cpu_s = bench.load(bench.target, method, connections, rows, 'bench.t')
    told(bench, case, f'loader, {connections} connections', rows, seconds, [cpu_s, *meter.read()])


def copy_tool(bench, case):
    """The tool."""
    rows = bench.options.rows
    bench.empty_target(None)
    meter = Meter(bench.source, bench.target)
    run = bench.run_tool('bench.t').wait()
    cpu_s = [run.cpu_s, *meter.read()]
    found = bench.target.value('SELECT COUNT(*) FROM bench.t')
    if found != rows:
        raise SystemExit(f'bench: {found} rows arrived, not {rows}')
    told(bench, case, 'move-tables', rows, run.copy_seconds(), cpu_s, run.rss_mib)
    bench.report.add(case, 'move-tables, whole process', rate=rows / run.seconds)


def copy_dump(bench, case, index):
    """mysqldump | mysql."""
    rows = bench.options.rows
    bench.empty_target(index)
    meter = Meter(bench.source, bench.target)
    start = time.monotonic()
    common = ['--no-defaults', '-h127.0.0.1', '-uroot', '--ssl-mode=DISABLED']
    with subprocess.Popen(['mysqldump', *common, f'-P{bench.source.port}', '--single-transaction',
                           '--no-create-info', '--set-gtid-purged=OFF', '--skip-add-locks',
                           '--skip-disable-keys', 'bench', 't'], stdout=subprocess.PIPE) as dump:
        subprocess.run(['mysql', *common, f'-P{bench.target.port}', 'bench'], stdin=dump.stdout,
                       check=True)
    told(bench, case, 'mysqldump | mysql', rows, time.monotonic() - start, [None, *meter.read()])


def measure_copy(bench):
    """One table, with and without a secondary index, by LOAD DATA and by INSERT."""
    options = bench.options
    bench.source.query('DROP DATABASE IF EXISTS bench')
    say(f'filling the source with {options.rows} rows')
    bench.fill('bench.t', options.rows, False)
    cases = [(index, method) for index in (False, True) for method in options.methods]
    for index, method in sorted(cases):
        if index and not bench.source.query("SHOW KEYS FROM bench.t WHERE Key_name='k'"):
            bench.source.query('ALTER TABLE bench.t ADD KEY (k)')
        bench.source.settle()
        bench.target.query(f'SET GLOBAL local_infile={"ON" if method == "load" else "OFF"}')
        case = (f'copy, {"with a secondary index" if index else "primary key only"}, '
                f'{"LOAD DATA LOCAL" if method == "load" else "INSERT"}')
        for _ in range(options.runs):
            for connections in options.connections:
                copy_loader(bench, case, method, connections, index)
            copy_tool(bench, case)
            if 'mysqldump' in options.peers:
                copy_dump(bench, case, index)
        ways = [f'loader, {n} connections' for n in options.connections]
        best = max(ways, key=lambda way: bench.report.median(case, way, 'rate'))
        bench.tables.append(bench.report.table(case, 'rows/s', best))


# --- apply --------------------------------------------------------------------------------

def wait_position(bench, run, executed):
    """Until the checkpoint covers the backlog; the seconds since the tool's start."""
    while run.running():
        rows = bench.target.query('SELECT position FROM move_tables.move')
        if rows and bench.target.value(f"SELECT GTID_SUBSET('{executed}', "
                                       f"'{rows[0][0]}')") == 1:
            return time.monotonic() - run.start
        time.sleep(0.02)
    run.wait()
    return run.seconds


def apply_tool(bench, case, tables, executed):
    """From the state after the copy to the end of the backlog."""
    bench.target.stop()
    bench.target.copy_from(bench.target.data + '.ready')
    bench.target.start()
    meter = Meter(bench.source, bench.target)
    # Often saved: the end of the backlog is seen in the checkpoint.
    run = bench.run_tool(tables, interval_ms=100)
    seconds = wait_position(bench, run, executed)
    cpu_s = meter.read()
    run.wait()
    told(bench, case, 'move-tables', bench.options.changes, seconds, [run.cpu_s, *cpu_s],
         run.rss_mib)


def apply_replica(bench, case, replica, executed):
    """A replica of the same source, at the same place, with four workers."""
    replica.stop()
    replica.copy_from(replica.data + '.ready')
    replica.start()
    replica.query(f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', "
                  f"SOURCE_PORT={bench.source.port}, SOURCE_USER='root', SOURCE_PASSWORD='', "
                  'SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1')
    before = transactions(replica.executed())
    meter = Meter(bench.source, replica)
    start = time.monotonic()
    replica.query('START REPLICA')
    replica.query(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{executed}', "
                  f'{bench.options.replica_seconds})')
    done = transactions(replica.executed()) - before
    seconds = time.monotonic() - start
    cpu_s = meter.read()
    if done == 0:
        raise SystemExit(f'bench: the replica did nothing: {replica.query("SHOW REPLICA STATUS")}')
    replica.query('STOP REPLICA')
    told(bench, case, 'replica, 4 workers', done, seconds, [None, *cpu_s])


def transactions(gtids):
    """How many a GTID set names."""
    count = 0
    for interval in (part for source in gtids.split(',') for part in source.split(':')[1:]):
        if not interval[0].isdigit():
            continue  # a tag
        first, _, last = interval.partition('-')
        count += int(last or first) - int(first) + 1
    return count


def checksum(server, number):
    """A sum over a table that does not depend on the order."""
    return server.query('SELECT COUNT(*), SUM(CRC32(CONCAT_WS("#", id, k, c, pad))) '
                        f'FROM bench.a{number}')


def measure_apply(bench):
    """A backlog of single-row transactions over four tables, updates that touch an index."""
    options = bench.options
    rows = options.apply_rows
    case = f'apply, {options.changes} single-row transactions over {TABLES} tables'
    bench.source.query('DROP DATABASE IF EXISTS bench')
    bench.target.query('SET GLOBAL local_infile=ON')
    bench.empty_target(None)
    say(f'filling {TABLES} tables with {rows} rows each, and moving them')
    names = [f'bench.a{n + 1}' for n in range(TABLES)]
    for name in names:
        bench.fill(name, rows, True)
    bench.run_tool(', '.join(names)).wait()
    bench.target.stop()
    subprocess.run(['cp', '-a', bench.target.data, bench.target.data + '.ready'], check=True)
    bench.target.start()
    replica = None
    if options.replica:
        replica = bench.server('replica', 2)
        bench.source.stop()
        subprocess.run(['cp', '-a', bench.source.data, replica.data + '.ready'], check=True)
        bench.source.start()
    say(f'making the backlog of {options.changes} changes')
    bench.quickly(bench.source, True)
    bench.load(bench.source, 'update', 8, options.changes, 'bench.a', TABLES, rows)
    bench.quickly(bench.source, False)
    bench.source.settle()
    executed = bench.source.executed()
    for _ in range(options.runs):
        if replica is not None:
            apply_replica(bench, case, replica, executed)
            replica.stop()
        apply_tool(bench, case, ', '.join(names), executed)
    for number in range(1, TABLES + 1):
        if checksum(bench.source, number) != checksum(bench.target, number):
            raise SystemExit(f'bench: bench.a{number} differs')
    bench.tables.append(bench.report.table(case, 'changes/s', 'replica, 4 workers'))


# --- the command --------------------------------------------------------------------------

def parsed(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(prog='script/bench', description=__doc__,
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('what', nargs='?', choices=['copy', 'apply', 'all'], default='all')
    parser.add_argument('--runs', type=int, default=3, help='of each case')
    parser.add_argument('--rows', type=int, help='of the copied table (2000000; all: 1000000)')
    parser.add_argument('--changes', type=int, default=300000, help='of the backlog')
    parser.add_argument('--apply-rows', type=int, default=100000, help='of each of the four tables')
    parser.add_argument('--pool', default='1G', help='buffer pool of each server')
    parser.add_argument('--memory', type=int, default=256, help='memory: of the move, in MiB')
    parser.add_argument('--connections', type=int, nargs='+', default=[2, 4], help='of the loader')
    parser.add_argument('--methods', nargs='+', choices=['load', 'insert'], default=['load'],
                        help='load: LOAD DATA LOCAL; insert: with local_infile=OFF on the target')
    parser.add_argument('--with', dest='peers', nargs='+', choices=['mysqldump'], default=[],
                        help='also measure')
    parser.add_argument('--no-replica', dest='replica', action='store_false',
                        help='apply: without the native replica')
    parser.add_argument('--replica-seconds', type=int, default=30,
                        help='apply: its rate is that of so many seconds, or of all of it')
    parser.add_argument('--yaml', action='append', default=[],
                        help="a line more for the move's file: 'copy: {readers: 2}'")
    parser.add_argument('--csv', help='file for every single value')
    parser.add_argument('--dir', default='/tmp', help='where servers and data go')
    parser.add_argument('--port', type=int, default=25407, help='the first of three')
    parser.add_argument('--keep', action='store_true', help='leave servers and data')
    options = parser.parse_args(arguments)
    if options.rows is None:
        options.rows = 1000000 if options.what == 'all' else 2000000
    return options


def describe(bench):
    """What a page must say beside the numbers."""
    with open('/proc/cpuinfo', encoding='utf-8') as info:
        models = [line.split(':', 1)[1].strip() for line in info if line.startswith('model name')]
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2 ** 30
    version = subprocess.run([bench.binary, 'version'], capture_output=True, text=True,
                             check=True).stdout.split('\n')[0]
    return (f'{time.strftime("%Y-%m-%d %H:%M", time.gmtime())} UTC, load '
            f'{os.getloadavg()[0]:.1f} at the end; {len(models)} × {models[0] if models else "?"}, '
            f'{memory:.0f} GiB, Linux {platform.release()}; MySQL '
            f'{bench.source.value("SELECT VERSION()")}, pool {bench.options.pool}, '
            f'{" ".join(servers.DURABLE)}; {version}; {bench.options.runs} runs')


def main():
    """Measures and prints."""
    options = parsed(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(options)
    try:
        bench.source.start()
        bench.target.start()
        if options.what in ('copy', 'all'):
            measure_copy(bench)
        if options.what in ('apply', 'all'):
            measure_apply(bench)
        print(describe(bench) + '\n')
        print('\n'.join(bench.tables), end='')
        if options.csv:
            bench.report.write_csv(options.csv)
    finally:
        bench.close()


if __name__ == '__main__':
    main()
