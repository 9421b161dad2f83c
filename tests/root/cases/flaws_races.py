# SPDX-License-Identifier: Apache-2.0
"""Commands that meet in the middle: one is held back in a system call, the others pass it."""
import os
import subprocess
import time

from frame.case import case
from frame.phases import started
from frame.trial import TIMEOUT

HELD_BACK = 2.5  # seconds; the others need a tenth of it


class Held:
    """One of our commands whose first @call is late; @on: the words of strace for "when"."""

    def __init__(self, t, call, on, *words):
        strace = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                  f"inject={call}:{on}={int(HELD_BACK * 1e6)}:when=1"]
        self.said = f"{t.dir}/held.err"  # no pipe: a container that waits would keep it open
        with open(self.said, "wb") as err:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(strace + t.command(*words), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=err)

    def has_open(self, what):
        """Has the command, which is the only child of strace, a descriptor of that name?"""
        pid = self.process.pid
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
                fds = f"/proc/{f.read().split()[0]}/fd"
            return any(os.readlink(f"{fds}/{n}").startswith(what) for n in os.listdir(fds))
        except (OSError, IndexError):
            return False

    def end(self):
        """Its status, and what it has said."""
        rc = self.process.wait(TIMEOUT)
        with open(self.said, encoding="utf-8") as f:
            return rc, f.read()


def until(t, what, holds):
    end = time.monotonic() + TIMEOUT
    while not holds():
        t.check(time.monotonic() < end, f"{what}: not within {TIMEOUT} s")
        time.sleep(0.01)


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


# --- exec --create --------------------------------------------------------------------------------

@case("two processes that are to wait get one name", needs="program:strace")
def _(t):
    """One gets it, and whoever starts that name starts this one."""
    started(t)
    path = f"{t.dir}/first.pid"
    first = Held(t, "bind", "delay_enter", "exec", "--create", "n", "--pid-file", path, t.id,
                 "/probe", "exit", "3")
    until(t, "a socket", lambda: first.has_open("socket:"))
    t.fails("process 'n' of container .* already exists", "exec", "--create", "n", t.id, "/probe",
            "exit", "4")
    t.equal(first.end(), (0, ""), "the first")
    pid = int(t.read(path))
    t.ok("exec", "--start", "n", t.id)
    t.equal(t.wait_for_end(pid), 3, "how it ended")
    t.delete("--force")
