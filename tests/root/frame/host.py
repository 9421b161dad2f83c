# SPDX-License-Identifier: Apache-2.0
"""What a case may not change, compared before and after it.

A worker has a mount namespace of its own in which everything is shared, so that a mount
of a container that spreads is seen; it is the reaper of all that the case started; and
all names that a case makes hold its id. So other work on the machine does not disturb.
"""
import hashlib
import os
import socket
import stat
import time

from frame import cgroups, kernel

DEADLINE = 3.0  # seconds for what the kernel cleans up later
SYSCTLS = ("kernel/shmmax", "kernel/msgmax", "net/ipv4/ip_forward",
           "net/ipv4/ip_unprivileged_port_start", "kernel/core_pattern", "fs/mqueue/msg_max")


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError as e:
        return e.strerror


def _devices():
    found = {}
    for name in sorted(os.listdir("/dev")):
        st = os.lstat(f"/dev/{name}")
        found[name] = (stat.filemode(st.st_mode), st.st_uid, st.st_gid, st.st_rdev)
    return found


def tree(top):
    """Every file below @top: type, mode, owner, size and contents."""
    found = {}
    for path, names, files in os.walk(top):
        for name in names + files:
            full = os.path.join(path, name)
            st = os.lstat(full)
            text = ""
            if stat.S_ISREG(st.st_mode):
                with open(full, "rb") as f:
                    text = hashlib.sha256(f.read()).hexdigest()
            elif stat.S_ISLNK(st.st_mode):
                text = os.readlink(full)
            found[os.path.relpath(full, top)] = (stat.filemode(st.st_mode), st.st_uid, st.st_gid,
                                                 st.st_rdev, text)
    return found


def cgroup_options():
    """Of the cgroup v2 tree: all its mounts have the same, and CRIU changes them while it works."""
    return sorted({line.rsplit(" ", 1)[1] for line in _read("/proc/self/mountinfo").splitlines()
                   if " - cgroup2 " in line})


def _mounts():
    """By place, since numbers of mounts are given again; without the options of cgroup2."""
    found = []
    for line in _read("/proc/self/mountinfo").splitlines():
        words = line.split()
        if "cgroup2" in words:
            words.pop()
        found.append(" ".join(w for w in words[2:] if not w.startswith(("shared:", "master:"))))
    return sorted(found)


def snapshot(canary):
    return {
        "mounts": _mounts(),
        "/dev": _devices(),
        "host name": socket.gethostname() + " " + kernel.domainname(),
        "network devices": sorted(name for _, name in socket.if_nameindex()),
        "sysctls": {name: _read(f"/proc/sys/{name}") for name in SYSCTLS},
        "limits of the worker": _read("/proc/self/limits"),
        "oom_score_adj": _read("/proc/self/oom_score_adj"),
        "files beside the bundle": tree(canary),
    }


def _removed_by_others(what, line):
    """Who removes a directory takes mounts on it away in all namespaces (rmdir(2))."""
    return what == "mounts" and not os.path.exists(line.split()[2])


def differences(before, after):
    found = []
    for what, old in before.items():
        new = after[what]
        if old == new:
            continue
        if isinstance(old, dict):
            found += [f"{what}: {k} was {old.get(k)} and is {new.get(k)}"
                      for k in sorted(old.keys() | new.keys()) if old.get(k) != new.get(k)]
        elif isinstance(old, list):
            found += [f"{what}: '{x}' is new" for x in new if x not in old]
            found += [f"{what}: '{x}' is gone" for x in old if x not in new and
                      not _removed_by_others(what, x)]
        else:
            found.append(f"{what} was {old!r} and is {new!r}")
    return found


# --- processes ---------------------------------------------------------------------------

def _children_of(thread):
    with open(f"/proc/self/task/{thread}/children", encoding="ascii") as f:
        return [int(pid) for pid in f.read().split()]


def _children():
    """Of all threads. Those of one that ends meanwhile go to another: then look again."""
    while True:
        try:
            return [pid for thread in os.listdir("/proc/self/task") for pid in _children_of(thread)]
        except (FileNotFoundError, ProcessLookupError):
            pass


def reap():
    """All children that have ended: a pid namespace lives as long as a zombie in it does."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _wait_for_no_children():
    end = time.monotonic() + DEADLINE
    while True:
        reap()
        found = _children()
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.002)


def left_processes():
    """Wait for what ends by itself; kill and name the rest, and what that left behind."""
    found = []
    while len(found) < 100 and (pids := _wait_for_no_children()):
        for pid in pids:
            name = _read(f"/proc/{pid}/cmdline").replace("\0", " ").strip()
            found.append(f"process {pid} is left: {name or _read(f'/proc/{pid}/comm').strip()}")
            os.kill(pid, 9)
    return found


def _wait_for_none(find):
    """What the kernel frees a little later tells nobody: look again until the deadline."""
    end = time.monotonic() + DEADLINE
    while (found := find()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def left_cgroups(name):
    found = _wait_for_none(lambda: cgroups.named(name))
    for path in reversed(found):
        try:
            os.rmdir(path)
        except OSError:
            pass
    return [f"cgroup {path} is left" for path in found]


def left_keyrings(name):
    def find():
        return [line for line in _read("/proc/keys").splitlines()
                if name in line and " keyring " in line]
    return [f"keyring is left: {line}" for line in _wait_for_none(find)]
