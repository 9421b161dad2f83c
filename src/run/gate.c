/* SPDX-License-Identifier: Apache-2.0 */
#include "run/gate.h"

#include <fcntl.h>
#include <poll.h>

#include "base/fd.h"
#include "base/log.h"
#include "run/channel.h"
#include "run/handover.h"
#include "run/run.h"
#include "sys/sys.h"

/* More than one asks for the status at a time; what does not fit is told EAGAIN. */
#define GATE_BACKLOG 64

/* Between the connection and its first message nothing is to be done. */
#define GREETING_MS 2000

/* An agent that answers the payload's system calls may never answer those of ours. */
#define EXPLAIN_MS 2000

/* How long an init that has failed may take to end. */
#define END_MS 2000

int gate_make(const struct dir *state_dir, const char *name, struct err *e)
{
	auto_fd fd = sys_socket(AF_UNIX, SOCK_SEQPACKET, 0);
	int r;

	if (fd < 0)
		return err_sys(e, -fd, name, "make the socket");
	r = sys_bind_unix(fd, state_dir->fd, name);
	if (r < 0)
		return err_sys(e, -r, state_dir->name, "bind the start gate in");
	r = sys_listen(fd, GATE_BACKLOG);
	if (r < 0)
		return err_sys(e, -r, name, "listen at");
	return fd_take(&fd);
}

/* `start` speaks at once and `state` hangs up; whoever was stopped in between may not hold us. */
static bool says_start(int peer)
{
	struct pollfd p = { .fd = peer, .events = POLLIN };
	struct err dropped = { 0 };
	auto_fd fd = -1;
	struct msg m;

	return sys_ppoll(&p, 1, GREETING_MS) > 0 && channel_recv(peer, &m, &fd, &dropped) == 1 &&
	       m.type == MSG_START;
}

int gate_wait(int gate, struct err *e)
{
	for (;;) {
		auto_fd peer = sys_accept(gate);

		if (peer < 0)
			return err_sys(e, -peer, NULL, "accept at the gate");
		if (says_start(peer))
			return fd_take(&peer);
	}
}

/*
 * A failed exec is reported at once and then looked into, under the filter of the payload:
 * the explanation, if there is one, takes the place of the report.
 */
static int await_explanation(int peer, struct err *e)
{
	struct pollfd fd = { .fd = peer, .events = POLLIN };
	struct err ignored = { 0 };
	auto_fd extra = -1;
	struct msg m;

	if (sys_ppoll(&fd, 1, EXPLAIN_MS) > 0 && channel_recv(peer, &m, &extra, &ignored) == 1 &&
	    m.type == MSG_ERROR)
		*e = m.err;
	return -e->code;
}

int gate_outcome(int peer, int pidfd, const struct run_listener *l, struct err *e)
{
	bool exec = false;

	for (;;) {
		struct msg m;
		auto_fd fd = -1;
		int r = channel_recv(peer, &m, &fd, e);

		if (r < 0)
			return err_note(e, "start");
		if (r == 0)
			return exec ? 0
				    : err_code(
					      e, ESRCH, NULL,
					      "the container's init died before its program was executed");
		switch (m.type) {
		case MSG_EXEC:
			exec = true;
			break;
		case MSG_LOG:
			log_forward((enum log_level)m.number, m.text);
			break;
		case MSG_LISTENER:
			r = handover_take(peer, pidfd, &m, fd, l, e);
			if (r < 0)
				return r;
			break;
		case MSG_ERROR:
			*e = m.err;
			return exec ? await_explanation(peer, e) : -e->code;
		default:
			return err_code(e, EPROTO, NULL, "unexpected message '%s' from init",
					msg_type_name(m.type));
		}
	}
}

static int gate_connect(const struct dir *state_dir, const char *name, int extra)
{
	auto_fd fd = sys_socket(AF_UNIX, SOCK_SEQPACKET | extra, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_connect_unix(fd, state_dir->fd, name);
	return r < 0 ? r : fd_take(&fd);
}

int run_gate_is_open(const struct dir *state_dir)
{
	auto_fd fd = -1;

	/* Most containers are running: one call answers then. */
	if (sys_faccessat(state_dir->fd, RUN_GATE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	fd = gate_connect(state_dir, RUN_GATE, SOCK_NONBLOCK);
	if (fd >= 0 || fd == -EAGAIN) /* EAGAIN: the backlog is full, so somebody listens */
		return 1;
	return fd == -ECONNREFUSED || fd == -ENOENT ? 0 : fd;
}

/* Whoever hears that the start failed may rely on it that the container has stopped. */
static void await_end(int pidfd)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	sys_ppoll(&end, 1, END_MS);
}

int run_start(const struct dir *state_dir, const char *gate, int pidfd,
	      const struct run_listener *l, struct err *e)
{
	auto_fd peer = gate_connect(state_dir, gate, 0);
	int r;

	if (peer == -ECONNREFUSED || peer == -ENOENT)
		return err_code(e, ESRCH, NULL, "cannot start a container that has stopped");
	if (peer < 0)
		return err_sys(e, -peer, state_dir->name, "connect to the start gate in");
	r = channel_send(peer, MSG_START, 0, -1);
	if (r < 0)
		return err_sys(e, -r, state_dir->name, "ask init to start in");
	r = gate_outcome(peer, pidfd, l, e);
	if (r < 0) {
		fd_close(&peer);
		await_end(pidfd);
		return r;
	}
	r = sys_unlinkat(state_dir->fd, gate, 0);
	return r < 0 && r != -ENOENT ? err_sys(e, -r, gate, "remove") : 0;
}
