"""The reference receiver over HTTP: what it takes, in which order, and once."""

import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from unittest import mock

from harness import HOOKS, OTHER, RECEIVER, SECRET, Case, Running, example, sign, until

RAN = 'echo "$MOVE_TABLES_EVENT $MOVE_TABLES_ATTEMPT" >>ran'
ANOTHER_MOVE = '99999999-6c1d-4a7e-9f55-2f4f6e1c7a10'


class Requests(Case):
    """What is taken and what is not."""

    def test_every_event_is_taken(self):
        """Also one that a later version may send."""
        running = self.start()
        for name in ('started', 'copy_completed', 'ready', 'before_cutover', 'completed',
                     'failed'):
            event = example(name)
            self.assertEqual(running.probe(event['id']), 404)
            self.assertEqual(running.status(event), 200, name)
            self.assertEqual(running.probe(event['id']), 200)
        event = example('ready')
        event.update(type='move-tables.something_new', id='0' + example('failed', 7)['id'][1:])
        self.assertEqual(running.status(event), 200)

    def test_signatures(self):
        """Wrong, missing, too old: 401, and nothing is recorded or run."""
        running = self.start(('completed', self.script('run', RAN)))
        event, body = example('completed'), json.dumps(example('completed')).encode()
        now = int(time.time())
        self.assertEqual(running.status(event, secret=OTHER), 401)
        self.assertEqual(running.status(event, stamp=now - 400), 401)
        self.assertEqual(running.status(event, stamp=now + 400), 401)
        self.assertEqual(running.status(event, **{'webhook-signature': 'v1,'}), 401)
        signature = sign(SECRET, event['id'], now, body)
        for headers in ({}, {'webhook-id': event['id']},
                        {'webhook-id': event['id'], 'webhook-signature': signature},
                        {'webhook-id': event['id'], 'webhook-timestamp': str(now)},
                        {'webhook-timestamp': str(now), 'webhook-signature': signature}):
            self.assertEqual(running.send('POST', '/', body, headers)[0], 401, headers)
        self.assertEqual(running.probe(event['id']), 404)
        self.assertEqual(self.lines('ran'), [])
        self.assertEqual(running.status(event), 200)
        self.assertEqual(self.lines('ran'), ['completed 1'])

    def test_a_replay_does_nothing(self):
        """A recorded request, sent again by somebody else within the five minutes."""
        running = self.start(('completed', self.script('run', RAN)))
        event, body, now = example('completed'), json.dumps(example('completed')), int(time.time())
        headers = {'webhook-id': event['id'], 'webhook-timestamp': str(now),
                   'webhook-signature': sign(SECRET, event['id'], now, body.encode())}
        for _ in range(3):
            self.assertEqual(running.send('POST', '/', body, headers)[0], 200)
        self.assertEqual(self.lines('ran'), ['completed 1'])

    def test_a_secret_is_changed_while_it_runs(self):
        """Both are taken while both are in the file."""
        running = self.start()
        self.assertEqual(running.status(example('ready', 1), secret=OTHER), 401)
        self.secrets.write_text(f'# the new one\n{OTHER}\n\n{SECRET}\n', encoding='utf-8')
        self.assertEqual(running.status(example('ready', 1), secret=OTHER), 200)
        self.assertEqual(running.status(example('ready', 2), secret=SECRET), 200)
        self.secrets.write_text(OTHER, encoding='utf-8')
        self.assertEqual(running.status(example('ready', 3), secret=SECRET), 401)
        self.secrets.unlink()
        self.assertEqual(running.status(example('ready', 4), secret=OTHER), 503)

    def test_what_is_not_an_event(self):
        """400, whoever signed it."""
        running = self.start()
        good = example('completed')
        for body in (b'', b'{', b'null', b'[]', b'"x"', b'\xff\xfe', b'[' * 100000, b'{"data":{}}'):
            self.assertEqual(running.status(body, identifier=good['id']), 400, body[:20])
        for changes in ({'id': 'x'}, {'id': None}, {'id': example('ready')['id']}, {'type': 7},
                        {'type': 'move-tables.'}, {'type': 'other.completed'}, {'data': []},
                        {'specversion': '2.0'}):
            answer = running.post({**good, **changes}, identifier=good['id'])
            self.assertEqual(answer[0], 400, changes)
        for changes in ({'move': '../x'}, {'move': None}, {'move_id': 'x'}, {'attempt': '1'},
                        {'attempt': -1}, {'attempt': True}, {'attempt': 1.0}, {'target': None},
                        {'target': {'host': ''}}, {'target': {'host': 'a\nb', 'port': 1}},
                        {'target': {'host': 'a\0', 'port': 1}}, {'target': {'host': 'a',
                                                                           'port': 70000}},
                        {'target': {'host': 'a', 'port': '1'}}):
            event = {**good, 'data': {**good['data'], **changes}}
            self.assertEqual(running.status(event), 400, changes)
        self.assertEqual(running.probe(good['id']), 404)

    def test_bodies_are_bounded(self):
        """413 for too long, 411 without a length, nothing for one that breaks off."""
        running = self.start()
        event = example('completed')
        event['data']['reason'] = 'x' * (1 << 20)
        self.assertEqual(running.status(event), 413)
        event['data']['reason'] = 'x' * ((1 << 20) - 4000)
        self.assertEqual(running.status(event), 200)
        answer = running.send('POST', '/', iter([b'{}']), {'Transfer-Encoding': 'chunked'})
        self.assertEqual(answer[0], 411)
        self.assertEqual(running.send('POST', '/', None, {'Content-Length': '-1'})[0], 411)
        with socket.create_connection(('127.0.0.1', running.port)) as connection:
            connection.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{}')
            connection.shutdown(socket.SHUT_WR)
            self.assertIn(b' 400 ', connection.recv(4096))
        self.assertEqual(running.send('PUT', '/')[0], 501)

    def test_status_url(self):
        """Its own 404s are no events."""
        running = self.start()
        for path in ('/', '/events/', '/events/x', '/other/' + example('ready')['id']):
            self.assertEqual(running.send('GET', path)[0], 404)
        event = example('completed')
        self.assertEqual(running.status(event), 200)
        for path in ('/events/', '/behind/a/proxy/events/'):
            status, text, _ = running.send('GET', path + event['id'] + '?x=1')
            self.assertEqual((status, json.loads(text)['state']), (200, 'done'))

    def test_list(self):
        """What came of it all, also while it runs."""
        running = self.start(('before_cutover', self.script('deny', 'echo no; exit 1')))
        for name in ('before_cutover', 'cutover_aborted'):
            running.post(example(name))
        done = subprocess.run([RECEIVER, '--database', self.folder / 'db', '--list'], text=True,
                              stdout=subprocess.PIPE, check=True)
        one, two = done.stdout.splitlines()
        self.assertRegex(one, r' orders-to-shard7  attempt 1  before_cutover  refused  run 1x  '
                         + example('before_cutover')['id'] + '  no$')
        self.assertRegex(two, 'cutover_aborted done .* noted$')

    def test_logs_no_secret(self):
        """Nor signatures, headers and bodies; but what was done."""
        running = self.start(('completed', self.script('run', 'echo switched')))
        event = example('completed', move='visible', reason='private')
        running.post(event, Authorization='Bearer hidden')
        running.post(event, secret=OTHER, **{'X-Token': 'hidden'})
        running.process.terminate()
        running.ended()
        for word in (SECRET, SECRET[6:], OTHER, 'hidden', 'private', 'v1,'):
            self.assertNotIn(word, running.log())
        self.assertRegex(running.log(), 'event=completed move=visible attempt=1 .*status=200')
        self.assertIn('answer=switched', running.log())
        self.assertIn('status=401', running.log())

    def test_command_line(self):
        """It does not start without knowing whom to trust."""
        database = ('--database', str(self.folder / 'db'))
        empty = self.folder / 'empty'
        empty.write_text('\n# nothing\n', encoding='utf-8')
        bad = self.folder / 'bad'
        bad.write_text('whsec_not base64!\n', encoding='utf-8')
        for arguments in ((), ('--secret-file', str(self.secrets), '--unsigned'),
                          ('--secret-file', str(empty)), ('--secret-file', str(bad)),
                          ('--secret-file', '/does/not/exist')):
            running = Running((*database, '--listen', '127.0.0.1:0', *arguments))
            self.addCleanup(running.kill)
            self.assertEqual(running.ended(), 2, running.log())
            self.assertIn('secret-file', running.log())
        self.assertNotIn('not base64', running.log())


    def test_on_local_clusters(self):
        """script/move-tables/receiver: this receiver, with the switch."""
        script = HOOKS.parent / 'script' / 'move-tables' / 'receiver'
        place = ('--port', '0', '--dir', str(self.folder))
        with mock.patch.dict(os.environ, HOOK_SECRET=SECRET):
            running = Running(place, program=[script])
        self.addCleanup(running.kill)
        running.wait_listening()
        file = self.folder / 'database.json'
        self.assertEqual(json.loads(file.read_bytes())['host'], '127.0.0.1')
        self.assertEqual(running.status(example('completed'), secret=OTHER), 401)
        self.assertEqual(running.post(example('completed'))[:2],
                         (200, 'switched to db-b.example:3306'))
        self.assertEqual(json.loads(file.read_bytes())['host'], 'db-b.example')
        done = subprocess.run([script, *place, '--list'], stdout=subprocess.PIPE, check=True)
        self.assertIn(b'switched to', done.stdout)
        running.process.terminate()
        self.assertEqual(running.ended(), 0)


class Commands(Case):
    """What a command's end means."""

    def test_gets_the_event(self):
        """On standard input, and what a shell script needs in the environment."""
        running = self.start(('completed', self.script(
            'run', 'cat >event; env | grep ^MOVE_TABLES_ | sort >environment; echo "$@" >arguments')
            + " one 'two words'"))
        event = example('completed', 2)
        self.assertEqual(running.status(event), 200)
        self.assertEqual(json.loads((self.folder / 'event').read_bytes()), event)
        self.assertEqual(self.lines('arguments'), ['one two words'])
        self.assertEqual(dict(line.split('=', 1) for line in self.lines('environment')), {
            'MOVE_TABLES_EVENT': 'completed', 'MOVE_TABLES_EVENT_ID': event['id'],
            'MOVE_TABLES_MOVE': 'orders-to-shard7', 'MOVE_TABLES_ATTEMPT': '2',
            'MOVE_TABLES_MOVE_ID': event['data']['move_id'],
            'MOVE_TABLES_TARGET_HOST': 'db-b.example', 'MOVE_TABLES_TARGET_PORT': '3306'})

    def test_a_gate_is_denied(self):
        """With the command's words; a repeat hears the same, and it is not asked again."""
        running = self.start(('before_cutover', self.script(
            'deny', RAN + '; echo "not on a  Friday"; exit 1')))
        event = example('before_cutover')
        for _ in range(2):
            status, text, _ = running.post(event)
            self.assertEqual((status, text), (403, 'not on a Friday'))
        self.assertEqual(self.lines('ran'), ['before_cutover 1'])
        # A 2xx would mean `allowed` to a sender in doubt; sent again, it hears 403.
        self.assertEqual(running.probe(event['id']), 404)
        self.assertEqual(running.status(example('cutover_aborted')), 200)
        self.assertEqual(running.status(example('before_cutover', 2)), 403)

    def test_not_now(self):
        """75 is 503 with Retry-After, until it works."""
        running = self.start(('before_cutover', self.script(
            'later', RAN + '; [ "$(wc -l <ran)" -ge 3 ] || exit 75')))
        event = example('before_cutover')
        status, _, headers = running.post(event)
        self.assertEqual((status, headers['Retry-After']), (503, '1'))
        self.assertEqual(running.probe(event['id']), 404)
        self.assertEqual([running.status(event) for _ in range(3)], [503, 200, 200])
        self.assertEqual(len(self.lines('ran')), 3)

    def test_a_switch_that_fails_is_tried_until_it_works(self):
        """Only a gate can be denied."""
        running = self.start(('completed', self.script(
            'switch', RAN + '; [ -e repaired ] || { echo broken; exit 1; }')))
        event = example('completed')
        self.assertEqual(running.post(event)[:2], (500, 'broken'))
        self.assertEqual(running.status(event), 500)
        (self.folder / 'repaired').touch()
        self.assertEqual([running.status(event) for _ in range(3)], [200] * 3)
        self.assertEqual(len(self.lines('ran')), 3)

    def test_takes_too_long(self):
        """Killed with all that it started; a gate is denied."""
        running = self.start(('before_cutover', self.script(
            'slow', 'sleep 600 & echo $! >child; wait')), options=('--command-timeout-s', '1'))
        status, text, _ = running.post(example('before_cutover'))
        self.assertEqual(status, 403)
        self.assertIn('took longer than 1 s', text)
        stat = pathlib.Path('/proc', self.lines('child')[0], 'stat')

        def gone():
            return not stat.exists() or stat.read_text(encoding='utf-8').split(') ')[1][0] == 'Z'
        until(gone, 'what it started to be killed')

    def test_is_not_there(self):
        """A gate is denied, anything else fails."""
        running = self.start(('before_cutover', '/does/not/exist'), ('completed', '/nor/this'))
        self.assertEqual(running.post(example('before_cutover'))[:2],
                         (403, '/does/not/exist: No such file or directory'))
        self.assertEqual(running.status(example('completed')), 500)

    def test_its_words_are_bounded(self):
        """However much it says."""
        running = self.start(('completed', self.script('loud', 'yes ab | head -c 3000000')))
        status, text, _ = running.post(example('completed'))
        self.assertEqual((status, len(text)), (200, 200))


class Once(Case):
    """Duplicates, concurrent ones, and their order."""

    def test_a_repeat_is_answered_the_same(self):
        """Also by the next process."""
        run = self.script('run', RAN + '; echo switched')
        running = self.start(('completed', run))
        event = example('completed')
        for _ in range(3):
            self.assertEqual(running.post(event)[:2], (200, 'switched'))
        running.kill()
        running = self.start(('completed', run))
        self.assertEqual(running.post(event)[:2], (200, 'switched'))
        self.assertEqual(self.lines('ran'), ['completed 1'])
        event['data']['tables'][0]['rows'] += 1
        self.assertEqual(running.status(event), 422)

    def test_repeats_while_it_is_worked_on(self):
        """409 for the event and for others of the move; another move is not held up."""
        running = self.start(
            ('before_cutover', self.script('stop', RAN + '; while [ ! -e go ]; do sleep .02; done')),
            ('cutover_aborted', self.script('resume', RAN)))
        gate, answers = example('before_cutover'), []
        thread = threading.Thread(target=lambda: answers.append(running.status(gate)))
        thread.start()
        until(lambda: self.lines('ran'), 'the command to run')
        for event in (gate, example('cutover_aborted'), example('ready')):
            status, _, headers = running.post(event)
            self.assertEqual((status, headers['Retry-After']), (409, '1'))
        self.assertEqual(running.probe(gate['id']), 409)
        self.assertEqual(running.probe(example('cutover_aborted')['id']), 404)
        self.assertEqual(running.status(example('cutover_aborted', move_id=ANOTHER_MOVE)), 200)
        self.assertEqual(answers, [])
        (self.folder / 'go').touch()
        thread.join()
        self.assertEqual(answers, [200])
        self.assertEqual([running.status(gate), running.probe(gate['id'])], [200, 200])
        self.assertEqual(running.status(example('cutover_aborted')), 200)
        self.assertEqual(self.lines('ran'), ['before_cutover 1', 'cutover_aborted 1',
                                             'cutover_aborted 1'])

    def test_many_at_once(self):
        """Of sixteen, one runs the command."""
        running = self.start(('completed', self.script('run', RAN + '; sleep .2')))
        event, answers = example('completed'), []
        threads = [threading.Thread(target=lambda: answers.append(running.status(event)))
                   for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.lines('ran'), ['completed 1'])
        self.assertEqual(set(answers) - {409}, {200})

    def test_a_gate_that_comes_late(self):
        """After its attempt's end nobody may stop the writes for it any more."""
        running = self.start(*((name, self.script(name, RAN))
                               for name in ('before_cutover', 'cutover_aborted', 'completed')))
        self.assertEqual(running.status(example('cutover_aborted')), 200)
        self.assertEqual(running.status(example('before_cutover')), 410)
        self.assertEqual(running.status(example('before_cutover', 2)), 200)
        self.assertEqual(running.status(example('completed', 2)), 200)
        self.assertEqual(running.status(example('before_cutover', 1)), 410)
        self.assertEqual(self.lines('ran'), ['cutover_aborted 1', 'before_cutover 2',
                                             'completed 2'])

    def test_an_end_that_comes_late(self):
        """The writes are not resumed in the middle of the next attempt."""
        running = self.start(('cutover_aborted', self.script('resume', RAN)),
                             ('completed', self.script('switch', RAN)))
        self.assertEqual(running.status(example('before_cutover', 2)), 200)
        status, text, _ = running.post(example('cutover_aborted', 1))
        self.assertEqual(status, 200)
        self.assertIn('nothing done', text)
        self.assertEqual(running.status(example('completed', 1)), 422)
        self.assertEqual(self.lines('ran'), [])
        self.assertEqual(running.status(example('cutover_aborted', 2)), 200)
        self.assertEqual(running.status(example('completed', 2)), 422)
        self.assertEqual(self.lines('ran'), ['cutover_aborted 2'])
        # News of any attempt changes nothing.
        for name in ('started', 'failed', 'ready'):
            self.assertEqual(running.status(example(name, 9)), 200)
        self.assertEqual(running.status(example('completed', 3)), 200)
        self.assertEqual(running.status(example('cutover_aborted', 3)), 422)
        self.assertEqual(running.status(example('rolled_back', 3)), 200)


class Crash(Case):
    """SIGKILL at named moments: the switch is made once, and the sender hears of it."""

    # Sets a state: an event that it knows changes nothing (as hooks/switch-file does).
    SWITCH = ('echo run >>ran; [ "$(cat state 2>/dev/null)" = "$MOVE_TABLES_EVENT_ID" ] || '
              '{ echo switched >>switched; printf %s "$MOVE_TABLES_EVENT_ID" >state; }')

    def dies(self, moment, runs, switch=SWITCH):
        """Dies at the moment; the next process finishes on the repeat; runs: of the command."""
        command = ('completed', self.script('switch', switch))
        running = self.start(command, moment=moment)
        event = example('completed')
        self.assertIsNone(running.post(event), 'it was to die')
        self.assertEqual(running.ended(), -signal.SIGKILL)
        running = self.start(command)
        done = moment in ('recorded-done', 'not-answered')
        self.assertEqual(running.probe(event['id']), 200 if done else 404)
        self.assertEqual(running.status(event), 200)
        self.assertEqual(running.probe(event['id']), 200)
        self.assertEqual(running.status(event), 200)
        self.assertEqual(len(self.lines('ran')), runs, 'runs of the command')
        self.assertEqual(self.lines('switched'), ['switched'])

    def test_before_anything(self):
        """Nothing is known of it."""
        self.dies('not-recorded', 1)

    def test_recorded_not_begun(self):
        """`working`, but nobody works."""
        self.dies('recorded-working', 1)

    def test_in_the_command_before_its_effect(self):
        """The receiver goes, the command goes on to its end."""
        self.dies(None, 2, '[ -e killed ] || { touch killed; kill -9 $PPID; }; ' + self.SWITCH)

    def test_in_the_command_after_its_effect(self):
        """The same, later."""
        self.dies(None, 2, self.SWITCH + '; [ -e killed ] || { touch killed; kill -9 $PPID; }')

    def test_after_the_command(self):
        """The effect is there, and not recorded."""
        self.dies('command-ended', 2)

    def test_before_it_is_recorded_as_done(self):
        """The same, a moment later."""
        self.dies('not-recorded-done', 2)

    def test_recorded_as_done(self):
        """Not answered: the repeat is answered from the record."""
        self.dies('recorded-done', 1)

    def test_before_the_answer(self):
        """The same, a moment later."""
        self.dies('not-answered', 1)

    def test_a_command_outlives_its_receiver(self):
        """The next one waits for it: a late `stop` must not overtake `resume`."""
        stop = self.script('stop', 'echo begun >>ran; while [ ! -e go ]; do sleep .02; done; '
                           'echo stopped >>ran')
        resume = ('cutover_aborted', self.script('resume', 'echo resumed >>ran'))
        running = self.start(('before_cutover', stop), resume)
        thread = threading.Thread(target=running.post, args=(example('before_cutover'),))
        thread.start()
        until(lambda: self.lines('ran'), 'the command to run')
        running.kill()
        thread.join()
        running = self.launch(('before_cutover', stop), resume)
        until(lambda: 'waiting' in running.log(), 'the next receiver to wait')
        self.assertIsNone(running.port)
        (self.folder / 'go').touch()
        running.wait_listening()
        self.assertEqual(running.status(example('cutover_aborted')), 200)
        self.assertEqual(self.lines('ran'), ['begun', 'stopped', 'resumed'])

    def test_only_one_at_a_time(self):
        """A second process waits for the first."""
        first = self.start()
        second = self.launch()
        until(lambda: 'waiting' in second.log(), 'the second to wait')
        self.assertIsNone(second.port)
        first.process.terminate()
        self.assertEqual(first.ended(), 0)
        second.wait_listening()

    def test_ends_cleanly(self):
        """SIGTERM: what is in progress is answered, nothing new is taken, exit 0."""
        running = self.start(('completed', self.script(
            'switch', 'echo begun >>ran; while [ ! -e go ]; do sleep .02; done')))
        answers = []
        thread = threading.Thread(target=lambda: answers.append(running.status(
            example('completed'))))
        thread.start()
        until(lambda: self.lines('ran'), 'the command to run')
        # A connection that is open already, with a request that comes too late.
        with socket.create_connection(('127.0.0.1', running.port)) as connection:
            # Answered once: it is no longer one that waits to be accepted.
            connection.sendall(b'GET /events/none HTTP/1.1\r\nHost: x\r\n\r\n')
            self.assertIn(b' 404 ', connection.recv(4096))
            connection.sendall(b'POST / HTTP/1.1\r\nHost: x\r\n')
            running.process.terminate()
            until(lambda: 'ending' in running.log(), 'the signal to be taken')
            until(lambda: running.status(example('ready')) is None, 'the port to be closed')
            connection.sendall(b'Content-Length: 0\r\n\r\n')
            self.assertIn(b' 503 ', connection.recv(4096))
            (self.folder / 'go').touch()
            thread.join()
            self.assertEqual(running.ended(), 0)
        self.assertEqual(answers, [200])
        self.assertTrue(re.search('receiver ended$', running.log()), running.log())

    def test_a_full_disk(self):
        """What cannot be recorded is not begun: 503 until it can."""
        running = self.start(('completed', self.script('switch', 'echo run >>ran')))
        # Files of the receiver may not grow any more.
        before = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
        event = example('completed')
        self.assertEqual([running.status(event) for _ in range(2)], [503, 503])
        self.assertEqual(self.lines('ran'), [])
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, before)
        self.assertEqual([running.status(event) for _ in range(2)], [200, 200])
        self.assertEqual(self.lines('ran'), ['run'])
