/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attach - stay with a container in the foreground
 *
 * One poll on the pidfd of its init, a signalfd and the terminal's descriptors: no
 * wake-up without a reason. Signals were blocked by run_block_signals() before init
 * was born, so none is lost; each is sent on, but for SIGCHLD, SIGURG and, with a
 * terminal, SIGWINCH, which changes its size instead.
 */
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "run/run.h"
#include "sys/sys.h"

struct attach {
	struct run *run;
	int signals;
	struct term_relay *relay; /* NULL: no terminal */
};

int run_block_signals(struct err *e)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
	sigset_t mask;
	int r;

	sigfillset(&mask);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		sigdelset(&mask, own[i]);
	r = sys_sigprocmask(SIG_BLOCK, &mask, NULL);
	return r < 0 ? err_sys(e, -r, NULL, "block signals") : 0;
}

static int forward(struct attach *a)
{
	struct signalfd_siginfo si;
	ssize_t n = sys_read(a->signals, &si, sizeof(si));

	if (n != (ssize_t)sizeof(si))
		return 0;
	if (si.ssi_signo == SIGWINCH && a->relay) {
		term_relay_resize(a->relay);
		return 0;
	}
	if (si.ssi_signo == SIGCONT && a->relay)
		term_relay_foreground(a->relay);
	sys_pidfd_send_signal(a->run->pidfd, (int)si.ssi_signo);
	return 0;
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

		if (r == -EINTR)
			continue;
		if (r < 0)
			return err_sys(e, -r, NULL, "wait for the container");
		if (fds[1].revents)
			forward(a);
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
	struct attach a = { .run = run, .signals = -1 };
	siginfo_t si = { 0 };
	sigset_t mask;
	int r = 0;

	sigfillset(&mask);
	/* nothing is sent on for these; the pidfd tells when init has ended */
	sigdelset(&mask, SIGCHLD);
	sigdelset(&mask, SIGURG);
	a.signals = sys_signalfd(-1, &mask);
	if (a.signals < 0)
		return err_sys(e, -a.signals, NULL, "make a signalfd");
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
