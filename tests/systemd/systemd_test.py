#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""systemd_test.py [--quick] [PATTERN...]: the systemd cgroup manager against real managers.

Each case runs with every manager that is there: one that is started here (as root; in a
mount namespace with an empty /run, so nothing of the host's systemd is touched), the
system's if systemd is process 1, and the user's if we are no root. The rows of
tests/root/frame/fields.py are read back from the unit and from the kernel's file; those whose
controller a manager does not have are skipped. With patterns, only the cases whose title
matches one. --quick: rows are read at create only, and where systemd is process 1 managers are
started only to be stopped.

environment: CLEAT (the program, default ./cleat; cleat-systemd lies beside it)
"""
import json
import os
import re
import shutil
import subprocess
import sys
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, f"{HERE}/../root"]

from frame import cgroups, kernel, traces  # noqa: E402  (the path comes first)
from frame.fields import FIELDS, MIB, wrong_lines  # noqa: E402
from containers import HELPERS, SECONDS, Containers, Failed, Skip, check, equal  # noqa: E402
from managers import MANAGERS, TOP, Missing, read, wait_for  # noqa: E402

QUICK = "--quick" in sys.argv


# --- the world around -------------------------------------------------------------------------

def missing():
    """Why this machine cannot run these tests, or None."""
    for path in ("/usr/bin/systemctl", f"{HELPERS}/cleat-systemd"):
        if not os.path.exists(path):
            return f"no {path}"
    if not os.path.exists(f"{TOP}/cgroup.controllers") and \
            not os.path.exists(f"{TOP}/unified/cgroup.controllers"):
        return "there is no cgroup2 tree"
    if not shutil.which("busybox"):
        return "no busybox"
    return None


def enter(kind):
    """For a manager of our own: a mount namespace with an empty /run, and the v2 tree."""
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    if kind.own_view and not os.path.exists(f"{TOP}/cgroup.controllers"):
        kernel.mount(f"{TOP}/unified", TOP, None, kernel.MS_BIND)
    kernel.mount("tmpfs", "/run", "tmpfs")


def processes_of(directory):
    """What runs with this directory on its command line, and our helper program."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = read(f"/proc/{pid}/cmdline").replace("\0", " ")
            program = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue
        if f"{directory}/state" in words or program == f"{HELPERS}/cleat-systemd":
            found.append(words)
    return found


# --- cases ------------------------------------------------------------------------------------

CASES = []


def case(title, privileged=False, stops=False):
    """@privileged: nothing for a user. @stops: needs a manager that can be stopped."""
    def register(function):
        CASES.append((title, function, privileged, stops))
        return function
    return register


@case("a scope is started, and goes with the container")
def _(m, c):
    c.run("c1")
    equal(m.show("cleat-c1.scope", "ActiveState"), "active", "the unit")
    equal(m.show("cleat-c1.scope", "Delegate"), "yes", "Delegate")
    equal(m.show("cleat-c1.scope", "Slice"), "user.slice" if m.rootless else "system.slice",
          "Slice")
    path = m.v2 + m.show("cleat-c1.scope", "ControlGroup")
    pid = c.state("c1")["pid"]
    equal(c.cgroup_of("c1"), path, "the cgroup of init")
    check(path in c.cgroups("c1"), f"{path} is not found by its name")
    equal(read(f"{path}/cgroup.procs").split(), [str(pid)], "who is inside")
    equal(json.loads(c.cleat("ps", "-f", "json", "c1").stdout), [pid], "ps")
    c.delete("c1")


@case("exec is in the scope too")
def _(m, c):
    c.run("c1")
    p = c.cleat("exec", "c1", "/bin/busybox", "cat", "/proc/self/cgroup")
    check("0::/\n" in p.stdout, p.stdout)
    c.delete("c1")


@case("processes below the scope's cgroup, where the payload enables controllers")
def _(m, c):
    c.configure(annotations={"run.oci.delegate-cgroup": "a/b"})
    c.cleat("run", "--detach", "--bundle", c.bundle, "c1", fails=m.v2 != TOP)
    if m.v2 != TOP:
        raise Skip("there are v1 hierarchies")
    path = m.v2 + m.show("cleat-c1.scope", "ControlGroup")
    equal(c.cgroup_of("c1"), f"{path}/a/b", "the cgroup of init")
    equal(read(f"{path}/cgroup.procs"), "", "who is in the scope's own")
    words = read(f"{path}/cgroup.controllers").split()
    with open(f"{path}/cgroup.subtree_control", "w", encoding="ascii") as f:
        f.write(f"+{words[0]}" if words else "")
    p = c.cleat("exec", "c1", "/bin/busybox", "grep", "^0::", "/proc/self/cgroup")
    equal(p.stdout, "0::/a/b\n", "where exec is")
    c.delete("c1")


@case("a cgroup for the processes in the scope")
def _(m, c):
    # room for init and for one of exec: while they come to be there are more of us inside
    c.configure(annotations={"run.oci.systemd.subgroup": "inner"},
                resources={"pids": {"limit": 2}} if m.has("pids") else {})
    c.cleat("run", "--detach", "--bundle", c.bundle, "c1")
    path = m.v2 + m.show("cleat-c1.scope", "ControlGroup")
    inner = path + ("/inner" if m.v2 == TOP else "")
    equal(c.cgroup_of("c1"), inner, "the cgroup of init")
    p = c.cleat("exec", "c1", "/bin/busybox", "grep", "^0::", "/proc/self/cgroup")
    equal(p.stdout, "0::/\n", "where exec is")
    equal(len(read(f"{inner}/cgroup.procs").split()), 1, "processes in it")
    if os.path.exists(f"{path}/pids.max"):
        c.cleat("update", "--pids-limit", "99", "c1")
        equal(read(f"{path}/pids.max"), "99", "the limit of the scope")
    c.delete("c1")
    check(not os.path.exists(path), "the cgroup of the scope is left")


@case("names of slices and prefixes")
def _(m, c):
    c.run("c2", path="a-b.slice:pre:c2")
    equal(m.show("pre-c2.scope", "Slice"), "a-b.slice", "Slice")
    check(c.cgroup_of("c2").endswith("/a.slice/a-b.slice/pre-c2.scope"), c.cgroup_of("c2"))
    c.delete("c2")


@case("properties by annotations")
def _(m, c):
    c.run("c3", annotations={
        "org.systemd.property.TimeoutStopUSec": "uint64 5000000",
        "org.systemd.property.After": "['init.scope', 'basic.target']",
        "org.systemd.property.CollectMode": "'inactive'",
        "org.systemd.property.RuntimeMaxSec": "3600"})
    equal(m.show("cleat-c3.scope", "TimeoutStopUSec"), "5s", "TimeoutStopUSec")
    equal(m.show("cleat-c3.scope", "CollectMode"), "inactive", "CollectMode")
    equal(m.show("cleat-c3.scope", "RuntimeMaxUSec"), "1h", "RuntimeMaxUSec")
    after = m.show("cleat-c3.scope", "After").split()
    check("init.scope" in after and "basic.target" in after, f"After is {after}")
    c.delete("c3")


UNKNOWN = {"org.systemd.property.NoSuchThing": "true"}


@case("a property that systemd does not know is named")
def _(m, c):
    c.configure(annotations=UNKNOWN)
    p = c.cleat("run", "--detach", "--bundle", c.bundle, "c4", fails=True)
    check(p.returncode == 1 and re.search("NoSuchThing", p.stderr), p.stderr)
    equal(m.units(), [], "units")
    equal(c.cleat("list", "--quiet").stdout, "", "the containers")


@case("a value that systemd does not take is the kernel's to judge")
def _(m, c):
    """An older systemd takes less: weight 0, which is idle since version 252."""
    if m.v2 != TOP:
        raise Skip("there are v1 hierarchies")
    unified = {"unified": {"cpu.weight": "20000"}}
    c.configure(resources=unified)
    p = c.cleat("run", "--detach", "--bundle", c.bundle, "c12", fails=True)
    check(p.returncode == 1 and "write '20000' to cpu.weight" in p.stderr, p.stderr)
    c.configure(resources=unified, annotations={"org.systemd.property.CPUWeight": "uint64 20000"})
    p = c.cleat("run", "--detach", "--bundle", c.bundle, "c12", fails=True)
    check(p.returncode == 1 and "CPUWeight is out of range" in p.stderr, p.stderr)
    equal(m.units(), [], "units")


@case("devices stay forbidden after a reload", privileged=True)
def _(m, c):
    c.run("c5")
    inside = ["nsenter", "--target", str(c.state("c5")["pid"]), "--pid", "--mount",
              "/bin/busybox", "sh", "-c",
              "busybox rm -f /m && busybox mknod /m c 1 1 && busybox cat /m"]
    for _ in range(2):
        with open(f"{c.cgroup_of('c5')}/cgroup.procs", "w", encoding="ascii") as f:
            probe = subprocess.run(inside, capture_output=True, text=True, check=False,
                                   preexec_fn=lambda f=f: (f.write("0"), f.flush()))
        check(probe.returncode != 0 and "not permitted" in probe.stderr, str(probe))
        m.ctl("daemon-reload")
    c.delete("c5")


@case("limits stay after a reload, at create and by update")
def _(m, c):
    rows = [row for row in FIELDS if row.name in ("memory.limit", "cpu.quota and period", "pids.limit",
                                                  "hugepageLimits") and not why_not(m, row)]
    if not rows:
        raise Skip("no controller")
    limits = {}
    for row in rows:
        for name, value in row.resources.items():
            limits.update({name: {**limits.get(name, {}), **value}
                           if isinstance(value, dict) else value})
    for how in ({"resources": limits}, {}):
        c.run("f1", **how)
        if not how:
            c.update("f1", limits)
        m.ctl("daemon-reload")
        for row in rows:
            check_field(m, c, row, "after the reload")
        c.delete("f1")


@case("update of a quota alone, and of a period alone")
def _(m, c):
    if not m.has("cpu"):
        raise Skip("no controller cpu there")
    c.run("u1", resources={"cpu": {"quota": 50000, "period": 100000}})
    for option, value, want in (("--cpu-period", "200000", "250ms"),
                                ("--cpu-quota", "20001", "110ms"),
                                ("--cpu-quota", "-1", "infinity")):
        c.cleat("update", option, value, "u1")
        equal(m.show("cleat-u1.scope", "CPUQuotaPerSecUSec"), want, f"{option} {value}")
        m.ctl("daemon-reload")
    look = c.reader("u1", "cpu")
    equal((look("cpu.max") or look("cpu.cfs_period_us")).split()[-1], "200000", "the period")
    c.delete("u1")


@case("update makes a container idle, and not")
def _(m, c):
    if not m.has("cpu"):
        raise Skip("no controller cpu there")
    c.run("u3", resources={"cpu": {"shares": 512}})
    v2 = "cpu" in cgroups.v2_controllers()
    look = c.reader("u3", "cpu")
    for cpu, idle, weight in (({"idle": 1}, "1", "idle"), ({"shares": 300}, "1", "idle"),
                              ({"shares": 512}, "1", "idle"), ({"idle": 0}, "0", "59")):
        c.update("u3", {"cpu": cpu})
        for when in ("", " and a reload"):
            equal(look("cpu.idle"), idle, f"cpu.idle after {cpu}{when}")
            if v2:
                equal(m.show("cleat-u3.scope", "CPUWeight"), weight, f"CPUWeight after {cpu}")
            if idle == "0":
                equal(look("cpu.weight" if v2 else "cpu.shares"), weight if v2 else "512",
                      f"the file after {cpu}{when}")
            m.ctl("daemon-reload")
    c.delete("u3")


@case("an update that the kernel refuses changes nothing, in systemd neither")
def _(m, c):
    if not m.has("cpuset") or not m.has("pids"):
        raise Skip("no controllers cpuset and pids there")
    c.run("u2", resources={"pids": {"limit": 50}})
    p = c.cleat("update", "--pids-limit", "60", "--cpuset-cpus", "777", "u2", fails=True)
    check(p.returncode == 1 and "cpuset.cpus" in p.stderr, p.stderr)
    equal(m.show("cleat-u2.scope", "TasksMax"), "50", "TasksMax")
    equal(c.reader("u2", "pids")("pids.max"), "50", "pids.max")
    c.delete("u2")


@case("pause, resume, kill")
def _(m, c):
    c.run("c6")
    c.cleat("pause", "c6")
    equal(c.state("c6")["status"], "paused", "the status")
    c.cleat("resume", "c6")
    c.cleat("kill", "c6", "KILL")
    c.delete("c6")


@case("a unit that was stopped behind our back")
def _(m, c):
    c.run("c7")
    m.end("cleat-c7.scope")
    equal(c.state("c7")["status"], "stopped", "the status")
    c.cleat("delete", "c7")
    equal(m.units(), [], "units")


@case("a unit of that name which is not ours stays")
def _(m, c):
    c.run("c8")
    m.end("cleat-c8.scope")
    with subprocess.Popen(m.command("systemd-run", "--scope", "--quiet", "--unit",
                                    "cleat-c8.scope", "sleep", "1000")) as other:
        check(wait_for(lambda: "cleat-c8.scope" in m.units(), SECONDS), "systemd-run did nothing")
        c.cleat("delete", "--force", "c8")
        equal(m.show("cleat-c8.scope", "ActiveState"), "active", "the other unit")
        check(other.poll() is None, "the other process was killed")
        other.kill()
    wait_for(lambda: not m.units(), SECONDS)


@case("without its own manager, below a unit that was delegated")
def _(m, c):
    """As `systemd-run --scope -p Delegate=yes cleat run` does it, with the limits it can have."""
    if m.v2 != TOP:
        raise Skip("v1 hierarchies are not delegated")
    limits = {"memory": {"limit": 64 * MIB}} if m.has("memory") else {}
    if m.has("pids"):
        limits["pids"] = {"limit": 42}
    unit = "cleat-shell.scope"
    c.configure(resources=limits, path=None if m.rootless else
                f"/{m.cgroup.removeprefix(TOP).strip('/')}/system.slice/{unit}/in")
    run = c.command("run", "--detach", "--bundle", c.bundle, "c10", manager="cgroupfs")
    # the shell makes room: what has processes passes no controllers on
    shell = 'd=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup); mkdir $d/shell && ' \
            'echo 0 >$d/shell/cgroup.procs && "$@" && exec sleep 1000'
    with subprocess.Popen(m.command("systemd-run", "--scope", "--quiet", "--unit", unit,
                                    "-p", "Delegate=yes", "sh", "-c", shell, "sh", *run),
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as scope:
        try:
            wait_for(lambda: scope.poll() is not None or '"running"' in
                     c.cleat("state", "c10", fails=True).stdout, SECONDS)
            check(scope.poll() is None,
                  f"it does not run: {scope.poll() is not None and scope.stderr.read()}")
            where = c.cgroup_of("c10")
            check(f"/{unit}/" in where, where)
            if m.has("memory"):
                equal(read(f"{where}/memory.max"), str(64 * MIB), "memory.max")
            if m.has("pids"):
                equal(read(f"{where}/pids.max"), "42", "pids.max")
            c.cleat("delete", "--force", "c10")
            check(not os.path.exists(where), "the cgroup is left")
        finally:
            m.ctl("kill", "--signal", "KILL", unit, check=False)
            wait_for(lambda: not m.units(), SECONDS)


# what is asked of systemd, and by whom: a program of its own, or a socket
ASKS = re.compile(r"^.*(execve\(\"[^\"]*cleat-systemd|connect\(.*(systemd|dbus|/bus)).*$", re.M)


def before_payload(text):
    """
    The trace of what is ours: a process is the container's once it executes the payload, whose
    name a user's tracer cannot read, since the process is not dumpable until then.
    """
    theirs, lines = set(), []
    for line in text.splitlines(keepends=True):
        pid = line.split()[0]
        if re.search(r'execve\((0x|"/bin/busybox")', line):
            theirs.add(pid)
        if pid not in theirs:
            lines.append(line)
    return "".join(lines)


@case("no command sleeps or polls, and none that only reads asks systemd")
def _(m, c):
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    c.configure()
    rows = [(asks, words) for asks, words in (
        (True, ("run", "--detach", "--bundle", c.bundle, "c11")), (False, ("state", "c11")),
        (False, ("list",)), (False, ("ps", "c11")), (False, ("events", "--stats", "c11")),
        (False, ("stats", "c11")), (False, ("exec", "c11", "/bin/busybox", "true")),
        (False, ("pause", "c11")), (False, ("resume", "c11")),
        (True, ("update", "--pids-limit", "50", "c11")), (False, ("kill", "c11", "CONT")),
        # systemd takes an empty scope away itself: delete may find nothing to ask for
        (None, ("delete", "--force", "c11"))) if words[0] != "update" or m.has("pids")]
    for i, (_, words) in enumerate(rows):
        c.cleat(*words, command=traces.command(f"{m.dir}/trace.{i}", *c.command(*words)))
    check(wait_for(lambda: not processes_of(m.dir), SECONDS), f"still there: {processes_of(m.dir)}")
    wrong = []
    for i, (asks, words) in enumerate(rows):
        text = before_payload(read(f"{m.dir}/trace.{i}"))
        wrong += traces.complaints(words[0], text)
        asked = ASKS.search(text)
        if asks is not None and bool(asked) != asks:
            wrong.append(f"{words[0]} should {'' if asks else 'not '}ask systemd: {asked and asked.group(0)}")
    check(not wrong, "\n".join(wrong))
    c.delete("c11")


@case("systemd that does not answer: parallel starts end at the deadline", stops=True)
def _(m, c):
    """Within the deadline and a second, beyond what as many take that systemd refuses."""
    c.configure(annotations=UNKNOWN)
    said, refused = c.parallel("--systemd-timeout", "10m")
    check(all("NoSuchThing" in text for text in said), str(said))
    c.configure()
    m.halt()
    try:
        said, took = c.parallel("--systemd-timeout", "1500ms")
        for text in said:
            check(re.search("systemd did not (start|answer)", text), text)
        equal(c.cleat("list", "--quiet").stdout, "", "the containers")
        check(took < 1.5 + 1 + refused, f"took {took:.1f} s; refusals took {refused:.1f} s")
        equal(processes_of(m.dir), [], "processes that are left")
    finally:
        m.go_on()
    c.run("c9")
    c.delete("c9")
    equal([p for p, _, _ in os.walk(m.cgroup) if re.search(r"/cleat-s\d", p)], [], "cgroups")
    check(wait_for(lambda: not m.units(), SECONDS), f"units are left: {m.units()}")


# --- the rows of the table ----------------------------------------------------------------------

def wanted_of(row):
    """(files, properties, controller) as this view of the host has them."""
    if row.controller and row.controller not in cgroups.v2_controllers():
        return row.v1, row.systemd_v1, row.v1_controller
    return row.v2, row.systemd, row.controller


def check_field(m, c, row, when):
    files, properties, controller = wanted_of(row)
    look = c.reader("f1", controller)
    if m.v2 == TOP or "one-of" not in row.needs:
        files = {f: line for f, line in files.items() if look(f) is not None or row.v2}
    wrong = wrong_lines(look, files, "one-of" in row.needs)
    for prop, value in properties.items():
        got = m.show("cleat-f1.scope", prop)
        if got != value:
            wrong.append(f"{prop} is '{got}', not '{value}'")
    check(not wrong, f"{when}: " + "\n".join(wrong))


def why_not(m, row):
    if row.controller and not m.has(row.controller) and not m.has(row.v1_controller):
        return f"no controller {row.controller} there"
    if "unified" in row.resources and row.controller not in ["", *cgroups.v2_controllers()]:
        return f"controller {row.controller} is not in the v2 tree"
    if "cgroupfs" in row.needs:
        return "a slice has none to give on"
    if "bfq" in row.needs and m.rootless:
        return "only root sets schedulers"
    return row.why_not_here() or (None if wanted_of(row)[0] else "there is no such setting")


def field(row):
    """Given to create, then to update; a manager of ours writes what it knows again, too."""
    @case(row.name)
    def _(m, c):
        why = why_not(m, row)
        if why:
            raise Skip(why)

        def look(when):
            check_field(m, c, row, when)
            if m.own_run and not QUICK:
                m.ctl("daemon-reload")
                check_field(m, c, row, when + " and reload")
        with row.prepared():
            c.run("f1", resources=row.resources)
            look("after create")
            c.delete("f1")
            if row.update and not QUICK:
                c.run("f1")
                c.update("f1", row.resources)
                look("after update")
                c.delete("f1")


for _row in FIELDS:
    field(_row)


# --- the whole ----------------------------------------------------------------------------------

def outcome(manager, containers, function, privileged, stops):
    """ok, skip or failed, with a text."""
    if privileged and manager.rootless:
        return "skip", "nothing for a user"
    if stops and manager.pid is None:
        return "skip", "process 1 cannot be stopped"
    try:
        function(manager, containers)
        return "ok", ""
    except Skip as e:
        return "skip", str(e)
    except (Failed, subprocess.SubprocessError, OSError) as e:
        for name in containers.cleat("list", "--quiet", fails=True).stdout.split():
            containers.cleat("delete", "--force", name, fails=True)
        return "failed", str(e)


def run_with(kind, cases, number):
    """All cases with one manager: how many there were, and how many failed."""
    if QUICK and kind.own_run and read("/proc/1/comm") == "systemd":
        cases = [c for c in cases if c[-1]]
    title = f"systemd, the {kind.name} manager"
    failed = 0
    try:
        if kind.own_run and os.geteuid() == 0:
            enter(kind)
        manager = kind(HELPERS)
    except Missing as e:
        print(f"ok {number + 1} - {title} # SKIP " + str(e).replace("\n", " "), flush=True)
        return 1, 0
    try:
        containers = Containers(manager)
        for i, (name, *how) in enumerate(cases, number + 1):
            result, text = outcome(manager, containers, *how)
            failed += result == "failed"
            print(f"{'not ok' if result == 'failed' else 'ok'} {i} - {title}: {name}"
                  + (f" # SKIP {text}" if result == "skip" else ""))
            if result == "failed":
                print("# " + text.replace("\n", "\n# "))
            sys.stdout.flush()
    finally:
        manager.close()
    return len(cases), failed


def run_apart(kind, cases, number):
    """run_with() in a process of its own, since managers change what is around us."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, json.dumps(run_with(kind, cases, number)).encode())
        except BaseException:  # pylint: disable=broad-except
            traceback.print_exc()
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as f:
        text = f.read()
    os.waitpid(pid, 0)
    if text:
        return json.loads(text)
    print(f"not ok {number + 1} - systemd, the {kind.name} manager: the tests ended early")
    return 1, 1


def main():
    why = missing()
    if why:
        print(f"1..0 # SKIP {why}")
        return 0
    patterns = [word for word in sys.argv[1:] if word != "--quick"]
    cases = [c for c in CASES if not patterns or any(re.search(p, c[0]) for p in patterns)]
    number = failed = 0
    for kind in MANAGERS:
        n, bad = run_apart(kind, cases, number)
        number, failed = number + n, failed + bad
    print(f"1..{number}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
