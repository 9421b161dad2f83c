# SPDX-License-Identifier: Apache-2.0
"""How a requirement looks.

    @requirement(8, "the pid file holds digits only", "go-runc, conmon-rs")
    def _(t): ...

The number is what docs/contract.md and other documents call it, the words are its row there,
then come the engines that rely on it; `needs` is as in tests/root/frame/needs.py. `t` is a
Trial of tests/root. What follows here is what many requirements have in common.
"""
import contextlib
import os
import re
import subprocess
import tempfile

from frame import cgroups
from frame.case import Case, Failed
from frame.trial import TIMEOUT, Result

REQUIREMENTS = {}


class Requirement(Case):
    """A case whose topic is its number."""

    def __init__(self, number, words, who, function, needs):
        super().__init__(str(number), words, function, needs)
        self.number, self.words, self.who = number, words, who


def requirement(number, words, who, needs=""):
    def register(function):
        if number in REQUIREMENTS:
            raise ValueError(f"two requirements have the number {number}")
        REQUIREMENTS[number] = Requirement(number, words, who, function, needs)
        return function
    return register


def in_order():
    return [REQUIREMENTS[n] for n in sorted(REQUIREMENTS)]


# --- containers -------------------------------------------------------------------------------

def created(t, *words, **more):
    """A container that waits for its start; the pid of its process."""
    t.probe(*words or ("sleep",))
    t.create(**more)
    return t.state()["pid"]


def started(t, *words, **more):
    pid = created(t, *words, **more)
    t.output.available()
    t.output.text = ""  # what an earlier container has said
    t.ok("start", t.id)
    if words in ((), ("sleep",)) or words[0] in ("children", "ignore-term"):
        t.wait_for_line("ready")
    return pid


def stopped(t):
    """One whose process has ended and was reaped."""
    pid = created(t, "exit", "0")
    t.ok("start", t.id)
    t.wait_for_end(pid)


def gone(t):
    """No container of this name is known."""
    r = t.cleat("state", t.id)
    t.check(r.rc != 0, f"the container is still there: {r}")


# --- results ----------------------------------------------------------------------------------

def outcome(t, argv, **more):
    """Run @argv with streams that a container may keep: files, not pipes that would not end."""
    with tempfile.TemporaryFile(dir=t.dir) as out, tempfile.TemporaryFile(dir=t.dir) as err:
        more = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err, **more}
        try:
            p = subprocess.run(argv, timeout=TIMEOUT, check=False, **more)
        except subprocess.TimeoutExpired as e:
            raise Failed(f"{' '.join(argv)}: no end after {TIMEOUT} s") from e
        said = []
        for f in (out, err):
            f.seek(0)
            said.append(f.read().decode("utf-8", "replace"))
    return Result(argv, p.returncode, *said)


@contextlib.contextmanager
def background(t, argv, **more):
    """A command that goes on meanwhile; it is ended when the test has gone wrong."""
    more = {"stdin": subprocess.DEVNULL, "stdout": t.output.writer, "stderr": subprocess.DEVNULL,
            **more}
    p = subprocess.Popen(argv, **more)
    try:
        yield p
        p.wait(TIMEOUT)
    except subprocess.TimeoutExpired as e:
        raise Failed(f"{' '.join(argv)}: no end after {TIMEOUT} s") from e
    finally:
        p.kill()
        p.wait()
        for stream in (p.stdout, p.stderr):
            if stream:
                stream.close()


def refused(t, words, *command, **more):
    """A command that must fail with @words, a pattern, on stderr."""
    r = t.cleat(*command, **more)
    t.check(r.rc != 0, f"should have failed: {r}")
    t.check(re.search(words, r.err), f"'{words}' is not in the message: {r}")
    return r


def quiet(t, *command, **more):
    """A command that must succeed and print nothing at all."""
    r = t.cleat(*command, **more)
    t.check((r.rc, r.out, r.err) == (0, "", ""), f"not a silent success: {r}")


def attempts(t, rows):
    """Each (name, function) must not raise; all that failed is told together."""
    wrong = []
    for name, function in rows:
        try:
            function()
        except Failed as e:
            wrong.append(f"{name}: {e}")
            t.cleat("delete", "--force", t.id)
    t.check(not wrong, "\n".join(wrong))


def remove_cgroups(name):
    """Parents of a container's cgroup are not the runtime's to remove."""
    for top in cgroups.named(name):
        for path, _, _ in os.walk(top, topdown=False):
            os.rmdir(path)


# --- processes --------------------------------------------------------------------------------

def stat_fields(pid):
    """/proc/PID/stat from the state on: [0] is field 3 of proc_pid_stat(5)."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        return f.read().rpartition(")")[2].split()


def parent_of(pid):
    return int(stat_fields(pid)[1])


def children():
    """Every child of this worker, which is the reaper of all that runs here: also zombies."""
    found = []
    for thread in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{thread}/children", encoding="ascii") as f:
            found += [int(x) for x in f.read().split()]
    return sorted(found)


def holders(inode):
    """Processes that have the pipe or socket with this inode number open."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if os.stat(f"/proc/{pid}/fd/{fd}").st_ino == inode:
                    found.add(int(pid))
        except OSError:
            pass
    return found


def ended(t, pid):
    """Wait for a process that is this worker's child by now."""
    try:
        return t.wait_for_end(pid)
    except ChildProcessError as e:
        raise Failed(f"process {pid} is not a child of the caller") from e


def kill_and_wait(t, pid):
    t.ok("kill", t.id, "KILL")
    return ended(t, pid)
