# SPDX-License-Identifier: Apache-2.0
"""What is left of the linux object: netDevices, memoryPolicy, annotations, and no process."""
import os
import subprocess

from frame.case import DELETE, Skip, case, failure_rows, report_rows
from frame.config import namespaces, user_namespace


def ip(*words):
    p = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if p.returncode:
        raise Skip("ip " + " ".join(words) + ": " + p.stderr.strip())


class Device:
    """A network device that ends with the container or with us."""
    count = 0

    def __init__(self, *words):
        Device.count += 1
        self.name = f"ct{os.getpid() % 1000000}-{Device.count}"
        ip("link", "add", self.name, "type", *(words or ("ifb",)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "link", "del", self.name], capture_output=True, check=False)


@case("netDevices moves a device", needs="ip")
def _(t):
    with Device() as device:
        t.edit({"linux.netDevices": {device.name: {}}})
        report = t.run_probe()
        t.equal(sorted(report["network"]), sorted([device.name, "lo"]), "the devices inside")


@case("netDevices renames a device", needs="ip")
def _(t):
    with Device() as device:
        t.edit({"linux.netDevices": {device.name: {"name": "eth0"}}})
        t.equal(sorted(t.run_probe()["network"]), ["eth0", "lo"], "the devices inside")


@case("netDevices with a template for the name", needs="ip")
def _(t):
    with Device() as device:
        t.edit({"linux.netDevices": {device.name: {"name": "net%d"}}})
        t.equal(sorted(t.run_probe()["network"]), ["lo", "net0"], "the devices inside")


@case("netDevices keeps addresses and brings the device up", needs="ip busybox")
def _(t):
    with Device() as device:
        ip("addr", "add", "192.0.2.7/24", "dev", device.name)
        ip("link", "set", device.name, "up")
        t.edit({"linux.netDevices": {device.name: {"name": "eth0"}}})
        t.busybox()
        os.symlink("busybox", f"{t.rootfs}/bin/ip")
        t.args("/bin/ip", "-o", "-4", "addr", "show", "dev", "eth0")
        r = t.run()
        t.check("192.0.2.7/24" in r.out, f"the address is gone: {r}")


@case("netDevices in a user namespace", needs="ip")
def _(t):
    with Device() as device:
        t.edit({**user_namespace(), "linux.netDevices": {device.name: {"name": "eth0"}}})
        t.equal(sorted(t.run_probe()["network"]), ["eth0", "lo"], "the devices inside")


@case("netDevices of two, one of which is missing", needs="ip")
def _(t):
    with Device() as device:
        t.edit({"linux.netDevices": {device.name: {}, "ct-missing": {}}})
        t.expect_failure("ct-missing")


failure_rows([
    ("a network device that is missing", {"linux.netDevices": {"ct-missing": {}}}, "ct-missing"),
    ("netDevices without a network of one's own",
     {"linux.namespaces": namespaces("mount", "pid", "ipc", "uts", "cgroup"),
      "linux.netDevices": {"ct-missing": {}}}, "netDevices|network"),
    ("a name that is too long", {"linux.netDevices": {"lo": {"name": "x" * 16}}}, "netDevices|x{16}"),
])

# --- memory policy: MPOL_BIND is 2, INTERLEAVE 3, PREFERRED 1, LOCAL 4 -------------------------

report_rows([
    ("memoryPolicy bind", {"linux.memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0"}},
     {"mempolicy": [2, 1]}),
    ("memoryPolicy interleave", {"linux.memoryPolicy": {"mode": "MPOL_INTERLEAVE", "nodes": "0"}},
     {"mempolicy": [3, 1]}),
    ("memoryPolicy preferred", {"linux.memoryPolicy": {"mode": "MPOL_PREFERRED", "nodes": "0"}},
     {"mempolicy": [1, 1]}),
    ("memoryPolicy local", {"linux.memoryPolicy": {"mode": "MPOL_LOCAL"}},
     {"mempolicy.0": 4}),
    ("memoryPolicy default", {"linux.memoryPolicy": {"mode": "MPOL_DEFAULT"}}, {"mempolicy.0": 0}),
    ("memoryPolicy with a flag", {"linux.memoryPolicy": {
        "mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}},
     {"mempolicy.0": lambda m: m & 0xff == 2 and m & 0x8000}),
])
failure_rows([
    ("an annotation without a key", {"annotations": {"": "x"}}, "annotations"),
    ("an unknown memoryPolicy", {"linux.memoryPolicy": {"mode": "MPOL_MAGIC"}}, "MPOL_MAGIC"),
    ("memoryPolicy on nodes that there are not",
     {"linux.memoryPolicy": {"mode": "MPOL_BIND", "nodes": "900"}}, "memoryPolicy|memory policy"),
    ("intelRdt where there is no resctrl", {"linux.intelRdt": {"l3CacheSchema": "L3:0=f"}},
     "(?i)intelRdt|resctrl"),
])

# --- unknown, absent, empty --------------------------------------------------------------------

report_rows([
    ("unknown properties are passed over", {"future": {"x": 1}, "process.future": [1],
                                            "linux.future": "x"}, {"pid": 1}),
    ("properties of other systems", {"windows": {"layerFolders": []}, "solaris": {}, "vm": {
        "kernel": {"path": "/k"}}}, {"pid": 1}),
    ("annotations of others", {"annotations": {"x": "y", "a/b": "c" * 10000}}, {"pid": 1}),
    ("a pod's handler, in its pause container", {"annotations": {
        "run.oci.handler": "krun", "io.kubernetes.cri.container-type": "sandbox"}}, {"pid": 1}),
    ("no mounts at all", {"mounts": [], "linux.maskedPaths": [], "linux.readonlyPaths": []},
     {"pid": 1, "mountinfo": None}),
    ("no linux.resources", {"linux.resources": DELETE}, {"pid": 1}),
    ("empty linux.resources", {"linux.resources": {}}, {"pid": 1}),
    ("no masked and read-only paths", {"linux.maskedPaths": DELETE, "linux.readonlyPaths": DELETE},
     {"pid": 1}),
    ("an ociVersion of a newer minor", {"ociVersion": "1.99.0"}, {"pid": 1}),
    ("an ociVersion with a suffix", {"ociVersion": "1.2.0-rc.1+dev"}, {"pid": 1}),
    ("nulls", {"annotations": None, "hooks": None, "process.rlimits": None, "mounts": []},
     {"pid": 1}),
])


@case("the signal of the image")
def _(t):
    t.edit({"annotations": {"org.opencontainers.image.stopSignal": "SIGUSR1"}})
    t.probe("sleep")
    t.create()
    t.ok("start", t.id)
    t.wait_for_line("ready")
    pid = t.state()["pid"]
    t.ok("kill", t.id)
    t.equal(t.wait_for_end(pid), 138, "the status")
    t.delete()
