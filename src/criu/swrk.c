/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swrk - "criu swrk 3": one CRIU that serves one request on a socket
 *
 * It is a child like any other: with the descriptors that it needs, default signals and
 * its own log file. While it works it asks and we answer; when it is gone the socket
 * ends, so nothing here waits for ever.
 */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/helper.h"
#include "base/log.h"
#include "base/str.h"
#include "criu/host_cgroup.h"
#include "criu/request.h"
#include "sys/attr.h"
#include "sys/sys.h"

#define SOCKET_FD	 3
#define MESSAGE_MAX	 65536
#define LOG_MAX		 (16 << 20)
#define CHECK_TIMEOUT_MS 10000
#define DEFAULT_PATH	 "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct swrk {
	struct arena *arena;
	const struct criu_process *how;
	int socket;
	pid_t pid;
	int pidfd;
	unsigned char *buffer;
	struct err failed; /* in a notification: why we said no */
};

/* --- the program ------------------------------------------------------------------------------ */

int criu_find(struct arena *a, const char *given, const char **ret, struct err *e)
{
	const char *dirs = getenv("PATH");

	if (given && strchr(given, '/')) {
		*ret = given;
		return 0;
	}
	/* engines call without PATH */
	dirs = dirs && *dirs ? arena_printf(a, "%s:%s", dirs, DEFAULT_PATH) : DEFAULT_PATH;
	for (;;) {
		size_t n = strcspn(dirs, ":");
		const char *path = arena_printf(a, "%.*s/%s", (int)n, dirs, given ? given : "criu");

		if (path[0] == '/' && sys_faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0) {
			*ret = path;
			return 0;
		}
		if (!dirs[n])
			break;
		dirs += n + 1;
	}
	err_code(e, ENOENT, "criu", "'%s' is not installed: checkpoint and restore need it",
		 given ? given : "criu");
	return err_set_id(e, "criu-missing");
}

/* Its tools (iptables, nft, tar) are found by PATH. */
static char *const *environment(struct arena *a)
{
	const char *path = getenv("PATH");
	char **env = arena_new_n(a, 2, char *);

	env[0] = arena_printf(a, "PATH=%s", path && *path ? path : DEFAULT_PATH);
	return env;
}

int criu_check(struct arena *a, const char *path, struct err *e)
{
	static const char *const as_root[] = { "criu", "check", NULL };
	static const char *const as_user[] = { "criu", "--unprivileged", "check", NULL };
	const struct helper h = { .what = "criu check",
				  .path = path,
				  .argv = geteuid() == 0 ? as_root : as_user,
				  .envp = (const char *const *)environment(a),
				  .cwd_fd = -1,
				  .stdout_fd = -1,
				  .stderr_fd = -1,
				  .timeout_ms = CHECK_TIMEOUT_MS };

	return helper_run(&h, e);
}

/* --- in the child ----------------------------------------------------------------------------- */

static int pass_descriptors(const struct criu_process *p, const struct criu_request *q, int socket)
{
	auto_fd null = p->stdio ? -1 : sys_open("/dev/null", O_RDWR, 0);
	int r = 0;

	for (int fd = 0; null >= 0 && fd < SOCKET_FD && r >= 0; fd++)
		r = sys_dup3(null, fd, 0);
	for (size_t i = 0; q && i < q->n_inherit && r >= 0; i++)
		r = fd_set_cloexec(q->inherit[i].fd, false);
	if (r >= 0)
		r = socket == SOCKET_FD ? fd_set_cloexec(socket, false)
					: sys_dup3(socket, SOCKET_FD, 0);
	return r < 0 ? r : 0;
}

/* Blocked and ignored signals would go on into what is restored. */
static void default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sys_signal_default(sig);
	sigemptyset(&none);
	sys_sigprocmask(SIG_SETMASK, &none, NULL);
}

/* @go: closed by the parent when everything about us is done. */
static _Noreturn void swrk_child(const struct criu_process *p, const struct criu_request *q,
				 int socket, int go, char *const *env)
{
	char *const argv[] = { "criu", "swrk", "3", NULL };
	char byte;
	int r;

	if (sys_read(go, &byte, 1) != 1)
		_exit(EXIT_FAILURE);
	default_signals();
	r = pass_descriptors(p, q, socket);
	if (r == 0)
		r = sys_execve(p->path, argv, env);
	_exit(r == -ENOENT ? 127 : 126);
}

/* --- its life --------------------------------------------------------------------------------- */

static int let_go(struct swrk *s, int go, struct err *e)
{
	int r = s->how->born ? s->how->born(s->how->arg, s->pid, e) : 0;

	if (r < 0)
		return r;
	r = (int)sys_write(go, "x", 1);
	return r < 0 ? err_sys(e, -r, s->how->path, "start") : 0;
}

static int swrk_start(struct swrk *s, const struct criu_request *q, struct err *e)
{
	const struct criu_process *p = s->how;
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .exit_signal = SIGCHLD,
				   .pidfd = (uintptr_t)&s->pidfd };
	char *const *env = environment(s->arena);
	auto_fd theirs = -1, held = -1, go = -1;
	int ends[2];
	int r = sys_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);

	if (r < 0)
		return err_sys(e, -r, p->path, "make a socket for");
	s->socket = ends[0];
	theirs = ends[1];
	r = sys_pipe2(ends, O_CLOEXEC);
	if (r < 0)
		return err_sys(e, -r, p->path, "make a pipe for");
	held = ends[0];
	go = ends[1];
	if (p->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)p->cgroup;
	}
	s->pid = sys_clone3(&args, sizeof(args));
	if (s->pid == 0) {
		fd_close(&go);
		swrk_child(p, q, theirs, held, env);
	}
	return s->pid < 0 ? err_sys(e, -s->pid, p->path, "start") : let_go(s, go, e);
}

/* Closing the socket ends it, if it has not ended already. */
static void swrk_end(struct swrk *s, siginfo_t *ret)
{
	*ret = (siginfo_t){ 0 };
	fd_close(&s->socket);
	if (s->pidfd >= 0)
		sys_waitid_pidfd(s->pidfd, ret, WEXITED);
	fd_close(&s->pidfd);
}

/* --- the conversation ------------------------------------------------------------------------- */

static int send_message(struct swrk *s, const struct wire *w)
{
	ssize_t n = sys_send_fds(s->socket, w->bytes.v, w->bytes.n, NULL, 0, MSG_NOSIGNAL);

	return n < 0 ? (int)n : 0;
}

/* 1: *ret is a message, 0: it is gone */
static int receive(struct swrk *s, struct response *ret, int *ret_fd)
{
	size_t nfds = 1;
	ssize_t n = sys_recv_fds(s->socket, s->buffer, MESSAGE_MAX, ret_fd, &nfds, 0);
	int r;

	if (nfds == 0)
		*ret_fd = -1;
	if (n <= 0)
		return n == -ECONNRESET ? 0 : (int)n;
	r = response_decode(s->arena, s->buffer, (size_t)n, ret);
	return r < 0 ? r : 1;
}

static int answer_notify(struct swrk *s, const struct response *m, int fd)
{
	const struct criu_process *p = s->how;
	struct wire w = { .arena = s->arena };
	int r = 0;

	log_debug("criu: %s", m->script ? m->script : "?");
	if (p->notify && m->script)
		r = p->notify(p->arg, m->script, m->pid, fd, &s->failed);
	request_noted(&w, r >= 0);
	return send_message(s, &w);
}

/* Until the answer to a request of @type. 1: *ret is it, 0: CRIU is gone, -errno. */
static int converse(struct swrk *s, enum criu_message type, struct response *ret)
{
	for (;;) {
		auto_fd fd = -1;
		int r = receive(s, ret, &fd);

		if (r <= 0)
			return r;
		if (ret->type != CRIU_MSG_NOTIFY)
			return ret->type == type || !ret->success ? 1 : -EPROTO;
		r = answer_notify(s, ret, fd);
		if (r < 0)
			return r == -EPIPE ? 0 : r;
	}
}

/* --- what went wrong -------------------------------------------------------------------------- */

static const char *log_of(struct arena *a, const struct criu_request *q)
{
	char *text;

	if (file_read_at(q->work, q->log_file, a, LOG_MAX, &text, NULL) < 0)
		return "";
	return criu_log_reason(a, text);
}

static const char *work_name(struct arena *a, const struct criu_request *q)
{
	char path[PATH_MAX];

	if (sys_readlinkat(AT_FDCWD, arena_printf(a, "/proc/self/fd/%d", q->work), path,
			   sizeof(path)) < 0)
		return q->log_file;
	return arena_printf(a, "%s/%s", path, q->log_file);
}

static const char *how_it_ended(struct arena *a, const siginfo_t *si)
{
	if (si->si_code == CLD_EXITED && (si->si_status == 126 || si->si_status == 127))
		return "it could not be executed";
	if (si->si_code == CLD_EXITED)
		return arena_printf(a, "it ended with status %d", si->si_status);
	return arena_printf(a, "it was killed by signal %d", si->si_status);
}

/* Our own refusal comes first, then CRIU's log, then what CRIU says itself. */
static int explain(struct swrk *s, const struct criu_request *q, const struct response *m,
		   const siginfo_t *si, struct err *e)
{
	static const char *const verbs[] = {
		[CRIU_DUMP] = "dump", [CRIU_PRE_DUMP] = "pre-dump", [CRIU_RESTORE] = "restore"
	};
	const char *reason;

	if (s->failed.code) {
		*e = s->failed;
		return err_note(e, "criu %s", verbs[q->verb]);
	}
	reason = log_of(s->arena, q);
	if (!*reason && m)
		reason = m->message ? m->message : m->code ? errno_text(m->code) : "";
	if (!*reason)
		reason = how_it_ended(s->arena, si);
	err_code(e, m && m->code > 0 ? m->code : EIO, s->how->path,
		 "criu %s failed: %s (the whole log is in '%s')", verbs[q->verb], reason,
		 work_name(s->arena, q));
	return err_set_id(e, "criu-failed");
}

static void swrk_init(struct swrk *s, struct arena *a, const struct criu_process *p)
{
	*s = (struct swrk){ .arena = a,
			    .how = p,
			    .socket = -1,
			    .pidfd = -1,
			    .buffer = arena_alloc(a, MESSAGE_MAX) };
}

int criu_version(struct arena *a, const struct criu_process *p, struct err *e)
{
	struct wire w = { .arena = a };
	struct response m = { 0 };
	siginfo_t si;
	struct swrk s;
	int r;

	swrk_init(&s, a, p);
	request_plain(&w, CRIU_MSG_VERSION);
	r = swrk_start(&s, NULL, e);
	if (r == 0)
		r = send_message(&s, &w);
	if (r == 0)
		r = converse(&s, CRIU_MSG_VERSION, &m);
	swrk_end(&s, &si);
	if (e && e->code)
		return -e->code;
	if (r <= 0 || !m.success || m.type != CRIU_MSG_VERSION)
		return err_code(e, EIO, p->path, "'%s' does not tell its version: %s", p->path,
				how_it_ended(a, &si));
	return (int)(m.major * 10000 + m.minor * 100 + m.sublevel);
}

int criu_run(struct arena *a, const struct criu_process *p, const struct criu_request *q,
	     pid_t *ret_pid, struct err *e)
{
	static const enum criu_message types[] = { [CRIU_DUMP] = CRIU_MSG_DUMP,
						   [CRIU_PRE_DUMP] = CRIU_MSG_PRE_DUMP,
						   [CRIU_RESTORE] = CRIU_MSG_RESTORE };
	struct wire w = { .arena = a };
	struct response m = { 0 };
	struct host_cgroup host;
	siginfo_t si;
	struct swrk s;
	int r;

	*ret_pid = 0;
	if (request_encode(&w, q, e) < 0)
		return -e->code;
	host_cgroup_begin(a, &host);
	swrk_init(&s, a, p);
	r = swrk_start(&s, q, e);
	if (r < 0) {
		swrk_end(&s, &si);
		host_cgroup_end(a, &host);
		return r;
	}
	r = send_message(&s, &w);
	if (r == 0)
		r = converse(&s, types[q->verb], &m);
	swrk_end(&s, &si);
	host_cgroup_end(a, &host);
	if (r <= 0 || !m.success)
		return explain(&s, q, r > 0 ? &m : NULL, &si, e);
	*ret_pid = m.restored;
	return 0;
}
