/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events - what a container uses, now and at intervals, and when it runs out of memory
 *
 * Without a lock. The wait is on the cgroup's own files, on init and on the reader of the
 * output, and ends when nobody is left inside.
 */
#include <poll.h>

#include "base/clock.h"
#include "container/internal.h"
#include "sys/sys.h"

enum { FD_WATCH, FD_INIT = CGROUP_WATCH_FDS, FD_OUTPUT, N_FDS };

static int open_cgroup(struct arena *a, const struct container *c, struct cgroup **ret,
		       struct err *e)
{
	int r = container_allows(c, VERB_EVENTS, e);

	if (r < 0)
		return r;
	*ret = container_cgroup(a, c);
	return *ret ? 0
		    : err_code(e, ENOTSUP, c->id,
			       "container '%s' has no cgroup of its own to read from", c->id);
}

int container_stats(struct arena *a, const struct context *ctx, const char *id,
		    struct cgroup_stats *ret, struct err *e)
{
	struct cgroup *cg = NULL;
	struct container c;
	int r = container_open(a, ctx, id, &c, e);

	if (r < 0)
		return r;
	r = open_cgroup(a, &c, &cg, e);
	if (r == 0)
		r = cgroup_stats_read(a, cg, ret, e);
	cgroup_close(cg);
	container_close(&c);
	return r;
}

/* --- the stream ------------------------------------------------------------------------------- */

struct stream {
	struct container *c;
	struct cgroup *cg;
	struct cgroup_watch watch;
	const struct event_sink *sink;
	int64_t next; /* when figures are due; CLOCK_MONOTONIC, ms */
	bool ended;
};

static int emit_stats(struct stream *s, struct err *e)
{
	auto_arena a = arena_make();
	struct cgroup_stats stats;
	int r = cgroup_stats_read(&a, s->cg, &stats, e);

	s->next = clock_now_ms() + s->sink->interval_ms;
	if (r == -ENODEV) {
		s->ended = true;
		err_clear(e);
		return 0;
	}
	return r < 0 ? r : s->sink->emit(s->sink->arg, s->c->id, &stats, e);
}

/* Without a v2 tree nothing but the end of init tells of the end. */
static bool look(struct stream *s, const struct pollfd *fds)
{
	unsigned what = 0;

	if (fds[0].revents || fds[1].revents)
		what = cgroup_watch_look(&s->watch);
	s->ended = (what & CGROUP_WATCH_EMPTY) || fds[FD_OUTPUT].revents ||
		   (fds[FD_INIT].revents && s->watch.events < 0);
	return what & CGROUP_WATCH_OOM;
}

static int wait_and_emit(struct stream *s, struct err *e)
{
	struct pollfd fds[N_FDS];
	int64_t left = s->next - clock_now_ms();
	int r;

	cgroup_watch_poll(&s->watch, fds);
	fds[FD_INIT] =
		(struct pollfd){ .fd = s->watch.events < 0 ? s->c->pidfd : -1, .events = POLLIN };
	/* no events asked for: tells when the reader has gone */
	fds[FD_OUTPUT] = (struct pollfd){ .fd = s->sink->output };
	r = sys_ppoll(fds, N_FDS, left > 0 ? left : 0);
	if (r < 0)
		return err_sys(e, -r, s->c->id, "wait for events of container");
	if (r > 0 && look(s, fds)) {
		r = s->sink->emit(s->sink->arg, s->c->id, NULL, e);
		if (r < 0)
			return r;
	}
	return !s->ended && clock_now_ms() >= s->next ? emit_stats(s, e) : 0;
}

static int run_stream(struct stream *s, struct err *e)
{
	int r = cgroup_watch_open(s->cg, &s->watch, e);

	if (r < 0)
		return r;
	r = emit_stats(s, e);
	while (r == 0 && !s->ended)
		r = wait_and_emit(s, e);
	cgroup_watch_close(&s->watch);
	return r;
}

int container_events(const struct context *ctx, const char *id, const struct event_sink *sink,
		     struct err *e)
{
	auto_arena a = arena_make();
	struct container c;
	struct stream s = { .c = &c, .sink = sink };
	int r = container_open(&a, ctx, id, &c, e);

	if (r < 0)
		return r;
	r = open_cgroup(&a, &c, &s.cg, e);
	if (r == 0)
		r = run_stream(&s, e);
	cgroup_close(s.cg);
	container_close(&c);
	return r;
}
