# SPDX-License-Identifier: Apache-2.0
"""run.oci.systemd.force_cgroup_v1: the v1 hierarchy name=systemd on a host with cgroup v2 alone.

Only where the host has that hierarchy: the kernel makes it for the initial cgroup namespace alone,
and nothing here should.
"""
import os
import tempfile

from frame import cgroups, kernel
from frame.case import Skip, case
from frame.config import namespaces, user_namespace

KEY = "run.oci.systemd.force_cgroup_v1"
PATH = "/sys/fs/cgroup"


def named(t):
    """Cgroups of the host's name=systemd that have the case's id in their names."""
    with tempfile.TemporaryDirectory(dir=t.dir) as at:
        kernel.mount("cgroup", at, "cgroup", 0, "none,name=systemd,xattr")
        try:
            return [os.path.join(path, n) for path, names, _ in os.walk(at)
                    for n in names if t.id in n]
        finally:
            kernel.umount(at)


def legacy(t, path=PATH):
    with open("/proc/self/cgroup", encoding="utf-8") as f:
        if ":name=systemd:" not in f.read():
            raise Skip("the host has no hierarchy name=systemd")
    t.edit({"annotations": {KEY: path}})


@case("a tmpfs with the hierarchy, of which it sees its own part", needs="v2")
def _(t):
    legacy(t)
    t.probe("report")
    report = t.run_probe()
    mounts = report["mounts"]
    t.equal(mounts[PATH]["type"], "tmpfs", "the type of the mount")
    t.equal(mounts[PATH + "/systemd"]["type"], "cgroup", "the type of what is in it")
    for path in (PATH, PATH + "/systemd"):
        for word in ("nosuid", "nodev", "noexec", "rw"):
            t.check(word in mounts[path]["options"], f"{path} has {mounts[path]['options']}")
    lines = report["cgroup"].split()
    t.check("0::/" in lines and [x for x in lines if x.endswith(":name=systemd:/")], f"in {lines}")
    root = next(x for x in report["mountinfo"].splitlines() if f" {PATH}/systemd " in x)
    t.equal(root.split()[3], "/", "the root of the mount")
    t.check(not named(t) and not cgroups.named(t.id), "a cgroup is left")


@case("it makes cgroups there, exec joins, delete removes them", needs="v2 busybox")
def _(t):
    legacy(t, PATH + "/")
    t.busybox()
    t.args("/bin/sh", "-c", f"cd {PATH}/systemd && mkdir -p a/b && echo 0 >a/b/cgroup.procs && "
           "echo release_agent* && echo ready && sleep 1000")
    t.create()
    t.ok("start", t.id)
    t.wait_for_line("ready")
    found = named(t)
    r = t.ok("exec", t.id, "/bin/grep", "-e", "^0::", "-e", ":name=systemd:", "/proc/self/cgroup")
    t.delete("--force")
    t.equal(len(found), 1, f"the number of {found}")
    t.check("release_agent*" in t.out(), "the root of the hierarchy is in it")
    t.equal([x.split(":", 1)[1] for x in r.out.split()], ["name=systemd:/", ":/"],
            "where a further process is")
    t.check(not named(t) and not cgroups.named(t.id), "a cgroup is left")


@case("a creation that fails leaves nothing", needs="v2")
def _(t):
    legacy(t)
    t.edit({"process.cwd": "/dev/null"})
    t.expect_failure("/dev/null")
    t.check(not named(t) and not cgroups.named(t.id), "a cgroup is left")


@case("a path on which nothing is mounted is refused", needs="v2")
def _(t):
    legacy(t, "/nowhere")
    t.expect_failure(r"force_cgroup_v1.*nothing is mounted on '/nowhere'")


@case("where there are v1 controllers it is refused", needs="v1")
def _(t):
    t.edit({"annotations": {KEY: PATH}})
    t.expect_failure("force_cgroup_v1.*needs a host with cgroup v2 alone")


@case("without a cgroup namespace it is refused", needs="v2")
def _(t):
    legacy(t)
    t.edit({"linux.namespaces": namespaces("pid", "network", "ipc", "uts", "mount")})
    t.expect_failure("force_cgroup_v1.*needs a new cgroup namespace")


@case("with a user namespace it is refused", needs="v2")
def _(t):
    legacy(t)
    t.edit(user_namespace())
    t.expect_failure("force_cgroup_v1.*goes with no user namespace")


@case("with a delegated cgroup it is refused", needs="v2")
def _(t):
    legacy(t)
    t.config["annotations"]["run.oci.delegate-cgroup"] = "a"
    t.expect_failure("force_cgroup_v1.*does not go together with")
