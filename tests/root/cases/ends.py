# SPDX-License-Identifier: Apache-2.0
"""Everybody in a container ends: with a pid namespace of its own or not, frozen or not, in
cgroups that somebody made inside or not. And what became of the cgroup meanwhile is no failure.
"""
import itertools
import json
import os
import re
import select
import time

from frame import cgroups, host
from frame.case import case
from frame.config import CGROUP, namespaces
from frame.phases import started, stopped, until

SECONDS = 20
NAMESPACES = ("network", "ipc", "uts", "mount", "cgroup")


class Watched:
    """Processes by pidfds: readable when they have ended, also as zombies."""

    def __init__(self, pids):
        self.fds = {os.pidfd_open(pid): pid for pid in pids}

    def left(self, seconds):
        end = time.monotonic() + seconds
        while self.fds:
            ended = select.select(self.fds, [], [], max(0, end - time.monotonic()))[0]
            if not ended:
                break
            for fd in ended:
                os.close(fd)
                del self.fds[fd]
        return sorted(self.fds.values())

    def close(self):
        for fd in self.fds:
            os.close(fd)


def inside(t):
    return json.loads(t.ok("ps", "--format", "json", t.id).out) or []


def nest(t, pids):
    """As a manager in the container does: cgroups of its own, and its children in them."""
    top = cgroups.directory("", "/" + t.id)
    for name, pid in zip(itertools.cycle(("a", "a/b", "c")), pids):
        os.makedirs(f"{top}/{name}", exist_ok=True)
        with open(f"{top}/{name}/cgroup.procs", "w", encoding="ascii") as f:
            f.write(str(pid))


WAYS = (("kill", "ID", "KILL"), ("kill", "--all", "ID", "KILL"), ("delete", "--force", "ID"))


def name_of(words):
    return " ".join(word for word in words if word != "ID")


def ends_all(t, words, pids):
    watched = Watched(pids)
    try:
        t.ok(*(t.id if word == "ID" else word for word in words))
        t.equal(watched.left(SECONDS), [], "processes that live on")
    finally:
        watched.close()
    host.reap()


def end(words, shared, paused, nested):
    how = ["shared pid namespace"] * shared + ["paused"] * paused + ["nested"] * nested

    @case(name_of(words) + (": " if how else "") + ", ".join(how), needs="cgroup2")
    def _(t):
        if shared:
            t.edit({"linux.namespaces": namespaces(*NAMESPACES)})
        pid = started(t, "children", "6")
        pids = inside(t)
        t.equal(len(pids), 7, "processes")
        if nested:
            nest(t, [p for p in pids if p != pid])
            t.equal(inside(t), pids, "ps of all that are nested")
        if paused:
            t.ok("pause", t.id)
        ends_all(t, words, pids)
        t.equal(inside(t) if words[0] == "kill" else [], [], "ps afterwards")
        t.delete("--force")


for _words in WAYS:
    for _shared, _paused, _nested in itertools.product((False, True), repeat=3):
        end(_words, _shared, _paused, _nested)


for _words in WAYS:
    def _leaderless(t, words=_words):
        """A process goes on when its first thread has ended, and cgroup.kill passes it over."""
        t.edit({"linux.namespaces": namespaces(*NAMESPACES)})
        started(t, "leaderless")
        pids = inside(t)
        t.equal(len(pids), 2, "processes")
        ends_all(t, words, pids)
        t.delete("--force")
    case(f"{name_of(_words)}: a process without its first thread, shared pid namespace",
         needs="cgroup2")(_leaderless)


@case("kill KILL: init has ended, shared pid namespace", needs="cgroup2")
def _(t):
    """Who outlives init is the container's all the same; other signals are for init."""
    t.edit({"linux.namespaces": namespaces(*NAMESPACES)})
    pid = started(t, "children", "3")
    others = [p for p in inside(t) if p != pid]
    os.kill(pid, 9)
    t.wait_for_end(pid)
    t.equal((t.state()["status"], len(others)), ("stopped", 3), "status and survivors")
    t.fails("container not running", "kill", t.id, "TERM")
    ends_all(t, ("kill", "ID", "KILL"), others)
    t.fails("container not running", "kill", t.id, "KILL")
    t.delete()


# --- frozen in a v1 freezer, which holds back SIGKILL: as a container may do with itself ------------

def freeze(t, pid, names):
    """Also in a cgroup of its own making, whose path may be longer than any path may be."""
    at = os.open(cgroups.directory("freezer", "/" + t.id), os.O_RDONLY)
    for name in names:
        os.mkdir(name, dir_fd=at)
        at, above = os.open(name, os.O_RDONLY, dir_fd=at), at
        os.close(above)
    for name, value in (("cgroup.procs", str(pid)), ("freezer.state", "FROZEN")):
        with open(name, "w", encoding="ascii", opener=lambda name, flags, at=at: os.open(
                name, flags, dir_fd=at)) as f:
            f.write(value)
    os.close(at)


for _place, _names in (("", ()), (" in a cgroup below", ("a", "b")),
                       (" in a cgroup very far below", ("n" * 200,) * 30)):
    for _words in WAYS:
        for _shared in (False, True):
            def _frozen(t, words=_words, names=_names, shared=_shared):
                if shared:
                    t.edit({"linux.namespaces": namespaces(*NAMESPACES)})
                pid = started(t)
                freeze(t, pid, names)
                ends_all(t, words, [pid])
                t.delete("--force")
            case(f"{name_of(_words)}: frozen in the v1 freezer{_place}" + ", shared pid namespace" * _shared,
                 needs="cgroup:freezer")(_frozen)


@case("delete --force: frozen again and again by somebody inside", needs="cgroup:freezer busybox")
def _(t):
    t.busybox()
    t.edit({"+mounts": [{**CGROUP, "options": ["nosuid", "noexec", "nodev", "rw"]}]})
    t.args("/bin/sh", "-c", """
cd /sys/fs/cgroup/freezer && mkdir n && echo ready
for i in 1 2; do (while :; do echo FROZEN >n/freezer.state; done) & done
echo $$ >n/cgroup.procs
while :; do :; done""")
    t.create()
    t.ok("start", t.id)
    t.wait_for_line("ready")
    t.delete("--force")


@case("delete --force: in somebody else's cgroup, frozen in the v1 freezer", needs="cgroup:freezer")
def _(t):
    pid = started(t)
    other = cgroups.directory("freezer", f"/{t.id}-other")
    os.mkdir(other)
    try:
        for name, value in (("cgroup.procs", str(pid)), ("freezer.state", "FROZEN")):
            t.write(f"{other}/{name}", value)
        t.delete("--force")
        t.equal(t.read(f"{other}/freezer.state").strip(), "FROZEN", "that cgroup")
    finally:
        t.write(f"{other}/freezer.state", "THAWED")
        os.rmdir(other)


@case("what has frozen itself is paused, and can be resumed", needs="cgroup:freezer")
def _(t):
    freeze(t, started(t), ())
    until(t, "paused", lambda: t.state()["status"] == "paused")
    t.fails("cannot exec in a paused container", "exec", t.id, "/probe", "exit", "0")
    t.ok("resume", t.id)
    t.equal(t.state()["status"], "running", "the status afterwards")
    t.ok("exec", t.id, "/probe", "exit", "0")
    t.delete("--force")


@case("a signal for all reaches those in nested cgroups", needs="cgroup2")
def _(t):
    """The children ignore TERM; USR1 ends them."""
    pid = started(t, "children", "6")
    pids = [p for p in inside(t) if p != pid]
    nest(t, pids)
    watched = Watched(pids)
    try:
        t.ok("kill", "--all", t.id, "USR1")
        t.equal(watched.left(SECONDS), [], "processes that live on")
    finally:
        watched.close()
    t.delete("--force")


@case("a cgroup that has gone is no failure")
def _(t):
    stopped(t)
    for path in cgroups.named(t.id):
        os.rmdir(path)
    t.ok("kill", "--all", t.id, "KILL")
    t.equal(t.ok("ps", "--format", "json", t.id).out, "null\n", "ps")
    t.equal(t.state()["status"], "stopped", "the status")
    t.fails("not running", "events", "--stats", t.id)
    t.delete()


@case("a cgroup of the same name that is somebody else's stays", needs="cgroup2")
def _(t):
    """Ours is gone; what stands there now holds a process that is not the container's."""
    import subprocess
    stopped(t)
    for path in cgroups.named(t.id):
        os.rmdir(path)
    path = cgroups.v2_root() + "/" + t.id
    os.mkdir(path)
    with subprocess.Popen(["sh", "-c", f"echo $$ >{path}/cgroup.procs; echo in; read x"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        t.cleat("kill", "--all", t.id, "KILL")
        t.equal(inside(t), [], "ps")
        t.delete("--force")
        t.check(other.poll() is None and os.path.isdir(path), "the other process was ended")
        other.communicate()
    os.rmdir(path)


@case("the limit of memory ends it before its program runs, and is said", needs="cgroup:memory")
def _(t):
    t.edit({"linux.resources.memory": {"limit": 8192, "swap": 8192}})
    t.probe("exit", "0")
    t.expect_failure(r"container init was OOM-killed \(memory limit too low\?\): "
                     r"out of memory \(limit \d+, peak \d+\)", status=1)


LITTLE = {"limit": 16 << 20, "swap": 16 << 20}
SAYS = rf"a process in it was killed: out of memory \(limit {16 << 20}, peak \d+\)$"


@case("the limit of memory ends it later, and is said", needs="cgroup:memory")
def _(t):
    """It is no failure of ours: the status is the container's."""
    t.edit({"linux.resources.memory": LITTLE})
    t.probe("alloc", "64")
    r = t.run()
    t.equal(r.rc, 137, f"the status of {r}")
    t.check_message(r, SAYS)
    log = f"{t.dir}/log"
    r = t.cleat("--log", log, "--log-format", "json", "run", "--bundle", t.bundle, t.id)
    t.equal(r.rc, 137, f"the status of {r}")
    t.check_message(r, SAYS)
    entry = json.loads(t.read(log))
    t.expect(entry, {"level": "warning", "code": "oom", "object": t.id, "errno": "ENOMEM"})
    t.check(re.search(SAYS, entry["msg"]), f"the message: {entry}")


@case("who was killed for memory is not guessed", needs="cgroup:memory")
def _(t):
    """Another process first, by the kernel, and then init, by us."""
    t.edit({"linux.resources.memory": LITTLE})
    t.probe("sleep")
    p = t.foreground()
    t.wait_for_line("ready")
    t.equal(t.cleat("exec", t.id, "/probe", "alloc", "64").rc, 137, "the status of the other")
    t.ok("kill", t.id, "KILL")
    _, err = p.communicate(timeout=SECONDS)
    t.equal(p.returncode, 137, "the status")
    t.check(re.search(SAYS, err.decode()) and b"init" not in err, f"stderr: {err}")
