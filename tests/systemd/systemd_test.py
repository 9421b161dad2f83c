#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd cgroup manager against a real systemd.

A manager of its own is started in a mount namespace in which /sys/fs/cgroup is the
cgroup2 tree and /run is empty, with units from an empty directory; its private socket
stands where the one of the system's would. Nothing of the host's systemd, if it has one,
is touched. The rows of tests/root/frame/fields.py are read back from the unit and from the
kernel's file, also after a reload; those whose controller is not in the v2 tree of this
machine are skipped.

usage: systemd_test.py [--hybrid]
With --hybrid the cgroups stay as they are on this host, with v1 hierarchies: systemd has
the scopes in the v2 tree, and the values are in v1.

environment: CLEAT (the program, default ./cleat; cleat-systemd lies beside it)
"""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../root"))

from frame import cgroups  # noqa: E402  (the path comes first)
from frame.fields import FIELDS, wrong_lines  # noqa: E402

CLEAT = os.path.abspath(os.environ.get("CLEAT", "./cleat"))
HELPERS = os.path.dirname(CLEAT)
SYSTEMD = "/usr/lib/systemd/systemd"
TOP = "/sys/fs/cgroup"
HYBRID = "--hybrid" in sys.argv[1:]
V2 = f"{TOP}/unified" if HYBRID else TOP
NAME = f"cleat-systemd-test-{os.getppid()}"
DIR = f"/run/{NAME}"

class Skip(Exception):
    pass


class Failed(Exception):
    pass


def check(holds, text):
    if not holds:
        raise Failed(text)


def equal(got, want, what):
    check(got == want, f"{what} is {got!r}, not {want!r}")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read().strip()


# --- the world around -------------------------------------------------------------------------

def missing():
    """Why this machine cannot run these tests, or None."""
    if os.geteuid() != 0:
        return "needs root"
    for path in (SYSTEMD, "/usr/bin/systemctl", f"{HELPERS}/cleat-systemd"):
        if not os.path.exists(path):
            return f"no {path}"
    if not os.path.exists(f"{TOP}/cgroup.controllers") and \
            not os.path.exists(f"{TOP}/unified/cgroup.controllers"):
        return "there is no cgroup2 tree"
    if HYBRID and not os.path.exists(f"{TOP}/unified/cgroup.controllers"):
        return "the cgroups of this host are not hybrid"
    if not shutil.which("busybox"):
        return "no busybox"
    return None


def enter():
    """Into a mount namespace, by executing ourselves."""
    if "CLEAT_SYSTEMD_INSIDE" not in os.environ:
        os.environ["CLEAT_SYSTEMD_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private",
                              "--fork", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    if not HYBRID and not os.path.exists(f"{TOP}/cgroup.controllers"):
        subprocess.run(["mount", "--bind", f"{TOP}/unified", TOP], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)


class Manager:
    """systemd --user in a cgroup of its own, reached like the system's."""

    def __init__(self):
        self.cgroup = f"{V2}/{NAME}"
        os.makedirs("/run/systemd/system")
        os.makedirs(f"{DIR}/runtime")
        os.makedirs(f"{DIR}/units")
        with open(f"{DIR}/units/default.target", "w", encoding="ascii") as f:
            f.write("[Unit]\nDescription=nothing\n")
        os.mkdir(self.cgroup)
        os.environ.update(XDG_RUNTIME_DIR=f"{DIR}/runtime", CLEAT_HELPER_DIR=HELPERS)
        os.symlink(f"{DIR}/runtime/systemd/private", "/run/systemd/private")
        ready, ready_child = os.pipe()
        self.log = open(f"{DIR}/log", "wb")  # closed with the process
        # units that are started over the bus are files of the first one, for a reload
        paths = f"{DIR}/runtime/systemd/transient:{DIR}/units"
        env = dict(os.environ, SYSTEMD_UNIT_PATH=paths, NOTIFY_SOCKET="")
        self.process = subprocess.Popen([SYSTEMD, "--user", "--log-target=console"], env=env,
                                        stdout=self.log, stderr=self.log, start_new_session=True,
                                        preexec_fn=self._join)
        os.close(ready)
        os.close(ready_child)
        self._wait()

    def _join(self):
        with open(f"{self.cgroup}/cgroup.procs", "w", encoding="ascii") as f:
            f.write("0")

    def _wait(self):
        deadline = time.monotonic() + 15
        while subprocess.run(["systemctl", "--user", "is-active", "--quiet", "default.target"],
                             stderr=subprocess.DEVNULL, check=False).returncode:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise Skip("no manager can be started here: " + read(f"{DIR}/log")[-300:])
            select.select([], [], [], 0.05)

    def show(self, unit, name):
        return subprocess.run(["systemctl", "--user", "show", unit, "--value", "-p", name],
                              capture_output=True, text=True, check=True).stdout.strip()

    def units(self):
        text = subprocess.run(["systemctl", "--user", "list-units", "--all", "--plain",
                               "--no-legend", "cleat-*"], capture_output=True, text=True,
                              check=True).stdout
        return [line.split()[0] for line in text.splitlines()]

    def end(self, unit):
        """Kill all of a unit, which goes with them; init would not mind SIGTERM."""
        subprocess.run(["systemctl", "--user", "kill", "--signal", "KILL", unit], check=True)
        deadline = time.monotonic() + 10
        while unit in self.units() and time.monotonic() < deadline:
            select.select([], [], [], 0.02)

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        with open(f"{self.cgroup}/cgroup.kill", "w", encoding="ascii") as f:
            f.write("1")
        deadline = time.monotonic() + 5
        while "populated 1" in read(f"{self.cgroup}/cgroup.events") and \
                time.monotonic() < deadline:
            select.select([], [], [], 0.01)
        for root in cgroups.roots():
            for path, _, _ in os.walk(f"{root}/{NAME}", topdown=False):
                os.rmdir(path)


# --- containers -------------------------------------------------------------------------------

BUNDLE = f"{DIR}/bundle"


def make_bundle():
    for name in ("bin", "proc", "sys", "dev"):
        os.makedirs(f"{BUNDLE}/rootfs/{name}")
    shutil.copy(shutil.which("busybox"), f"{BUNDLE}/rootfs/bin/busybox")


def configure(resources=None, annotations=None, path=None):
    config = {
        "ociVersion": "1.0.2",
        "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/",
                    "args": ["/bin/busybox", "sleep", "1000"]},
        "root": {"path": "rootfs"},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/sys", "type": "sysfs", "source": "sysfs"},
                   {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"}],
        "annotations": annotations or {},
        "linux": {"namespaces": [{"type": t} for t in ("pid", "mount", "ipc", "uts", "cgroup",
                                                       "network")],
                  "resources": dict(resources or {},
                                    devices=[{"allow": False, "access": "rwm"}])},
    }
    if path:
        config["linux"]["cgroupsPath"] = path
    with open(f"{BUNDLE}/config.json", "w", encoding="utf-8") as f:
        json.dump(config, f)


def command(*words):
    return [CLEAT, "--root", f"{DIR}/state", "--systemd-cgroup", *words]


def cleat(*words, text=None, fails=False):
    # stderr into a file: a container that was started would keep a pipe open
    starts = words[0] in ("run", "create")
    with open(f"{DIR}/stderr", "w+", encoding="utf-8") as err:
        p = subprocess.run(command(*words), input=text, stderr=err, text=True, check=False,
                           stdin=None if text else subprocess.DEVNULL, timeout=10,
                           stdout=subprocess.DEVNULL if starts else subprocess.PIPE)
        err.seek(0)
        p.stderr = err.read()
    if not fails:
        check(p.returncode == 0 and not p.stderr, f"{words}: status {p.returncode}: {p.stderr}")
    return p


def run(name, **how):
    configure(**how)
    cleat("run", "--detach", "--bundle", BUNDLE, name)


def state(name):
    return json.loads(cleat("state", name).stdout)


def cgroup_of(name):
    for line in read(f"/proc/{state(name)['pid']}/cgroup").splitlines():
        if line.startswith("0::"):
            return V2 + line[3:]
    raise Failed("no v2 cgroup")


def gone(manager, name):
    """Nothing of the container is left, neither unit nor cgroup."""
    equal([u for u in manager.units() if name in u], [], "units")
    equal([p for p in cgroups.named(name) if NAME in p], [], "cgroups")


# --- cases ------------------------------------------------------------------------------------

CASES = []


def case(title):
    def register(function):
        CASES.append((title, function))
        return function
    return register


@case("a scope is started, and goes with the container")
def _(manager):
    run("c1")
    equal(manager.show("cleat-c1.scope", "ActiveState"), "active", "the unit")
    equal(manager.show("cleat-c1.scope", "Delegate"), "yes", "Delegate")
    equal(manager.show("cleat-c1.scope", "Slice"), "system.slice", "Slice")
    path = V2 + manager.show("cleat-c1.scope", "ControlGroup")
    equal(cgroup_of("c1"), path, "the cgroup of init")
    equal(read(f"{path}/cgroup.procs").split(), [str(state("c1")["pid"])], "who is inside")
    equal(json.loads(cleat("ps", "-f", "json", "c1").stdout), [state("c1")["pid"]], "ps")
    cleat("delete", "--force", "c1")
    gone(manager, "c1")


@case("names of slices and prefixes")
def _(manager):
    run("c2", path="a-b.slice:pre:c2")
    equal(manager.show("pre-c2.scope", "Slice"), "a-b.slice", "Slice")
    check(cgroup_of("c2").endswith("/a.slice/a-b.slice/pre-c2.scope"), cgroup_of("c2"))
    cleat("delete", "--force", "c2")
    gone(manager, "c2")


@case("properties by annotations")
def _(manager):
    run("c3", annotations={
        "org.systemd.property.TimeoutStopUSec": "uint64 5000000",
        "org.systemd.property.After": "['init.scope', 'default.target']",
        "org.systemd.property.CollectMode": "'inactive'",
        "org.systemd.property.RuntimeMaxSec": "3600"})
    equal(manager.show("cleat-c3.scope", "TimeoutStopUSec"), "5s", "TimeoutStopUSec")
    equal(manager.show("cleat-c3.scope", "CollectMode"), "inactive", "CollectMode")
    equal(manager.show("cleat-c3.scope", "RuntimeMaxUSec"), "1h", "RuntimeMaxUSec")
    check("default.target" in manager.show("cleat-c3.scope", "After").split(), "After")
    cleat("delete", "--force", "c3")
    gone(manager, "c3")


@case("a property that systemd does not know is named")
def _(manager):
    configure(annotations={"org.systemd.property.NoSuchThing": "true"})
    p = cleat("run", "--detach", "--bundle", BUNDLE, "c4", fails=True)
    check(p.returncode == 1 and re.search("NoSuchThing", p.stderr), p.stderr)
    gone(manager, "c4")
    equal(cleat("list", "--quiet").stdout, "", "the containers")


@case("devices stay forbidden after a reload")
def _(manager):
    run("c5")
    inside = ["nsenter", "--target", str(state("c5")["pid"]), "--pid", "--mount", "/bin/busybox"]
    for _ in range(2):
        with open(f"{cgroup_of('c5')}/cgroup.procs", "w", encoding="ascii") as f:
            probe = subprocess.run(
                inside + ["sh", "-c", "busybox rm -f /m && busybox mknod /m c 1 1 && busybox cat /m"],
                capture_output=True, text=True, check=False,
                preexec_fn=lambda f=f: (f.write("0"), f.flush()))
        check(probe.returncode != 0 and "not permitted" in probe.stderr, str(probe))
        subprocess.run(["systemctl", "--user", "daemon-reload"], check=True)
    cleat("delete", "--force", "c5")
    gone(manager, "c5")


@case("pause, resume, kill")
def _(manager):
    run("c6")
    cleat("pause", "c6")
    equal(state("c6")["status"], "paused", "the status")
    cleat("resume", "c6")
    cleat("kill", "c6", "KILL")
    cleat("delete", "--force", "c6")
    gone(manager, "c6")


@case("a unit that was stopped behind our back")
def _(manager):
    run("c7")
    manager.end("cleat-c7.scope")
    equal(state("c7")["status"], "stopped", "the status")
    cleat("delete", "c7")
    gone(manager, "c7")


@case("a unit of that name which is not ours stays")
def _(manager):
    run("c8")
    manager.end("cleat-c8.scope")
    with subprocess.Popen(["systemd-run", "--user", "--scope", "--quiet",
                           "--unit", "cleat-c8.scope", "sleep", "1000"]) as other:
        deadline = time.monotonic() + 10
        while "cleat-c8.scope" not in manager.units() and time.monotonic() < deadline:
            select.select([], [], [], 0.02)
        cleat("delete", "--force", "c8")
        equal(manager.show("cleat-c8.scope", "ActiveState"), "active", "the other unit")
        check(other.poll() is None, "the other process was killed")
        other.kill()


@case("systemd that does not answer: parallel starts end at the deadline")
def _(manager):
    configure()
    manager.process.send_signal(signal.SIGSTOP)
    before = time.monotonic()
    words = ("--systemd-timeout", "1500ms", "run", "--detach", "--bundle", BUNDLE)
    many = [subprocess.Popen(command(*words, f"s{i}"), stdout=subprocess.DEVNULL,
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for i in range(50)]
    try:
        for p in many:
            text = p.communicate(timeout=30)[1]
            check(p.returncode == 1 and "systemd did not" in text, text)
        equal(cleat("list", "--quiet").stdout, "", "the containers")
        check(time.monotonic() - before < 2.5, f"took {time.monotonic() - before} s")
    finally:
        manager.process.send_signal(signal.SIGCONT)
    run("c9")
    cleat("delete", "--force", "c9")
    equal([p for p, _, _ in os.walk(manager.cgroup) if p.endswith("cleat-c9.scope") or
           "/cleat-s" in p.removeprefix(manager.cgroup)], [], "cgroups")
    equal(manager.units(), [], "units")


@case("update of a quota alone, and of a period alone")
def _(manager):
    if not cgroups.has("cpu"):
        raise Skip("no controller cpu here")
    run("u1", resources={"cpu": {"quota": 50000, "period": 100000}})
    rows = (("--cpu-period", "200000", "250ms"), ("--cpu-quota", "20001", "110ms"),
            ("--cpu-quota", "-1", "infinity"))
    for option, value, want in rows:
        cleat("update", option, value, "u1")
        equal(manager.show("cleat-u1.scope", "CPUQuotaPerSecUSec"), want, f"{option} {value}")
        reload()
    look = reader(cgroups.directory("cpu", cgroup_of("u1")[len(V2):]))
    equal((look("cpu.max") or look("cpu.cfs_period_us")).split()[-1], "200000", "the period")
    cleat("delete", "--force", "u1")
    gone(manager, "u1")


@case("an update that the kernel refuses changes nothing, in systemd neither")
def _(manager):
    if not cgroups.has("cpuset") or not cgroups.has("pids"):
        raise Skip("no controllers cpuset and pids here")
    run("u2", resources={"pids": {"limit": 50}})
    p = cleat("update", "--pids-limit", "60", "--cpuset-cpus", "777", "u2", fails=True)
    check(p.returncode == 1 and "cpuset.cpus" in p.stderr, p.stderr)
    equal(manager.show("cleat-u2.scope", "TasksMax"), "50", "TasksMax")
    equal(read(cgroups.directory("pids", cgroup_of("u2")[len(V2):]) + "/pids.max"), "50",
          "pids.max")
    cleat("delete", "--force", "u2")
    gone(manager, "u2")


def reader(directory):
    def look(file):
        path = f"{directory}/{file}"
        return read(path) if os.path.exists(path) else None
    return look


def wanted_of(row):
    """(files, properties, controller) as this view of the host has them."""
    if row.controller and row.controller not in cgroups.v2_controllers():
        return row.v1, row.systemd_v1, row.v1_controller
    return row.v2, row.systemd, row.controller


def check_field(manager, row, when):
    files, properties, controller = wanted_of(row)
    look = reader(cgroups.directory(controller, cgroup_of("f1")[len(V2):]))
    if not HYBRID or "one-of" not in row.needs:
        files = {f: line for f, line in files.items() if look(f) is not None or row.v2}
    wrong = wrong_lines(look, files, "one-of" in row.needs)
    for prop, value in properties.items():
        got = manager.show("cleat-f1.scope", prop)
        if got != value:
            wrong.append(f"{prop} is '{got}', not '{value}'")
    check(not wrong, f"{when}: " + "\n".join(wrong))


def reload():
    subprocess.run(["systemctl", "--user", "daemon-reload"], check=True)


def why_not(row):
    if row.controller and not cgroups.has(row.controller) and not cgroups.has(row.v1_controller):
        return f"no controller {row.controller} here"
    if "unified" in row.resources and row.controller not in ["", *cgroups.v2_controllers()]:
        return f"controller {row.controller} is not in the v2 tree"
    if "cgroupfs" in row.needs:
        return "a slice has none to give on"
    return row.why_not_here() or (None if wanted_of(row)[0] else "there is no such setting")


def field(row):
    """Given to create, then to update; systemd writes what it knows again when it reloads."""
    @case(row.name)
    def _(manager):
        why = why_not(row)
        if why:
            raise Skip(why)
        with row.prepared():
            run("f1", resources=row.resources)
            check_field(manager, row, "after create")
            reload()
            check_field(manager, row, "after create and reload")
            cleat("delete", "--force", "f1")
            if row.update:
                run("f1")
                cleat("update", "-r", "-", "f1", text=json.dumps(row.resources))
                check_field(manager, row, "after update")
                reload()
                check_field(manager, row, "after update and reload")
                cleat("delete", "--force", "f1")
        gone(manager, "f1")


for _row in FIELDS:
    field(_row)


def main():
    why = missing()
    if why:
        print(f"1..0 # SKIP {why}")
        return 0
    enter()
    try:
        manager = Manager()
    except Skip as e:
        print("1..0 # SKIP " + str(e).replace("\n", " "))
        return 0
    failed = False
    print(f"1..{len(CASES)}", flush=True)
    try:
        make_bundle()
        for i, (title, function) in enumerate(CASES, 1):
            result, note = "ok", ""
            try:
                function(manager)
            except Skip as e:
                note = f" # SKIP {e}"
            except (Failed, subprocess.SubprocessError, OSError) as e:
                result, failed = "not ok", True
                print("# " + str(e).replace("\n", "\n# "))
                for name in cleat("list", "--quiet", fails=True).stdout.split():
                    cleat("delete", "--force", name, fails=True)
            print(f"{result} {i} - systemd: {title}{note}", flush=True)
    finally:
        manager.stop()
    return failed


if __name__ == "__main__":
    sys.exit(main())
