/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child is a plain fork by clone3(2) with a pidfd: it cannot be mistaken for
 * another process, and it stays ours to wait for until the very end. Four pipes at
 * most lead to it: stdin, stdout, stderr, and one that reports what failed before
 * the exec, which closes it.
 *
 * The program's end, not the end of its output, ends the wait: a grandchild may keep
 * the pipes open for as long as it likes.
 */
#include "base/helper.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/str.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define UMASK	       022   /* as a program on the host expects it */
#define TAIL_SIZE      512   /* of what it says that is kept */
#define KILL_WAIT_MS   10000 /* for a killed process to end; one stuck in the kernel does not */
#define COPIES_WAIT_MS 2000  /* after the program's end, for who reads what it wrote */
#define TIMEOUT_MAX_MS (UINT64_C(1) << 60) /* more than that is none */
#define DRAIN_MAX      (4 << 20)	   /* above what any pipe holds */

#define NULL_DEVICE "/dev/null"

/* The kernel's set of signals has a bit for each and no more. */
#define KERNEL_SET_SIZE (NSIG / 8)

enum slot { SLOT_IN, SLOT_OUT, SLOT_ERR, SLOT_REPORT, SLOT_PID, SLOTS };

/* What a child that could not become the program sends. */
struct report {
	int code;
	char action[24];
};

struct tail {
	char text[TAIL_SIZE];
	size_t len;
};

struct running {
	const struct helper *h;
	pid_t pid;
	int fds[SLOTS];	  /* our ends and the pidfd; -1: none or done */
	int64_t deadline; /* 0: none */
	int64_t copies;	  /* deadline of copies, once the program is known to have ended; 0 */
	size_t fed, collected;
	bool collects; /* there is an output to collect into */
	bool overflow, exited, late;
	int interrupt; /* the signal that ended the wait, or 0 */
	struct report report;
	struct tail out, err;
	const char *missing; /* a file that start() could not open */
};

/* Milliseconds as poll(2) wants them: 0 when the deadline has come, -1 when there is none. */
static int time_left(int64_t deadline)
{
	int64_t left = deadline - clock_now_ms();

	if (!deadline)
		return -1;
	if (left > INT_MAX)
		return INT_MAX;
	return left > 0 ? (int)left : 0;
}

/* --- in the child --------------------------------------------------------------------- */

static _Noreturn void child_fail(int report, const char *action)
{
	struct report r = { .code = errno };

	str_copy(r.action, sizeof(r.action), action);
	if (write(report, &r, sizeof(r)) < 0)
		_exit(126);
	_exit(127);
}

/*
 * By the kernel's own calls: sigaction(3) refuses 32 and 33, which libc keeps for itself,
 * yet a caller may have left them ignored, and ignored they stay across exec.
 */
static void reset_signals(void)
{
	/* all zero is SIG_DFL without flags, whatever the layout, and an empty set */
	static const long nothing[16];

	for (int sig = 1; sig < NSIG; sig++) /* KILL and STOP refuse */
		syscall(SYS_rt_sigaction, sig, nothing, NULL, KERNEL_SET_SIZE);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, nothing, NULL, KERNEL_SET_SIZE);
}

static _Noreturn void helper_child(const struct helper *h, const int ends[3], int report)
{
	static const char *const no_env[] = { NULL };
	const char *const self[] = { h->path, NULL };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	reset_signals();
	if (!h->keep_umask)
		umask(UMASK);
	if (h->cwd_fd >= 0 && fchdir(h->cwd_fd) < 0)
		child_fail(report, "enter directory for");
	/* none of the ends is below 3, so none is overwritten before its turn */
	for (int i = 0; i < 3; i++)
		if (dup2(ends[i], i) < 0)
			child_fail(report, "prepare descriptors of");
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		child_fail(report, "close descriptors of");
	execve(h->path, (char *const *)(h->argv ? h->argv : self),
	       (char *const *)(h->envp ? h->envp : no_env));
	child_fail(report, "exec");
}

/* --- pipes ------------------------------------------------------------------------------ */

/* Numbers below 3 would be overwritten while the child puts its stdio into place. */
static int above_stdio(int fd)
{
	int moved, saved;

	if (fd < 0 || fd > 2)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	saved = errno;
	close(fd);
	errno = saved;
	return moved;
}

/* A pipe with our end, which does not block, in @ret_ours. Returns the child's end or -errno. */
static int make_pipe(int *ret_ours, bool child_reads)
{
	auto_fd ours = -1, child = -1;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	ours = p[child_reads ? 1 : 0];
	child = above_stdio(p[child_reads ? 0 : 1]);
	if (child < 0 || fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	*ret_ours = fd_take(&ours);
	return fd_take(&child);
}

static int child_end(struct running *r, enum slot slot)
{
	const struct helper *h = r->h;
	int fd;

	if (slot == SLOT_OUT && h->stdout_fd >= 0 && !r->collects) {
		fd = fcntl(h->stdout_fd, F_DUPFD_CLOEXEC, 3);
	} else if (slot == SLOT_IN && !h->input) {
		fd = above_stdio(open(NULL_DEVICE, O_RDWR | O_CLOEXEC | O_NOCTTY));
		r->missing = fd < 0 ? NULL_DEVICE : NULL;
	} else {
		return make_pipe(&r->fds[slot], slot == SLOT_IN);
	}
	return fd < 0 ? -errno : fd;
}

static void feed(struct running *r)
{
	size_t left = r->h->input_len - r->fed;
	ssize_t n = left ? write(r->fds[SLOT_IN], r->h->input + r->fed, left) : 0;

	if (n > 0)
		r->fed += (size_t)n;
	/* EPIPE: it does not want to read; that is its own affair. */
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || r->fed == r->h->input_len)
		fd_close(&r->fds[SLOT_IN]);
}

/*
 * Is there room for a piece of a copy? Who does not read it may hold up the program, which would
 * have written to him itself, but not the end of the wait: what is left then is lost.
 */
static bool has_room(struct running *r, int fd)
{
	for (;;) {
		struct pollfd p[] = { { .fd = fd, .events = POLLOUT },
				      { .fd = interrupt_fd(), .events = POLLIN },
				      { .fd = r->fds[SLOT_PID], .events = POLLIN } };
		int64_t end = r->deadline;
		int n;

		if (r->copies) {
			end = end && end < r->copies ? end : r->copies;
			p[1].fd = p[2].fd = -1;
		}
		n = poll(p, COUNT(p), r->interrupt ? 0 : time_left(end));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || p[0].revents)
			return n > 0;
		if (p[1].revents)
			r->interrupt = interrupt_take();
		if (p[2].revents)
			r->copies = clock_now_ms() + COPIES_WAIT_MS;
	}
}

/* Pieces of less than PIPE_BUF: one for which there is room does not block. */
static void copy_to(struct running *r, int fd, const char *data, size_t n)
{
	while (n > 0 && has_room(r, fd)) {
		size_t piece = n < PIPE_BUF ? n : PIPE_BUF;
		ssize_t w = write(fd, data, piece);

		if (w <= 0)
			return;
		data += w;
		n -= (size_t)w;
	}
}

static void keep_tail(struct tail *t, const char *data, size_t n)
{
	size_t drop;

	if (n >= TAIL_SIZE) {
		data += n - (TAIL_SIZE - 1);
		n = TAIL_SIZE - 1;
	}
	drop = t->len + n >= TAIL_SIZE ? t->len + n - (TAIL_SIZE - 1) : 0;
	memmove(t->text, t->text + drop, t->len - drop);
	t->len -= drop;
	memcpy(t->text + t->len, data, n);
	t->len += n;
	t->text[t->len] = '\0';
}

static void collect(struct running *r, const char *data, size_t n)
{
	size_t room = r->h->output_size - r->collected - 1;

	if (n > room) {
		r->overflow = true;
		n = room;
	}
	memcpy(r->h->output + r->collected, data, n);
	r->collected += n;
}

/* Take what is there. Returns the number of bytes; 0: there is nothing, now or ever. */
static size_t take(struct running *r, enum slot slot)
{
	char buf[4096];
	ssize_t n;

	if (r->fds[slot] < 0)
		return 0;
	do
		n = read(r->fds[slot], buf, sizeof(buf));
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		fd_close(&r->fds[slot]);
		return 0;
	}
	if (slot == SLOT_REPORT && n == sizeof(r->report)) {
		memcpy(&r->report, buf, sizeof(r->report));
	} else if (slot == SLOT_OUT && !r->collects) {
		keep_tail(&r->out, buf, (size_t)n);
	} else if (slot == SLOT_OUT) {
		collect(r, buf, (size_t)n);
		if (r->h->stdout_fd >= 0)
			copy_to(r, r->h->stdout_fd, buf, (size_t)n);
	} else if (slot == SLOT_ERR) {
		keep_tail(&r->err, buf, (size_t)n);
		if (r->h->stderr_fd >= 0)
			copy_to(r, r->h->stderr_fd, buf, (size_t)n);
	}
	return (size_t)n;
}

/* --- the wait --------------------------------------------------------------------------- */

static void turn(struct running *r)
{
	struct pollfd p[SLOTS + 1];
	int n;

	for (int i = 0; i < SLOTS; i++)
		p[i] = (struct pollfd){ .fd = r->fds[i],
					.events = i == SLOT_IN ? POLLOUT : POLLIN };
	p[SLOTS] = (struct pollfd){ .fd = interrupt_fd(), .events = POLLIN };
	n = poll(p, COUNT(p), time_left(r->deadline));
	if (n < 0)
		return; /* EINTR; nothing else can be wrong */
	r->late = n == 0;
	if (p[SLOT_IN].revents)
		feed(r);
	for (enum slot i = SLOT_OUT; i <= SLOT_REPORT; i++)
		if (p[i].revents)
			take(r, i);
	r->exited = p[SLOT_PID].revents != 0;
	if (!r->exited && !r->interrupt && p[SLOTS].revents)
		r->interrupt = interrupt_take();
	/* a program that writes for ever keeps poll(2) from ever saying that time is up */
	if (!r->exited && !time_left(r->deadline))
		r->late = true;
}

/* Returns whether the process has ended. Until it is waited for its numbers are its own. */
static bool kill_group(struct running *r)
{
	struct pollfd p = { .fd = r->fds[SLOT_PID], .events = POLLIN };
	int64_t deadline = clock_now_ms() + KILL_WAIT_MS;
	int n;

	kill(r->pid, SIGKILL); /* it may not have made its session yet */
	kill(-r->pid, SIGKILL);
	do
		n = poll(&p, 1, time_left(deadline));
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static const char *last_line(char *text)
{
	size_t n = strlen(text);
	char *line;

	while (n > 0 && strchr("\r\n\t ", text[n - 1]))
		text[--n] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	str_escape_control(line);
	return line;
}

/* The error of a program that ran, with what it said last, of errors if it did. */
static int failure(struct running *r, int code, struct err *e, const char *fmt, long long number)
{
	const char *line = last_line(r->err.text);
	char how[64];

	if (!*line)
		line = last_line(r->out.text);
	snprintf(how, sizeof(how), fmt, number);
	return err_code(e, code, r->h->path, "%s: %s%s%s%s", r->h->what, how, *line ? ": '" : "",
			line, *line ? "'" : "");
}

static int verdict(struct running *r, const siginfo_t *si, int waited, struct err *e)
{
	const struct helper *h = r->h;

	if (r->report.code) {
		r->report.action[sizeof(r->report.action) - 1] = '\0';
		err_sys(e, r->report.code, h->path, "%s", r->report.action);
		err_note(e, "%s", h->what);
		return -r->report.code;
	}
	if (waited >= 0 && h->ret_status)
		*h->ret_status = si->si_status + (si->si_code == CLD_EXITED ? 0 : 128);
	if (r->interrupt)
		return failure(r, EINTR, e, "interrupted by signal %lld", r->interrupt);
	if (r->late)
		return failure(r, ETIMEDOUT, e, "timed out after %lld ms",
			       (long long)h->timeout_ms);
	if (waited < 0)
		return err_sys(e, -waited, h->path, "%s: wait for", h->what);
	if (si->si_code != CLD_EXITED)
		return failure(r, ECHILD, e, "killed by signal %lld", si->si_status);
	if (si->si_status)
		return failure(r, ECHILD, e, "exited with status %lld", si->si_status);
	if (r->overflow)
		return err_code(e, EMSGSIZE, h->path, "%s: printed more than %zu bytes", h->what,
				h->output_size - 1);
	return 0;
}

static int wait_for(struct running *r, struct err *e)
{
	siginfo_t si = { 0 };
	int waited = 0;

	while (!r->exited && !r->late && !r->interrupt)
		turn(r);
	if (!r->exited && !kill_group(r))
		return failure(r, ETIMEDOUT, e, "still there %lld ms after it was killed",
			       KILL_WAIT_MS);
	do
		waited = waitid((idtype_t)P_PIDFD, (id_t)r->fds[SLOT_PID], &si, WEXITED);
	while (waited < 0 && errno == EINTR);
	waited = waited < 0 ? -errno : 0;
	/* what is in the pipes now is all we want; whoever goes on writing is not the program */
	for (enum slot i = SLOT_OUT; i <= SLOT_REPORT; i++)
		for (size_t n = 1, sum = 0; n && sum < DRAIN_MAX; sum += n)
			n = take(r, i);
	return verdict(r, &si, waited, e);
}

/* --- start ------------------------------------------------------------------------------ */

static int start(struct running *r)
{
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .exit_signal = SIGCHLD,
				   .pidfd = (uintptr_t)&r->fds[SLOT_PID] };
	int ends[4] = { -1, -1, -1, -1 };
	int code = 0;

	for (int i = 0; i < 3 && code >= 0; i++)
		code = ends[i] = child_end(r, (enum slot)i);
	if (code >= 0)
		code = ends[3] = make_pipe(&r->fds[SLOT_REPORT], false);
	if (code >= 0) {
		r->pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
		if (r->pid == 0)
			helper_child(r->h, ends, ends[3]);
		code = r->pid < 0 ? -errno : 0;
		/* stored before the last thing that can fail, and closed then */
		if (r->pid < 0)
			r->fds[SLOT_PID] = -1;
	}
	for (size_t i = 0; i < COUNT(ends); i++)
		fd_close(&ends[i]);
	return code;
}

int helper_run(const struct helper *h, struct err *e)
{
	/* init has the default disposition again when it runs startContainer hooks */
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	struct running r = { .h = h,
			     .collects = h->output && h->output_size,
			     .fds = { -1, -1, -1, -1, -1 } };
	int code;

	if (h->ret_status)
		*h->ret_status = -1;
	if (h->timeout_ms && h->timeout_ms < TIMEOUT_MAX_MS)
		r.deadline = clock_now_ms() + (int64_t)h->timeout_ms;
	(void)sigaction(SIGPIPE, &ignore, &before);
	code = start(&r);
	if (code < 0)
		code = err_sys(e, -code, r.missing ? r.missing : h->path,
			       r.missing ? "%s: open" : "%s: start", h->what);
	else
		code = wait_for(&r, e);
	(void)sigaction(SIGPIPE, &before, NULL);
	if (r.collects)
		h->output[r.collected] = '\0';
	for (int i = 0; i < SLOTS; i++)
		fd_close(&r.fds[i]);
	return code;
}
