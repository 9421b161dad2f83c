/* SPDX-License-Identifier: Apache-2.0 */
/* start - let a created container through its gate, and learn how that went */
#include <fcntl.h>

#include "base/log.h"
#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

int container_poststart(struct arena *a, const struct hook_plan *hooks, const struct spec *spec,
			const struct container *c, struct err *e)
{
	struct hook_fds fds;
	int r;

	if (!hooks->n[HOOK_POSTSTART])
		return 0;
	r = hook_open(hooks, spec->bundle, &fds, e);
	if (r < 0)
		return r;
	r = hook_run_all(hooks, HOOK_POSTSTART,
			 hook_state(a, spec, c->id, "running", c->state->pid, spec->bundle), &fds,
			 e);
	hook_close(&fds);
	return r;
}

static int run_poststart(struct arena *a, const struct container *c, struct err *e)
{
	struct hook_plan hooks;
	struct spec *spec;

	if (!c->state->poststart_hooks)
		return 0;
	if (spec_load_copy(a, c->dir.fd, c->state->bundle, &spec, e) < 0)
		return -e->code;
	hook_plan_make(spec, &hooks);
	return container_poststart(a, &hooks, spec, c, e);
}

/*
 * runtime.md, "Lifecycle": when a startContainer or poststart hook fails, the container is
 * stopped and destroyed. One whose program cannot be executed is left for delete.
 */
static int let_through(struct arena *a, struct container *c, const struct run_listener *l,
		       struct err *e)
{
	struct err second = { 0 };
	int r = run_start(&c->dir, RUN_GATE, c->pidfd, l, e);
	bool is_over = r < 0 && str_eq(err_id(e), "hook");

	if (r == 0) {
		r = run_poststart(a, c, e);
		is_over = r < 0;
	}
	if (is_over && container_destroy(a, c, &second) < 0)
		log_warning("%s", second.text);
	return r;
}

int container_start(const struct context *ctx, const char *id, struct err *e)
{
	auto_arena a = arena_make();
	struct container c;
	struct listener_of listener = { .arena = &a, .container = &c };
	const struct run_listener l = listener_for(&listener);
	struct notify notify = NOTIFY_NONE;
	int r = container_open_locked(&a, ctx, id, "start", &c, e);

	if (r < 0)
		return r;
	listener.variable = c.state->seccomp_receiver;
	r = container_allows(&c, VERB_START, e);
	if (r == 0)
		r = notify_open(&c, notify_target(), c.state->pid, &notify, e);
	if (r == 0)
		r = let_through(&a, &c, &l, e);
	if (r == 0 && notify.in >= 0) {
		/* it may take its time to get ready, and be stopped meanwhile */
		lock_drop(c.lock);
		c.lock = -1;
		r = notify_await(&notify, c.pidfd, e);
	}
	notify_close(&notify);
	container_close(&c);
	return r;
}
