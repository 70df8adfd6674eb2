"""The application's half of switch.py: where to write, and when not to.

    follower = Follower('/etc/shop/database.json')
    with follower.transaction() as (host, port):
        ...  # connect there, unless that is where you are; one whole transaction

An application in another language needs the same four steps: take FILE.lock shared, read FILE,
let go and wait while it says `stopped`, keep the lock until the transaction is over.
"""

import collections
import contextlib
import fcntl
import json
import pathlib
import time

Place = collections.namedtuple('Place', 'host port')
LOOK_AGAIN_S = 0.02


class Stopped(Exception):
    """Writes were stopped for longer than the caller would wait."""


class Follower:
    """Reads the file; used by any number of threads."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    @contextlib.contextmanager
    def transaction(self, patience_s=60):
        """Yields where to write. Raises Stopped. Whoever stops the writes waits for its end."""
        deadline = time.monotonic() + patience_s
        with open(f'{self.path}.lock', 'rb') as lock:
            while True:
                # First the lock, then the file: after `stopped` is written, nobody is between.
                fcntl.flock(lock, fcntl.LOCK_SH)
                state = json.loads(self.path.read_text(encoding='utf-8'))
                if state['writes'] == 'on':
                    break
                fcntl.flock(lock, fcntl.LOCK_UN)
                if time.monotonic() > deadline:
                    raise Stopped(f'no writes for {patience_s} s: {self.path}')
                time.sleep(LOOK_AGAIN_S)
            yield Place(state['host'], state['port'])
