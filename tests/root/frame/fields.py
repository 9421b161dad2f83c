# SPDX-License-Identifier: Apache-2.0
"""linux.resources, field by field, on every kind of host and with either manager.

A row of FIELDS is one set of values and what the kernel must say of it afterwards: a
line of a file of cgroup v1, a line of a file of v2, and a property of the systemd unit.
cases/resources.py reads the files back after create and after update, on whatever has
the controller here; tests/systemd does the same with the unit, and after a reload of
systemd. A dictionary that is empty where the controller exists says that there is no
such setting: then the field must be named by a warning, unless `silent` says that it
means nothing there.
"""
import contextlib
import dataclasses
import fcntl
import os

MIB = 1 << 20
NONE = "infinity"
V1_NONE = str((1 << 63) - 4096)  # what the kernel says for "no limit": whole pages
U64_MAX = (1 << 64) - 1


def _disk():
    """Numbers of a block device of this machine; None: there is none."""
    try:
        for name in sorted(os.listdir("/sys/block")):
            with open(f"/sys/block/{name}/size", encoding="ascii") as f:
                if int(f.read()) == 0:
                    continue
            with open(f"/sys/block/{name}/dev", encoding="ascii") as f:
                return tuple(map(int, f.read().strip().split(":")))
    except OSError:
        pass
    return None


def _spare():
    """Name and number of a loop device that nobody uses, for its scheduler; None: none."""
    for name in sorted((n for n in os.listdir("/sys/block") if n.startswith("loop")),
                       reverse=True):
        try:
            with open(f"/sys/block/{name}/size", encoding="ascii") as f:
                if int(f.read()) == 0 and os.path.exists(f"/dev/{name}"):
                    with open(f"/sys/block/{name}/dev", encoding="ascii") as d:
                        return name, tuple(map(int, d.read().strip().split(":")))
        except OSError:
            continue
    return None


def _adapter():
    """The name of an RDMA device; None: there is none."""
    try:
        return min(os.listdir("/sys/class/infiniband"), default=None)
    except OSError:
        return None


DISK = _disk()
ADAPTER = _adapter()
_MAJOR, _MINOR = DISK or (0, 0)
_DISK = f"{_MAJOR}:{_MINOR}"
SPARE = _spare()
_BFQ = SPARE[1] if SPARE else (0, 0)
_BFQ_TEXT = f"{_BFQ[0]}:{_BFQ[1]}"


def _scheduler(name, wanted=None):
    path = f"/sys/block/{name}/queue/scheduler"
    with open(path, "r+" if wanted else "r", encoding="ascii") as f:
        if wanted:
            f.write(wanted)
            return wanted
        return f.read().split("[")[1].split("]")[0]


@dataclasses.dataclass
class Field:
    """One row; what() is the title of its tests."""
    name: str          # the property of config.json, and what is special about the value
    resources: dict    # linux.resources
    controller: str    # its name on v2; blkio is io there
    v1: dict = dataclasses.field(default_factory=dict)       # file: line
    v2: dict = dataclasses.field(default_factory=dict)
    systemd: dict = dataclasses.field(default_factory=dict)  # property: what systemctl shows
    systemd_v1: dict = dataclasses.field(default_factory=dict)  # where the controller is in v1
    silent: bool = False
    needs: str = ""
    update: bool = True  # update takes it as well

    @property
    def v1_controller(self):
        return "blkio" if self.controller == "io" else self.controller

    @property
    def field(self):
        """As messages name it: "memory.limit"."""
        return self.name.split()[0]

    def why_not_here(self):
        """What of the machine, other than the controller, this row lacks; or None."""
        if "disk" in self.needs and not DISK:
            return "no block device here"
        if "two-cpus" in self.needs and (os.cpu_count() or 1) < 2:
            return "only one processor"
        if "huge-pages" in self.needs and not os.path.exists(
                "/sys/kernel/mm/hugepages/hugepages-2048kB"):
            return "no huge pages of 2 MB"
        if "bfq" in self.needs and not SPARE:
            return "no unused loop device"
        if "rdma" in self.needs and not ADAPTER:
            return "no RDMA adapter"
        return None

    @contextlib.contextmanager
    def prepared(self):
        """With the machine as the row needs it; OSError: it cannot be had."""
        if "bfq" not in self.needs:
            yield
            return
        # one at a time, whoever else is testing here
        with open(f"/dev/{SPARE[0]}", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = _scheduler(SPARE[0])
            _scheduler(SPARE[0], "bfq")
            try:
                yield
            finally:
                _scheduler(SPARE[0], before)


def _throttle(field, v1_file, v2_key, value, prop):
    v2 = " ".join([_DISK] + [f"{k}={value if k == v2_key else 'max'}"
                             for k in ("rbps", "wbps", "riops", "wiops")])
    return Field(f"blockIO.{field}",
                 {"blockIO": {field: [{"major": _MAJOR, "minor": _MINOR, "rate": value}]}}, "io",
                 {f"blkio.throttle.{v1_file}_device": f"{_DISK} {value}"}, {"io.max": v2},
                 prop, needs="disk")


def _unified(file, text, controller, systemd=None, needs=""):
    return Field(f"unified {file}", {"unified": {file: text}}, controller, {}, {file: text},
                 systemd or {}, silent=True, needs=needs)


FIELDS = [
    # --- cpu ---------------------------------------------------------------------------------
    Field("cpu.shares", {"cpu": {"shares": 512}}, "cpu", {"cpu.shares": "512"},
          {"cpu.weight": "59"}, {"CPUWeight": "59"}, {"CPUShares": "512"}),
    Field("cpu.shares of the default", {"cpu": {"shares": 1024}}, "cpu", {"cpu.shares": "1024"},
          {"cpu.weight": "100"}, {"CPUWeight": "100"}, {"CPUShares": "1024"}),
    Field("cpu.shares, the fewest", {"cpu": {"shares": 2}}, "cpu", {"cpu.shares": "2"},
          {"cpu.weight": "1"}, {"CPUWeight": "1"}, {"CPUShares": "2"}),
    Field("cpu.shares, fewer than the fewest", {"cpu": {"shares": 1}}, "cpu",
          {"cpu.shares": "2"}, {"cpu.weight": "1"}, {"CPUWeight": "1"}),
    Field("cpu.shares, the most", {"cpu": {"shares": 262144}}, "cpu", {"cpu.shares": "262144"},
          {"cpu.weight": "10000"}, {"CPUWeight": "10000"}, {"CPUShares": "262144"}),
    Field("cpu.quota and period", {"cpu": {"quota": 50000, "period": 200000}}, "cpu",
          {"cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "200000"},
          {"cpu.max": "50000 200000"}, *2 * [{"CPUQuotaPerSecUSec": "250ms"}]),
    Field("cpu.quota alone", {"cpu": {"quota": 30000}}, "cpu",
          {"cpu.cfs_quota_us": "30000", "cpu.cfs_period_us": "100000"},
          {"cpu.max": "30000 100000"}, *2 * [{"CPUQuotaPerSecUSec": "300ms"}]),
    Field("cpu.quota that systemd rounds", {"cpu": {"quota": 12345, "period": 100000}}, "cpu",
          {"cpu.cfs_quota_us": "12345"}, {"cpu.max": "12345 100000"},
          *2 * [{"CPUQuotaPerSecUSec": "130ms"}]),
    Field("cpu.quota, none", {"cpu": {"quota": -1}}, "cpu", {"cpu.cfs_quota_us": "-1"},
          {"cpu.max": "max 100000"}, *2 * [{"CPUQuotaPerSecUSec": NONE}]),
    Field("cpu.period alone", {"cpu": {"period": 50000}}, "cpu", {"cpu.cfs_period_us": "50000"},
          {"cpu.max": "max 50000"}),
    Field("cpu.burst", {"cpu": {"quota": 50000, "period": 100000, "burst": 1000}}, "cpu",
          {"cpu.cfs_burst_us": "1000"}, {"cpu.max.burst": "1000"}),
    Field("cpu.burst, none", {"cpu": {"burst": 0}}, "cpu", {"cpu.cfs_burst_us": "0"},
          {"cpu.max.burst": "0"}),
    Field("cpu.idle", {"cpu": {"idle": 1}}, "cpu", {"cpu.idle": "1"}, {"cpu.idle": "1"},
          {"CPUWeight": "idle"}),
    Field("cpu.idle beside shares", {"cpu": {"idle": 1, "shares": 512}}, "cpu",
          {"cpu.idle": "1"}, {"cpu.idle": "1"}, {"CPUWeight": "idle"}),
    Field("cpu.realtimeRuntime", {"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 200000}},
          "cpu", {"cpu.rt_runtime_us": "1000", "cpu.rt_period_us": "200000"}, needs="cgroupfs"),
    Field("cpu.cpus", {"cpu": {"cpus": "0"}}, "cpuset", {"cpuset.cpus": "0"},
          {"cpuset.cpus": "0"}, {"AllowedCPUs": "0"}),
    Field("cpu.cpus, several", {"cpu": {"cpus": "0-1"}}, "cpuset", {"cpuset.cpus": "0-1"},
          {"cpuset.cpus": "0-1"}, {"AllowedCPUs": "0-1"}, needs="two-cpus"),
    Field("cpu.mems", {"cpu": {"mems": "0"}}, "cpuset", {"cpuset.mems": "0"},
          {"cpuset.mems": "0"}, {"AllowedMemoryNodes": "0"}),

    # --- memory ------------------------------------------------------------------------------
    Field("memory.limit", {"memory": {"limit": 64 * MIB}}, "memory",
          {"memory.limit_in_bytes": str(64 * MIB)}, {"memory.max": str(64 * MIB)},
          {"MemoryMax": str(64 * MIB)}, {"MemoryLimit": str(64 * MIB)}),
    Field("memory.limit, none", {"memory": {"limit": -1}}, "memory",
          {"memory.limit_in_bytes": V1_NONE, "memory.memsw.limit_in_bytes": V1_NONE},
          {"memory.max": "max", "memory.swap.max": "max"},
          {"MemoryMax": NONE, "MemorySwapMax": NONE}, {"MemoryLimit": NONE}),
    Field("memory.swap", {"memory": {"limit": 64 * MIB, "swap": 96 * MIB}}, "memory",
          {"memory.limit_in_bytes": str(64 * MIB), "memory.memsw.limit_in_bytes": str(96 * MIB)},
          {"memory.max": str(64 * MIB), "memory.swap.max": str(32 * MIB)},
          {"MemoryMax": str(64 * MIB), "MemorySwapMax": str(32 * MIB)},
          {"MemoryLimit": str(64 * MIB)}),
    Field("memory.swap of the limit's size", {"memory": {"limit": 64 * MIB, "swap": 64 * MIB}},
          "memory", {"memory.memsw.limit_in_bytes": str(64 * MIB)}, {"memory.swap.max": "0"},
          {"MemorySwapMax": "0"}),
    Field("memory.swap, any", {"memory": {"limit": 64 * MIB, "swap": -1}}, "memory",
          {"memory.limit_in_bytes": str(64 * MIB), "memory.memsw.limit_in_bytes": V1_NONE},
          {"memory.max": str(64 * MIB), "memory.swap.max": "max"}, {"MemorySwapMax": NONE}),
    Field("memory.reservation", {"memory": {"limit": 64 * MIB, "reservation": 32 * MIB}},
          "memory", {"memory.soft_limit_in_bytes": str(32 * MIB)},
          {"memory.low": str(32 * MIB)}, {"MemoryLow": str(32 * MIB)}),
    Field("memory.kernelTCP", {"memory": {"kernelTCP": 4 * MIB}}, "memory",
          {"memory.kmem.tcp.limit_in_bytes": str(4 * MIB)}),
    Field("memory.kernel", {"memory": {"kernel": 32 * MIB}}, "memory"),
    Field("memory.swappiness", {"memory": {"swappiness": 10}}, "memory",
          {"memory.swappiness": "10"}),
    Field("memory.swappiness of zero", {"memory": {"swappiness": 0}}, "memory",
          {"memory.swappiness": "0"}),
    Field("memory.disableOOMKiller", {"memory": {"disableOOMKiller": True}}, "memory",
          {"memory.oom_control": "oom_kill_disable 1"}),
    Field("memory.useHierarchy", {"memory": {"useHierarchy": True}}, "memory",
          {"memory.use_hierarchy": "1"}, silent=True),
    Field("memory.checkBeforeUpdate", {"memory": {"limit": 64 * MIB, "checkBeforeUpdate": True}},
          "memory", {"memory.limit_in_bytes": str(64 * MIB)}, {"memory.max": str(64 * MIB)}),

    # --- block io ----------------------------------------------------------------------------
    Field("blockIO.weight", {"blockIO": {"weight": 300}}, "io",
          {"blkio.weight": "300", "blkio.bfq.weight": "300"},
          {"io.bfq.weight": "default 300", "io.weight": "default 2930"},
          {"IOWeight": "2930"}, {"BlockIOWeight": "300"}, needs="one-of"),
    Field("blockIO.weightDevice",
          {"blockIO": {"weightDevice": [{"major": _BFQ[0], "minor": _BFQ[1], "weight": 300}]}},
          "io", {"blkio.weight_device": f"{_BFQ_TEXT} 300",
                 "blkio.bfq.weight_device": f"{_BFQ_TEXT} 300"},
          {"io.bfq.weight": f"{_BFQ_TEXT} 300", "io.weight": f"{_BFQ_TEXT} 2930"},
          needs="bfq one-of"),
    Field("blockIO.leafWeight", {"blockIO": {"leafWeight": 300}}, "io"),
    Field("blockIO.weightDevice.leafWeight",
          {"blockIO": {"weightDevice": [{"major": _MAJOR, "minor": _MINOR, "leafWeight": 300}]}},
          "io", needs="disk"),
    _throttle("throttleReadBpsDevice", "read_bps", "rbps", MIB, {}),
    _throttle("throttleWriteBpsDevice", "write_bps", "wbps", 2 * MIB, {}),
    _throttle("throttleReadIOPSDevice", "read_iops", "riops", 300, {}),
    _throttle("throttleWriteIOPSDevice", "write_iops", "wiops", 400, {}),

    # --- the others --------------------------------------------------------------------------
    Field("pids.limit", {"pids": {"limit": 42}}, "pids", {"pids.max": "42"}, {"pids.max": "42"},
          *2 * [{"TasksMax": "42"}]),
    Field("pids.limit, none", {"pids": {"limit": -1}}, "pids", {"pids.max": "max"},
          {"pids.max": "max"}, *2 * [{"TasksMax": NONE}]),
    Field("pids.limit of zero", {"pids": {"limit": 0}}, "pids", {"pids.max": "0"},
          {"pids.max": "0"}, *2 * [{"TasksMax": "1"}], update=False),
    Field("pids.limit of init alone", {"pids": {"limit": 1}}, "pids", {"pids.max": "1"},
          {"pids.max": "1"}, *2 * [{"TasksMax": "1"}]),
    Field("hugepageLimits", {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]}, "hugetlb",
          {"hugetlb.2MB.limit_in_bytes": str(4 * MIB),
           "hugetlb.2MB.rsvd.limit_in_bytes": str(4 * MIB)},
          {"hugetlb.2MB.max": str(4 * MIB), "hugetlb.2MB.rsvd.max": str(4 * MIB)},
          needs="huge-pages"),
    Field("rdma", {"rdma": {ADAPTER or "mlx5_0": {"hcaHandles": 3, "hcaObjects": 1000}}}, "rdma",
          {"rdma.max": f"{ADAPTER} hca_handle=3 hca_object=1000"},
          {"rdma.max": f"{ADAPTER} hca_handle=3 hca_object=1000"}, needs="rdma"),
    Field("network.classID", {"network": {"classID": 0x100001}}, "net_cls",
          {"net_cls.classid": str(0x100001)}),
    Field("network.priorities", {"network": {"priorities": [{"name": "lo", "priority": 3}]}},
          "net_prio", {"net_prio.ifpriomap": "lo 3"}),

    # --- files of v2 by their names ----------------------------------------------------------
    _unified("cgroup.max.depth", "3", ""),
    _unified("cgroup.max.descendants", "9", ""),
    _unified("hugetlb.2MB.max", str(6 * MIB), "hugetlb", needs="huge-pages"),
    _unified("memory.high", str(8 * MIB), "memory", {"MemoryHigh": str(8 * MIB)}),
    _unified("memory.min", str(MIB), "memory", {"MemoryMin": str(MIB)}),
    _unified("memory.low", str(2 * MIB), "memory", {"MemoryLow": str(2 * MIB)}),
    _unified("memory.max", str(32 * MIB), "memory", {"MemoryMax": str(32 * MIB)}),
    _unified("memory.swap.max", str(3 * MIB), "memory", {"MemorySwapMax": str(3 * MIB)}),
    _unified("memory.oom.group", "1", "memory"),
    _unified("cpu.weight", "77", "cpu", {"CPUWeight": "77"}),
    _unified("cpu.max", "40000 100000", "cpu", {"CPUQuotaPerSecUSec": "400ms"}),
    _unified("cpuset.cpus", "0", "cpuset", {"AllowedCPUs": "0"}),
    _unified("cpuset.mems", "0", "cpuset", {"AllowedMemoryNodes": "0"}),
    _unified("pids.max", "55", "pids", {"TasksMax": "55"}),
]


def wrong_lines(read, wanted, one_of):
    """What of @wanted the kernel does not say; read(file) gives the text, None: no file.

    With @one_of the files are those of different schedulers, of which one is enough.
    """
    wrong, seen = [], 0
    for file, line in wanted.items():
        text = read(file)
        if text is None:
            if not one_of:
                wrong.append(f"there is no {file}")
            continue
        seen += 1
        # rdma.max has a blank behind the last value
        if line not in map(str.rstrip, text.splitlines()):
            wrong.append(f"{file} is '{text.strip()}', not '{line}'")
    if one_of and wanted:
        return [] if seen > len(wrong) else wrong or ["none of these files: " + " ".join(wanted)]
    return wrong
