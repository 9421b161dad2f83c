/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_live - mounts of a container that runs
 *
 * Its processes may change paths under our hands at any time. So a target is a descriptor
 * from the moment it was found, below the container's root, and what is detached is the
 * mount that such a descriptor stands for, never what a name leads to by then: a link that
 * is swapped must not make us take the cover off a masked file.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "mount/mount_room.h"

struct live {
	int root, fds; /* the container's root; <procfs>/self/fd */
	struct arena *arena;
	struct {
		int *v; /* add: what was mounted; remove: copies of what was */
		size_t n, cap;
	} done;
};

static int live_open(struct live *l, struct arena *a, int proc, struct err *e)
{
	*l = (struct live){ .arena = a };
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

/* The root of a mount at @path, or -EINVAL: nothing is mounted there. */
static int open_mounted(const struct live *l, const char *path, struct err *e)
{
	auto_fd fd = mount_open_in_root(l->root, path, O_PATH);
	struct statx st;
	int r;

	if (fd < 0)
		return err_sys(e, -fd, path, "open the target");
	r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);
	if (r < 0)
		return err_sys(e, -r, path, "look at");
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return err_user(e, path, "nothing is mounted on '%s'", path);
	return fd_take(&fd);
}

/* --- add -------------------------------------------------------------------------------------- */

struct prepared {
	const int *trees;
	size_t op;
};

static int give_source(void *arg, size_t op, struct err *e)
{
	const struct prepared *p = arg;
	int fd;

	(void)op;
	if (p->trees[p->op] < 0)
		return -EPERM; /* it is made here */
	fd = sys_fcntl(p->trees[p->op], F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, -fd, NULL, "take a source") : fd;
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
			       .arg = sources };
	int fd;

	op.late_readonly = false;
	op.from_parent = sources->trees[sources->op] >= 0;
	one.ops = &op;
	one.n_ops = 1;
	if (mount_all(&m, e) < 0)
		return -e->code;
	if (op.kind == MOUNT_LINK)
		return 0;
	fd = open_mounted(l, op.target, e);
	if (fd < 0)
		return fd;
	*vec_push(l->arena, &l->done) = fd;
	return 0;
}

int mount_live_add(struct arena *a, const struct mount_plan *p, const int *trees, int proc,
		   struct err *e)
{
	struct prepared sources = { .trees = trees };
	struct live l;
	int r = live_open(&l, a, proc, e);

	for (; r == 0 && sources.op < p->n_ops; sources.op++)
		r = add_one(&l, p, &sources, e);
	while (r < 0 && l.done.n > 0) {
		int undo = detach(&l, l.done.v[--l.done.n]);

		if (undo < 0)
			log_warning("mounts[%zu] cannot be taken back: %s", l.done.n,
				    errno_text(-undo));
	}
	return r;
}

/* --- remove ----------------------------------------------------------------------------------- */

static int remove_one(struct live *l, const char *path, struct err *e)
{
	auto_fd fd = open_mounted(l, path, e);
	auto_fd copy = -1;
	int r;

	if (fd < 0)
		return fd;
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
	*vec_push(l->arena, &l->done) = fd_take(&copy);
	return 0;
}

static void put_back(struct live *l, const char *const *paths)
{
	while (l->done.n > 0) {
		size_t i = --l->done.n;
		auto_fd target = mount_open_in_root(l->root, paths[i], O_PATH);
		struct err e = { 0 };

		if (l->done.v[i] < 0 || target < 0 ||
		    mount_attach(l->done.v[i], target, paths[i], &e) < 0)
			log_warning("what was mounted on '%s' cannot be put back: %s", paths[i],
				    e.text);
	}
}

int mount_live_remove(struct arena *a, const char *const *paths, size_t n, int proc, struct err *e)
{
	struct live l;
	int r = live_open(&l, a, proc, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = remove_one(&l, paths[i], e);
	if (r < 0)
		put_back(&l, paths);
	return r;
}
