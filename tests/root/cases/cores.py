# SPDX-License-Identifier: Apache-2.0
"""Core scheduling, which an annotation asks for: cookies of processes, seen from the host."""
import os
import signal

from frame.case import case, failure_rows
from frame.kernel import core_cookie


def cores(text):
    return {"annotations": {"run.cleat.coreScheduling": text}}


@case("a cookie of its own", needs="core-scheduling")
def _(t):
    t.edit(cores('{"create": true}'))
    t.probe("sleep")
    pid = t.create()
    cookie = core_cookie(pid)
    t.delete("--force")
    t.check(cookie != 0 and cookie != core_cookie(os.getpid()), f"the cookie is {cookie}")


@case("the cookie of another process", needs="core-scheduling")
def _(t):
    peer = os.fork()
    if not peer:
        signal.pause()
    try:
        t.edit(cores(f'{{"create": true, "shareTo": {peer}}}'))
        t.probe("sleep")
        cookies = core_cookie(t.create()), core_cookie(peer)
        t.delete("--force")
    finally:
        os.kill(peer, 9)
        os.waitpid(peer, 0)
    t.check(cookies[0] and cookies[0] == cookies[1], f"the cookies are {cookies}")


failure_rows([
    ("where there is none that is said", cores('{"create": true}'),
     "core scheduling: (this kernel|no core)", "no-core-scheduling"),
    ("a process that there is not", cores('{"shareFrom": 4194303}'), "4194303", "core-scheduling"),
])
