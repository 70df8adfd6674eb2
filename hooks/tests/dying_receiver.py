"""The reference receiver, which SIGKILLs itself at a moment: dying_receiver.py MOMENT OPTION…

The moments are around the two commits; the receiver itself knows nothing of this.
"""

import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'receiver'))
import receiver  # noqa: E402


def die(*_):
    """Now."""
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner, name):
    """Die instead of doing it."""
    setattr(owner, name, die)


def after(owner, name):
    """Die when it is done."""
    done = getattr(owner, name)

    def replaced(*args):
        done(*args)
        die()
    setattr(owner, name, replaced)


MOMENTS = {
    'not-recorded': lambda: before(receiver.Store, 'claim'),
    'recorded-working': lambda: after(receiver.Store, 'claim'),
    'command-ended': lambda: after(receiver, 'run'),
    'not-recorded-done': lambda: before(receiver.Store, 'finish'),
    'recorded-done': lambda: after(receiver.Store, 'finish'),
    'not-answered': lambda: before(receiver.Handler, 'answer'),
}

if __name__ == '__main__':
    MOMENTS[sys.argv.pop(1)]()
    sys.exit(receiver.main())
