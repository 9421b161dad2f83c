/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_live - mounts of a container that runs
 *
 * Its processes may change paths under our hands at any time: links, and directories in which
 * there are mounts, of which a mask may be one. So a target is a descriptor from the moment it
 * was found, below the container's root; what is taken back is the mount of which we hold the
 * descriptor; and what is removed or remounted is known by its id: one that was added, at this
 * very path. No name may make us take the cover off a masked file.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "mount/mount_room.h"

struct live {
	int root, fds; /* the container's root; <procfs>/self/fd */
	struct arena *arena;
	const struct mount_live *live;
	struct {
		struct done {
			int fd; /* add: what was mounted; remove: a copy of what was */
			struct mount_added *added;
		} * v;
		size_t n, cap;
	} done;
};

static int live_open(struct live *l, struct arena *a, int proc, const struct mount_live *live,
		     struct err *e)
{
	*l = (struct live){ .arena = a, .live = live };
	l->root = sys_open("/", O_PATH | O_DIRECTORY, 0);
	if (l->root < 0)
		return err_sys(e, -l->root, "/", "open");
	l->fds = sys_openat(proc, "self/fd", O_PATH | O_DIRECTORY, 0);
	return l->fds < 0 ? err_sys(e, -l->fds, "/proc/self/fd", "open") : 0;
}

static int detach(const struct live *l, int fd)
{
	char name[16];
	int r = sys_fchdir(l->fds);

	snprintf(name, sizeof(name), "%d", fd);
	return r < 0 ? r : sys_umount2(name, MNT_DETACH);
}

/* The older ids are used again, but not while the mount is there: no mask has one of ours. */
static int look_at(int fd, const char *path, struct statx *ret, struct err *e)
{
	int r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID | STATX_MNT_ID_UNIQUE,
			  ret);

	if (r < 0)
		return err_sys(e, -r, path, "look at");
	return ret->stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)
		       ? 0
		       : err_sys(e, ENOTSUP, path, "learn the id of what is mounted on");
}

struct mount_added *mount_live_find(const struct mount_live *live, int fd, const char *path,
				    struct err *e)
{
	struct statx st;

	if (look_at(fd, path, &st, e) < 0)
		return NULL;
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
		err_user(e, path, "nothing is mounted on '%s'", path);
		return NULL;
	}
	for (size_t i = 0; i < live->n; i++)
		if (live->added[i].id == st.stx_mnt_id && str_eq(live->added[i].target, path))
			return &live->added[i];
	err_user(e, path, "what is on '%s' was not mounted by 'mounts add' there", path);
	return NULL;
}

/* --- sources ---------------------------------------------------------------------------------- */

/* A link, or else a bind. */
static void read_link(struct arena *a, struct mount_op *op)
{
	char link[PATH_MAX];

	if (sys_readlinkat(AT_FDCWD, op->source, link, sizeof(link)) < 0)
		op->kind = MOUNT_BIND;
	else
		op->link = arena_strdup(a, link);
}

int mount_live_source(struct arena *a, const struct mount_plan *p, struct mount_op *op,
		      int userns_fd, int *ret_tree, struct err *e)
{
	*ret_tree = -1;
	if (op->kind == MOUNT_LINK)
		read_link(a, op);
	if (op->kind == MOUNT_FS && !op->flags.idmap && !mount_fs_has_files(op))
		return 0;
	if (op->kind != MOUNT_BIND && op->kind != MOUNT_FS)
		return 0;
	if (op->kind == MOUNT_FS && mount_fs_is_old_style(op))
		return err_user(e, op->target,
				"options that only mount(2) can carry cannot be added with an id "
				"mapping or files of the host");
	return mount_source_open(p, op, userns_fd, ret_tree, e);
}

/* --- add -------------------------------------------------------------------------------------- */

struct prepared {
	const int *trees;
	size_t op;
};

static int give_source(void *arg, size_t op, int tree, struct err *e)
{
	const struct prepared *p = arg;
	int fd;

	(void)op;
	(void)tree;
	if (p->trees[p->op] < 0)
		return -EPERM; /* it is made here */
	fd = sys_fcntl(p->trees[p->op], F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, -fd, NULL, "take a source") : fd;
}

/* On record from now on, here and by its id. */
static int note_added(struct live *l, int tree, struct mount_added *added, struct err *e)
{
	struct statx st;

	*vec_push(l->arena, &l->done) = (struct done){ tree, added };
	if (look_at(tree, added->target, &st, e) < 0)
		return -e->code;
	added->id = st.stx_mnt_id;
	return 0;
}

/* One operation as a plan of its own, without what concerns the root. */
static int add_one(struct live *l, const struct mount_plan *p, struct prepared *sources,
		   struct err *e)
{
	struct mount_op op = p->ops[sources->op];
	struct mount_plan one = *p;
	struct mount_ctx m = { .plan = &one,
			       .root = l->root,
			       .proc = -1,
			       .request_source = give_source,
			       .arg = sources,
			       .live = l->live,
			       .attached = -1 };
	int r, noted;

	op.late_readonly = false;
	op.in_root = NULL;
	op.from_parent = sources->trees[sources->op] >= 0;
	one.ops = &op;
	one.n_ops = 1;
	r = mount_all(&m, e);
	if (m.attached < 0)
		return r;
	/* even when something failed after it was attached: it is taken back */
	noted = note_added(l, m.attached, &l->live->added[l->live->n - p->n_ops + sources->op], e);
	return r < 0 ? r : noted;
}

static void take_back(struct live *l)
{
	while (l->done.n > 0) {
		const struct done *d = &l->done.v[--l->done.n];
		int r = detach(l, d->fd);

		if (r < 0)
			log_warning("what was mounted on '%s' cannot be taken back: %s",
				    d->added->target, errno_text(-r));
		else
			d->added->id = 0;
	}
}

int mount_live_add(struct arena *a, const struct mount_plan *p, const int *trees, int proc,
		   const struct mount_live *live, struct err *e)
{
	struct prepared sources = { .trees = trees };
	struct live l;
	int r = live_open(&l, a, proc, live, e);

	for (; r == 0 && sources.op < p->n_ops; sources.op++)
		r = add_one(&l, p, &sources, e);
	if (r < 0)
		take_back(&l);
	return r;
}

/* --- remove ----------------------------------------------------------------------------------- */

static int remove_one(struct live *l, const char *path, struct err *e)
{
	auto_fd fd = mount_open_in_root(l->root, path, O_PATH);
	auto_fd copy = -1;
	struct mount_added *added;
	int r;

	if (fd < 0)
		return err_sys(e, -fd, path, "open the target");
	added = mount_live_find(l->live, fd, path, e);
	if (!added)
		return -e->code;
	/* to be put back when one of the others cannot be removed */
	copy = mount_clone(fd, "", true, false);
	r = detach(l, fd);
	if (r == -EINVAL)
		return err_code(e, EINVAL, path,
				"'%s' is locked: it was mounted outside of the container's user "
				"namespace together with others",
				path);
	if (r < 0)
		return err_sys(e, -r, path, "detach what is mounted on");
	added->id = 0;
	*vec_push(l->arena, &l->done) = (struct done){ fd_take(&copy), added };
	return 0;
}

static int put_back_one(struct live *l, const struct done *d, struct err *e)
{
	const char *path = d->added->target;
	auto_fd target = -1;
	struct statx st;

	if (d->fd < 0)
		return err_sys(e, -d->fd, path, "copy what was mounted on");
	target = mount_target_find(l->root, path, O_PATH, e);
	if (target == -ENOENT)
		return err_sys(e, ENOENT, path, "open the target");
	if (target < 0 || look_at(d->fd, path, &st, e) < 0 ||
	    mount_attach(d->fd, target, path, e) < 0)
		return -e->code;
	d->added->id = st.stx_mnt_id;
	return 0;
}

static void put_back(struct live *l)
{
	while (l->done.n > 0) {
		const struct done *d = &l->done.v[--l->done.n];
		struct err e = { 0 };

		if (put_back_one(l, d, &e) < 0)
			log_warning("what was mounted on '%s' cannot be put back: %s",
				    d->added->target, e.text);
	}
}

int mount_live_remove(struct arena *a, const char *const *paths, size_t n, int proc,
		      const struct mount_live *live, struct err *e)
{
	struct live l;
	int r = live_open(&l, a, proc, live, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = remove_one(&l, paths[i], e);
	if (r < 0)
		put_back(&l);
	return r;
}
