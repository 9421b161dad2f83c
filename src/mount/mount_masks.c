/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_masks - maskedPaths and readonlyPaths
 *
 * A masked file shows the host's /dev/null, taken before anything of the image could
 * stand in its place and checked to be that device (CVE-2025-31133); a masked directory
 * shows an empty read-only tmpfs, one for all of them. What does not exist needs no mask; so
 * that it does not only seem so, paths in a procfs or sysfs of ours are looked up in it, not
 * by way of the image.
 */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/trace.h"
#include "mount/mount_room.h"

/* --- where ---------------------------------------------------------------------------- */

bool mount_has_masks(const struct mount_plan *p, const struct mount_op *op)
{
	for (size_t i = 0; i < p->n_readonly; i++)
		if (mount_path_from(p->readonly[i], op->target))
			return true;
	for (size_t i = 0; i < p->n_masked; i++)
		if (mount_path_from(p->masked[i], op->target))
			return true;
	return false;
}

/*
 * The kept tree in which @path is, by the names of the configuration: the last one mounted at
 * or above it, unless something later covers that. What is mounted within it is no hindrance:
 * look-ups cross it. NULL: none, it is looked up from the root.
 */
static int *tree_of(struct mount_ctx *m, const char *path, const char **ret_rest)
{
	size_t covered = SIZE_MAX; /* length of the shortest target of what is later */

	for (size_t i = m->own ? m->plan->n_ops : 0; i-- > 0;) {
		const struct mount_op *op = &m->plan->ops[i];
		const char *rest = mount_path_from(path, op->target);
		size_t len = strlen(op->target);

		if (!rest || op->kind == MOUNT_REMOUNT)
			continue;
		if (m->own[i] >= 0) {
			*ret_rest = rest;
			return len < covered ? &m->own[i] : NULL;
		}
		if (len < covered)
			covered = len;
	}
	return NULL;
}

static int open_path(struct mount_ctx *m, const char *path, uint64_t flags)
{
	const char *rest;
	const int *tree = tree_of(m, path, &rest);

	return tree ? mount_open_in_root(*tree, *rest ? rest : "/", flags)
		    : mount_open_in_root(m->root, path, flags);
}

/* @tree covers all of what @path is in: the next are looked up in it. */
static void cover_tree(struct mount_ctx *m, const char *path, int *tree)
{
	const char *rest;
	int *covered = tree_of(m, path, &rest);

	if (!covered || *rest)
		return;
	fd_close(covered);
	*covered = fd_take(tree);
}

/* --- what ----------------------------------------------------------------------------- */

struct masks {
	struct mount_ctx *m;
	int null; /* mounts of ours that are attached already; -1: not needed so far */
	int empty;
};

/* The first is what it is, the next are clones of it: it must be attached to be cloned. */
static int next_clone(int attached)
{
	return mount_clone(attached, "", false, false);
}

static int open_null(struct err *e)
{
	auto_fd tree = mount_clone(AT_FDCWD, "/dev/null", false, false);
	struct stat st;
	int r;

	if (tree < 0)
		return err_sys(e, -tree, "/dev/null", "open");
	r = sys_fstat(tree, &st);
	if (r < 0)
		return err_sys(e, -r, "/dev/null", "look at");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_code(e, ENODEV, "/dev/null", "the host's /dev/null is not device 1:3");
	/* a slave, as all of the host's mounts in our namespace are by now */
	return fd_take(&tree);
}

static int open_empty(const struct mount_plan *p, struct err *e)
{
	const struct mount_data data[] = { { "source", "tmpfs" },
					   { "mode", "755" },
					   { p->label_key, p->label } };

	return mount_fs_simple(
		"tmpfs", data, p->label ? 3 : 2,
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, e);
}

/* Cover the target with @slot's mount, which @open makes when it is the first. */
static int cover(struct masks *k, int *slot, bool dir, int target, const char *path, struct err *e)
{
	auto_fd tree = -1;
	int r;

	if (*slot >= 0) {
		tree = next_clone(*slot);
		if (tree < 0)
			return err_sys(e, -tree, path, "clone the mask for");
		return mount_attach(tree, target, path, e);
	}
	tree = dir ? open_empty(k->m->plan, e) : open_null(e);
	if (tree < 0)
		return tree;
	r = mount_attach(tree, target, path, e);
	if (r == 0)
		*slot = fd_take(&tree);
	return r;
}

/*
 * Absent, or hidden by one before it: nothing to hide. Not so what only we may not reach: an
 * inode whose owner is mapped but whose group is not is closed to our root, not to its owner.
 */
static bool is_absent(int r)
{
	return r == -ENOENT || r == -ENOTDIR;
}

static int mask_one(struct masks *k, const char *path, struct err *e)
{
	auto_fd target = open_path(k->m, path, O_PATH | O_DIRECTORY);
	bool dir = target != -ENOTDIR;

	if (!dir)
		target = open_path(k->m, path, O_PATH);
	if (is_absent(target))
		return 0;
	if (target < 0)
		return err_sys(e, -target, path, "open the masked path");
	if (cover(k, dir ? &k->empty : &k->null, dir, target, path, e) < 0)
		return -e->code;
	trace(MOUNT, "mask '%s'", path);
	return 0;
}

static int readonly_one(struct mount_ctx *m, const char *path, struct err *e)
{
	auto_fd target = open_path(m, path, O_PATH);
	auto_fd tree = -1;
	int r;

	if (is_absent(target))
		return 0;
	if (target < 0)
		return err_sys(e, -target, path, "open the read-only path");
	tree = mount_clone(target, "", true, false);
	if (tree < 0)
		return err_sys(e, -tree, path, "clone the read-only path");
	r = mount_set(tree, true, MOUNT_ATTR_RDONLY, 0, 0);
	if (r < 0)
		return err_sys(e, -r, path, "make read-only");
	if (mount_attach(tree, target, path, e) < 0)
		return -e->code;
	cover_tree(m, path, &tree);
	trace(MOUNT, "read-only '%s'", path);
	return 0;
}

int mount_masks(struct mount_ctx *m, struct err *e)
{
	struct masks k = { .m = m, .null = -1, .empty = -1 };
	int r = 0;

	for (size_t i = 0; i < m->plan->n_readonly && r == 0; i++)
		r = readonly_one(m, m->plan->readonly[i], e);
	for (size_t i = 0; i < m->plan->n_masked && r == 0; i++)
		r = mask_one(&k, m->plan->masked[i], e);
	fd_close(&k.null);
	fd_close(&k.empty);
	for (size_t i = 0; m->own && i < m->plan->n_ops; i++)
		fd_close(&m->own[i]);
	return r;
}
