#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kill each process of each role at its own k-th system call stop, then clean up.

For create, run -d, exec -d and delete --force: the tracer counts the stops of every role,
then each planned point is struck in a fresh run: every fifth one, and every single one of a
role that makes few. After every strike

  * `list` tells the truth: a container that it calls created or running has a living
    init, and a stopped one has none;
  * `delete --force` succeeds and leaves no process, mount, cgroup or file of ours;
  * a foreign process that was put into the cgroup of that name lives (every fourth point).

Prints TAP, then a table of roles x points. A role must have at least the points that a
plain strace shows, and every planned point must have been struck.

usage: crash.py [--stride N] [--only OP] [--offset N]
environment: CLEAT (the runtime, default ./cleat), TRACER (default tests/crash/tracer)
"""
import argparse
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../root"))
from frame import kernel  # noqa: E402

CLEAT = os.path.abspath(os.environ.get("CLEAT", "./cleat"))
TRACER = os.path.abspath(os.environ.get("TRACER", "tests/crash/tracer"))
CGROUP_ROOT = "/sys/fs/cgroup"
NAME = "cleat-crash-" + secrets.token_hex(3)  # others may run the same beside us
CGROUP = "/" + NAME + "-group"
MARK = NAME + "-payload"
DEADLINE = 10.0
ROLES = ("parent", "middle", "init")
OPS = ("create", "run", "exec", "delete")
NEEDS_CONTAINER = ("exec", "delete")
FEW = 40  # stops, of which none is left out


def hierarchies():
    """Every directory below /sys/fs/cgroup that is the root of a hierarchy."""
    if os.path.exists(CGROUP_ROOT + "/cgroup.controllers"):
        return [CGROUP_ROOT]
    return [os.path.join(CGROUP_ROOT, d) for d in sorted(os.listdir(CGROUP_ROOT))
            if not os.path.islink(os.path.join(CGROUP_ROOT, d))]


def controller(name):
    """Is it in a hierarchy that can be seen?"""
    if os.path.isdir(f"{CGROUP_ROOT}/{name}"):
        return True
    root = v2_root()
    if not root:
        return False
    with open(root + "/cgroup.controllers", encoding="ascii") as f:
        return name in f.read().split()


def v2_root():
    for root in (CGROUP_ROOT, CGROUP_ROOT + "/unified"):
        if os.path.exists(root + "/cgroup.controllers"):
            return root
    return None


def reap():
    """As the subreaper we get what a killed runtime leaves; nobody else would wait for it."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def processes(mark):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                cmdline = f.read()
            with open(f"/proc/{pid}/stat", "rb") as f:
                state = f.read().rsplit(b")", 1)[1].split()[0]
        except OSError:
            continue
        if mark.encode() in cmdline and state not in (b"Z", b"X") and int(pid) != os.getpid():
            found.append(int(pid))
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rsplit(b")", 1)[1].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def cgroup_dirs():
    return [root + CGROUP for root in hierarchies() if os.path.isdir(root + CGROUP)]


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        return f.read()


class Bench:
    """A bundle, a state root and what the host looked like before."""

    def __init__(self, work):
        self.work = work
        self.root = work + "/state"
        self.bundle = work + "/bundle"
        self.mounts = mounts()
        self.make_bundle()

    def make_bundle(self):
        os.makedirs(self.bundle + "/rootfs/bin")
        for d in ("proc", "dev", "sys", "tmp", "etc"):
            os.makedirs(f"{self.bundle}/rootfs/{d}")
        shutil.copy("/bin/busybox", self.bundle + "/rootfs/bin/busybox")
        for name in ("sh", "sleep", "true"):
            os.symlink("busybox", f"{self.bundle}/rootfs/bin/{name}")
        subprocess.run([CLEAT, "spec", "--bundle", self.bundle], check=True)
        path = self.bundle + "/config.json"
        with open(path, encoding="utf-8") as f:
            config = json.load(f)
        config["process"]["terminal"] = False
        config["process"]["args"] = ["/bin/sh", "-c", "sleep 1000", MARK]
        config["linux"]["cgroupsPath"] = CGROUP
        resources = config["linux"].setdefault("resources", {})
        if controller("pids"):
            resources["pids"] = {"limit": 50}
        if controller("memory"):
            resources["memory"] = {"limit": 64 << 20}
        with open(path, "w", encoding="utf-8") as f:
            json.dump(config, f)

    def cleat(self, *args):
        p = subprocess.Popen(["timeout", "60", CLEAT, "--root", self.root, *args],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        # What exec leaves to us is in the container's pid namespace, whose init cannot end
        # before we have taken it.
        while (dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid) != p.pid:
            os.waitpid(dead, 0)
        out, err = p.communicate()
        return subprocess.CompletedProcess(args, p.returncode, out, err)

    def command(self, op):
        base = [CLEAT, "--root", self.root]
        return base + {
            "create": ["create", "--bundle", self.bundle, NAME],
            "run": ["run", "-d", "--bundle", self.bundle, NAME],
            "exec": ["exec", "-d", NAME, "/bin/sh", "-c", "sleep 1000", MARK],
            "delete": ["delete", "--force", NAME],
        }[op]

    def detached(self, argv):
        """Run what may leave a container: it keeps the descriptors, so a pipe would not end."""
        out = self.work + "/output"
        with open(out, "w+b") as f:
            p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=f, stderr=f, timeout=120,
                               check=False)
        with open(out, encoding="utf-8", errors="replace") as f:
            return p.returncode, f.read()

    def before(self, op):
        if op in NEEDS_CONTAINER:
            status, output = self.detached(self.command("run"))
            if status:
                raise RuntimeError(f"run before {op}: {output}")

    def check_list(self, problems):
        p = self.cleat("list", "--format", "json")
        if p.returncode:
            problems.append("list failed: " + p.stderr.strip())
            return
        for c in json.loads(p.stdout) or []:
            pid, status = c.get("pid", 0), c.get("status")
            if status in ("created", "running", "paused") and not alive(pid):
                problems.append(f"list says {status}, but pid {pid} is dead")
            if status == "stopped" and pid and alive(pid):
                problems.append(f"list says stopped, but pid {pid} lives")

    def check_clean(self, foreign, problems):
        deadline = time.monotonic() + DEADLINE
        while True:
            reap()
            left = []
            if processes(MARK):
                left.append(f"processes {processes(MARK)}")
            dirs = [] if foreign else cgroup_dirs()
            if foreign:
                dirs = [d for d in cgroup_dirs() if not holds(d, foreign.pid)]
            if dirs:
                left.append(f"cgroups {dirs}")
            # the note of device programs is of no container
            names = os.listdir(self.root) if os.path.isdir(self.root) else []
            names = [n for n in names if n != ".device-programs"]
            if names:
                left.append(f"files {names}")
            if mounts() != self.mounts:
                left.append("mounts of the host changed")
            if not left or time.monotonic() > deadline:
                problems.extend("left behind: " + x for x in left)
                return
            select.select([], [], [], 0.01)


def holds(directory, pid):
    try:
        with open(directory + "/cgroup.procs", encoding="ascii") as f:
            return str(pid) in f.read().split()
    except OSError:
        return False


def put_foreign():
    """A process that is none of the container's, in the v2 cgroup of its name."""
    root = v2_root()
    if not root or not os.path.isdir(root + CGROUP):
        return None
    p = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL)
    try:
        with open(root + CGROUP + "/cgroup.procs", "w", encoding="ascii") as f:
            f.write(str(p.pid))
    except OSError:
        p.kill()
        p.wait()
        return None
    return p


def remove_foreign(p):
    p.kill()
    p.wait()
    for d in cgroup_dirs():
        for _ in range(1000):
            try:
                os.rmdir(d)
                break
            except OSError:
                select.select([], [], [], 0.005)


def force_clean():
    for pid in processes(MARK):
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    select.select([], [], [], 0.2)
    reap()
    for d in cgroup_dirs():
        try:
            os.rmdir(d)
        except OSError:
            pass


def count(bench, op):
    """Stops of each role in one undisturbed run, which must do what it is for."""
    bench.before(op)
    status, output = bench.detached([TRACER, "count", *bench.command(op)])
    there = bench.cleat("state", NAME).returncode == 0
    if status or there != (op != "delete"):
        raise RuntimeError(f"undisturbed {op} failed: {output}")
    bench.cleat("delete", "--force", NAME)
    reap()
    rows = (line.split() for line in output.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[0] in ROLES}


def plain_trace(bench, op):
    """Calls of each role as strace sees them: an independent figure for the same thing."""
    bench.before(op)
    log = bench.work + "/strace"
    # strace stays with the container; -I1 lets it end all the same
    bench.detached(["timeout", "3", "strace", "-I1", "-f", "-qq", "-o", log, *bench.command(op)])
    bench.cleat("delete", "--force", NAME)
    reap()
    calls, order, ended = {}, [], set()
    with open(log, encoding="utf-8", errors="replace") as f:
        for line in f:
            pid, rest = line.split(None, 1)
            if pid not in calls:
                calls[pid] = 0
                order.append(pid)
            if rest.startswith(("+++", "---", "<...")) or pid in ended:
                continue
            calls[pid] += 1
            # what init executes is the payload
            if len(order) > 2 and pid == order[2] and rest.startswith("execve"):
                ended.add(pid)
    return dict(zip(ROLES, (calls[p] for p in order)))


def strike(bench, op, role, k, with_foreign):
    """One point. Returns (struck, problems)."""
    problems = []
    bench.before(op)
    struck = bench.detached([TRACER, "kill", role, str(k), *bench.command(op)])[0] == 0
    reap()
    foreign = put_foreign() if with_foreign else None
    bench.check_list(problems)
    d = bench.cleat("delete", "--force", NAME)
    if d.returncode and not foreign:
        problems.append("delete --force failed: " + d.stderr.strip())
    if foreign and foreign.poll() is not None:
        problems.append("the foreign process in the named cgroup was killed")
    bench.check_clean(foreign, problems)
    if foreign:
        remove_foreign(foreign)
    if problems:
        force_clean()
        shutil.rmtree(bench.root, ignore_errors=True)
    return struck, problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stride", type=int, default=5)
    parser.add_argument("--offset", type=int, default=1)
    parser.add_argument("--only", choices=OPS)
    args = parser.parse_args()
    # what others mount meanwhile is no difference; what a container's mounts spread to us is
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_SHARED)
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    failed = number = 0
    rows = []
    with tempfile.TemporaryDirectory(prefix="cleat-crash-") as work:
        os.chmod(work, 0o755)
        bench = Bench(work)
        # the first one of all makes the state root, which later ones find
        bench.detached(bench.command("run"))
        bench.cleat("delete", "--force", NAME)
        for op in (args.only,) if args.only else OPS:
            stops = count(bench, op)
            plain = plain_trace(bench, op)
            for role in ROLES:
                total = stops.get(role, 0)
                if not total and role not in plain:
                    continue
                first, stride = (1, 1) if total <= FEW else (args.offset, args.stride)
                points = list(range(first, total + 1, stride))
                struck, bad = 0, []
                for i, k in enumerate(points):
                    hit, problems = strike(bench, op, role, k, i % 4 == 1)
                    # The very last stops may not come: how far a role runs differs a little.
                    struck += hit
                    if not hit and k < total - 6:
                        problems.append("was not struck")
                    for problem in problems:
                        bad.append(f"point {k}: {problem}")
                # Each call has an entry and an exit; exec and exit lack one or the other, and
                # a long way differs a little from run to run.
                calls = plain.get(role, 0)
                if total < 2 * calls - 2 - calls // 20:
                    bad.append(f"{total} stops, but strace shows {calls} calls")
                if not struck:
                    bad.append("no run was killed")
                number += 1
                print(f"{'not ok' if bad else 'ok'} {number} - crash {op} {role}: "
                      f"{struck} of {total} points struck", flush=True)
                for line in bad[:20]:
                    print("# " + line)
                failed += bool(bad)
                rows.append((op, role, total, len(points), struck, len(bad)))
    print(f"1..{number}")
    print("# operation role    stops points struck problems")
    for row in rows:
        print("# {:9} {:7} {:5} {:6} {:6} {:8}".format(*row))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
