/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that the caller could have changed is changed, and must be gone. */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/proc.h"
#include "unit/proc/place.h"
#include "unit/unit.h"

static void change_everything(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t all;
	cpu_set_t one;
	int fd;

	for (int sig = 1; sig <= 64; sig++)
		sigaction(sig, &ignore, NULL);
	sigfillset(&all);
	REQUIRE(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
	umask(0177);
	REQUIRE(setpriority(PRIO_PROCESS, 0, 9) == 0);
	REQUIRE(sys_ioprio_set(1, 0, 3 << 13) == 0);
	REQUIRE(prctl(PR_SET_TIMERSLACK, 12345, 0, 0, 0) == 0);
	REQUIRE(personality(ADDR_NO_RANDOMIZE | PER_LINUX32) >= 0);
	REQUIRE(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
	prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE, 0, 0);
	syscall(SYS_set_mempolicy, MPOL_LOCAL, NULL, 0);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && write(fd, "0x7f", 4) == 4);
	close(fd);
}

static unsigned long coredump_filter(void)
{
	char text[32] = "";
	int fd = open("/proc/self/coredump_filter", O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return strtoul(text, NULL, 16);
}

static int cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 ? -1 : CPU_COUNT(&set);
}

/* All that the cpuset allows, whatever the tests were started with. */
static int cpus_allowed(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	REQUIRE(sched_setaffinity(0, sizeof(set), &set) == 0);
	return cpus();
}

static void check_everything(int cpus_before, bool noted)
{
	struct sigaction now;
	sigset_t mask;
	int mode = -1;

	for (int sig = 1; sig <= 64; sig++) {
		if (sig == 32 || sig == 33)
			continue; /* libc's own */
		unit_row("signal %d", sig);
		CHECK(sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
		CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && !sigismember(&mask, sig));
	}
	unit_row(" ");
	CHECK_INT(umask(0), 022);
	CHECK_INT(getpriority(PRIO_PROCESS, 0), 0);
	CHECK_INT(syscall(SYS_ioprio_get, 1, 0) >> 13, 0);
	CHECK_INT(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 50000);
	CHECK_INT(personality(0xffffffff), 0);
	CHECK_INT(cpus(), cpus_before);
	if (syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) == 0)
		CHECK_INT(mode, MPOL_DEFAULT);
	if (!noted)
		return;
	CHECK_INT(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
	CHECK(prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0) !=
	      (PR_SPEC_PRCTL | PR_SPEC_DISABLE));
	CHECK_INT(coredump_filter(), 0x33);
}

static void reset(bool note)
{
	const struct spec_process process = { .umask = -1 };
	struct proc_plan p = { .process = &process, .ioprio = -1 };
	struct err e = { 0 };
	int before = cpus_allowed();

	if (!place_is_root())
		unit_skip("needs root: a nice value is lowered");
	change_everything();
	if (note)
		proc_note_inherited(&p);
	CHECK(p.inherited.known == note);
	proc_reset_sched();
	CHECK_OK(proc_reset_inherited(&p, &e), &e);
	CHECK_OK(proc_policies(&p, &e), &e);
	check_everything(before, note);
}

TEST(inherited_is_reset)
{
	reset(true);
}

TEST(inherited_is_reset_without_note)
{
	reset(false);
}

TEST(inherited_umask_of_the_configuration)
{
	const struct spec_process process = { .umask = 0 };
	const struct proc_plan p = { .process = &process, .ioprio = -1 };
	struct err e = { 0 };

	umask(0777);
	CHECK_OK(proc_reset_inherited(&p, &e), &e);
	CHECK_INT(umask(0777), 0);
}

TEST(affinity_of_exec)
{
	const struct spec_process process = { .umask = -1 };
	const unsigned long first = 1;
	struct proc_plan p = { .process = &process,
			       .ioprio = -1,
			       .exec_initial = { &first, 1 },
			       .exec_final = { &first, 1 } };
	struct err e = { 0 };
	int before = cpus_allowed();

	CHECK_OK(proc_reset_inherited(&p, &e), &e);
	CHECK_INT(cpus(), before); /* not for init */
	p.exec = true;
	CHECK_OK(proc_reset_inherited(&p, &e), &e);
	CHECK_INT(cpus(), 1);
	p.exec_initial.n_words = p.exec_final.n_words = 0;
	CHECK_OK(proc_reset_inherited(&p, &e), &e);
	CHECK_INT(cpus(), before);
	p.exec_initial.n_words = 1;
	CHECK_OK(proc_affinity_initial(&p, getpid(), &e), &e);
	CHECK_OK(proc_reset_inherited(&p, &e), &e);
	CHECK_INT(cpus(), 1); /* as it is without "final" */
	p.exec_initial.n_words = 0;
	CHECK_OK(proc_reset_inherited(&p, &e), &e);
}
