# SPDX-License-Identifier: Apache-2.0
"""linux.namespaces: each alone, all combinations, joined by path."""
import itertools
import os
import subprocess

from frame import cgroups
from frame.case import DELETE, case, failure_rows
from frame.config import namespaces, remove_mount, user_namespace

PROC_NAMES = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt",
              "cgroup": "cgroup", "user": "user", "time": "time"}


def own(kind):
    return os.stat(f"/proc/self/ns/{PROC_NAMES[kind]}").st_ino


def fit_mounts(t, kinds):
    """What cannot be mounted without these namespaces is bound from the host, or left out."""
    if "network" not in kinds and "user" in kinds:
        remove_mount(t.config, "/sys")
        remove_mount(t.config, "/sys/fs/cgroup")
        t.config["linux"]["maskedPaths"] = []
    if "ipc" not in kinds and "user" in kinds:
        remove_mount(t.config, "/dev/mqueue")
    if "pid" not in kinds and "user" in kinds:
        remove_mount(t.config, "/proc")
        t.edit({"+mounts": [{"destination": "/proc", "type": "bind", "source": "/proc",
                             "options": ["rbind", "nosuid"]}]})
        t.edit({"linux.maskedPaths": [], "linux.readonlyPaths": []})
    if "uts" not in kinds:
        t.config.pop("hostname")


def set_namespaces(t, kinds):
    if "user" in kinds:
        t.edit(user_namespace())
    t.edit({"linux.namespaces": namespaces(*kinds)})
    fit_mounts(t, kinds)


def check_namespaces(t, report, kinds):
    for kind, name in PROC_NAMES.items():
        if report["namespaces"][name] is None:
            continue
        new = report["namespaces"][name] != own(kind)
        t.equal(new, kind in kinds, f"whether the {kind} namespace is new")


def make_combination(kinds):
    def run(t):
        set_namespaces(t, kinds)
        report = t.run_probe()
        check_namespaces(t, report, kinds)
        t.equal(report["pid"] == 1, "pid" in kinds, "whether it is process 1")
        if "uts" in kinds:
            t.equal(report["hostname"], "inside", "the host name")
        if "network" in kinds:
            t.equal(sorted(report["network"]), ["lo"], "the network devices")
        return report
    return run


# mount is always there: without it there is no root to switch to
_optional = ("pid", "network", "ipc", "uts", "cgroup")
for n in range(len(_optional) + 1):
    for chosen in itertools.combinations(_optional, n):
        kinds = ("mount",) + chosen
        case("new: " + " ".join(kinds))(make_combination(kinds))
        case("new: " + " ".join(kinds + ("user",)))(make_combination(kinds + ("user",)))


@case("a new time namespace", needs="time")
def _(t):
    t.edit({"+linux.namespaces": namespaces("time")})
    check_namespaces(t, t.run_probe(), ["time", "pid", "network", "ipc", "uts", "mount", "cgroup"])


@case("time offsets", needs="time")
def _(t):
    t.edit({"+linux.namespaces": namespaces("time"),
            "linux.timeOffsets": {"boottime": {"secs": 100000}, "monotonic": {"secs": 5000}}})
    report = t.run_probe()
    with open("/proc/uptime", encoding="utf-8") as f:
        up = float(f.read().split()[0])
    t.check(abs(report["boottime"] - up - 100000) < 60, f"boottime is {report['boottime']}")
    t.check(report["timens_offsets"], "no offsets")


@case("a time offset that the kernel refuses", needs="time")
def _(t):
    t.edit({"+linux.namespaces": namespaces("time"),
            "linux.timeOffsets": {"monotonic": {"secs": -100000000}}})
    t.write_config()
    t.fails("^cleat: write 'monotonic -100000000 0' to '/proc/self/timens_offsets': "
            "numerical result out of range$", "run", "--bundle", t.bundle, t.id)


@case("loopback of a new network is up")
def _(t):
    t.expect(t.run_probe(), {"network.lo.up": 1})


# --- joined ------------------------------------------------------------------------------

class Holder:
    """A process in new namespaces that others can join."""

    def __init__(self, *flags, **more):
        # reads until its standard input is closed
        self.process = subprocess.Popen(["unshare", *flags, "sh", "-c", "echo up; read x"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
        self.process.stdout.readline()
        self.pid = self.process.pid

    def path(self, kind):
        return f"/proc/{self.pid}/ns/{PROC_NAMES[kind]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


def join(t, kind, path):
    for ns in t.config["linux"]["namespaces"]:
        if ns["type"] == kind:
            ns["path"] = path
            return
    t.config["linux"]["namespaces"].append({"type": kind, "path": path})


for _kind, _flag in (("network", "--net"), ("ipc", "--ipc"), ("uts", "--uts"),
                     ("cgroup", "--cgroup")):
    def _join(t, kind=_kind, flag=_flag):
        with Holder(flag) as holder:
            join(t, kind, holder.path(kind))
            if kind == "uts":
                t.config.pop("hostname")
            want = os.stat(holder.path(kind)).st_ino
            report = t.run_probe()
        t.equal(report["namespaces"][PROC_NAMES[kind]], want, f"the {kind} namespace")
    case(f"join a {_kind} namespace")(_join)


@case("join a cgroup namespace in which the container's cgroup cannot be seen", needs="cgroup2")
def _(t):
    group = f"{cgroups.v2_root()}/{t.id}.holder"
    os.mkdir(group)
    try:
        with Holder("--cgroup", preexec_fn=lambda: t.write(f"{group}/cgroup.procs", "0")) as holder:
            join(t, "cgroup", holder.path("cgroup"))
            want = os.stat(holder.path("cgroup")).st_ino
            report = t.run_probe()
    finally:
        os.rmdir(group)
    t.equal(report["namespaces"]["cgroup"], want, "the cgroup namespace")


@case("join a pid namespace")
def _(t):
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    first = t.state()["pid"]
    path = f"/proc/{first}/ns/pid"
    want = os.stat(path).st_ino
    second = t.id + "b"
    join(t, "pid", path)
    t.edit({"linux.cgroupsPath": "/" + second})
    t.probe()
    t.write_config()
    r = t.cleat("run", "--bundle", t.bundle, second)
    t.delete("--force")
    t.check(r.rc == 0, f"failed: {r}")
    report = t.decode(r.out)
    t.equal(report["namespaces"]["pid"], want, "the pid namespace")
    t.check(report["pid"] > 1, "it is process 1")


@case("join user and network namespaces together")
def _(t):
    with Holder("--user", "--map-root-user", "--net", "--ipc", "--uts") as holder:
        for kind in ("user", "network", "ipc", "uts"):
            join(t, kind, holder.path(kind))
        t.config.pop("hostname")
        t.config["mounts"][2]["options"].remove("gid=5")
        want = {k: os.stat(holder.path(k)).st_ino for k in ("user", "network", "ipc")}
        report = t.run_probe()
    for kind, inode in want.items():
        t.equal(report["namespaces"][PROC_NAMES[kind]], inode, f"the {kind} namespace")


@case("join a user namespace whose mappings are not those that are given")
def _(t):
    """podman gives one id with `--userns ns:PATH`, whatever the namespace has; gid 5 is in it."""
    with Holder("--user") as holder:
        for kind in ("uid_map", "gid_map"):
            subprocess.run(f"echo 0 0 1000 >/proc/{holder.pid}/{kind}", shell=True, check=True)
        join(t, "user", holder.path("user"))
        one = [{"containerID": 0, "hostID": 0, "size": 1}]
        t.edit({"linux.uidMappings": one, "linux.gidMappings": one})
        want = os.stat(holder.path("user")).st_ino
        report = t.run_probe()
    t.equal(report["namespaces"]["user"], want, "the user namespace")


@case("our own namespaces by path")
def _(t):
    for kind in ("network", "ipc"):
        join(t, kind, f"/proc/self/ns/{PROC_NAMES[kind]}")
    report = t.run_probe()
    for kind in ("network", "ipc"):
        t.equal(report["namespaces"][PROC_NAMES[kind]], own(kind), f"the {kind} namespace")


def _replace(**paths):
    return {"hostname": DELETE, "linux.namespaces": [{"type": "mount"}] + [
        {"type": k, "path": p} for k, p in paths.items()]}


failure_rows([
    ("join by a path that is missing", _replace(network="/proc/self/ns/nothing"),
     "/proc/self/ns/nothing"),
    ("join by a path of another kind", _replace(network="/proc/self/ns/ipc"),
     "/proc/self/ns/ipc"),
    ("join by a path that is no namespace", _replace(network="/etc/passwd"), "/etc/passwd"),
    ("a kind that there is not", {"hostname": DELETE, "linux.namespaces": namespaces("mount", "weather")}, "weather"),
    ("the same kind twice", {"hostname": DELETE, "linux.namespaces": namespaces("mount", "ipc", "ipc")}, "ipc|twice"),
    ("a host name without a uts namespace",
     {"linux.namespaces": namespaces("mount", "pid")}, "hostname"),
])
