/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_masks - maskedPaths and readonlyPaths
 *
 * A masked file shows the host's /dev/null, taken before anything of the image could
 * stand in its place and checked to be that device (CVE-2025-31133); a masked directory
 * shows an empty read-only tmpfs, one for all of them. What does not exist needs no mask.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/trace.h"
#include "mount/mount_room.h"

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
	auto_fd target = mount_open_in_root(k->m->root, path, O_PATH | O_DIRECTORY);
	bool dir = target != -ENOTDIR;

	if (!dir)
		target = mount_open_in_root(k->m->root, path, O_PATH);
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
	auto_fd target = mount_open_in_root(m->root, path, O_PATH);
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
	return r;
}
