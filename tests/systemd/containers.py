# SPDX-License-Identifier: Apache-2.0
"""The containers of one manager: their bundle, and the commands."""
import json
import os
import shutil
import subprocess
import time

from frame import cgroups
from managers import read

CLEAT = os.path.abspath(os.environ.get("CLEAT", "./cleat"))
HELPERS = os.path.dirname(CLEAT)
SECONDS = 600  # of a command on an emulated processor
PARALLEL = 50


class Skip(Exception):
    pass


class Failed(Exception):
    pass


def check(holds, text):
    if not holds:
        raise Failed(text)


def equal(got, want, what):
    if callable(want):
        check(want(got), f"{what} is {got!r}")
    else:
        check(got == want, f"{what} is {got!r}, not {want!r}")


class Containers:
    def __init__(self, manager):
        self.manager = manager
        self.bundle = f"{manager.dir}/bundle"
        for name in ("bin", "proc", "sys", "dev"):
            os.makedirs(f"{self.bundle}/rootfs/{name}")
        shutil.copy(shutil.which("busybox"), f"{self.bundle}/rootfs/bin/busybox")

    def configure(self, resources=None, annotations=None, path=None):
        kinds = ["pid", "mount", "ipc", "uts", "cgroup"]
        linux = {"resources": dict(resources or {})}
        mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
                  {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"}]
        if self.manager.rootless:
            kinds.append("user")
            for key, own in (("uidMappings", os.geteuid()), ("gidMappings", os.getegid())):
                linux[key] = [{"containerID": 0, "hostID": own, "size": 1}]
            mounts.insert(1, {"destination": "/sys", "type": "none", "source": "/sys",
                              "options": ["rbind", "ro"]})
        else:
            kinds.append("network")
            linux["resources"]["devices"] = [{"allow": False, "access": "rwm"}]
            mounts.insert(1, {"destination": "/sys", "type": "sysfs", "source": "sysfs"})
        if path:
            linux["cgroupsPath"] = path
        linux["namespaces"] = [{"type": t} for t in kinds]
        config = {
            "ociVersion": "1.0.2",
            "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/",
                        "args": ["/bin/busybox", "sleep", "1000"]},
            "root": {"path": "rootfs"}, "mounts": mounts, "annotations": annotations or {},
            "linux": linux}
        with open(f"{self.bundle}/config.json", "w", encoding="utf-8") as f:
            json.dump(config, f)

    def command(self, *words, manager="systemd"):
        return [CLEAT, "--root", f"{self.manager.dir}/state", "--cgroup-manager", manager, *words]

    def cleat(self, *words, text=None, fails=False, command=None):
        # stderr into a file: a container that was started would keep a pipe open
        starts = words[0] in ("run", "create")
        with open(f"{self.manager.dir}/stderr", "w+", encoding="utf-8") as err:
            p = subprocess.run(command or self.command(*words), input=text, stderr=err, text=True,
                               stdin=None if text else subprocess.DEVNULL, timeout=SECONDS,
                               stdout=subprocess.DEVNULL if starts else subprocess.PIPE,
                               check=False)
            err.seek(0)
            p.stderr = err.read()
        if not fails:
            check(p.returncode == 0 and not p.stderr,
                  f"{words}: status {p.returncode}: {p.stderr}")
        return p

    def run(self, name, **how):
        self.configure(**how)
        self.cleat("run", "--detach", "--bundle", self.bundle, name)

    def state(self, name):
        return json.loads(self.cleat("state", name).stdout)

    def cgroup_of(self, name):
        for line in read(f"/proc/{self.state(name)['pid']}/cgroup").splitlines():
            if line.startswith("0::"):
                return self.manager.v2 + line[3:]
        raise Failed("no v2 cgroup")

    def cgroups(self, name):
        """Only this manager's: the names are the same wherever else these tests run."""
        below = self.manager.cgroup.removeprefix(self.manager.v2)
        return cgroups.named(f"-{name}.", below)

    def reader(self, name, controller):
        """What a file of the container's cgroup says, where it has that controller; or None."""
        where = self.cgroup_of(name).removeprefix(self.manager.v2)
        where = cgroups.directory(controller, where)

        def look(file):
            return read(f"{where}/{file}") if os.path.exists(f"{where}/{file}") else None
        return look

    def update(self, name, resources):
        self.cleat("update", "-r", "-", name, text=json.dumps(resources))

    def delete(self, name):
        """Nothing of the container is left, neither unit nor cgroup."""
        self.cleat("delete", "--force", name)
        equal([u for u in self.manager.units() if f"-{name}." in u], [], "units")
        equal(self.cgroups(name), [], "cgroups")

    def parallel(self, *words):
        """Starts at the same time that all fail: their messages, and how long it took."""
        before = time.monotonic()
        many = [subprocess.Popen(self.command(*words, "run", "--detach", "--bundle", self.bundle,
                                              f"s{i}"),
                                 stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True) for i in range(PARALLEL)]
        said = []
        for p in many:
            said.append(p.communicate(timeout=SECONDS)[1])
            check(p.returncode == 1, f"status {p.returncode}: {said[-1]}")
        return said, time.monotonic() - before
