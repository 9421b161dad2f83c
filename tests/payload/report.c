/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report - what a process sees of itself and around itself
 *
 * One function a section, one row of a table each. Wherever a system call tells, it is
 * asked, so that a container without /proc can be probed too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static char **program_argv;

static void strings(const char *key, char *const *list)
{
	json_open(key, '[');
	for (; list && *list; list++)
		json_string(NULL, *list);
	json_close(']');
}

static void ids(void)
{
	uid_t r, e, s;
	gid_t groups[1024];
	int n = getgroups(1024, groups);

	json_int("pid", getpid());
	json_int("ppid", getppid());
	json_int("sid", getsid(0));
	json_int("pgrp", getpgrp());
	getresuid(&r, &e, &s);
	json_open("uids", '[');
	json_uint(NULL, r);
	json_uint(NULL, e);
	json_uint(NULL, s);
	json_uint(NULL, (uid_t)setfsuid((uid_t)-1));
	json_close(']');
	getresgid(&r, &e, &s);
	json_open("gids", '[');
	json_uint(NULL, r);
	json_uint(NULL, e);
	json_uint(NULL, s);
	json_uint(NULL, (gid_t)setfsgid((gid_t)-1));
	json_close(']');
	json_open("groups", '[');
	for (int i = 0; i < n; i++)
		json_uint(NULL, groups[i]);
	json_close(']');
}

static uint64_t capability_bits(int option, int sub)
{
	uint64_t bits = 0;

	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if ((sub ? prctl(option, sub, cap, 0, 0) : prctl(option, cap, 0, 0, 0)) == 1)
			bits |= 1ULL << cap;
	return bits;
}

static void privileges(void)
{
	struct __user_cap_header_struct hdr = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { 0 };

	syscall(SYS_capget, &hdr, d);
	json_open("capabilities", '{');
	json_uint("bounding", capability_bits(PR_CAPBSET_READ, 0));
	json_uint("effective", (uint64_t)d[1].effective << 32 | d[0].effective);
	json_uint("inheritable", (uint64_t)d[1].inheritable << 32 | d[0].inheritable);
	json_uint("permitted", (uint64_t)d[1].permitted << 32 | d[0].permitted);
	json_uint("ambient", capability_bits(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET));
	json_close('}');
	json_int("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	json_int("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	json_int("seccomp", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
}

static void status(void)
{
	static char buf[65536];

	json_open("status", '{');
	if (file_read("/proc/self/status", buf, sizeof buf) > 0) {
		for (char *save, *line = strtok_r(buf, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			char *colon = strchr(line, ':');

			if (!colon)
				continue;
			*colon++ = 0;
			json_string(line, colon + strspn(colon, " \t"));
		}
	}
	json_close('}');
}

static void place(void)
{
	char cwd[4096];
	struct utsname u;
	mode_t mask = umask(0);

	umask(mask);
	uname(&u);
	json_int("umask", mask);
	/* the system call, since libc's function hides "(unreachable)" */
	json_string("cwd", syscall(SYS_getcwd, cwd, sizeof cwd) < 0 ? NULL : cwd);
	json_string("hostname", u.nodename);
	json_string("domainname", u.domainname);
	json_link("exe", "/proc/self/exe");
	json_link("root", "/proc/self/root");
	strings("args", program_argv);
	strings("env", environ);
}

static void limits(void)
{
	static const char *const names[RLIM_NLIMITS] = {
		[RLIMIT_AS] = "AS",
		[RLIMIT_CORE] = "CORE",
		[RLIMIT_CPU] = "CPU",
		[RLIMIT_DATA] = "DATA",
		[RLIMIT_FSIZE] = "FSIZE",
		[RLIMIT_LOCKS] = "LOCKS",
		[RLIMIT_MEMLOCK] = "MEMLOCK",
		[RLIMIT_MSGQUEUE] = "MSGQUEUE",
		[RLIMIT_NICE] = "NICE",
		[RLIMIT_NOFILE] = "NOFILE",
		[RLIMIT_NPROC] = "NPROC",
		[RLIMIT_RSS] = "RSS",
		[RLIMIT_RTPRIO] = "RTPRIO",
		[RLIMIT_RTTIME] = "RTTIME",
		[RLIMIT_SIGPENDING] = "SIGPENDING",
		[RLIMIT_STACK] = "STACK",
	};

	json_open("rlimits", '{');
	for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
		struct rlimit r;

		getrlimit(i, &r);
		json_open(names[i], '[');
		json_uint(NULL, r.rlim_cur);
		json_uint(NULL, r.rlim_max);
		json_close(']');
	}
	json_close('}');
	json_file("oom_score_adj", "/proc/self/oom_score_adj");
	json_file("coredump_filter", "/proc/self/coredump_filter");
}

static void signals(void)
{
	sigset_t mask;
	struct sigaction sa;

	json_open("signals_ignored", '[');
	for (int i = 1; i < NSIG; i++)
		if (!sigaction(i, NULL, &sa) && sa.sa_handler == SIG_IGN)
			json_int(NULL, i);
	json_close(']');
	sigprocmask(SIG_SETMASK, NULL, &mask);
	json_open("signals_blocked", '[');
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&mask, i) == 1)
			json_int(NULL, i);
	json_close(']');
}

static void descriptors(void)
{
	char path[64];

	json_open("descriptors", '{');
	for (int fd = 0; fd < 65536; fd++) {
		int flags = fcntl(fd, F_GETFL);
		struct stat st;

		if (flags < 0)
			continue;
		snprintf(path, sizeof path, "%d", fd);
		json_open(path, '{');
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		json_link("target", path);
		json_int("flags", flags);
		if (!fstat(fd, &st)) {
			json_string("type", file_type(st.st_mode));
			json_uint("rdev", st.st_rdev);
			json_uint("uid", st.st_uid);
		}
		json_close('}');
	}
	json_close('}');
}

static void namespaces(void)
{
	static const char *const names[] = { "cgroup", "ipc",  "mnt",  "net",
					     "pid",    "time", "user", "uts" };
	char path[64];
	struct stat st;

	json_open("namespaces", '{');
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
		if (stat(path, &st))
			json_null(names[i]);
		else
			json_uint(names[i], st.st_ino);
	}
	json_close('}');
	json_file("uid_map", "/proc/self/uid_map");
	json_file("gid_map", "/proc/self/gid_map");
	json_file("setgroups", "/proc/self/setgroups");
	json_file("timens_offsets", "/proc/self/timens_offsets");
}

static void mounts(void)
{
	json_file("mountinfo", "/proc/self/mountinfo");
	json_file("cgroup", "/proc/self/cgroup");
}

static void devices(void)
{
	DIR *d = opendir("/dev");
	struct dirent *e;
	char path[512];
	struct stat st;

	json_open("dev", '{');
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof path, "/dev/%s", e->d_name);
		if (e->d_name[0] == '.' || lstat(path, &st))
			continue;
		json_open(e->d_name, '{');
		json_string("type", file_type(st.st_mode));
		json_int("mode", st.st_mode & 07777);
		json_uint("uid", st.st_uid);
		json_uint("gid", st.st_gid);
		json_uint("major", major(st.st_rdev));
		json_uint("minor", minor(st.st_rdev));
		if (S_ISLNK(st.st_mode))
			json_link("target", path);
		json_close('}');
	}
	json_close('}');
	if (d)
		closedir(d);
}

static void network(void)
{
	struct if_nameindex *list = if_nameindex();
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	json_open("network", '{');
	for (struct if_nameindex *i = list; i && i->if_name; i++) {
		struct ifreq r = { 0 };

		snprintf(r.ifr_name, sizeof r.ifr_name, "%s", i->if_name);
		json_open(i->if_name, '{');
		json_int("up", !ioctl(s, SIOCGIFFLAGS, &r) && (r.ifr_flags & IFF_UP));
		json_int("mtu", ioctl(s, SIOCGIFMTU, &r) ? -1 : r.ifr_mtu);
		json_close('}');
	}
	json_close('}');
	if (list)
		if_freenameindex(list);
	if (s >= 0)
		close(s);
}

static void scheduling(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} attr = { .size = sizeof attr };
	cpu_set_t cpus;

	syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0);
	json_open("scheduler", '{');
	json_uint("policy", attr.policy);
	json_uint("flags", attr.flags);
	json_int("nice", attr.nice);
	json_uint("priority", attr.priority);
	json_uint("runtime", attr.runtime);
	json_uint("deadline", attr.deadline);
	json_uint("period", attr.period);
	json_close('}');
	json_int("ioprio", syscall(SYS_ioprio_get, 1, 0));
	json_open("affinity", '[');
	if (!sched_getaffinity(0, sizeof cpus, &cpus))
		for (int i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &cpus))
				json_int(NULL, i);
	json_close(']');
	json_int("timerslack", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
}

static void attributes(void)
{
	int pdeathsig = -1, subreaper = -1, mode = -1;
	unsigned long nodes[16] = { 0 };

	prctl(PR_GET_PDEATHSIG, &pdeathsig);
	prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
	json_uint("personality", (unsigned)personality(0xffffffff));
	json_int("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	json_int("pdeathsig", pdeathsig);
	json_int("subreaper", subreaper);
	json_int("thp_disable", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	json_int("speculation", prctl(PR_GET_SPECULATION_CTRL, 0, 0, 0, 0));
	json_open("mempolicy", '[');
	if (!syscall(SYS_get_mempolicy, &mode, nodes, 8 * sizeof nodes, NULL, 0)) {
		json_int(NULL, mode);
		json_uint(NULL, nodes[0]);
	}
	json_close(']');
	json_file("lsm_current", "/proc/self/attr/current");
	json_file("lsm_exec", "/proc/self/attr/exec");
	json_file("apparmor", "/proc/self/attr/apparmor/current");
}

static void keyring(void)
{
	char name[256];
	long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
	long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, id, name, sizeof name);

	json_int("keyring", id);
	json_string("keyring_name", id < 0 || n < 0 ? NULL : name);
}

static void terminal(void)
{
	struct winsize w = { 0 };
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	json_open("tty", '[');
	for (int i = 0; i < 3; i++)
		json_int(NULL, isatty(i));
	json_close(']');
	json_int("controlling_tty", fd >= 0);
	json_int("tty_sid", tcgetsid(0));
	json_int("tty_pgrp", tcgetpgrp(0));
	json_open("winsize", '[');
	if (!ioctl(0, TIOCGWINSZ, &w)) {
		json_int(NULL, w.ws_row);
		json_int(NULL, w.ws_col);
	}
	json_close(']');
	if (fd >= 0)
		close(fd);
}

static void processes(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	char path[300];

	json_open("processes", '{');
	while (d && (e = readdir(d))) {
		if (strspn(e->d_name, "0123456789") != strlen(e->d_name))
			continue;
		snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
		json_file(e->d_name, path);
	}
	json_close('}');
	if (d)
		closedir(d);
}

static void clocks(void)
{
	struct timespec monotonic, boot;

	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	json_int("monotonic", monotonic.tv_sec);
	json_int("boottime", boot.tv_sec);
}

static const struct section {
	const char *name;
	void (*print)(void);
} sections[] = {
	{ "ids", ids },
	{ "privileges", privileges },
	{ "status", status },
	{ "place", place },
	{ "limits", limits },
	{ "signals", signals },
	{ "namespaces", namespaces },
	{ "mounts", mounts },
	{ "devices", devices },
	{ "network", network },
	{ "scheduling", scheduling },
	{ "attributes", attributes },
	{ "keyring", keyring },
	{ "terminal", terminal },
	{ "processes", processes },
	{ "clocks", clocks },
};

static int wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return 1;
	return argc < 2;
}

int probe_report(int argc, char **argv)
{
	program_argv = argv;
	json_open(NULL, '{');
	/* before anything else is opened */
	if (wanted("descriptors", argc, argv))
		descriptors();
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		if (wanted(sections[i].name, argc, argv))
			sections[i].print();
	json_close('}');
	json_end();
	return 0;
}
