"""The ways through the tool that between them reach every failpoint.

A path is a situation and a command that is given again and again until it is through: the command
dies where it is told, is given once more, and in the end all must be as if it had never died.
"""

import json

from movetest import shop
from movetest.tool import CHECKPOINT, CUTOVER, FAILED, FAILPOINT, OK, Failure, merged

ORDERS = 1500
TICKETS = 'shop.tickets'


class Path:
    """A move in automatic mode under write load: what the other paths begin with."""

    name = 'move'
    changes = {}
    codes = (OK,)

    def __init__(self, t, random):
        self.t = t
        self.random = random
        t.cluster.clean()
        t.shop(ORDERS)
        # Nobody writes to it: what its AUTO_INCREMENT should be is not in the stream.
        t.source.execute(f'CREATE TABLE {TICKETS} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY)',
                         f'INSERT INTO {TICKETS} VALUES (1), (2), (3)')
        self.hook = t.receiver()
        self.hook.on('before_cutover', lambda _: self.raise_auto_increment())
        self.hook.on('completed', self.expect_drained)
        self.load = t.load(workers=2, rate=40, survive_rename=True)
        # Written by now, so that no point is missed for want of a change.
        t.wait(lambda: self.load.committed > 5, 'a few transactions')
        self.move = t.move(tables=[*shop.TABLES, TICKETS], hook=self.hook,
                           **merged({'copy': {'chunk_bytes': '64KiB'},
                                     'checkpoint': {'interval_ms': 50}}, self.changes))
        self.begin()

    def begin(self):
        """What happened before the command that dies."""

    def raise_auto_increment(self):
        """On the source only: an INSERT that is rolled back counts, and is in no binlog."""
        number = 1000 * (1 + len(self.hook.requests('before_cutover')))
        self.t.hold(self.t.source, f'INSERT INTO {TICKETS} VALUES ({number})').rollback()

    def expect_drained(self, request):
        """When `completed` arrives: drained is stored, and what was committed is there."""
        phase = self.move.phase()
        self.t.expect(phase in ('drained', 'completing', 'completed'),
                      f'completed arrived in phase {phase}')
        for worker in self.load.workers:
            committed = worker.ticks
            found = self.t.target.value('SELECT tick FROM shop.customers WHERE code = %s',
                                        (worker.code,))
            self.t.expect(found is not None and found >= committed,
                          f'completed arrived when the target had {found} of the {committed} '
                          f'transactions of {worker.code}: {json.loads(request.body)["id"]}')

    def go(self, failpoint=None, environment=None):
        """The command once; its exit code."""
        runner = self.move.start(*self.options(), failpoint=failpoint, environment=environment)
        return runner.wait(FAILPOINT, *self.codes, timeout_s=60)

    def options(self):
        """Of the command."""
        return ()

    def finish(self):
        """The command until it is through."""
        for _ in range(3):
            if self.go() == OK:
                return
        raise Failure('the command does not come to its end')

    def verify(self):
        """All is as it should be."""
        self.load.stop()
        self.t.expect_moved(self.move, self.load)
        # After a crash between RENAME and drained the rows are those of the RENAME.
        self.t.expect_hooks(self.move, self.hook, exact_rows=False)

    def end(self):
        """Ends what it started."""
        self.move.end()
        self.load.stopping.set()
        self.hook.down()


class Deferred(Path):
    """Two tables are made without their secondary indexes."""

    name = 'deferred'
    changes = {'copy': {'defer_indexes': True}}

    def verify(self):
        super().verify()
        for table, name in (('orders', 'customer'), ('items', 'sku')):
            found = self.t.target.value(
                'SELECT COUNT(DISTINCT index_name) FROM information_schema.statistics WHERE '
                "table_schema = 'shop' AND table_name = %s AND index_name = %s", (table, name))
            self.t.expect(found == 1, f'index {name} of shop.{table} is missing')


class Triggers(Path):
    """The target gets the source's triggers, between drained and `completed`."""

    name = 'triggers'
    changes = {'cutover': {'triggers': 'create'}}
    trust = 'SET GLOBAL log_bin_trust_function_creators = '

    def begin(self):
        self.t.target.execute(self.trust + 'ON')
        # The target's mover needs no more for those of its own account.
        self.t.source.execute(*(f"CREATE DEFINER = 'mover'@'%' TRIGGER shop.{name} BEFORE INSERT ON "
                                f'{TICKETS} FOR EACH ROW SET @{name} = 1' for name in ('b', 'a')))

    def triggers(self):
        """Of the target, in their order."""
        return [name for (name,) in self.t.target.query(
            "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop' "
            'ORDER BY ACTION_ORDER')]

    def expect_drained(self, request):
        super().expect_drained(request)
        self.t.expect(self.triggers() == ['b', 'a'], f'completed arrived with {self.triggers()}')

    def verify(self):
        super().verify()
        self.t.expect(self.triggers() == ['b', 'a'], f'the triggers are {self.triggers()}')

    def end(self):
        super().end()
        self.t.target.execute(self.trust + 'OFF')


class Command(Path):
    """The cutover is asked for by an operator, once. If that is lost, the run waits for ever."""

    name = 'command'
    changes = {'cutover': {'mode': 'manual'}}

    def begin(self):
        self.move.run(options=('--until', 'ready'))
        self.move.command('cutover', '--no-wait')


class Recover(Path):
    """An earlier run ended in the middle of a cutover."""

    name = 'recover'

    def begin(self):
        where = self.random.choice(['rename-sent', 'rename-done', 'drain-reached'])
        self.move.run(FAILPOINT, failpoint=where)


class Undo(Path):
    """The drain does not end in time: the tables are renamed back. The attempt after it does it."""

    name = 'undo'
    changes = {'cutover': {'drain_timeout_s': 1}}
    codes = (OK, CUTOVER)

    def begin(self):
        self.release = self.t.stall_drain(self.move, self.hook)

    def go(self, failpoint=None, environment=None):
        runner = self.move.start(failpoint=failpoint, environment=environment)
        # Stalled until the undo is stored: from then on nothing must be in the way.
        self.t.wait(lambda: not runner.alive() or self.is_undone(), 'the undo')
        if self.is_undone():
            self.release()
        return runner.wait(FAILPOINT, *self.codes, timeout_s=60)

    def is_undone(self):
        """Whether an attempt was begun and taken back."""
        return self.move.phase() == 'ready' and self.move.attempt() > 0

    def finish(self):
        self.release()
        super().finish()


class Fresh(Path):
    """A move that is ready is discarded and begun again."""

    name = 'fresh'
    codes = (OK, CHECKPOINT)

    def begin(self):
        self.move.run(options=('--until', 'ready'))
        self.discard = True

    def options(self):
        return ('--fresh', '--yes') if self.discard else ()

    def finish(self):
        # Whoever runs it without the option goes on, or is told that the tables are gone.
        self.discard = self.random.random() < 0.5
        if self.go() != OK:
            self.t.expect_text(self.move.runners[-1].text(), 'run --fresh')
            self.discard = True
            super().finish()


class Clean(Path):
    """What a completed move left is dropped."""

    name = 'clean'

    def begin(self):
        self.move.run()
        super().verify()
        self.rows = self.counts()

    def counts(self):
        """Rows of every moved table on the target."""
        return {name: self.t.target.value(f'SELECT COUNT(*) FROM {name}')
                for _, name in self.move.pairs()}

    def go(self, failpoint=None, environment=None):
        variables = dict(environment or {}, MOVE_TABLES_FAILPOINT=failpoint or '')
        result = self.move.command('clean', '--yes', codes=(OK, FAILED, FAILPOINT),
                                   environment=variables)
        if result.code == FAILED:
            self.t.expect_text(result.text, 'nothing to clean')
        return FAILPOINT if result.code == FAILPOINT else OK

    def verify(self):
        for name, _ in self.move.pairs():
            moved = self.t.moved_name(self.move, name)
            self.t.expect(not self.t.source.table_exists(moved), f'{moved} is left')
        of_moves = self.t.target.query("SELECT table_name, 'move' FROM information_schema.columns "
                                       "WHERE table_schema = 'move_tables' "
                                       "AND column_name = 'move'")
        self.t.expect(len(of_moves) > 3, f'tables of the checkpoint: {of_moves}')
        for table, column in (('move', 'name'), *of_moves):
            left = self.t.target.value(f'SELECT COUNT(*) FROM move_tables.{table} '
                                       f'WHERE {column} = %s', (self.move.name,))
            self.t.expect(left == 0, f'{left} rows of move_tables.{table} are left')
        self.t.expect(self.counts() == self.rows, f'{self.rows} rows became {self.counts()}')


PATHS = (Path, Deferred, Triggers, Command, Recover, Undo, Fresh, Clean)
