"""One run of the tool, measured."""
import datetime
import json
import os
import subprocess
import threading
import time

TEMPLATE = '''move: bench
source: {{host: 127.0.0.1, port: {source}, user: root, password: "", tls: {{mode: disabled}}}}
target: {{host: 127.0.0.1, port: {target}, user: root, password: "", tls: {{mode: disabled}}}}
tables: [{tables}]
checkpoint: {{interval_ms: {interval_ms}}}
memory: {memory}MiB
'''


def seconds_of(text):
    """A log line's time as a number."""
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp()


class Run:
    """A process of the tool; what it logged and what it cost are there after wait()."""

    def __init__(self, binary, folder, config, until, extra=()):
        self.path = os.path.join(folder, 'bench.yaml')
        with open(self.path, 'w', encoding='utf-8') as out:
            out.write(TEMPLATE.format(**config) + '\n'.join(extra) + '\n')
        os.chmod(self.path, 0o600)
        self.log = os.path.join(folder, 'tool.log')
        self.start = time.monotonic()
        self.usage = None
        self.end = None
        command = [binary, 'run', self.path, '--log-format', 'json']
        if until is not None:
            command += ['--until', until]
        with open(self.log, 'wb') as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out)
        self.resident = []  # (seconds since the start, MiB)
        self.rss_mib = 0.0  # at its highest; not ru_maxrss, which begins with our own size
        self._waiter = threading.Thread(target=self._wait)
        self._waiter.start()
        threading.Thread(target=self._sample, daemon=True).start()

    def _wait(self):
        _, status, self.usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.end = time.monotonic()

    def running(self):
        """Has it not ended yet?"""
        return self._waiter.is_alive()

    def wait(self):
        """Until it ended; SystemExit with its last words unless it succeeded."""
        self._waiter.join()
        if self.process.returncode != 0:
            with open(self.log, encoding='utf-8', errors='replace') as log:
                tail = ''.join(log.readlines()[-8:])
            raise SystemExit(f'bench: move-tables ended with {self.process.returncode}:\n{tail}')
        return self

    def _sample(self, every_s=0.1):
        """Notes the resident memory now and then, until it ends."""
        path = f'/proc/{self.process.pid}/status'
        while self.running():
            try:
                with open(path, encoding='ascii') as status:
                    found = {line.split(':')[0]: int(line.split()[1]) / 1024
                             for line in status if line.startswith(('VmRSS', 'VmHWM'))}
            except OSError:
                break
            if found:
                self.resident.append((time.monotonic() - self.start, found['VmRSS']))
                self.rss_mib = found['VmHWM']
            self._waiter.join(every_s)

    def entries(self):
        """The log, as dictionaries."""
        with open(self.log, encoding='utf-8') as log:
            for line in log:
                try:
                    yield json.loads(line)
                except ValueError:
                    continue

    @property
    def seconds(self):
        """The whole process."""
        return self.end - self.start

    @property
    def cpu_s(self):
        """User and system."""
        return self.usage.ru_utime + self.usage.ru_stime

    def copy_seconds(self, until='following'):
        """From "loading the target" to a phase, the one after copying, by the log's own times."""
        begin = end = None
        for entry in self.entries():
            if entry.get('message') == 'loading the target':
                begin = seconds_of(entry['time'])
            if entry.get('phase') == until and entry.get('message') == 'phase':
                end = seconds_of(entry['time'])
        if begin is None or end is None:
            raise SystemExit(f'bench: {self.log} does not tell when the copy began and ended')
        return end - begin
