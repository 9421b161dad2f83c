/* SPDX-License-Identifier: Apache-2.0 */
#include "container/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "container/internal.h"
#include "mount/mount.h"
#include "sys/sys.h"

#define NOTIFY_DIR     "notify"
#define NOTIFY_NAME    "notify.sock"
#define CONTAINER_DIR  "/run/notify"
#define SYSTEMD_SOCKET "/systemd/notify" /* below /run, or a user's part of it */
#define MESSAGE_MAX    4096		 /* as systemd has it */
#define BARRIER_MS     30000		 /* likewise; a manager without barriers closes at once */
#define MANAGER_MS     5000		 /* for room in its socket */
#define BURST	       32 /* messages at a time, so that a flood does not hold up the rest */

const char *notify_target(void)
{
	const char *target = getenv("NOTIFY_SOCKET");

	if (!target || !*target)
		return NULL;
	if (*target == '/' || *target == '@')
		return target;
	log_warning("NOTIFY_SOCKET '%s' is neither a path nor abstract: not passed on", target);
	return NULL;
}

/* --- what the container gets ------------------------------------------------------------------ */

static const char *options[] = { "bind", "ro", "nosuid", "nodev", "noexec" };

/*
 * Where the container finds it: callers look for the name that they gave, as crun has it. But
 * systemd's own is left to a systemd inside, and "/" is not a place for a socket.
 */
static const char *container_dir(struct arena *a, const char *target)
{
	const char *path = *target == '/' ? mount_path_clean(a, target) : "/";

	return !path[1] || str_ends(path, SYSTEMD_SOCKET) ? CONTAINER_DIR : path;
}

static void add_mount(struct arena *a, struct oci_config *config, const char *dir,
		      const char *state_dir)
{
	struct oci_mount **all = arena_new_n(a, config->n_mounts + 1, struct oci_mount *);
	struct oci_mount *m = arena_new(a, struct oci_mount);

	if (config->n_mounts)
		memcpy(all, config->mounts, config->n_mounts * sizeof(*all));
	m->destination = dir;
	m->type = "bind";
	m->source = arena_printf(a, "%s/" NOTIFY_DIR, state_dir);
	m->options = options;
	m->n_options = COUNT(options);
	all[config->n_mounts++] = m;
	config->mounts = all;
}

static void add_variable(struct arena *a, struct oci_process *process, const char *dir)
{
	const char **all = arena_new_n(a, process->n_env + 1, const char *);

	if (process->n_env)
		memcpy(all, process->env, process->n_env * sizeof(*all));
	all[process->n_env++] = arena_printf(a, "NOTIFY_SOCKET=%s/" NOTIFY_NAME, dir);
	process->env = all;
}

void notify_extend(struct arena *a, struct spec *spec, const char *target, const char *state_dir)
{
	struct oci_config *config = arena_new(a, struct oci_config);
	struct oci_process *process = arena_new(a, struct oci_process);
	const char *dir = container_dir(a, target);

	*config = *spec->config;
	*process = *spec->process.oci;
	add_mount(a, config, dir, state_dir);
	add_variable(a, process, dir);
	config->process = process;
	spec->config = config;
	spec->process.oci = process;
}

int notify_make(const struct container *c, struct err *e)
{
	int r = sys_mkdirat(c->dir.fd, NOTIFY_DIR, 0755);

	return r < 0 ? err_sys(e, -r, NOTIFY_DIR, "make the directory of container '%s'", c->id)
		     : 0;
}

static int open_dir(const struct container *c)
{
	return sys_openat(c->dir.fd, NOTIFY_DIR, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
}

/*
 * A container with CAP_SYS_ADMIN and without a user namespace can make its mount writable:
 * then anything may be in there.
 */
int notify_remove(const struct container *c, struct err *e)
{
	auto_dir dir = { .fd = open_dir(c), .name = NOTIFY_DIR };
	int r = dir.fd < 0 ? dir.fd : sys_unlinkat(dir.fd, NOTIFY_NAME, 0);

	if (r < 0 && r != -ENOENT && r != -EISDIR)
		return err_sys(e, -r, NOTIFY_DIR "/" NOTIFY_NAME, "remove");
	r = sys_unlinkat(c->dir.fd, NOTIFY_DIR, AT_REMOVEDIR);
	return r == -ENOTEMPTY ? dir_empty_deep(&dir, CONTAINER_DEADLINE_MS, e) : 0;
}

/* --- sockets ---------------------------------------------------------------------------------- */

/* -1: a manager that has gone, whose variable is still in a shell's environment, say. */
static int open_target(const char *target)
{
	auto_fd fd = sys_socket(AF_UNIX, SOCK_DGRAM, 0);
	int r = fd;

	if (r >= 0)
		r = *target == '@' ? sys_connect_abstract(fd, target + 1)
				   : sys_connect_unix(fd, AT_FDCWD, target);
	if (r >= 0)
		return fd_take(&fd);
	log_warning("NOTIFY_SOCKET '%s': %s: nothing is passed on", target, errno_text(-r));
	return -1;
}

/* One that an interrupted start has left is nobody's. */
static int open_own(int dir, struct err *e)
{
	auto_fd fd = sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int r = fd;

	if (r >= 0)
		r = sys_unlinkat(dir, NOTIFY_NAME, 0);
	if (r >= 0 || r == -ENOENT)
		/* for whoever the program is in there, by our umask of 0: a mode that was set by
		   name afterwards would be that of what somebody inside has put there instead;
		   nobody else gets into the state directory */
		r = sys_bind_unix(fd, dir, NOTIFY_NAME);
	return r < 0 ? err_sys(e, -r, NOTIFY_NAME, "make the container's socket") : fd_take(&fd);
}

int notify_open(const struct container *c, const char *target, pid_t pid, struct notify *ret,
		struct err *e)
{
	auto_fd dir = -1;

	*ret = NOTIFY_NONE;
	if (!target || !c->state->notify)
		return 0;
	dir = open_dir(c);
	if (dir < 0)
		return err_sys(e, -dir, NOTIFY_DIR, "open");
	ret->pid = pid;
	ret->out = open_target(target);
	if (ret->out < 0)
		return 0;
	ret->in = open_own(dir, e);
	if (ret->in >= 0)
		return 0;
	notify_close(ret);
	return -e->code;
}

void notify_close(struct notify *n)
{
	fd_close(&n->in);
	fd_close(&n->out);
}

/* --- messages --------------------------------------------------------------------------------- */

/* What a program may say of itself; not of descriptors, other processes or who may speak. */
static const char *const passed_on[] = {
	"READY=",	   "STATUS=",	"ERRNO=",    "EXIT_STATUS=",   "RELOADING=",
	"MONOTONIC_USEC=", "STOPPING=", "WATCHDOG=", "WATCHDOG_USEC=", "EXTEND_TIMEOUT_USEC=",
};

static bool may_pass(const char *line)
{
	for (size_t i = 0; i < COUNT(passed_on); i++)
		if (str_starts(line, passed_on[i]))
			return true;
	return false;
}

static int send_out(const struct notify *n, const char *text, size_t len, const int *fds,
		    size_t n_fds)
{
	struct pollfd room = { .fd = n->out, .events = POLLOUT };
	ssize_t r = sys_send_fds(n->out, text, len, fds, n_fds, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (r == -EAGAIN && sys_ppoll(&room, 1, MANAGER_MS) > 0)
		r = sys_send_fds(n->out, text, len, fds, n_fds, MSG_DONTWAIT | MSG_NOSIGNAL);
	return r < 0 ? (int)r : 0;
}

/* @text: of @len bytes and a terminator; lines in it are kept or dropped. */
static void pass_on(struct notify *n, char *text)
{
	char out[MESSAGE_MAX + 32];
	bool ready = false;
	size_t used = 0;
	int r;

	for (char *line; (line = strsep(&text, "\n"));) {
		if (!may_pass(line))
			continue;
		ready |= str_eq(line, "READY=1");
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%s\n", line);
	}
	if (!used)
		return;
	if (ready)
		used += (size_t)snprintf(out + used, sizeof(out) - used, "MAINPID=%d\n",
					 (int)n->pid);
	r = send_out(n, out, used, NULL, 0);
	if (r < 0)
		log_warning("NOTIFY_SOCKET: a message was lost: %s", errno_text(-r));
	n->ready |= ready;
}

void notify_relay(void *arg)
{
	struct notify *n = arg;
	char text[MESSAGE_MAX + 1];

	for (int i = 0; i < BURST; i++) {
		size_t none = 0;
		ssize_t len = sys_recv_fds(n->in, text, sizeof(text) - 1, NULL, &none, 0);

		if (len < 0 && len != -EMSGSIZE)
			return;
		if (len <= 0)
			continue;
		text[len] = '\0';
		pass_on(n, text);
	}
}

/* The manager closes the pipe when it has come to it, sd_notify_barrier(3). */
static void await_barrier(const struct notify *n)
{
	struct pollfd closed;
	int pipe[2];
	int r = sys_pipe2(pipe, 0);

	if (r < 0) {
		log_warning("NOTIFY_SOCKET: no barrier: %s", errno_text(-r));
		return;
	}
	r = send_out(n, "BARRIER=1", strlen("BARRIER=1"), &pipe[1], 1);
	fd_close(&pipe[1]);
	closed = (struct pollfd){ .fd = pipe[0] };
	if (r < 0)
		log_warning("NOTIFY_SOCKET: the barrier was not sent: %s", errno_text(-r));
	else if (sys_ppoll(&closed, 1, BARRIER_MS) == 0)
		log_warning("NOTIFY_SOCKET: the service manager has not read READY within %d ms",
			    BARRIER_MS);
	fd_close(&pipe[0]);
}

int notify_await(struct notify *n, int pidfd, struct err *e)
{
	struct pollfd fds[] = {
		{ .fd = n->in, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};

	while (n->in >= 0 && !n->ready) {
		int r = sys_ppoll(fds, COUNT(fds), -1);

		if (r < 0)
			return err_sys(e, -r, NULL, "wait for READY");
		notify_relay(n);
		if (fds[1].revents)
			break;
	}
	if (n->ready)
		await_barrier(n);
	return 0;
}
