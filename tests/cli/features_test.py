#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `cleat features` prints: every property of features.md, and nothing beyond.

A row: the path and what its value must be, or must hold. Words that are listed for mounts,
hooks and filters are given to `cleat check`, which has to take each.

environment: CLEAT (the program, default ./cleat)
"""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../check"))
from layout import BASE, edit  # noqa: E402

CLEAT = os.path.abspath(os.environ.get("CLEAT", "./cleat"))
# with and without a systemd manager in the build
BOOL = (True, False)

ROWS = [
    ("ociVersionMin", "1.0.0"),
    ("ociVersionMax", "1.3.0"),
    ("hooks", {"prestart", "createRuntime", "createContainer", "startContainer", "poststart",
               "poststop"}),
    ("mountOptions", {"bind", "rbind", "ro", "rro", "idmap", "ridmap", "nosymfollow", "tmpcopyup",
                      "iversion", "lazytime", "rshared", "runbindable"}),
    ("linux.namespaces", {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}),
    ("linux.capabilities", {"CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"}),
    ("linux.cgroup.v1", True),
    ("linux.cgroup.v2", True),
    ("linux.cgroup.systemd", BOOL),
    ("linux.cgroup.systemdUser", BOOL),
    ("linux.cgroup.rdma", True),
    ("linux.seccomp.enabled", True),
    ("linux.seccomp.actions", {"SCMP_ACT_NOTIFY", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_LOG"}),
    ("linux.seccomp.operators", {"SCMP_CMP_" + w for w in "NE LT LE EQ GE GT MASKED_EQ".split()}),
    ("linux.seccomp.archs", {"SCMP_ARCH_X86_64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64"}),
    ("linux.seccomp.knownFlags", {"SECCOMP_FILTER_FLAG_" + w for w in
                                  "TSYNC LOG SPEC_ALLOW WAIT_KILLABLE_RECV".split()}),
    ("linux.seccomp.supportedFlags", {"SECCOMP_FILTER_FLAG_LOG"}),
    ("linux.apparmor.enabled", True),
    ("linux.selinux.enabled", True),
    ("linux.mountExtensions.idmap.enabled", True),
    ("linux.intelRdt.enabled", True),
    ("linux.intelRdt.schemata", True),
    ("linux.intelRdt.monitoring", True),
    ("linux.memoryPolicy.modes", {"MPOL_" + w for w in (
        "DEFAULT BIND INTERLEAVE WEIGHTED_INTERLEAVE PREFERRED PREFERRED_MANY LOCAL").split()}),
    ("linux.memoryPolicy.flags", {"MPOL_F_" + w for w in
                                  "NUMA_BALANCING RELATIVE_NODES STATIC_NODES".split()}),
    ("linux.netDevices.enabled", True),
    ("annotations", {"io.github.seccomp.libseccomp.version"}),
    ("potentiallyUnsafeConfigAnnotations", {"run.cleat.", "run.oci.", "org.criu.config"}),
]

results = []


def report(name, fault):
    results.append(not fault)
    print(f"{'not ' if fault else ''}ok {len(results)} - {name}")
    if fault:
        print(f"# {fault}")


def value_at(features, path):
    for part in path.split("."):
        features = features.get(part) if isinstance(features, dict) else None
    return features


def fault_of(got, want):
    if isinstance(want, set):
        return "" if got is not None and want <= set(got) else f"{got} lacks {want - set(got or [])}"
    if isinstance(want, tuple):
        return "" if got in want else f"is {got}"
    return "" if got == want and isinstance(got, type(want)) else f"is {got}, not {want}"


def leaves(value, path=""):
    if isinstance(value, dict) and path != "annotations":
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    else:
        yield path


def refused(directory, changes):
    path = os.path.join(directory, "c.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(edit(copy.deepcopy(BASE), changes), f)
    r = subprocess.run([CLEAT, "check", path], capture_output=True, encoding="utf-8", timeout=60,
                       check=False)
    return "" if r.returncode == 0 else r.stdout + r.stderr


def with_word(features, directory):
    """Each listed word in a configuration."""
    rule = "linux.seccomp.syscalls[0]"
    for option in features["mountOptions"]:
        bind = {"destination": "/x", "source": "/srv", "type": "none", "options": ["bind", option]}
        if option in ("tmpcopyup", "idmap", "ridmap", "remount"):
            bind = {"destination": "/x", "source": "tmpfs", "type": "tmpfs", "options": [option]}
        yield f"mount option {option}", refused(directory, {"+mounts": bind})
    for hook in features["hooks"]:
        yield f"hook {hook}", refused(directory, {f"hooks.{hook}": [{"path": "/bin/true"}]})
    for name in features["linux"]["namespaces"]:
        changes = {} if name in json.dumps(BASE["linux"]["namespaces"]) else \
            {"+linux.namespaces": {"type": name}}
        yield f"namespace {name}", refused(directory, changes)
    seccomp = features["linux"]["seccomp"]
    for action in seccomp["actions"]:
        yield action, refused(directory, {rule + ".action": action, rule + ".names": ["read"],
                                          "linux.seccomp.listenerPath": "/run/l"})
    for operator in seccomp["operators"]:
        yield operator, refused(directory, {rule + ".args": [
            {"index": 0, "value": 1, "valueTwo": 1, "op": operator}]})
    for arch in seccomp["archs"]:
        yield arch, refused(directory, {"linux.seccomp.architectures": [arch]})
    for flag in seccomp["supportedFlags"]:
        yield flag, refused(directory, {"linux.seccomp.flags": [flag]})
    policy = features["linux"]["memoryPolicy"]
    for mode in policy["modes"]:
        nodes = "" if mode in ("MPOL_DEFAULT", "MPOL_LOCAL") else "0"
        yield mode, refused(directory, {"linux.memoryPolicy": {"mode": mode, "nodes": nodes}})
    for flag in policy["flags"]:
        yield flag, refused(directory, {"linux.memoryPolicy": {
            "mode": "MPOL_BIND", "nodes": "0", "flags": [flag]}})
    for cap in features["linux"]["capabilities"]:
        yield cap, refused(directory, {"process.capabilities": {"bounding": [cap]}})


def documented(features):
    """The unsafe annotations are those that docs/annotations.md tells of, but for a signal."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/annotations.md")
    with open(path, encoding="utf-8") as f:
        told = set(re.findall(r"^\| `([\w.-]+)` \|", f.read(), re.M))
    told.discard("org.opencontainers.image.stopSignal")
    if not features["linux"]["cgroup"]["systemd"]:
        told.discard("org.systemd.property.NAME")
    listed = features["potentiallyUnsafeConfigAnnotations"]
    untold = {x for x in listed if not any(t.startswith(x) for t in told)}
    unlisted = {t for t in told if not any(t == x or x[-1] == "." and t.startswith(x)
                                           for x in listed)}
    return f"untold {untold}, unlisted {unlisted}" if untold or unlisted else ""


def main():
    r = subprocess.run([CLEAT, "features"], capture_output=True, encoding="utf-8", timeout=60,
                       check=False)
    features = json.loads(r.stdout)
    for path, want in ROWS:
        report("features: " + path, fault_of(value_at(features, path), want))
    beyond = set(leaves(features)) - {path for path, _ in ROWS}
    report("features: nothing else", f"{sorted(beyond)}" if beyond else "")
    last = int(open("/proc/sys/kernel/cap_last_cap", encoding="ascii").read())
    known = len(features["linux"]["capabilities"])
    report("features: capabilities of this kernel", "" if known >= min(last + 1, 41) else
           f"{known} of {last + 1}")
    report("features: no stray line ends", "" if not re.search(r"\\[nr]", r.stdout) else r.stdout)
    report("features: annotations are those of the documentation", documented(features))
    with tempfile.TemporaryDirectory() as directory:
        for name, fault in with_word(features, directory):
            report(f"what is listed is taken: {name}", fault.replace("\n", " "))
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
