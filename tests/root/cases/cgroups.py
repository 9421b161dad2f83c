# SPDX-License-Identifier: Apache-2.0
"""linux.cgroupsPath, and what limits do; their values are in resources.py."""
import os

from frame import cgroups
from frame.case import DELETE, Skip, case, failure_rows, report_rows
from frame.config import namespaces, user_namespace

MIB = 1 << 20


@case("freeze state is thawed", needs="cgroup:freezer")
def _(t):
    t.probe("sleep")
    t.create()
    got = t.read(cgroups.directory("freezer", "/" + t.id) + "/freezer.state").strip()
    t.delete("--force")
    t.equal(got, "THAWED", "freezer.state")


# --- where -------------------------------------------------------------------------------

@case("the process is in its cgroup when create returns")
def _(t):
    t.probe("sleep")
    t.create()
    pid = t.state()["pid"]
    lines = t.read(f"/proc/{pid}/cgroup").split()
    inside = cgroups.processes("/" + t.id)
    t.delete("--force")
    t.check(pid in inside, f"{pid} is not in {inside}")
    t.check(any(x.endswith("/" + t.id) for x in lines), f"it is in {lines}")


@case("in every hierarchy", needs="v1")
def _(t):
    t.probe("sleep")
    t.create()
    where = cgroups.named(t.id)
    t.delete("--force")
    for controller in ("memory", "pids", "cpu"):
        root = cgroups.v1_roots().get(controller)
        if root:
            t.check(f"{root}/{t.id}" in where, f"not in {controller}: {where}")


@case("a deep path is made, and removed")
def _(t):
    t.edit({"linux.cgroupsPath": f"/{t.id}-top/{t.id}/leaf"})
    t.probe("sleep")
    t.create()
    t.check(cgroups.processes(f"/{t.id}-top/{t.id}/leaf"), "nothing is in it")
    t.delete("--force")
    left = cgroups.named("leaf")
    t.check(not left, f"left: {left}")
    for path in reversed(cgroups.named(t.id)):
        os.rmdir(path)  # parents may be somebody's: they stay


@case("a path that is not absolute")
def _(t):
    t.edit({"linux.cgroupsPath": t.id + "-rel"})
    t.probe("sleep")
    t.create()
    found = cgroups.named(t.id + "-rel")
    t.delete("--force")
    t.check(found, "there is no cgroup of that name")


@case("no path: named after the container")
def _(t):
    t.edit({"linux.cgroupsPath": DELETE})
    t.probe("sleep")
    t.create()
    found = cgroups.named(t.id)
    t.delete("--force")
    t.check(found, "there is no cgroup of that name")


@case("--cgroup-manager disabled makes none")
def _(t):
    t.globals = ["--cgroup-manager", "disabled"]
    t.edit({"linux.resources": DELETE})
    t.probe("sleep")
    t.create()
    found = cgroups.named(t.id)
    t.delete("--force")
    t.check(not found, f"made: {found}")


@case("cgroups that the container made are removed", needs="busybox v2")
def _(t):
    t.busybox()
    t.config["mounts"][-1]["options"].remove("ro")
    t.args("/bin/sh", "-c", "mkdir -p /sys/fs/cgroup/a/b /sys/fs/cgroup/c && echo made")
    t.equal(t.run().out, "made\n", "the output")


@case("a cgroup that is in use is refused", needs="cgroup2")
def _(t):
    import subprocess
    path = cgroups.v2_root() + "/" + t.id
    os.mkdir(path)
    holder = subprocess.Popen(["sh", "-c", f"echo $$ >{path}/cgroup.procs; echo in; read x"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        t.expect_failure(t.id)
        t.check(holder.poll() is None, "the process in it was ended")
    finally:
        holder.communicate()
        os.rmdir(path)


# --- inside --------------------------------------------------------------------------------

@case("the container sees its cgroup as the root")
def _(t):
    report = t.run_probe()
    lines = [x for x in report["cgroup"].splitlines() if x.startswith("0::")]
    t.equal(lines, ["0::/"] if lines else [], "/proc/self/cgroup")
    t.check(t.id not in report["cgroup"], report["cgroup"])


@case("without a cgroup namespace it sees the path")
def _(t):
    t.edit({"linux.namespaces": namespaces("pid", "network", "ipc", "uts", "mount")})
    t.check(t.id in t.run_probe()["cgroup"], "not its path")


@case("the cgroup file system is there, read-only")
def _(t):
    t.expect(t.run_probe(), {"mounts./sys/fs/cgroup.options": lambda o: o and "ro" in o})


@case("the cgroup2 tree is the container's own", needs="v2")
def _(t):
    t.probe("list", "/sys/fs/cgroup")
    names = t.run_probe()
    t.check("cgroup.procs" in names and t.id not in names, f"it has {names}")


@case("without a cgroup namespace the cgroup2 tree is the host's", needs="v2")
def _(t):
    """Where programs find what /proc/self/cgroup has told them, as with runc and crun."""
    t.edit({"linux.namespaces": namespaces("pid", "network", "ipc", "uts", "mount")})
    t.check(t.id in t.probe_result("list", "/sys/fs/cgroup"), "its own cgroup is not there")
    t.expect(t.probe_result("report"), {
        "mounts./sys/fs/cgroup": lambda m: m["root"] == "/" and "ro" in m["options"]})


@case("the number of processes is limited", needs="cgroup:pids")
def _(t):
    t.edit({"linux.resources.pids.limit": 5})
    t.expect(t.probe_result("fork", "20"), {"made": 4, "error": "EAGAIN"})


@case("a limit of no process", needs="cgroup:pids")
def _(t):
    """What is there may go on: the limit is for what comes."""
    t.edit({"linux.resources.pids": {"limit": 0}})
    t.probe("fork", "3")
    t.create()
    limit = cgroups.read("pids", "/" + t.id, "pids.max")
    pid = t.state()["pid"]
    t.ok("start", t.id)
    t.wait_for_end(pid)
    t.delete()
    t.equal(limit, "0", "pids.max")
    t.expect(t.decode(t.out()), {"made": 0, "error": "EAGAIN"})


@case("a limit of one process still starts", needs="cgroup:pids")
def _(t):
    t.edit({"linux.resources.pids.limit": 1})
    t.expect(t.probe_result("fork", "2"), {"made": 0, "error": "EAGAIN"})


@case("cpus are limited", needs="cgroup:cpuset two-cpus")
def _(t):
    t.edit({"linux.resources.cpu.cpus": "1"})
    t.expect(t.run_probe(), {"affinity": [1]})


# --- memory that runs out --------------------------------------------------------------------

@case("memory within the limit", needs="cgroup:memory")
def _(t):
    t.edit({"linux.resources.memory.limit": 64 * MIB})
    t.expect(t.probe_result("alloc", "32"), {"error": None})


@case("memory beyond the limit ends the container, and why is said", needs="cgroup:memory")
def _(t):
    t.edit({"linux.resources.memory": {"limit": 16 * MIB, "swap": 16 * MIB}})
    t.probe("alloc", "64")
    r = t.run()
    t.equal(r.rc, 137, f"the status of {r}")
    t.check_message(r, r"(?i)(out of memory|oom|memory limit).*")


@case("memory limits where there is little", needs="cgroup:memory")
def _(t):
    t.edit({"linux.resources.memory.limit": 4 * MIB})
    t.expect(t.probe_result("alloc", "1"), {"error": None})


failure_rows([
    ("a limit that the kernel refuses", {"linux.resources.cpu": {"quota": 1, "period": 100000}},
     "(?i)cpu", "cgroup:cpu"),
    ("cpus that there are not", {"linux.resources.cpu.cpus": "4000"}, "(?i)cpuset|cpus",
     "cgroup:cpuset"),
    ("a page size that there is not",
     {"linux.resources.hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}, "3MB|hugetlb",
     "cgroup:hugetlb"),
    ("a path with dots", {"linux.cgroupsPath": "/../escape"}, "cgroupsPath|escape"),
    ("a v2 file that there is not", {"linux.resources.unified": {"memory.nothing": "1"}},
     "memory.nothing|unified"),
    ("a v2 file with a path", {"linux.resources.unified": {"../cgroup.procs": "1"}}, "unified"),
])


@case("limits are removed with the container")
def _(t):
    t.edit({"linux.resources.pids.limit": 7} if cgroups.has("pids") else {})
    for _ in range(2):
        t.run_probe()
        t.check(not cgroups.named(t.id), "the cgroup is left")
    if not cgroups.roots():
        raise Skip("no cgroups")


@case("a cgroup given to the root of a user namespace, also for exec", needs="v2")
def _(t):
    t.edit({**user_namespace(), "+mounts": [
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
         "options": ["nosuid", "noexec", "nodev", "rw"]}]})
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    t.wait_for_line("ready")
    t.ok("exec", t.id, "/probe", "report")
    t.delete("--force")


# --- realtime ----------------------------------------------------------------------------------

# Where groups have realtime of their own, a new one has none: nobody in it may ask for it.
REALTIME = {"linux.resources.cpu": {"realtimeRuntime": 10000, "realtimePeriod": 1000000}}
report_rows([
    ("scheduler first in, first out", {**REALTIME, "process.scheduler": {
        "policy": "SCHED_FIFO", "priority": 3}},
     {"scheduler.policy": 1, "scheduler.priority": 3}, "v1 cgroup:cpu cap:SYS_NICE"),
    ("scheduler round robin", {**REALTIME, "process.scheduler": {
        "policy": "SCHED_RR", "priority": 1}},
     {"scheduler.policy": 2, "scheduler.priority": 1}, "v1 cgroup:cpu cap:SYS_NICE"),
])
