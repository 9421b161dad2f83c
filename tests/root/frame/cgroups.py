# SPDX-License-Identifier: Apache-2.0
"""The host's cgroups: which there are, where a container's are, what is in their files."""
import os

TOP = "/sys/fs/cgroup"


def is_v2():
    return os.path.exists(f"{TOP}/cgroup.controllers")


def v2_root():
    """Where the cgroup2 tree is; None: there is none."""
    for path in (TOP, f"{TOP}/unified"):
        if os.path.exists(f"{path}/cgroup.procs") and os.path.exists(f"{path}/cgroup.controllers"):
            return path
    return None


def v1_roots():
    """Folder of each v1 hierarchy that is mounted, by controller."""
    roots = {}
    if is_v2():
        return roots
    with open("/proc/mounts", encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if words[2] == "cgroup" and words[1].startswith(TOP):
                for option in words[3].split(","):
                    roots.setdefault(option, words[1])
    return roots


def v2_controllers():
    root = v2_root()
    if root is None:
        return []
    with open(f"{root}/cgroup.controllers", encoding="utf-8") as f:
        return f.read().split()


def has(controller):
    return controller in v2_controllers() or controller in v1_roots()


def roots():
    """Every hierarchy once."""
    found = set(v1_roots().values())
    if v2_root():
        found.add(v2_root())
    return sorted(found)


def named(part, below=""):
    """All cgroups below @below of any hierarchy whose name has @part in it."""
    found = []
    for root in roots():
        for path, names, _ in os.walk(root + below):
            found += [os.path.join(path, n) for n in names if part in n]
    return sorted(found)


def directory(controller, path):
    """The cgroup @path in the hierarchy that has @controller ("" for v2 itself)."""
    if controller and controller not in v2_controllers():
        return v1_roots()[controller] + path
    return v2_root() + path


def read(controller, path, v1_name, v2_name=None):
    """The contents of a file of a cgroup, whichever way this host has the controller."""
    where = directory(controller, path)
    name = v2_name if v2_name and controller in v2_controllers() else v1_name
    with open(os.path.join(where, name), encoding="utf-8") as f:
        return f.read().strip()


def processes(path):
    """The processes in cgroup @path of any hierarchy."""
    found = set()
    for root in roots():
        try:
            with open(f"{root}{path}/cgroup.procs", encoding="utf-8") as f:
                found.update(int(line) for line in f)
        except FileNotFoundError:
            pass
    return found


def enable(path, controller):
    """Let what is below the cgroup @path have @controller, where its parents let it."""
    parent = os.path.dirname(path)
    for where in (parent, path):
        try:
            with open(f"{where}/cgroup.subtree_control", "w", encoding="ascii") as f:
                f.write("+" + controller)
        except OSError:
            pass
