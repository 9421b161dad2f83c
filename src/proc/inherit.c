/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inherit - what a container is given is a list, and the caller's mood is not on it
 *
 * Whoever starts us has ignored signals, a mask, a umask, a nice value, CPUs, a memory
 * policy ... and most of it survives fork and execve. Each is put back to what a process
 * has at boot. Where one call both asks and sets, it just sets; what costs many calls to
 * ask is read by the parent from /proc/self/status, once.
 *
 * Nothing is done about what cannot survive: the parent-death signal is cleared by
 * clone(2), dumpable is decided by execve(2), timers and locks of memory stay behind.
 * The securebits, labels and keyrings are the sec room's, the personality and what the
 * configuration sets are sched.c's.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "proc/apply.h"
#include "sys/sys.h"

#define SIGNALS		   64
#define UMASK_DEFAULT	   022
#define TIMER_SLACK_NS	   50000  /* what init(1) begins with */
#define COREDUMP_FILTER	   "0x33" /* core(5) */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_NONE	   0
#define MPOL_DEFAULT	   0

/* --- in the parent --------------------------------------------------------------------------- */

static const char *status_field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) + strspn(at + strlen(name), " \t") : "";
}

/* The filter is our memory's and cannot be reached from a non-dumpable init. */
static void reset_coredump_filter(void)
{
	char now[32];
	auto_fd fd = -1;

	if (file_read_small(AT_FDCWD, "/proc/self/coredump_filter", now, sizeof(now)) < 0 ||
	    strtoul(now, NULL, 16) == strtoul(COREDUMP_FILTER, NULL, 16))
		return;
	fd = sys_open("/proc/self/coredump_filter", O_WRONLY, 0);
	if (fd < 0 || sys_write(fd, COREDUMP_FILTER, strlen(COREDUMP_FILTER)) < 0)
		log_debug("the coredump filter stays at %s", now);
}

void proc_note_inherited(struct proc_plan *p)
{
	struct proc_inherited *in = &p->inherited;
	char status[4096];

	reset_coredump_filter();
	if (file_read_small(AT_FDCWD, "/proc/self/status", status, sizeof(status)) < 0)
		return;
	in->ignored = strtoull(status_field(status, "\nSigIgn:"), NULL, 16);
	in->no_thp = str_starts(status_field(status, "\nTHP_enabled:"), "0");
	/* "thread force mitigated" cannot be taken back */
	in->ssb_off =
		str_starts(status_field(status, "\nSpeculation_Store_Bypass:"), "thread mitigated");
	in->indirect_off = str_starts(status_field(status, "\nSpeculationIndirectBranch:"),
				      "conditional disabled");
	/* Thousands of groups before it may have pushed it out of the buffer. */
	in->known = *status_field(status, "\nSigIgn:") != '\0';
}

/* --- in middle and init ---------------------------------------------------------------------- */

/* Handlers are gone with execve, so only what is ignored would stay. */
static void reset_signals(const struct proc_inherited *in)
{
	sigset_t none;

	for (int sig = 1; sig <= SIGNALS; sig++)
		if (!in->known || in->ignored & 1ULL << (sig - 1))
			sys_signal_default(sig);
	sigemptyset(&none);
	sys_sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Policy, nice value and flags in one answer. Without rights a raised nice value stays. */
void proc_reset_sched(void)
{
	const struct sys_sched_attr plain = { .size = sizeof(plain) };
	struct sys_sched_attr now = { 0 };
	int r;

	if (sys_sched_getattr(0, &now) < 0 || (!now.policy && !now.nice && !now.flags))
		return;
	r = sys_sched_setattr(0, &plain);
	if (r < 0)
		log_debug("scheduling policy %u, nice %d stay: %s", now.policy, now.nice,
			  errno_text(-r));
}

static void reset_mm(const struct proc_inherited *in)
{
	if (in->no_thp)
		sys_prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	if (in->ssb_off)
		sys_prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_ENABLE, 0, 0);
	if (in->indirect_off)
		sys_prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_INDIRECT_BRANCH, PR_SPEC_ENABLE, 0, 0);
	/* ENOSYS on a kernel without NUMA */
	sys_set_mempolicy(MPOL_DEFAULT, NULL, 0);
}

int proc_reset_inherited(const struct proc_plan *p, struct err *e)
{
	reset_signals(&p->inherited);
	umask(p->process->umask >= 0 ? (mode_t)p->process->umask : UMASK_DEFAULT);
	reset_mm(&p->inherited);
	sys_ioprio_set(IOPRIO_WHO_PROCESS, 0, IOPRIO_NONE);
	sys_prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
	return apply_affinity(p, e);
}
