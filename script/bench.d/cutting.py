"""Cutovers: from the last write that the source answered to the `completed` request's arrival."""
import http.server
import json
import statistics
import threading
import time

import tool
from both import ended, steady
from lab import say

ROWS = 1000


class Receiver(http.server.BaseHTTPRequestHandler):
    """Notes when an event's request arrives."""
    protocol_version = 'HTTP/1.1'
    arrived = {}

    def handle_expect_100(self):
        """Not expected of the tool."""
        return True

    def do_POST(self):
        """The arrival is the moment at which the body is there."""
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.arrived[json.loads(body)['type'].removeprefix('move-tables.')] = time.time()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        """Nothing on the terminal."""


def steps_of(run):
    """Milliseconds from the stored intent to the phases after it, as far as the log tells."""
    at = {}
    for entry in run.entries():
        if entry.get('message') == 'phase':
            at[entry['phase']] = tool.seconds_of(entry['time'])
    if not {'draining', 'drained'} <= set(at):
        return {}
    return {'drain_ms': 1000 * (at['drained'] - at['draining'])}


def cut_over(lab, port):
    """One move of a small table under load; the interruption in ms."""
    lab.source.query('DROP DATABASE IF EXISTS bench')
    lab.fill('bench.t', ROWS)
    for name in ('bench', 'move_tables'):
        lab.target.query(f'DROP DATABASE IF EXISTS {name}')
    Receiver.arrived = {}
    load = steady(lab, 'bench.t', lab.options.cutover_rate, ROWS, 1)
    try:
        run = lab.start_tool(['bench.t'], until=None, extra=[
            'cutover: {mode: auto}', f'hooks: [{{url: "http://127.0.0.1:{port}/"}}]'])
        run.wait()
    finally:
        _, _, last = ended(load)
    return 1000 * (Receiver.arrived['completed'] - last), steps_of(run)


def percentile(values, part):
    """Of sorted values, the nearest rank."""
    return values[min(len(values) - 1, max(0, round(part * len(values) + 0.5) - 1))]


def measure(lab):
    """As many cutovers as asked for."""
    lab.forget_source()
    lab.empty_target()
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    case = f'cutover under {lab.options.cutover_rate} writes/s'
    values, drains = [], []
    for number in range(lab.options.cutovers):
        interruption_ms, steps = cut_over(lab, server.server_address[1])
        values.append(interruption_ms)
        drains.append(steps.get('drain_ms'))
        lab.report.add(case, 'move-tables', interruption_ms=interruption_ms, **steps)
        say(f'{case}: {number + 1}: {interruption_ms:.0f} ms, {steps}')
    server.shutdown()
    values.sort()
    lab.tables.append(
        f'{case}: {len(values)} cutovers, last answered write to `completed` received, ms\n\n'
        '| p50 | p90 | p99 | max | draining → drained, median |\n|---|---|---|---|---|\n'
        f'| {percentile(values, 0.5):.0f} | {percentile(values, 0.9):.0f} | '
        f'{percentile(values, 0.99):.0f} | {values[-1]:.0f} | '
        f'{statistics.median(d for d in drains if d is not None):.0f} |\n')
