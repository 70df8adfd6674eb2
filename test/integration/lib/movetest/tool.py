"""YAML files, runs and commands of the tool under test."""

import json
import os
import pathlib
import signal
import subprocess
import time

import pymysql
import yaml

from .entry import TOP

BINARY = os.environ.get('MT_BINARY') or str(TOP / 'build' / 'move-tables')
# Sanitizer builds are slower: MT_TEST_SLOW multiplies every deadline.
SLOW = float(os.environ.get('MT_TEST_SLOW', '1'))

OK, FAILED, USAGE, PREFLIGHT, SOURCE, TARGET = range(6)
CHECKPOINT, DATA, STOPPED, FENCED, HOOK, CUTOVER = range(6, 12)
FAILPOINT = 99


class Failure(AssertionError):
    """A case failed: the text says what was expected and what was found."""


def wait_until(condition, what, timeout_s=60, every_s=0.03):
    """Polls until the condition holds and returns its value; Failure at the deadline."""
    deadline = time.monotonic() + timeout_s * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f'not within {timeout_s * SLOW:.0f} s: {what}')
        time.sleep(every_s)


def merged(base, changes):
    """A copy of base with changes, dictionaries merged; a None removes the key."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


class Result:
    """What a finished command left."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    @property
    def text(self):
        """Both streams."""
        return self.out + self.err


class Runner:
    """A `run` in progress; its log is a file of the case's folder."""

    def __init__(self, command, environment, log):
        self.log = log
        with open(log, 'wb') as out:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT)

    def text(self):
        """The log so far."""
        return pathlib.Path(self.log).read_text(encoding='utf-8', errors='replace')

    def tail(self, lines=30):
        """The log's end, for a message."""
        return '\n'.join('    ' + line for line in self.text().splitlines()[-lines:])

    def alive(self):
        """Whether it still runs."""
        return self.process.poll() is None

    def send(self, number):
        """A signal."""
        if self.alive():
            self.process.send_signal(number)

    def kill(self):
        """SIGKILL, and gone when this returns."""
        self.send(signal.SIGKILL)
        self.process.wait()

    def is_stopped(self):
        """Whether it is stopped (SIGSTOP): at its failpoint, or by the test."""
        try:
            stat = pathlib.Path(f'/proc/{self.process.pid}/stat').read_text(encoding='utf-8')
        except OSError:
            return False
        return stat.rpartition(')')[2].split()[0] in ('T', 't')

    def wait_stopped(self, timeout_s=60):
        """Until it stands at its failpoint; False when it ended without getting there."""
        wait_until(lambda: self.is_stopped() or not self.alive(),
                   'the run to stop at its failpoint', timeout_s)
        return self.alive()

    def go_on(self):
        """Continues a stopped process."""
        self.send(signal.SIGCONT)

    def wait(self, *codes, timeout_s=90):
        """Its exit code, which must be one of codes."""
        try:
            code = self.process.wait(timeout_s * SLOW)
        except subprocess.TimeoutExpired:
            raise Failure(f'the run did not end within {timeout_s * SLOW:.0f} s; its log ends:\n'
                          + self.tail()) from None
        if codes and code not in codes:
            raise Failure(f'the run ended with {code}, not {codes}; its log ends:\n'
                          + self.tail())
        return code


class Move:
    """One move: its file, its runs and what its checkpoint says."""

    def __init__(self, folder, cluster, tables, changes=None):
        self.folder = pathlib.Path(folder)
        self.cluster = cluster
        self.config = merged({
            'move': 'test',
            'source': {'host': '127.0.0.1', 'port': cluster.source.port,
                       'user': 'mover', 'password': 'mover'},
            'target': {'host': '127.0.0.1', 'port': cluster.target.port,
                       'user': 'mover', 'password': 'mover'},
            'tables': list(tables),
            'copy': {'readers': 2, 'writers': 2, 'chunk_bytes': '64KiB'},
            'apply': {'writers': 2},
            'checkpoint': {'interval_ms': 100},
            'cutover': {'mode': 'auto', 'lock_wait_timeout_s': 2, 'drain_timeout_s': 20},
            'connect': {'retry_s': 30},
        }, changes or {})
        self.name = self.config['move']
        self.binary = BINARY
        self.path = self.folder / f'{self.name}.yaml'
        self.runners = []
        self.write()

    def write(self, changes=None):
        """Writes the file, after further changes."""
        self.config = merged(self.config, changes or {})
        self.path.write_text(yaml.safe_dump(self.config, sort_keys=False, allow_unicode=True),
                             encoding='utf-8')

    def pairs(self):
        """(from, to) of every table."""
        return [(t, t) if isinstance(t, str) else (t['from'], t.get('to', t['from']))
                for t in self.config['tables']]

    # --- the tool ------------------------------------------------------------

    def start(self, *options, failpoint=None, stop_there=False, environment=None):
        """Starts `run`. At its failpoint it dies, or stands still if stop_there."""
        variables = dict(os.environ, **(environment or {}))
        for name in ('MOVE_TABLES_FAILPOINT', 'MOVE_TABLES_FAILPOINT_ACTION'):
            variables.pop(name, None)
        if failpoint:
            variables['MOVE_TABLES_FAILPOINT'] = failpoint
        if stop_there:
            variables['MOVE_TABLES_FAILPOINT_ACTION'] = 'stop'
        log = self.folder / f'{self.name}-run-{len(self.runners) + 1}.log'
        runner = Runner([self.binary, 'run', str(self.path), *options], variables, log)
        self.runners.append(runner)
        return runner

    def run(self, *codes, options=(), failpoint=None, timeout_s=90):
        """Runs to the end, which must be one of codes (default: ok); the Runner."""
        runner = self.start(*options, failpoint=failpoint)
        runner.wait(*(codes or (OK,)), timeout_s=timeout_s)
        return runner

    def command(self, verb, *options, codes=(OK,), timeout_s=60, stdin=None, environment=None):
        """Any other command; environment is added to this process's."""
        try:
            done = subprocess.run([self.binary, verb, str(self.path), *options], input=stdin or '',
                                  env=dict(os.environ, **(environment or {})),
                                  capture_output=True, text=True, timeout=timeout_s * SLOW,
                                  check=False)
        except subprocess.TimeoutExpired:
            raise Failure(f'move-tables {verb} did not end') from None
        if codes is not None and done.returncode not in codes:
            raise Failure(f'move-tables {verb} ended with {done.returncode}, not {codes}:\n'
                          f'{done.stdout}{done.stderr}')
        return Result(done.returncode, done.stdout, done.stderr)

    def status(self):
        """`status --json`."""
        return json.loads(self.command('status', '--json').out)

    # --- its checkpoint, read by SQL -------------------------------------------

    def _ask(self, column):
        try:
            return self.cluster.target.value(
                f'SELECT {column} FROM move_tables.move WHERE name = %s', (self.name,))
        except pymysql.err.ProgrammingError:
            return None  # no checkpoint yet
        except pymysql.err.OperationalError as error:
            if error.args[0] in (1049, 2003, 2013, 1053):
                return None
            raise

    def phase(self):
        """The stored phase; None before there is one."""
        return self._ask('phase')

    def attempt(self):
        """Cutover attempts begun."""
        return self._ask('attempt')

    def rows_copied(self):
        """Rows that the checkpoint says are copied."""
        try:
            return int(self.cluster.target.value(
                'SELECT COALESCE(SUM(rows_copied), 0) FROM move_tables.move_table '
                'WHERE move = %s', (self.name,)))
        except pymysql.err.ProgrammingError:
            return 0
        except pymysql.err.OperationalError as error:
            if error.args[0] in (1049, 2003, 2013, 1053):
                return 0
            raise

    def wait_phase(self, *phases, timeout_s=60):
        """Until the stored phase is one of these; fails at once when the run has ended."""
        def reached():
            phase = self.phase()
            if phase in phases:
                return phase
            runner = self.runners[-1] if self.runners else None
            if runner is not None and not runner.alive() and self.phase() not in phases:
                raise Failure(f'the run ended with {runner.process.returncode} in phase {phase} '
                              f'before {phases}; its log ends:\n{runner.tail()}')
            return None
        return wait_until(reached, f'phase {" or ".join(phases)}', timeout_s)

    def end(self):
        """Kills what still runs."""
        for runner in self.runners:
            runner.kill()
