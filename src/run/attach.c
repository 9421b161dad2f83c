/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach - stay with a container in the foreground
 *
 * One poll on the pidfd of its init, a signalfd and the terminal's descriptors: no
 * wake-up without a reason. Signals were blocked by run_block_signals() before init
 * was born, so none is lost but one that ends the creation; each is sent on, but for
 * SIGCHLD, SIGURG and, with a terminal, SIGWINCH, which changes its size instead.
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/str.h"
#include "run/parent.h"
#include "run/steps.h"
#include "sys/sys.h"

struct attach {
	struct run *run;
	int signals;
	struct term_relay *relay; /* NULL: no terminal */
};

/* Made when they are blocked; signals are the process's. */
static int blocked = -1;

int run_block_signals(struct err *e)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
	sigset_t mask;
	int r;

	if (blocked >= 0)
		return 0;
	sigfillset(&mask);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		sigdelset(&mask, own[i]);
	r = sys_sigprocmask(SIG_BLOCK, &mask, NULL);
	if (r < 0)
		return err_sys(e, -r, NULL, "block signals");
	/* nothing is sent on for these; the pidfd tells when init has ended */
	sigdelset(&mask, SIGCHLD);
	sigdelset(&mask, SIGURG);
	blocked = sys_signalfd(-1, &mask);
	if (blocked < 0)
		return err_sys(e, -blocked, NULL, "make a signalfd");
	interrupt_by(blocked);
	return 0;
}

int run_await(const struct run *r, enum hook_kind kind, struct err *e)
{
	struct pollfd fds[] = { { .fd = r->channel, .events = POLLIN },
				{ .fd = interrupt_fd(), .events = POLLIN } };
	int n, sig = 0;

	if (!r->plan->hooks.n[kind] || fds[1].fd < 0)
		return 0;
	while (!sig) {
		n = sys_ppoll(fds, COUNT(fds), -1);
		if (n < 0)
			return err_sys(e, -n, NULL, "wait for init");
		if (fds[0].revents)
			return 0;
		sig = interrupt_take();
	}
	err_code(e, EINTR, NULL, "%s hooks: interrupted by signal %d", hook_kind_name(kind), sig);
	str_copy(e->step, sizeof(e->step), (const char *)r->progress->step);
	return err_set_id(e, "hook");
}

static void forward(struct attach *a, int sig)
{
	if (sig == SIGWINCH && a->relay) {
		term_relay_resize(a->relay);
		return;
	}
	if (sig == SIGCONT && a->relay)
		term_relay_foreground(a->relay);
	sys_pidfd_send_signal(a->run->pidfd, sig);
}

/* From here on no signal is ours, also not when all is over. */
static void take_over(struct attach *a)
{
	interrupt_by(-1);
	for (int sig = 1; sig < NSIG; sig++)
		if (sigismember(interrupt_taken(), sig) > 0)
			forward(a, sig);
}

static void forward_next(struct attach *a)
{
	struct signalfd_siginfo si;

	if (sys_read(a->signals, &si, sizeof(si)) == (ssize_t)sizeof(si))
		forward(a, (int)si.ssi_signo);
}

void run_reap_dead(void)
{
	siginfo_t si;

	do
		si.si_pid = 0;
	while (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | __WALL) == 0 && si.si_pid);
}

enum { FDS = 3 }; /* that are always polled */

static int wait_loop(struct attach *a, struct err *e)
{
	for (;;) {
		struct pollfd fds[FDS + TERM_RELAY_FDS] = {
			{ .fd = a->run->pidfd, .events = POLLIN },
			{ .fd = a->signals, .events = POLLIN },
			{ .fd = a->run->watch.fd, .events = POLLIN },
		};
		size_t n = FDS + (a->relay ? term_relay_poll(a->relay, fds + FDS) : 0);
		int r = sys_ppoll(fds, n, -1);

		if (r < 0)
			return err_sys(e, -r, NULL, "wait for the container");
		if (fds[1].revents)
			forward_next(a);
		if (fds[2].revents)
			a->run->watch.readable(a->run->watch.arg);
		if (a->relay && term_relay_handle(a->relay, fds + FDS, n - FDS, e) < 0)
			return -e->code;
		if (fds[0].revents)
			return 0;
	}
}

static int status_of(const siginfo_t *si)
{
	return si->si_code == CLD_EXITED ? si->si_status : 128 + si->si_status;
}

int run_attach(struct arena *arena, struct run *run, int *ret_status, struct err *e)
{
	struct attach a = { .run = run, .signals = blocked };
	siginfo_t si = { 0 };
	int r = 0;

	take_over(&a);
	if (run->master >= 0)
		r = term_relay_start(arena, fd_take(&run->master), &a.relay, e);
	if (r == 0)
		r = wait_loop(&a, e);
	if (a.relay)
		term_relay_finish(a.relay);
	/* the signals stay blocked and caught until the process ends */
	if (r < 0)
		return r;
	r = sys_waitid_pidfd(run->pidfd, &si, WEXITED | __WALL);
	if (r < 0)
		return err_sys(e, -r, NULL, "learn how the container ended");
	run->wait_status = si.si_code == CLD_EXITED ? W_EXITCODE(si.si_status, 0)
						    : W_EXITCODE(0, si.si_status);
	*ret_status = status_of(&si);
	return 0;
}
