# SPDX-License-Identifier: Apache-2.0
"""Commands that meet in the middle: one is held back in a system call, the others pass it."""
import fcntl
import json
import os
import re
import signal
import subprocess

from frame.case import case
from frame.phases import started, until
from frame.trial import TIMEOUT


class Held:
    """One of our commands whose first @call is late, until we let it go; @on: the words of strace
    for "when"."""
    made = 0

    def __init__(self, t, call, on, *words):
        # the command is our child, and its tracer is not; it is held for as long as that lives
        strace = ["strace", "-D", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                  f"inject={call}:{on}={int(2 * TIMEOUT * 1e6)}:when=1"]
        Held.made += 1
        # no pipes: a container that waits would keep them open
        self.printed, self.said = (f"{t.dir}/held.{Held.made}.{name}" for name in ("out", "err"))
        with open(self.printed, "wb") as out, open(self.said, "wb") as err:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(strace + t.command(*words), stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=err)

    def _proc(self, name):
        with open(f"/proc/{self.process.pid}/{name}", encoding="ascii") as f:
            return f.read()

    def has_open(self, what):
        """Has the command a descriptor of that name?"""
        fds = f"/proc/{self.process.pid}/fd"
        try:
            return any(os.readlink(f"{fds}/{n}").startswith(what) for n in os.listdir(fds))
        except OSError:
            return False

    def end(self):
        """Let it go: its status, and what it has said."""
        tracer = int(re.search(r"TracerPid:\s*(\d+)", self._proc("status"))[1])
        if tracer:
            os.kill(tracer, signal.SIGKILL)
        rc = self.process.wait(TIMEOUT)
        with open(self.said, encoding="utf-8") as f:
            return rc, f.read()

    def output(self):
        with open(self.printed, encoding="utf-8") as f:
            return f.read()


def at_lock(process, path, how):
    """Is it in flock(2), of the directory @path?"""
    try:
        with open(f"/proc/{process.pid}/syscall", encoding="ascii") as f:
            words = f.read().split()
        return (len(words) > 2 and words[2] == hex(how) and
                os.readlink(f"/proc/{process.pid}/fd/{int(words[1], 16)}") == path)
    except OSError:
        return False


# --- create --------------------------------------------------------------------------------------

for _call, _on, _state in (("mkdirat", "delay_exit", "not open"), ("flock", "delay_enter", "open")):
    for _again in (True, False):
        def _loser(t, call=_call, on=_on, again=_again):
            """Who makes a container undoes what is his, not what has the same name by then."""
            os.mkdir(t.root, 0o700)  # or it would be the first that is made
            t.probe("sleep")
            t.write_config()
            path = f"{t.root}/{t.id}"
            loser = Held(t, call, on, "create", "--bundle", t.bundle, t.id)
            until(t, "a directory", lambda: os.path.exists(path))
            if call == "flock":
                until(t, "the directory is open", lambda: loser.has_open(path))
            t.delete("--force")
            if again:
                t.create()
                pid = t.state()["pid"]
            rc, err = loser.end()
            said = "already exists" if again and call == "mkdirat" else "deleted while"
            t.check(rc == 1 and err.count("\n") == 1 and said in err, f"the loser: {rc} {err}")
            if not again:
                t.equal(os.listdir(t.root), [], "what is left")
                return
            t.equal((t.state()["status"], t.state()["pid"]), ("created", pid), "the winner's")
            t.ok("start", t.id)
            t.wait_for_line("ready")
            t.ok("exec", t.id, "/probe", "exit", "0")
            t.delete("--force")
            t.equal(t.wait_for_end(pid), -9, "how it ended")
        case(f"create, of a directory that was deleted while {_state}" +
             (", and made by another" if _again else ""), needs="program:strace")(_loser)


@case("delete, of a container that another has deleted and a third has made again",
      needs="program:strace")
def _(t):
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    late = Held(t, "flock", "delay_enter", "delete", "--force", t.id)
    until(t, "the directory is open", lambda: late.has_open(f"{t.root}/{t.id}"))
    t.delete("--force")
    t.equal(t.wait_for_end(pid), -9, "how the first one ended")
    t.create()
    pid = t.state()["pid"]
    t.equal(late.end(), (0, ""), "the late one")
    t.equal((t.state()["status"], t.state()["pid"]), ("created", pid), "the new one")
    t.delete("--force")
    t.equal(t.wait_for_end(pid), -9, "how the new one ended")


# --- create, and who looks at it meanwhile -------------------------------------------------------

BEING_MADE = (("without a record", "/^renameat2?$", "config.json"),
              ("without a process", "clone3", "state.json"))


def being_made(t, call, file, *words):
    """A creation that is held in its first @call, and has made @file; with its path."""
    t.probe(*(words or ("sleep",)))
    t.write_config()
    path = f"{t.root}/{t.id}"
    maker = Held(t, call, "delay_enter", "create", "--bundle", t.bundle, t.id)
    until(t, file, lambda: os.path.exists(f"{path}/{file}"))
    return maker, path


for _how, _call, _file in BEING_MADE:
    for _verb in ("state", "list"):
        def _look(t, call=_call, file=_file, verb=_verb):
            """The record is read, then everything happens, then the lock is found free."""
            maker, path = being_made(t, call, file)
            late = Held(t, "flock", "delay_enter",
                        *(("state", t.id) if verb == "state" else ("list", "-f", "json")))
            until(t, "at the lock", lambda: at_lock(late.process, path,
                                                    fcntl.LOCK_SH | fcntl.LOCK_NB))
            t.equal(maker.end(), (0, ""), "the creation")
            t.equal(late.end(), (0, ""), f"the {verb}")
            seen = json.loads(late.output())
            t.equal([seen] if verb == "state" else seen, [t.state()], "what it has seen")
            t.equal(t.state()["status"], "created", "the status")
            t.delete("--force")
        case(f"{_verb}, of a container that is made {_how}, and then with one",
             needs="program:strace")(_look)


@case("kill, of a container without a process", needs="program:strace")
def _(t):
    maker, _ = being_made(t, *BEING_MADE[1][1:])
    t.fails("container not running: .* is still being created", "kill", t.id, "KILL")
    t.equal(maker.end(), (0, ""), "the creation")
    t.delete("--force")


@case("wait, of a container without a process", needs="program:strace")
def _(t):
    """It waits for the process, too."""
    maker, path = being_made(t, *BEING_MADE[1][1:], "exit", "7")
    t.fails("has not ended within 0 ms", "wait", "--time", "0", t.id)
    with subprocess.Popen(t.command("wait", t.id), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        until(t, "at the lock", lambda: p.poll() is not None or
              at_lock(p, path, fcntl.LOCK_EX))
        t.equal(maker.end(), (0, ""), "the creation")
        pid = t.state()["pid"]
        t.ok("start", t.id)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        t.equal(p.communicate(timeout=TIMEOUT), ("7\n", ""), "what wait prints")
    t.equal(t.wait_for_end(pid), 7, "the status")
    t.delete()


@case("stop, of a container without a process", needs="program:strace")
def _(t):
    maker, path = being_made(t, *BEING_MADE[1][1:])
    with subprocess.Popen(t.command("stop", "--time", "0", t.id), stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as p:
        until(t, "at the lock", lambda: p.poll() is not None or
              at_lock(p, path, fcntl.LOCK_EX))
        t.equal(maker.end(), (0, ""), "the creation")
        t.equal((p.communicate(timeout=TIMEOUT)[1], p.returncode), ("", 0), "the stop")
    t.expect(t.state(), {"status": "stopped", "pid": 0})
    t.delete()


# --- exec --create --------------------------------------------------------------------------------

@case("two processes that are to wait get one name", needs="program:strace")
def _(t):
    """One gets it, and whoever starts that name starts this one."""
    started(t)
    path, pid_file = f"{t.root}/{t.id}/exec.lock", f"{t.dir}/first.pid"
    first = Held(t, "bind", "delay_enter", "exec", "--create", "n", "--pid-file", pid_file, t.id,
                 "/probe", "exit", "3")
    until(t, "a socket", lambda: first.has_open("socket:"))
    with subprocess.Popen(t.command("exec", "--create", "n", t.id, "/probe", "exit", "4"),
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as p:
        until(t, "at the lock", lambda: p.poll() is not None or at_lock(p, path, fcntl.LOCK_EX))
        t.equal(first.end(), (0, ""), "the first")
        said = p.communicate(timeout=TIMEOUT)[1]
    t.check(p.returncode and re.search("process 'n' of container .* already exists", said),
            f"the second: {said}")
    pid = int(t.read(pid_file))
    t.ok("exec", "--start", "n", t.id)
    t.equal(t.wait_for_end(pid), 3, "how it ended")
    t.delete("--force")
