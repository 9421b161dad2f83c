/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - a container's cgroup in its state file, and back
 *
 * The intent holds names, so that a creation that was killed can be cleaned up; a name
 * permits no more than to remove an empty directory. With init's identity comes the
 * inode of the directory that holds all processes, which the kernel does not give to
 * another one before the next boot: only where it matches is anything killed.
 */
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "base/trace.h"
#include "cgroup/internal.h"
#include "cgroup/paths.h"
#include "sys/sys.h"

struct v1_list {
	struct cleat_state_cgroup_v1 **v;
	size_t n, cap;
};

/* --- to the record ---------------------------------------------------------------------------- */

static void add_v1(struct arena *a, struct v1_list *list, const struct cgroup_dir_plan *d,
		   const char *path)
{
	struct cleat_state_cgroup_v1 *v1 = arena_new(a, struct cleat_state_cgroup_v1);

	v1->controllers = d->controllers;
	v1->path = path;
	*vec_push(a, list) = v1;
}

void cgroup_record(struct arena *a, const struct cgroup_plan *p, const struct cgroup *cg,
		   struct cleat_state_file *state)
{
	struct cleat_state_cgroup *s = arena_new(a, struct cleat_state_cgroup);
	struct v1_list v1 = { 0 };

	s->manager = cgroup_manager(p->manager)->name;
	s->scope = p->scope;
	s->invocation_id = cg ? cg->invocation : NULL;
	for (size_t i = 0; i < p->n_dirs; i++) {
		const struct cgroup_dir_plan *d = &p->dirs[i];
		const char *path;

		if (cg && cg->dirs[i].absent)
			continue;
		/* systemd may choose another place than the names say, below a user's manager */
		path = cg ? cg->dirs[i].path : d->path;
		if (!s->path)
			s->path = path;
		if (d->hierarchy)
			add_v1(a, &v1, d, path);
		else
			s->unified_path =
				arena_printf(a, "%s%s", CGROUP_ROOT,
					     p->host == HOST_CGROUP_HYBRID ? "/unified" : "");
		if (!d->hierarchy)
			s->leaf = p->leaf;
		if (!d->hierarchy && p->named)
			s->named = s->has_named = true;
	}
	s->v1 = v1.v;
	s->n_v1 = v1.n;
	s->has_inode = cg && cg->inode;
	s->inode = s->has_inode ? cg->inode : 0;
	state->cgroup = s;
}

/* --- from the record -------------------------------------------------------------------------- */

/* The record is our own file, but what a broken one says must not leave the tree. */
static int add_dir(struct cgroup *cg, const char *folder, const char *path, struct err *e)
{
	struct cgroup_dir *d = &cg->dirs[cg->n_dirs];

	if (cgroup_path_clean(cg->arena, path ? path : "", &d->path, e) < 0)
		return err_note(e, "state file");
	if (str_eq(folder, ".") || str_eq(folder, "..") || strchr(folder, '/'))
		return err_user(e, folder, "state file: '%s' is no hierarchy", folder);
	d->at = arena_printf(cg->arena, "%s%s", folder, *folder ? d->path : d->path + 1);
	d->prefix = *folder ? strlen(folder) + 1 : 0;
	cg->n_dirs++;
	return 0;
}

/* Where the v2 tree is mounted: the root itself, or the folder of a hybrid host. */
static int add_v2_dir(struct cgroup *cg, const struct cleat_state_cgroup *s, struct err *e)
{
	const char *at = s->unified_path;

	if (!at)
		return 0;
	if (str_eq(at, CGROUP_ROOT))
		return add_dir(cg, "", s->path, e);
	if (!str_starts(at, CGROUP_ROOT "/"))
		return err_user(e, at, "state file: '%s' is not below '%s'", at, CGROUP_ROOT);
	return add_dir(cg, at + strlen(CGROUP_ROOT "/"), s->path, e);
}

/* Checked again, as the rest of the record is. */
static int add_leaf(struct cgroup *cg, const struct cleat_state_cgroup *s, struct err *e)
{
	const char *below;

	if (!s->leaf || !s->unified_path)
		return 0;
	if (cgroup_path_below(cg->arena, "state file", s->leaf, &below, e) < 0)
		return -e->code;
	cgroup_set_leaf(cg, below);
	return 0;
}

static int add_v1_dir(struct cgroup *cg, const struct cleat_state_cgroup_v1 *v1, struct err *e)
{
	const char *folder = v1->controllers;
	struct cgroup_dir *d = &cg->dirs[cg->n_dirs];

	if (str_starts(folder, "name="))
		folder += strlen("name=");
	d->hierarchy = folder;
	return add_dir(cg, folder, v1->path, e);
}

static int open_dirs(struct arena *a, const struct cleat_state_cgroup *s, struct cgroup **ret,
		     struct err *e)
{
	int manager = s && s->manager ? cgroup_manager_from_name(s->manager) : CGROUP_DISABLED;
	size_t n = s ? s->n_v1 + (s->unified_path ? 1 : 0) : 0;
	struct cgroup *cg;
	int r;

	if (manager < 0)
		return err_user(e, s->manager, "state file: unknown cgroup manager '%s'",
				s->manager);
	if (cgroup_new(a, (enum cgroup_manager)manager, n, &cg, e) < 0)
		return -e->code;
	cg->scope = s ? s->scope : NULL;
	cg->invocation = s ? s->invocation_id : NULL;
	r = n ? add_v2_dir(cg, s, e) : 0;
	if (n && r == 0)
		r = add_leaf(cg, s, e);
	if (n && r == 0 && s->named && s->unified_path)
		cgroup_set_named(cg);
	for (size_t i = 0; n && i < s->n_v1 && r == 0; i++)
		r = add_v1_dir(cg, s->v1[i], e);
	if (r < 0) {
		cgroup_close(cg);
		return r;
	}
	*ret = cg;
	return 0;
}

int cgroup_open(struct arena *a, const struct cleat_state_file *state, struct cgroup **ret,
		struct err *e)
{
	const struct cgroup_dir *first;
	struct cgroup *cg;

	if (open_dirs(a, state->cgroup, &cg, e) < 0)
		return -e->code;
	first = cgroup_dir_main(cg);
	if (first && !first->hierarchy) {
		cg->v2 = sys_openat(cg->root.fd, first->at, O_PATH | O_DIRECTORY, 0);
		if (cg->v2 < 0 && !cgroup_is_gone(cg->v2)) {
			cgroup_error(first, cg->v2, e, "open");
			cgroup_close(cg);
			return -e->code;
		}
	}
	if (first) {
		cg->inode = !first->hierarchy && cg->v2 < 0 ? 0 : cgroup_dir_inode(cg, first);
		cg->gone = !cg->inode;
		cg->other = !cg->gone && cg->inode != state->cgroup->inode;
	}
	trace(CGROUP, "open %s: %s", first ? first->at : "none",
	      cg->gone	  ? "gone"
	      : cg->other ? "another"
			  : "the recorded one");
	*ret = cg;
	return 0;
}

bool cgroup_remove_empty(struct arena *a, const struct cleat_state_file *state)
{
	const struct cleat_state_cgroup *s = state->cgroup;
	struct err ignored = { 0 };
	struct cgroup *cg;
	bool gone;

	if (!s || !str_eq(s->manager, cgroup_fs_ops.name) || open_dirs(a, s, &cg, &ignored) < 0)
		return false;
	gone = cgroup_named_remove(cg, false) == 0 && cgroup_rmdir_leaf(cg) == 0;
	for (size_t i = cg->n_dirs; i-- > 0 && gone;) {
		int r = cgroup_rmdir(cg, &cg->dirs[i]);

		trace(CGROUP, "remove %s: %s", cg->dirs[i].at, errno_name(-r));
		gone = r == 0 || cgroup_is_gone(r);
	}
	cgroup_close(cg);
	return gone;
}

/* Remove what is empty. *ret_busy: something of it is left, which is no error. */
static int remove_named(const struct cgroup *cg, bool *ret_busy, struct err *e)
{
	int failed = 0;

	*ret_busy = false;
	cgroup_named_remove(cg, false);
	cgroup_rmdir_leaf(cg); /* what stays keeps what it is below */
	for (size_t i = cg->n_dirs; i-- > 0;) {
		const struct cgroup_dir *d = &cg->dirs[i];
		int r = cgroup_rmdir(cg, d);

		if (r == -EBUSY)
			*ret_busy = true;
		else if (r < 0 && !cgroup_is_gone(r) && failed == 0)
			failed = cgroup_error(d, r, e, "remove");
	}
	return failed;
}

/* Until no process is in the main directory, which need not be ours; false at the deadline. */
static bool wait_for_nobody(const struct cgroup *cg, uint64_t wait_ms)
{
	const struct cgroup_dir *d = cgroup_dir_main(cg);
	int64_t deadline = clock_now_ms() + (int64_t)wait_ms;
	auto_fd fd = sys_openat(cg->root.fd, d->at, O_PATH | O_DIRECTORY, 0);
	unsigned turn = 0;
	char pid[16];

	if (fd < 0 || !d->hierarchy)
		return fd < 0 || cgroup_events_wait(fd, "populated", 0, wait_ms) != -ETIMEDOUT;
	while (file_read_small(fd, "cgroup.procs", pid, sizeof(pid)) > 0)
		if (!cgroup_v1_pause(&turn, deadline))
			return false;
	return true;
}

int cgroup_remove_by_name(struct arena *a, const struct cleat_state_file *state, uint64_t wait_ms,
			  struct err *e)
{
	struct cgroup *cg = NULL;
	bool busy;
	int r;

	err_clear(e); /* its code is the answer */
	if (open_dirs(a, state->cgroup, &cg, e) < 0 || !cg)
		return -e->code;
	r = remove_named(cg, &busy, e);
	/* one that goes on holding something is not what a killed creation has left */
	if (r == 0 && busy && wait_ms && cgroup_dir_main(cg) && wait_for_nobody(cg, wait_ms))
		r = remove_named(cg, &busy, e);
	cgroup_close(cg);
	return r;
}
