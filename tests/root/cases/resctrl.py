# SPDX-License-Identifier: Apache-2.0
"""linux.intelRdt on a tree that looks like resctrl, for machines without it.

A tmpfs stands where resctrl is mounted, and strace(1) has fstatfs(2) say of that one
directory that it is resctrl. Of what only the kernel can do, the files that come with a
new group, the unit tests have a copy (tests/unit/rdt); here the class exists.
"""
import contextlib
import os
import subprocess

from frame import kernel
from frame.case import Skip, case

NEEDS = "program:strace"
TOP = "/sys/fs/resctrl"
MAGIC = "2158650700000000"  # RDTGROUP_SUPER_MAGIC, the first member of struct statfs
SCHEMATA = "    MB:0=100;1=100\n    L3:0=7ff;1=7ff\n"


@contextlib.contextmanager
def resctrl(t):
    """The tree, with a class "guarded" in it; the worker's /sys/fs is as before afterwards."""
    cgroups = f"{t.dir}/cgroups"
    os.mkdir(cgroups)
    kernel.mount("/sys/fs/cgroup", cgroups, None, kernel.MS_BIND | kernel.MS_REC)
    # or taking it away again would take the worker's own along
    kernel.mount(None, cgroups, None, kernel.MS_PRIVATE | kernel.MS_REC)
    try:
        kernel.mount("fake", "/sys/fs", "tmpfs", 0, "mode=755,size=1m")
        try:
            os.mkdir("/sys/fs/cgroup")
            kernel.mount(cgroups, "/sys/fs/cgroup", None, kernel.MS_BIND | kernel.MS_REC)
            os.makedirs(f"{TOP}/guarded/mon_groups")
            for path, text in (("schemata", SCHEMATA), ("guarded/schemata", SCHEMATA),
                               ("tasks", ""), ("guarded/tasks", "")):
                t.write(f"{TOP}/{path}", text)
            t.prefix = ["strace", "-D", "-f", "-qq", "-o", f"{t.dir}/strace", "-e",
                        "trace=fstatfs", "-P", TOP, "-e",
                        f"inject=fstatfs:poke_exit=@arg2={MAGIC}"]
            if "poke" in subprocess.run([*t.prefix, "true"], capture_output=True,
                                        encoding="utf-8", check=False).stderr:
                raise Skip("this strace cannot change what a call returns")
            yield
        finally:
            t.prefix = []
            kernel.umount("/sys/fs")
    finally:
        kernel.umount(cgroups)


@case("init is in the class, which stays when the container goes")
def _(t):
    t.probe("sleep")
    t.edit({"linux.intelRdt": {"closID": "guarded", "schemata": ["L3:0=7ff;1=7ff"],
                               "memBwSchema": "MB:0=100;1=100"}})
    with resctrl(t):
        t.create()
        t.equal(t.read(f"{TOP}/guarded/tasks"), str(t.state()["pid"]), "tasks of the class")
        t.equal(t.read(f"{TOP}/guarded/schemata"), SCHEMATA, "schemata of the class")
        t.delete("--force")
        t.check(os.path.isdir(f"{TOP}/guarded"), "the class is gone")


@case("a process of exec is put into the class and the monitoring group, as init is")
def _(t):
    t.probe("sleep")
    t.edit({"linux.intelRdt": {"closID": "guarded", "enableMonitoring": True}})
    with resctrl(t):
        tasks = [f"{TOP}/guarded/tasks", f"{TOP}/guarded/mon_groups/{t.id}/tasks"]
        t.write_config()
        # the kernel makes the files of a group with its directory
        os.mkdir(os.path.dirname(tasks[1]))
        t.write(tasks[1], "")
        t.create()
        t.ok("start", t.id)
        t.equal([t.read(f) for f in tasks], [str(t.state()["pid"])] * 2, "tasks after create")
        for path in tasks:
            t.write(path, "")
        pid_file = f"{t.dir}/pid"
        t.start_command("exec", "--detach", "--pid-file", pid_file, t.id, "/probe", "sleep")
        t.equal([t.read(f) for f in tasks], [t.read(pid_file).strip()] * 2, "tasks after exec")
        for path in tasks[1:]:
            os.unlink(path)  # or the directory could not be removed, as the kernel's can
        t.delete("--force")


@case("update writes the schemata of the class")
def _(t):
    t.probe("sleep")
    t.edit({"linux.intelRdt": {"closID": "guarded"}})
    with resctrl(t):
        t.create()
        t.ok("update", "--l3-cache-schema", "L3:0=f", "--mem-bw-schema", "MB:0=20", t.id)
        t.equal(t.read(f"{TOP}/guarded/schemata"), "L3:0=f\nMB:0=20\n" + SCHEMATA[15:],
                "schemata of the class")
        t.delete("--force")


for _property, _value in (("l3CacheSchema", "L3:0=f"), ("memBwSchema", "MB:0=50"),
                          ("schemata", ["MB:0=100;1=100", "L3:1=1"])):
    def _other(t, name=_property, value=_value):
        """"the runtime MUST compare ... and generate an error if it doesn't match" """
        t.edit({"linux.intelRdt": {"closID": "guarded", name: value}})
        with resctrl(t):
            t.write_config()
            t.fails("the class 'guarded' exists and does not have the schema",
                    "create", "--bundle", t.bundle, t.id)
            t.equal(t.read(f"{TOP}/guarded/tasks"), "", "tasks of the class")
    case(f"a class that has another {_property} is refused")(_other)


@case("a class that there is not, without a schema to make it with")
def _(t):
    t.edit({"linux.intelRdt": {"closID": "missing", "enableMonitoring": True}})
    with resctrl(t):
        t.write_config()
        t.fails("closID: the class 'missing' does not exist", "create", "--bundle", t.bundle, t.id)
        t.equal(sorted(os.listdir(TOP)), ["guarded", "schemata", "tasks"], "groups")
