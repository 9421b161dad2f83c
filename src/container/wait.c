/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait, stop - the end of a container that is nobody's child here
 *
 * No lock is taken while it lives: the pidfd that was proven to be init's says when it has
 * ended. How it ended is asked at once, and put on record; see exit.c.
 *
 * An init that is kept by zombies of others has ended as well, and no event tells that. But it
 * has left its cgroup by then, which is one. So it is looked for, in growing intervals, only
 * after the last one has left; without cgroup v2 from the start.
 */
#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

#define LOOK_PAUSE_MS	  20
#define LOOK_PAUSE_MAX_MS 1280 /* by doubling */

static int too_late(const char *id, int64_t timeout_ms, struct err *e)
{
	return err_code(e, ETIMEDOUT, id, "container '%s' has not ended within %lld ms", id,
			(long long)timeout_ms);
}

static int64_t time_left(int64_t end)
{
	int64_t left = end - clock_now_ms();

	return left > 0 ? left : 0;
}

/* @events: of its cgroup, or -1; without @may_linger zombies are nothing to look for. */
static int await_end(const struct container *c, int events, bool may_linger, int64_t timeout_ms,
		     struct err *e)
{
	int64_t end = clock_now_ms() + timeout_ms;

	for (int64_t pause = LOOK_PAUSE_MS;;) {
		auto_arena a = arena_make(); /* this may go on for ever */
		bool look = may_linger && (events < 0 || cgroup_events_say_empty(events));
		int64_t left = timeout_ms < 0 ? INT64_MAX : time_left(end);
		int64_t ms = look && pause < left ? pause : left;
		struct pollfd fds[] = { { .fd = c->pidfd, .events = POLLIN },
					{ .fd = look ? -1 : events, .events = POLLPRI } };
		int r = sys_ppoll(fds, COUNT(fds), ms == INT64_MAX ? -1 : ms);

		if (r < 0)
			return err_sys(e, -r, c->id, "wait for container '%s'", c->id);
		if (fds[0].revents || (look && container_is_zombies(&a, c)))
			return 0;
		if (left == 0)
			return -ETIMEDOUT;
		if (look && pause < LOOK_PAUSE_MAX_MS)
			pause *= 2;
	}
}

int container_await_end(struct arena *a, const struct container *c, int64_t timeout_ms,
			struct err *e)
{
	bool may_linger = false;
	auto_fd events = -1;
	struct cgroup *cg;

	if (c->pidfd < 0)
		return 0;
	/* without a pid namespace it waits for nobody, without a cgroup nobody knows who is left */
	cg = c->state->own_pid_namespace ? container_recorded_cgroup(a, c) : NULL;
	if (cg) {
		may_linger = true;
		events = cgroup_matches(cg) ? cgroup_open_events(cg) : -1;
	}
	cgroup_close(cg);
	return await_end(c, events, may_linger, timeout_ms, e);
}

static int wait_for_end(struct arena *a, const struct container *c, int64_t timeout_ms,
			struct err *e)
{
	int r = container_await_end(a, c, timeout_ms, e);

	return r == -ETIMEDOUT ? too_late(c->id, timeout_ms, e) : r;
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
	int64_t end = clock_now_ms() + timeout_ms;
	struct container c;
	int r = find_born(a, ctx, id, "wait for",
			  hurry ? (unsigned)timeout_ms : CONTAINER_DEADLINE_MS, &c, e);

	if (r == -ETIMEDOUT && hurry) {
		err_clear(e);
		return too_late(id, timeout_ms, e);
	}
	if (r < 0)
		return r;
	r = container_await_end(a, &c, timeout_ms < 0 ? -1 : time_left(end), e);
	if (r == -ETIMEDOUT)
		too_late(id, timeout_ms, e);
	if (r == 0)
		*ret = learn_end(a, &c);
	container_close(&c);
	return r;
}

/* It may end by itself between any two steps. */
static int send_signal(struct arena *a, const struct context *ctx, const struct container *c,
		       int sig, struct err *e)
{
	int r = container_kill(ctx, c->id, sig, false, e);
	struct err still = { 0 };

	if (r < 0 && wait_for_end(a, c, 0, &still) == 0) {
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
		r = send_signal(&a, ctx, &c, CONTAINER_STOP_SIGNAL, e);
	if (r == 0 && wait_for_end(&a, &c, timeout_ms, &late) < 0) {
		if (late.code == ETIMEDOUT)
			r = send_signal(&a, ctx, &c, SIGKILL, e);
		if (r == 0)
			r = wait_for_end(&a, &c, CONTAINER_DEADLINE_MS, e);
	}
	if (r == 0)
		learn_end(&a, &c);
	container_close(&c);
	return r;
}
