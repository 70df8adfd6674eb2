"""What all cases share: servers, the bare loader, runs of the tool and of others, the report."""
import contextlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

import servers
import tool
from report import Report

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
COLUMNS = ('id BIGINT NOT NULL PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, '
           'pad CHAR(60) NOT NULL')
CLIENT = ['--no-defaults', '-h127.0.0.1', '-uroot', '--ssl-mode=DISABLED']


def say(text):
    """Progress, beside the results."""
    print(f'bench: {text}', file=sys.stderr, flush=True)


class Meter:
    """CPU seconds of servers over a time; None for one that does not take part."""

    def __init__(self, *measured):
        self.measured = measured
        self.before = [server.cpu_s() if server else None for server in measured]

    def read(self):
        """Since it was made."""
        return [server.cpu_s() - before if server else None
                for server, before in zip(self.measured, self.before)]


class Lab:
    """Two servers of its own, and what is done with them."""

    def __init__(self, options):
        self.options = options
        self.binary = os.environ.get('MT_BENCH_BINARY') or str(TOP / 'build' / 'move-tables')
        self.report = Report()
        self.folder = tempfile.mkdtemp(prefix='move-tables-bench-', dir=options.dir)
        self.loader = os.path.join(self.folder, 'loader')
        self.servers = []
        self.tables = []
        self.template = self.source = self.target = None

    def open(self):
        """Makes and starts what all cases need."""
        self.build_loader()
        self.template = servers.make_template(self.folder)
        self.source = self.server('source', 0)
        self.target = self.server('target', 1)
        self.source.start()
        self.target.start()

    def server(self, name, place):
        """A server over a fresh copy of the template; not started."""
        made = servers.Server(self.folder, name, self.options.port + place, self.options.pool)
        made.copy_from(self.template)
        self.servers.append(made)
        return made

    # --- the bare loader ---------------------------------------------------------------

    def build_loader(self):
        """With the same client library as the tool."""
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'mysqlclient'], check=True,
                               capture_output=True, text=True).stdout.split()
        subprocess.run(['gcc', '-std=gnu17', '-O2', '-pthread', '-o', self.loader,
                        str(TOP / 'script' / 'bench.d' / 'loader.c'), *flags], check=True)

    def load(self, server, *arguments):
        """Runs the loader: seconds and CPU seconds."""
        done = subprocess.run([self.loader, str(server.port), *map(str, arguments)], check=True,
                              stdout=subprocess.PIPE, text=True)
        seconds, user, system = map(float, done.stdout.split())
        return seconds, user + system

    # --- data --------------------------------------------------------------------------

    @contextlib.contextmanager
    def quickly(self, server):
        """Durability is off while data is made."""
        server.query('SET GLOBAL sync_binlog=0, GLOBAL innodb_flush_log_at_trx_commit=2')
        yield
        server.query('SET GLOBAL sync_binlog=1, GLOBAL innodb_flush_log_at_trx_commit=1')

    def fill(self, table, rows, index=False):
        """A plain table on the source."""
        with self.quickly(self.source):
            self.source.query('CREATE DATABASE IF NOT EXISTS bench')
            self.source.query(f'CREATE TABLE {table} ({COLUMNS})')
            self.load(self.source, 'load', 2, rows, table)
            if index:
                self.source.query(f'ALTER TABLE {table} ADD KEY (k)')
            self.source.query(f'ANALYZE TABLE {table}')

    def forget_source(self):
        """No tables, and no binlogs of them."""
        self.source.query('DROP DATABASE IF EXISTS bench')
        self.source.query('RESET BINARY LOGS AND GTIDS')

    def empty_target(self, definitions=()):
        """The target as before a run, quiet, with these empty tables."""
        for name in ('bench', 'move_tables'):
            self.target.query(f'DROP DATABASE IF EXISTS {name}')
        self.target.query('RESET BINARY LOGS AND GTIDS')
        self.target.query('CREATE DATABASE bench')
        self.target.query('USE bench')
        for definition in definitions:
            self.target.query(definition)
        self.target.settle()

    # --- runs ---------------------------------------------------------------------------

    def start_tool(self, tables, interval_ms=1000, until='ready', extra=()):
        """The tool, started."""
        config = {'source': self.source.port, 'target': self.target.port,
                  'tables': ', '.join(tables), 'interval_ms': interval_ms,
                  'memory': self.options.memory}
        return tool.Run(self.binary, self.folder, config, until, [*self.options.yaml, *extra])

    def told(self, case, way, count, seconds, cpu_s, **more):
        """One run: its line, and its place in the report. CPU: (program, source, target)
        seconds."""
        million = [None if value is None else value / count * 1e6 for value in cpu_s]
        quantities = {'rate': count / seconds, 'cpu': million[0], 'source_cpu': million[1],
                      'target_cpu': million[2], **more}
        self.report.add(case, way, **{k: v for k, v in quantities.items() if v is not None})
        costs = ' / '.join('-' if value is None else f'{value:.2f}' for value in million)
        rest = ''.join(f', {name} {value:.1f}' for name, value in more.items() if value is not None)
        say(f'{case}: {way}: {count / seconds / 1000:.1f} k/s, CPU s/M {costs}{rest}')

    def dump_and_load(self, tables):
        """mysqldump | mysql; seconds."""
        start = time.monotonic()
        with subprocess.Popen(['mysqldump', *CLIENT, f'-P{self.source.port}',
                               '--single-transaction', '--no-create-info', '--set-gtid-purged=OFF',
                               '--skip-add-locks', '--skip-disable-keys', 'bench', *tables],
                              stdout=subprocess.PIPE) as dump:
            subprocess.run(['mysql', *CLIENT, f'-P{self.target.port}', 'bench'], stdin=dump.stdout,
                           check=True)
        return time.monotonic() - start

    def mydumper(self):
        """mydumper, then myloader, four threads each; seconds."""
        folder = os.path.join(self.folder, 'dump')
        shutil.rmtree(folder, ignore_errors=True)
        common = ['--host=127.0.0.1', '--user=root', '--threads=4', '--verbose=0']
        start = time.monotonic()
        subprocess.run(['mydumper', *common, f'--port={self.source.port}', '--database=bench',
                        f'--outputdir={folder}', '--rows=100000'], check=True)
        subprocess.run(['myloader', *common, f'--port={self.target.port}',
                        f'--directory={folder}', '--overwrite-tables', '--enable-binlog'],
                       check=True)
        return time.monotonic() - start

    def peer(self, tables):
        """Another mover, by the command line that was given; seconds."""
        words = {'source_port': self.source.port, 'target_port': self.target.port,
                 'database': 'bench', 'tables': ','.join(tables), 'folder': self.folder}
        start = time.monotonic()
        subprocess.run(self.options.peer.format(**words), shell=True, check=True,
                       stdout=subprocess.DEVNULL)
        return time.monotonic() - start

    # --- the end ------------------------------------------------------------------------

    def describe(self):
        """What a page must say beside the numbers."""
        with open('/proc/cpuinfo', encoding='utf-8') as info:
            models = re.findall(r'^model name\s*: *(.*)$', info.read(), re.MULTILINE)
        memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2 ** 30
        version = subprocess.run([self.binary, 'version'], capture_output=True, text=True,
                                 check=True).stdout.split('\n', maxsplit=1)[0]
        return (f'{time.strftime("%Y-%m-%d %H:%M", time.gmtime())} UTC, load '
                f'{os.getloadavg()[0]:.1f} at the end; {len(models)} × '
                f'{models[0] if models else "?"}, {memory:.0f} GiB, Linux {platform.release()}; '
                f'MySQL {self.source.value("SELECT VERSION()")}, pool {self.options.pool}, '
                f'{" ".join(servers.DURABLE)}; {version}; {self.options.runs} runs')

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
