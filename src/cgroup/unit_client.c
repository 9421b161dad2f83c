/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_client - the program is started for one request, and killed when it takes too long
 *
 * It dies with us: by its parent death signal, and because its socket ends.
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/trace.h"
#include "cgroup/unit_client.h"
#include "sys/sys.h"

#define HELPER_NAME   "cleat-systemd"
#define TIMEOUT_MS    30000
#define GRACE_MS      200 /* for its own word about the deadline */
#define LAST_MS	      1000
#define VARIABLES_MAX 8

static unsigned timeout_ms = TIMEOUT_MS;

void cgroup_systemd_timeout(unsigned ms)
{
	timeout_ms = ms;
}

/* --- the request ------------------------------------------------------------------------------ */

struct bytes {
	struct arena *arena;
	char *v;
	size_t n, cap;
};

static void add(struct bytes *b, const char *text)
{
	do
		*vec_push(b->arena, b) = *text;
	while (*text++);
}

static void add_number(struct bytes *b, size_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", n);
	add(b, text);
}

char *unit_encode(struct arena *a, const struct unit_request *q, unsigned timeout, size_t *ret_len)
{
	static const struct unit_properties none;
	const struct unit_properties *p = q->properties ? q->properties : &none;
	struct bytes b = { .arena = a };
	uint32_t len;

	for (size_t i = 0; i < sizeof(len); i++)
		*vec_push(a, &b) = 0;
	add(&b, q->verb);
	add(&b, q->user ? "user" : "system");
	add_number(&b, timeout);
	add(&b, q->unit);
	add(&b, q->invocation ? q->invocation : "");
	add_number(&b, p->n);
	for (size_t i = 0; i < p->n; i++) {
		const struct unit_property *x = &p->v[i];

		add(&b, x->name);
		add(&b, x->signature);
		add(&b, x->optional ? "1" : "0");
		add_number(&b, x->n);
		for (size_t k = 0; k < x->n; k++)
			add(&b, x->tokens[k]);
	}
	len = (uint32_t)(b.n - sizeof(len));
	memcpy(b.v, &len, sizeof(len));
	*ret_len = b.n;
	return b.v;
}

/* --- the program ------------------------------------------------------------------------------ */

/* Where it was installed, or where CLEAT_HELPER_DIR says, for a tree that is not installed. */
static bool find_program(char *buf, size_t size)
{
	const char *dir = getenv("CLEAT_HELPER_DIR");
	int n = snprintf(buf, size, "%s/%s", dir && *dir == '/' ? dir : CLEAT_HELPER_DIR,
			 HELPER_NAME);

	return n < (int)size && sys_faccessat(AT_FDCWD, buf, X_OK, 0) == 0;
}

static _Noreturn void become(const char *path, int sock, char *const *env)
{
	char *const argv[] = { (char *)(uintptr_t)HELPER_NAME, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* a terminal's ^C is for the container; the error output stays, for the loader's words */
	setsid();
	if (dup2(sock, 0) < 0 || dup2(sock, 1) < 0 ||
	    sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		_exit(127);
	execve(path, argv, env);
	_exit(127);
}

/* What finds the user's manager, and nothing else of the caller's environment. */
static void choose_env(char **env)
{
	static const char *const names[] = { "XDG_RUNTIME_DIR=", "DBUS_SESSION_BUS_ADDRESS=",
					     "DBUS_SYSTEM_BUS_ADDRESS=" };
	size_t n = 0;

	for (char **v = environ; v && *v; v++)
		for (size_t i = 0; i < COUNT(names) && n < VARIABLES_MAX; i++)
			if (str_starts(*v, names[i]))
				env[n++] = *v;
	env[n] = NULL;
}

static int start_program(struct unit_helper *ret, struct err *e)
{
	char path[PATH_MAX], *env[VARIABLES_MAX + 1];
	int pidfd = -1, fds[2], r;
	struct clone_args args = { .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
				   .pidfd = (uint64_t)(uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	pid_t pid;

	if (!find_program(path, sizeof(path)))
		return err_code(e, ENOTSUP, path,
				"the systemd cgroup manager needs '%s', which is not there", path);
	r = sys_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
	if (r < 0)
		return err_sys(e, -r, NULL, "make a socket for %s", HELPER_NAME);
	choose_env(env);
	pid = sys_clone3(&args, sizeof(args));
	if (pid == 0)
		become(path, fds[1], env);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_sys(e, -pid, HELPER_NAME, "start");
	}
	*ret = (struct unit_helper){ fds[0], pidfd };
	return 0;
}

static void reap(struct unit_helper *h, int64_t wait_ms)
{
	struct pollfd p = { .fd = h->pidfd, .events = POLLIN };
	siginfo_t si;

	if (h->pidfd < 0)
		return;
	if (sys_ppoll(&p, 1, wait_ms) <= 0)
		sys_pidfd_send_signal(h->pidfd, SIGKILL);
	sys_waitid_pidfd(h->pidfd, &si, WEXITED);
	fd_close(&h->pidfd);
}

void unit_helper_release(struct unit_helper *h)
{
	/* init has a copy of the descriptor until it executes its program */
	if (h->sock >= 0)
		shutdown(h->sock, SHUT_RDWR);
	fd_close(&h->sock);
	reap(h, LAST_MS);
}

/* --- the exchange ----------------------------------------------------------------------------- */

static int send_all(int sock, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(sock, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int receive(const struct unit_helper *h, const struct unit_request *q,
		   struct unit_reply *reply, struct err *e)
{
	int64_t deadline = clock_now_ms() + timeout_ms + GRACE_MS, left;
	size_t done = 0;

	while (done < sizeof(*reply)) {
		struct pollfd p = { .fd = h->sock, .events = POLLIN };
		ssize_t n;

		left = deadline - clock_now_ms();
		if (left <= 0 || sys_ppoll(&p, 1, left) == 0)
			return err_code(e, ETIMEDOUT, q->unit,
					"%s unit '%s': systemd did not answer within %u ms",
					q->verb, q->unit, timeout_ms);
		n = recv(h->sock, (char *)reply + done, sizeof(*reply) - done, 0);
		if (n == 0 || (n < 0 && errno != EINTR))
			return err_code(e, EPIPE, HELPER_NAME, "%s ended without an answer",
					HELPER_NAME);
		done += n > 0 ? (size_t)n : 0;
	}
	reply->text[sizeof(reply->text) - 1] = '\0';
	reply->path[sizeof(reply->path) - 1] = '\0';
	reply->invocation[sizeof(reply->invocation) - 1] = '\0';
	str_escape_control(reply->text);
	if (!reply->code)
		return 0;
	return err_code(e, reply->code, NULL, "%s", reply->text);
}

int unit_ask(const struct unit_request *q, struct unit_reply *reply, struct unit_helper *helper,
	     struct err *e)
{
	struct unit_helper h = UNIT_HELPER_NONE;
	auto_arena a = arena_make();
	size_t len;
	char *bytes = unit_encode(&a, q, timeout_ms, &len);
	int r = start_program(&h, e);

	if (r < 0)
		return r;
	r = send_all(h.sock, bytes, len);
	/* one that could not be executed has ended: receive() says so */
	if (r < 0 && r != -EPIPE)
		err_sys(e, -r, HELPER_NAME, "write to");
	else
		r = receive(&h, q, reply, e);
	trace(CGROUP, "systemd: %s %s: %s", q->verb, q->unit, errno_name(-r));
	if (r == 0 && helper) {
		*helper = h;
		return 0;
	}
	fd_close(&h.sock);
	reap(&h, r < 0 ? 0 : LAST_MS);
	return r < 0 ? -e->code : 0;
}
