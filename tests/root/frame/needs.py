# SPDX-License-Identifier: Apache-2.0
"""What cases may need; each function returns why the machine lacks it, or None."""
import ctypes
import functools
import os
import shutil
import subprocess

from frame import cgroups
from frame.kernel import core_cookie

RELEASE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../contrib/dev/release"))


def _controller(name):
    return None if cgroups.has(name) else f"no cgroup controller '{name}' here"


def _capability(name):
    from frame.config import CAPABILITIES
    with open("/proc/self/status", encoding="utf-8") as f:
        effective = next(int(x.split()[1], 16) for x in f if x.startswith("CapEff"))
    return None if effective >> CAPABILITIES.index(name) & 1 else f"we lack CAP_{name}"


def _busybox():
    path = shutil.which("busybox")
    if not path:
        return "no busybox"
    with open(path, "rb") as f:
        return "busybox is not static" if b"/ld-linux" in f.read() else None


def _program(name):
    return None if shutil.which(name) else f"no {name}"


def _criu():
    """CRIU's own word that it can do its work on this kernel."""
    path = shutil.which("criu")
    if not path:
        return "no criu"
    # it connects to itself, and the worker's network is new
    if shutil.which("ip"):
        subprocess.run(["ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    r = subprocess.run([path, "check"], capture_output=True, check=False)
    return None if r.returncode == 0 else "criu does not work on this kernel"


def _oldest():
    """The oldest release that the tests of upgrades are about is built already."""
    r = subprocess.run([RELEASE, "-n"], capture_output=True, encoding="utf-8", check=False)
    return None if r.returncode == 0 else r.stderr.strip()


def _subids():
    """What maps more ids than one's own, and the files that say whose they are."""
    return _program("newuidmap") or _exists("/etc/subuid") or _exists("/etc/subgid")


def _users():
    """Whether users without privilege can make user namespaces."""
    p = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--",
                        "unshare", "--user", "--mount", "true"], stderr=subprocess.PIPE, text=True,
                       check=False)
    return f"no user namespaces for users: {p.stderr.strip()}" if p.returncode else None


def _exists(path):
    return None if os.path.exists(path) else f"no {path}"


def _namespace(name):
    return _exists(f"/proc/self/ns/{name}")


def _landlock():
    # landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION
    version = ctypes.CDLL(None).syscall(444, None, 0, 1)
    return None if version > 0 else "this kernel has no Landlock"


def _core_scheduling():
    return "no core scheduling here" if core_cookie(os.getpid()) is None else None


NEEDS = {
    "core-scheduling": _core_scheduling,
    "no-core-scheduling": lambda: None if _core_scheduling() else "there is core scheduling",
    "busybox": _busybox,
    "v2": lambda: None if cgroups.is_v2() else "needs a cgroup v2 view",
    "v1": lambda: "needs v1 hierarchies" if cgroups.is_v2() else None,
    "cgroup2": lambda: None if cgroups.v2_root() else "there is no cgroup2 tree",
    "landlock": _landlock,
    "time": lambda: _namespace("time"),
    "apparmor": lambda: _exists("/sys/kernel/security/apparmor/profiles"),
    "selinux": lambda: _exists("/sys/fs/selinux/enforce"),
    "no-selinux": lambda: None if _exists("/sys/fs/selinux/enforce") else "there is SELinux",
    "ip": lambda: _program("ip"),
    "systemd": lambda: None if os.path.exists("/run/systemd/system") else "systemd does not run here",
    "debian": lambda: _program("mmdebstrap"),
    "criu": _criu,
    "oldest": _oldest,
    "subids": _subids,
    "users": _users,
    "long": lambda: None if os.environ.get("CLEAT_LONG") else "takes long: CLEAT_LONG=y",
    "two-cpus": lambda: None if (os.cpu_count() or 1) > 1 else "only one processor",
}


@functools.lru_cache(None)
def missing(need):
    kind, _, name = need.partition(":")
    if kind == "cgroup":
        return _controller(name)
    if kind == "cap":
        return _capability(name)
    if kind == "file":
        return _exists(name)
    if kind == "program":
        return _program(name)
    return NEEDS[need]()


RARE = ("apparmor", "cgroup2", "core-scheduling", "criu", "landlock", "selinux", "subids", "time",
        "users", "v2")


def rare(case):
    """Does the case need what many machines lack, and the virtual one has?"""
    return any(need in RARE or need.startswith("cgroup:") for need in case.needs)
