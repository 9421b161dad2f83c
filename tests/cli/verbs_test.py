#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""state, list, kill and delete on records that were written by hand, without root.

The "container" is a sleeping process of ours and a state.json that names it, so identity,
status, words and removal are tested without anything that has to be created first.

environment: CLEAT (the program, default ./cleat)
"""
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

CLEAT = os.path.abspath(os.environ.get("CLEAT", "./cleat"))
CREATED = "2026-11-23T18:50:00.123456789Z"

failures = []
count = 0


def check(condition, what):
    global count
    count += 1
    if not condition:
        failures.append(what)


def start_time(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        return int(f.read().rsplit(")", 1)[1].split()[19])


def pidfs_inode(pid):
    """None where pidfds have no inode of their own."""
    ours, theirs = os.pidfd_open(os.getpid()), os.pidfd_open(pid)
    inodes = [os.fstat(fd).st_ino for fd in (ours, theirs)]
    os.close(ours)
    os.close(theirs)
    return inodes[1] if inodes[0] != inodes[1] else None


def default_signals():
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Fake:
    """A state root, and a container in it whose init is a process of ours."""

    def __init__(self, tmp, name="c1"):
        self.root, self.name, self.dir = tmp + "/root", name, f"{tmp}/root/{name}"
        os.makedirs(self.dir, 0o700)
        os.chmod(self.root, 0o700)
        self.process = self.sleeper()
        self.gate = None

    # whoever holds our stdout would keep the test driver waiting
    sleepers = []

    def sleeper(self):
        # a shell's background job, which we may be, ignores some signals
        p = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, preexec_fn=default_signals)
        self.sleepers.append(p)
        return p

    def record(self, **changes):
        r = {"version": 1, "phase": "created", "ociVersion": "1.3.0", "id": self.name,
             "bundle": "/bundle", "rootfs": "/bundle/rootfs", "created": CREATED, "owner": 0,
             "annotations": {"key": "value"}, "pid": self.process.pid, "ownPidNamespace": True,
             "cgroup": {"manager": "disabled"}}
        inode = pidfs_inode(self.process.pid)
        r["startTime" if inode is None else "pidfdInode"] = inode or start_time(self.process.pid)
        r.update(changes)
        with open(self.dir + "/state.json", "w", encoding="utf-8") as f:
            json.dump({k: v for k, v in r.items() if v is not None}, f)

    def listen(self):
        """As init does that waits to be started."""
        here = os.getcwd()
        self.gate = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.chdir(self.dir)
        self.gate.bind("gate")
        self.gate.listen(8)
        os.chdir(here)

    def run(self, *args, **kw):
        # nothing in the environment: engines give kill and delete none
        return subprocess.run([CLEAT, "--root", self.root, *args], capture_output=True, env={},
                              timeout=60, check=False, **kw)

    def state(self):
        r = self.run("state", self.name)
        check(r.returncode == 0 and r.stderr == b"", f"state: {r}")
        return json.loads(r.stdout)

    def status(self):
        return self.state()["status"]

    def alive(self):
        return self.process.poll() is None

    def wait_signal(self):
        return -self.process.wait(timeout=10)

    def exists(self):
        return os.path.exists(self.dir)

    def close(self):
        if self.gate:
            self.gate.close()
        for p in self.sleepers:
            p.kill()
            p.wait()
        self.sleepers.clear()


def expect_quiet(r, what):
    check((r.returncode, r.stdout, r.stderr) == (0, b"", b""), f"{what}: {r}")


def expect_error(r, words, what):
    check(r.returncode == 1 and r.stdout == b"" and words.encode() in r.stderr, f"{what}: {r}")


def test_state(c):
    c.record()
    s = c.state()
    check(s == {"ociVersion": "1.3.0", "id": "c1", "pid": c.process.pid, "status": "running",
                "bundle": "/bundle", "rootfs": "/bundle/rootfs", "created": CREATED,
                "annotations": {"key": "value"}, "owner": "root"}, f"state: {s}")
    c.record(owner=4711)
    check(c.state()["owner"] == "4711", "owner")


def test_statuses(c):
    c.record()
    c.listen()
    check(c.status() == "created", "a listener at the gate")
    c.gate.close()
    check(c.status() == "running", "a gate with nobody behind it")
    c.record(phase="identity")
    check(c.status() == "creating", "not created yet, alive")
    c.process.kill()
    os.waitid(os.P_PID, c.process.pid, os.WEXITED | os.WNOWAIT)
    s = c.state()
    check((s["status"], s["pid"]) == ("stopped", 0), f"not created, a zombie: {s}")
    c.record()
    s = c.state()
    check((s["status"], s["pid"]) == ("stopped", 0), f"a zombie: {s}")
    c.process.wait()
    check(c.status() == "stopped", "reaped")


def test_creating(c):
    """Before init is born the lock alone tells a creation from what is left of one."""
    c.record(phase="intent", pid=None, pidfdInode=None, startTime=None)
    fd = os.open(c.dir, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    s = c.state()
    check((s["status"], s["pid"]) == ("creating", 0), f"with a holder: {s}")
    os.close(fd)
    check(c.status() == "stopped", "without a holder")
    expect_quiet(c.run("delete", "c1"), "delete")
    check(not c.exists() and c.alive(), "delete by an intent")


def test_kill(c):
    c.record()
    for args, want in (([], "TERM"), (["9"], "KILL"), (["KILL"], "KILL"), (["SIGINT"], "INT"),
                       (["sigusr1"], "USR1"), (["hup"], "HUP")):
        c.process = c.sleeper()
        c.record()
        expect_quiet(c.run("kill", "c1", *args), f"kill {args}")
        got = signal.Signals(c.wait_signal())
        check(got == getattr(signal, "SIG" + want), f"kill {args}: {got!r}")
    for args in ([], ["9"], ["0"]):
        expect_error(c.run("kill", "c1", *args), "container not running", "kill of a stopped one")
    expect_quiet(c.run("kill", "--all", "c1", "9"), "kill --all of a stopped one")
    expect_quiet(c.run("kill", "-a", "c1", "KILL"), "kill -a of a stopped one")
    expect_error(c.run("kill", "c1", "BOGUS"), "unknown signal 'BOGUS'", "kill BOGUS")


def test_several_patterns(c):
    """Each pattern is tried, whatever became of the others; each failure has its line."""
    c.record()
    r = c.run("kill", "--regex", "^none$", "a(", "^c1$", "^no one$", "USR1")
    check(c.wait_signal() == signal.SIGUSR1, "the signal of the third pattern")
    lines = r.stderr.decode().splitlines()
    check(r.returncode == 1 and len(lines) == 3, f"a line for each failure: {r}")
    for line, words in zip(lines, ("matches '^none$'", "expression 'a('", "matches '^no one$'")):
        check(words in line, f"{words}: {r}")


def test_first_bad_limit(c):
    c.record()
    for words, wrong in ((["--memory", "much", "--pids-limit", "many"], "--memory"),
                         (["--pids-limit", "many", "--cpu-share", "x"], "--cpu-share")):
        r = c.run("update", *words, "c1")
        check(r.returncode == 1 and f"option '{wrong}' needs" in r.stderr.decode(), f"{wrong}: {r}")


def test_kill_created_and_all(c):
    c.record()
    c.listen()
    expect_quiet(c.run("kill", "-a", "c1", "USR2"), "kill -a")
    check(c.wait_signal() == signal.SIGUSR2, "kill -a in created")


def test_stop_signal(c):
    c.record(annotations={"org.opencontainers.image.stopSignal": "SIGQUIT"})
    expect_quiet(c.run("kill", "c1"), "kill")
    check(c.wait_signal() == signal.SIGQUIT, "the image's stop signal")


def test_recycled_pid(c):
    """A record whose pid belongs to somebody else now: stopped, never signalled."""
    c.record(pidfdInode=1, startTime=None)
    check(c.status() == "stopped", "another inode")
    c.record(pidfdInode=None, startTime=start_time(c.process.pid) + 1)
    check(c.status() == "stopped", "another start time")
    expect_error(c.run("kill", "c1", "9"), "container not running", "kill")
    expect_quiet(c.run("kill", "-a", "c1", "9"), "kill -a")
    check(c.alive(), "kill hit another process")
    expect_quiet(c.run("delete", "--force", "c1"), "delete --force")
    check(c.alive() and not c.exists(), "delete --force of a recycled pid")


def test_delete(c):
    c.record()
    expect_error(c.run("delete", "c1"), "cannot delete container c1 that is not stopped: running",
                 "delete of a running one")
    check(c.alive() and c.status() == "running", "a refused delete changed something")
    expect_error(c.run("start", "c1"), "cannot start an already running container", "start")
    c.listen()
    expect_quiet(c.run("delete", "c1"), "delete of a created one")
    check(c.wait_signal() == signal.SIGKILL and not c.exists(), "delete of a created one")
    expect_error(c.run("delete", "c1"), "container 'c1' does not exist", "delete again")
    expect_quiet(c.run("delete", "--force", "c1"), "delete --force again")


def test_delete_force(c):
    c.record()
    expect_quiet(c.run("delete", "-f", "c1"), "delete -f")
    check(c.wait_signal() == signal.SIGKILL and not c.exists(), "delete -f of a running one")


def test_delete_stopped(c):
    c.record()
    c.process.kill()
    c.process.wait()
    expect_error(c.run("start", "c1"), "cannot start a container that has stopped", "start")
    with open(c.dir + "/.state.json.new", "w", encoding="utf-8") as f:
        f.write("{")
    expect_quiet(c.run("delete", "c1"), "delete")
    check(not c.exists(), "delete of a stopped one")


def test_newer(c):
    """The state of a later release: one clear error, and nothing is touched."""
    c.record(version=2, phase="whatever")
    for args in (["state", "c1"], ["kill", "c1", "9"], ["kill", "-a", "c1", "9"], ["start", "c1"],
                 ["delete", "c1"], ["delete", "--force", "c1"]):
        expect_error(c.run(*args), "belongs to a newer release", " ".join(args))
    check(c.alive() and os.listdir(c.dir) == ["state.json"], "something was touched")
    r = c.run("list", "-f", "json")
    check(r.returncode == 0 and json.loads(r.stdout)[0]["status"] == "unknown", f"list: {r}")


def test_list(c):
    c.record()
    os.mkdir(c.root + "/b1", 0o700)
    with open(c.root + "/b1/state.json", "w", encoding="utf-8") as f:
        f.write("{}")
    os.mkdir(c.root + "/.hidden")
    with open(c.root + "/file", "w", encoding="utf-8") as f:
        f.write("no container")
    os.symlink("c1", c.root + "/link")
    r = c.run("list", "--format", "json")
    got = json.loads(r.stdout)
    check([(s["id"], s["status"], s["pid"]) for s in got] ==
          [("b1", "stopped", 0), ("c1", "running", c.process.pid)], f"list: {r}")
    check(got[1] == c.state(), "list and state differ")
    rows = [line.split() for line in c.run("list").stdout.decode().splitlines()]
    check(rows[0] == "ID PID STATUS BUNDLE CREATED OWNER".split(), f"header: {rows}")
    check(rows[2] == ["c1", str(c.process.pid), "running", "/bundle", CREATED, "root"],
          f"row: {rows}")
    check(c.run("list", "-q").stdout == b"b1\nc1\n", "list -q")


def test_locked(c):
    """Who reads does not wait; who changes does; delete --force kills first."""
    c.record()
    fd = os.open(c.dir, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    check(c.status() == "running", "state of a locked one")
    p = subprocess.Popen([CLEAT, "--root", c.root, "delete", "--force", "c1"], env={},
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check(c.wait_signal() == signal.SIGKILL, "delete --force waits for the lock before it kills")
    check(c.exists() and p.poll() is None, "delete --force did not wait for the holder")
    # the holder undoes its creation, as create does whose init was killed
    shutil.rmtree(c.dir)
    os.close(fd)
    out, _ = p.communicate(timeout=30)
    check((p.returncode, out) == (0, b""), f"delete --force: {p.returncode} {out!r}")


def test_poststop(c):
    """Once, in the bundle, with the state on stdin; a failure is only a warning."""
    bundle = os.path.dirname(c.root)
    log = bundle + "/hook.log"
    subprocess.run([CLEAT, "spec", "-b", bundle], check=True)
    with open(bundle + "/config.json", encoding="utf-8") as f:
        config = json.load(f)
    script = f"pwd >>{log}; cat >>{log}; echo >>{log}; exit 3"
    config["hooks"] = {"poststop": [{"path": "/bin/sh", "args": ["sh", "-c", script],
                                     "env": ["PATH=/usr/bin:/bin"]}] * 2}
    config["annotations"] = {"n": "v"}
    with open(c.dir + "/config.json", "w", encoding="utf-8") as f:
        json.dump(config, f)
    c.record(bundle=bundle, poststopHooks=True)
    expect_quiet(c.run("delete", "--force", "c1"), "delete --force")
    with open(log, encoding="utf-8") as f:
        lines = f.read().splitlines()
    check(len(lines) == 4 and lines[0] == bundle, f"hook: {lines}")
    state = json.loads(lines[1])
    check(state["id"] == "c1" and state["status"] == "stopped" and state["bundle"] == bundle
          and state["annotations"] == {"n": "v"}, f"hook state: {state}")


def test_output_gone(c):
    """A reader that has left is no reason to fail; a full disk is."""
    c.record()
    read, write = os.pipe()
    os.close(read)
    r = subprocess.run([CLEAT, "--root", c.root, "state", "c1"], stdout=write,
                       stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(write)
    check((r.returncode, r.stderr) == (0, b""), f"closed pipe: {r}")
    with open("/dev/full", "wb") as full:
        r = subprocess.run([CLEAT, "--root", c.root, "state", "c1"], stdout=full,
                           stderr=subprocess.PIPE, check=False, timeout=60)
    check(r.returncode == 1 and b"no space left" in r.stderr, f"/dev/full: {r}")


TESTS = [test_state, test_statuses, test_creating, test_kill, test_kill_created_and_all,
         test_several_patterns, test_first_bad_limit,
         test_stop_signal, test_recycled_pid, test_delete, test_delete_force,
         test_delete_stopped, test_newer, test_list, test_locked, test_poststop,
         test_output_gone]


def main():
    os.umask(0o022)
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        failures.clear()
        before = count
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as tmp:
            c = Fake(tmp)
            try:
                test(c)
            except (OSError, ValueError, KeyError, subprocess.SubprocessError) as e:
                failures.append(f"{type(e).__name__}: {e}")
            finally:
                c.close()
        if time.monotonic() - started > 9:
            failures.append("took longer than any of this should")
        ok = not failures and count > before
        print(f"{'ok' if ok else 'not ok'} {number} - {test.__name__[5:]}", flush=True)
        for text in failures:
            print("# " + text.replace("\n", " "))
    return 0


if __name__ == "__main__":
    sys.exit(main())
