# SPDX-License-Identifier: Apache-2.0
"""The configurations of the golden plans: name, changes to the base (check/layout.py)."""
import json
import os

from layout import GONE, raw_filter

MIB = 1 << 20
DEV = {"major": 8, "minor": 16}


def mount(*options, **more):
    return {"+mounts": {"destination": "/x", "type": "tmpfs", "source": "tmpfs",
                        "options": list(options), **more}}


def bind(*options, **more):
    return mount("bind", *options, type="bind", source="/srv/x", **more)


NO_USER = {"linux.namespaces[6]": GONE, "linux.uidMappings": GONE, "linux.gidMappings": GONE}
RAW = 'annotations["run.oci.seccomp_bpf_data"]'
RECEIVER = 'annotations["run.oci.seccomp.receiver"]'
NOTIFY = {"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}}


def raw(*insns):
    return raw_filter(os.environ.get("PLAN", "tests/golden/plan"), *insns)


HOOK = {"path": "/bin/h", "args": ["h", "1"], "env": ["A=secret"], "timeout": 9}

CASES = [
    # the top
    ("hostname and domainname", {"hostname": "h", "domainname": "d.example"}),
    ("a read-only root", {"root.readonly": True}),
    ("a root below the bundle", {"root.path": "sub/rootfs"}),
    ("an older version", {"ociVersion": "1.0.0"}),
    # namespaces
    ("no user namespace", NO_USER),
    ("no network namespace", {"linux.namespaces[2]": GONE, "linux.sysctl": GONE}),
    ("no cgroup namespace", {"linux.namespaces[5]": GONE}),
    ("a time namespace", {"+linux.namespaces": {"type": "time"}, "linux.timeOffsets": {
        "monotonic": {"secs": 5, "nanosecs": 7}, "boottime": {"secs": -3}}}),
    ("an ipc namespace to join", {"linux.namespaces[3].path": "/run/ns/ipc"}),
    ("a user namespace to join", {"linux.namespaces[6].path": "/run/ns/user",
                                  "linux.uidMappings": GONE, "linux.gidMappings": GONE}),
    ("several mappings", {"linux.uidMappings": [
        {"containerID": 0, "hostID": 1000, "size": 1},
        {"containerID": 1, "hostID": 100000, "size": 999}], "linux.gidMappings": [
            {"containerID": 0, "hostID": 2000, "size": 5}]}),
    # process
    ("a terminal", {"process.terminal": True, "process.consoleSize": {"height": 24, "width": 80}}),
    ("a user", {"process.user": {"uid": 12, "gid": 34, "umask": 63,
                                 "additionalGids": [5, 6]}}),
    ("arguments, environment, cwd", {"process.args": ["/bin/a", "b c"], "process.env":
                                     ["A=1", "B=2", "A=3"], "process.cwd": "/tmp"}),
    ("capabilities", {"process.capabilities": {
        "bounding": ["CAP_CHOWN", "CAP_BPF"], "effective": ["CAP_CHOWN"],
        "inheritable": ["CAP_BPF"], "permitted": ["CAP_BPF", "CAP_CHOWN"],
        "ambient": ["CAP_BPF"]}}),
    ("no capabilities object", {"process.capabilities": GONE}),
    ("rlimits", {"process.rlimits": [
        {"type": "RLIMIT_CORE", "soft": 0, "hard": 18446744073709551615},
        {"type": "RLIMIT_NPROC", "soft": 10, "hard": 20}]}),
    ("no new privileges", {"process.noNewPrivileges": True}),
    ("an AppArmor profile", {"process.apparmorProfile": "p"}),
    ("an SELinux label", {"process.selinuxLabel": "u:r:t:s0"}),
    ("oomScoreAdj", {"process.oomScoreAdj": -5}),
    ("an oomScoreAdj of zero", {"process.oomScoreAdj": 0}),
    ("scheduler nice", {"process.scheduler": {"policy": "SCHED_BATCH", "nice": 5,
                                              "flags": ["SCHED_FLAG_RESET_ON_FORK"]}}),
    ("scheduler priority", {"process.scheduler": {"policy": "SCHED_FIFO", "priority": 10}}),
    ("scheduler deadline", {"process.scheduler": {
        "policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 2000000, "period": 3000000}}),
    ("io priority", {"process.ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 3}}),
    ("affinity for exec", {"process.execCPUAffinity": {"initial": "0-1", "final": "3"}}),
    # mounts
    ("flags", mount("ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow")),
    ("later flags win", mount("ro", "rw", "nosuid", "suid", "nodev", "dev", "noexec", "exec")),
    ("times", mount("strictatime")),
    ("relatime", mount("relatime")),
    ("of the superblock", mount("sync", "dirsync", "lazytime", "iversion", "silent")),
    ("data", mount("size=1m", "mode=755", "huge=never")),
    ("a bind", bind()),
    ("a recursive bind", mount("rbind", "rro", "rnosuid", type="bind", source="/srv/x")),
    ("recursive words", mount("rbind", "rro", "rnodev", "rnoexec", "rnoatime", "rnosymfollow",
                              source="/srv/x")),
    ("propagation", bind("rshared")),
    ("private", bind("private")),
    ("idmap of the container", bind("idmap")),
    ("ridmap of its own", bind("ridmap", uidMappings=[{"containerID": 0, "hostID": 7, "size": 9}],
                               gidMappings=[{"containerID": 1, "hostID": 8, "size": 2}])),
    ("tmpcopyup", mount("tmpcopyup")),
    ("copy-symlink", bind("copy-symlink")),
    ("nofollow", bind("src-nofollow", "dest-nofollow")),
    ("a remount", mount("remount", "ro", type="none", source="none")),
    ("a cgroup mount", {"+mounts": {"destination": "/sys/fs/cgroup", "type": "cgroup",
                                    "source": "cgroup", "options": ["ro", "nosuid"]}}),
    ("a cgroup mount for writing", {"+mounts": {"destination": "/sys/fs/cgroup", "type": "cgroup",
                                                "source": "cgroup", "options": ["rw"]},
                                    "process.user.uid": 7}),
    ("a cgroup below for the processes", {'annotations["run.oci.delegate-cgroup"]': "a/b"}),
    ("name=systemd instead of a mount", {
        **NO_USER, 'annotations["run.oci.systemd.force_cgroup_v1"]': "/dev/"}),
    ("name=systemd where nothing is mounted", {
        **NO_USER, 'annotations["run.oci.systemd.force_cgroup_v1"]': "/a"}),
    ("a relative destination", {"mounts[1].destination": "dev"}),
    ("a label", {"linux.mountLabel": "u:o:t:s0"}),
    ("a label of another kind", {"linux.mountLabel": "u:o:t:s0",
                                 'annotations["run.oci.mount_context_type"]': "rootcontext"}),
    ("paths", {"linux.maskedPaths": ["/a", "/b//c", "/a"], "linux.readonlyPaths": ["/d"]}),
    ("shared propagation of the root", {"linux.rootfsPropagation": "shared"}),
    ("unbindable propagation of the root", {"linux.rootfsPropagation": "unbindable"}),
    # hooks
    ("hooks of all kinds", {"hooks": {kind: [HOOK, {"path": "/bin/" + kind}] for kind in (
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart",
        "poststop")}}),
    ("hooks that are heard", {"hooks": {"poststop": [HOOK]}, "annotations": {
        "run.oci.hooks.stdout": "/var/log/a", "run.oci.hooks.stderr": "/var/log/b"}}),
    # devices
    ("devices", {**NO_USER, "linux.devices": [
        {"path": "/dev/a", "type": "b", **DEV, "fileMode": 384, "uid": 3, "gid": 4},
        {"path": "/dev/p", "type": "p"}, {"path": "/dev/u", "type": "u", **DEV}]}),
    ("devices in a user namespace", {"linux.devices": [{"path": "/dev/a", "type": "b", **DEV}]}),
    ("device rules", {"linux.resources.devices": [
        {"allow": False, "access": "rwm"},
        {"allow": True, "type": "b", "major": 8, "minor": 16, "access": "r"}]}),
    ("all devices", {"linux.resources.devices": [{"allow": True, "type": "a", "access": "rwm"}]}),
    # resources
    ("no resources", {"linux.resources": GONE}),
    ("a cgroup path", {"linux.cgroupsPath": "/a/b"}),
    ("a relative cgroup path", {"linux.cgroupsPath": "a/b"}),
    ("memory", {"linux.resources.memory": {"limit": 64 * MIB, "reservation": 32 * MIB,
                                           "swap": 96 * MIB}}),
    ("memory without limits", {"linux.resources.memory": {"limit": -1, "swap": -1}}),
    ("memory of v1", {"linux.resources.memory": {
        "limit": MIB, "kernel": MIB, "kernelTCP": MIB, "swappiness": 10, "disableOOMKiller": True,
        "useHierarchy": True}}),
    ("memory, looked at before", {"linux.resources.memory": {"limit": MIB,
                                                             "checkBeforeUpdate": True}}),
    ("cpu", {"linux.resources.cpu": {"shares": 1024, "quota": 50000, "period": 100000,
                                     "burst": 1000, "idle": 1}}),
    ("cpu quota without an end", {"linux.resources.cpu": {"quota": -1}}),
    ("cpu sets", {"linux.resources.cpu": {"cpus": "0-1", "mems": "0"}}),
    ("cpu realtime", {"linux.resources.cpu": {"realtimeRuntime": 1000,
                                              "realtimePeriod": 100000}}),
    ("pids", {"linux.resources.pids": {"limit": 7}}),
    ("no pids limit", {"linux.resources.pids": {"limit": -1}}),
    ("a pids limit of zero", {"linux.resources.pids": {"limit": 0}}),
    ("block io weights", {"linux.resources.blockIO": {
        "weight": 300, "leafWeight": 200, "weightDevice": [{**DEV, "weight": 400,
                                                            "leafWeight": 100}]}}),
    ("block io rates", {"linux.resources.blockIO": {
        "throttleReadBpsDevice": [{**DEV, "rate": 1}],
        "throttleWriteBpsDevice": [{**DEV, "rate": 2}],
        "throttleReadIOPSDevice": [{**DEV, "rate": 3}],
        "throttleWriteIOPSDevice": [{**DEV, "rate": 4}]}}),
    ("huge pages", {"linux.resources.hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]}),
    ("network", {"linux.resources.network": {"classID": 5, "priorities": [
        {"name": "eth0", "priority": 6}]}}),
    ("rdma", {"linux.resources.rdma": {"mlx5_0": {"hcaHandles": 3, "hcaObjects": 4}}}),
    ("unified", {"linux.resources.unified": {"memory.high": "1048576", "pids.max": "5"}}),
    # the rest
    ("sysctls", {"linux.sysctl": {"net.ipv4.ip_forward": "1", "kernel.msgmax": "65536",
                                  "fs.mqueue.msg_max": "20"}}),
    ("network devices", {**NO_USER, "linux.netDevices": {"eth0": {"name": "e%d"}, "eth1": {}}}),
    ("resctrl", {"linux.intelRdt": {"closID": "c", "l3CacheSchema": "L3:0=f", "memBwSchema":
                                    "MB:0=50", "schemata": ["L2:0=1"],
                                    "enableMonitoring": True}}),
    ("resctrl without a class", {"linux.intelRdt": {"enableMonitoring": False}}),
    ("memory policy", {"linux.memoryPolicy": {"mode": "MPOL_INTERLEAVE", "nodes": "0-1",
                                              "flags": ["MPOL_F_STATIC_NODES"]}}),
    ("personality", {"linux.personality": {"domain": "LINUX32"}}),
    ("no filter", {"linux.seccomp": GONE}),
    ("a filter", {"linux.seccomp": {
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
        "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/run/l", "listenerMetadata": "m",
        "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_MASKED_EQ"}]},
            {"names": ["mount"], "action": "SCMP_ACT_NOTIFY"},
            {"names": ["open"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2}]}}),
    ("a filter with another receiver", {**NOTIFY, RECEIVER: "/run/a"}),
    ("a filter with the environment's receiver", NOTIFY),
    ("a receiver for nobody", {RECEIVER: "/run/a"}),
    ("a raw filter", {RAW: raw((0x20, 0, 0, 0), (0x15, 0, 1, 161), (6, 0, 0, 0x50001),
                               (6, 0, 0, 0x7fff0000)),
                      "linux.seccomp.flags": ["SECCOMP_FILTER_FLAG_LOG"]}),
    ("a raw filter alone", {RAW: raw((6, 0, 0, 0x7fff0000)), "linux.seccomp": GONE}),
    ("a raw filter that notifies", {RAW: raw((6, 0, 0, 0x7fc00000)), "linux.seccomp": GONE,
                                    RECEIVER: "/run/a"}),
    ("a raw filter that is none", {RAW: "AAAA"}),
    ("landlock", {"process.noNewPrivileges": True, 'annotations["run.cleat.landlock"]': json.dumps({
        "ruleset": {"handledAccessFS": ["execute", "read_dir", "refer", "ioctl_dev"],
                    "handledAccessNetwork": ["bind", "connect"]},
        "rules": {"pathBeneath": [{"allowedAccess": ["execute", "read_dir"],
                                   "paths": ["/bin", "/lib"]}],
                  "networkPort": [{"allowedAccess": ["connect"], "ports": [443, 80]}]},
        "disableBestEffort": True})}),
    ("core scheduling", {'annotations["run.cleat.coreScheduling"]': '{"create": true, "shareTo": 9}'}),
    ("core scheduling of another", {'annotations["run.cleat.coreScheduling"]': '{"shareFrom": 7}'}),
    ("annotations mean nothing", {"annotations": {"org.example.z": "1"}}),
]
