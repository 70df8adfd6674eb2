#!/usr/bin/env python3
"""Where an application's database is, and whether it may write, in one file.

    switch.py create FILE --to HOST:PORT     once: the file as it is before the move
    switch.py stop FILE                      on before_cutover: nobody writes when it ends with 0
    switch.py resume FILE                    on cutover_aborted: writes go on where they were
    switch.py target FILE                    on completed: writes go on at the move's target

FILE is JSON: host, port, writes (`on` or `stopped`), and by which event. It is replaced by one
rename, so that a reader sees the old state or the new one. The application reads it for every
transaction, and holds FILE.lock shared meanwhile (follow.py does both).

Each command sets a state, and may be run again for the same event. `target` takes the address
from MOVE_TABLES_TARGET_HOST and _PORT, or from --to where the application knows the target by
another name. --reload COMMAND is run after every change: what makes your application look, if it
does not do so by itself. FILE belongs to one move at a time.
"""

import argparse
import fcntl
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys


class Failed(Exception):
    """The text says what is wrong."""


def read(path):
    """What the file says."""
    try:
        return json.loads(pathlib.Path(path).read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise Failed(f'{path}: {error}') from None


def write(path, state):
    """Replaces the file: whole, and on the disk when this returns."""
    folder, name = os.path.split(os.path.abspath(path))
    new = os.path.join(folder, f'.{name}.new')
    with open(new, 'w', encoding='utf-8') as file:
        file.write(json.dumps(state, indent=1) + '\n')
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    # A rename is durable when its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def change(path, **changes):
    """Sets some of the state; the event's id is written with it, in the same rename."""
    state = read(path)
    event = os.environ.get('MOVE_TABLES_EVENT_ID')
    if event is not None and state.get('event') == event:
        return state, False  # a repeat: what it does was done
    state.update(changes, event=event)
    write(path, state)
    return state, True


def wait_for_transactions(path, wait_s):
    """Until nobody holds the lock that was taken before the writes were stopped.

    A transaction takes the lock and then reads the file. So whoever takes it from now on finds
    `stopped`; and when we have had it for ourselves once, the others have ended.
    """
    def too_long(*_):
        raise Failed(f'a transaction of the application runs for more than {wait_s:g} s')

    signal.signal(signal.SIGALRM, too_long)
    with open(path + '.lock', 'rb') as lock:
        signal.setitimer(signal.ITIMER_REAL, wait_s)
        fcntl.flock(lock, fcntl.LOCK_EX)
        signal.setitimer(signal.ITIMER_REAL, 0)


def address(text):
    """HOST:PORT."""
    host, _, port = text.rpartition(':')
    if not host or not port.isdecimal():
        raise argparse.ArgumentTypeError(f'{text}: not HOST:PORT')
    return host.strip('[]'), int(port)


def create(options):
    """The first state; the lock's file too."""
    if options.to is None:
        raise Failed('create wants --to HOST:PORT')
    if os.path.exists(options.file):
        raise Failed(f'{options.file} is there already')
    with open(options.file + '.lock', 'ab'):
        pass
    host, port = options.to
    write(options.file, {'host': host, 'port': port, 'writes': 'on', 'event': None})
    return f'{host}:{port}'


def stop(options):
    """Stops the writes, and waits for those in progress."""
    change(options.file, writes='stopped')
    wait_for_transactions(options.file, options.wait_s)
    return 'writes are stopped'


def resume(options):
    """As before; the address stays."""
    state, _ = change(options.file, writes='on')
    return f'writes go on at {state["host"]}:{state["port"]}'


def target(options):
    """The switch."""
    host, port = options.to or (os.environ.get('MOVE_TABLES_TARGET_HOST'),
                                os.environ.get('MOVE_TABLES_TARGET_PORT'))
    if not host or not port:
        raise Failed('where to? MOVE_TABLES_TARGET_HOST and _PORT are not set, nor is --to')
    state, changed = change(options.file, host=host, port=int(port), writes='on')
    return f'{"switched to" if changed else "was switched to"} {state["host"]}:{state["port"]}'


def main():
    """One command."""
    commands = {'create': create, 'stop': stop, 'resume': resume, 'target': target}
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('command', choices=commands)
    parser.add_argument('file', metavar='FILE')
    parser.add_argument('--to', type=address, metavar='HOST:PORT')
    parser.add_argument('--wait-s', type=float, default=5, metavar='S',
                        help='stop: how long a transaction may take to end (default 5)')
    parser.add_argument('--reload', type=shlex.split, metavar='COMMAND')
    options = parser.parse_args()
    try:
        said = commands[options.command](options)
        # Also on a repeat: the one before may have died between the rename and this.
        if options.reload:
            subprocess.run(options.reload, check=True, stdout=sys.stderr)
    except (Failed, OSError, subprocess.CalledProcessError) as error:
        print(error)  # the receiver answers with it
        return 1
    print(said)
    return 0


if __name__ == '__main__':
    sys.exit(main())
