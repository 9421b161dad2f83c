# SPDX-License-Identifier: Apache-2.0
"""Configurations that are changed by rows, and written so that every place is known.

A change sets the value at a path ("process.user.uid", "mounts[0].options"); "+path" adds to
a list, GONE takes away. write() gives the text and where each value and each key is.
"""
import base64
import copy
import json
import os
import re
import struct

GONE = object()


def raw_filter(program, *insns):
    """Instructions (code, jt, jf, k) as base64, for the machine that @program is made for."""
    order = "<"
    if os.path.exists(program):  # documents are written without it
        with open(program, "rb") as f:
            order = ">" if f.read(6)[5:] == b"\2" else "<"  # ELF: EI_DATA
    return base64.b64encode(b"".join(struct.pack(order + "HBBI", *i) for i in insns)).decode()


BASE = {
    "ociVersion": "1.3.0",
    "root": {"path": "rootfs"},
    "hostname": "box",
    "process": {
        "user": {"uid": 0, "gid": 0},
        "args": ["sh"],
        "env": ["PATH=/bin"],
        "cwd": "/",
        "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"],
                         "permitted": ["CAP_KILL"]},
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 64}],
    },
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]},
        {"destination": "/data", "type": "bind", "source": "/srv", "options": ["rbind", "ro"]},
    ],
    "hooks": {"createRuntime": [{"path": "/bin/true", "timeout": 5}]},
    "annotations": {"org.example.a": "b"},
    "linux": {
        "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "network"}, {"type": "ipc"},
                       {"type": "uts"}, {"type": "cgroup"}, {"type": "user"}],
        "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
        "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
        "devices": [{"path": "/dev/net/tun", "type": "c", "major": 10, "minor": 200,
                     "fileMode": 438}],
        "resources": {
            "devices": [{"allow": False, "access": "rwm"}],
            "memory": {"limit": 67108864},
            "cpu": {"shares": 512, "quota": 50000, "period": 100000},
            "pids": {"limit": 32},
        },
        "sysctl": {"net.ipv4.ip_forward": "1"},
        "seccomp": {
            "defaultAction": "SCMP_ACT_ERRNO",
            "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["read", "write", "exit_group", "execve"],
                          "action": "SCMP_ACT_ALLOW"}],
        },
        "maskedPaths": ["/proc/kcore"],
        "readonlyPaths": ["/proc/sys"],
        "rootfsPropagation": "slave",
    },
}


def parts(path):
    """ "a.b[2]" as ["a", "b", 2]; keys with dots are written a["b.c"] """
    return [json.loads(quoted) if quoted else int(index) if index else name
            for quoted, index, name in re.findall(r'\[("[^"]*")\]|\[(\d+)\]|([^.\[\]]+)', path)]


def edit(config, changes):
    """A changed copy."""
    config = copy.deepcopy(config)
    for path, value in changes.items():
        *way, last = parts(path.lstrip("+"))
        at = config
        for step in way:
            if isinstance(step, str) and isinstance(at, dict):
                at = at.setdefault(step, {})
            else:
                at = at[step]
        if path.startswith("+"):
            at.setdefault(last, []).append(value)
        elif value is GONE:
            del at[last]
        else:
            at[last] = value
    return config


class _Writer:
    def __init__(self):
        self.out = []
        self.line = 1
        self.column = 1
        self.values = {}
        self.keys = {}

    def put(self, text):
        self.out.append(text)
        self.line += text.count("\n")
        rest = text.rsplit("\n", 1)[-1]
        self.column = len(rest.encode()) + (1 if "\n" in text else self.column)

    def place(self):
        return self.line, self.column

    def value(self, value, path, depth):
        self.values[path] = self.place()
        if isinstance(value, dict):
            self.items("{", "}", [(json.dumps(k) + ": ", self.member(path, k), v)
                                  for k, v in value.items()], depth)
        elif isinstance(value, list):
            self.items("[", "]", [("", f"{path}[{i}]", v) for i, v in enumerate(value)], depth)
        else:
            self.put(json.dumps(value))

    @staticmethod
    def member(path, key):
        if not re.fullmatch(r"[\w-]+", key):
            return f'{path}["{key}"]'
        return f"{path}.{key}" if path else key

    def items(self, first, last, rows, depth):
        self.put(first)
        for i, (key, path, value) in enumerate(rows):
            self.put(("," if i else "") + "\n" + "  " * (depth + 1))
            self.keys[path] = self.place()
            self.put(key)
            self.value(value, path, depth + 1)
        self.put("\n" + "  " * depth + last if rows else last)


def write(config):
    """Text, places of values by path, places of keys by path; a place is (line, column)."""
    w = _Writer()
    w.value(config, "", 0)
    return "".join(w.out) + "\n", w.values, w.keys
