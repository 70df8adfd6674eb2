"""The example switch: each command sets a state, in one rename, once for an event."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

from harness import HOOKS, until

sys.path.insert(0, str(HOOKS / 'switch-file'))
import follow  # noqa: E402

SWITCH = str(HOOKS / 'switch-file' / 'switch.py')


class Switch(unittest.TestCase):
    """A file, its lock, and who follows it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='move-tables-switch-'))
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = self.folder / 'database.json'
        self.assertEqual(self.switch('create', '--to', 'db-a:3306'), (0, 'db-a:3306'))
        self.follower = follow.Follower(self.file)

    def command(self, verb, *options, event='1', host='db-b', port='3307'):
        """The command line, and its environment as the receiver makes it."""
        return [SWITCH, verb, str(self.file), *options], dict(
            os.environ, MOVE_TABLES_EVENT_ID=event, MOVE_TABLES_TARGET_HOST=host,
            MOVE_TABLES_TARGET_PORT=port)

    def switch(self, verb, *options, **event):
        """Runs it: (exit code, what it printed)."""
        arguments, environment = self.command(verb, *options, **event)
        done = subprocess.run(arguments, env=environment, stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, check=False, text=True)
        return done.returncode, done.stdout.strip()

    def state(self):
        """host, port, writes."""
        state = json.loads(self.file.read_text(encoding='utf-8'))
        return state['host'], state['port'], state['writes']

    def test_the_way_there(self):
        """Stop, target."""
        self.assertEqual(self.switch('stop', event='1'), (0, 'writes are stopped'))
        self.assertEqual(self.state(), ('db-a', 3306, 'stopped'))
        self.assertEqual(self.switch('target', event='2'), (0, 'switched to db-b:3307'))
        self.assertEqual(self.state(), ('db-b', 3307, 'on'))
        with self.follower.transaction() as place:
            self.assertEqual(place, ('db-b', 3307))

    def test_the_way_back(self):
        """Stop, resume."""
        self.switch('stop', event='1')
        self.assertEqual(self.switch('resume', event='2'), (0, 'writes go on at db-a:3306'))
        self.assertEqual(self.state(), ('db-a', 3306, 'on'))
        self.assertEqual(self.switch('resume', event='3')[0], 0)
        self.assertEqual(self.state(), ('db-a', 3306, 'on'))

    def test_a_repeat_changes_nothing(self):
        """The id is in the file; but the application is told again."""
        told = ('--reload', f'sh -c "echo told >>{self.folder}/told"')
        self.assertEqual(self.switch('target', *told, event='7')[1], 'switched to db-b:3307')
        before = os.stat(self.file)
        self.assertEqual(self.switch('target', *told, event='7'), (0, 'was switched to db-b:3307'))
        self.assertEqual(os.stat(self.file).st_ino, before.st_ino)
        self.assertEqual((self.folder / 'told').read_text(encoding='utf-8'), 'told\ntold\n')

    def test_the_target_by_another_name(self):
        """As the application knows it."""
        self.assertEqual(self.switch('target', '--to', '[::1]:33')[0], 0)
        self.assertEqual(self.state(), ('::1', 33, 'on'))

    def test_what_cannot_be_done(self):
        """Says why, in one line, and changes nothing."""
        before = self.file.read_bytes()
        for verb, options, event in (('create', ('--to', 'x:1'), {}), ('create', (), {}),
                                     ('target', (), {'port': ''}), ('target', (), {'host': ''})):
            code, said = self.switch(verb, *options, **event)
            self.assertEqual((code, said.count('\n')), (1, 0), said)
            self.assertTrue(said)
        self.assertEqual(self.file.read_bytes(), before)
        code, said = self.switch('resume', '--reload', '/bin/false')
        self.assertEqual(code, 1, said)
        self.file.unlink()
        self.assertEqual(self.switch('stop')[0], 1)

    def test_stop_waits_for_transactions(self):
        """And not for those that come after it."""
        arguments, environment = self.command('stop', '--wait-s', '30')
        with self.follower.transaction():
            stopping = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)
            until(lambda: self.state()[2] == 'stopped', 'the file to say so')
            with self.assertRaises(follow.Stopped), self.follower.transaction(patience_s=0):
                self.fail('a transaction began')
            self.assertIsNone(stopping.poll(), 'it did not wait')
        self.assertEqual(stopping.wait(30), 0)

    def test_a_transaction_that_does_not_end(self):
        """A no, in good time."""
        with self.follower.transaction():
            code, said = self.switch('stop', '--wait-s', '0.2')
        self.assertEqual((code, said), (1, 'a transaction of the application runs for more than '
                                           '0.2 s'))

    def test_a_follower_waits(self):
        """And goes on where it is told to."""
        self.switch('stop', event='1')
        places = []

        def work():
            with self.follower.transaction() as place:
                places.append(place)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.assertEqual(places, [])
        self.switch('target', event='2')
        for thread in threads:
            thread.join()
        self.assertEqual(set(places), {('db-b', 3307)})
