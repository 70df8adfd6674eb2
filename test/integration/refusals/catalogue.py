"""docs/limits.md, read as a list of refusals, and the cases that provoke each of them."""

import functools
import json
import re

from movetest.entry import TOP
from movetest.scenario import case
from movetest.tool import DATA, PREFLIGHT

PAGE = TOP / 'docs' / 'limits.md'
PROVOKED = {}  # what a message says: the case that provokes it


def rows():
    """(what is refused, what the message says) of every table headed `refused | says`."""
    found, inside = [], False
    for line in PAGE.read_text(encoding='utf-8').splitlines():
        cells = [cell.strip() for cell in re.split(r'(?<!\\)\|', line)[1:-1]]
        if cells[:2] == ['refused', 'says']:
            inside = True
        elif not cells:
            inside = False
        elif inside and set(cells[0]) - set('-'):
            found += [(cells[0], text) for text in re.findall(r'`([^`]+)`', cells[1])]
    return found


def provokes(title, *texts):
    """A case that has to see each of these texts, by says(), finding() or stopped()."""
    def register(function):
        @functools.wraps(function)
        def checked(t):
            t.said = set()
            function(t)
            t.expect(t.said == set(texts), f'provoked {t.said}, not {set(texts)}')
        for text in texts:
            PROVOKED.setdefault(text, function.__name__)
        return case(title)(checked)
    return register


def says(t, message, text, *words):
    """The message holds what the page says, and these words beside it."""
    t.expect_text(message, text, *words)
    t.said.add(text)


class Check:
    """What `check` finds, and that `run` refuses for the same reasons and changes nothing."""

    def __init__(self, t, move):
        self.t = t
        self.move = move
        before = (t.source.schemas(), t.target.schemas())
        printed = move.command('check', '--json', codes=(PREFLIGHT,)).out
        self.findings = json.loads(printed)['findings']
        self.run = move.run(PREFLIGHT).text()
        t.expect((t.source.schemas(), t.target.schemas()) == before, 'a schema was made or dropped')
        t.expect_not_moved(move)

    def errors(self):
        """The findings that stop a move."""
        return [finding for finding in self.findings if finding['level'] == 'error']

    def finds(self, text, subject, *cure):
        """An error about the subject that says the text, and whose cure holds these words."""
        t = self.t
        matching = [finding for finding in self.errors()
                    if text in finding['message'] and finding['subject'] == subject]
        everything = '\n'.join(str(finding) for finding in self.errors())
        t.expect(matching, f'nothing about "{subject}" says "{text}":\n{everything}')
        t.expect(matching[0]['cure'], f'"{text}" has no cure')
        t.expect_text(matching[0]['cure'], *cure)
        t.expect(text in self.run, f'run does not say "{text}":\n{self.run}')
        t.said.add(text)

    def finds_nothing_else(self, count):
        """No error but those that were asked for."""
        found = [finding['subject'] + ': ' + finding['message'] for finding in self.errors()]
        self.t.expect(len(found) == count, f'{len(found)} errors, not {count}:\n' + '\n'.join(found))


FIRST_ROWS = ((1, 10), (2, 20))


class Follower:
    """A move of w.t that is ready: what is done to the source next comes as an event."""

    def __init__(self, t, columns='v INT', tables=('w.t',), more=(), **changes):
        t.cluster.clean()
        self.t = t
        t.source.execute('CREATE DATABASE w', f'CREATE TABLE w.t (a INT PRIMARY KEY, {columns})',
                         *more, 'INSERT INTO w.t (a, v) VALUES (1, 10), (2, 20)')
        self.move = t.move(list(tables), cutover={'mode': 'manual'}, **changes)
        self.runner = self.move.start()
        self.move.wait_phase('ready')

    def session(self, *statements):
        """Runs statements in a session of their own."""
        connection = self.t.connection(self.t.source, database='w', local_infile=True)
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def stopped(self, text, *words, code=DATA):
        """The run ends, says why, where it stands in the binlog; the target is as it was before."""
        self.runner.wait(code)
        says(self.t, self.runner.text(), text, 'source binlog ', ', position ', *words)
        self.expect_untouched()

    def expect_untouched(self):
        """The source has its table, the target the rows from before the event."""
        self.t.expect_not_moved(self.move)
        rows_now = self.t.target.query('SELECT a, v FROM w.t ORDER BY a')
        self.t.expect(rows_now == FIRST_ROWS, f'the target has {rows_now}')
