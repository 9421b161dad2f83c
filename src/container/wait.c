/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait, stop - the end of a container that is nobody's child here
 *
 * No lock is taken while it lives: the pidfd that was proven to be init's says when it has
 * ended. How it ended is asked at once, and put on record; see exit.c.
 */
#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "container/internal.h"
#include "sys/sys.h"

static int too_late(const char *id, int64_t timeout_ms, struct err *e)
{
	return err_code(e, ETIMEDOUT, id, "container '%s' has not ended within %lld ms", id,
			(long long)timeout_ms);
}

static int wait_for_end(const struct container *c, int64_t timeout_ms, struct err *e)
{
	struct pollfd ended = { .fd = c->pidfd, .events = POLLIN };
	int r = c->pidfd < 0 ? 1 : sys_ppoll(&ended, 1, timeout_ms);

	if (r < 0)
		return err_sys(e, -r, c->id, "wait for container '%s'", c->id);
	return r == 0 ? too_late(c->id, timeout_ms, e) : 0;
}

/* What is on record, or can be now that it has ended; NULL: nobody knows. */
static struct cleat_exit *learn_end(struct arena *a, struct container *c)
{
	struct cleat_exit *x = NULL;
	int status;

	if (c->pidfd < 0 && exit_read(a, c, &x) == 0)
		return x;
	status = c->pidfd < 0 ? identity_ended_status(c->state)
			      : exit_wait_status(c->state->pid, c->pidfd);
	if (status < 0)
		return exit_read(a, c, &x) == 0 ? x : NULL;
	x = exit_describe(a, c, status);
	exit_record(a, c, x);
	return x;
}

/* Find a container whose init is born: until then whoever makes it holds the lock. */
static int find_born(struct arena *a, const struct context *ctx, const char *id, const char *verb,
		     unsigned timeout_ms, struct container *ret, struct err *e)
{
	int r = container_find(a, ctx, id, ret, e);

	if (r < 0 || ret->status != STATUS_CREATING || ret->pidfd >= 0)
		return r;
	r = lock_wait(a, ret->dir.fd, id, verb, timeout_ms, e);
	if (r == 0) {
		lock_drop(ret->dir.fd);
		r = container_reload(a, ret, false, e);
	}
	if (r < 0)
		container_close(ret);
	return r;
}

int container_wait(struct arena *a, const struct context *ctx, const char *id, int64_t timeout_ms,
		   struct cleat_exit **ret, struct err *e)
{
	bool hurry = timeout_ms >= 0 && timeout_ms < CONTAINER_DEADLINE_MS;
	int64_t end = clock_now_ms() + timeout_ms, left;
	struct container c;
	int r = find_born(a, ctx, id, "wait for",
			  hurry ? (unsigned)timeout_ms : CONTAINER_DEADLINE_MS, &c, e);

	if (r == -ETIMEDOUT && hurry) {
		err_clear(e);
		return too_late(id, timeout_ms, e);
	}
	if (r < 0)
		return r;
	left = end - clock_now_ms();
	r = wait_for_end(&c, timeout_ms < 0 ? -1 : left > 0 ? left : 0, e);
	if (r == 0)
		*ret = learn_end(a, &c);
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
	int r = find_born(&a, ctx, id, "stop", CONTAINER_DEADLINE_MS, &c, e);

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
	if (r == 0)
		learn_end(&a, &c);
	container_close(&c);
	return r;
}
