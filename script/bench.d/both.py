"""Copying while the application writes: how much of the idle speed is left, and the lag.

The servers and the load share the cores with the copy, so that something is lost to whatever
copies. What is: the bare loader beside the same load on the source, without anything that applies
it, and with the same number of changes written to the target by multi-row REPLACE.
"""
import contextlib
import signal
import subprocess
import time

import pymysql

from lab import COLUMNS, Meter, say

TABLE = 'bench.t'
CONNECTIONS = 2
ROWS_A_CHANGE = 4
ROWS_A_PUT = 200


def steady(lab, table, rate, rows, rows_a_transaction):
    """Starts the load; end it with ended()."""
    return subprocess.Popen([lab.loader, str(lab.source.port), 'steady', '4', str(rate), table,
                             str(rows), str(rows_a_transaction)], stdout=subprocess.PIPE,
                            text=True)


def ended(load):
    """(changes, seconds, real time of the last answer) of a load; stops it if it still runs."""
    load.send_signal(signal.SIGTERM)
    out, _ = load.communicate(timeout=60)
    changes, seconds, last = out.split()
    return int(changes), float(seconds), float(last)


@contextlib.contextmanager
def under_load(lab, rate):
    """The application's writes meanwhile."""
    if not rate:
        yield
        return
    load = steady(lab, TABLE, rate, lab.options.rows, ROWS_A_CHANGE)
    try:
        yield
    finally:
        done = ended(load)
    say(f'the load made {done[0] / done[1]:.0f} changes/s')


@contextlib.contextmanager
def putting(lab, rate):
    """As many changes on the target, in transactions of many rows."""
    if not rate:
        yield
        return
    puts = subprocess.Popen([lab.loader, str(lab.target.port), 'put', '1', str(rate), TABLE,
                             str(lab.options.rows), str(ROWS_A_PUT)], stdout=subprocess.PIPE,
                            text=True)
    try:
        yield
    finally:
        done = ended(puts)
    say(f'REPLACE wrote {done[0] / done[1]:.0f} rows/s')


def lags(lab, run):
    """The lags that the checkpoint told while the run copied, in ms."""
    found = []
    while run.running():
        try:
            rows = lab.target.query('SELECT phase, lag_ms FROM move_tables.move')
        except pymysql.err.MySQLError:
            rows = ()
        if rows and rows[0][0] != 'copying':
            break
        if rows and rows[0][1] is not None:
            found.append(int(rows[0][1]))
        time.sleep(0.1)
    return found


def by_tool(lab, case, rate):
    """One copy under so many changes a second; rows/s."""
    rows = lab.options.rows
    lab.empty_target()
    with under_load(lab, rate):
        meter = Meter(lab.source, lab.target)
        run = lab.start_tool([TABLE], interval_ms=100)
        found = lags(lab, run)
        run.wait()
        cpu_s = [run.cpu_s, *meter.read()]
    way = f'move-tables, {rate} changes/s' if rate else 'move-tables'
    lab.told(case, way, rows, run.copy_seconds(), cpu_s, rss_mib=run.rss_mib,
             lag_ms=max(found) if found else None)
    return way, rows / run.copy_seconds()


def by_loader(lab, case, rate, put_rate):
    """The reference; rows/s."""
    rows = lab.options.rows
    lab.empty_target([f'CREATE TABLE {TABLE} ({COLUMNS}, KEY (k))'])
    with under_load(lab, rate), putting(lab, put_rate):
        meter = Meter(None, lab.target)
        seconds, cpu_s = lab.load(lab.target, 'load', CONNECTIONS, rows, TABLE)
        cpu_s = [cpu_s, *meter.read()]
    way = (f'loader, {CONNECTIONS} connections' + (f', {rate} changes/s' if rate else '')
           + (' and REPLACE' if put_rate else ''))
    lab.told(case, way, rows, seconds, cpu_s)
    return way, rows / seconds


def measure(lab):
    """A B A B."""
    lab.forget_source()
    lab.fill(TABLE, lab.options.rows, True)
    lab.source.settle()
    case = 'copy under load, with a secondary index'
    rate = lab.options.rate
    for _ in range(lab.options.runs):
        _, idle = by_loader(lab, case, 0, 0)
        for put_rate in (0, rate):
            way, left = by_loader(lab, case, rate, put_rate)
            lab.report.add(case, way, kept=100 * left / idle)
        _, idle = by_tool(lab, case, 0)
        way, left = by_tool(lab, case, rate)
        lab.report.add(case, way, kept=100 * left / idle)
    lab.tables.append(lab.report.table(case, 'rows/s', f'loader, {CONNECTIONS} connections', [
        ('kept', '% of its idle speed'), ('lag_ms', 'highest lag ms')]))
