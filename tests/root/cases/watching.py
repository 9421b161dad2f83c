# SPDX-License-Identifier: Apache-2.0
"""pause, resume, ps, update: what changes or shows a living container."""
import json

from cases.lifecycle import created, started, stopped
from frame import cgroups
from frame.case import case


@case("pause and resume")
def _(t):
    started(t)
    t.ok("pause", t.id)
    t.equal(t.state()["status"], "paused", "the status")
    t.fails("container paused", "pause", t.id)
    t.fails("that is not stopped: paused", "delete", t.id)
    t.ok("resume", t.id)
    t.equal(t.state()["status"], "running", "the status")
    t.fails("container not paused", "resume", t.id)
    t.delete("--force")


@case("pause before start")
def _(t):
    created(t)
    t.ok("pause", t.id)
    t.equal(t.state()["status"], "paused", "the status")
    t.ok("resume", t.id)
    t.equal(t.state()["status"], "created", "the status")
    t.delete("--force")


@case("pause of a stopped container")
def _(t):
    stopped(t)
    t.fails("container not running", "pause", t.id)
    t.fails("container not paused", "resume", t.id)
    t.delete()


@case("SIGKILL ends a paused container")
def _(t):
    pid = started(t)
    t.ok("pause", t.id)
    t.ok("kill", t.id, "KILL")
    t.equal(t.wait_for_end(pid), -9, "the status")
    t.delete()


@case("delete --force of a paused container")
def _(t):
    started(t)
    t.ok("pause", t.id)
    t.delete("--force")


@case("ps as JSON, in every state")
def _(t):
    pid = created(t)
    for change in ("start", "pause", "resume"):
        t.equal(json.loads(t.ok("ps", "--format", "json", t.id).out), [pid], "before " + change)
        t.ok(change, t.id)
    t.ok("kill", t.id, "KILL")
    t.wait_for_end(pid)
    t.equal(t.ok("ps", "-f", "json", t.id).out, "null\n", "of a stopped container")
    t.delete()
    t.fails("does not exist", "ps", t.id)


@case("ps as a table", needs="file:/usr/bin/ps")
def _(t):
    pid = started(t)
    lines = t.ok("ps", t.id).out.splitlines()
    t.equal(lines[0].split()[:3], ["UID", "PID", "PPID"], "the heading")
    t.equal([line.split()[1] for line in lines[1:]], [str(pid)], "the processes")
    lines = t.ok("ps", t.id, "-e", "-o", "stat,pid,comm").out.splitlines()
    t.equal(lines[0].split(), ["STAT", "PID", "COMMAND"], "the heading")
    t.equal([line.split()[1:] for line in lines[1:]], [[str(pid), "probe"]], "the processes")
    t.fails("has no column PID", "ps", t.id, "-e", "-o", "comm")
    t.fails("ps: exited with status 1", "ps", t.id, "--no-such-word")
    t.delete("--force")


def file_of(t, controller, v1_name, v2_name):
    v2 = controller in cgroups.v2_controllers()
    path = cgroups.directory(controller, "/" + t.id)
    return t.read(f"{path}/{v2_name if v2 else v1_name}").strip()


def update(name, controller, options, v1, v2, before=None):
    @case("update " + name, needs="cgroup:" + controller)
    def _(t):
        t.edit({"linux.resources." + k: v for k, v in (before or {}).items()})
        started(t)
        t.ok("update", *options, t.id)
        want = v2 if controller in cgroups.v2_controllers() else v1
        t.equal(file_of(t, controller, v1[0], v2[0]), want[1], "the file")
        t.delete("--force")


update("memory with a unit", "memory", ["--memory", "64m", "--memory-swap", "64m"],
       ("memory.limit_in_bytes", "67108864"), ("memory.max", "67108864"))
update("a reservation", "memory", ["--memory-reservation", "32M"],
       ("memory.soft_limit_in_bytes", "33554432"), ("memory.low", "33554432"))
update("pids", "pids", ["--pids-limit=77"], ("pids.max", "77"), ("pids.max", "77"))
update("pids to any", "pids", ["--pids-limit", "-1"], ("pids.max", "max"), ("pids.max", "max"))
update("a quota and not its period", "cpu", ["--cpu-quota", "20000"],
       ("cpu.cfs_period_us", "50000"), ("cpu.max", "20000 50000"),
       {"cpu": {"quota": 10000, "period": 50000}})
update("shares", "cpu", ["--cpu-share", "512"], ("cpu.shares", "512"), ("cpu.weight", "59"))
update("cpu-idle", "cpu", ["--cpu-idle", "1"], ("cpu.idle", "1"), ("cpu.idle", "1"))
update("cpus", "cpuset", ["--cpuset-cpus", "0"], ("cpuset.cpus", "0"), ("cpuset.cpus", "0"))


@case("update from standard input and a file", needs="cgroup:pids")
def _(t):
    started(t)
    for words in (("--resources=-",), ("--resources", "-"), ("-r", "-")):
        t.ok("update", *words, t.id, text='{"pids":{"limit":31},"memory":{"limit":0},"cpu":null}')
        t.equal(file_of(t, "pids", "pids.max", "pids.max"), "31", "pids.max")
        t.ok("update", "--pids-limit", "5", t.id)
    t.write(t.dir + "/resources", '{"pids":{"limit":32}}')
    t.ok("update", "--resources", t.dir + "/resources", t.id)
    t.equal(file_of(t, "pids", "pids.max", "pids.max"), "32", "pids.max")
    t.fails("standard input:1:10: pids", "update", "-r", "-", t.id, text='{"pids": 5}')
    t.fails("goes with no other option", "update", "-r", "-", "--pids-limit", "5", t.id)
    t.fails("'--memory' needs a size", "update", "--memory", "much", t.id)
    t.fails("'--cpu-idle': 2 is out of range", "update", "--cpu-idle", "2", t.id)
    t.delete("--force")


@case("update is all or nothing, and remembered", needs="cgroup:pids cgroup:cpuset")
def _(t):
    started(t)
    t.ok("update", "--pids-limit", "50", t.id)
    t.fails("write '777' to cpuset.cpus", "update", "--pids-limit", "60", "--cpuset-cpus", "777",
            "--cpu-share", "300", t.id)
    t.equal(file_of(t, "pids", "pids.max", "pids.max"), "50", "pids.max")
    record = json.loads(t.read(f"{t.root}/{t.id}/state.json"))
    t.equal(record["resources"]["pids"], {"limit": 50}, "the record")
    t.delete("--force")


@case("update in each state", needs="cgroup:pids")
def _(t):
    pid = created(t)
    for limit, change in ((11, "start"), (12, "pause"), (13, "resume")):
        t.ok("update", "--pids-limit", str(limit), t.id)
        t.equal(file_of(t, "pids", "pids.max", "pids.max"), str(limit), "before " + change)
        t.ok(change, t.id)
    t.ok("kill", t.id, "KILL")
    t.wait_for_end(pid)
    t.fails("container not running", "update", "--pids-limit", "5", t.id)
    t.delete()
