"""Cases of a scenario: registered with @case, run by main().

A case gets a Case: clean servers, a folder, and everything that the other
modules make, ended for it when it is over, passed or failed.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time
import traceback

from . import cluster as clusters
from . import compare, proxy, receiver, shop
from .tool import Failure, Move, wait_until

_CASES = []


# Without MT_TEST_FULL so many of a scenario's sampled cases are run.
SAMPLED = 2
_SAMPLED_CASES = set()
_PARTED_CASES = set()


def case(title, sampled=False, parted=False):
    """Registers a function as a case.

    Of the sampled ones a printed seed chooses some. A parted one takes in_part() of what it goes
    through, so that several calls can share it.
    """
    def register(function):
        _CASES.append((function.__name__, title, function))
        if sampled:
            _SAMPLED_CASES.add(function.__name__)
        if parted:
            _PARTED_CASES.add(function.__name__)
        return function
    return register


def in_part(items):
    """Those of a list that are this call's: with MT_TEST_PART=2/3 the 2nd, 5th, …; else all."""
    number, count = map(int, os.environ.get('MT_TEST_PART', '1/1').split('/'))
    if not 1 <= number <= count:
        raise ValueError(f'MT_TEST_PART is {number}/{count}')
    return list(items)[number - 1::count]


def seed_of_sample():
    """MT_TEST_SEED, or a random number; printed."""
    seed = int(os.environ.get('MT_TEST_SEED') or random.randrange(1 << 32))
    print(f'  MT_TEST_SEED={seed}', flush=True)
    return seed


def left_out():
    """Names of the sampled cases that this call does not run."""
    if os.environ.get('MT_TEST_FULL') or len(_SAMPLED_CASES) <= SAMPLED:
        return set()
    chosen = random.Random(seed_of_sample()).sample(sorted(_SAMPLED_CASES), SAMPLED)
    print('  of ' + ', '.join(sorted(_SAMPLED_CASES)) + ' only ' + ', '.join(chosen) +
          ' (MT_TEST_FULL=1: all)', flush=True)
    return _SAMPLED_CASES - set(chosen)


class Case:
    """What one case works with."""

    def __init__(self, cluster, folder, options):
        self.cluster = cluster
        self.options = options  # the command line's
        self.source = cluster.source
        self.target = cluster.target
        self.folder = pathlib.Path(folder)
        self.moves = []
        self.loads = []
        self.receivers = []
        self.connections = []
        self.proxies = []

    @staticmethod
    def say(text):
        """One line of what happens."""
        print(f'    {text}', flush=True)

    @staticmethod
    def expect(condition, text):
        """Fails the case with the text unless the condition holds."""
        if not condition:
            raise Failure(text)

    def expect_text(self, where, *words):
        """Every word has to be in a message."""
        for word in words:
            self.expect(word.lower() in where.lower(), f'"{word}" is not in:\n{where}')

    @staticmethod
    def wait(condition, what, timeout_s=60, every_s=0.03):
        """See tool.wait_until()."""
        return wait_until(condition, what, timeout_s, every_s)

    # --- things that are ended for the case -----------------------------------

    def move(self, tables=shop.TABLES, hook=None, **changes):
        """A Move with its file written; hook is a Receiver to send every event to."""
        if hook is not None:
            changes.setdefault('hooks', [{'url': hook.url, 'secret': hook.secret,
                                          'timeout_ms': 5000}])
        made = Move(self.folder, self.cluster, tables, changes)
        self.moves.append(made)
        return made

    def receiver(self, **options):
        """A hook receiver that listens; options as of receiver.Receiver."""
        made = receiver.Receiver(**options)
        self.receivers.append(made)
        return made

    def proxy(self, server):
        """A Proxy before a server: its host and port go into the move's file."""
        made = proxy.Proxy(server)
        self.proxies.append(made)
        return made

    def shop(self, orders):
        """The three tables, seeded."""
        shop.create(self.source)
        if orders:
            shop.seed(self.source, orders)
        self.orders = orders

    def load(self, **options):
        """Starts to write to the shop; the seed of its random numbers is printed."""
        made = shop.Load(self.source, self.orders, **options)
        self.say(f'writing: {len(made.workers)} connections, seed {made.seed_value}')
        self.loads.append(made)
        return made.start()

    def connection(self, server, **options):
        """A connection that is closed at the end."""
        made = server.connect(**options)
        self.connections.append(made)
        return made

    def hold(self, server, *statements):
        """Runs statements in a transaction that stays open; the connection ends it."""
        made = self.connection(server, autocommit=False)
        with made.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        return made

    def stall_drain(self, move, hook):
        """From the next RENAME on a change cannot be applied; returns how to let it pass.

        Inside the gate a row of the target is locked, and a transaction of the source that
        changes the same row stays open: RENAME has to wait for it, nothing lags yet. When RENAME
        waits, the transaction commits: its change is in the drain, and stuck.

        The row is one that no load writes to: a change of it before RENAME would be stuck, too,
        and nothing be renamed at all. To be called before the move begins.
        """
        held = []
        where = "WHERE code = 'stalled'"
        self.source.execute("INSERT INTO shop.customers (code, email) "
                            "VALUES ('stalled', 'stalled@shop.example')")

        def commit_when_rename_waits(transaction):
            try:
                wait_until(lambda: self.rename_waits(move) or not move.runners[-1].alive(),
                           'RENAME to wait for the open transaction')
                transaction.commit()
            except Exception as error:  # pylint: disable=broad-except
                hook.failures.append(repr(error))

        def at_gate(_):
            if held:
                return
            held.append(self.hold(self.target,
                                  f'SELECT * FROM shop.customers {where} FOR UPDATE'))
            transaction = self.hold(self.source,
                                    f'UPDATE shop.customers SET rating = 7 {where}')
            threading.Thread(target=commit_when_rename_waits, args=(transaction,),
                             daemon=True).start()

        hook.on('before_cutover', at_gate)
        return lambda: held[0].rollback()

    def count_on(self, load):
        """Ends the load, and orders counts on without a row that tells of it: to be carried over.

        For the gate: what is written after it would bring the count with it.
        """
        load.stop()
        self.hold(self.source, 'INSERT INTO shop.orders (id, customer, items, total, placed_at) '
                  "VALUES (90000000, 'nobody', 0, 0, NOW())").rollback()

    def rename_waits(self, move=None):
        """Whether a RENAME of the move waits for locks on the source."""
        user = move.config['source']['user'] if move else 'mover'
        return any(state == 'Waiting for table metadata lock'
                   for _, state in self.source.sessions(user))

    def end_moves(self):
        """Ends its moves, and forgets them: the next one may have the same name."""
        for item in self.moves:
            item.end()
        self.moves.clear()

    def end(self):
        """Ends all of it."""
        for item in self.moves:
            item.end()
        for item in self.loads:
            item.stopping.set()
        for item in self.receivers:
            item.down()
        for item in self.proxies:
            item.close()
        for item in self.connections:
            try:
                item.close()
            except Exception:  # pylint: disable=broad-except
                pass  # closed already, or its server is gone

    # --- what must be true in the end --------------------------------------------

    def moved_name(self, move, table):
        """schema.table after the RENAME."""
        schema, name = table.split('.', 1)
        form = move.config.get('cutover', {}).get('moved_name', '_{table}_moved')
        return f'{schema}.{form.replace("{table}", name)}'

    def compare(self, move, moved=True):
        """Source and target are equal, byte by byte."""
        pairs = []
        for source_table, target_table in move.pairs():
            name = self.moved_name(move, source_table) if moved else source_table
            pairs.append((tuple(name.split('.', 1)), tuple(target_table.split('.', 1))))
        counts, differences = compare.compare(compare.address_of(self.source),
                                              compare.address_of(self.target), pairs,
                                              definitions=moved)
        if differences:
            raise Failure('source and target differ:\n' +
                          '\n'.join(f'{d.table}: {d.what}' for d in differences))
        self.say('equal: ' + ', '.join(f'{name} {rows} rows' for name, rows in counts.items()))
        return counts

    def expect_moved(self, move, load=None):
        """The move is completed: phase, names, rows, invariant, nothing lost."""
        self.expect(move.phase() == 'completed', f'the phase is {move.phase()}')
        for source_table, _ in move.pairs():
            self.expect(not self.source.table_exists(source_table),
                        f'{source_table} is still on the source')
        counts = self.compare(move)
        if load is not None:
            load.stop()
            lost = load.lost(self.target)
            self.expect(not lost, 'writes are lost: ' + '; '.join(lost))
            self.say(f'all {load.committed} transactions are on the target')
        if set(shop.TABLES) <= {target for _, target in move.pairs()}:
            wrong = shop.broken(self.target)
            self.expect(not wrong, 'the invariant is broken on the target: ' + '; '.join(wrong))
        return counts

    def expect_not_moved(self, move):
        """Nothing on the source has changed its name."""
        for source_table, _ in move.pairs():
            self.expect(self.source.table_exists(source_table),
                        f'{source_table} is gone from the source')
            moved = self.moved_name(move, source_table)
            self.expect(not self.source.table_exists(moved), f'{moved} is on the source')

    def expect_hooks(self, move, hook, completed=True, exact_rows=True):
        """Requests are well formed and signed, and tell one story.

        After a crash between RENAME and drained the rows are those of the RENAME: exact_rows is
        False there.
        """
        wrong = []
        for request in hook.requests():
            wrong += receiver.check_request(request, hook.secret, move.name, move.pairs())
        wrong += receiver.check_story(hook.requests())
        if completed:
            done = hook.requests('completed')
            if not done:
                wrong.append('there was no completed')
            for request in done:
                rows = {t['to']: t['rows'] for t in json.loads(request.body)['data']['tables']}
                for name, count in rows.items():
                    table = clusters.quote_table(name)
                    found = self.target.value(f'SELECT COUNT(*) FROM {table}')
                    if exact_rows and found != count:
                        wrong.append(f'completed says {count} rows of {name}, there are {found}')
        wrong += hook.failures
        self.expect(not wrong, 'hooks: ' + '; '.join(wrong) + f' (events: {hook.events()})')


def main(add_arguments=None):
    """Runs the cases of this scenario, or those named on the command line.

    add_arguments(parser) adds options of the scenario's own: a case finds them in t.options.
    """
    folder = pathlib.Path(sys.argv[0]).resolve().parent
    parser = argparse.ArgumentParser(description=f'integration scenario {folder.name}')
    parser.add_argument('cases', nargs='*', help='only these cases')
    parser.add_argument('--list', action='store_true', help='the cases and what they show')
    if add_arguments is not None:
        add_arguments(parser)
    options = parser.parse_args()
    if options.list:
        for name, title, _ in _CASES:
            print(f'{name}: {title}')
        return
    unknown = set(options.cases) - {name for name, _, _ in _CASES}
    if unknown:
        parser.error('no such case: ' + ', '.join(sorted(unknown)))
    without = set() if options.cases else left_out()
    without |= {name for name, _, _ in _CASES} - _PARTED_CASES - \
        set(in_part(name for name, _, _ in _CASES if name not in _PARTED_CASES))
    cluster = clusters.attach()
    failed, passed = [], 0
    for name, title, function in _CASES:
        if name in without or (options.cases and name not in options.cases):
            continue
        if run_one(cluster, f'{folder.name}/{name}', title, function, options):
            passed += 1
        else:
            failed.append(name)
    if failed:
        print('failed: ' + ' '.join(failed))
    print(f'{passed} passed, {len(failed)} failed', flush=True)
    sys.exit(1 if failed else 0)


def run_one(cluster, name, title, function, options):
    """One case with clean servers; True when it passed."""
    print(f'  {name}: {title}', flush=True)
    began = time.monotonic()
    work = tempfile.mkdtemp(prefix='move-tables-case-', dir=os.environ.get('MT_SCRATCH'))
    made = None
    try:
        cluster.clean()
        made = Case(cluster, work, options)
        function(made)
    except KeyboardInterrupt:
        made.end()
        raise
    except Exception as error:  # pylint: disable=broad-except
        print(f'  FAILED {name}: {error}', flush=True)
        if not isinstance(error, Failure):
            traceback.print_exc(file=sys.stdout)
        for move in made.moves if made else ():
            for runner in move.runners[-2:]:
                print(f'    {runner.log} ends:\n{runner.tail(15)}')
        print(f'    its files are in {work}', flush=True)
        return False
    finally:
        if made is not None:
            made.end()
    shutil.rmtree(work, ignore_errors=True)
    print(f'  passed in {time.monotonic() - began:.1f} s', flush=True)
    return True
