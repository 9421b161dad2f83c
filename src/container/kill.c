/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill - signals, without a lock
 *
 * A signal goes through a pidfd that was proven to be init's, or into a cgroup whose
 * inode is the recorded one; a stopped container is never signalled by number. SIGKILL
 * goes to the whole cgroup where init's death would not end the others (no pid namespace
 * of its own) or did not, and where a v1 freezer would keep it from being seen. Beside v2, and
 * in cgroups below, such a freezer lets go whoever has got it.
 */
#include <signal.h>

#include "base/log.h"
#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

/* image-spec annotation: which signal asks this program to end */
#define STOP_SIGNAL_KEY "org.opencontainers.image.stopSignal"

static int stop_signal(const struct container *c)
{
	const char *name = spec_annotation_in(c->state->annotations, STOP_SIGNAL_KEY);
	int sig = name ? spec_signal_from_name(name) : -1;

	return sig > 0 ? sig : SIGTERM;
}

static int signal_init(struct container *c, int sig, struct err *e)
{
	int r;

	/* stopped, or its init is not born yet */
	if (c->pidfd < 0)
		return container_allows(c, VERB_KILL, e);
	r = sys_pidfd_send_signal(c->pidfd, sig);
	if (r == -ESRCH) {
		c->status = STATUS_STOPPED;
		return container_allows(c, VERB_KILL, e);
	}
	return r < 0 ? err_sys(e, -r, c->id, "send signal %d to container", sig) : 0;
}

/* Users without delegation have containers like this: nothing tells who else is in there. */
void container_warn_of_others(struct arena *a, const struct container *c)
{
	struct err e = { 0 };
	struct cgroup *cg;

	if (c->pidfd < 0 || c->state->own_pid_namespace)
		return;
	cg = container_recorded_cgroup(a, c);
	cgroup_close(cg);
	if (cg)
		return;
	err_code(&e, EPERM, c->id,
		 "container '%s' has neither a cgroup nor a pid namespace of its own: only its "
		 "first process is reached, others may go on",
		 c->id);
	log_notice(&e);
}

/* Also when init has ended: engines do that to containers without a pid namespace. */
static int signal_all(struct arena *a, struct container *c, int sig, struct err *e)
{
	struct cgroup *cg = container_cgroup(a, c);
	int r;

	if (cg) {
		r = sig == SIGKILL ? cgroup_kill(cg, e) : cgroup_signal(cg, sig, e);
		cgroup_close(cg);
		return r < 0 ? err_note(e, "container '%s'", c->id) : 0;
	}
	container_warn_of_others(a, c);
	return c->pidfd < 0 ? 0 : signal_init(c, sig, e);
}

static bool kill_wants_cgroup(const struct container *c, struct cgroup *cg)
{
	if (!c->state->own_pid_namespace)
		return true;
	return cgroup_v2_fd(cg) < 0 && cgroup_is_frozen(cg) == 1;
}

/* Is somebody left of a container whose init has ended? Only without a pid namespace of its own. */
static bool has_survivors(const struct container *c, struct cgroup *cg)
{
	return c->status == STATUS_STOPPED && cgroup_is_populated(cg) == 1;
}

static int kill_init(struct arena *a, struct container *c, struct err *e)
{
	bool alive = c->pidfd >= 0;
	struct cgroup *cg = alive || !c->state->own_pid_namespace ? container_cgroup(a, c) : NULL;
	int r;

	if (cg && (alive ? kill_wants_cgroup(c, cg) : has_survivors(c, cg))) {
		r = cgroup_kill(cg, e) < 0 ? err_note(e, "container '%s'", c->id) : 0;
	} else {
		r = signal_init(c, SIGKILL, e);
		if (cg && r == 0)
			cgroup_thaw_all(cg);
	}
	cgroup_close(cg);
	return r;
}

int container_kill(const struct context *ctx, const char *id, int sig, bool all, struct err *e)
{
	auto_arena a = arena_make();
	struct container c;
	int r = container_find(&a, ctx, id, &c, e);

	if (r < 0)
		return r;
	if (sig == CONTAINER_STOP_SIGNAL)
		sig = stop_signal(&c);
	if (all)
		r = signal_all(&a, &c, sig, e);
	else
		r = sig == SIGKILL ? kill_init(&a, &c, e) : signal_init(&c, sig, e);
	container_close(&c);
	return r;
}
