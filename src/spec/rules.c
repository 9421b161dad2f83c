/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules - what the specification says about each property, in short
 *
 * For people who read what `check` found. A row stands for its path and all below it that
 * has no row of its own; indexes and keys of maps are not part of a row.
 */
#include "base/str.h"
#include "spec/spec.h"

struct rule {
	const char *path, *text;
};

#define C "config.md, "
#define L "config-linux.md, "

static const struct rule rules[] = {
	{ "ociVersion", C "Specification version: required, in SemVer 2.0.0 form" },
	{ "root", C "Root: required on all platforms but Windows and Hyper-V" },
	{ "root.path", C "Root: required; a directory must exist there" },
	{ "mounts", C "Mounts: a list in the order in which they are to be mounted" },
	{ "mounts.destination", C "Mounts: required, an absolute path in the container" },
	{ "mounts.source", C "Mounts: an absolute path or relative to the bundle" },
	{ "mounts.type", C "Mounts: a file system of the kernel; binds go by their options" },
	{ "mounts.options",
	  C "Linux mount options: words of mount(8), else data of the file system" },
	{ "mounts.uidMappings", C "Linux mount options, idmap: both mappings or none" },
	{ "mounts.gidMappings", C "Linux mount options, idmap: both mappings or none" },
	{ "process", C "Process: required when start is called" },
	{ "process.terminal", C "Process: whether there is a terminal, false by default" },
	{ "process.consoleSize",
	  C "Process: height and width are required, ignored without a terminal" },
	{ "process.cwd", C "Process: required, must be an absolute path" },
	{ "process.env", C "Process: as environ(7), NAME=value" },
	{ "process.args", C "POSIX process: at least one entry, as argv of execvp" },
	{ "process.commandLine", C "Windows process: replaces args on Windows" },
	{ "process.rlimits", C "POSIX process: one entry a type, or an error must be generated" },
	{ "process.rlimits.type", C "POSIX process: required, one of getrlimit(2), RLIMIT_*" },
	{ "process.rlimits.soft", C "POSIX process: required, at most the hard limit" },
	{ "process.rlimits.hard", C "POSIX process: required" },
	{ "process.apparmorProfile", C "Linux process: name of the profile" },
	{ "process.capabilities",
	  C "Linux process: names of capabilities(7); what cannot be granted is a warning" },
	{ "process.noNewPrivileges", C "Linux process: true prevents gaining privileges" },
	{ "process.oomScoreAdj", C "Linux process: as /proc/PID/oom_score_adj, -1000 to 1000" },
	{ "process.scheduler", C "Linux process, scheduler: as sched_setattr(2)" },
	{ "process.scheduler.policy", C "Linux process, scheduler: required, SCHED_*" },
	{ "process.scheduler.nice",
	  C "Linux process, scheduler: for SCHED_OTHER and SCHED_BATCH, -20 to 19" },
	{ "process.scheduler.priority", C "Linux process, scheduler: for SCHED_FIFO and SCHED_RR" },
	{ "process.scheduler.flags", C "Linux process, scheduler: SCHED_FLAG_*" },
	{ "process.selinuxLabel", C "Linux process: SELinux label of the process" },
	{ "process.ioPriority", C "Linux process, ioPriority: as ioprio_set(2)" },
	{ "process.ioPriority.class",
	  C "Linux process, ioPriority: required, IOPRIO_CLASS_RT, _BE or _IDLE" },
	{ "process.ioPriority.priority", C "Linux process, ioPriority: 0 (highest) to 7" },
	{ "process.execCPUAffinity",
	  C "Linux process, execCPUAffinity: lists of CPUs as \"0-3,7\"" },
	{ "process.user",
	  C "POSIX-platform user: uid, gid, umask, additionalGids in the container" },
	{ "process.user.umask", C "POSIX-platform user: permission bits, unchanged when absent" },
	{ "process.user.username", C "Windows user: for Windows only" },
	{ "hostname", C "Hostname: set in the container's UTS namespace" },
	{ "domainname", C "Domainname: set in the container's UTS namespace" },
	{ "hooks", C "POSIX-platform hooks: path is required and absolute" },
	{ "hooks.prestart", C "POSIX-platform hooks: prestart is deprecated" },
	{ "hooks.prestart.timeout", C "POSIX-platform hooks: seconds, above zero" },
	{ "hooks.createRuntime.timeout", C "POSIX-platform hooks: seconds, above zero" },
	{ "hooks.createContainer.timeout", C "POSIX-platform hooks: seconds, above zero" },
	{ "hooks.startContainer.timeout", C "POSIX-platform hooks: seconds, above zero" },
	{ "hooks.poststart.timeout", C "POSIX-platform hooks: seconds, above zero" },
	{ "hooks.poststop.timeout", C "POSIX-platform hooks: seconds, above zero" },
	{ "annotations", C "Annotations: strings; keys must not be empty" },
	{ "linux", L "it holds what only Linux has" },
	{ "linux.namespaces",
	  L "Namespaces: one of a type; a path must be absolute and of that type" },
	{ "linux.namespaces.type",
	  L "Namespaces: pid, network, mount, ipc, uts, user, cgroup or time" },
	{ "linux.namespaces.path", L "Namespaces: absolute; a namespace of that type to join" },
	{ "linux.uidMappings", L "User namespace mappings: ranges of ids, for a user namespace" },
	{ "linux.gidMappings", L "User namespace mappings: ranges of ids, for a user namespace" },
	{ "linux.timeOffsets", L "Offset for time namespace: secs, and nanosecs below 1000000000" },
	{ "linux.devices",
	  L "Devices: type and path are required, major and minor but for type p" },
	{ "linux.devices.type", L "Devices: c, b, u or p" },
	{ "linux.devices.path", L "Devices: absolute; at most one device there" },
	{ "linux.devices.fileMode", L "Devices: permission bits" },
	{ "linux.netDevices",
	  L "Network devices: names of the runtime's namespace, as the kernel takes them" },
	{ "linux.cgroupsPath",
	  L "Cgroups path: absolute, or relative to where the runtime puts them" },
	{ "linux.resources", L "Control groups: limits for the container's cgroup" },
	{ "linux.resources.devices", L "Allowed device list: in order; allow is required" },
	{ "linux.resources.memory", L "Memory: bytes, -1 for no limit" },
	{ "linux.resources.memory.swap", L "Memory: memory and swap together" },
	{ "linux.resources.memory.kernel", L "Memory: kernel is not recommended" },
	{ "linux.resources.memory.kernelTCP", L "Memory: kernelTCP is not recommended" },
	{ "linux.resources.cpu",
	  L "CPU: shares, quota, burst, period, realtime, cpus, mems, idle" },
	{ "linux.resources.cpu.burst", L "CPU: burst, at most the quota" },
	{ "linux.resources.blockIO",
	  L "Block IO: weights and rates; major and minor name the device" },
	{ "linux.resources.hugepageLimits", L "Huge page limits: pageSize and limit are required" },
	{ "linux.resources.hugepageLimits.pageSize",
	  L "Huge page limits: <size><KB|MB|GB>, as \"2MB\"" },
	{ "linux.resources.network", L "Network: class id and priorities of interfaces" },
	{ "linux.resources.pids", L "PIDs: limit is required, -1 for none" },
	{ "linux.resources.rdma", L "RDMA: at least one of hcaHandles and hcaObjects a device" },
	{ "linux.resources.unified", L "Unified: names and values of cgroup v2 files" },
	{ "linux.intelRdt", L "IntelRdt: classes and monitoring of resctrl" },
	{ "linux.memoryPolicy", L "Memory policy: as set_mempolicy(2)" },
	{ "linux.memoryPolicy.mode", L "Memory policy: required, MPOL_*" },
	{ "linux.memoryPolicy.nodes", L "Memory policy: required, nodes as \"0-3,7\"" },
	{ "linux.memoryPolicy.flags", L "Memory policy: MPOL_F_*" },
	{ "linux.sysctl", L "Sysctl: only what is kept apart for a namespace of the container" },
	{ "linux.seccomp", L "Seccomp: defaultAction is required" },
	{ "linux.seccomp.defaultAction", L "Seccomp: required, SCMP_ACT_*" },
	{ "linux.seccomp.defaultErrnoRet", L "Seccomp: an error when the action takes no errno" },
	{ "linux.seccomp.architectures", L "Seccomp: SCMP_ARCH_*" },
	{ "linux.seccomp.flags", L "Seccomp: SECCOMP_FILTER_FLAG_*" },
	{ "linux.seccomp.listenerPath", L "Seccomp: for SCMP_ACT_NOTIFY, else ignored" },
	{ "linux.seccomp.listenerMetadata", L "Seccomp: must not be set without listenerPath" },
	{ "linux.seccomp.syscalls", L "Seccomp: names and action are required, at least one name" },
	{ "linux.seccomp.syscalls.action", L "Seccomp: required, SCMP_ACT_*" },
	{ "linux.seccomp.syscalls.errnoRet", L "Seccomp: an error when the action takes no errno" },
	{ "linux.seccomp.syscalls.args",
	  L "Seccomp: index 0 to 5, value and op are required, SCMP_CMP_*" },
	{ "linux.rootfsPropagation",
	  L "Rootfs mount propagation: shared, slave, private or unbindable" },
	{ "linux.maskedPaths", L "Masked paths: absolute paths in the container" },
	{ "linux.readonlyPaths", L "Readonly paths: absolute paths in the container" },
	{ "linux.mountLabel", L "Mount label: SELinux context of the mounts" },
	{ "linux.personality", L "Personality: domain LINUX or LINUX32; no flags are defined" },
};

/* How much of @path the row covers; 0: it does not stand for it. */
static size_t covers(const char *row, const char *path)
{
	size_t n = 0;

	for (;;) {
		/* indexes; the rest of a map is never looked at, for no row goes there */
		while (*path == '[') {
			path += strcspn(path, "]");
			path += *path == ']';
		}
		if (!*row)
			return !*path || *path == '.' ? n : 0;
		if (*row++ != *path++)
			return 0;
		n++;
	}
}

const char *spec_rule(const char *path)
{
	const char *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < COUNT(rules); i++) {
		size_t n = covers(rules[i].path, path);

		if (n > most) {
			most = n;
			best = rules[i].text;
		}
	}
	return best;
}
