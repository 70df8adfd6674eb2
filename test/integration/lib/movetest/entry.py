"""Gets a script into the environment that has MySQL, its client and pymysql."""

import os
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parents[4]
MARK = pathlib.Path('/.move-tables-root')


def enter():
    """Starts this script again through script/in-root, once.

    Where the machine has everything itself, in-root just runs its arguments;
    the variable keeps that from going round in circles.
    """
    if MARK.exists() or os.environ.get('MT_TEST_ENTERED'):
        return
    os.environ['MT_TEST_ENTERED'] = '1'
    in_root = str(TOP / 'script' / 'in-root')
    script = str(pathlib.Path(sys.argv[0]).resolve())
    os.execv(in_root, [in_root, 'python3', script, *sys.argv[1:]])
