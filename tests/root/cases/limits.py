# SPDX-License-Identifier: Apache-2.0
"""Limits that few ask for, read back from the host's cgroups; realtime schedulers."""
import os

from frame import cgroups
from frame.case import Skip, case, report_rows

MIB = 1 << 20


def disk():
    """A block device of this machine: path, major, minor."""
    for name in sorted(os.listdir("/sys/block")):
        with open(f"/sys/block/{name}/size", encoding="ascii") as f:
            if int(f.read()):
                with open(f"/sys/block/{name}/dev", encoding="ascii") as d:
                    major, minor = d.read().strip().split(":")
                return {"major": int(major), "minor": int(minor)}
    raise Skip("no block device here")


def limit(name, controller, resources, v1, v2):
    """resources, v1, v2: functions of the block device; v1 and v2 give (file, line) or None"""
    @case(name, needs=f"cgroup:{controller}")
    def _(t):
        device = disk() if controller in ("blkio", "io") else None
        wanted = (v2 if controller in cgroups.v2_controllers() else v1)(device)
        if not wanted:
            raise Skip("this kind of cgroup has no such limit")
        root = cgroups.directory(controller, "/")
        t.edit({"linux.resources." + k: v for k, v in resources(device).items()})
        t.probe("sleep")
        directory = cgroups.directory(controller, "/" + t.id)
        t.create()
        try:
            path = os.path.join(directory, wanted[0])
            if not os.path.exists(path):
                raise Skip(f"this kernel has no '{wanted[0]}' below {root}")
            lines = t.read(path).splitlines()
        finally:
            t.delete("--force")
        t.check(wanted[1] in lines, f"{wanted[0]} is {lines}")


def number(device):
    return f"{device['major']}:{device['minor']}"


CPU = {"quota": 50000, "period": 100000}
limit("cpu burst", "cpu", lambda d: {"cpu": {**CPU, "burst": 1000}},
      lambda d: ("cpu.cfs_burst_us", "1000"), lambda d: ("cpu.max.burst", "1000"))
limit("cpu idle", "cpu", lambda d: {"cpu": {"idle": 1}}, lambda d: ("cpu.idle", "1"),
      lambda d: ("cpu.idle", "1"))
limit("TCP buffers", "memory", lambda d: {"memory": {"limit": 64 * MIB, "kernelTCP": 4 * MIB}},
      lambda d: ("memory.kmem.tcp.limit_in_bytes", str(4 * MIB)), lambda d: None)
limit("memory of all below", "memory", lambda d: {"memory": {"limit": 64 * MIB,
                                                            "useHierarchy": True}},
      lambda d: ("memory.use_hierarchy", "1"), lambda d: None)
limit("memory that is looked at before", "memory",
      lambda d: {"memory": {"limit": 64 * MIB, "checkBeforeUpdate": True}},
      lambda d: ("memory.limit_in_bytes", str(64 * MIB)), lambda d: ("memory.max", str(64 * MIB)))
limit("class of packets", "net_cls", lambda d: {"network": {"classID": 0x100001}},
      lambda d: ("net_cls.classid", str(0x100001)), lambda d: None)
limit("priority of packets", "net_prio",
      lambda d: {"network": {"priorities": [{"name": "lo", "priority": 3}]}},
      lambda d: ("net_prio.ifpriomap", "lo 3"), lambda d: None)

for field, v1_file, v2_key, value in (
        ("throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps", MIB),
        ("throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps", 2 * MIB),
        ("throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops", 300),
        ("throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops", 400)):
    limit(f"{field} of the disk", "blkio",
          lambda d, field=field, value=value: {"blockIO": {field: [{**d, "rate": value}]}},
          lambda d, file=v1_file, value=value: (file, f"{number(d)} {value}"), lambda d: None)
    limit(f"{field} of the disk, by io.max", "io",
          lambda d, field=field, value=value: {"blockIO": {field: [{**d, "rate": value}]}},
          lambda d: None, lambda d, key=v2_key, value=value: ("io.max", " ".join(
              [number(d)] + [f"{k}={value if k == key else 'max'}"
                             for k in ("rbps", "wbps", "riops", "wiops")])))

limit("realtime of the cgroup", "cpu",
      lambda d: {"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 200000}},
      lambda d: ("cpu.rt_runtime_us", "1000"), lambda d: None)

# Where groups have realtime of their own, a new one has none: nobody in it may ask for it.
REALTIME = {"linux.resources.cpu": {"realtimeRuntime": 10000, "realtimePeriod": 1000000}}
report_rows([
    ("scheduler first in, first out", {**REALTIME, "process.scheduler": {
        "policy": "SCHED_FIFO", "priority": 3}},
     {"scheduler.policy": 1, "scheduler.priority": 3}, "v1 cgroup:cpu cap:SYS_NICE"),
    ("scheduler round robin", {**REALTIME, "process.scheduler": {
        "policy": "SCHED_RR", "priority": 1}},
     {"scheduler.policy": 2, "scheduler.priority": 1}, "v1 cgroup:cpu cap:SYS_NICE"),
])
