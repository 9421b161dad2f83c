/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete - remove what was made for a container, as far as its record proves it ours
 *
 * | newest record | what may be done                                                 |
 * |---------------|------------------------------------------------------------------|
 * | none          | remove the state directory                                       |
 * | intent        | also rmdir the named cgroup if it is empty, or soon will be: a    |
 * |               | name proves nothing                                              |
 * | identity      | also kill init, verified by its pidfd, and without a pid          |
 * |               | namespace of its own all that is in the cgroup, verified by its   |
 * |               | inode; remove the cgroup, run the poststop hooks                  |
 *
 * Each step is fine with finding its work done, so an interrupted delete is finished by
 * the next one; the directory goes last. The same code undoes a failed creation.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

#define INTENT_DEADLINE_MS    2000
#define STRANGERS_DEADLINE_MS 1000
#define AT_ONCE_MS	      20
#define FROZEN_MAX_MS	      1280 /* by doubling */

/* --- processes and cgroup --------------------------------------------------------------------- */

/*
 * With a pid namespace of its own, all that the container started dies with init, whatever
 * cgroup it is in: so nobody else has to be killed, and somebody else's process that was
 * put into the cgroup lives.
 */
static bool dies_with_init(const struct container *c)
{
	return c->state && c->state->own_pid_namespace;
}

/* Kill what the record proves to be ours: init and everything in its cgroup. No waiting. */
static void container_kill_now(struct arena *a, const struct container *c)
{
	struct err ignored = { 0 };
	struct cgroup *cg;

	if (c->pidfd >= 0)
		sys_pidfd_send_signal(c->pidfd, SIGKILL);
	if (dies_with_init(c))
		return;
	cg = container_cgroup(a, c);
	if (cg && cgroup_kill(cg, &ignored) < 0)
		err_ignore(&ignored, "whoever removes the cgroup will report it");
	cgroup_close(cg);
}

/*
 * A v1 freezer holds back SIGKILL: the container's, or one that somebody has put init into. Who
 * is frozen again after we have thawed him is so by somebody inside: then all who are there have
 * to go.
 */
static int release_init(struct arena *a, const struct container *c, struct err *e)
{
	struct cgroup *cg = container_cgroup(a, c);
	struct err ignored = { 0 };
	int r = -ETIMEDOUT;

	for (unsigned ms = AT_ONCE_MS; cg && r == -ETIMEDOUT && ms <= FROZEN_MAX_MS; ms *= 2) {
		if (!cgroup_thaw_all(cg) && !cgroup_bring_home(cg, c->state->pid, c->pidfd))
			break;
		if (ms > AT_ONCE_MS && cgroup_kill(cg, &ignored) < 0)
			err_ignore(&ignored, "whoever removes the cgroup will report it");
		r = identity_wait(c->state->pid, c->pidfd, ms, e);
	}
	cgroup_close(cg);
	return r;
}

/* It nearly always ends at once, and then nothing has to be opened to wait for it. */
static int wait_for_init(struct arena *a, const struct container *c, struct err *e)
{
	int r = c->pidfd < 0 ? 0 : identity_wait(c->state->pid, c->pidfd, AT_ONCE_MS, e);

	if (r == -ETIMEDOUT)
		r = release_init(a, c, e);
	if (r == -ETIMEDOUT)
		r = container_await_end(a, c, CONTAINER_DEADLINE_MS - AT_ONCE_MS, e);
	if (r == -ETIMEDOUT)
		err_code(e, ETIMEDOUT, NULL, "process %d has not ended %d ms after it was killed",
			 c->state->pid, CONTAINER_DEADLINE_MS);
	return r;
}

/* The v1 freezer, which is used where there is no v2, holds back even SIGKILL. */
static bool may_be_frozen(const struct container *c)
{
	return c->state->cgroup && !c->state->cgroup->unified_path;
}

static int thaw(struct cgroup *cg, struct err *e)
{
	if (cgroup_v2_fd(cg) >= 0 || cgroup_is_frozen(cg) != 1)
		return 0;
	return cgroup_freeze(cg, false, e);
}

static bool holds_strangers(struct arena *a, struct cgroup *cg, const struct container *c)
{
	struct err ignored = { 0 };
	pid_t *pids;
	size_t n = 0;

	if (!cgroup_is_populated(cg) || cgroup_pids(cg, a, &pids, &n, &ignored) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (pids[i] != c->state->pid)
			return true;
	return false;
}

/* What an engine has put there, or a tool, may be on its way out: not for ever, though. */
static bool strangers_stay(struct arena *a, struct cgroup *cg, const struct container *c)
{
	struct err ignored = { 0 };

	return holds_strangers(a, cg, c) &&
	       cgroup_wait_empty(cg, STRANGERS_DEADLINE_MS, &ignored) < 0;
}

static int end_init(struct arena *a, struct container *c, struct cgroup *cg, struct err *e)
{
	int r = cg ? thaw(cg, e) : 0;

	if (r >= 0)
		r = wait_for_init(a, c, e);
	if (r < 0 || !cg)
		return r;
	if (strangers_stay(a, cg, c)) {
		log_warning("container '%s': its cgroup holds processes that are not the "
			    "container's; it stays",
			    c->id);
		return cgroup_remove_by_name(a, c->state, 0, e);
	}
	return cgroup_remove(cg, e);
}

static int end_cgroup(struct arena *a, struct container *c, struct cgroup *cg, struct err *e)
{
	int r = 0;

	if (cg && cgroup_is_populated(cg)) {
		r = cgroup_kill(cg, e);
		if (r >= 0)
			r = cgroup_wait_empty(cg, CONTAINER_DEADLINE_MS, e);
	}
	if (r >= 0 && cg)
		r = cgroup_remove(cg, e);
	return r < 0 ? r : wait_for_init(a, c, e);
}

static int end_processes(struct arena *a, struct container *c, struct err *e)
{
	struct cgroup *cg;
	int r;

	if (c->pidfd >= 0)
		sys_pidfd_send_signal(c->pidfd, SIGKILL);
	if (dies_with_init(c) && !may_be_frozen(c)) {
		r = wait_for_init(a, c, e);
		if (r < 0 || cgroup_remove_empty(a, c->state))
			return r;
	}
	cg = container_cgroup(a, c);
	r = dies_with_init(c) ? end_init(a, c, cg, e) : end_cgroup(a, c, cg, e);
	/* without its main directory, or with somebody else's, what is empty may still go */
	if (r >= 0 && !cg)
		r = cgroup_remove_by_name(a, c->state, 0, e);
	cgroup_close(cg);
	return r < 0 ? r : 0;
}

/* --- hooks ------------------------------------------------------------------------------------ */

struct poststop {
	struct spec *spec;
	struct hook_plan hooks;
};

/* From the copy of the configuration, which is about to be removed. */
static void load_poststop(struct arena *a, const struct container *c, struct poststop *ret)
{
	struct err e = { 0 };

	if (!c->state || !c->state->poststop_hooks || record_phase(c->state) < RECORD_IDENTITY)
		return;
	if (spec_load_copy(a, c->dir.fd, c->state->bundle, &ret->spec, &e) < 0) {
		log_warning("container '%s': poststop hooks: %s", c->id, e.text);
		ret->spec = NULL;
		return;
	}
	hook_plan_make(ret->spec, &ret->hooks);
}

/* runtime.md, lifecycle step 13: failures were logged, the rest goes on. */
static void run_poststop(struct arena *a, const struct container *c, const struct poststop *p)
{
	struct hook_fds fds;
	struct err e = { 0 };

	if (!p->spec)
		return;
	/* a hook waits for the end of what we write to it */
	fd_defer(false);
	if (hook_open(&p->hooks, p->spec->bundle, &fds, &e) < 0)
		log_warning("container '%s': poststop hooks: %s", c->id, e.text);
	hook_run_all(&p->hooks, HOOK_POSTSTOP,
		     hook_state(a, p->spec, c->id, "stopped", 0, p->spec->bundle), &fds, NULL);
	hook_close(&fds);
}

/* A resctrl that has gone took the groups along. */
static void remove_rdt(const struct container *c, bool only_empty)
{
	struct rdt_fs fs = RDT_NONE;
	struct err e = { 0 };

	if (!c->state->intel_rdt)
		return;
	if (rdt_open(&fs, &e) < 0 || rdt_remove(&fs, c->state, only_empty, &e) < 0)
		log_warning("container '%s': %s", c->id, e.text);
	dir_close(&fs.dir);
}

/*
 * A creation that was killed may have moved devices. The end of the namespace brings
 * physical ones back, under a name of the kernel's choice if need be, and destroys others.
 */
static void warn_of_devices(const struct container *c)
{
	const struct cleat_state_file *s = c->state;

	for (size_t i = 0; i < s->n_net_devices; i++)
		log_warning("container '%s' was not finished: network device '%s' may have been "
			    "moved into its namespace as '%s'",
			    c->id, s->net_devices[i]->from, s->net_devices[i]->to);
}

/* Is the name another directory's? Ours is gone then, whoever has taken it away. */
static bool is_replaced(const struct container *c)
{
	struct stat ours, named;

	return sys_fstat(c->dir.fd, &ours) == 0 &&
	       sys_fstatat(c->root.fd, c->id, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (ours.st_dev != named.st_dev || ours.st_ino != named.st_ino);
}

/*
 * What is nearly always there goes by name; the record last, for it tells what to do. What is
 * in there goes by our descriptor, with its lock, and only empty directories by name: so
 * whatever bears the name by now, no container loses its files.
 */
static int remove_directory(const struct container *c, struct err *e)
{
	static const char *const usual[] = { CONFIG_NAME, RECORD_NAME, RUN_GATE };
	int r;

	for (size_t i = 0; i < COUNT(usual); i++) {
		sys_unlinkat(c->dir.fd, usual[i], 0);
		if (i > 0 && sys_unlinkat(c->root.fd, c->id, AT_REMOVEDIR) == 0)
			return 0;
	}
	r = dir_empty_flat(&c->dir, e);
	if (r < 0)
		return r;
	r = sys_unlinkat(c->root.fd, c->id, AT_REMOVEDIR);
	if (r >= 0 || r == -ENOENT || is_replaced(c))
		return 0;
	return err_sys(e, -r, c->id, "remove the directory of");
}

/* --- the whole -------------------------------------------------------------------------------- */

int container_destroy(struct arena *a, struct container *c, struct err *e)
{
	struct poststop poststop = { 0 };
	int r = 0;

	switch (record_phase(c->state)) {
	case RECORD_NONE:
		break;
	case RECORD_INTENT:
		/* an init that was never told to go on ends with the creation's channel, by itself */
		r = cgroup_remove_by_name(a, c->state, INTENT_DEADLINE_MS, e);
		break;
	case RECORD_IDENTITY:
		warn_of_devices(c);
		r = end_processes(a, c, e);
		break;
	case RECORD_CREATED:
		r = end_processes(a, c, e);
		break;
	}
	if (r < 0)
		return err_note(e, "container '%s'", c->id);
	if (c->state)
		remove_rdt(c, record_phase(c->state) == RECORD_INTENT);
	load_poststop(a, c, &poststop);
	if (c->state && c->state->notify)
		r = notify_remove(c, e);
	if (r == 0)
		r = remove_directory(c, e);
	if (r < 0)
		return err_note(e, "container '%s'", c->id);
	run_poststop(a, c, &poststop);
	return 0;
}

/* Open and locked. A living holder of the lock loses its container when @force. */
static int open_for_delete(struct arena *a, const struct context *ctx, const char *id, bool force,
			   struct container *c, struct err *e)
{
	struct err ignored = { 0 };
	int r = container_find_dir(a, ctx, id, c, e);

	if (r < 0)
		return r;
	if (lock_try(c->dir.fd) == 0) {
		c->lock = c->dir.fd;
	} else if (force) {
		if (container_reload(a, c, true, &ignored) == 0 && c->state)
			container_kill_now(a, c);
	}
	if (c->lock < 0 && lock_wait(a, c->dir.fd, id, "delete", CONTAINER_DEADLINE_MS, e) < 0)
		return -e->code;
	c->lock = c->dir.fd;
	return container_reload(a, c, true, e);
}

/*
 * A script kills a container and deletes it, and the kernel may need longer for the one than
 * the script for the other. What will end anyhow is waited for, as after --force.
 */
static int may_delete(struct arena *a, struct container *c, struct err *e)
{
	container_refine(a, c);
	if (c->pidfd >= 0 && c->status != STATUS_CREATED &&
	    identity_is_ending(c->state->pid, c->pidfd))
		return 0;
	return container_allows(c, VERB_DELETE, e);
}

int container_delete(const struct context *ctx, const char *id, bool force, struct err *e)
{
	auto_arena a = arena_make();
	struct container c = { .root = DIR_NONE, .dir = DIR_NONE, .lock = -1, .pidfd = -1 };
	int r = open_for_delete(&a, ctx, id, force, &c, e);

	if (r == 0 && !force)
		r = may_delete(&a, &c, e);
	if (r == 0)
		container_warn_of_others(&a, &c);
	if (r == 0)
		r = container_destroy(&a, &c, e);
	container_close(&c);
	/* Engines force the deletion of what they have deleted already: only that may be missing. */
	if (r == -ENOENT && force && str_eq(err_id(e), "container-unknown")) {
		err_clear(e);
		return 0;
	}
	return r;
}
