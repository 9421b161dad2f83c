/* SPDX-License-Identifier: Apache-2.0 */
/* names - the words of the configuration and of the command line that stand for numbers */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/str.h"
#include "base/table.h"
#include "spec/spec.h"
#include "sys/missing.h"

/* What libc calls SIGRTMIN: it keeps the first two real-time signals for itself. */
#define RTMIN_NUMBER 34
#define RTMAX_NUMBER 64

static const struct {
	const char *name, *proc;
	int type;
} namespaces[] = {
	{ "pid", "pid", CLONE_NEWPID },	   { "network", "net", CLONE_NEWNET },
	{ "mount", "mnt", CLONE_NEWNS },   { "ipc", "ipc", CLONE_NEWIPC },
	{ "uts", "uts", CLONE_NEWUTS },	   { "user", "user", CLONE_NEWUSER },
	{ "time", "time", CLONE_NEWTIME }, { "cgroup", "cgroup", CLONE_NEWCGROUP },
};

static const struct name_row rlimits[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};

/* In the order of their numbers; capabilities(7). */
static const char *const capabilities[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

static const struct name_row signals[] = {
	{ "HUP", SIGHUP },	 { "INT", SIGINT },	    { "QUIT", SIGQUIT },
	{ "ILL", SIGILL },	 { "TRAP", SIGTRAP },	    { "ABRT", SIGABRT },
	{ "IOT", SIGIOT },	 { "BUS", SIGBUS },	    { "FPE", SIGFPE },
	{ "KILL", SIGKILL },	 { "USR1", SIGUSR1 },	    { "SEGV", SIGSEGV },
	{ "USR2", SIGUSR2 },	 { "PIPE", SIGPIPE },	    { "ALRM", SIGALRM },
	{ "TERM", SIGTERM },	 { "STKFLT", SIGSTKFLT },   { "CHLD", SIGCHLD },
	{ "CLD", SIGCHLD },	 { "CONT", SIGCONT },	    { "STOP", SIGSTOP },
	{ "TSTP", SIGTSTP },	 { "TTIN", SIGTTIN },	    { "TTOU", SIGTTOU },
	{ "URG", SIGURG },	 { "XCPU", SIGXCPU },	    { "XFSZ", SIGXFSZ },
	{ "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },	    { "WINCH", SIGWINCH },
	{ "IO", SIGIO },	 { "POLL", SIGPOLL },	    { "PWR", SIGPWR },
	{ "SYS", SIGSYS },	 { "RTMIN", RTMIN_NUMBER }, { "RTMAX", RTMAX_NUMBER },
};

int spec_ns_from_name(const char *name)
{
	for (size_t i = 0; i < COUNT(namespaces); i++)
		if (str_eq(namespaces[i].name, name))
			return namespaces[i].type;
	return -EINVAL;
}

const char *spec_ns_name(int type)
{
	for (size_t i = 0; i < COUNT(namespaces); i++)
		if (namespaces[i].type == type)
			return namespaces[i].name;
	return NULL;
}

const char *spec_ns_proc_name(int type)
{
	for (size_t i = 0; i < COUNT(namespaces); i++)
		if (namespaces[i].type == type)
			return namespaces[i].proc;
	return NULL;
}

int spec_rlimit_from_name(const char *name)
{
	int64_t value;

	return name_lookup(rlimits, COUNT(rlimits), name, &value) < 0 ? -EINVAL : (int)value;
}

const char *spec_rlimit_name(int resource)
{
	return name_of(rlimits, COUNT(rlimits), resource);
}

int spec_cap_from_name(const char *name)
{
	for (size_t i = 0; i < COUNT(capabilities); i++)
		if (str_casecmp(capabilities[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

const char *spec_cap_name(int cap)
{
	return cap >= 0 && (size_t)cap < COUNT(capabilities) ? capabilities[cap] : NULL;
}

/* "RTMIN+3", "RTMAX-1" without the prefix SIG, upper case */
static int realtime_from_name(const char *name)
{
	bool from_min = str_starts(name, "RTMIN+");
	uint32_t offset;

	if (!from_min && !str_starts(name, "RTMAX-"))
		return -EINVAL;
	if (str_to_u32(name + strlen("RTMIN+"), &offset) < 0 ||
	    offset > RTMAX_NUMBER - RTMIN_NUMBER)
		return -EINVAL;
	return from_min ? RTMIN_NUMBER + (int)offset : RTMAX_NUMBER - (int)offset;
}

int spec_signal_from_name(const char *name)
{
	char upper[16];
	const char *base = upper;
	uint32_t number;
	int64_t value;
	size_t i;

	if (str_to_u32(name, &number) == 0)
		return number <= RTMAX_NUMBER ? (int)number : -EINVAL;
	for (i = 0; i < sizeof(upper) - 1 && name[i]; i++)
		upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
	if (name[i])
		return -EINVAL;
	upper[i] = '\0';
	if (str_starts(upper, "SIG"))
		base += strlen("SIG");
	if (name_lookup(signals, COUNT(signals), base, &value) == 0)
		return (int)value;
	return realtime_from_name(base);
}
