# SPDX-License-Identifier: Apache-2.0
"""pause, resume, ps, update, events, stats: what changes or shows a living container."""
import json
import subprocess

from frame import cgroups
from frame.case import case
from frame.phases import created, started, stopped


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


@case("update below what is in use is refused, and changes nothing", needs="cgroup:memory")
def _(t):
    """v2 itself would kill for it, so checkBeforeUpdate looks first; v1 refuses on its own."""
    t.edit({"linux.resources.memory": {"limit": 32 << 20}})
    started(t)
    t.fails(r"rejecting memory limit 4096: |unable to set memory limit to 4096 \(current usage: ",
            "update", "-r", "-", t.id,
            text='{"memory":{"limit":4096,"checkBeforeUpdate":true},"pids":{"limit":33}}')
    t.equal(file_of(t, "memory", "memory.limit_in_bytes", "memory.max"), str(32 << 20),
            "the limit")
    if cgroups.has("pids"):
        t.equal(file_of(t, "pids", "pids.max", "pids.max"), "max", "pids.max")
    t.equal(t.state()["status"], "running", "the status")
    t.delete("--force")


@case("update to memory without a limit forgets the one of swap", needs="cgroup:memory")
def _(t):
    t.edit({"linux.resources.memory": {"limit": 50 << 20, "swap": 100 << 20}})
    started(t)
    v2 = "memory" in cgroups.v2_controllers()
    for limit in (-1, 60 << 20, 200 << 20):
        t.ok("update", "-r", "-", t.id, text=json.dumps({"memory": {"limit": limit}}))
        t.equal(file_of(t, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max"),
                "max" if v2 else "9223372036854771712", f"swap after a limit of {limit}")
    t.delete("--force")


@case("update makes a container idle, and not", needs="cgroup:cpu")
def _(t):
    t.edit({"linux.resources.cpu": {"shares": 512}})
    started(t)
    v2 = "cpu" in cgroups.v2_controllers()
    # None: what the kernel says of an idle one
    for cpu, idle, shares in (({"idle": 1}, "1", None), ({"shares": 300}, "1", None),
                              ({"shares": 512}, "1", None), ({"idle": 0}, "0", "512"),
                              ({"idle": 1}, "1", None), ({"idle": 0, "shares": 1024}, "0", "1024")):
        t.equal(t.ok("update", "-r", "-", t.id, text=json.dumps({"cpu": cpu})).err, "", "warnings")
        t.equal(file_of(t, "cpu", "cpu.idle", "cpu.idle"), idle, f"cpu.idle after {cpu}")
        if shares:
            t.equal(file_of(t, "cpu", "cpu.shares", "cpu.weight"),
                    {"512": "59", "1024": "100"}[shares] if v2 else shares, f"after {cpu}")
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


@case("events --stats is one object")
def _(t):
    started(t)
    text = t.ok("events", "--stats", t.id).out
    t.equal(text.count("\n"), 1, "the number of lines")
    event = json.loads(text)
    t.equal((event["type"], event["id"]), ("stats", t.id), "the envelope")
    data = event["data"]
    t.equal(sorted(data), ["blkio", "cpu", "cpuset", "hugetlb", "intel_rdt", "memory",
                           "network_interfaces", "pids"], "the parts")
    t.check(set(data["cpu"]["usage"]) >= {"total", "kernel", "user"}, "cpu.usage")
    t.equal(sorted(data["memory"]["usage"]), ["failcnt", "limit", "max", "usage"], "memory.usage")
    if cgroups.has("pids"):
        t.equal(data["pids"], {"current": 1, "limit": 0}, "pids")
    t.delete("--force")
    t.fails("does not exist", "events", "--stats", t.id)


@case("events tell of memory that ran out, and end with the container", needs="cgroup:memory")
def _(t):
    t.edit({"linux.resources.memory": {"limit": 16 << 20, "swap": 16 << 20}})
    created(t, "alloc", "64")
    with subprocess.Popen(t.command("events", "--interval", "1m", t.id), text=True,
                          stdout=subprocess.PIPE) as events:
        first = json.loads(events.stdout.readline())
        t.equal(first["type"], "stats", "the first event")
        t.ok("start", t.id)
        rest = [json.loads(line) for line in events.stdout.read().splitlines()]
        t.equal([event for event in rest if event["type"] == "oom"][:1],
                [{"type": "oom", "id": t.id}], "the other events")
        t.equal(events.wait(), 0, "the status of events")
    t.fails("container not running", "events", "--stats", t.id)
    t.delete()


@case("events come at intervals, until nobody reads")
def _(t):
    started(t)
    with subprocess.Popen(t.command("events", "--interval=20ms", t.id), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as events:
        for _ in range(3):
            t.equal(json.loads(events.stdout.readline())["type"], "stats", "an event")
        events.stdout.close()
        t.equal(events.wait(), 0, "the status of events")
        t.equal(events.stderr.read(), "", "its errors")
    t.fails("needs a time such as 5s, not .soon.", "events", "--interval", "soon", t.id)
    t.delete("--force")


@case("stats of all and of one")
def _(t):
    pid = started(t)
    for words in ((), (t.id,)):
        lines = t.ok("stats", *words).out.splitlines()
        t.equal(lines[0].split()[:2], ["ID", "CPU"], "the heading")
        t.equal([line.split()[0] for line in lines[1:]], [t.id], "the containers")
        t.equal(json.loads(t.ok("stats", "--format", "json", *words).out)["id"], t.id, "the id")
    text = t.ok("stats", "-f", "prometheus").out
    t.check('\ncleat_pids{id="%s"} ' % t.id in text, text)
    t.ok("kill", t.id, "KILL")
    t.wait_for_end(pid)
    t.equal(len(t.ok("stats").out.splitlines()), 1, "lines without a running container")
    t.fails("container not running", "stats", t.id)
    t.delete()
    t.fails("does not exist", "stats", t.id)
