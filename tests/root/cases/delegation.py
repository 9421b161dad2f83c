# SPDX-License-Identifier: Apache-2.0
"""run.oci.delegate-cgroup: the payload manages its cgroup, which it is below itself."""
import os

from frame import cgroups
from frame.case import case
from frame.config import namespaces, user_namespace

KEY = "run.oci.delegate-cgroup"
WRITABLE = {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
            "options": ["nosuid", "noexec", "nodev", "rw"]}
# One of those that the container has, given to a cgroup beside its own.
ENABLE = """set -e
grep ^0:: /proc/self/cgroup
cd /sys/fs/cgroup
word=$(head -n1 cgroup.controllers); word=${word%% *}
echo "+$word" >cgroup.subtree_control
mkdir x y
echo 0 >x/cgroup.procs
cat x/cgroup.controllers
grep ^0:: /proc/self/cgroup
"""


def delegate(t, name="payload", edits=None):
    t.edit({"annotations": {KEY: name}, **(edits or {})})
    t.config["mounts"][-1] = WRITABLE


def started(t, *words):
    t.probe(*(words or ("sleep",)))
    t.create()
    pid = t.state()["pid"]
    t.ok("start", t.id)
    t.wait_for_line("ready")
    return pid


def where(t, pid):
    line = next(x for x in t.read(f"/proc/{pid}/cgroup").splitlines() if x.startswith("0::"))
    return line[len("0::"):]


@case("its processes are below its cgroup, and it sees that as the root", needs="v2")
def _(t):
    delegate(t)
    t.edit({"linux.resources.pids": {"limit": 50}} if cgroups.has("pids") else {})
    t.probe("report")
    report = t.run_probe()
    t.check("0::/payload" in report["cgroup"].split(), report["cgroup"])
    root = next(x for x in report["mountinfo"].splitlines() if " /sys/fs/cgroup " in x).split()[3]
    t.equal(root, "/", "the root of the mount")
    t.check(not cgroups.named(t.id), "a cgroup is left")


@case("its cgroup has the limits and no process", needs="v2 cgroup:hugetlb")
def _(t):
    delegate(t, edits={"linux.resources.hugepageLimits": [{"pageSize": "2MB", "limit": 1 << 22}]})
    pid = started(t)
    top = cgroups.v2_root() + "/" + t.id
    own, below = cgroups.processes("/" + t.id), cgroups.processes(f"/{t.id}/payload")
    limit = t.read(f"{top}/hugetlb.2MB.max").strip()
    has = os.path.exists(f"{top}/payload/hugetlb.2MB.max")
    t.delete("--force")
    t.equal((own, below), (set(), {pid}), "the processes in it and below")
    t.equal(limit, str(1 << 22), "hugetlb.2MB.max")
    t.check(not has, "the cgroup of the processes has controllers")


@case("it enables controllers, and moves", needs="v2 busybox cgroup:hugetlb")
def _(t):
    delegate(t, "a/b")
    t.busybox()
    t.args("/bin/sh", "-c", ENABLE)
    r = t.run()
    t.equal((r.rc, r.err), (0, ""), f"the end of {r}")
    before, enabled, after = r.out.split()[-3:]
    t.equal((before, after), ("0::/a/b", "0::/x"), "where it was and is")
    t.check(enabled in t.read(cgroups.v2_root() + "/cgroup.controllers").split(), f"it enabled {enabled}")
    t.check(not cgroups.named(t.id), "a cgroup is left")


@case("in a user namespace, also for exec", needs="v2 busybox cgroup:hugetlb")
def _(t):
    delegate(t, "a/b", edits=user_namespace())
    t.busybox()
    t.args("/bin/sh", "-c", ENABLE + "echo ready; sleep 1000")
    t.create()
    pid = t.state()["pid"]
    top = cgroups.v2_root() + "/" + t.id
    owners = [os.stat(f"{top}/{name}").st_uid for name in
              (".", "cgroup.procs", "cgroup.subtree_control", "a", "a/cgroup.procs", "a/b",
               "a/b/cgroup.procs", "cgroup.events")]
    t.ok("start", t.id)
    t.wait_for_line("ready")
    moved = where(t, pid)
    r = t.ok("exec", t.id, "/bin/grep", "^0::", "/proc/self/cgroup")
    t.delete("--force")
    t.equal(owners, [100000] * 7 + [0], "whose the files are")
    t.equal(moved, f"/{t.id}/x", "the place of the first process")
    t.equal(r.out, "0::/a/b\n", "the place of a further one")


@case("another user than root gets it", needs="v2 busybox cgroup:hugetlb")
def _(t):
    delegate(t, edits={"process.user": {"uid": 1000, "gid": 1000}})
    t.busybox()
    t.args("/bin/sh", "-c", ENABLE)
    r = t.run()
    t.equal((r.rc, r.out.split()[-1:]), (0, ["0::/x"]), f"the end of {r}")


@case("exec goes where the first process is when the cgroup has gone", needs="v2 busybox")
def _(t):
    delegate(t)
    t.busybox()
    t.args("/bin/sh", "-c", "cd /sys/fs/cgroup && mkdir x && echo 0 >x/cgroup.procs && "
           "busybox rmdir payload && echo ready && sleep 1000")
    t.create()
    t.ok("start", t.id)
    t.wait_for_line("ready")
    r = t.ok("exec", t.id, "/bin/grep", "^0::", "/proc/self/cgroup")
    t.delete("--force")
    t.equal(r.out, "0::/x\n", "the place of the further process")


@case("pause, kill, ps, update and delete reach what is below", needs="v2 cgroup:hugetlb")
def _(t):
    delegate(t)
    pid = started(t)
    top = cgroups.v2_root() + "/" + t.id
    t.ok("pause", t.id)
    frozen = t.read(f"{top}/cgroup.events")
    state = t.state()["status"]
    t.ok("resume", t.id)
    listed = t.decode(t.ok("ps", "--format", "json", t.id).out)
    t.ok("update", "--resources", "-", t.id,
         text='{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]}')
    limit = t.read(f"{top}/hugetlb.2MB.max").strip()
    t.ok("kill", "--all", t.id, "KILL")
    status = t.wait_for_end(pid)
    t.delete()
    t.check("frozen 1" in frozen, frozen)
    t.equal((state, listed, limit, status), ("paused", [pid], "2097152", -9), "what was reached")
    t.check(not cgroups.named(t.id), "a cgroup is left")


@case("an empty name is none", needs="v2")
def _(t):
    delegate(t, "")
    t.probe("report")
    t.check("0::/" in t.run_probe()["cgroup"].split(), "it is below")


@case("one that is there is taken", needs="v2")
def _(t):
    os.makedirs(f"{cgroups.v2_root()}/{t.id}/payload")
    delegate(t)
    t.probe("report")
    t.check("0::/payload" in t.run_probe()["cgroup"].split(), "it is elsewhere")
    t.check(not cgroups.named(t.id), "a cgroup is left")


@case("the name of a file is refused, and nothing is left", needs="v2")
def _(t):
    delegate(t, "x/cgroup.procs")
    t.expect_failure("cgroup.procs")
    t.check(not cgroups.named(t.id), "a cgroup is left")


@case("a cgroup that passes controllers on is refused", needs="v2 cgroup:hugetlb")
def _(t):
    top = f"{cgroups.v2_root()}/{t.id}"
    os.mkdir(top)
    cgroups.enable(top, "hugetlb")
    delegate(t)
    t.expect_failure("passes controllers on")
    t.check(not cgroups.named(t.id), "a cgroup is left")


@case("a path upwards is refused")
def _(t):
    delegate(t, "a/../../b")
    t.expect_failure(r"run\.oci\.delegate-cgroup.*lead out of")


@case("where there are v1 controllers it is refused", needs="v1")
def _(t):
    delegate(t)
    t.expect_failure(r"run\.oci\.delegate-cgroup.*needs a host with cgroup v2 alone")


@case("without a cgroup namespace it is refused", needs="v2")
def _(t):
    delegate(t, edits={"linux.namespaces": namespaces("pid", "network", "ipc", "uts", "mount")})
    t.expect_failure(r"run\.oci\.delegate-cgroup.*needs a new cgroup namespace")
