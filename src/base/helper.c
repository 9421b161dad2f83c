/* SPDX-License-Identifier: Apache-2.0 */
#include "base/helper.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define TAIL_SIZE 1024 /* of stderr that is kept */

enum { SLOT_PID, SLOT_IN, SLOT_OUT, SLOT_ERR, SLOTS };

struct running {
	const struct helper *h;
	pid_t pid;
	int pidfd;
	int in, out, err; /* our ends; -1: none or done */
	size_t fed, collected;
	char tail[TAIL_SIZE];
	size_t tail_len;
	bool exited;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

/* --- in the child ----------------------------------------------------------------------------- */

static void reset_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_fd(int fd, int target)
{
	if (fd == target)
		fcntl(fd, F_SETFD, 0);
	else
		dup2(fd, target);
}

static _Noreturn void helper_child(const struct helper *h, const int ends[3])
{
	static const char *const no_env[] = { NULL };
	const char *const self[] = { h->path, NULL };
	char text[256];
	int n;

	setpgid(0, 0);
	reset_signals();
	if (h->cwd_fd >= 0 && fchdir(h->cwd_fd) < 0)
		_exit(126);
	for (int i = 0; i < 3; i++)
		child_fd(ends[i], i);
	syscall(SYS_close_range, 3, ~0U, 0);
	execve(h->path, (char *const *)(h->argv ? h->argv : self),
	       (char *const *)(h->envp ? h->envp : no_env));
	n = snprintf(text, sizeof(text), "exec '%s': %s\n", h->path, errno_text(errno));
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(126);
	_exit(127);
}

/* --- in the parent ---------------------------------------------------------------------------- */

static int make_ends(const struct helper *h, struct running *r, int child[3])
{
	int p[2];

	for (int i = 0; i < 3; i++) {
		bool wants_pipe = i == 2 || (i == 0 ? h->input != NULL : h->output != NULL);

		if (i == 1 && !h->output && h->stdout_fd >= 0) {
			child[i] = fcntl(h->stdout_fd, F_DUPFD_CLOEXEC, 3);
		} else if (!wants_pipe) {
			child[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		} else {
			if (pipe2(p, O_CLOEXEC) < 0)
				return -errno;
			child[i] = p[i != 0];
			*(i == 0 ? &r->in : i == 1 ? &r->out : &r->err) = p[i == 0];
			fcntl(p[i == 0], F_SETFL, O_NONBLOCK);
		}
		if (child[i] < 0)
			return -errno;
		/* Numbers below 3 would be overwritten while they are put into place. */
		if (child[i] < 3) {
			int moved = fcntl(child[i], F_DUPFD_CLOEXEC, 3);

			close(child[i]);
			child[i] = moved;
		}
	}
	return 0;
}

static void feed(struct running *r)
{
	ssize_t n = write(r->in, r->h->input + r->fed, r->h->input_len - r->fed);

	if (n > 0)
		r->fed += (size_t)n;
	/* EPIPE: it does not want to read; that is its own affair. */
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || r->fed == r->h->input_len)
		fd_close(&r->in);
}

static void keep_tail(struct running *r, const char *data, size_t n)
{
	if (n >= TAIL_SIZE) {
		data += n - TAIL_SIZE + 1;
		n = TAIL_SIZE - 1;
	}
	if (r->tail_len + n >= TAIL_SIZE) {
		size_t drop = r->tail_len + n - TAIL_SIZE + 1;

		memmove(r->tail, r->tail + drop, r->tail_len - drop);
		r->tail_len -= drop;
	}
	memcpy(r->tail + r->tail_len, data, n);
	r->tail_len += n;
	r->tail[r->tail_len] = '\0';
}

/* Returns false when there is nothing (more) to read for now. */
static bool drain(struct running *r, int *fd)
{
	char buf[4096];
	ssize_t n = *fd < 0 ? 0 : read(*fd, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		fd_close(fd);
		return false;
	}
	if (fd == &r->err) {
		keep_tail(r, buf, (size_t)n);
		if (r->h->stderr_fd >= 0 && write(r->h->stderr_fd, buf, (size_t)n) < 0)
			return true; /* a copy that nobody takes */
		return true;
	}
	for (ssize_t i = 0; i < n && r->collected + 1 < r->h->output_size; i++)
		r->h->output[r->collected++] = buf[i];
	return true;
}

/* One turn of the wait. Returns false at the deadline. */
static bool turn(struct running *r, int64_t deadline)
{
	struct pollfd fds[SLOTS] = {
		[SLOT_PID] = { .fd = r->pidfd, .events = POLLIN },
		[SLOT_IN] = { .fd = r->in, .events = POLLOUT },
		[SLOT_OUT] = { .fd = r->out, .events = POLLIN },
		[SLOT_ERR] = { .fd = r->err, .events = POLLIN },
	};
	int64_t left = deadline ? deadline - now_ms() : -1;

	if (deadline && left <= 0)
		return false;
	if (poll(fds, SLOTS, left > 1 << 30 ? 1 << 30 : (int)left) < 0)
		return true;
	if (fds[SLOT_IN].revents)
		feed(r);
	if (fds[SLOT_OUT].revents)
		drain(r, &r->out);
	if (fds[SLOT_ERR].revents)
		drain(r, &r->err);
	r->exited = fds[SLOT_PID].revents != 0;
	return true;
}

static const char *last_line(char *text)
{
	size_t n = strlen(text);
	char *line;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	str_escape_control(line);
	return line;
}

static int verdict(struct running *r, const siginfo_t *si, bool late, struct err *e)
{
	const char *line = last_line(r->tail);
	const char *sep = *line ? ": '" : "", *end = *line ? "'" : "";

	if (late)
		return err_code(e, ETIMEDOUT, r->h->path, "%s: timed out after %llu ms%s%s%s",
				r->h->what, (unsigned long long)r->h->timeout_ms, sep, line, end);
	if (si->si_code != CLD_EXITED)
		return err_code(e, ECHILD, r->h->path, "%s: killed by signal %d%s%s%s", r->h->what,
				si->si_status, sep, line, end);
	if (si->si_status)
		return err_code(e, ECHILD, r->h->path, "%s: exited with status %d%s%s%s",
				r->h->what, si->si_status, sep, line, end);
	return 0;
}

static int wait_for(struct running *r, struct err *e)
{
	int64_t deadline = r->h->timeout_ms ? now_ms() + (int64_t)r->h->timeout_ms : 0;
	siginfo_t si = { 0 };
	bool late = false;

	while (!r->exited && !late)
		late = !turn(r, deadline);
	if (late) /* the whole group; it is its leader, which we have not waited for */
		kill(-r->pid, SIGKILL);
	while (waitid((idtype_t)P_PIDFD, (id_t)r->pidfd, &si, WEXITED) < 0 && errno == EINTR)
		;
	/* A grandchild may hold the pipes for ever: what is there is all we want. */
	while (drain(r, &r->out))
		;
	while (drain(r, &r->err))
		;
	if (r->h->output && r->h->output_size)
		r->h->output[r->collected] = '\0';
	return verdict(r, &si, late, e);
}

int helper_run(const struct helper *h, struct err *e)
{
	struct running r = { .h = h, .pidfd = -1, .in = -1, .out = -1, .err = -1 };
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .exit_signal = SIGCHLD,
				   .pidfd = (uintptr_t)&r.pidfd };
	/* init has the default disposition already when it runs startContainer hooks. */
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	int child[3] = { -1, -1, -1 };
	int code = make_ends(h, &r, child);

	sigaction(SIGPIPE, &ignore, &before);
	if (code == 0) {
		r.pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
		if (r.pid == 0)
			helper_child(h, child);
		code = r.pid < 0 ? -errno : 0;
	}
	for (int i = 0; i < 3; i++)
		fd_close(&child[i]);
	if (code < 0)
		err_sys(e, -code, h->path, "%s: start", h->what);
	else
		code = wait_for(&r, e);
	sigaction(SIGPIPE, &before, NULL);
	fd_close(&r.in);
	fd_close(&r.out);
	fd_close(&r.err);
	fd_close(&r.pidfd);
	return code;
}
