# SPDX-License-Identifier: Apache-2.0
"""The managers that the tests run against: one that we start, the system's, the user's.

Each says where its units' cgroups are (`cgroup`), where its test may write (`dir`), and
runs systemctl(1) and systemd-run(1).
"""
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from frame import cgroups

SYSTEMD = "/usr/lib/systemd/systemd"
TOP = "/sys/fs/cgroup"
NAME = f"cleat-systemd-test-{os.getpid()}"
START_SECONDS = 180  # of a manager on an emulated processor
STEP = 0.02


class Missing(Exception):
    """This machine has no such manager; the text says why."""


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read().strip()


def wait_for(holds, seconds):
    """Until @holds() is true; whether it became so in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        select.select([], [], [], STEP)
    return True


class Manager:
    name = ""
    user = ("--user",)  # the option of systemctl that reaches it
    own_run = False     # does it need a /run of its own?
    own_view = False    # does it need the v2 tree at /sys/fs/cgroup?
    rootless = False    # may it be reached without privilege?
    pid = None          # where it can be stopped
    v2 = TOP            # where the v2 tree is
    cgroup = TOP        # below which all that it starts is
    dir = ""

    def command(self, program, *words):
        return [program, *self.user, *words]

    def ctl(self, *words, check=True):
        return subprocess.run(self.command("systemctl", *words), capture_output=True, text=True,
                              check=check).stdout.strip()

    def show(self, unit, name):
        return self.ctl("show", unit, "--value", "-p", name)

    def units(self):
        text = self.ctl("list-units", "--all", "--plain", "--no-legend", "cleat-*")
        return [line.split()[0] for line in text.splitlines()]

    def end(self, unit):
        """Kill all of a unit, which goes with them; init would not mind SIGTERM."""
        self.ctl("kill", "--signal", "KILL", unit)
        wait_for(lambda: unit not in self.units(), 30)

    def halt(self):
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def has(self, controller):
        """Can its units have it?"""
        return controller in read(f"{self.cgroup}/cgroup.controllers").split()

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class Private(Manager):
    """systemd --user in a cgroup of its own, reached like the system's, as root.

    /run must be ours (a mount namespace): its private socket stands where the one of the
    system's would. Nothing of the host's systemd, if it has one, is touched.
    """
    name = "own"
    own_run = own_view = True

    def __init__(self, helpers):
        if os.geteuid() != 0:
            raise Missing("needs root")
        if not os.path.exists(SYSTEMD):
            raise Missing(f"no {SYSTEMD}")
        self.dir = f"/run/{NAME}"
        self.cgroup = f"{self.v2}/{NAME}"
        os.makedirs("/run/systemd/system")
        os.makedirs(f"{self.dir}/runtime")
        os.makedirs(f"{self.dir}/units")
        with open(f"{self.dir}/units/default.target", "w", encoding="ascii") as f:
            f.write("[Unit]\nDescription=nothing\n")
        os.mkdir(self.cgroup)
        self._pass_on()
        os.environ.update(XDG_RUNTIME_DIR=f"{self.dir}/runtime", CLEAT_HELPER_DIR=helpers)
        os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)
        os.symlink(f"{self.dir}/runtime/systemd/private", "/run/systemd/private")
        self.log = open(f"{self.dir}/log", "wb")  # closed with the process
        # units that are started over the bus are files of the first one, for a reload
        paths = f"{self.dir}/runtime/systemd/transient:{self.dir}/units"
        env = dict(os.environ, SYSTEMD_UNIT_PATH=paths, NOTIFY_SOCKET="")
        self.process = subprocess.Popen([SYSTEMD, "--user", "--log-target=console"], env=env,
                                        stdout=self.log, stderr=self.log, start_new_session=True,
                                        preexec_fn=self._join)
        self.pid = self.process.pid
        if not wait_for(self._is_up, START_SECONDS):
            said = read(f"{self.dir}/log")[-300:]
            self.close()
            raise Missing("no manager can be started here: " + said)

    def _pass_on(self):
        for controller in read(f"{self.v2}/cgroup.controllers").split():
            try:
                with open(f"{self.v2}/cgroup.subtree_control", "w", encoding="ascii") as f:
                    f.write("+" + controller)
            except OSError:
                pass  # then its rows are skipped

    def _join(self):
        with open(f"{self.cgroup}/cgroup.procs", "w", encoding="ascii") as f:
            f.write("0")

    def _is_up(self):
        if self.process.poll() is not None:
            raise Missing("the manager ended: " + read(f"{self.dir}/log")[-300:])
        return subprocess.run(self.command("systemctl", "is-active", "--quiet", "default.target"),
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def close(self):
        self.go_on()
        self.process.kill()
        self.process.wait()
        with open(f"{self.cgroup}/cgroup.kill", "w", encoding="ascii") as f:
            f.write("1")
        wait_for(lambda: "populated 0" in read(f"{self.cgroup}/cgroup.events"), 30)
        for root in cgroups.roots():
            for path, _, _ in os.walk(f"{root}/{NAME}", topdown=False):
                os.rmdir(path)


class Hybrid(Private):
    """The same where v1 hierarchies are: it has the scopes in the v2 tree, the values are in v1."""
    name = "own hybrid"
    own_view = False
    v2 = f"{TOP}/unified"

    def __init__(self, helpers):
        if not os.path.exists(f"{self.v2}/cgroup.controllers"):
            raise Missing("the cgroups of this host are not hybrid")
        super().__init__(helpers)

    def has(self, controller):
        return cgroups.has(controller)


class System(Manager):
    """The one that is process 1; nobody can stop that."""
    name = "system"
    user = ()

    def __init__(self, helpers):
        if os.geteuid() != 0:
            raise Missing("needs root")
        if read("/proc/1/comm") != "systemd" or not os.path.isdir("/run/systemd/system"):
            raise Missing("process 1 is not systemd")
        if not os.path.exists(f"{TOP}/cgroup.controllers"):
            raise Missing("needs cgroup v2")
        os.environ.update(CLEAT_HELPER_DIR=helpers)
        os.environ.pop("XDG_RUNTIME_DIR", None)
        # where devices are devices: /run is mounted nodev
        self.dir = tempfile.mkdtemp(prefix=NAME, dir="/var/tmp")


class User(Manager):
    """The manager of a user without privilege, with what was delegated to him."""
    name = "user"
    rootless = True

    def __init__(self, helpers):
        if os.geteuid() == 0:
            raise Missing("is for a user without privilege")
        runtime = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.geteuid()}")
        if not os.path.exists(f"{runtime}/systemd/private"):
            raise Missing("the user has no manager")
        os.environ.update(XDG_RUNTIME_DIR=runtime, CLEAT_HELPER_DIR=helpers)
        group = self.ctl("show", "--value", "-p", "ControlGroup")
        self.cgroup = TOP + group
        self.pid = int(read(f"{self.cgroup}/init.scope/cgroup.procs").split()[0])
        self.dir = f"{runtime}/{NAME}"
        os.mkdir(self.dir)


MANAGERS = (Private, Hybrid, System, User)
