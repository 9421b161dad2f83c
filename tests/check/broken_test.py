#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `cleat check` says about configurations with one fault each: what, and where.

A row: what it breaks, changes to layout.BASE, the path that is named, words of the message,
and where the finding has to point: "" the value of the path, "key" its name, another path.
Of every row exactly that one error has to be found. REMARKS are errors for --strict only.

environment: CLEAT (the program, default ./cleat)
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from layout import BASE, GONE, edit, raw_filter, write  # noqa: E402

CLEAT = os.path.abspath(os.environ.get("CLEAT", "./cleat"))
ID = 4294967295
RULE = "linux.seccomp.syscalls[0]"
RAW = 'annotations["run.oci.seccomp_bpf_data"]'
RECEIVER = 'annotations["run.oci.seccomp.receiver"]'
KNOWN_ONLY = 'annotations["run.oci.seccomp_fail_unknown_syscall"]'
ALLOW, KILL, NOTIFY, LOAD, LOAD_BYTE = (raw_filter(CLEAT, i) for i in (
    (6, 0, 0, 0x7fff0000), (6, 0, 0, 0x80000000), (6, 0, 0, 0x7fc00000), (0x20, 0, 0, 0),
    (0x30, 0, 0, 0)))
LANDLOCK = 'annotations["run.cleat.landlock"]'
CORES = 'annotations["run.cleat.coreScheduling"]'
MOUNT = {"destination": "/x", "type": "tmpfs", "source": "tmpfs"}

# name, changes, path, words, place
ERRORS = [
    # the top
    ("no ociVersion", {"ociVersion": GONE}, "ociVersion", "required but missing", "."),
    ("a version that is none", {"ociVersion": "1.3"}, "ociVersion", "version", ""),
    ("a version with a letter", {"ociVersion": "v1.3.0"}, "ociVersion", "version", ""),
    ("the next major version", {"ociVersion": "2.0.0"}, "ociVersion", "2.0.0 is not supported, only 1.x", ""),
    ("a number for the version", {"ociVersion": 1.3}, "ociVersion", "expected a string", ""),
    ("no root", {"root": GONE}, "root", "missing", "."),
    ("no root, but a bind", {"root": GONE, "+mounts": {
        "destination": "/x", "source": "/srv", "options": ["bind"]}}, "root", "missing", "."),
    ("a root without a path", {"root.path": GONE}, "root.path", "required but missing", "root"),
    ("an empty root path", {"root.path": ""}, "root.path", "empty", ""),
    ("a root path that is too long", {"root.path": "/" + "r" * 4095}, "root.path", "too long", ""),
    ("a text for readonly", {"root.readonly": "yes"}, "root.readonly", "expected true or false", ""),
    ("a host name that is too long", {"hostname": "h" * 65}, "hostname", "longer than 64", ""),
    ("a domain name that is too long", {"domainname": "d" * 65}, "domainname", "longer than 64", ""),
    ("a host name as a list", {"hostname": ["box"]}, "hostname", "expected a string", ""),
    ("an annotation with a number", {"annotations.n": 1}, "annotations.n", "expected a string", ""),
    ("annotations as a list", {"annotations": []}, "annotations", "expected an object", ""),
    ("an annotation without a key", {'annotations[""]': "x"}, 'annotations[""]', "a name", "key"),
    ("hooks' output to a relative path", {'annotations["run.oci.hooks.stdout"]': "log"},
     'annotations["run.oci.hooks.stdout"]', "not an absolute path", ""),
    ("a cgroup that is not the container's", {'annotations["run.oci.delegate-cgroup"]': "a/../../b"},
     'annotations["run.oci.delegate-cgroup"]', "lead out", ""),
    ("a delegated cgroup without a namespace", {
        'annotations["run.oci.delegate-cgroup"]': "a", "linux.namespaces[5]": GONE},
     'annotations["run.oci.delegate-cgroup"]', "needs a new cgroup namespace", ""),
    ("name=systemd with a user namespace", {
        'annotations["run.oci.systemd.force_cgroup_v1"]': "/dev"},
     'annotations["run.oci.systemd.force_cgroup_v1"]', "goes with no user namespace", ""),
    ("name=systemd where nothing is mounted", {
        'annotations["run.oci.systemd.force_cgroup_v1"]': "/a"},
     'annotations["run.oci.systemd.force_cgroup_v1"]', "nothing is mounted on '/a'", ""),
    ("a handler that is not there", {'annotations["run.oci.handler"]': "krun"},
     'annotations["run.oci.handler"]', "'krun' is not available", ""),
    ("mounts as an object", {"mounts": {}}, "mounts", "expected an array", ""),
    ("hooks as a list", {"hooks": []}, "hooks", "expected an object", ""),
    ("linux as a text", {"linux": "yes"}, "linux", "expected an object", ""),
    ("process as null in a list", {"mounts[1]": None}, "mounts[1]", "found null", ""),
    # process
    ("no arguments", {"process.args": []}, "process.args", "empty", ""),
    ("arguments that are missing", {"process.args": GONE}, "process.args", "missing", "process"),
    ("a number among the arguments", {"+process.args": 7}, "process.args[1]",
     "expected a string, found 7", ""),
    ("arguments as a text", {"process.args": "sh"}, "process.args", "expected an array", ""),
    ("no cwd", {"process.cwd": GONE}, "process.cwd", "required but missing", "process"),
    ("a relative cwd", {"process.cwd": "tmp"}, "process.cwd", "absolute path", ""),
    ("an empty cwd", {"process.cwd": ""}, "process.cwd", "absolute path", ""),
    ("a cwd that is too long", {"process.cwd": "/" + "c" * 4095}, "process.cwd", "too long", ""),
    ("a variable without '='", {"+process.env": "SECRET"}, "process.env[1]", "NAME=value", ""),
    ("a variable without a name", {"+process.env": "=x"}, "process.env[1]", "NAME=value", ""),
    ("a negative uid", {"process.user.uid": -1}, "process.user.uid", "from 0 to 4294967295", ""),
    ("the uid that is none", {"process.user.uid": ID}, "process.user.uid", "is no id", ""),
    ("a gid beyond 32 bits", {"process.user.gid": ID + 1}, "process.user.gid", "from 0 to", ""),
    ("a gid with a fraction", {"process.user.gid": 1.5}, "process.user.gid", "fraction", ""),
    ("a umask of too many bits", {"process.user.umask": 512}, "process.user.umask", "0777", ""),
    ("a group that is none", {"process.user.additionalGids": [1, ID]},
     "process.user.additionalGids[1]", "is no id", ""),
    ("more groups than there may be", {"process.user.additionalGids": [*range(65537)]},
     "process.user.additionalGids", "more than 65536", ""),
    ("an unknown limit", {"process.rlimits[0].type": "RLIMIT_FOO"}, "process.rlimits[0].type",
     "RLIMIT_FOO", ""),
    ("a limit twice", {"+process.rlimits": {"type": "RLIMIT_NOFILE", "soft": 1, "hard": 1}},
     "process.rlimits[1]", "a second RLIMIT_NOFILE", ""),
    ("a soft limit above the hard one", {"process.rlimits[0].soft": 65}, "process.rlimits[0]",
     "soft 65 is above hard 64", ""),
    ("a limit without hard", {"process.rlimits[0].hard": GONE}, "process.rlimits[0].hard",
     "required but missing", "process.rlimits[0]"),
    ("a limit of -1", {"process.rlimits[0].soft": -1}, "process.rlimits[0].soft", "from 0 to", ""),
    ("oomScoreAdj above", {"process.oomScoreAdj": 1001}, "process.oomScoreAdj", "-1000..1000", ""),
    ("oomScoreAdj below", {"process.oomScoreAdj": -1001}, "process.oomScoreAdj", "-1000..1000", ""),
    ("a console that is too large", {"process.terminal": True, "process.consoleSize": {
        "height": 70000, "width": 80}}, "process.consoleSize", "too large", ""),
    ("a console without width", {"process.consoleSize": {"height": 24}},
     "process.consoleSize.width", "required but missing", "process.consoleSize"),
    ("capabilities as a list", {"process.capabilities": ["CAP_KILL"]}, "process.capabilities",
     "expected an object", ""),
    ("an unknown scheduler", {"process.scheduler": {"policy": "SCHED_IDEL"}},
     "process.scheduler.policy", "SCHED_IDLE", ""),
    ("a scheduler without policy", {"process.scheduler": {"nice": 1}}, "process.scheduler.policy",
     "required but missing", "process.scheduler"),
    ("a nice value out of range", {"process.scheduler": {"policy": "SCHED_OTHER", "nice": 20}},
     "process.scheduler.nice", "-20..19", ""),
    ("a priority for the wrong policy", {"process.scheduler": {"policy": "SCHED_BATCH",
     "priority": 3}}, "process.scheduler.priority", "SCHED_FIFO", ""),
    ("a runtime for the wrong policy", {"process.scheduler": {"policy": "SCHED_OTHER",
     "runtime": 3}}, "process.scheduler", "SCHED_DEADLINE", ""),
    ("an unknown flag of the scheduler", {"process.scheduler": {"policy": "SCHED_OTHER",
     "flags": ["SCHED_FLAG_X"]}}, "process.scheduler.flags[0]", "SCHED_FLAG_X", ""),
    ("an unknown io class", {"process.ioPriority": {"class": "RT", "priority": 1}},
     "process.ioPriority.class", "RT", ""),
    ("an io priority out of range", {"process.ioPriority": {"class": "IOPRIO_CLASS_BE",
     "priority": 8}}, "process.ioPriority.priority", "0..7", ""),
    # mounts
    ("a mount without destination", {"+mounts": {"type": "tmpfs", "source": "x"}},
     "mounts[3].destination", "required but missing", "mounts[3]"),
    ("an empty destination", {"mounts[1].destination": ""}, "mounts[1].destination",
     "absolute path", ""),
    ("a bind without source", {"mounts[2].source": GONE}, "mounts[2]", "needs a source", ""),
    ("a mount without type", {"mounts[1].type": GONE}, "mounts[1]", "needs a type", ""),
    ("an option that is no text", {"+mounts[1].options": 1}, "mounts[1].options[1]",
     "expected a string", ""),
    ("data for a bind", {"+mounts[2].options": "size=1"}, "mounts[2].options[2]",
     "'size' is no option of a bind", ""),
    ("a slip among the options of a bind", {"+mounts[2].options": "nosiud"},
     "mounts[2].options[2]", "'nosuid' is meant", ""),
    ("a mount inside /proc", {"+mounts": {**MOUNT, "destination": "/proc/foo"}}, "mounts[3]",
     "inside /proc", ""),
    ("one kind of mapping only", {"mounts[2].uidMappings": [{"containerID": 0, "hostID": 1,
     "size": 1}]}, "mounts[2]", "uidMappings and gidMappings", ""),
    ("an idmap without mappings", {"linux.namespaces[6]": GONE, "linux.uidMappings": GONE,
     "linux.gidMappings": GONE, "+mounts[2].options": "idmap"}, "mounts[2]", "has mappings", ""),
    ("tmpcopyup for another type", {"mounts[0].options": ["tmpcopyup"]}, "mounts[0]",
     "tmpfs only", ""),
    ("an owner that is not mapped", {"+mounts[1].options": "uid=70000"}, "mounts[1]",
     "not mapped", ""),
    ("a bind on a path that is no text", {"mounts[2].source": 3}, "mounts[2].source",
     "expected a string", ""),
    # hooks
    ("a hook without path", {"hooks.createRuntime[0].path": GONE}, "hooks.createRuntime[0].path",
     "required but missing", "hooks.createRuntime[0]"),
    ("a hook with a relative path", {"hooks.createRuntime[0].path": "true"},
     "hooks.createRuntime[0].path", "absolute path", ""),
    ("a hook with a timeout of 0", {"hooks.createRuntime[0].timeout": 0},
     "hooks.createRuntime[0].timeout", "", ""),
    ("a hook with a negative timeout", {"hooks.createRuntime[0].timeout": -1},
     "hooks.createRuntime[0].timeout", "", ""),
    ("a hook as a text", {"hooks.poststop": ["/bin/true"]}, "hooks.poststop[0]",
     "expected an object", ""),
    # namespaces and mappings
    ("an unknown namespace", {"linux.namespaces[0].type": "pidd"}, "linux.namespaces[0].type",
     "'pid' is meant", ""),
    ("a namespace twice", {"+linux.namespaces": {"type": "ipc"}}, "linux.namespaces[7]",
     "a second 'ipc'", ""),
    ("a namespace with a relative path", {"linux.namespaces[2].path": "ns/net"},
     "linux.namespaces[2].path", "absolute", ""),
    ("a namespace without type", {"linux.namespaces[0].type": GONE}, "linux.namespaces[0].type",
     "required but missing", "linux.namespaces[0]"),
    ("mappings without a user namespace", {"linux.namespaces[6]": GONE}, "linux.uidMappings",
     "needs a user namespace", ""),
    ("a user namespace without mappings", {"linux.uidMappings": GONE, "linux.gidMappings": GONE},
     "linux.uidMappings", "needs uidMappings", "linux"),
    ("a user namespace with half of its mappings", {"linux.gidMappings": GONE},
     "linux.gidMappings", "needs uidMappings and gidMappings", "linux"),
    ("a mapping of nothing", {"linux.uidMappings[0].size": 0}, "linux.uidMappings[0]",
     "size of 0", ""),
    ("a mapping beyond the last id", {"linux.gidMappings[0].size": 4294967290},
     "linux.gidMappings[0]", "makes no range", ""),
    ("an id mapped twice", {"+linux.uidMappings": {"containerID": 9, "hostID": 7, "size": 1}},
     "linux.uidMappings", "containerID 9 is mapped twice", ""),
    ("a mapping without hostID", {"linux.uidMappings[0].hostID": GONE},
     "linux.uidMappings[0].hostID", "required but missing", "linux.uidMappings[0]"),
    ("a host name without a uts namespace", {"linux.namespaces[4]": GONE}, "hostname",
     "needs a uts namespace", ""),
    ("time offsets without a time namespace", {"linux.timeOffsets": {"boottime": {"secs": 1}}},
     "linux.timeOffsets", "time namespace", ""),
    ("a second of nanoseconds", {"linux.timeOffsets": {"boottime": {"nanosecs": 1000000000}},
     "+linux.namespaces": {"type": "time"}}, "linux.timeOffsets.boottime.nanosecs", "second", ""),
    # devices
    ("a device without minor", {"linux.devices[0].minor": GONE}, "linux.devices[0]",
     "needs minor", ""),
    ("a device with a relative path", {"linux.devices[0].path": "tun"}, "linux.devices[0].path",
     "absolute", ""),
    ("a device outside", {"linux.devices[0].path": "/dev/../x"}, "linux.devices[0].path", "..", ""),
    ("a device with a large number", {"linux.devices[0].major": 4096}, "linux.devices[0]",
     "there is no device 4096:200", ""),
    ("an unknown type of device", {"linux.devices[0].type": "x"}, "linux.devices[0].type", "x", ""),
    ("two devices at one place", {"+linux.devices": {"path": "/dev/net/tun", "type": "p"}},
     "linux.devices[1]", "another device", ""),
    ("a device without type", {"linux.devices[0].type": GONE}, "linux.devices[0].type",
     "required but missing", "linux.devices[0]"),
    # resources
    ("a device rule without allow", {"+linux.resources.devices": {"access": "r"}},
     "linux.resources.devices[1].allow", "required but missing", "linux.resources.devices[1]"),
    ("a device rule of an unknown type", {"+linux.resources.devices": {"allow": True, "type": "x"}},
     "linux.resources.devices[1].type", "x", ""),
    ("a device rule with unknown rights", {"+linux.resources.devices": {"allow": True,
     "access": "rx"}}, "linux.resources.devices[1].access", "r, w, m", ""),
    ("a swap limit below the memory's", {"linux.resources.memory.swap": 1024},
     "linux.resources.memory.swap", "", ""),
    ("a memory limit as a text", {"linux.resources.memory.limit": "64M"},
     "linux.resources.memory.limit", "expected an integer", ""),
    ("a burst above the quota", {"linux.resources.cpu.burst": 60000}, "linux.resources.cpu.burst",
     "above the quota", ""),
    ("negative shares", {"linux.resources.cpu.shares": -1}, "linux.resources.cpu.shares",
     "from 0 to", ""),
    ("a pids limit with a fraction", {"linux.resources.pids.limit": 1.5},
     "linux.resources.pids.limit", "fraction", ""),
    ("a page size of another form", {"linux.resources.hugepageLimits": [{"pageSize": "2M",
     "limit": 1}]}, "linux.resources.hugepageLimits[0].pageSize", "2M", ""),
    ("a page limit without limit", {"linux.resources.hugepageLimits": [{"pageSize": "2MB"}]},
     "linux.resources.hugepageLimits[0].limit", "required but missing",
     "linux.resources.hugepageLimits[0]"),
    ("a unified file with a slash", {"linux.resources.unified": {"../x": "1"}},
     "linux.resources.unified", "no name of a cgroup file", 'linux.resources.unified["../x"]'),
    ("a unified file that is no resource", {"linux.resources.unified": {"cgroup.procs": "1"}},
     "linux.resources.unified", "is not a resource",
     'linux.resources.unified["cgroup.procs"]'),
    # the rest of linux
    ("a sysctl of the host", {'linux.sysctl["kernel.panic"]': "1"}, "linux.sysctl",
     "not kept apart", 'linux.sysctl["kernel.panic"]'),
    ("a sysctl without its namespace", {"linux.namespaces[2]": GONE}, "linux.sysctl",
     "needs a network namespace", 'linux.sysctl["net.ipv4.ip_forward"]'),
    ("the host name as a sysctl", {'linux.sysctl["kernel.hostname"]': "x"}, "linux.sysctl",
     "set by hostname", 'linux.sysctl["kernel.hostname"]'),
    ("an unknown propagation", {"linux.rootfsPropagation": "slaves"}, "linux.rootfsPropagation",
     "'slave' is meant", ""),
    ("a masked path that is relative", {"+linux.maskedPaths": "proc"}, "linux.maskedPaths[1]",
     "absolute", ""),
    ("a read-only path that is relative", {"+linux.readonlyPaths": "x"}, "linux.readonlyPaths[1]",
     "absolute", ""),
    ("a masked path that the host would lose", {
        "linux.rootfsPropagation": "rshared", "+linux.maskedPaths": "/x/y",
        "+mounts": {"destination": "/x", "type": "bind", "source": "/tmp",
                    "options": ["rbind", "rshared"]}}, "linux.maskedPaths[1]",
     "which is shared with the host", ""),
    ("the root as a masked path", {"+linux.maskedPaths": "/"}, "linux.maskedPaths[1]",
     "cannot be the root", ""),
    ("an unknown personality", {"linux.personality": {"domain": "LINUX64"}},
     "linux.personality.domain", "LINUX64", ""),
    ("an unknown memory policy", {"linux.memoryPolicy": {"mode": "MPOL_X", "nodes": "0"}},
     "linux.memoryPolicy.mode", "MPOL_X", ""),
    # seccomp
    ("a filter without default", {"linux.seccomp.defaultAction": GONE},
     "linux.seccomp.defaultAction", "required but missing", "linux.seccomp"),
    ("an unknown default action", {"linux.seccomp.defaultAction": "SCMP_ACT_ALOW"},
     "linux.seccomp.defaultAction", "'SCMP_ACT_ALLOW' is meant", ""),
    ("an unknown action", {RULE + ".action": "SCMP_ACT_LOGG"}, RULE + ".action",
     "'SCMP_ACT_LOG' is meant", ""),
    ("an unknown architecture", {"+linux.seccomp.architectures": "SCMP_ARCH_VAX"},
     "linux.seccomp.architectures[1]", "SCMP_ARCH_VAX", ""),
    ("an unknown flag", {"linux.seccomp.flags": ["SECCOMP_FILTER_FLAG_X"]},
     "linux.seccomp.flags[0]", "SECCOMP_FILTER_FLAG_X", ""),
    ("an errno for an action without", {RULE + ".errnoRet": 1}, RULE + ".action",
     "takes no errno", ""),
    ("a seventh argument", {RULE + ".args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]},
     RULE + ".args[0].index", "0 to 5", ""),
    ("an unknown comparison", {RULE + ".args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQU"}]},
     RULE + ".args[0].op", "'SCMP_CMP_EQ' is meant", ""),
    ("a rule without names", {RULE + ".names": []}, RULE + ".names", "at least 1", ""),
    ("a rule without action", {RULE + ".action": GONE}, RULE + ".action", "required but missing",
     RULE),
    ("metadata without a listener", {"linux.seccomp.listenerMetadata": "x"},
     "linux.seccomp.listenerMetadata", "listenerPath", ""),
    ("a notification without a listener", {RULE + ".action": "SCMP_ACT_NOTIFY", RULE + ".names":
     ["read"]}, "linux.seccomp.listenerPath", "SCMP_ACT_NOTIFY", "linux.seccomp"),
    ("a relative receiver", {RECEIVER: "agent.sock"}, RECEIVER, "not an absolute path", ""),
    ("an empty receiver", {RECEIVER: ""}, RECEIVER, "not an absolute path", ""),
    ("a call that nobody knows", {KNOWN_ONLY: "1", "+" + RULE + ".names": "no_such_call"},
     RULE + ".names[4]", "libseccomp knows no system call 'no_such_call'", ""),
    ("a slip in the name of a call that must be known", {KNOWN_ONLY: "1", "+" + RULE + ".names":
     "unshrae"}, RULE + ".names[4]", "perhaps 'unshare' is meant", ""),
    ("a raw filter that is no base64", {RAW: "BgAAAAAA_38="}, RAW, "not base64", ""),
    ("a raw filter of no instructions", {RAW: ""}, RAW, "1 to 4096 instructions, not 0", ""),
    ("half an instruction", {RAW: "BgAAAA=="}, RAW, "4 bytes are no instructions", ""),
    ("an instruction that seccomp does not take", {RAW: LOAD_BYTE}, RAW,
     "instruction 0: the code 0x30", ""),
    ("a raw filter that leads out", {RAW: LOAD}, RAW, "leads out of the filter", ""),
    ("a raw filter that notifies nobody", {RAW: NOTIFY}, RAW, "SECCOMP_RET_USER_NOTIF", ""),
    # what is to come
    ("a landlock annotation that is no JSON", {"process.noNewPrivileges": True, LANDLOCK: "{"},
     LANDLOCK, "1:2", ""),
    ("a landlock access that there is not", {"process.noNewPrivileges": True,
     LANDLOCK: '{"ruleset": {"handledAccessFS": ["exekute"]}}'}, LANDLOCK, "exekute", ""),
    ("landlock without no_new_privs", {LANDLOCK: '{"ruleset": {"handledAccessFS": ["execute"]}}'},
     LANDLOCK, "process.noNewPrivileges", ""),
    ("landlock of nothing", {"process.noNewPrivileges": True, LANDLOCK: '{"ruleset": {}}'},
     LANDLOCK, "no access is handled", ""),
    ("landlock with a relative path", {"process.noNewPrivileges": True, LANDLOCK:
     '{"ruleset": {"handledAccessFS": ["execute"]}, "rules": {"pathBeneath": ['
     '{"allowedAccess": ["execute"], "paths": ["bin"]}]}}'}, LANDLOCK, "'bin' is not absolute", ""),
    ("core scheduling with a text", {CORES: '{"create": "yes"}'}, CORES, "true or false", ""),
    ("core scheduling new and old", {CORES: '{"create": true, "shareFrom": 1}'}, CORES,
     "both create and shareFrom", ""),
    # network devices
    ("a network device with a bad name", {"linux.netDevices": {"a b": {}}}, "linux.netDevices",
     "'a b'", 'linux.netDevices["a b"]'),
    ("a network device renamed badly", {"linux.netDevices": {"eth0": {"name": "a/b"}}},
     "linux.netDevices.eth0.name", "'a/b'", ""),
    ("two network devices of one name", {"linux.netDevices": {"eth0": {"name": "x"}, "x": {}}},
     "linux.netDevices", "both be named", "linux.netDevices.eth0"),
]

# errors for --strict, else warnings
REMARKS = [
    ("an unknown property", {"hostnme": "x"}, "hostnme", "'hostname' is meant", "key"),
    ("one deep inside", {"linux.resources.memory.limt": 1}, "linux.resources.memory.limt",
     "'limit' is meant", "key"),
    ("one that nothing resembles", {"process.zzz": {"a": [1]}}, "process.zzz", "no property", "key"),
    ("an unknown capability", {"+process.capabilities.bounding": "CAP_KIL"},
     "process.capabilities.bounding[1]", "'CAP_KILL' is meant", ""),
    ("a mount twice", {"+mounts": {**MOUNT, "destination": "/dev"}}, "mounts[3].destination",
     "mounted by mounts[1]", ""),
    ("a slip among the options", {"+mounts[1].options": "nosiud"}, "mounts[1].options[1]",
     "'nosiud' is no option of tmpfs, perhaps 'nosuid' is meant", ""),
    ("a slip among the data", {"+mounts[1].options": "mode=755,isze=1k"}, "mounts[1].options[1]",
     "'isze' is no option of tmpfs, perhaps 'size' is meant", ""),
    ("data for a file system without", {"mounts[0].options": ["nosuid", "hidepids=2"]},
     "mounts[0].options[1]", "'hidepids' is no option of proc, perhaps 'hidepid' is meant", ""),
    ("a filter without execve that kills", {"linux.seccomp.defaultAction": "SCMP_ACT_KILL",
     RULE + ".names": ["read", "exit_group"]}, "linux.seccomp", "no program can be run", ""),
    ("a filter that traps execve", {"+linux.seccomp.syscalls": {"names": ["clone", "execve"],
     "action": "SCMP_ACT_TRAP"}, RULE + ".names": ["read"]}, "linux.seccomp",
     "no program can be run", ""),
    ("a slip in the name of a call", {"+" + RULE + ".names": "unshrae"}, RULE + ".names[4]",
     "'unshrae' is known, perhaps 'unshare' is meant", ""),
    ("an empty option", {"+mounts[1].options": ""}, "mounts[1].options[1]", "empty", ""),
    ("opposite options", {"+mounts[2].options": "rw"}, "mounts[2].options", "both 'ro'", ""),
    ("a relative destination", {"mounts[1].destination": "dev"}, "mounts[1].destination",
     "absolute", ""),
    ("a console without a terminal", {"process.consoleSize": {"height": 24, "width": 80}},
     "process.consoleSize", "no terminal", ""),
    ("a variable twice", {"+process.env": "PATH=/x"}, "process.env[1]", "'PATH' is set", ""),
    ("a hook that is deprecated", {"hooks.prestart": [{"path": "/bin/true"}]}, "hooks.prestart",
     "deprecated", ""),
    ("flags of a personality", {"linux.personality": {"domain": "LINUX", "flags": ["X"]}},
     "linux.personality.flags", "none is defined", ""),
    ("kernel memory", {"linux.resources.memory.kernel": 1}, "linux.resources.memory.kernel",
     "is ignored", ""),
    ("a listener for nobody", {"linux.seccomp.listenerPath": "/run/x.sock"},
     "linux.seccomp.listenerPath", "SCMP_ACT_NOTIFY", ""),
    ("an annotation with a listener for nobody", {RECEIVER: "/run/x.sock"}, RECEIVER,
     "SCMP_ACT_NOTIFY", ""),
    ("an annotation with another listener", {RECEIVER: "/run/x.sock", "linux.seccomp.listenerPath":
     "/run/y.sock", RULE + ".action": "SCMP_ACT_NOTIFY", RULE + ".names": ["read"]}, RECEIVER,
     "listenerPath is set", ""),
    ("rules beside a raw filter", {RAW: ALLOW}, "linux.seccomp.syscalls", RAW, ""),
    ("a raw filter with a listener for nobody", {RAW: ALLOW, RECEIVER: "/run/x.sock",
     "linux.seccomp": GONE}, RAW, "never asks", ""),
    ("a raw filter that kills", {RAW: KILL, "linux.seccomp": GONE}, RAW,
     "no program can be run", ""),
    ("a masked path twice", {"+linux.maskedPaths": "/proc/kcore"}, "linux.maskedPaths[1]",
     "there already", ""),
    ("another platform", {"windows": {}}, "windows", "another platform", ""),
    ("the bits of a file type", {"linux.devices[0].fileMode": 8630}, "linux.devices[0].fileMode",
     "", ""),
    ("an ambient capability that is not inheritable", {"process.capabilities.ambient":
     ["CAP_KILL"]}, "process.capabilities.ambient[0]", "not inheritable", ""),
    ("an old version", {"ociVersion": "0.9.0"}, "ociVersion", "older", ""),
    ("a command line", {"process.commandLine": "sh"}, "process.commandLine", "Windows", ""),
    ("a name for the user", {"process.user.username": "root"}, "process.user.username",
     "Windows", ""),
]

results = []


def check(directory, changes, strict=False):
    text, values, keys = write(edit(BASE, changes))
    path = os.path.join(directory, "c.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    r = subprocess.run([CLEAT, "check"] + ["--strict"] * strict + [path], capture_output=True,
                       encoding="utf-8", timeout=60, check=False)
    found = re.findall(r"^.*?c\.json:(\d+):(\d+): (\w+): (.*)$", r.stdout, re.M)
    return r, [((int(line), int(column)), kind, text) for line, column, kind, text in found], \
        values, keys


def fault_of(directory, row, strict):
    _, changes, path, words, where = row
    r, found, values, keys = check(directory, changes, strict)
    shown = r.stdout + r.stderr
    errors = [f for f in found if f[1] == "error"]
    if r.returncode != 1 or len(errors) != 1:
        return f"status {r.returncode}, not one error:\n{shown}"
    place, _, text = errors[0]
    if not text.startswith(path) or words not in text:
        return f"not '{path}', '{words}':\n{shown}"
    want = keys[path] if where == "key" else values[where.strip(".") if where else path]
    return "" if place == want else f"at {place}, not {want}:\n{shown}"


def warns_only(directory, row):
    r, found, _, _ = check(directory, row[1])
    if r.returncode or not found or any(kind != "warning" for _, kind, _ in found):
        return f"status {r.returncode}, not only warnings:\n{r.stdout}{r.stderr}"
    return ""


def report(name, fault):
    results.append(not fault)
    print(f"{'not ' if fault else ''}ok {len(results)} - {name}")
    for line in fault.splitlines():
        print("# " + line)


def together(row):
    """Of FAR, what is about other objects than the row: (changes, paths that must be told)."""
    changes, want = dict(row[1]), []
    touched = [path.lstrip("+") for path in changes]
    for _, more, path, _, _ in [r for r in ERRORS + REMARKS if r[0] in FAR]:
        if not any(is_near(a, b.lstrip("+")) for a in touched for b in more):
            changes.update(more)
            want.append(path)
    return changes, want


def is_near(a, b):
    """Is one in the object or list of the other?"""
    def around(path):
        return path[:max(path.rfind("."), path.rfind("["), 0)]
    return any(x == y or (x + ".").startswith(y + ".") or x.startswith(y + "[")
               for x, y in ((a, b), (b, a))) or (around(a) == around(b) != "")


# one of each room, none of which is about namespaces
FAR = ["an unknown capability", "a limit twice", "a priority for the wrong policy",
       "tmpcopyup for another type", "a device outside", "a device rule with unknown rights",
       "a burst above the quota", "a sysctl of the host", "the root as a masked path",
       "a seventh argument", "two network devices of one name", "a landlock annotation that is no "
       "JSON", "a hook with a timeout of 0", "kernel memory", "one that nothing resembles"]


def beside_others(directory, row):
    """A fault, of the form of a value too, hides nothing that is wrong elsewhere."""
    changes, want = together(row)
    _, found, _, _ = check(directory, changes)
    missing = [p for p in [row[2], *want] if not any(text.startswith(p) for _, _, text in found)]
    return f"not told: {missing} of {want} in\n" + "\n".join(f[2] for f in found) if missing else ""


def paths_of(value, path=""):
    """All places in a configuration, outermost first."""
    yield path
    for key, item in value.items() if isinstance(value, dict) else \
            enumerate(value) if isinstance(value, list) else ():
        if not isinstance(key, str):
            yield from paths_of(item, f"{path}[{key}]")
        elif "." in key:
            yield from paths_of(item, f"{path}[{json.dumps(key)}]")
        else:
            yield from paths_of(item, f"{path}.{key}".lstrip("."))


def survives(directory):
    """Whatever stands in whatever place, there is a verdict, and no fault without a place."""
    fault = ""
    for path in list(paths_of(BASE))[1:]:
        for wrong in (7, "", [None, 7, "", {}], {"x": 7}):
            r, found, _, _ = check(directory, {path: wrong}, True)
            errors = [f for f in found if f[1] == "error"]
            if r.returncode not in (0, 1) or bool(errors) != (r.returncode == 1):
                fault += f"{path}: {wrong!r}: status {r.returncode}\n{r.stdout}{r.stderr}"
    return fault


def all_at_once(directory):
    """Faults of different rooms in one text: each is told."""
    changes, want = {}, set()
    for name, change, path, _, _ in ERRORS:
        if name in ("a relative cwd", "a limit twice", "a mount inside /proc", "data for a bind",
                    "a namespace twice", "a device without minor", "a sysctl of the host",
                    "a hook with a timeout of 0", "an unknown action", "a burst above the quota",
                    "two network devices of one name", "oomScoreAdj above"):
            changes.update(change)
            want.add(path)
    r, found, _, _ = check(directory, changes)
    missing = [p for p in want if not any(text.startswith(p) for _, kind, text in found
                                          if kind == "error")]
    return f"not told: {missing}\n{r.stdout}" if missing else ""


def more_than_are_listed(directory):
    """A thousand, and one line for the rest, which is an error if one of the rest is."""
    unlisted = r"up to \d+ more findings are not listed$"
    fault = ""
    for name, changes, status in (
            ("errors", {"process.env": [f"V{i}" for i in range(3000)]}, 1),
            ("errors of the checks alone", {"linux.maskedPaths": ["x"] * 3000}, 1),
            ("remarks", {"root": {"path": "r", **{f"z{i}": 1 for i in range(1500)}}}, 0),
            ("an error behind remarks", {
                "root": {"path": "r", **{f"z{i}": 1 for i in range(1500)}},
                "process.user.uid": "x"}, 1),
            ("a check's error behind remarks", {
                "root": {"path": "r", **{f"z{i}": 1 for i in range(1500)}},
                "process.oomScoreAdj": 1001}, 1)):
        r, found, _, _ = check(directory, changes)
        kind = "error" if status else "warning"
        if r.returncode != status or len(found) != 1001 or found[-1][1] != kind or \
                not re.match(unlisted, found[-1][2]):
            fault += f"{name}: status {r.returncode}, {len(found)} findings, at last {found[-1:]}\n"
    return fault


def main():
    with tempfile.TemporaryDirectory() as directory:
        r, found, _, _ = check(directory, {}, strict=True)
        report("the base is right", "" if r.returncode == 0 and not found else r.stdout + r.stderr)
        for row in ERRORS:
            report(row[0], fault_of(directory, row, False) or beside_others(directory, row))
        for row in REMARKS:
            report(row[0], warns_only(directory, row) or fault_of(directory, row, True))
        report("all at once", all_at_once(directory))
        report("any value in any place", survives(directory))
        report("more than are listed", more_than_are_listed(directory))
        r, _, _, _ = check(directory, {"+process.env": "hunter2"})
        r, found, _, _ = check(directory, {
            "root.path": "/" + "r" * 4094, "process.cwd": "/" + "c" * 4094,
            "process.user.additionalGids": [*range(65536)]}, True)
        report("as much as there may be",
               "" if r.returncode == 0 and not found else r.stdout + r.stderr)
        r, found, _, _ = check(directory, {"+" + RULE + ".names": "openat3", "+mounts": {
            "destination": "/x", "type": "ext4", "source": "x", "options": ["nosiud"]}}, True)
        report("a call to come, and what is another's to know, are no slips",
               "" if r.returncode == 0 and not found else r.stdout + r.stderr)
        report("secrets are not told", r.stdout if "hunter2" in r.stdout else "")
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
