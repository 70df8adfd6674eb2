"""Failpoints: which there are, and which of them a command passes."""

import collections
import json
import subprocess

from .tool import BINARY


def listed():
    """(name, description) of every point, in the binary's order."""
    out = subprocess.run([BINARY, 'version', '--failpoints', '--json'], capture_output=True,
                         text=True, check=True).stdout
    return [(point['name'], point['description']) for point in json.loads(out)['failpoints']]


class Trace:
    """What MOVE_TABLES_FAILPOINT_TRACE wrote: the points that were reached, in order."""

    def __init__(self, path):
        self.path = path
        self.took_s = None  # the traced command, when it is known

    @property
    def environment(self):
        """For the process that is to be traced."""
        return {'MOVE_TABLES_FAILPOINT_TRACE': str(self.path)}

    def names(self):
        """Every point each time that it was reached."""
        try:
            return self.path.read_text(encoding='ascii').split()
        except FileNotFoundError:
            return []

    def counts(self):
        """How often each was reached."""
        return collections.Counter(self.names())

    def place(self, point, nth=1):
        """Where in the trace the point was reached for the nth time."""
        names = self.names()
        places = [i for i, name in enumerate(names) if name == point]
        return places[min(nth, len(places)) - 1]
