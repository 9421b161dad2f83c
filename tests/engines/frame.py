# SPDX-License-Identifier: Apache-2.0
"""What the tests of all engines share.

A test is a function that takes an Engine and is named like the command or feature that it
is about; the name is its row in docs/engines.md:

    @test("pause", quick=True)
    def _(e):
        e.sh("docker run -d --name a bb top")
        ...

It raises Failed (or lets `sh` do it) when the effect is not there. The engine is cleaned
after each. An Engine of a module says how the engine is set up with a runtime, and how
what a test has left is removed.
"""
import glob
import os
import re
import resource
import shutil
import signal
import subprocess
import time

SETUP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../contrib/cleat-setup")
TESTS = {}
TOP = "/sys/fs/cgroup"
UNITS = "/run/systemd/system"
START_LIMIT = "start-limit.conf"
RUNTIMES = {"cleat": "/usr/local/bin/cleat", "crun": "/usr/bin/crun", "runc": "/usr/bin/runc"}


class Failed(Exception):
    """The effect was not there."""


class Skip(Exception):
    """This machine cannot run the test; the text says why."""


def test(name, quick=False):
    """Make a test of a function; quick: it belongs to the quick half."""
    def register(function):
        engine = function.__module__.rsplit(".", maxsplit=1)[-1]
        TESTS.setdefault(engine, []).append((name, quick, function))
        return function
    return register


def need(condition, text):
    if not condition:
        raise Failed(text)


def same(found, wanted):
    if found != wanted:
        raise Failed(f"found {found!r}, wanted {wanted!r}")


def like(found, pattern):
    if not re.search(pattern, found):
        raise Failed(f"found {found!r}, wanted something like {pattern!r}")


def has_controller(name):
    """Whether the cgroup2 tree has this controller; files of the core are always there."""
    with open(f"{TOP}/cgroup.controllers", encoding="ascii") as f:
        return name in f.read().split() + ["cgroup"]


def needs_controller(name):
    """Skip the test unless the cgroup2 tree has this controller."""
    if not has_controller(name):
        raise Skip(f"no {name} controller in the cgroup2 tree of this machine")


class Engine:
    """An engine with a runtime: `name` of the runtime and `path` of its executable."""
    seconds = 600  # of one command: a machine that is emulated is slow

    def __init__(self, runtime, manager="systemd"):
        self.manager = manager  # of cgroups: systemd or cgroupfs
        self.name = os.path.basename(runtime)
        self.path = RUNTIMES.get(runtime, runtime)
        self.trace = []
        self.env = dict(os.environ)

    def start(self):
        """Set the engine up."""

    def stop(self):
        """Leave the machine as it was."""

    def remove_all(self):
        """Remove the containers of a test, and what else it made."""

    def clean(self, before=()):
        """Remove what a test has made; fails if something of containers stays on the machine."""
        self.remove_all()
        nothing_left(self.path, before)

    def lift_start_limit(self, unit):
        """Let a service be restarted at will: systemd refuses a sixth start within ten seconds."""
        os.makedirs(f"{UNITS}/{unit}.service.d", exist_ok=True)
        with open(f"{UNITS}/{unit}.service.d/{START_LIMIT}", "w", encoding="ascii") as f:
            f.write("[Unit]\nStartLimitIntervalSec=0\n")
        self.sh(f"systemctl daemon-reload; systemctl reset-failed {unit} 2>/dev/null || :")

    def restore_start_limit(self, unit):
        self.run(f"rm -f {UNITS}/{unit}.service.d/{START_LIMIT}; "
                 f"rmdir {UNITS}/{unit}.service.d; systemctl daemon-reload")

    def pid(self, name):
        """The process id of a container's init, as this machine numbers it."""
        raise NotImplementedError

    def cgroup(self, name):
        """The directory of a container's cgroup."""
        with open(f"/proc/{self.pid(name)}/cgroup", encoding="ascii") as f:
            return TOP + re.search("(?m)^0::(.*)$", f.read()).group(1)

    def value(self, name, file):
        """What a file of a container's cgroup says."""
        needs_controller(file.split(".", maxsplit=1)[0])
        with open(f"{self.cgroup(name)}/{file}", encoding="ascii") as f:
            return f.read().strip()

    def run(self, command, stdin="", timeout=None):
        """Run a shell command; what came of it, with .out for stdout without blanks around."""
        began = time.monotonic()
        limit = timeout or self.seconds
        child = subprocess.Popen(["bash", "-c", command], text=True, env=self.env, errors="replace",
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = child.communicate(stdin, timeout=limit)
        except subprocess.TimeoutExpired as late:
            self.trace.append(f"$ {command}\n(not done after {limit} s)")
            os.killpg(child.pid, signal.SIGKILL)  # its children hold the pipes, too
            raise Failed(f"'{command}' was not done in time") from late
        done = subprocess.CompletedProcess(command, child.returncode, out, err)
        done.out = done.stdout.strip()
        self.trace.append(f"$ {command}\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
                          f"(status {done.returncode}, {time.monotonic() - began:.1f} s)")
        return done

    def sh(self, command, status=0, **more):
        """Run a shell command that must end with this status; its output without blanks around."""
        done = self.run(command, **more)
        if done.returncode != status:
            raise Failed(f"'{command}' ended with status {done.returncode}, not {status}")
        return done.out

    def until(self, command, pattern, seconds=180):
        """Repeat a shell command until its output is like this; the output."""
        end = time.monotonic() + seconds
        while True:
            found = self.run(command).out
            if re.search(pattern, found):
                return found
            if time.monotonic() > end:
                raise Failed(f"'{command}' said {found!r}, not something like {pattern!r}")
            self.trace.pop()
            time.sleep(0.3)


def has_capability(number):
    """Whether this process has a capability of linux/capability.h."""
    with open("/proc/self/status", encoding="ascii") as f:
        return bool(int(re.search(r"CapEff:\s*(\w+)", f.read()).group(1), 16) >> number & 1)


def containers_conf():
    """The [containers] table for podman and buildah: no limits of theirs that this machine cannot have."""
    lines = ["[containers]"]
    if not has_controller("pids"):
        lines.append("pids_limit = 0")
    # without CAP_SYS_RESOURCE they cannot be raised
    hard = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name.upper()))[1] for name in ("nofile", "nproc")}
    low = [f'"{name}={limit}:{limit}"' for name, limit in hard.items() if 0 <= limit < 1 << 20]
    if low:
        lines.append(f"default_ulimits = [{', '.join(low)}]")
    return "\n".join(lines) + "\n"


def busybox_tree(where):
    """A root file system of a static busybox, with the few files that engines want."""
    shutil.rmtree(where, ignore_errors=True)
    for name in ("bin", "etc", "root", "tmp", "proc", "sys", "dev", "run", "var", "www"):
        os.makedirs(f"{where}/{name}")
    os.chmod(f"{where}/tmp", 0o1777)
    shutil.copy("/usr/bin/busybox", f"{where}/bin/busybox")
    subprocess.run(["chroot", where, "/bin/busybox", "--install", "-s", "/bin"], check=True)
    for name, text in (
            ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n"),
            ("etc/group", "root:x:0:\nuser:x:1000:\n"),
            ("www/index.html", "hello from the container\n"),
            ("etc/not-executable", "text\n")):
        with open(f"{where}/{name}", "w", encoding="ascii") as f:
            f.write(text)
    return where


# Where runtimes keep the state of containers, under each engine.
STATES = ("/run/docker/runtime-*/*/*", "/run/containerd/runc/*/*", "/run/cleat/*", "/run/crun/*", "/run/runc/*",
          "/run/user/*/cleat/*", "/run/user/*/crun/*", "/run/user/*/runc/*", "/run/crio-test/root/*")


def leftovers(path):
    """What is on the host of containers: cgroups, state, mounts, processes of the runtime."""
    found = [name for pattern in STATES for name in glob.glob(pattern)]
    for top, names, _ in os.walk(TOP):
        found += [f"{top}/{n}" for n in names
                  if re.match(r"(docker|libpod|cri-containerd)-[0-9a-f]{20,}|crio-", n)
                  or re.fullmatch(r"[0-9a-f]{64}", n)]
    with open("/proc/self/mounts", encoding="utf-8") as f:
        found += [line.split()[1] for line in f if re.search("/merged |/rootfs ", line)]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe") == path:
                found.append(f"process {pid} of {path}")
        except OSError:
            pass
    return found


def nothing_left(path, before=(), seconds=10):
    """Fail with what is left of containers that are gone; engines may take a moment."""
    end = time.monotonic() + seconds
    while set(leftovers(path)) - set(before) and time.monotonic() < end:
        time.sleep(0.2)
    left = set(leftovers(path)) - set(before)
    if left:
        raise Failed("left on the host: " + " ".join(sorted(left)))


def many(e, one, count=200):
    """A shell command, run for each of many containers while every processor has something else to do.

    Two at a time a processor, four at most; $n is a number, and the command must print it."""
    before = leftovers(e.path)
    processors = len(os.sched_getaffinity(0))
    load = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(processors)]
    try:
        e.sh(f"seq {count} | xargs -P {min(2 * processors, 4)} -I{{}} sh -c "
             f"'n={{}}; [ \"$({one})\" = $n ] || {{ echo $n failed; exit 255; }}'", timeout=3 * 3600)
    finally:
        for child in load:
            child.kill()
            child.wait()
    nothing_left(e.path, before)
