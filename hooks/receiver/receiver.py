#!/usr/bin/env python3
"""A receiver of move-tables' hooks: verifies, remembers, and runs your commands.

Needs nothing but Python 3.9 or newer. hooks/README.md: how to run it in production, and what
is guaranteed. docs/hooks.md: what is received.

A COMMAND gets the event on standard input, and MOVE_TABLES_EVENT, _EVENT_ID, _MOVE, _MOVE_ID,
_ATTEMPT, _TARGET_HOST and _TARGET_PORT in its environment. It must set a state, not change one
("writes are stopped", never "the other cluster now"): after a crash it is run again for the same
event. It must leave no process behind. What it writes to standard output is the answer; its
standard error goes to the log. It ends with

    0      done: the event is acknowledged, and this command is never run for it again
    75     not now: the sender tries again (503)
    else   before_cutover: no (403), there is no cutover. Other events: failed, the sender tries
           again (500)
"""

import argparse
import base64
import binascii
import collections
import contextlib
import datetime
import fcntl
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

TOLERANCE_S = 300        # how far a request's timestamp may be off: a replay is older
BODY_MAX_BYTES = 1 << 20  # some thousand tables
ANSWER_MAX_CHARS = 200   # the sender shows no more
IDLE_S = 60              # a connection that says nothing is closed
EX_TEMPFAIL = 75

UUID = re.compile('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
# Events that decide something; the others are news. One cutover attempt is a before_cutover,
# followed by one of the ends.
GATE = 'before_cutover'
ENDS = ('cutover_aborted', 'completed', 'rolled_back')

Answer = collections.namedtuple('Answer', 'status text')
Event = collections.namedtuple('Event', 'id name move move_id attempt host port body')


class Refused(Exception):
    """A request that is not taken: the status says why to the sender, the text to people."""

    def __init__(self, status, text):
        super().__init__(text)
        self.answer = Answer(status, text)


def log(level, message, **facts):
    """One line. Never a secret, a header or a body."""
    at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='milliseconds')
    said = ''.join(f' {name}={shlex.quote(str(value))}' for name, value in facts.items())
    print(f'{at[:-6]}Z {level} receiver {message}{said}', file=sys.stderr, flush=True)


# --- is it from the sender? -----------------------------------------------------------------

def read_keys(path):
    """The keys in a file, one secret a line: several while a secret is being changed."""
    keys = []
    for line in pathlib.Path(path).read_text(encoding='utf-8').splitlines():
        secret = line.strip()
        if secret.startswith('whsec_'):
            keys.append(base64.b64decode(secret[6:], validate=True))
        elif secret and not secret.startswith('#'):
            keys.append(secret.encode())
    if not all(keys) or not keys:
        raise ValueError('there is no secret in it' if not keys else 'an empty whsec_ secret')
    return keys


def verify(keys, headers, body, now):
    """Standard Webhooks 1.0. Returns the event's id, or raises Refused."""
    identifier = headers.get('webhook-id', '')
    stamp = headers.get('webhook-timestamp', '')
    given = headers.get('webhook-signature', '').encode('utf-8', 'replace').split(b' ')
    if not re.fullmatch('[0-9]{1,12}', stamp, re.ASCII):
        raise Refused(401, 'no webhook-timestamp')
    # The bytes as received: not the JSON, written anew.
    signed = f'{identifier}.{stamp}.'.encode('utf-8', 'replace') + body
    good = False
    for key in keys:
        wanted = b'v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
        for one in given:  # all of them, so that the time taken tells nothing
            good |= hmac.compare_digest(wanted, one)
    if not good:
        raise Refused(401, 'the signature is missing or wrong')
    if abs(now - int(stamp)) > TOLERANCE_S:
        raise Refused(401, f'the timestamp is more than {TOLERANCE_S} s off: a replay, or a clock')
    return identifier


# --- what does it say? -----------------------------------------------------------------------

def parse(identifier, body):
    """The event, with everything checked that is used here. Raises Refused."""
    def need(condition, what):
        if not condition:
            raise Refused(400, what)

    def text(value):
        return isinstance(value, str) and value != '' and value.isprintable()

    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, 'the body is no JSON') from None
    need(isinstance(whole, dict) and isinstance(whole.get('data'), dict), 'no event with data')
    data = whole['data']
    kind, _, name = str(whole.get('type')).partition('.')
    need(whole.get('specversion') == '1.0' and kind == 'move-tables', 'no event of move-tables')
    need(re.fullmatch('[a-z_]{1,64}', name), 'type')
    need(text(whole.get('id')) and UUID.fullmatch(whole['id']), 'id')
    need(whole['id'] == identifier, 'webhook-id is not the id in the body')
    need(text(data.get('move')) and re.fullmatch('[a-z0-9-]{1,64}', data['move']), 'data.move')
    need(text(data.get('move_id')) and UUID.fullmatch(data['move_id']), 'data.move_id')
    need(type(data.get('attempt')) is int and data['attempt'] >= 0, 'data.attempt')
    target = data.get('target')
    need(isinstance(target, dict) and text(target.get('host')), 'data.target.host')
    port = target.get('port')
    need(port is None or type(port) is int and 0 < port < 65536, 'data.target.port')
    return Event(identifier, name, data['move'], data['move_id'], data['attempt'],
                 target['host'], port, body)


# --- what came of it? ------------------------------------------------------------------------

class Store:
    """Every event and what came of it, durable.

    The order of writes is what makes it safe to die anywhere:

    1. the event is recorded as `working` and committed; then
    2. its command runs; then
    3. the event is recorded as `done` (or `refused`, `failed`) and committed; then
    4. the sender is answered.

    Dead before 1: nothing has happened; the sender repeats. Dead between 1 and 3: nobody knows
    whether the command had its effect, so it is run again when the sender repeats the event,
    which it does until it is answered. That is why a command must set a state. Dead after 3: the
    repeat finds `done`, is answered the same, and nothing is run. The other order (record, then
    act) would lose a switch; answering before 3 would forget one that may not be repeated.

    One process at a time has the database (see hold()), so a `working` that is not in `busy` was
    left by one that died.
    """

    SCHEMA = """CREATE TABLE IF NOT EXISTS event (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, move TEXT NOT NULL, move_id TEXT NOT NULL,
        attempt INTEGER NOT NULL, body BLOB NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('working', 'done', 'refused', 'failed')),
        answer TEXT NOT NULL DEFAULT '', runs INTEGER NOT NULL DEFAULT 1,
        received_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
        changed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))"""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.busy = set()  # moves that a command is running for: one at a time each
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute('PRAGMA journal_mode = WAL')
        self.db.execute('PRAGMA synchronous = FULL')  # a commit is on the disk
        self.db.execute(self.SCHEMA)

    @contextlib.contextmanager
    def transaction(self):
        """All or nothing."""
        self.db.execute('BEGIN IMMEDIATE')
        try:
            yield
            self.db.execute('COMMIT')
        except BaseException:
            if self.db.in_transaction:
                self.db.execute('ROLLBACK')
            raise

    def claim(self, event):
        """None: the caller has to do the work, then finish(). Or what to answer."""
        with self.lock:
            if event.move_id in self.busy:
                # Also for another event of the move: "stop" and "resume" must not race.
                raise Refused(409, 'an event of this move is still being worked on')
            with self.transaction():
                known = self.db.execute('SELECT state, answer, body FROM event WHERE id = ?',
                                        (event.id,)).fetchone()
                if known:
                    state, text, body = known
                    if body != event.body:
                        raise Refused(422, 'other bytes came under this id before')
                    if state in ('done', 'refused'):
                        return Answer(200 if state == 'done' else 403, text)
                state, text = self.place(event)
                self.db.execute(
                    'INSERT INTO event (id, name, move, move_id, attempt, body, state, answer) '
                    'VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET '
                    'state = excluded.state, answer = excluded.answer, runs = runs + 1, '
                    "changed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
                    (*event[:5], event.body, state, text))
            if state == 'done':
                return Answer(200, text)
            self.busy.add(event.move_id)
            return None

    def place(self, event):
        """Where the event stands among those of its move: ('working', '') if it is in order.

        The sender keeps the order. But a request can lie in some proxy while the sender gives it
        up and goes on, and stopping the writes for a cutover that is over would be for good.
        """
        def any_of(condition, *values):
            names = (GATE,) + ENDS
            return self.db.execute(
                f'SELECT name FROM event WHERE move_id = ? AND id <> ? AND name IN {names} AND '
                + condition, (event.move_id, event.id, *values)).fetchone()

        if event.name == GATE and any_of(f'(attempt > ? OR (attempt = ? AND name IN {ENDS}))',
                                         event.attempt, event.attempt):
            raise Refused(410, f'attempt {event.attempt} is over')
        if event.name in ENDS:
            other = any_of(f'attempt = ? AND name IN {ENDS[:2]}', event.attempt)
            if other and event.name != 'rolled_back':
                raise Refused(422, f'{other[0]} of attempt {event.attempt} came before')
            if any_of('attempt > ?', event.attempt):
                if event.name == 'cutover_aborted':
                    return 'done', 'nothing done: a later attempt has begun'
                raise Refused(422, 'a later attempt has begun')
        return 'working', ''

    def finish(self, event, state, text):
        """Records what came of it."""
        with self.lock:
            try:
                with self.transaction():
                    self.db.execute(
                        "UPDATE event SET state = ?, answer = ?, changed_at = "
                        "strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?",
                        (state, text, event.id))
            finally:
                self.busy.discard(event.move_id)

    def state(self, identifier):
        """working, done, refused, failed, interrupted (its receiver died); None: unknown."""
        with self.lock:
            row = self.db.execute('SELECT state, move_id FROM event WHERE id = ?',
                                  (identifier,)).fetchone()
            if row and row[0] == 'working' and row[1] not in self.busy:
                return 'interrupted'
            return row[0] if row else None

    def close(self):
        """Nothing is being written."""
        with self.lock:
            self.db.close()


def hold(path):
    """The file that makes this the database's only receiver; returns its descriptor.

    Commands inherit it. So when this process is killed in the middle of one, the next process
    waits here until the command has ended: two of them must not work against each other.
    """
    descriptor = os.open(path + '.lock', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log('warning', 'waiting: another receiver, or a command that one left behind, holds the '
            'lock (fuser shows it)', file=path + '.lock')
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


# --- what is to be done? ---------------------------------------------------------------------

def run(command, event, timeout_s, descriptor):
    """Runs a command to its end, at most so long: (exit code, first words of its output)."""
    environment = dict(
        os.environ, MOVE_TABLES_EVENT=event.name, MOVE_TABLES_EVENT_ID=event.id,
        MOVE_TABLES_MOVE=event.move, MOVE_TABLES_MOVE_ID=event.move_id,
        MOVE_TABLES_ATTEMPT=str(event.attempt), MOVE_TABLES_TARGET_HOST=event.host,
        MOVE_TABLES_TARGET_PORT=str(event.port or ''))
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE,
                                       stdout=output, pass_fds=(descriptor,),
                                       start_new_session=True)
        except OSError as error:
            return 127, f'{command[0]}: {error.strerror}'
        try:
            process.communicate(event.body, timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with all that it started
            process.wait()
            return 124, f'{command[0]} took longer than {timeout_s} s'
        output.seek(0)
        words = output.read(4 * ANSWER_MAX_CHARS).decode('utf-8', 'replace')
        return process.returncode, ' '.join(words.split())[:ANSWER_MAX_CHARS]


class Receiver:
    """Takes events: verified, in order, each once."""

    def __init__(self, options, store, descriptor):
        self.options = options
        self.store = store
        self.descriptor = descriptor

    def keys(self):
        """Read each time: a changed secret needs no restart."""
        try:
            return read_keys(self.options.secret_file)
        except (OSError, ValueError) as error:
            log('error', 'the secrets cannot be read', file=self.options.secret_file, error=error)
            raise Refused(503, 'the receiver cannot read its secrets') from None

    def receive(self, headers, body):
        """One request; the Answer."""
        if self.options.unsigned:
            identifier = headers.get('webhook-id', '')
        else:
            identifier = verify(self.keys(), headers, body, time.time())
        event = parse(identifier, body)
        try:
            answer = self.store.claim(event)
            repeated = answer is not None
            if not repeated:
                state, answer = 'failed', Answer(500, 'the receiver failed')
                try:
                    state, answer = self.act(event)
                finally:
                    self.store.finish(event, state, answer.text)
        except (sqlite3.Error, OSError) as error:  # a full disk, mostly
            log('error', 'the event could not be recorded or worked on', id=event.id, error=error)
            raise Refused(503, 'the receiver cannot work: its log says why') from None
        log('info' if answer.status < 300 else 'warning',
            'nothing to do' if repeated else 'worked on', event=event.name, move=event.move,
            attempt=event.attempt, id=event.id, status=answer.status, answer=answer.text)
        return answer

    def act(self, event):
        """The event's effect: (state to record, Answer)."""
        command = self.options.on.get(event.name)
        if command is None:
            return 'done', Answer(200, 'noted')
        code, words = run(command, event, self.options.command_timeout_s, self.descriptor)
        if code == 0:
            return 'done', Answer(200, words or 'done')
        words = words or f'{command[0]} ended with {code}'
        if code == EX_TEMPFAIL:
            return 'failed', Answer(503, words)
        if event.name == GATE:
            return 'refused', Answer(403, words)
        return 'failed', Answer(500, words)


# --- HTTP ------------------------------------------------------------------------------------

class Handler(http.server.BaseHTTPRequestHandler):
    """POST anywhere: an event. GET …/events/ID: whether it is done."""

    protocol_version = 'HTTP/1.1'
    timeout = IDLE_S
    wbufsize = -1  # an answer is one packet
    server_version = 'move-tables-receiver'
    sys_version = ''

    def read_body(self):
        """The body, no more than allowed."""
        length = self.headers.get('content-length', '')
        if 'transfer-encoding' in self.headers or not re.fullmatch('[0-9]{1,18}', length):
            self.close_connection = True
            raise Refused(411, 'a Content-Length is needed')
        if int(length) > BODY_MAX_BYTES:
            self.close_connection = True
            self.rfile.read(min(int(length), 4 * BODY_MAX_BYTES))  # so that the answer is read
            raise Refused(413, f'more than {BODY_MAX_BYTES} bytes')
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            raise Refused(400, 'the body broke off')
        return body

    def do_POST(self):  # pylint: disable=invalid-name
        """An event."""
        with self.server.working() as taken:
            try:
                if not taken:
                    self.close_connection = True
                    raise Refused(503, 'the receiver is about to end')
                answer = self.server.receiver.receive(self.headers, self.read_body())
            except Refused as refused:
                answer = refused.answer
                log('warning', 'not taken', status=answer.status, answer=answer.text)
            self.answer(answer)

    def do_GET(self):  # pylint: disable=invalid-name
        """Whether an event is done: what a probe_url asks, and an operator with curl.

        200 only if sending it again would be answered 2xx without anything being done. 404: send
        it (again). 409: ask later. No 202 while it is worked on: a sender takes any 2xx as yes.
        """
        folder, _, identifier = self.path.partition('?')[0].rpartition('/')
        if not folder.endswith('/events') or not UUID.fullmatch(identifier):
            return self.answer(Answer(404, 'POST an event, or GET /events/ID'))
        try:
            state = self.server.receiver.store.state(identifier)
        except sqlite3.Error as error:
            log('error', 'the database failed', error=error)
            return self.answer(Answer(503, 'the receiver cannot read its database'))
        status = {'done': 200, 'working': 409}.get(state, 404)
        self.answer(Answer(status, json.dumps({'id': identifier, 'state': state or 'unknown'})))

    def answer(self, answer):
        """Sends it; a sender that went away will ask again."""
        body = (answer.text + '\n').encode()
        try:
            self.send_response(answer.status)
            self.send_header('Content-Type', 'application/json' if body.startswith(b'{')
                             else 'text/plain; charset=utf-8')
            self.send_header('Content-Length', str(len(body)))
            if answer.status in (409, 503):
                self.send_header('Retry-After', '1')
            if self.close_connection:
                self.send_header('Connection', 'close')
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Events are logged, not requests: their paths and headers are nobody's business."""


class Server(socketserver.ThreadingTCPServer):
    """A thread a connection; ends when no event is being worked on."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address, receiver):
        self.address_family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        super().__init__(address, Handler)
        self.receiver = receiver
        self.changed = threading.Condition()
        self.requests = 0
        self.ending = False

    @contextlib.contextmanager
    def working(self):
        """Around a request: false when none is taken any more."""
        with self.changed:
            taken = not self.ending
            self.requests += taken
        try:
            yield taken
        finally:
            with self.changed:
                self.requests -= taken
                self.changed.notify_all()

    def end(self):
        """No new events; returns when those in progress are answered."""
        with self.changed:
            self.ending = True
            self.changed.wait_for(lambda: self.requests == 0)

    def handle_error(self, request, client_address):
        """A connection that breaks is no news; anything else is a defect."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            log('error', 'a request failed', error=repr(error))


def serve(options):
    """Until SIGTERM or SIGINT."""
    descriptor = hold(options.database)
    store = Store(options.database)
    host, _, port = options.listen.rpartition(':')
    server = Server((host.strip('[]'), int(port)), Receiver(options, store, descriptor))
    asked = []

    def stop(number, _):
        if not asked:  # in a thread: this one serves
            asked.append(number)
            threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log('info', 'listening', address='{}:{}'.format(*server.server_address[:2]),
        database=options.database, signed='no' if options.unsigned else 'yes')
    server.serve_forever(0.1)
    log('info', 'ending, as asked by a signal')
    server.server_close()
    server.end()
    store.close()
    log('info', 'ended')


def show(path):
    """What the database knows, oldest first."""
    if not os.path.exists(path):
        sys.exit(f'{path}: there is no such file; nothing was received')
    with contextlib.closing(sqlite3.connect(path)) as db:
        for row in db.execute('SELECT received_at, move, attempt, name, state, runs, id, answer '
                              'FROM event ORDER BY rowid'):
            print('{}  {}  attempt {}  {:<15} {:<8} run {}x  {}  {}'.format(*row))


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0], epilog=__doc__
                                     .partition('\n')[2], allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--listen', default='127.0.0.1:8099', metavar='HOST:PORT',
                        help='default 127.0.0.1:8099; TLS is the reverse proxy\'s business')
    parser.add_argument('--database', required=True, metavar='FILE',
                        help='an SQLite file: what was received. On a disk that survives a restart')
    parser.add_argument('--secret-file', metavar='FILE',
                        help='the signing secrets, one a line; all of them are accepted')
    parser.add_argument('--unsigned', action='store_true',
                        help='take requests without a signature, from whoever reaches the port')
    parser.add_argument('--on', nargs=2, action='append', default=[], metavar=('EVENT', 'COMMAND'),
                        help='run a command (no shell) for an event; repeatable')
    parser.add_argument('--command-timeout-s', type=int, default=30, metavar='S',
                        help='a command that takes longer is killed (default 30)')
    parser.add_argument('--list', action='store_true',
                        help='print what the database knows, and end')
    options = parser.parse_args()
    if options.list:
        return show(options.database)
    if options.unsigned == bool(options.secret_file):
        parser.error('either --secret-file, or --unsigned')
    options.on = {event: shlex.split(command) for event, command in options.on}
    try:
        if options.secret_file:
            read_keys(options.secret_file)
    except (OSError, ValueError, binascii.Error) as error:
        parser.error(f'--secret-file {options.secret_file}: {error}')
    return serve(options)


if __name__ == '__main__':
    sys.exit(main())
