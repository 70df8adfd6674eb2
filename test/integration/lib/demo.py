"""The part of script/demo that talks to the servers: from the seed to the summary."""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

from movetest import cluster as clusters
from movetest import compare, receiver, shop
from movetest.tool import BINARY, Move

FOLLOW_S = 3  # how long the move follows the writes before it is cut over


class DemoError(Exception):
    """The demo can't go on; the text says why."""


def step(text):
    """A numbered headline."""
    print(f'\n\033[1m{text}\033[0m' if sys.stdout.isatty() else f'\n{text}', flush=True)


def say(text):
    """A line under it."""
    print(f'   {text}', flush=True)


def number(value):
    """1,234,567"""
    return f'{value:,}'


def live():
    """On a terminal the tool's own display is shown."""
    return sys.stderr.isatty() and sys.stdout.isatty()


def for_people(line):
    """A log line without date, and progress as a sentence."""
    found = re.match(r'\S+T(\d\d:\d\d:\d\d)\S*\s+(\w+)\s+(\w+)\s+(.*)', line)
    if not found:
        return line
    clock, level, component, rest = found.groups()
    if component == 'progress':
        facts = dict(re.findall(r'(\w+)=(\S+)', rest))
        try:
            done, whole = int(facts['rows']), int(facts['rows_estimated'])
            rest = f'{facts["phase"]}: '
            if facts['phase'] == 'copying':
                rest += (f'{number(done)} of about {number(max(whole, done))} rows, '
                         f'{number(int(facts["rows_per_s"]))} rows/s; ')
            rest += f'{number(int(facts["changes"]))} changes applied'
        except (KeyError, ValueError):
            pass
    rest = rest.replace('phase phase=', 'phase ')
    return f'{clock} {"" if level == "info" else level + " "}{component}: {rest}' \
        if component != 'progress' else f'{clock} {rest}'


class Demo:
    """One run of it."""

    def __init__(self, options):
        self.cluster = clusters.Cluster(options.port_base)
        self.source, self.target = self.cluster.source, self.cluster.target
        self.folder = pathlib.Path(options.folder)
        self.orders = options.orders
        self.hook = receiver.Receiver()
        self.load = None
        self.move = None
        self.run_s = 0

    def seed(self):
        """Three tables, and an application that writes to all of them."""
        step('3. A shop: customers (text key), orders (number), items (two columns)')
        shop.create(self.source)
        shop.seed(self.source, self.orders)
        for table in shop.TABLES:
            say(f'{table:<16} {number(self.count(self.source, table)):>9} rows')
        self.load = shop.Load(self.source, self.orders, workers=4, rate=40).start()
        say('4 connections write to it from now on, in transactions over all three tables')

    @staticmethod
    def count(server, table):
        """Rows of a table."""
        return server.value(f'SELECT COUNT(*) FROM {table}')

    def write_file(self):
        """The move's YAML."""
        step('4. The move')
        self.move = Move(self.folder, self.cluster, shop.TABLES, {
            'move': 'demo', 'copy': None, 'apply': None, 'checkpoint': None, 'connect': None,
            'cutover': None,
            'hooks': [{'url': self.hook.url, 'secret_env': 'HOOK_SECRET'}],
        })
        os.environ['HOOK_SECRET'] = self.hook.secret
        for line in self.move.path.read_text(encoding='utf-8').splitlines():
            say('  ' + line)

    def run(self):
        """`run` in the foreground; a thread gives the cutover command when it is ready."""
        step('5. move-tables run demo.yaml')
        failed = []

        def operator():
            try:
                self.cut_over(process)
            except Exception as error:  # pylint: disable=broad-except
                failed.append(error)

        began = time.monotonic()
        log = self.folder / 'run.log'
        command = [BINARY, 'run', str(self.move.path), '--progress-interval', '3']
        # On a terminal the real display, and its log beside it.
        if live():
            process = subprocess.Popen(command)
        else:
            with open(log, 'wb') as out:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=out,
                                           stdout=out)
        thread = threading.Thread(target=operator, daemon=True)
        thread.start()
        shown = threading.Event()
        tail = None
        if log.exists():
            tail = threading.Thread(target=self.follow, args=(log, shown), daemon=True)
            tail.start()
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
        self.run_s = time.monotonic() - began
        shown.set()
        if tail is not None:
            tail.join()
        if code != 0:
            raise DemoError(f'move-tables run ended with {code}')
        thread.join()
        if failed:
            raise DemoError(f'the cutover command failed: {failed[0]}')

    def cut_over(self, process):
        """Waits until the move is ready, lets it follow for a while, commands the cutover."""
        while self.move.phase() != 'ready':
            if process.poll() is not None:
                return
            time.sleep(0.1)
        due = time.monotonic() + FOLLOW_S
        while time.monotonic() < due and process.poll() is None:
            time.sleep(0.1)
        if process.poll() is None:
            if not live():
                say('$ move-tables cutover demo.yaml')
            self.move.command('cutover')

    @staticmethod
    def follow(log, ended):
        """Prints the log as it grows, in words for people."""
        with open(log, encoding='utf-8', errors='replace') as lines:
            while True:
                finished = ended.is_set()
                for line in lines:
                    say('  ' + for_people(line.rstrip())[:140])
                if finished:
                    return
                time.sleep(0.1)

    def show_hook(self):
        """The request that tells the platform to switch."""
        step('6. The hook, as its receiver got it')
        done = self.hook.requests('completed')
        if not done:
            raise DemoError('there was no completed request')
        request = done[0]
        say(f'POST {request.path}')
        for name in ('Content-Type', 'User-Agent', 'webhook-id', 'webhook-timestamp',
                     'webhook-signature', 'Idempotency-Key'):
            say(f'{name}: {receiver.header(request, name)}')
        for line in json.dumps(json.loads(request.body), indent=2).splitlines():
            say('  ' + line)
        wrong = receiver.check_request(request, self.hook.secret, 'demo', self.move.pairs())
        wrong += receiver.check_story(self.hook.requests())
        if wrong:
            raise DemoError('the request is wrong: ' + '; '.join(wrong))
        say('the signature is right; before it came: ' +
            ', '.join(r.event for r in self.hook.requests() if r.event != 'completed'))

    def compare(self):
        """Both sides, by a program that shares no code with the tool; returns the rows."""
        step('7. Both sides, compared row by row and byte by byte')
        self.load.join()  # they ended when the tables were gone
        total = 0
        for table in shop.TABLES:
            schema, name = table.split('.')
            counts, differences = compare.compare(
                compare.address_of(self.source), compare.address_of(self.target),
                [((schema, f'_{name}_moved'), (schema, name))])
            for difference in differences:
                say(f'{difference.table}: {difference.what}')
            if differences:
                raise DemoError('source and target differ')
            rows = sum(counts.values())
            total += rows
            say(f'equal  {schema}._{name}_moved = {table}  {number(rows)} rows')
        wrong = shop.broken(self.target) + self.load.lost(self.target)
        if wrong:
            raise DemoError('; '.join(wrong))
        say(f'every one of {number(self.load.committed)} transactions is there; '
            'every item has its order, every total its items')
        return total

    def summary(self, rows):
        """A few figures."""
        step('Moved.')
        applied = self.move.status().get('changes_applied')
        begun, copied = (self.hook.requests(e) for e in ('started', 'copy_completed'))
        seconds = copied[0].at - begun[0].at if begun and copied else self.run_s
        done = self.hook.requests('completed')[0].at
        say(f'rows             {number(rows)}')
        say(f'copied at        {number(round(rows / max(seconds, 0.001)))} rows/s, '
            'while the application wrote')
        if applied is not None:
            say(f'changes applied  {number(applied)}')
        say(f'unavailable      {(done - self.load.last_write_at) * 1000:.0f} ms, from the last '
            'write on the source to the request')


def main():
    """Runs it; 1 when something is not as it should be."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--port-base', type=int, required=True)
    parser.add_argument('--orders', type=int, required=True)
    parser.add_argument('--folder', required=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    demo = Demo(parser.parse_args())
    try:
        demo.seed()
        demo.write_file()
        demo.run()
        demo.show_hook()
        rows = demo.compare()
        demo.summary(rows)
    except (DemoError, AssertionError, compare.CompareError) as error:
        print(f'demo: {error}', file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if demo.load is not None:
            demo.load.stopping.set()
        if demo.move is not None:
            demo.move.end()
        demo.hook.down()


if __name__ == '__main__':
    main()
