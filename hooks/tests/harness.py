"""What the receiver's tests are written with: a running receiver, signed requests."""

import base64
import copy
import hashlib
import hmac
import http.client
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

from movetest.tool import SLOW

HOOKS = pathlib.Path(__file__).resolve().parents[1]
RECEIVER = HOOKS / 'receiver' / 'receiver.py'
SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
OTHER = 'whsec_b3RoZXIga2V5IG9mIHRoZSByZWNlaXZlcg=='
NAMESPACE = uuid.UUID('c2619a00-c7d2-43ed-bcf0-8f5ede728251')
DEADLINE_S = 30 * SLOW


def sign(secret, identifier, stamp, body):
    """Standard Webhooks 1.0, written a second time: not the receiver's own code."""
    key = base64.b64decode(secret.split('_', 1)[1]) if secret.startswith('whsec_') \
        else secret.encode()
    message = b'.'.join((identifier.encode(), str(stamp).encode(), body))
    digest = hmac.digest(key, message, hashlib.sha256)
    return 'v1,' + base64.b64encode(digest).decode('ascii')


def example(name, attempt=1, move_id=None, **data):
    """An event: the example of its kind, of another attempt or move."""
    event = json.loads((HOOKS / 'examples' / f'{name}.json').read_text(encoding='utf-8'))
    event = copy.deepcopy(event)
    event['data'].update(data, attempt=attempt)
    if move_id is not None:
        event['data']['move_id'] = move_id
    event['id'] = str(uuid.uuid5(NAMESPACE, f'{event["data"]["move_id"]}/{name}/{attempt}'))
    return event


def until(condition, what):
    """Polls until the condition holds; its value."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f'not within {DEADLINE_S:.0f} s: {what}')
        time.sleep(0.01)


class Running:
    """A receiver's process, and its log."""

    def __init__(self, arguments, moment=None, program=None):
        if program is None:
            program = [sys.executable, str(RECEIVER)] if moment is None \
                else [sys.executable, str(HOOKS / 'tests' / 'dying_receiver.py'), moment]
        self.lines = []
        self.port = None
        self.process = subprocess.Popen([*program, *arguments],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        """Collects the log."""
        for line in self.process.stderr:
            text = line.decode('utf-8', 'replace').rstrip('\n')
            self.lines.append(text)
            found = re.search(r' listening address=127\.0\.0\.1:(\d+)', text)
            if found:
                self.port = int(found.group(1))

    def log(self):
        """The log so far."""
        return '\n'.join(self.lines)

    def wait_listening(self):
        """Until it does."""
        until(lambda: self.port or self.process.poll() is not None, 'the receiver to listen')
        if not self.port:
            raise AssertionError(f'the receiver ended: {self.log()}')
        return self

    def ended(self):
        """Its exit status, once it has ended."""
        status = self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        return status

    def kill(self):
        """SIGKILL. A command that it leaves behind keeps the log's pipe open."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(DEADLINE_S)

    # --- requests ----------------------------------------------------------------------------

    def send(self, method, path, body=None, headers=None):
        """One request: (status, text, headers); None when the connection was lost."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode().strip(), answer.headers
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def post(self, event, secret=SECRET, stamp=None, **headers):
        """An event (or its bytes), signed."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        identifier = headers.pop('identifier', None) or event['id']
        stamp = stamp or int(time.time())
        return self.send('POST', '/', body, {
            'Content-Type': 'application/cloudevents+json', 'webhook-id': identifier,
            'webhook-timestamp': str(stamp),
            'webhook-signature': sign(secret, identifier, stamp, body), **headers})

    def status(self, event, **options):
        """The status that an event is answered with."""
        answer = self.post(event, **options)
        return answer and answer[0]

    def probe(self, identifier):
        """What `in_doubt: probe` would ask."""
        return self.send('GET', f'/events/{identifier}')[0]


class Case(unittest.TestCase):
    """A test with a folder and receivers that are ended for it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='move-tables-receiver-'))
        self.addCleanup(shutil.rmtree, self.folder)
        self.secrets = self.folder / 'secrets'
        self.secrets.write_text(SECRET + '\n', encoding='utf-8')

    def launch(self, *on, moment=None, options=()):
        """A receiver with commands: (event, command), …; it may not listen yet."""
        commands = [word for pair in on for word in ('--on', *pair)]
        running = Running(['--listen', '127.0.0.1:0', '--database', str(self.folder / 'db'),
                           '--secret-file', str(self.secrets), *commands, *options], moment)
        self.addCleanup(running.kill)
        return running

    def start(self, *on, **more):
        """The same, listening."""
        return self.launch(*on, **more).wait_listening()

    def script(self, name, text):
        """A command: a shell script in the folder that runs there."""
        path = self.folder / name
        path.write_text(f'#!/bin/sh\nset -eu\ncd {self.folder}\n{text}\n', encoding='utf-8')
        path.chmod(0o755)
        return str(path)

    def lines(self, name):
        """The lines that commands wrote to a file of the folder."""
        try:
            return (self.folder / name).read_text(encoding='utf-8').splitlines()
        except FileNotFoundError:
            return []
