/* SPDX-License-Identifier: Apache-2.0 */
/* What one process can set on itself and look at: ids, limits, oom score, names, sysctls. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <grp.h>
#include <unistd.h>

#include "proc/proc.h"
#include "unit/proc/place.h"
#include "unit/unit.h"

TEST(ids_are_set)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		gid_t groups[4];
		size_t n;
	} rows[] = {
		{ 0, 0, { 0 }, 0 },
		{ 1000, 1001, { 7, 5, 5, 4294967294U }, 4 },
		{ 4294967294U, 4294967294U, { 0 }, 1 },
	};

	if (!place_is_root())
		unit_skip("needs root");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct spec_process process = { .uid = rows[i].uid,
						      .gid = rows[i].gid,
						      .groups = rows[i].groups,
						      .n_groups = rows[i].n };
		const struct proc_plan p = { .process = &process };
		struct err e = { 0 };
		int status;
		pid_t pid = fork();

		unit_row("%u:%u", rows[i].uid, rows[i].gid);
		if (pid == 0) {
			bool ok = proc_ids(&p, &e) == 0 && getuid() == rows[i].uid &&
				  getegid() == rows[i].gid && getgroups(0, NULL) == (int)rows[i].n;

			_exit(ok ? 0 : 1);
		}
		REQUIRE(waitpid(pid, &status, 0) == pid);
		CHECK_INT(status, 0);
	}
}

/* The groups that we have must not go along, also when none are asked for. */
TEST(groups_of_the_caller_go)
{
	const struct spec_process process = { .uid = 0 };
	const struct proc_plan p = { .process = &process };
	const struct proc_plan keep = { .process = &process, .keep_groups = true };
	const gid_t ours[] = { 3, 4 };
	struct err e = { 0 };

	if (!place_is_root())
		unit_skip("needs root");
	REQUIRE(setgroups(COUNT(ours), ours) == 0);
	CHECK_OK(proc_ids(&keep, &e), &e);
	CHECK_INT(getgroups(0, NULL), 2);
	CHECK_OK(proc_ids(&p, &e), &e);
	CHECK_INT(getgroups(0, NULL), 0);
}

TEST(groups_of_many)
{
	gid_t groups[1000];
	const struct spec_process process = { .groups = groups, .n_groups = COUNT(groups) };
	const struct proc_plan p = { .process = &process };
	struct err e = { 0 };

	if (!place_is_root())
		unit_skip("needs root");
	for (size_t i = 0; i < COUNT(groups); i++)
		groups[i] = (gid_t)(5000 - 3 * i);
	CHECK_OK(proc_ids(&p, &e), &e);
	CHECK_INT(getgroups(0, NULL), COUNT(groups));
}

TEST(ids_without_rights)
{
	const struct spec_process user = { .uid = 1000, .gid = 1000 }, root = { .uid = 0 };
	const struct proc_plan as_user = { .process = &user };
	const struct proc_plan as_root = { .process = &root, .keep_groups = true };
	struct err e = { 0 };

	if (!place_is_root())
		unit_skip("needs root");
	REQUIRE_OK(proc_ids(&as_user, &e), &e);
	CHECK_INT(proc_ids(&as_root, &e), -EPERM);
	CHECK_HAS(e.text, "become group 0");
}

TEST(rlimits_are_set)
{
	static const struct spec_rlimit limits[] = { { RLIMIT_NOFILE, 100, 200 },
						     { RLIMIT_CORE, 0, 0 } };
	const struct spec_process process = { .rlimits = limits, .n_rlimits = COUNT(limits) };
	const struct proc_plan p = { .process = &process };
	struct rlimit r;
	struct err e = { 0 };

	REQUIRE_OK(proc_rlimits(&p, &e), &e);
	REQUIRE(getrlimit(RLIMIT_NOFILE, &r) == 0);
	CHECK_INT(r.rlim_cur, 100);
	CHECK_INT(r.rlim_max, 200);
	REQUIRE(getrlimit(RLIMIT_CORE, &r) == 0);
	CHECK_INT(r.rlim_max, 0);
}

TEST(rlimits_name_themselves)
{
	static const struct spec_rlimit limits[] = { { RLIMIT_NOFILE, 5, UINT64_MAX } };
	const struct spec_process process = { .rlimits = limits, .n_rlimits = COUNT(limits) };
	const struct proc_plan p = { .process = &process };
	struct err e = { 0 };

	/* above fs.nr_open, so nobody may */
	CHECK(proc_rlimits(&p, &e) < 0);
	CHECK_HAS(e.text, "RLIMIT_NOFILE to 5:18446744073709551615");
}

TEST(oom_score_is_written)
{
	const struct spec_process process = { .has_oom_score_adj = true, .oom_score_adj = 1000 };
	const struct spec_process unset = { .oom_score_adj = 5 };
	const struct proc_plan p = { .process = &process }, leave = { .process = &unset };
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), score = 0;
	struct err e = { 0 };
	FILE *f;

	REQUIRE(proc >= 0);
	CHECK_OK(proc_oom_score(&p, proc, getpid(), &e), &e);
	CHECK_OK(proc_oom_score(&leave, proc, getpid(), &e), &e);
	f = fopen("/proc/self/oom_score_adj", "re");
	REQUIRE(f != NULL);
	CHECK_INT(fscanf(f, "%d", &score), 1);
	CHECK_INT(score, 1000);
	fclose(f);
	close(proc);
}

/* A link in place of the procfs's own entry is not followed. */
TEST(oom_score_of_a_false_proc)
{
	const struct spec_process process = { .has_oom_score_adj = true, .oom_score_adj = 1 };
	const struct proc_plan p = { .process = &process };
	auto_arena a = arena_make();
	struct err e = { 0 };
	int proc;

	place_file(arena_printf(&a, "%s/target", unit_dir()), 0644, "0");
	place_dir(arena_printf(&a, "%s/7", unit_dir()), 0755);
	REQUIRE(symlink("../target", arena_printf(&a, "%s/7/oom_score_adj", unit_dir())) == 0);
	proc = open(unit_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(proc >= 0);
	CHECK_INT(proc_oom_score(&p, proc, 7, &e), -ELOOP);
	close(proc);
}

TEST(names_are_set)
{
	const struct proc_plan p = { .hostname = "hull", .domainname = "deck" };
	struct utsname u;
	struct err e = { 0 };

	if (unshare(place_is_root() ? CLONE_NEWUTS : CLONE_NEWUTS | CLONE_NEWUSER) < 0)
		unit_skip("needs a uts namespace");
	CHECK_OK(proc_names(&p, &e), &e);
	REQUIRE(uname(&u) == 0);
	CHECK_STR(u.nodename, "hull");
	CHECK_STR(u.domainname, "deck");
}

static void enter_net(void)
{
	if (unshare(place_is_root() ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER) < 0)
		unit_skip("needs a network namespace");
}

static void check_sysctl(const char *path, const char *want)
{
	char got[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && read(fd, got, sizeof(got) - 1) > 0);
	got[strcspn(got, "\n")] = '\0';
	CHECK_STR(got, want);
	close(fd);
}

TEST(sysctls_are_written)
{
	static const struct proc_sysctl list[] = {
		{ "net/ipv4/ip_forward", "1", "net.ipv4.ip_forward", CLONE_NEWNET },
		{ "net/ipv4/ip_local_port_range", "2000 3000", "net.ipv4.ip_local_port_range",
		  CLONE_NEWNET },
		{ "net/ipv4/conf/lo/forwarding", "0x1", "net.ipv4.conf.lo.forwarding",
		  CLONE_NEWNET },
		{ "net/ipv4/route/flush", "1", "net.ipv4.route.flush", CLONE_NEWNET },
	};
	const struct proc_plan p = { .sysctls = list, .n_sysctls = COUNT(list) };
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };

	enter_net();
	CHECK_OK(proc_sysctls(&p, proc, &e), &e);
	check_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
	check_sysctl("/proc/sys/net/ipv4/ip_local_port_range", "2000\t3000");
	close(proc);
}

/* What the kernel prints is not what it was given, and it was so before. */
TEST(sysctls_in_the_kernels_own_form)
{
	static const struct proc_sysctl list[] = {
		{ "net/ipv4/ip_local_reserved_ports", "30000,30001",
		  "net.ipv4.ip_local_reserved_ports", CLONE_NEWNET },
		{ "net/ipv4/ip_local_port_range", "2000", "net.ipv4.ip_local_port_range",
		  CLONE_NEWNET },
	};
	const struct proc_plan p = { .sysctls = list, .n_sysctls = COUNT(list) };
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };

	enter_net();
	for (int i = 0; i < 2; i++) {
		CHECK_OK(proc_sysctls(&p, proc, &e), &e);
		check_sysctl("/proc/sys/net/ipv4/ip_local_reserved_ports", "30000-30001");
	}
	close(proc);
}

TEST(sysctls_refused)
{
	static const struct {
		struct proc_sysctl sysctl;
		const char *want;
	} rows[] = {
		{ { "net/ipv4/nothing", "1", "net.ipv4.nothing", CLONE_NEWNET },
		  "open sysctl 'net.ipv4.nothing'" },
		{ { "net/ipv4/ip_local_port_range", "3000 2000", "a.b", CLONE_NEWNET },
		  "set sysctl to '3000 2000' 'a.b': invalid argument" },
		{ { "net/ipv4", "1", "net.ipv4", CLONE_NEWNET }, "open sysctl 'net.ipv4'" },
	};
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	enter_net();
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct proc_plan p = { .sysctls = &rows[i].sysctl, .n_sysctls = 1 };
		struct err e = { 0 };

		unit_row("%s", rows[i].want);
		CHECK(proc_sysctls(&p, proc, &e) < 0);
		CHECK_HAS(e.text, rows[i].want);
	}
	close(proc);
}

/* The namespace turned out to be the one that must not be touched. */
TEST(sysctls_of_our_own_namespace)
{
	static const struct proc_sysctl list[] = { { "net/ipv4/ip_forward", "1",
						     "net.ipv4.ip_forward", CLONE_NEWNET } };
	struct proc_plan p = { .sysctls = list, .n_sysctls = COUNT(list) };
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };
	struct stat st;

	enter_net();
	REQUIRE(stat("/proc/self/ns/net", &st) == 0);
	p.own_net = (struct proc_ns_id){ st.st_dev, st.st_ino };
	CHECK_INT(proc_sysctls(&p, proc, &e), -EINVAL);
	check_sysctl("/proc/sys/net/ipv4/ip_forward", "0");
	p.own_net.ino++;
	CHECK_OK(proc_sysctls(&p, proc, &e), &e);
	check_sysctl("/proc/sys/net/ipv4/ip_forward", "1");
	close(proc);
}

TEST(scheduling_is_set)
{
	const struct spec_process process = { .umask = -1 };
	struct proc_plan p = { .process = &process,
			       .has_sched = true,
			       .sched = { .size = sizeof(p.sched),
					  .policy = SCHED_BATCH,
					  .nice = 7 },
			       .ioprio = 2 << 13 | 6,
			       .personality = PER_LINUX32,
			       .has_mempolicy = true,
			       .mempolicy.mode = 4 /* local */ };
	struct sys_sched_attr now = { 0 };
	struct err e = { 0 };
	int r;

	if (!place_is_root() && getpriority(PRIO_PROCESS, 0) > 7)
		unit_skip("needs root: a nice value is lowered");
	r = proc_priorities(&p, 0, &e);
	if (r == 0)
		r = proc_policies(&p, &e);

	if (r == -ENOSYS)
		unit_skip("a kernel without memory policies");
	CHECK_OK(r, &e);
	REQUIRE(sys_sched_getattr(0, &now) == 0);
	CHECK_INT(now.policy, SCHED_BATCH);
	CHECK_INT(now.nice, 7);
	CHECK_INT(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 6);
	CHECK_INT(personality(0xffffffff), PER_LINUX32);
	p.sched.policy = 77;
	CHECK_INT(proc_priorities(&p, 0, &e), -EINVAL);
}
