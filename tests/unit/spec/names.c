/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "spec/spec.h"
#include "unit/unit.h"

TEST(signal_names)
{
	static const struct {
		const char *name;
		int want;
	} rows[] = {
		{ "9", SIGKILL },
		{ "KILL", SIGKILL },
		{ "SIGKILL", SIGKILL },
		{ "sigkill", SIGKILL },
		{ "kill", SIGKILL },
		{ "Term", SIGTERM },
		{ "15", SIGTERM },
		{ "SIGRTMIN", 34 },
		{ "RTMIN+0", 34 },
		{ "RTMIN+3", 37 },
		{ "sigrtmin+30", 64 },
		{ "RTMAX", 64 },
		{ "SIGRTMAX-1", 63 },
		{ "RTMAX-30", 34 },
		{ "64", 64 },
		{ "0", 0 },
		{ "SIGWINCH", SIGWINCH },
		{ "CLD", SIGCHLD },
		{ "POLL", SIGIO },
		{ "65", -EINVAL },
		{ "-9", -EINVAL },
		{ "", -EINVAL },
		{ "SIG", -EINVAL },
		{ "SIG9", -EINVAL },
		{ "KILLS", -EINVAL },
		{ "RTMIN+31", -EINVAL },
		{ "RTMIN-1", -EINVAL },
		{ "RTMAX+1", -EINVAL },
		{ "RTMIN+", -EINVAL },
		{ "RTMAX-31", -EINVAL },
		{ "9 ", -EINVAL },
		{ "SIGSIGKILL", -EINVAL },
		{ "SIGRTMIN+00000000000000001", -EINVAL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%s", rows[i].name);
		CHECK_INT(spec_signal_from_name(rows[i].name), rows[i].want);
	}
}

TEST(capability_names)
{
	CHECK_INT(spec_cap_from_name("CAP_CHOWN"), CAP_CHOWN);
	CHECK_INT(spec_cap_from_name("cap_sys_admin"), CAP_SYS_ADMIN);
	CHECK_INT(spec_cap_from_name("CAP_CHECKPOINT_RESTORE"), 40);
	CHECK_INT(spec_cap_from_name("CHOWN"), -EINVAL);
	CHECK_INT(spec_cap_from_name("CAP_CHOWNS"), -EINVAL);
	CHECK_INT(spec_cap_from_name(""), -EINVAL);
	CHECK(spec_cap_name(41) == NULL);
	CHECK(spec_cap_name(-1) == NULL);
	/* the order of the table is the kernel's */
	CHECK_STR(spec_cap_name(CAP_SETPCAP), "CAP_SETPCAP");
	CHECK_STR(spec_cap_name(CAP_SYS_CHROOT), "CAP_SYS_CHROOT");
	CHECK_STR(spec_cap_name(CAP_SYS_ADMIN), "CAP_SYS_ADMIN");
	CHECK_STR(spec_cap_name(CAP_MKNOD), "CAP_MKNOD");
	CHECK_STR(spec_cap_name(CAP_SYSLOG), "CAP_SYSLOG");
	CHECK_STR(spec_cap_name(CAP_BPF), "CAP_BPF");
	for (int cap = 0; cap <= CAP_LAST_CAP && cap <= 40; cap++)
		CHECK_INT(spec_cap_from_name(spec_cap_name(cap)), cap);
}

TEST(rlimit_names)
{
	for (int resource = 0; resource < (int)RLIMIT_NLIMITS; resource++) {
		unit_row("%d", resource);
		REQUIRE(spec_rlimit_name(resource) != NULL);
		CHECK_INT(spec_rlimit_from_name(spec_rlimit_name(resource)), resource);
	}
	CHECK_INT(spec_rlimit_from_name("NOFILE"), -EINVAL);
	CHECK_INT(spec_rlimit_from_name("RLIMIT_NOFILES"), -EINVAL);
}

TEST(namespace_names)
{
	static const struct {
		const char *name, *proc;
		int type;
	} rows[] = {
		{ "pid", "pid", CLONE_NEWPID },	 { "network", "net", CLONE_NEWNET },
		{ "mount", "mnt", CLONE_NEWNS }, { "ipc", "ipc", CLONE_NEWIPC },
		{ "uts", "uts", CLONE_NEWUTS },	 { "user", "user", CLONE_NEWUSER },
		{ "time", "time", 0x80 },	 { "cgroup", "cgroup", CLONE_NEWCGROUP },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%s", rows[i].name);
		CHECK_INT(spec_ns_from_name(rows[i].name), rows[i].type);
		CHECK_STR(spec_ns_name(rows[i].type), rows[i].name);
		CHECK_STR(spec_ns_proc_name(rows[i].type), rows[i].proc);
	}
	CHECK_INT(spec_ns_from_name("net"), -EINVAL);
	CHECK_INT(spec_ns_from_name(""), -EINVAL);
}
