# SPDX-License-Identifier: Apache-2.0
"""wait, stop, and one command for several containers."""
import json
import os
import select
import subprocess
import time

from frame import cgroups
from frame.case import case
from frame.trial import TIMEOUT


def containers(t, n=3, *words):
    """Created ones; returns ids and pids."""
    t.probe(*(words or ("sleep",)))
    base = t.config["linux"].get("cgroupsPath")
    ids, pids = [f"{t.id}.{i}" for i in range(n)], []
    for name in ids:
        if base:
            t.edit({"linux.cgroupsPath": f"{base}.{name[-1]}"})
        t.write_config()
        t.start_command("create", "--bundle", t.bundle, name)
        pids.append(json.loads(t.ok("state", name).out)["pid"])
    return ids, pids


def statuses(t):
    return [s["status"] for s in json.loads(t.ok("list", "-f", "json").out) or []]


@case("one command for several containers, with a result for each")
def _(t):
    ids, pids = containers(t)
    t.ok("start", ids[0])
    r = t.cleat("start", *ids)
    t.check(r.rc == 1 and r.err.count("\n") == 1 and ids[0] in r.err, f"one has started: {r}")
    t.equal(statuses(t), ["running"] * 3, "the others have been started")
    r = t.cleat("state", ids[0], "absent", ids[1], "none")
    t.check(r.rc == 1 and r.err.count("\n") == 2 and "'absent'" in r.err and "'none'" in r.err,
            f"state: {r}")
    t.equal(r.out.count('"status": "running"'), 2, "states")
    t.fails("unknown option '--forced'", "delete", *ids, "--forced")
    t.equal(statuses(t), ["running"] * 3, "nothing was deleted")
    t.ok("kill", ids[0], ids[1], "KILL")
    t.ok("kill", "--signal", "KILL", ids[2])
    for pid in pids:
        t.equal(t.wait_for_end(pid), -9, "a signal")
    t.ok("delete", *ids)
    t.equal(statuses(t), [], "what is left")


@case("containers by regular expression")
def _(t):
    ids, pids = containers(t)
    t.ok("start", *ids)
    t.ok("kill", "--regex", r"\.[01]$", "TERM")
    t.equal([t.wait_for_end(pid) for pid in pids[:2]], [128 + 15] * 2, "the statuses")
    t.equal(statuses(t), ["stopped", "stopped", "running"], "the statuses")
    t.fails("no container matches", "kill", "-r", "^none$")
    t.fails("no container matches", "delete", "-r", "^none$")
    t.ok("delete", "--force", "-r", "^none$")
    t.ok("delete", "--force", "--regex", "^" + t.id)
    t.equal(t.wait_for_end(pids[2]), -9, "a signal")
    t.equal(statuses(t), [], "what is left")


def waiting(t, *words):
    return subprocess.Popen(t.command("wait", *words), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kernel_tells():
    return tuple(int(n) for n in os.uname().release.split(".")[:2]) >= (6, 15)


@case("wait prints how a container ended, or that nobody knows")
def _(t):
    ids, pids = containers(t, 2, "exit", "7")
    t.fails("has not ended within 0 ms", "wait", "--time", "0", ids[0])
    p = waiting(t, ids[0])
    t.ok("start", ids[0])
    t.equal(t.wait_for_end(pids[0]), 7, "the status")
    out, err = p.communicate(timeout=TIMEOUT)
    t.check(p.returncode == 0 and not err, f"wait: {p.returncode} {err}")
    # an older kernel tells as long as we have not reaped it, which wait may be in time for
    t.check(out == "7\n" or (out == "unknown\n" and not kernel_tells()), f"wait prints {out}")
    t.equal(t.ok("wait", ids[0]).out, out, "wait for a stopped one")
    t.ok("start", ids[1])
    t.equal(t.wait_for_end(pids[1]), 7, "the status")
    t.equal(t.ok("wait", ids[1]).out, "unknown\n", "wait for one that nobody watched")
    t.equal(t.ok("wait", "-f", "json", ids[1]).out, "null\n", "the same as JSON")
    t.ok("delete", *ids)


@case("wait knows how a container ended as long as its parent has not reaped it")
def _(t):
    """On kernels that tell only the parent, too."""
    ids, pids = containers(t, 1)
    t.ok("start", ids[0])
    t.ok("kill", ids[0], "KILL")
    os.waitid(os.P_PID, pids[0], os.WEXITED | os.WNOWAIT)
    t.equal(t.ok("wait", ids[0]).out, "137\n", "what wait prints")
    t.equal(t.wait_for_end(pids[0]), -9, "the signal")
    end = json.loads(t.ok("wait", "--format", "json", ids[0]).out)
    t.expect(end, {"status": 137, "signal": 9, "oom": False,
                   "ended": lambda when: when > end["created"]})
    t.equal(json.loads(t.ok("state", ids[0]).out)["exit"], end, "what state says")
    t.ok("delete", *ids)


@case("run --keep records the end")
def _(t):
    t.probe("exit", "3")
    t.equal(t.run("--keep").rc, 3, "the status")
    t.equal(t.state()["exit"]["status"], 3, "the recorded status")
    t.equal(t.ok("wait", t.id).out, "3\n", "what wait prints")
    t.delete()


def _watchers(t):
    """Processes that watch for the end of our container; init has the same words before exec."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = t.read(f"/proc/{name}/cmdline").split("\0")
        except OSError:
            continue
        if "--record-exit" in words and t.id in words and int(name) != t.state()["pid"]:
            found.append(int(name))
    return found


def _descriptors(pid):
    found = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.add(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            pass
    return found


@case("--record-exit leaves a process that records the end")
def _(t):
    t.probe("sleep")
    t.write_config()
    t.start_command("create", "--record-exit", "--bundle", t.bundle, t.id)
    pid = t.state()["pid"]
    (watcher,) = _watchers(t)
    end = time.monotonic() + TIMEOUT
    known = {"/dev/null", f"{cgroups.v2_root()}/{t.id}/cgroup.events"}
    while len(fds := _descriptors(watcher) - known) != 2:  # it closes them after our create
        t.check(time.monotonic() < end, f"descriptors of the watcher: {fds}")
        select.select([], [], [], 0.01)
    t.ok("start", t.id)
    t.wait_for_line("ready")
    t.ok("kill", t.id, "USR1")
    t.equal(t.wait_for_end(pid), 128 + 10, "the status")
    t.wait_for_end(watcher)
    recorded = {"status": 138} if kernel_tells() else None
    t.expect(t.state(), {"exit": lambda end: end == recorded or end["status"] == 138})
    t.delete()
    t.probe("sleep")
    t.write_config()
    t.start_command("run", "--detach", "--record-exit", "--bundle", t.bundle, t.id)
    (watcher,), pid = _watchers(t), t.state()["pid"]
    t.delete("--force")
    t.wait_for_end(pid)
    t.wait_for_end(watcher)


@case("stop asks, and kills what does not listen")
def _(t):
    ids, pids = containers(t, 1)
    t.ok("start", ids[0])
    t.wait_for_line("ready")
    t.ok("stop", ids[0])
    t.equal(t.wait_for_end(pids[0]), 128 + 15, "the status")
    t.ok("stop", ids[0])
    t.ok("delete", ids[0])


@case("stop kills after the time")
def _(t):
    ids, pids = containers(t, 1, "ignore-term")
    t.ok("start", ids[0])
    t.wait_for_line("ready")
    t.ok("stop", "--time", "0", ids[0])
    t.equal(t.wait_for_end(pids[0]), -9, "a signal")
    t.ok("delete", ids[0])
