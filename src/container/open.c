/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open - find a container and tell its status
 *
 * The status is never guessed from missing files. A record that says "created" and the
 * recorded init alive: paused when its cgroup is frozen, created when somebody listens
 * at its gate, else running. Before that record: creating while init lives or somebody
 * holds the lock. Everything else has stopped.
 *
 * Whoever makes a container holds its lock until the last record is written. So a record that
 * was read before the lock was found free may be an old one; one that is read after is final.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

int container_absent(const char *id, struct err *e)
{
	err_code(e, ENOENT, id, "container '%s' does not exist", id);
	return err_set_id(e, "container-unknown");
}

/* Where nobody works on it, what is there is the rest of a creation that was killed. */
static int absent_record(const struct container *c, struct err *e)
{
	if (c->lock >= 0 || c->status == STATUS_CREATING)
		return container_absent(c->id, e);
	err_code(
		e, ENOENT, c->id,
		"container '%s' does not exist, but 'delete --force' can remove what is left of it",
		c->id);
	return err_set_id(e, "container-unknown");
}

static bool is_frozen(struct arena *a, const struct container *c)
{
	struct cgroup *cg = container_cgroup(a, c);
	bool frozen = cg && cgroup_is_frozen(cg) == 1;

	cgroup_close(cg);
	return frozen;
}

void container_refine(struct arena *a, struct container *c)
{
	if (c->status != STATUS_RUNNING)
		return;
	if (is_frozen(a, c))
		c->status = STATUS_PAUSED;
	else if (run_gate_is_open(&c->dir) == 1)
		c->status = STATUS_CREATED;
}

bool container_was_removed(const struct container *c)
{
	struct stat st;

	return sys_fstat(c->dir.fd, &st) == 0 && st.st_nlink == 0;
}

struct cgroup *container_recorded_cgroup(struct arena *a, const struct container *c)
{
	struct err ignored = { 0 };
	struct cgroup *cg = NULL;

	if (record_phase(c->state) < RECORD_IDENTITY || cgroup_open(a, c->state, &cg, &ignored) < 0)
		return NULL;
	if (!cgroup_is_none(cg))
		return cg;
	cgroup_close(cg);
	return NULL;
}

struct cgroup *container_cgroup(struct arena *a, const struct container *c)
{
	struct cgroup *cg = container_recorded_cgroup(a, c);

	if (!cg || cgroup_matches(cg))
		return cg;
	cgroup_close(cg);
	return NULL;
}

bool container_is_zombies(struct arena *a, const struct container *c)
{
	struct cgroup *cg;
	bool empty;

	if (!identity_waits_for_zombies(c->state->pid, c->pidfd))
		return false;
	cg = container_recorded_cgroup(a, c);
	empty = cg && cgroup_is_populated(cg) == 0;
	cgroup_close(cg);
	return empty;
}

/* Our own lock proves that nobody else is at work. */
static bool may_be_in_making(const struct container *c)
{
	return c->lock < 0 && record_phase(c->state) < RECORD_CREATED;
}

static int read_once(struct arena *a, struct container *c, struct err *e)
{
	fd_close(&c->pidfd);
	if (record_read(a, c->dir.fd, c->id, &c->state, e) < 0)
		return -e->code;
	if (c->state && identity_open(c->state, &c->pidfd, e) < 0)
		return err_note(e, "container '%s'", c->id);
	/* without init, and before the last record, the lock has to be asked, too */
	c->status = c->pidfd < 0			       ? STATUS_STOPPED
		    : record_phase(c->state) == RECORD_CREATED ? STATUS_RUNNING
							       : STATUS_CREATING;
	return 0;
}

int container_read(struct arena *a, struct container *c, bool leftovers, struct err *e)
{
	int r = read_once(a, c, e);

	if (r == 0 && c->pidfd < 0 && may_be_in_making(c)) {
		if (lock_is_held(c->dir.fd))
			c->status = STATUS_CREATING;
		else
			r = read_once(a, c, e);
	}
	if (r < 0 || c->state)
		return r;
	if (container_was_removed(c))
		return container_absent(c->id, e);
	return leftovers ? 0 : absent_record(c, e);
}

bool container_has_zombies_only(struct arena *a, struct container *c)
{
	if (c->pidfd < 0 || !container_is_zombies(a, c))
		return false;
	fd_close(&c->pidfd);
	c->status = STATUS_STOPPED;
	if (may_be_in_making(c) && lock_is_held(c->dir.fd))
		c->status = STATUS_CREATING;
	return true;
}

int container_reload(struct arena *a, struct container *c, bool leftovers, struct err *e)
{
	if (container_read(a, c, leftovers, e) < 0)
		return -e->code;
	container_has_zombies_only(a, c);
	return 0;
}

/* Readable, not O_PATH: the lock wants an open file description. */
int container_open_dir(const struct dir *root, const char *id, struct container *ret, struct err *e)
{
	int fd;

	*ret = (struct container){
		.id = id, .root = DIR_NONE, .dir = DIR_NONE, .lock = -1, .pidfd = -1
	};
	fd = sys_openat2(root->fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (fd == -ENOENT)
		return container_absent(id, e);
	if (fd < 0)
		return err_sys(e, -fd, id, "open the directory of container");
	ret->dir = (struct dir){ .fd = fd, .name = id };
	return 0;
}

int container_find_dir(struct arena *a, const struct context *ctx, const char *id,
		       struct container *ret, struct err *e)
{
	auto_dir root = DIR_NONE;
	int r;

	if (container_id_check(id, e) < 0)
		return -e->code;
	r = root_open(a, ctx, false, &root, e);
	if (r == -ENOENT) {
		err_clear(e);
		return container_absent(id, e);
	}
	if (r == 0)
		r = container_open_dir(&root, id, ret, e);
	if (r == 0) {
		ret->root = root;
		root = DIR_NONE;
	}
	return r;
}

int container_find(struct arena *a, const struct context *ctx, const char *id,
		   struct container *ret, struct err *e)
{
	int r = container_find_dir(a, ctx, id, ret, e);

	if (r < 0)
		return r;
	r = container_reload(a, ret, false, e);
	if (r < 0)
		container_close(ret);
	return r;
}

int container_open(struct arena *a, const struct context *ctx, const char *id,
		   struct container *ret, struct err *e)
{
	int r = container_find(a, ctx, id, ret, e);

	if (r == 0)
		container_refine(a, ret);
	return r;
}

/* Take the lock (the error names the holder) and read the record again. */
static int container_lock(struct arena *a, struct container *c, const char *verb, struct err *e)
{
	int r = lock_wait(a, c->dir.fd, c->id, verb, CONTAINER_DEADLINE_MS, e);

	if (r < 0)
		return r;
	c->lock = c->dir.fd;
	r = container_reload(a, c, false, e);
	if (r == 0)
		container_refine(a, c);
	return r;
}

int container_open_locked(struct arena *a, const struct context *ctx, const char *id,
			  const char *verb, struct container *ret, struct err *e)
{
	int r = container_find_dir(a, ctx, id, ret, e);

	if (r < 0)
		return r;
	r = container_lock(a, ret, verb, e);
	if (r < 0)
		container_close(ret);
	return r;
}

void container_close(struct container *c)
{
	/* the lock goes with the descriptor that it was taken on */
	c->lock = -1;
	fd_close(&c->pidfd);
	dir_close(&c->dir);
	dir_close(&c->root);
}
