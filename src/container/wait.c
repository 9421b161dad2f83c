/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait, stop - the end of a container that is nobody's child here
 *
 * No lock is taken: the pidfd that was proven to be init's says when it has ended, and, once
 * its parent has reaped it, newer kernels tell how. A parent that does not reap is not waited
 * for longer than REAP_MS.
 */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "container/internal.h"
#include "sys/sys.h"

#define REAP_MS 1000

static int exit_status(int pidfd)
{
	struct pollfd reaped = { .fd = pidfd };
	int status;

	sys_ppoll(&reaped, 1, REAP_MS);
	status = sys_pidfd_exit_status(pidfd);
	if (status < 0)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int wait_for_end(const struct container *c, int64_t timeout_ms, struct err *e)
{
	struct pollfd ended = { .fd = c->pidfd, .events = POLLIN };
	int r = c->pidfd < 0 ? 1 : sys_ppoll(&ended, 1, timeout_ms);

	if (r < 0)
		return err_sys(e, -r, c->id, "wait for container '%s'", c->id);
	if (r == 0)
		return err_code(e, ETIMEDOUT, c->id, "container '%s' has not ended within %lld ms",
				c->id, (long long)timeout_ms);
	return 0;
}

int container_wait(const struct context *ctx, const char *id, int64_t timeout_ms, int *ret_status,
		   struct err *e)
{
	auto_arena a = arena_make();
	struct container c;
	int r = container_find(&a, ctx, id, &c, e);

	if (r < 0)
		return r;
	r = wait_for_end(&c, timeout_ms, e);
	if (r == 0)
		*ret_status = c.pidfd < 0 ? -1 : exit_status(c.pidfd);
	container_close(&c);
	return r;
}

/* It may end by itself between any two steps. */
static int send_signal(const struct context *ctx, const struct container *c, int sig, struct err *e)
{
	int r = container_kill(ctx, c->id, sig, false, e);
	struct err still = { 0 };

	if (r < 0 && wait_for_end(c, 0, &still) == 0) {
		err_clear(e);
		return 0;
	}
	return r;
}

int container_stop(const struct context *ctx, const char *id, int64_t timeout_ms, struct err *e)
{
	auto_arena a = arena_make();
	struct container c;
	struct err late = { 0 };
	int r = container_find(&a, ctx, id, &c, e);

	if (r < 0)
		return r;
	if (c.pidfd >= 0)
		r = send_signal(ctx, &c, CONTAINER_STOP_SIGNAL, e);
	if (r == 0 && wait_for_end(&c, timeout_ms, &late) < 0) {
		if (late.code == ETIMEDOUT)
			r = send_signal(ctx, &c, SIGKILL, e);
		if (r == 0)
			r = wait_for_end(&c, CONTAINER_DEADLINE_MS, e);
	}
	container_close(&c);
	return r;
}
