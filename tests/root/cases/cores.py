# SPDX-License-Identifier: Apache-2.0
"""Core scheduling, which an annotation asks for: cookies of processes, seen from the host."""
import contextlib
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
    t.create()
    cookie = core_cookie(t.state()["pid"])
    t.delete("--force")
    t.check(cookie != 0 and cookie != core_cookie(os.getpid()), f"the cookie is {cookie}")


@case("exec has the container's cookie", needs="core-scheduling")
def _(t):
    t.edit(cores('{"create": true}'))
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    t.ok("exec", "--detach", "--pid-file", f"{t.dir}/pid", t.id, "/probe", "sleep")
    pids = t.state()["pid"], int(t.read(f"{t.dir}/pid"))
    cookies = [core_cookie(pid) for pid in pids]
    os.kill(pids[1], signal.SIGKILL)
    os.waitpid(pids[1], 0)  # the case is its reaper
    t.delete("--force")
    t.check(cookies[0] and cookies[0] == cookies[1], f"the cookies are {cookies}")


@contextlib.contextmanager
def another_process():
    pid = os.fork()
    if not pid:
        signal.pause()
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@case("another process gets the cookie, and a second container has that one's", needs="core-scheduling")
def _(t):
    with another_process() as peer:
        t.edit(cores(f'{{"create": true, "shareTo": {peer}}}'))
        t.probe("sleep")
        t.create()
        first = core_cookie(t.state()["pid"]), core_cookie(peer)
        t.delete("--force")
        t.edit(cores(f'{{"shareFrom": {peer}}}'))
        t.create()
        second = core_cookie(t.state()["pid"])
        t.delete("--force")
    t.check(first[0] and first == (second, second), f"the cookies are {first}, {second}")


failure_rows([
    ("where there is none that is said", cores('{"create": true}'),
     "core scheduling: (this kernel|no core)", "no-core-scheduling"),
    ("a process that there is not", cores('{"shareFrom": 4194303}'), "4194303", "core-scheduling"),
])
