"""Applying a backlog of changes, beside a native replica with four workers."""
import os
import random
import subprocess
import time

from lab import Meter, say

TABLES = 4


class Backlog:
    """A kind of change: what it is, and its statements, a transaction a line."""

    def __init__(self, title, changes, lines):
        self.title = title
        self.changes = changes  # row changes in all
        self.lines = lines      # None: the loader makes them


def digits(chance, length):
    """Text as the loader's."""
    return str(chance.randrange(10 ** length)).rjust(length, '7')


def backlogs(options):
    """Every kind, made when asked for."""
    chance = random.Random(1)
    rows, count = options.apply_rows, options.changes

    def some_table():
        return f'bench.a{chance.randrange(TABLES) + 1}'

    def single():
        return Backlog('single-row transactions', count, None)

    def bulk():
        size = min(1000, rows)
        lines = []
        for _ in range(max(1, count // size)):
            first = chance.randrange(rows - size + 1) + 1
            lines.append(f"UPDATE {some_table()} SET k = k + 1, c = '{digits(chance, 100)}' "
                         f'WHERE id BETWEEN {first} AND {first + size - 1};\n')
        return Backlog(f'updates of {size} rows', len(lines) * size, lines)

    def hot():
        return Backlog('updates of one row', count,
                       ['UPDATE bench.a1 SET k = k + 1 WHERE id = 1;\n'] * count)

    def insert():
        return Backlog('single-row inserts', count, [
            f"INSERT INTO bench.a{n % TABLES + 1} VALUES ({rows + n + 1}, {chance.randrange(rows)},"
            f" '{digits(chance, 100)}', '{digits(chance, 50)}');\n" for n in range(count)])

    def delete():
        order = [(table, row) for table in range(1, TABLES + 1) for row in range(1, rows + 1)]
        chance.shuffle(order)
        chosen = order[:count]
        return Backlog('single-row deletes', len(chosen), [
            f'DELETE FROM bench.a{table} WHERE id = {row};\n' for table, row in chosen])

    def large():
        passes = max(1, options.backlog_mib * 2 ** 20 // (2 * 200 * rows * TABLES))
        lines = [f'UPDATE bench.a{table} SET k = k + 1;\n'
                 for _ in range(passes) for table in range(1, TABLES + 1)]
        return Backlog(f'a backlog of {options.backlog_mib} MiB in {len(lines)} transactions',
                       passes * rows * TABLES, lines)

    return {'single': single, 'bulk': bulk, 'hot': hot, 'insert': insert, 'delete': delete,
            'large': large}


KINDS = ('single', 'bulk', 'hot', 'insert', 'delete', 'large')


def wait_position(lab, run, executed):
    """Until the checkpoint covers the backlog; the seconds since the tool's start."""
    while run.running():
        rows = lab.target.query('SELECT position FROM move_tables.move')
        if rows and lab.target.value(f"SELECT GTID_SUBSET('{executed}', '{rows[0][0]}')") == 1:
            return time.monotonic() - run.start
        time.sleep(0.02)
    run.wait()
    return run.seconds


def by_tool(lab, case, tables, changes, executed):
    """From the state after the copy to the end of the backlog."""
    lab.target.stop()
    lab.target.copy_from(lab.target.data + '.ready')
    lab.target.start()
    meter = Meter(lab.source, lab.target)
    # Often saved: the end of the backlog is seen in the checkpoint.
    run = lab.start_tool(tables, interval_ms=100)
    seconds = wait_position(lab, run, executed)
    cpu_s = meter.read()
    run.wait()
    lab.told(case, 'move-tables', changes, seconds, [run.cpu_s, *cpu_s], rss_mib=run.rss_mib)


def by_replica(lab, case, replica, changes, executed):
    """A replica of the same source, at the same place, with four workers."""
    replica.stop()
    replica.copy_from(replica.data + '.ready')
    replica.start()
    replica.query(f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', "
                  f"SOURCE_PORT={lab.source.port}, SOURCE_USER='root', SOURCE_PASSWORD='', "
                  'SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1')
    before = transactions(replica.executed())
    whole = transactions(executed) - before
    meter = Meter(lab.source, replica)
    start = time.monotonic()
    replica.query('START REPLICA')
    replica.query(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{executed}', "
                  f'{lab.options.replica_seconds})')
    done = transactions(replica.executed()) - before
    seconds = time.monotonic() - start
    cpu_s = meter.read()
    if done <= 0:
        raise SystemExit(f'bench: the replica did nothing: {replica.query("SHOW REPLICA STATUS")}')
    replica.query('STOP REPLICA')
    lab.told(case, 'replica, 4 workers', changes * done / whole, seconds, [None, *cpu_s])
    replica.stop()


def transactions(gtids):
    """How many a GTID set names."""
    count = 0
    for interval in (part for source in gtids.split(',') for part in source.split(':')[1:]):
        if not interval[0].isdigit():
            continue  # a tag
        first, _, last = interval.partition('-')
        count += int(last or first) - int(first) + 1
    return count


def checksum(server, name):
    """A sum over a table that does not depend on the order."""
    return server.query(f'SELECT COUNT(*), SUM(CRC32(CONCAT_WS("#", id, k, c, pad))) FROM {name}')


def keep_ready(server):
    """The state that every run begins with."""
    server.stop()
    subprocess.run(['rm', '-rf', server.data + '.ready'], check=True)
    subprocess.run(['cp', '-a', server.data, server.data + '.ready'], check=True)
    server.start()


def prepare(lab, replica):
    """Four tables, moved until ready; the replica is a copy of the source."""
    rows = lab.options.apply_rows
    lab.forget_source()
    lab.empty_target()
    say(f'filling {TABLES} tables with {rows} rows each, and moving them')
    names = [f'bench.a{n + 1}' for n in range(TABLES)]
    for name in names:
        lab.fill(name, rows, True)
    lab.start_tool(names).wait()
    keep_ready(lab.target)
    if replica is not None:
        keep_ready(lab.source)
        subprocess.run(['rm', '-rf', replica.data + '.ready'], check=True)
        os.rename(lab.source.data + '.ready', replica.data + '.ready')
    return names


def make_backlog(lab, backlog):
    """On the source, without durability."""
    say(f'making the backlog: {backlog.title}, {backlog.changes} changes')
    with lab.quickly(lab.source):
        if backlog.lines is None:
            lab.load(lab.source, 'update', 8, backlog.changes, 'bench.a', TABLES,
                     lab.options.apply_rows)
        else:
            path = os.path.join(lab.folder, 'backlog.sql')
            with open(path, 'w', encoding='ascii') as out:
                out.writelines(backlog.lines)
            # One after another where all change the same row: more would only wait for it.
            lab.load(lab.source, 'sql', 1 if len(set(backlog.lines)) == 1 else 4, path, '-')
    lab.source.settle()


def measure(lab):
    """Every kind that was asked for."""
    options = lab.options
    replica = lab.server('replica', 2) if options.replica else None
    for kind in options.kinds or ['single']:
        backlog = backlogs(options)[kind]()
        case = f'apply, {backlog.title}'
        names = prepare(lab, replica)
        make_backlog(lab, backlog)
        executed = lab.source.executed()
        for _ in range(options.runs):
            if replica is not None:
                by_replica(lab, case, replica, backlog.changes, executed)
            by_tool(lab, case, names, backlog.changes, executed)
        for name in names:
            if checksum(lab.source, name) != checksum(lab.target, name):
                raise SystemExit(f'bench: {name} differs')
        lab.tables.append(lab.report.table(
            case, 'changes/s', 'replica, 4 workers' if replica is not None else 'move-tables'))
