/* SPDX-License-Identifier: Apache-2.0 */
/* pause - pause and resume: the freezer, under the lock */
#include "container/internal.h"

static int freeze(struct arena *a, const struct container *c, bool frozen, struct err *e)
{
	struct cgroup *cg = container_cgroup(a, c);
	int r;

	if (!cg)
		return err_code(e, ENOTSUP, c->id,
				"container '%s' has no cgroup of its own, so it cannot be %s",
				c->id, frozen ? "paused" : "resumed");
	r = cgroup_freeze(cg, frozen, e);
	cgroup_close(cg);
	return r < 0 ? err_note(e, "container '%s'", c->id) : 0;
}

static int set_paused(const struct context *ctx, const char *id, enum container_verb verb,
		      struct err *e)
{
	bool pause = verb == VERB_PAUSE;
	auto_arena a = arena_make();
	struct container c;
	int r = container_open_locked(&a, ctx, id, pause ? "pause" : "resume", &c, e);

	if (r < 0)
		return r;
	r = container_allows(&c, verb, e);
	if (r == 0)
		r = freeze(&a, &c, pause, e);
	container_close(&c);
	return r;
}

int container_pause(const struct context *ctx, const char *id, struct err *e)
{
	return set_paused(ctx, id, VERB_PAUSE, e);
}

int container_resume(const struct context *ctx, const char *id, struct err *e)
{
	return set_paused(ctx, id, VERB_RESUME, e);
}
