/* SPDX-License-Identifier: Apache-2.0 */
#include "run/handover.h"

#include <poll.h>

#include "base/fd.h"
#include "sys/sys.h"

#define ANSWER_MS 10000

/* What LISTENER says of the thread; else -errno, why there is none. Earlier releases said 0. */
enum { THREAD_NONE = 0, THREAD_ANSWERS = 1 };

/* --- init ---------------------------------------------------------------------------------- */

static int give(void *arg)
{
	int peer = (int)(intptr_t)arg, r;
	struct err ignored = { 0 };
	auto_fd extra = -1;
	struct msg m;

	if (channel_recv(peer, &m, &extra, &ignored) != 1 || m.type != MSG_FETCH)
		return 0;
	r = channel_send(peer, MSG_OK, 0, (int)m.number);
	if (r < 0)
		channel_send(peer, MSG_OK, r, -1);
	return 0;
}

/* The filter counts from its load, for our own calls as well: after it there are none. */
int handover_load(int peer, const struct seccomp_filter *f, bool no_new_privs, struct err *e)
{
	/* only ever used once; on it are two messages at most */
	static char stack[65536] __attribute__((aligned(64)));
	struct seccomp_handover handover;
	auto_fd watch = seccomp_handover_make(&handover, e);
	int r;

	if (watch < 0)
		return watch;
	r = sys_thread(give, stack + sizeof(stack), (void *)(intptr_t)peer);
	r = channel_send(peer, MSG_LISTENER, r < 0 ? r : THREAD_ANSWERS, watch);
	if (r < 0)
		return err_sys(e, -r, NULL, "offer the seccomp listener");
	fd_close(&watch);
	r = seccomp_filter_load(f, no_new_privs, e);
	if (r >= 0 && !seccomp_handover_give(&handover, r))
		__builtin_trap();
	return r < 0 ? r : 0;
}

/* --- the peer ------------------------------------------------------------------------------ */

static int fetch(int peer, int number, struct err *e)
{
	struct pollfd p = { .fd = peer, .events = POLLIN };
	auto_fd fd = -1;
	struct msg m;
	int r = channel_send(peer, MSG_FETCH, number, -1);

	if (r == 0)
		r = sys_ppoll(&p, 1, ANSWER_MS);
	if (r <= 0)
		return err_sys(e, r < 0 ? -r : ETIMEDOUT, NULL, "ask for the seccomp listener");
	r = channel_recv(peer, &m, &fd, e);
	if (r < 0)
		return r;
	if (r == 0)
		return err_code(e, ESRCH, NULL,
				"the container's process ended before the seccomp listener came");
	if (m.type != MSG_OK || fd < 0)
		return err_sys(e, m.type == MSG_OK && m.number < 0 ? (int)-m.number : EPROTO, NULL,
			       "get the seccomp listener, descriptor %d of the container's process",
			       number);
	return fd_take(&fd);
}

static int take_as_tracer(int pidfd, int number, int64_t thread, struct err *e)
{
	int fd = sys_pidfd_getfd(pidfd, number);

	if (fd < 0)
		return err_sys(e, thread < 0 ? (int)-thread : -fd, NULL,
			       "take the seccomp listener, descriptor %d of the container's "
			       "process, which has no thread to send it",
			       number);
	return fd;
}

int handover_take(int peer, int pidfd, const struct msg *offer, int watch,
		  const struct run_listener *l, struct err *e)
{
	auto_fd listener = -1;
	uint64_t page;
	int r;

	if (watch < 0 || !l || !l->deliver)
		return err_code(e, EPROTO, NULL, "a seccomp listener that nobody asked for");
	r = seccomp_handover_await(watch, pidfd, &page, e);
	if (r < 0)
		return r;
	listener = offer->number == THREAD_ANSWERS ? fetch(peer, r, e)
						   : take_as_tracer(pidfd, r, offer->number, e);
	if (listener < 0)
		return listener;
	r = l->deliver(l->arg, listener, e);
	return r < 0 ? r : seccomp_handover_finish(watch, page, e);
}
