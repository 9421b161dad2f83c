# SPDX-License-Identifier: Apache-2.0
"""39 to 50: kill and delete."""
import os
import signal
import subprocess
import time

from callers import Shim, environment
from contract import (attempts, background, created, ended, gone, kill_and_wait, quiet, refused, remove_cgroups,
                      requirement, started, stopped)
from frame import cgroups
from frame.case import Skip
from frame.config import namespaces
from frame.trial import TIMEOUT


def without_pid_namespace(t, *words):
    t.edit({"linux.namespaces": namespaces("network", "ipc", "uts", "mount", "cgroup")})
    return started(t, *words)


def inside(t):
    return sorted(cgroups.processes("/" + t.id))


@requirement(39, "kill ID, kill ID 9, KILL, SIGKILL and sigkill; a bad name is an error",
             "buildah, CRI-O, go-runc")
def _(t):
    pid = started(t)
    t.ok("kill", t.id)
    t.equal(ended(t, pid), 128 + signal.SIGTERM, "the status after kill without a signal")
    t.delete()

    def one(word):
        pid = started(t)
        refused(t, r"\S", "kill", t.id, "NOSUCH")
        t.ok("kill", t.id, word)
        t.equal(ended(t, pid), -9, "the status")
        t.delete()
    attempts(t, [(word, lambda w=word: one(w)) for word in ("9", "KILL", "SIGKILL", "sigkill",
                                                            "kill")])


@requirement(40, "kill --all ID 9 and kill -a ID 9 reach all of the cgroup, also when init is dead; "
             "on a stopped container that is no error", "shim, CRI-O, podman")
def _(t):
    for words in (["kill", "--all", t.id, "9"], ["kill", "-a", t.id, "KILL"]):
        pid = without_pid_namespace(t, "children", "3")
        others = [p for p in inside(t) if p != pid]
        t.equal(len(others), 3, "the other processes")
        os.kill(pid, 9)
        ended(t, pid)
        t.ok(*words)
        t.equal([ended(t, p) for p in others], [-9] * 3, "how the others ended")
        t.ok(*words)
        t.delete()
    started(t, "children", "3")
    pid = t.state()["pid"]
    t.ok("kill", "--all", t.id, "9")
    t.equal(ended(t, pid), -9, "init's status")
    t.delete()


def _paused(t):
    pid = started(t)
    t.ok("pause", t.id)
    return pid


@requirement(41, "KILL takes effect on a paused container", "CRI-O, podman")
def _(t):
    for words in (["kill", t.id, "KILL"], ["kill", "--all", t.id, "9"]):
        pid = _paused(t)
        t.ok(*words)
        t.equal(ended(t, pid), -9, "the status")
        t.delete()


@requirement(42, "kill works on a container that is created only", "shim, podman")
def _(t):
    for signals in (["KILL"], ["15", "9"]):
        pid = created(t)
        t.ok("kill", t.id, signals[0])
        if len(signals) > 1:  # init of a pid namespace without a handler need not heed it
            t.cleat("kill", t.id, signals[1])
        ended(t, pid)
        t.equal(t.state()["status"], "stopped", "the status")
        t.delete()


@requirement(43, "without a pid namespace of its own KILL and delete leave no process", "shim, CRI-O")
def _(t):
    for end in (lambda: kill_and_wait(t, pid), lambda: None):
        pid = without_pid_namespace(t, "children", "3")
        pids = inside(t)
        t.equal(len(pids), 4, "processes")
        end()
        t.ok("delete", "--force", t.id)
        left = [p for p in pids if os.path.exists(f"/proc/{p}")
                and t.read(f"/proc/{p}/stat").rpartition(")")[2].split()[0] not in "ZX"]
        t.equal(left, [], "processes that are left")


@requirement(44, "delete of a container that is created only kills and removes it", "shim")
def _(t):
    pid = created(t)
    quiet(t, "delete", t.id)
    gone(t)
    t.equal(ended(t, pid), -9, "its status")


@requirement(45, "delete of a running container fails and changes nothing", "BuildKit, buildah")
def _(t):
    pid = started(t)
    before = t.ok("state", t.id).out
    refused(t, r"\S", "delete", t.id)
    t.equal(t.ok("state", t.id).out, before, "the state")
    t.check(t.read(f"/proc/{pid}/cgroup").count(t.id), "it is not in its cgroup any more")
    t.delete("--force")


@requirement(46, "delete --force of a running or paused container kills, waits and removes",
             "podman, CRI-O")
def _(t):
    for make in (started, _paused, lambda t: started(t, "children", "5"),
                 lambda t: started(t, "ignore-term")):
        pid = make(t)
        quiet(t, "delete", "--force", t.id)
        gone(t)
        t.equal(ended(t, pid), -9, "its status")
        t.equal(cgroups.named(t.id), [], "cgroups that are left")


@requirement(47, "delete --force of an unknown id succeeds and prints nothing, again and again",
             "shim at each removal, podman")
def _(t):
    for make in (False, True):
        if make:
            os.makedirs(t.root, 0o700, exist_ok=True)
        for _ in range(2):
            quiet(t, "delete", "--force", t.id)
    r = Shim(t).call("delete", "--force", t.id, cwd="/")
    t.check((r.rc, r.out, r.err) == (0, "", ""), f"the shim's: {r}")
    stopped(t)
    t.delete()
    quiet(t, "delete", "--force", t.id, env=environment())


def _units():
    p = subprocess.run(["systemctl", "list-units", "--all", "--plain", "--no-legend"],
                       capture_output=True, text=True, check=False, timeout=TIMEOUT)
    return p.stdout


@requirement(48, "delete without --systemd-cgroup removes what was made with it, the scope too",
             "shim, podman, buildah", needs="systemd")
def _(t):
    t.edit({"linux.cgroupsPath": f"system.slice:contract:{t.id}"})
    t.probe("sleep")
    t.write_config()
    t.globals = ["--systemd-cgroup"]
    t.start_command("create", "--bundle", t.bundle, t.id)
    scope = f"contract-{t.id}.scope"
    t.check(scope in _units(), "there is no scope")
    t.globals = []
    t.ok("delete", "--force", t.id)
    end = time.monotonic() + 5
    while scope in _units() and time.monotonic() < end:
        time.sleep(0.05)
    t.check(scope not in _units(), "the scope is left")
    t.equal(cgroups.named(t.id), [], "cgroups that are left")


@requirement(49, "delete removes cgroups that were made below the container's, and waits for "
             "processes on their way out", "CRI-O, containerd", needs="cgroup2")
def _(t):
    path = cgroups.directory("", "/" + t.id)
    started(t)
    os.makedirs(f"{path}/made/by/others")
    t.delete("--force")
    t.check(not os.path.exists(path), "cgroups of others are left")
    pid = started(t)
    os.makedirs(f"{path}/exec")
    with background(t, ["sh", "-c", f"echo $$ >{path}/exec/cgroup.procs; echo in; exec sleep .3"],
                    stdout=subprocess.PIPE) as leaving:
        leaving.stdout.readline()
        kill_and_wait(t, pid)
        r = t.cleat("delete", t.id)
    t.check(r.rc == 0, f"with a process that is about to leave: {r}")
    t.check(not os.path.exists(path), "it did not wait")


@requirement(50, "kill and delete never hit a process that was given the pid of a dead container",
             "all")
def _(t):
    pid = created(t)
    os.kill(pid, 9)
    t.wait_for_end(pid)
    with subprocess.Popen(["sleep", "1000"]) as other:
        changed = 0
        for name in os.listdir(f"{t.root}/{t.id}"):
            path = f"{t.root}/{t.id}/{name}"
            if not os.path.isfile(path):
                continue
            record = t.read(path)
            if str(pid) in record:
                changed += 1
                t.write(path, record.replace(str(pid), str(other.pid)), 0o600)
        r = t.cleat("state", t.id)
        t.cleat("kill", t.id, "KILL")
        t.cleat("delete", "--force", t.id)
        alive = other.poll() is None
        other.kill()
    if not changed:
        raise Skip("the pid is not in the files of its state")
    t.check(alive, "a stranger was killed")
    t.check('"running"' not in r.out, r.out)
    remove_cgroups(t.id)
