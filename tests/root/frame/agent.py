# SPDX-License-Identifier: Apache-2.0
"""An agent of seccomp_unotify(2), as far as to be told of a process."""
import os
import socket


def received(t, listener):
    """What the agent at @listener is told of the next process."""
    peer, _ = listener.accept()
    data, fds, _, _ = socket.recv_fds(peer, 65536, 4)
    for fd in fds:
        os.close(fd)
    peer.close()
    t.equal(len(fds), 1, "the number of descriptors")
    return t.decode(data)
