# SPDX-License-Identifier: Apache-2.0
"""The configuration that every case starts from, and how it is changed."""
import copy

from frame.case import DELETE

CAPABILITIES = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE
SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE""".split()

DEFAULT_CAPABILITIES = """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP
SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE""".split()


def mask(*names):
    """Capabilities without CAP_ as the bits of a set."""
    return sum(1 << CAPABILITIES.index(n) for n in names)


def caps(*names, sets=("bounding", "effective", "permitted")):
    """A capabilities object with @names in @sets."""
    return {s: ["CAP_" + n for n in names] for s in sets}


DEFAULT_MASK = mask(*DEFAULT_CAPABILITIES)

PROC = {"destination": "/proc", "type": "proc", "source": "proc"}
DEV = {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
       "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]}
PTS = {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
       "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]}
SHM = {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
       "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]}
MQUEUE = {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
          "options": ["nosuid", "noexec", "nodev"]}
SYS = {"destination": "/sys", "type": "sysfs", "source": "sysfs",
       "options": ["nosuid", "noexec", "nodev", "ro"]}
CGROUP = {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
          "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}

NAMESPACES = ("pid", "network", "ipc", "uts", "mount", "cgroup")
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
          "/proc/timer_list", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def namespaces(*names):
    return [{"type": n} for n in names]


def user_namespace(uids=((0, 100000, 65536),), gids=None):
    """Changes that put the container into a user namespace with these mappings."""
    def maps(rows):
        return [{"containerID": c, "hostID": h, "size": n} for c, h, n in rows]
    return {
        "linux.namespaces": namespaces(*NAMESPACES, "user"),
        "linux.uidMappings": maps(uids),
        "linux.gidMappings": maps(uids if gids is None else gids),
    }


def default(name):
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": ["/probe"],
            "env": ["PATH=/bin:/usr/bin:/", "TERM=xterm"],
            "cwd": "/",
            "capabilities": caps(*DEFAULT_CAPABILITIES),
        },
        "root": {"path": "rootfs"},
        "hostname": "inside",
        "mounts": copy.deepcopy([PROC, DEV, PTS, SHM, MQUEUE, SYS, CGROUP]),
        "linux": {
            "cgroupsPath": "/" + name,
            "namespaces": namespaces(*NAMESPACES),
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            "maskedPaths": list(MASKED),
            "readonlyPaths": list(READONLY),
        },
    }


def change(config, path, value):
    """Set what is at the dotted @path; "+path" adds the elements of a list; DELETE removes."""
    add = path.startswith("+")
    *parents, last = path.lstrip("+").split(".")
    for name in parents:
        config = config.setdefault(name, {})
    if value is DELETE:
        config.pop(last, None)
    elif add:
        config.setdefault(last, []).extend(copy.deepcopy(value))
    else:
        config[last] = copy.deepcopy(value)


def remove_mount(config, destination):
    config["mounts"] = [m for m in config["mounts"] if m["destination"] != destination]
