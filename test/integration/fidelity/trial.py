"""One seed: its tables, its load, a whole move in the middle of it, both sides compared."""

import collections
import os
import random
import re
import subprocess
import threading
import time

import pymysql

from generator import plan, statements
from movetest import compare
from movetest.tool import DATA, Failure, wait_until

ROWS = 120             # per table before the move
UNITS_PER_SECOND = 60  # per connection: what a runner with tiny batches keeps up with
UNITS_LEAST = 60       # per connection beside the move

# What a server may say to a random definition. Anything else is the generator's fault, or a find.
CREATE_REFUSALS = {
    1067: 'no default of that type', 1069: 'too many keys', 1071: 'key too long',
    1074: 'column too long', 1089: 'prefix of a key', 1101: 'no default for that type',
    1112: 'not with partitions', 1118: 'row too large', 1167: 'no index over it',
    1178: 'not with partitions', 1283: 'no full text over it', 1291: 'two equal labels',
    1294: 'no ON UPDATE of that type', 1478: 'options do not go together',
    1503: 'unique key without the partitioning column', 1654: 'partition value of another type',
    1659: 'no partitions by that type', 1697: 'partition value of another type',
    3107: 'order of generated columns', 3616: 'ordinate out of range',
    3507: 'more than the dictionary takes', 3522: 'invisible primary key', 3753: 'no functional index over it', 3757: 'no functional index over it',
    3770: 'default expression', 3772: 'default expression', 3854: 'characters that it lacks',
}
DATA_REFUSALS = {
    1048: 'NULL', 1062: 'duplicate', 1093: 'reads what it changes', 1138: 'NULL',
    1205: 'lock wait', 1213: 'deadlock', 1235: 'object in a multi-valued index',
    1264: 'out of range', 1265: 'truncated', 1292: 'incorrect value', 1399: 'XA deadlock',
    1614: 'XA deadlock', 3008: 'cascades too deep', 1300: 'invalid string',
    1305: 'no such savepoint', 1364: 'no default', 1365: 'division', 1366: 'incorrect string',
    1367: 'illegal value', 1406: 'too long', 1411: 'incorrect value', 1416: 'no geometry',
    1441: 'datetime overflow', 1442: 'in use by the trigger', 1451: 'has children',
    1452: 'has no parent', 1467: 'AUTO_INCREMENT exhausted', 1525: 'incorrect value',
    1526: 'no partition for it', 1690: 'out of range', 3037: 'no geometry', 3055: 'no geometry',
    3140: 'no JSON', 3141: 'no JSON', 3144: 'no JSON', 3157: 'JSON too deep', 3158: 'JSON key',
    3548: 'no such SRS', 3616: 'ordinate out of range', 3617: 'ordinate out of range',
    3618: 'not in this SRS', 3643: 'another SRID', 3732: 'ordinate out of range',
    3752: 'out of range of an index', 3819: 'check', 3902: 'JSON in an index',
    3903: 'JSON in an index', 3904: 'JSON in an index', 3905: 'JSON in an index',
    3906: 'JSON in an index', 3907: 'JSON in an index', 3908: 'JSON in an index',
    1869: 'AUTO_INCREMENT in the way', 3854: 'bytes that are no text', 6136: 'vector', 6138: 'vector', 6575: 'cascades over too many tables',
}
GONE = (1146, 1412, 1684, 2006, 2013, 0)


class Writer(threading.Thread):
    """One connection of the load: units of its own random numbers, until the tables are gone."""

    def __init__(self, trial, number):
        super().__init__(name=f'writer-{number}', daemon=True)
        self.trial = trial
        self.rng = random.Random(f'{trial.seed} writer {number}')
        self.units = 0
        self.done = collections.Counter()
        self.refused = collections.Counter()
        self.failure = None
        self.last = ''

    def run(self):
        """The thread."""
        try:
            connection = self.trial.source.connect(local_infile=True, autocommit=True)
            with connection.cursor() as cursor:
                for sql in statements.session(self.rng):
                    cursor.execute(sql)
                while not self.trial.stopping.is_set() and self.unit(cursor):
                    self.units += 1
                    # Paced, so that the load lasts as long as the move.
                    self.trial.stopping.wait(self.rng.expovariate(UNITS_PER_SECOND))
            connection.close()
        except Exception as error:  # pylint: disable=broad-except
            self.failure = f'{error!r} at {self.last[:2000]}'

    def unit(self, cursor):
        """One unit; False when the tables are gone."""
        found = statements.unit(self.rng, self.trial.plan.tables, self.trial.folder)
        return all(self.execute(cursor, sql, found[0]) for sql in found)

    def execute(self, cursor, sql, first):
        """One statement; False when the tables are gone."""
        self.last = sql
        try:
            cursor.execute(sql.encode('utf-8'))
            self.done[sql.split(' ', 1)[0]] += 1
        except pymysql.err.MySQLError as error:
            number = error.args[0]
            if number in GONE:
                self.end(cursor, first)
                return False
            if number in (1397, 1399, 1400, 1401, 1402) or sql.startswith('XA'):
                self.refused[number] += 1
                return True
            if number not in DATA_REFUSALS:
                raise
            self.refused[number] += 1
        return True

    @staticmethod
    def end(cursor, first):
        """Nothing stays open: RENAME would wait for it."""
        statements_ = ['ROLLBACK']
        if first.startswith('XA START'):
            name = first[len('XA START '):]
            statements_ = [f'XA END {name}', f'XA ROLLBACK {name}']
        for sql in statements_:
            try:
                cursor.execute(sql)
            except pymysql.err.MySQLError:
                pass  # it was over already


class Totals:
    """What all seeds did together."""

    def __init__(self):
        self.trials = 0
        self.refused_by_name = 0
        self.tables = 0
        self.rows = 0
        self.kinds = collections.Counter()
        self.done = collections.Counter()
        self.refused = collections.Counter()

    def add(self, trial):
        """One more seed that passed."""
        if trial.refused_by_name:
            self.refused_by_name += 1
            return
        self.trials += 1
        self.tables += len(trial.plan.tables)
        self.rows += trial.rows
        self.refused += trial.refused
        for table in trial.plan.tables:
            self.kinds.update(column.kind for column in table.columns)
        for writer in trial.writers:
            self.done += writer.done
            self.refused += writer.refused

    def say(self, case):
        """All of it in a few lines."""
        case.say(f'{self.trials} seeds: {self.tables} tables, {self.rows} rows in the end; '
                 f'{self.refused_by_name} more were refused by name')
        for title, counts in (('columns', self.kinds), ('statements', self.done),
                              ('refused by the server', self.refused)):
            shown = ', '.join(f'{what} {count}' for what, count in counts.most_common())
            case.say(f'{title}: {shown}')

    def expect_enough(self, case):
        """Seeds whose load the server refused prove nothing."""
        case.expect(self.refused_by_name <= 1 + self.trials / 20,
                    f'{self.refused_by_name} seeds were refused')
        case.expect(self.rows >= 30 * self.trials, f'{self.rows} rows in {self.trials} seeds')
        wrote = sum(self.done[verb] for verb in ('INSERT', 'REPLACE', 'UPDATE', 'DELETE', 'LOAD'))
        case.expect(wrote >= 2 * sum(self.refused.values()) / 3,
                    f'{wrote} statements wrote, {self.refused} were refused')


class Trial:
    """See the module."""

    def __init__(self, case, seed, folder):
        self.case = case
        self.source = case.source
        self.target = case.target
        self.seed = seed
        self.folder = folder
        self.rng = random.Random(seed)
        self.plan = plan.Plan(self.rng, self.rng.choice((2, 3, 4, 5)))
        self.stopping = threading.Event()
        self.refused = collections.Counter()
        self.writers = []
        self.rows = 0
        self.seconds = 0
        self.flag = folder / 'hold-the-cutover'
        self.first_binlogs = {}
        self.refused_by_name = False
        self.last = ''

    def create(self):
        """Makes the tables; those that the server does not take are left out, and counted."""
        connection = self.source.connect()
        made = []
        with connection.cursor() as cursor:
            for sql in self.plan.schemas + ['USE fid']:
                cursor.execute(sql)
            cursor.execute("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
            for table in self.plan.tables:
                cursor.execute('SET sql_generate_invisible_primary_key = OFF')
                try:
                    for sql in table.before + [table.create()]:
                        cursor.execute(sql)
                    made.append(table)
                except pymysql.err.MySQLError as error:
                    self.take_refusal(error, table.create())
            self.plan.keep(made)
            for table in made:
                for sql in table.foreign_keys:
                    self.try_one(cursor, table, sql)
            for sql in self.plan.triggers() if made else ():
                self.try_one(cursor, None, sql)
        connection.close()

    def try_one(self, cursor, table, sql):
        """An ALTER that may be refused."""
        try:
            cursor.execute(sql)
        except pymysql.err.MySQLError as error:
            self.refused[error.args[0]] += 1

    def take_refusal(self, error, sql):
        """Counts what is known; anything else fails the seed."""
        if error.args[0] not in CREATE_REFUSALS:
            raise Failure(f'the server says {error.args} to\n{sql}')
        self.refused[error.args[0]] += 1

    def fill(self):
        """Rows to copy."""
        connection = self.source.connect(local_infile=True)
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00', "
                           'foreign_key_checks = 0')
            for table in self.plan.tables:
                for _ in range(ROWS // 10):
                    sql = statements.insert(self.rng, table, 20).replace('INSERT INTO', 'INSERT IGNORE INTO')
                    try:
                        cursor.execute(sql)
                    except pymysql.err.MySQLError as error:
                        if error.args[0] not in DATA_REFUSALS:
                            raise Failure(f'the server says {error.args} to\n{sql[:3000]}') from None
                        self.refused[error.args[0]] += 1
        connection.close()

    def settings(self):
        """Global ones, that differ from seed to seed."""
        rng = self.rng
        self.source.execute(f'SET GLOBAL binlog_row_metadata = {rng.choice(("MINIMAL", "FULL"))}',
                            'SET GLOBAL local_infile = ON')
        self.target.execute(f'SET GLOBAL local_infile = {rng.choice(("ON", "ON", "OFF"))}')

    def make_move(self):
        """The move, with many boundaries."""
        rng = self.rng
        names = ['.'.join('`' + part.replace('`', '``') + '`' for part in (t.schema, t.name))
                 for t in self.plan.tables]
        self.flag.touch()
        return self.case.move(
            tables=names, move='fidelity',
            copy={'readers': rng.choice((1, 2)), 'writers': rng.choice((1, 2)), 'chunk_bytes': '64KiB',
                  'chunk_rows': rng.choice((1, 5, 20, 100))},
            apply={'writers': rng.choice((1, 2, 3)), 'batch_rows': rng.choice((1, 10, 100, 1000)),
                   'batch_bytes': '64KiB' if rng.random() < 0.3 else '8MiB',
                   'batch_ms': rng.choice((1, 20, 200))},
            throttle={'max_lag_ms': 600000},
            cutover={'flag_file': str(self.flag), 'max_lag_ms': 60000, 'attempts': 20})

    def run(self):
        """All of it."""
        began = time.monotonic()
        for server in (self.source, self.target):
            server.execute('FLUSH BINARY LOGS')
            self.first_binlogs[server.role] = server.query('SHOW BINARY LOG STATUS')[0][0]
        self.settings()
        self.create()
        if not self.plan.tables:
            return
        self.fill()
        move = self.make_move()
        self.writers = [Writer(self, n) for n in range(2)]
        runner = move.start()
        try:
            for writer in self.writers:
                writer.start()
            wait_until(lambda: not runner.alive() or self.failed() or
                       (move.phase() == 'ready' and self.wrote_enough()), 'ready', 60)
            self.flag.unlink()
            self.check_writers()
            code = runner.wait(0, DATA, timeout_s=60)
        finally:
            self.stopping.set()
            for writer in self.writers:
                writer.join(30)
        self.check_writers()
        if code == DATA:
            self.check_refusal(runner)
        else:
            self.compare()
        self.seconds = time.monotonic() - began

    def check_refusal(self, runner):
        """The one that no definition foretells: a value with more digits than its DOUBLE(M,D)."""
        if 'holds a value with more digits' not in runner.text():
            raise Failure('the run ended with 7; its log ends:\n' + runner.tail())
        found = 0
        for table in self.plan.tables:
            for column in table.columns:
                real = re.match(r'(FLOAT|DOUBLE)\(\d+,(\d+)\)', column.type_sql)
                if real:
                    name = compare.quoted(column.name)
                    found += self.source.value(
                        f'SELECT COUNT(*) FROM {table.quoted} WHERE CAST({name} AS DOUBLE) <> '
                        f'CAST(ROUND(CAST({name} AS DOUBLE), {real[2]}) AS {real[1]})')
        if not found:
            raise Failure('a value with more digits is refused, the source has none:\n' + runner.tail())
        self.refused_by_name = True

    def summary(self):
        """One line of what it did."""
        if self.refused_by_name:
            return 'a value with more digits than its column was refused by name'
        done = sum(sum(w.done.values()) for w in self.writers)
        return (f'{len(self.plan.tables)} tables, {self.rows} rows, {done} statements, '
                f'{self.seconds:.1f} s')

    def failed(self):
        """Whether a writer met what it does not know."""
        return any(w.failure for w in self.writers)

    def check_writers(self):
        """Fails when a writer met what it does not know."""
        for writer in self.writers:
            if writer.failure:
                raise Failure(f'{writer.name}: {writer.failure}')

    def wrote_enough(self):
        """Whether the load was one."""
        return all(w.units >= UNITS_LEAST or not w.is_alive() for w in self.writers)

    def compare(self):
        """Row by row, byte by byte, and the definitions."""
        pairs = [((t.schema, f'_{t.name}_moved'), (t.schema, t.name)) for t in self.plan.tables]
        counts, differences = compare.compare(compare.address_of(self.source),
                                              compare.address_of(self.target), pairs)
        self.rows = sum(counts.values())
        if differences:
            for server in (self.source, self.target):
                self.keep_binlogs(server)
            raise Failure(f'source and target differ, their binlogs are in {self.folder}; '
                          f'{self.ask_replica(pairs)}:\n' +
                          '\n'.join(f'{d.table}: {d.what}' for d in differences))

    def change_values(self):
        """Each column of the target changed in one row: the comparison shows another text. How many were."""
        address = compare.address_of(self.target)
        connection = self.target.connect()
        changed = collections.Counter()
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', foreign_key_checks = 0, sql_log_bin = 0")
            for table in self.plan.tables:
                kinds = dict(compare.columns_of(address, table.schema, table.name))
                for column in table.written:
                    shown = ', '.join(compare.expressions(column.name, kinds[column.name]))
                    before = sorted(compare.ask(address, f'SELECT {shown} FROM {table.quoted}'))
                    if not self.change_one(cursor, table, column):
                        continue
                    changed[column.kind] += 1
                    if sorted(compare.ask(address, f'SELECT {shown} FROM {table.quoted}')) == before:
                        raise Failure(f'a comparison does not see {self.last}')
        connection.close()
        return changed

    def change_one(self, cursor, table, column):
        """Gives one row another value of the column; False when there is no row, or no other value."""
        for _ in range(8):
            self.last = f'UPDATE IGNORE {table.quoted} SET {compare.quoted(column.name)} = {column.value(self.rng)} LIMIT 1'
            try:
                if cursor.execute(self.last.encode('utf-8')):
                    return True
            except pymysql.err.MySQLError as error:
                if error.args[0] not in DATA_REFUSALS:
                    raise
        return False

    def ask_replica(self, pairs):
        """Whether the server's own replication made the same of the source's binlog as the move."""
        try:
            self.case.cluster.wait_replicated()
        except RuntimeError as error:
            return str(error)
        _, differences = compare.compare(compare.address_of(self.case.cluster.source_replica),
                                         compare.address_of(self.target), pairs)
        return "the source's replica " + ('differs from the target, too' if differences
                                          else 'is equal to the target')

    def keep_binlogs(self, server):
        """What either side wrote, raw and as text: a difference that hangs on timing may not come again."""
        address = compare.address_of(server)
        files = [row[0] for row in server.query('SHOW BINARY LOGS')
                 if row[0] >= self.first_binlogs[server.role]]
        command = ['mysqlbinlog', '--no-defaults', '--read-from-remote-server', f'--host={address.host}',
                   f'--port={address.port}', f'--user={address.user}', '--get-server-public-key']
        environment = dict(os.environ, MYSQL_PWD=address.password)
        subprocess.run(command + ['--raw', f'--result-file={self.folder}/{server.role}.', *files],
                       env=environment, check=True)
        with open(self.folder / f'{server.role}.binlog.txt', 'wb') as out:
            subprocess.run(command + ['--verbose', '--verbose', '--base64-output=decode-rows', *files],
                           stdout=out, env=environment, check=True)
