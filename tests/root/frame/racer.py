# SPDX-License-Identifier: Apache-2.0
"""Somebody who exchanges two names as fast as it goes, while a container is made."""
import contextlib
import subprocess
import sys

# RENAME_EXCHANGE (renameat2(2)); a process of its own, since Python's threads take turns
PROGRAM = """
import ctypes, sys
libc = ctypes.CDLL(None)
a, b = (x.encode() for x in sys.argv[1:])
print('on', flush=True)
while True:
    libc.renameat2(-100, a, -100, b, 2)
"""


@contextlib.contextmanager
def exchanging(a, b):
    """While this is open, the names @a and @b change places all the time."""
    racer = subprocess.Popen([sys.executable, "-c", PROGRAM, a, b], stdout=subprocess.PIPE)
    racer.stdout.readline()
    try:
        yield
    finally:
        racer.kill()
        racer.communicate()
