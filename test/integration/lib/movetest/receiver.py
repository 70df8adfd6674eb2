"""A hook receiver: records every request and answers as it is told."""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import socket
import ssl
import struct
import sys
import threading
import time

import jsonschema

from .entry import TOP

Request = collections.namedtuple('Request', 'at path headers body event status')

SECRET = 'c2VjcmV0IG9mIHRoZSB0ZXN0cw'  # signs as its own bytes: no whsec_ prefix


def sign(secret, identifier, timestamp, body):
    """Standard Webhooks 1.0: what `webhook-signature` must hold."""
    key = base64.b64decode(secret[6:]) if secret.startswith('whsec_') else secret.encode()
    text = f'{identifier}.{timestamp}.'.encode() + body
    return 'v1,' + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


# --- ways to misbehave: what `answer()` takes besides a status ----------------------------------

def reset(handler):
    """Cuts the connection with a RST, after the request was read."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    handler.connection.close()


def stall(handler):
    """Never answers; ends when the sender goes away, or after a minute."""
    handler.connection.settimeout(60)
    try:
        handler.connection.recv(1)
    except OSError:
        pass


def garbage(handler):
    """Something that is not HTTP."""
    handler.wfile.write(b'SSH-2.0-OpenSSH_9.9\r\n\r\n')


def endless(status):
    """A status, and a body without an end."""
    def answer(handler):
        handler.send_response(status)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b'x' * 4096)
        except OSError:
            pass  # the sender has seen enough
    return answer


def echo(status):
    """A status, with everything that was sent repeated in the body."""
    def answer(handler):
        text = f'{handler.path} ' + ' '.join(f'{k}: {v}' for k, v in handler.headers.items())
        handler.send_response(status)
        handler.end_headers()
        handler.wfile.write(text.encode())
    return answer


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    receiver = None

    def handle_error(self, request, client_address):
        """A sender that breaks off is what some cases are about."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        """Reads, lets the receiver decide, answers."""
        body = self.rfile.read(int(self.headers.get('Content-Length', '0')))
        status, headers = self.server.receiver.decide(self.path, dict(self.headers.items()), body)
        self.answer(status, headers)

    def do_GET(self):
        """A probe."""
        self.answer(*self.server.receiver.tell(self.path, dict(self.headers.items())))

    def answer(self, status, headers):
        """A status with headers, nothing (None), or what a function makes of it."""
        if status is None or callable(status):
            self.close_connection = True
            if status is not None:
                status(self)
            return
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header('Content-Length', '0')
            self.end_headers()
        except OSError:
            pass  # the sender is gone

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Nothing on the terminal: the requests are recorded."""


class Receiver:
    """Listens on 127.0.0.1; `down()` and `up()` keep the port.

    `answer(event, …)` queues answers for an event; without one it is 200.
    `on(event, function)` calls the function (with the request) before answering.
    A probe is answered 200 when a request with its id came before, else 404;
    `answer_probe(…)` queues other answers. `tls` is (certificate, key).
    """

    def __init__(self, secret=SECRET, tls=None, host='127.0.0.1'):
        self.secret = secret
        self.tls = tls
        self.host = host
        self.port = 0
        self.probes = []
        self._probe_answers = collections.deque()
        self._lock = threading.Lock()
        self._requests = []
        self._answers = collections.defaultdict(collections.deque)
        self._calls = {}
        self._server = None
        self.failures = []
        self.up()

    @property
    def url(self):
        """Where to send to."""
        scheme = 'https' if self.tls else 'http'
        return f'{scheme}://{self.host}:{self.port}/hook'

    @property
    def probe_url(self):
        """Where to ask whether an event arrived."""
        return f'http://127.0.0.1:{self.port}/events/{{id}}'

    def up(self):
        """Begins to listen."""
        if self._server is None:
            self._server = _Server(('127.0.0.1', self.port), _Handler)
            self._server.receiver = self
            if self.tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*self.tls)
                self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                          do_handshake_on_connect=False)
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.05,),
                             daemon=True).start()

    def down(self):
        """Stops to listen: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, event, *statuses):
        """Queues answers: a status, (status, headers), a way to misbehave, or None to hang up."""
        with self._lock:
            self._answers[event].extend(statuses)

    def answer_probe(self, *statuses):
        """Queues answers to probes."""
        with self._lock:
            self._probe_answers.extend(statuses)

    def tell(self, path, headers):
        """How to answer a probe: (status, headers)."""
        request = Request(time.time(), path, headers, b'', 'probe', None)
        identifier = path.rsplit('/', 1)[-1].rsplit('=', 1)[-1]
        with self._lock:
            self.probes.append(request)
            known = any(header(r, 'webhook-id') == identifier for r in self._requests)
            answer = self._probe_answers.popleft() if self._probe_answers else \
                (200 if known else 404)
        return answer if isinstance(answer, tuple) else (answer, {})

    def clear(self, event):
        """Forgets the answers that are queued for an event."""
        with self._lock:
            self._answers[event].clear()

    def on(self, event, function):
        """Calls function(request) before the event is answered; None removes it."""
        with self._lock:
            self._calls[event] = function

    def decide(self, path, headers, body):
        """Records a request and says how to answer it: (status or None, headers)."""
        try:
            event = json.loads(body)['type'].removeprefix('move-tables.')
        except (ValueError, KeyError, TypeError):
            event = '?'
        with self._lock:
            queue = self._answers[event]
            answer = queue.popleft() if queue else 200
            status, extra = answer if isinstance(answer, tuple) else (answer, {})
            request = Request(time.time(), path, headers, body, event, status)
            self._requests.append(request)
            call = self._calls.get(event)
        if call is not None:
            try:
                call(request)
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append(f'{event}: {error!r}')
        return status, extra

    def requests(self, event=None):
        """What came so far, oldest first."""
        with self._lock:
            return [r for r in self._requests if event in (None, r.event)]

    def events(self):
        """The names of the requests, in order."""
        return [request.event for request in self.requests()]


def header(request, name):
    """A request's header, whatever its case; None without."""
    for key, value in request.headers.items():
        if key.lower() == name.lower():
            return value
    return None


def check_signature(request, secret):
    """What is wrong with the signature of a request or a probe; None when nothing is."""
    wanted = sign(secret, header(request, 'webhook-id'), header(request, 'webhook-timestamp'),
                  request.body)
    given = header(request, 'webhook-signature') or ''
    if any(hmac.compare_digest(wanted, one) for one in given.split(' ')):
        return None
    return f'{request.event}: signature is {given}, should be {wanted}'


_SCHEMA = jsonschema.Draft202012Validator(
    json.loads((TOP / 'hooks' / 'payload.schema.json').read_text(encoding='utf-8')))


def check_schema(body):
    """Where a body is not as hooks/payload.schema.json says: a list of sentences."""
    return [f'{"/".join(map(str, error.absolute_path)) or "body"}: {error.message}'
            for error in _SCHEMA.iter_errors(body)]


def check_request(request, secret, move, tables):
    """Everything wrong with one request, as a list of sentences."""
    wrong = []
    body = json.loads(request.body)
    identifier = header(request, 'webhook-id')
    timestamp = header(request, 'webhook-timestamp')

    def expect(condition, text):
        if not condition:
            wrong.append(f'{request.event}: {text}')

    expect((header(request, 'content-type') or '').startswith('application/cloudevents+json'),
           f'Content-Type is {header(request, "content-type")}')
    expect(body.get('specversion') == '1.0', 'specversion is not 1.0')
    expect(body.get('id') == identifier, 'webhook-id is not the event id')
    expect(header(request, 'idempotency-key') == f'"{identifier}"',
           f'Idempotency-Key is {header(request, "idempotency-key")}')
    expect((header(request, 'user-agent') or '').startswith('move-tables/'), 'User-Agent')
    expect(body.get('source') == f'move-tables/{move}', f'source is {body.get("source")}')
    expect(body.get('type') == f'move-tables.{request.event}', 'type')
    expect(body.get('datacontenttype') == 'application/json', 'datacontenttype')
    expect(timestamp is not None and abs(int(timestamp) - request.at) < 300,
           f'webhook-timestamp is {timestamp}')
    if secret is not None:
        unsigned = check_signature(request, secret)
        if unsigned:
            wrong.append(unsigned)
    wrong += [f'{request.event}: payload.schema.json: {text}' for text in check_schema(body)]
    data = body.get('data', {})
    expect(data.get('move') == move, f'data.move is {data.get("move")}')
    for side in ('source', 'target'):
        expect({'host', 'port', 'server_uuid'} <= set(data.get(side, {})), f'data.{side}')
    named = {(t.get('from'), t.get('to')) for t in data.get('tables', [])}
    expect(named == set(tables), f'data.tables is {named}')
    if request.event == 'completed':
        expect(data.get('drain_gtid'), 'no drain_gtid')
        expect(data.get('fenced_at') and data.get('drained_at'), 'no fenced_at or drained_at')
        expect(all(isinstance(t.get('rows'), int) for t in data.get('tables', [])), 'no rows')
    return wrong


def check_story(requests):
    """What must hold over all requests of one move, crashes or not: a list of sentences.

    One `completed` id; the same bytes for the same id; every acknowledged
    `before_cutover` is followed by `completed` or `cutover_aborted`.
    """
    wrong = []
    bodies = {}
    for request in requests:
        identifier = header(request, 'webhook-id')
        if bodies.setdefault(identifier, request.body) != request.body:
            wrong.append(f'{request.event}: other bytes under the id {identifier}')
    completed = {header(r, 'webhook-id') for r in requests if r.event == 'completed'}
    if len(completed) > 1:
        wrong.append(f'{len(completed)} ids of completed')
    open_gate = None
    for request in requests:
        if request.event == 'before_cutover':
            attempt = json.loads(request.body)['data']['attempt']
            if open_gate not in (None, attempt):
                wrong.append(f'before_cutover of attempt {attempt} while {open_gate} is open')
            open_gate = attempt
        elif request.event in ('completed', 'cutover_aborted'):
            open_gate = None
    if open_gate is not None:
        wrong.append(f'before_cutover of attempt {open_gate} was never followed')
    return wrong
