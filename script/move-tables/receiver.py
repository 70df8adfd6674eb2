"""A small hook receiver that records every request, one JSON object a line.

GET on any path answers 200 if a request with the webhook-id that is its last path element (or its
?id=) was acknowledged, 404 otherwise: what a hook's probe_url asks for. GET / returns all records.
"""

import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.parse


class Log:
    def __init__(self, path):
        self.lock = threading.Lock()
        self.file = open(path, "a", buffering=1, encoding="utf-8") if path else sys.stdout
        self.records = []
        self.seen = 0

    def add(self, record):
        with self.lock:
            self.records.append(record)
            self.file.write(json.dumps(record, ensure_ascii=False) + "\n")
            self.file.flush()

    def next(self):
        with self.lock:
            self.seen += 1
            return self.seen

    def acknowledged(self, event_id):
        with self.lock:
            return any(r["id"] == event_id and r["status"] and 200 <= r["status"] < 300 for r in self.records)


def signature_of(secret, headers, body):
    """Standard Webhooks 1.0: ok, bad or missing."""
    given = headers.get("webhook-signature")
    if not given:
        return "missing"
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    text = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
    want = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return "ok" if any(hmac.compare_digest(want, s) for s in given.split(" ")) else "bad"


def event_of(body):
    try:
        return json.loads(body)["type"].rpartition(".")[2]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    args = None
    log = None

    def read_body(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def decide(self, event):
        """The status to answer with; 0 to cut the connection."""
        a = self.args
        if a.only and event not in a.only:
            return a.status
        n = self.log.next()
        if n <= a.reset_first:
            return 0
        if n <= a.reset_first + a.fail_first:
            return a.fail_status
        return a.veto if a.veto and event == "before_cutover" else a.status

    def do_POST(self):
        at = time.time()
        body = self.read_body()
        headers = {k.lower(): v for k, v in self.headers.items()}
        event = event_of(body)
        status = self.decide(event)
        self.log.add({
            "at": at, "method": self.command, "path": self.path, "headers": headers, "event": event,
            "id": headers.get("webhook-id"), "status": status or None,
            "signature": signature_of(self.args.secret, headers, body) if self.args.secret else None,
            "body": body.decode("utf-8", "replace"), "body_base64": base64.b64encode(body).decode()})
        if self.args.delay_ms:
            time.sleep(self.args.delay_ms / 1000)
        if not status:
            self.close_connection = True
            # Zero linger: the peer sees a reset, not an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
            return
        self.answer(status, b'{"recorded":true}\n')

    do_PUT = do_POST

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        event_id = urllib.parse.parse_qs(url.query).get("id", [url.path.rpartition("/")[2]])[0]
        if not event_id:
            with self.log.lock:
                body = json.dumps(self.log.records, ensure_ascii=False).encode()
            self.answer(200, body)
        elif self.log.acknowledged(event_id):
            self.answer(200, b'{"delivered":true}\n')
        else:
            self.answer(404, b'{"delivered":false}\n')

    def answer(self, status, body):
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            if self.args.retry_after is not None and status in (429, 503):
                self.send_header("retry-after", str(self.args.retry_after))
            if self.args.location:
                self.send_header("location", self.args.location)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # it did not wait for the answer

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        # A peer that goes away, as one that is killed does, is no news.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def shutdown_request(self, request):
        try:
            super().shutdown_request(request)
        except OSError:
            pass


def main():
    p = argparse.ArgumentParser(prog="receiver", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--port", type=int, default=8099, help="on 127.0.0.1; 0: a free one, see --port-file (default 8099)")
    p.add_argument("--file", help="where to append the records (default: standard output)")
    p.add_argument("--port-file", help="write the port there once it listens")
    p.add_argument("--status", type=int, default=200, help="what to answer (default 200)")
    p.add_argument("--fail-first", type=int, default=0, metavar="N", help="answer the first N requests with --fail-status")
    p.add_argument("--fail-status", type=int, default=503)
    p.add_argument("--reset-first", type=int, default=0, metavar="N", help="reset the first N connections after reading the body")
    p.add_argument("--veto", type=int, metavar="STATUS", help="answer before_cutover with this status, e.g. 403")
    p.add_argument("--only", action="append", metavar="EVENT", help="misbehave for this event only; repeatable")
    p.add_argument("--delay-ms", type=int, default=0, help="wait before each answer")
    p.add_argument("--retry-after", help="send this Retry-After with 429 and 503")
    p.add_argument("--location", help="send this Location with every answer")
    p.add_argument("--secret", default=os.environ.get("HOOK_SECRET"), help="verify signatures (default: $HOOK_SECRET)")
    args = p.parse_args()

    Handler.args, Handler.log = args, Log(args.file)
    try:
        server = Server(("127.0.0.1", args.port), Handler)
    except OSError as e:
        print(f"receiver: port {args.port}: {e.strerror}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    port = server.server_address[1]
    if args.port_file:
        with open(args.port_file + ".new", "w", encoding="ascii") as f:
            f.write(f"{port}\n")
        os.rename(args.port_file + ".new", args.port_file)
    print(f"receiver: listening on http://127.0.0.1:{port}/", file=sys.stderr, flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
